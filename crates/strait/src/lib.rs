//! Strait: a text autoencoder on your own text.
//!
//! ```no_run
//! use strait::{Decoding, Model};
//!
//! let model = Model::open("my-model")?;
//! let latents = model.encode(&["the train was late again"]);
//! let back = model.decode(&latents, &Decoding::default())?;
//! let new = model.sample(10, 1, &Decoding::default())?;
//! # Ok::<(), strait::Error>(())
//! ```
//!
//! [`Model`] is a finished model folder; [`Training`] makes one. Texts are `&str`, latents are plain `f32` rows.

mod error;
mod latents;
mod model;
mod training;

pub use error::Error;
pub use latents::{LatentFileError, Latents};
pub use model::{Decoding, Draws, Model, Path};
pub use strait_eval as eval;
pub use strait_model::{
    Recipe,
    config::{self, RecipeError},
    decoding::Options as DecodingOptions,
    folder::{Config, FolderError, check_place},
};
pub use strait_text as text;
pub use strait_train::{Budget, Event, Listener, Outcome, Size, TrainError, plan::Plan};
pub use training::{Training, resume};

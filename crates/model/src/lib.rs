//! Models: a text goes through an encoder to a latent vector, and through a decoder back to text.
//!
//! [`Recipe`] says what to build; [`Autoencoder`] is the network with its weights; [`decoding`] turns
//! scores of next tokens into sequences; [`prior`] models the latents of a corpus; [`folder`] keeps all of it on disk.
//! Nothing here knows the clock or the terminal.

pub mod autoencoder;
pub mod batch;
pub mod config;
pub mod decoder;
pub mod decoding;
pub mod encoder;
pub mod export;
mod feed_forward;
pub mod folder;
pub mod frontier;
pub mod gan;
pub mod generate;
pub mod latent;
pub mod objective;
pub mod pretrained;
pub mod prior;
mod recurrent;
mod risk;
mod scheduled_sampling;
pub mod seq2seq;
mod snapshot;
mod text_gan;
pub mod trainer;
pub mod transformer;
mod tuning;
mod usual;
pub mod weights;

pub use autoencoder::{Autoencoder, StepLoss, is_of_latent};
pub use batch::{Batch, Sequences};
pub use config::Recipe;
pub use decoder::PublishedDecoder;
pub use encoder::{Outside, Published, Vectors};
pub use frontier::Frontier;
pub use objective::{Figures, Progress, Regulariser};
pub use risk::{RiskTask, expected_risk};
pub use snapshot::Snapshot;
pub use text_gan::TextGanTask;
pub use trainer::Trainer;
pub use usual::Usual;

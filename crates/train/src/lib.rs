//! Training: from texts to a finished model folder.
//!
//! [`plan`] derives sizes and steps from one dial, [`start`] and [`resume`] are the loop, [`checkpoint`] keeps it resumable to
//! the bit, [`event`] is what listeners (the progress bar, `metrics.jsonl`) hear, [`finish`] fits the prior and writes
//! the folder.

mod alike;
mod begun;
pub mod calibrate;
pub mod checkpoint;
mod collapse;
pub mod event;
pub mod finish;
mod fitting;
mod generators;
mod given;
pub mod latents;
mod log;
pub mod look;
mod meter;
mod pairs;
mod parts;
mod places;
pub mod plan;
pub mod risk;
mod run;
mod step;

mod card;
mod error;

pub use error::TrainError;
pub use event::{Event, Listener};
pub use given::GivenVectors;
pub use pairs::Sources;
pub use plan::{Budget, Plan, Size};
pub use run::{Outcome, Request, resume, start};

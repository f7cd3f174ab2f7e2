//! Documents as sequences of sentence latents.
//!
//! [`DocumentNetwork`] reads the latents of a document's sentences in order and gives the density of the next latent,
//! a mixture of Gaussians, and the probability that the document ends. A plan latent, the same at every step, may carry
//! what the whole document is about; other documents may be given that it attends to. It knows nothing of text: what the latents mean is the caller's business.

mod checkpoint;
mod config;
mod folder;
mod given;
mod mixture;
mod network;
mod reader;
mod train;
mod trunk;

pub use checkpoint::{forget, unfinished};
pub use config::{ConfigError, DocumentConfig, NetworkKind};
pub use folder::{FORMAT, Header, MARKER, SENTENCES, open, save};
pub use given::Given;
pub use network::DocumentNetwork;
pub use reader::{Beside, Reader};
pub use train::{Documents, Keep, Report, TrainError, Watch, train};

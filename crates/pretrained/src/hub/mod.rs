//! Published models by name: `hf:OWNER/NAME` or `hf:OWNER/NAME@REVISION`, as the Hugging Face hub has them.
//!
//! With the feature `hub` the files that a model is read from are fetched once into the cache that the hub's other programs
//! use, and are read from there ever after, offline too. Without it such a name is refused, with what to do instead.
//!
//! | variable | what |
//! |---|---|
//! | `HF_HUB_CACHE`, `HF_HOME` | the cache, or the folder that holds it as `hub`; else `~/.cache/huggingface` |
//! | `HF_ENDPOINT` | another server with the same files |
//! | `HF_TOKEN`, `HF_TOKEN_PATH` | who asks, for models that not everyone may read; else `$HF_HOME/token` |
//! | `HF_HUB_OFFLINE` | `1`: ask no server |

#[cfg(feature = "hub")]
mod cache;
#[cfg(feature = "hub")]
mod download;
mod error;
#[cfg(feature = "hub")]
mod fetch;
mod name;
#[cfg(feature = "hub")]
mod needs;
#[cfg(feature = "hub")]
mod server;
#[cfg(feature = "hub")]
mod settings;

use std::path::{Path, PathBuf};

pub use error::HubError;
#[cfg(feature = "hub")]
pub use fetch::Hub;
pub use name::HubName;
#[cfg(feature = "hub")]
pub use settings::HubSettings;

use crate::Family;

/// Where a published model lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Its folder.
    pub dir: PathBuf,
    /// Where it came from: the folder as it was named, or `hf:OWNER/NAME@COMMIT`.
    pub source: String,
}

/// What happens while a model is fetched, for whoever listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetching<'a> {
    /// Another program is fetching the same model, and is waited for.
    Waiting,
    /// So many bytes of a file are there, of how many where the server says; told as a file begins, then twice a second at most.
    File { file: &'a str, done: u64, of: Option<u64> },
}

/// Finds the published model of a name: a folder is itself, unread; a name on the hub is fetched first, if it was not before and
/// if `fits` takes its kind.
///
/// # Errors
/// If a name cannot be one, the feature is off, or the model cannot be had; the message says what to do.
pub fn locate(
    name: &Path,
    fits: impl Fn(Family) -> bool,
    listener: &mut dyn FnMut(Fetching<'_>),
) -> Result<Located, HubError> {
    match HubName::of(name)? {
        None => Ok(Located { dir: name.into(), source: name.display().to_string() }),
        Some(name) => fetch(&name, &fits, listener),
    }
}

#[cfg(feature = "hub")]
fn fetch(
    name: &HubName,
    fits: &dyn Fn(Family) -> bool,
    listener: &mut dyn FnMut(Fetching<'_>),
) -> Result<Located, HubError> {
    Hub::new(HubSettings::from_env()?).fetch(name, fits, listener)
}

#[cfg(not(feature = "hub"))]
fn fetch(name: &HubName, _: &dyn Fn(Family) -> bool, _: &mut dyn FnMut(Fetching<'_>)) -> Result<Located, HubError> {
    Err(HubError::NotBuilt(name.to_string()))
}

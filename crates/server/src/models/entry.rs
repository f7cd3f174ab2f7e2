//! A place on the shelf.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use super::{Beside, Stamp};
use crate::{ServeError, metrics::ModelMeter, options::ModelPlace};

/// A name, a folder, and what was last read from it.
pub struct Entry<T> {
    pub name: String,
    pub dir: PathBuf,
    pub meter: Arc<ModelMeter>,
    pub(super) beside: Beside,
    serving: RwLock<Option<Arc<T>>>,
    /// Why what is in the folder now is not what is served.
    problem: Mutex<Option<String>>,
}

/// What is read from a folder and served.
pub trait Served: Sized {
    /// The file by which such a folder is known; it holds the SHA-256 of the others.
    const MARKER: &str;
    /// The beginning of the folder's checksum.
    fn version(&self) -> &str;
}

impl<T> Entry<T> {
    /// An empty place.
    pub(super) fn new(place: &ModelPlace, beside: Beside) -> Self {
        Entry {
            name: place.name.clone(),
            dir: place.dir.clone(),
            meter: Arc::default(),
            beside,
            serving: RwLock::default(),
            problem: Mutex::default(),
        }
    }

    /// What is served, once it is ready.
    pub fn serving(&self) -> Option<Arc<T>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn put(&self, served: Arc<T>) {
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = Some(served);
    }

    /// Why what is in the folder now is not what is served.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_problem(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}

impl<T: Served> Entry<T> {
    pub(super) fn stamp(&self) -> Option<Stamp> {
        Stamp::of(&self.dir, T::MARKER, &self.beside.files())
    }
}

/// No two of one name.
///
/// # Errors
/// If there are.
pub(super) fn names_differ<'a>(places: impl Iterator<Item = &'a ModelPlace>) -> Result<(), ServeError> {
    let mut names: Vec<&str> = places.map(|place| place.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ServeError::SameName(pair[0].into())),
        None => Ok(()),
    }
}

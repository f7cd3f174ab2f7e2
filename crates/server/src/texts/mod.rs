//! The texts that a model is served with: encoded in the background, then mapped, and kept.

mod axes;
mod prepare;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use schemars::JsonSchema;
use serde::Serialize;
use strait::{Clustering, Collection, Error, Layout, Model, Source, text};

use crate::{options::TextsPlace, refusal::Refusal};
pub use axes::Axes;
pub use prepare::prepare;

/// Texts beside a model, as far as they are made ready.
pub struct Texts {
    pub source: Source,
    /// How many.
    pub count: usize,
    encoded: AtomicUsize,
    /// Or why there is none.
    collection: OnceLock<Result<Arc<Collection>, String>>,
    map: OnceLock<Result<Arc<Drawn>, String>>,
}

/// A map of texts with its groups.
pub struct Drawn {
    pub layout: Layout,
    pub groups: Clustering,
}

/// How far texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Encoding,
    /// They can be searched; the map is being drawn.
    Mapping,
    Ready,
    Failed,
}

/// Words that tell a group of a map.
pub const WORDS: usize = 3;

impl Texts {
    /// Reads texts: a corpus still to be encoded, or a collection that `strait index` made.
    ///
    /// # Errors
    /// If the file cannot be read, or the collection is of another model.
    pub fn read(place: &TextsPlace, model: &Model) -> Result<(Self, Option<text::Corpus>), Error> {
        if Collection::is_at(&place.path) {
            let found = Collection::open(&place.path, model)?;
            let texts = Texts::new(found.source().clone(), found.len());
            texts.encoded.store(found.len(), Ordering::Relaxed);
            let _ = texts.collection.set(Ok(Arc::new(found)));
            return Ok((texts, None));
        }
        let corpus = text::read::read(&place.path, &place.read)?;
        let source = Source { name: corpus.report.name.clone(), hash: corpus.report.hash.clone() };
        Ok((Texts::new(source, corpus.records.len()), Some(corpus)))
    }

    fn new(source: Source, count: usize) -> Self {
        let (collection, map) = (OnceLock::new(), OnceLock::new());
        Texts { source, count, encoded: AtomicUsize::new(0), collection, map }
    }

    /// The texts with their latents.
    ///
    /// # Errors
    /// If they are not encoded yet, or could not be.
    pub fn collection(&self) -> Result<Arc<Collection>, Refusal> {
        match self.collection.get() {
            Some(Ok(collection)) => Ok(collection.clone()),
            Some(Err(why)) => Err(Refusal::invalid("/texts", format!("the server's texts cannot be used: {why}"))),
            None => Err(Refusal::TextsLoading { encoded: self.encoded(), of: self.count }),
        }
    }

    /// Their map.
    ///
    /// # Errors
    /// If it is not drawn yet, or could not be.
    pub fn map(&self) -> Result<Arc<Drawn>, Refusal> {
        self.collection()?;
        match self.map.get() {
            Some(Ok(drawn)) => Ok(drawn.clone()),
            Some(Err(why)) => Err(Refusal::invalid("/texts", format!("the server's texts have no map: {why}"))),
            None => Err(Refusal::MapPending),
        }
    }

    /// How many are encoded.
    pub fn encoded(&self) -> usize {
        self.encoded.load(Ordering::Relaxed)
    }

    pub fn state(&self) -> State {
        match (self.collection.get(), self.map.get()) {
            (None, _) => State::Encoding,
            (Some(Err(_)), _) | (_, Some(Err(_))) => State::Failed,
            (Some(Ok(_)), None) => State::Mapping,
            (Some(Ok(_)), Some(Ok(_))) => State::Ready,
        }
    }

    /// What went wrong, if something did.
    pub fn problem(&self) -> Option<&str> {
        let collection = self.collection.get().and_then(|c| c.as_ref().err());
        collection.or_else(|| self.map.get().and_then(|m| m.as_ref().err())).map(String::as_str)
    }
}

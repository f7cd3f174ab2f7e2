//! Which of its files a model is read from; some say which others there must be.

use std::path::Path;

use super::{HubError, HubName};
use crate::{
    Family, family_of,
    pooling::{self, LIMITS, MODULES},
    tensors::{self, INDEX, SINGLE},
    tokens,
};

pub(super) const CONFIG: &str = "config.json";
/// How pickles are named on the hub.
const PICKLES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/// Where files are had from.
pub(super) trait Source {
    type Error: From<HubError>;

    /// Sees to it that a file is in the model's folder; whether there is such a file.
    fn get(&mut self, file: &str) -> Result<bool, Self::Error>;

    /// Whether there is such a file, which stays where it is.
    fn has(&mut self, file: &str) -> Result<bool, Self::Error>;
}

/// A model whose files are wanted.
pub(super) struct Needs<'a> {
    pub(super) name: &'a HubName,
    /// The folder that they come into.
    pub(super) dir: &'a Path,
    /// The kinds that are wanted.
    pub(super) fits: &'a dyn Fn(Family) -> bool,
}

impl Needs<'_> {
    /// Gets all, the weights last: whatever speaks against the model is then known.
    pub(super) fn all<S: Source>(&self, source: &mut S) -> Result<(), S::Error> {
        self.must(source, CONFIG)?;
        let family = family_of(self.dir).map_err(|e| self.folder(e))?;
        if !(self.fits)(family) {
            return Err(HubError::OtherKind { name: self.name.to_string(), family }.into());
        }
        self.tokenizer(source)?;
        if family.is_encoder() {
            source.get(LIMITS)?;
            if source.get(MODULES)? {
                for file in pooling::named_files(self.dir).map_err(|e| self.folder(e))? {
                    self.must(source, &file)?;
                }
            }
        }
        self.weights(source)
    }

    fn tokenizer<S: Source>(&self, source: &mut S) -> Result<(), S::Error> {
        let [whole, settings, words, vocab, merges] = tokens::FILES;
        source.get(settings)?;
        if source.get(whole)? || source.get(words)? {
            return Ok(());
        }
        match source.get(vocab)? {
            true => self.must(source, merges),
            false => Err(self.no_file("tokenizer.json, vocab.txt or vocab.json").into()),
        }
    }

    fn weights<S: Source>(&self, source: &mut S) -> Result<(), S::Error> {
        if source.get(SINGLE)? {
            return Ok(());
        }
        if !source.get(INDEX)? {
            for file in PICKLES {
                if source.has(file)? {
                    return Err(HubError::Pickle { name: self.name.to_string(), file: file.into() }.into());
                }
            }
            return Err(self.no_file(SINGLE).into());
        }
        for shard in tensors::shards(self.dir).map_err(|e| self.folder(e))? {
            if !shard.ends_with(".safetensors") {
                return Err(HubError::Pickle { name: self.name.to_string(), file: shard }.into());
            }
            self.must(source, &shard)?;
        }
        Ok(())
    }

    fn must<S: Source>(&self, source: &mut S, file: &str) -> Result<(), S::Error> {
        if source.get(file)? { Ok(()) } else { Err(self.no_file(file).into()) }
    }

    fn no_file(&self, file: &str) -> HubError {
        HubError::NoFile { name: self.name.to_string(), file: file.into() }
    }

    fn folder(&self, source: crate::Error) -> HubError {
        HubError::Folder { name: self.name.to_string(), source: Box::new(source) }
    }
}

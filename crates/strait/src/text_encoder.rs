//! What turns texts into latents: a trained model, or a published encoder without a decoder.

use std::path::Path;

use strait_model::folder::sha256;
use strait_pretrained::{Family, SentenceEncoder, family_of, files_of};

use crate::{Error, Latents, Model};

/// Turns texts into latents. Searching, grouping, mapping and classifying need no more.
pub trait TextEncoder {
    /// By which what was made of its latents is told from what others made.
    fn checksum(&self) -> &str;

    /// Dimensions of a latent, Z.
    fn latent_size(&self) -> usize;

    /// Texts to latents, in order.
    ///
    /// # Errors
    /// [`Error::NoLatents`] for a language model, [`Error::NoEncoder`] for one that was trained on vectors.
    fn latents(&self, texts: &[&str]) -> Result<Latents, Error>;

    /// The mean distance of two latents drawn at random, where something is known of their distribution.
    fn usual_distance(&self) -> Option<f64> {
        None
    }
}

impl TextEncoder for Model {
    fn checksum(&self) -> &str {
        &self.config.checksum
    }
    fn latent_size(&self) -> usize {
        Model::latent_size(self)
    }
    fn latents(&self, texts: &[&str]) -> Result<Latents, Error> {
        self.needs_encoder()?;
        Ok(self.encode(texts))
    }
    fn usual_distance(&self) -> Option<f64> {
        Some(Model::usual_distance(self))
    }
}

/// An encoder as others have published it (BERT, MiniLM, RoBERTa, DistilBERT): its vectors are the latents.
pub struct PublishedEncoder {
    encoder: SentenceEncoder,
    checksum: String,
}

impl PublishedEncoder {
    /// Reads a published folder.
    ///
    /// # Errors
    /// If it is not whole, or no encoder; the message names the file and what is wrong in it.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let encoder = SentenceEncoder::open(dir)?;
        Ok(PublishedEncoder { encoder, checksum: checksum_of(dir)? })
    }

    /// The kind of published model in a folder; none if there is no published model.
    pub fn family(dir: &Path) -> Option<Family> {
        family_of(dir).ok()
    }
}

impl TextEncoder for PublishedEncoder {
    fn checksum(&self) -> &str {
        &self.checksum
    }
    fn latent_size(&self) -> usize {
        self.encoder.width()
    }
    fn latents(&self, texts: &[&str]) -> Result<Latents, Error> {
        Ok(Latents::new(self.encoder.encode(texts), self.encoder.width()))
    }
}

/// SHA-256 over the names and contents of the files that a published model is read from.
pub(crate) fn checksum_of(dir: &Path) -> Result<String, Error> {
    let mut all = String::new();
    for name in files_of(dir)? {
        let path = dir.join(&name);
        let bytes = std::fs::read(&path).map_err(|source| strait_pretrained::Error::Io { path, source })?;
        all.push_str(&format!("{name} {}\n", sha256(&bytes)));
    }
    Ok(sha256(all.as_bytes()))
}

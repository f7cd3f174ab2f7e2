//! Documents as sequences of sentence latents: a sentence model turns sentences into latents, a document network reads
//! and writes sequences of them.

mod evaluate;
mod order;
mod write;

use std::path::{Path, PathBuf};

use strait_document::{DocumentConfig, DocumentNetwork, Documents, Header, Reader, Report};

use crate::{Error, Latents, Model};

pub use evaluate::{DocumentEvaluation, DocumentEvaluationRequest, DocumentWriting, NextChoice, SentenceOrdering};
pub use order::Summary;
pub use write::{Draft, GAP, WriteRequest, Written};

/// One document in so many is put aside to validate on.
const HELD_OUT: usize = 10;

/// A document model, read from its folder or trained.
pub struct DocumentModel {
    header: Header,
    network: DocumentNetwork,
    sentences: Model,
    /// The sentence model's folder.
    folder: PathBuf,
}

/// How to train a document model.
#[derive(Debug, Clone)]
pub struct DocumentRequest {
    /// Folder of the sentence model, a trained autoencoder.
    pub sentences: PathBuf,
    pub config: DocumentConfig,
    pub seed: u64,
    /// Name and SHA-256 of the documents' file, for the model's folder.
    pub data: String,
    pub data_hash: String,
}

impl DocumentModel {
    /// Trains on documents, each its sentences in order; every tenth is put aside where no validation documents are
    /// given. `listener` hears how it stands. The same documents, request and seed give the same bits.
    ///
    /// # Errors
    /// If the sentence model cannot be read or encodes no texts, or there are too few documents.
    pub fn train(
        documents: &[Vec<String>],
        valid: Option<&[Vec<String>]>,
        request: &DocumentRequest,
        listener: &mut dyn FnMut(&Report),
    ) -> Result<Self, Error> {
        let sentences = Model::open(&request.sentences)?;
        sentences.needs_encoder()?;
        let aside = |i: usize| valid.is_none() && (i + 1).is_multiple_of(HELD_OUT.min(documents.len().max(1)));
        let part = |which: bool| documents.iter().enumerate().filter(move |(i, _)| aside(*i) == which).map(|(_, d)| d);
        let train: Vec<&Vec<String>> = part(false).collect();
        let valid: Vec<&Vec<String>> = valid.map_or_else(|| part(true).collect(), |v| v.iter().collect());
        let latents = |part: &[&Vec<String>]| -> Vec<Vec<f32>> {
            let all: Vec<&str> = part.iter().flat_map(|d| d.iter().map(String::as_str)).collect();
            let mut rows = sentences.encode(&all).into_data().into_iter();
            part.iter().map(|d| rows.by_ref().take(d.len() * sentences.latent_size()).collect()).collect()
        };
        let (of_train, of_valid, dim) = (latents(&train), latents(&valid), sentences.latent_size());
        let (network, report) = strait_document::train(
            Documents { latents: &of_train, dim },
            Documents { latents: &of_valid, dim },
            &request.config,
            request.seed,
            listener,
        )?;
        let count = |part: &[&Vec<String>]| part.iter().map(|d| d.len()).sum();
        let header = Header {
            document_format: strait_document::FORMAT,
            strait_version: env!("CARGO_PKG_VERSION").into(),
            settings: request.config.clone(),
            latent: dim,
            seed: request.seed,
            data: request.data.clone(),
            data_hash: request.data_hash.clone(),
            documents: [train.len(), valid.len()],
            sentences: [count(&train), count(&valid)],
            best_step: report.best_step,
            valid_nats: report.best_nats,
            files: Default::default(),
            checksum: String::new(),
        };
        Ok(DocumentModel { header, network, sentences, folder: request.sentences.clone() })
    }

    /// Writes the model's folder with a copy of the sentence model, complete or not at all; `replace` one that is there.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save(&self, dir: impl AsRef<Path>, replace: bool) -> Result<(), Error> {
        Ok(strait_document::save(dir.as_ref(), &self.header, &self.network, &self.folder, replace)?)
    }

    /// Reads and checks a document model's folder.
    ///
    /// # Errors
    /// If a file is missing or damaged; the message names it.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let (header, network) = strait_document::open(dir.as_ref())?;
        let folder = dir.as_ref().join(strait_document::SENTENCES);
        let sentences = Model::open(&folder)?;
        sentences.needs_encoder()?;
        if sentences.latent_size() != network.latent_size() {
            return Err(Error::Dimensions { found: sentences.latent_size(), expected: network.latent_size() });
        }
        Ok(DocumentModel { header, network, sentences, folder })
    }

    /// What it was trained on and how.
    pub fn header(&self) -> &Header {
        &self.header
    }
    /// The model of its sentences.
    pub fn sentence_model(&self) -> &Model {
        &self.sentences
    }
    /// Number of weights of the document network.
    pub fn weights(&self) -> usize {
        self.network.weights()
    }

    /// A reader that has read `latents`, with the plan that is read from `all`.
    fn reader<'r>(&self, latents: impl Iterator<Item = &'r [f32]>, begins: bool, all: &Latents) -> Reader<'_> {
        let plan = (!all.is_empty()).then(|| self.network.plan(all.data()));
        let mut reader = Reader::new(&self.network, begins, plan.as_deref());
        latents.for_each(|row| reader.read(row));
        reader
    }

    /// What is expected of a sentence about which nothing is known.
    fn background(&self) -> Reader<'_> {
        Reader::new(&self.network, false, None)
    }
}

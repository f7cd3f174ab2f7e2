//! Documents as sequences of sentence latents: a sentence model turns sentences into latents, a document network reads
//! and writes sequences of them.

mod evaluate;
mod order;
mod write;

use std::path::{Path, PathBuf};

use strait_document::{Beside, DocumentConfig, DocumentNetwork, Documents, Given, Header, Reader, Watch};
use strait_text::sentences::Document;

use crate::{Error, Latents, Model};

pub use evaluate::{
    DocumentEvaluation, DocumentEvaluationRequest, DocumentWriting, GivenUse, NextChoice, SentenceOrdering,
};
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
    /// Trains on documents; every tenth is put aside where there are no validation documents. The same documents, request and seed give the same bits.
    ///
    /// # Errors
    /// If the sentence model cannot be read or encodes no texts, or there are too few documents; if nothing is given beside
    /// any, and the network is to attend to what is.
    pub fn train(
        documents: &[Document],
        valid: Option<&[Document]>,
        request: &DocumentRequest,
        watch: Watch<'_>,
    ) -> Result<Self, Error> {
        let sentences = Model::open(&request.sentences)?;
        sentences.needs_encoder()?;
        let aside = |i: usize| valid.is_none() && (i + 1).is_multiple_of(HELD_OUT.min(documents.len().max(1)));
        let part = |which: bool| documents.iter().enumerate().filter(move |(i, _)| aside(*i) == which).map(|(_, d)| d);
        let train: Vec<&Document> = part(false).collect();
        let valid: Vec<&Document> = valid.map_or_else(|| part(true).collect(), |v| v.iter().collect());
        let attends = request.config.given;
        if attends && train.iter().all(|d| d.given.is_empty()) {
            return Err(Error::NothingGiven);
        }
        let own = |part: &[&Document]| latents(&sentences, part.iter().map(|d| &d.sentences));
        let given = |part: &[&Document]| -> Vec<Vec<Vec<f32>>> {
            let mut all = latents(&sentences, part.iter().flat_map(|d| &d.given)).into_iter();
            part.iter().map(|d| all.by_ref().take(d.given.len()).collect()).collect()
        };
        let parts = [&train, &valid].map(|part| (own(part), if attends { given(part) } else { Vec::new() }));
        let dim = sentences.latent_size();
        let [of_train, of_valid] = parts.each_ref().map(|(latents, given)| Documents { latents, given, dim });
        let (network, report) = strait_document::train(of_train, of_valid, &request.config, request.seed, watch)?;
        let count = |part: &[&Document]| part.iter().map(|d| d.sentences.len()).sum();
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

    /// Writes the model's folder with a copy of the sentence model, complete or not at all; `replace` one that is there. The
    /// state of its training beside it is then removed.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save(&self, dir: impl AsRef<Path>, replace: bool) -> Result<(), Error> {
        strait_document::save(dir.as_ref(), &self.header, &self.network, &self.folder, replace)?;
        Ok(strait_document::forget(dir.as_ref())?)
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

    /// What is given beside a document, if the network attends to such.
    fn given(&self, documents: &[Vec<String>]) -> Result<Option<Given>, Error> {
        if !documents.is_empty() && !self.network.config().given {
            return Err(Error::AttendsToNothing);
        }
        let latents = latents(&self.sentences, documents.iter());
        Ok(self.network.given(&latents.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    /// A reader before `latents`, whose plan is read from them.
    fn reader(&self, begins: bool, latents: &Latents, given: Option<&Given>) -> Reader<'_> {
        let plan = (!latents.is_empty()).then(|| self.network.plan(latents.data()));
        Reader::new(&self.network, begins, Beside { plan: plan.as_deref(), given })
    }

    /// What is expected of a sentence about which nothing is known.
    fn background(&self) -> Reader<'_> {
        Reader::new(&self.network, false, Beside::default())
    }
}

/// The latents (T, Z) of each document.
fn latents<'a>(model: &Model, documents: impl Iterator<Item = &'a Vec<String>> + Clone) -> Vec<Vec<f32>> {
    let all: Vec<&str> = documents.clone().flatten().map(String::as_str).collect();
    let mut rows = model.encode(&all).into_data().into_iter();
    documents.map(|d| rows.by_ref().take(d.len() * model.latent_size()).collect()).collect()
}

//! `strait document`: documents as sequences of sentences, read and written by a document model.

mod evaluate;
mod order;
mod train;
mod write;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use strait::{
    DocumentModel, FolderError,
    text::{
        read::{Corpus, ReadOptions},
        sentences::documents,
    },
};

use crate::{complaint::Usage, input};

/// Read and write documents by their sentences: order them, continue, fill gaps, summarise
///
/// A document model stands on a sentence model (a trained autoencoder): it learns which sentence's latent follows which.
#[derive(Args)]
pub struct Document {
    #[command(subcommand)]
    verb: DocumentVerb,
}

#[derive(Subcommand)]
enum DocumentVerb {
    Train(train::Train),
    Continue(write::Continue),
    Infill(write::Infill),
    Outline(write::Outline),
    Order(order::Order),
    Summarise(order::Summarise),
    Evaluate(evaluate::Evaluate),
}

impl Document {
    pub fn run(self) -> Result<()> {
        match self.verb {
            DocumentVerb::Train(verb) => verb.run(),
            DocumentVerb::Continue(verb) => verb.run(),
            DocumentVerb::Infill(verb) => verb.run(),
            DocumentVerb::Outline(verb) => verb.run(),
            DocumentVerb::Order(verb) => verb.run(),
            DocumentVerb::Summarise(verb) => verb.run(),
            DocumentVerb::Evaluate(verb) => verb.run(),
        }
    }
}

/// `-m DIR`, a document model.
#[derive(Args)]
struct DocumentModelFlag {
    /// The document model: a folder made by `strait document train`
    #[arg(short, long, value_name = "DIR")]
    model: PathBuf,
}

impl DocumentModelFlag {
    fn open(&self) -> Result<DocumentModel> {
        let name = self.model.display();
        match DocumentModel::open(&self.model) {
            Err(strait::Error::Folder(FolderError::NotAModel(_))) => Err(Usage(format!(
                "{name}: not a document model; make one with `strait document train FILE -m SENTENCE_MODEL -o DIR`"
            ))
            .into()),
            Err(strait::Error::Folder(FolderError::Absent(_))) => Err(Usage(format!(
                "{name}: there is no such folder; make a document model with `strait document train FILE -m \
                 SENTENCE_MODEL -o {name}`"
            ))
            .into()),
            other => Ok(other?),
        }
    }
}

/// Reads a file with its blank lines and long records kept.
fn read(file: &Path) -> Result<Corpus> {
    Ok(input::corpus(file, &ReadOptions::one_to_one())?)
}

/// The sentences of a file that is one text.
fn sentences(file: &Path) -> Result<Vec<String>> {
    Ok(documents(&read(file)?).into_iter().flatten().collect())
}

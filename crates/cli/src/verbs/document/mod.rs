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

/// The columns of a file of documents.
#[derive(Args)]
struct ColumnFlags {
    /// The column of the documents, by header or 1-based number [default: the one with the longest texts]
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// The column of what is given beside each document: other documents, blank lines between several, that a Transformer
    /// attends to
    #[arg(long, value_name = "COLUMN")]
    given: Option<String>,
}

impl ColumnFlags {
    /// Reads a file with its blank lines and long records kept.
    fn read(&self, file: &Path) -> Result<Corpus> {
        let (column, label_column) = (self.column.clone(), self.given.clone());
        let options = ReadOptions { column, label_column, ..ReadOptions::one_to_one() };
        Ok(input::corpus(file, &options).map_err(|error| error.with_flag("--label-column", "--given"))?)
    }
}

/// `--given FILE`, documents beside one text.
#[derive(Args)]
struct GivenFlag {
    /// Documents beside the text, blank lines between several, for a model that was trained with --given; `-` is standard
    /// input
    #[arg(long, value_name = "FILE")]
    given: Option<PathBuf>,
}

impl GivenFlag {
    /// The sentences of each.
    fn read(&self) -> Result<Vec<Vec<String>>> {
        let Some(file) = &self.given else { return Ok(Vec::new()) };
        let corpus = input::corpus(file, &ReadOptions::one_to_one())?;
        Ok(documents(&corpus).into_iter().map(|document| document.sentences).collect())
    }
}

/// The sentences of a file that is one text.
fn sentences(file: &Path) -> Result<Vec<String>> {
    let corpus = input::corpus(file, &ReadOptions::one_to_one())?;
    Ok(documents(&corpus).into_iter().flat_map(|document| document.sentences).collect())
}

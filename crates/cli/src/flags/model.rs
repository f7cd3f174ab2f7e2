//! `-m DIR`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::{Family, FolderError, HubError, Model, PublishedEncoder, PublishedLanguageModel, TextEncoder, locate};

use crate::{complaint::Usage, input, talk::fetching};

#[derive(Args)]
pub struct ModelFlag {
    /// The model: a folder made by `strait train`; to verbs that only encode also a published encoder (BERT, MiniLM, RoBERTa,
    /// DistilBERT), to sample and score also a published decoder (GPT-2); these also as hf:OWNER/NAME or hf:OWNER/NAME@REVISION,
    /// fetched once from the Hugging Face hub
    #[arg(short, long, value_name = "DIR")]
    pub model: PathBuf,
}

impl ModelFlag {
    /// Reads and checks the model.
    pub fn open(&self) -> Result<Model> {
        match Model::open(&self.model) {
            Err(strait::Error::Folder(FolderError::NotAModel(dir))) => Err(self.foreign(dir)),
            other => Ok(other?),
        }
    }

    /// As [`ModelFlag::open`], for verbs that turn texts into latents: neither a language model nor one of vectors does.
    pub fn open_autoencoder(&self) -> Result<Model> {
        self.check_reader(self.open_decoder()?)
    }

    /// As [`ModelFlag::open`], for verbs that turn latents into texts: not a language model.
    pub fn open_decoder(&self) -> Result<Model> {
        let model = self.open()?;
        match (model.is_seq2seq(), model.is_language_model()) {
            (true, _) => Err(self.refuse(strait::Error::NeedsSources)),
            (_, true) => Err(self.refuse(strait::Error::NoLatents)),
            _ => Ok(model),
        }
    }

    /// For verbs that only encode: a model, or a published encoder.
    pub fn open_encoder(&self) -> Result<Box<dyn TextEncoder>> {
        let dir = self.published(Family::is_encoder)?;
        match PublishedEncoder::family(&dir) {
            Some(family) if family.is_encoder() => Ok(Box::new(PublishedEncoder::open(&dir)?)),
            Some(_) => Err(self.foreign(self.model.clone())),
            None => Ok(Box::new(self.open_autoencoder()?)),
        }
    }

    /// The published language model in the folder, if that is what it holds.
    pub fn published_language_model(&self) -> Result<Option<PublishedLanguageModel>> {
        let dir = self.published(|family| !family.is_encoder())?;
        match PublishedEncoder::family(&dir) {
            Some(family) if !family.is_encoder() => Ok(Some(PublishedLanguageModel::open(&dir)?)),
            _ => Ok(None),
        }
    }

    /// The model's folder; of one named by its name on the hub, fetched if it is of a kind that fits.
    fn published(&self, fits: fn(Family) -> bool) -> Result<PathBuf> {
        match locate(&self.model, fits, &mut fetching()) {
            Ok(found) => Ok(found.dir),
            Err(HubError::OtherKind { name, family }) => Err(of_no_use(&name, family)),
            Err(e) => Err(strait::Error::from(e).into()),
        }
    }

    fn check_reader(&self, model: Model) -> Result<Model> {
        if model.reads_texts() { Ok(model) } else { Err(self.refuse(strait::Error::NoEncoder)) }
    }

    /// An error that names the folder.
    pub fn refuse(&self, why: strait::Error) -> anyhow::Error {
        anyhow::Error::new(why).context(self.model.display().to_string())
    }

    /// What to say of a folder that is not ours to a verb that needs a decoder.
    fn foreign(&self, dir: PathBuf) -> anyhow::Error {
        match PublishedEncoder::family(&dir) {
            Some(family) => of_no_use(&dir.display().to_string(), family),
            None => strait::Error::Folder(FolderError::NotAModel(dir)).into(),
        }
    }
}

/// What to say of a published model to a verb that it is of no use to.
fn of_no_use(name: &str, family: Family) -> anyhow::Error {
    let kind = family.name();
    let why = match family.is_encoder() {
        true => format!(
            "{name}: a published encoder ({kind}), which has no decoder; encode, index, search, dedup, cluster, map, classify \
             and similarity work with it, and `strait train FILE --encoder {name}` trains a decoder for it"
        ),
        false => format!("{name}: a published language model ({kind}); only sample and score work with it"),
    };
    Usage(why).into()
}

/// `--vectors FILE`, for a model that was trained on vectors.
#[derive(Args)]
pub struct VectorsFlag {
    /// The vectors of FILE's records, npy or jsonl, a row each: for a model that was trained with --vectors
    #[arg(long, value_name = "FILE")]
    pub vectors: Option<PathBuf>,
}

impl VectorsFlag {
    /// Opens a model that encodes `texts`: any, if it has an encoder, or these by their vectors.
    pub fn open<S: AsRef<str> + Sync>(&self, model: &ModelFlag, texts: &[S]) -> Result<Model> {
        if self.vectors.is_none() {
            return model.open_autoencoder();
        }
        let mut open = model.open_decoder()?;
        self.give(&mut open, model, texts)?;
        Ok(open)
    }

    /// Gives an open model the vectors of `texts`, if there are any.
    pub fn give<S: AsRef<str> + Sync>(&self, open: &mut Model, model: &ModelFlag, texts: &[S]) -> Result<()> {
        match &self.vectors {
            Some(file) => open.give_vectors(texts, &input::latents(file)?).map_err(|e| model.refuse(e)),
            None => Ok(()),
        }
    }
}

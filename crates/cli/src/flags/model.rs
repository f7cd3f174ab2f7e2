//! `-m DIR`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::Model;

#[derive(Args)]
pub struct ModelFlag {
    /// The model: a folder made by `strait train`
    #[arg(short, long, value_name = "DIR")]
    pub model: PathBuf,
}

impl ModelFlag {
    /// Reads and checks the model.
    pub fn open(&self) -> Result<Model> {
        Ok(Model::open(&self.model)?)
    }

    /// As [`ModelFlag::open`], for verbs that go through latents, which a language model has not.
    pub fn open_autoencoder(&self) -> Result<Model> {
        let model = self.open()?;
        let refused = match (model.is_seq2seq(), model.is_language_model()) {
            (true, _) => strait::Error::NeedsSources,
            (_, true) => strait::Error::NoLatents,
            _ => return Ok(model),
        };
        Err(anyhow::Error::new(refused).context(self.model.display().to_string()))
    }
}

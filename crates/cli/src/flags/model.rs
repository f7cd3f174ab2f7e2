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
        match model.is_language_model() {
            true => Err(anyhow::Error::new(strait::Error::NoLatents).context(self.model.display().to_string())),
            false => Ok(model),
        }
    }
}

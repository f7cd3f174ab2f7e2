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
}

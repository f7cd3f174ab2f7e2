//! `strait export`: a model in the conventions of published folders.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{flags::ModelFlag, talk::say};

/// Write a language model as a folder that the Python package transformers loads
///
/// Of Transformers with rotary positions (`--recipe lm-transformer`), which are published as GPT-NeoX. Scores, vocabulary and
/// the tokens of begin and end are the same there.
#[derive(Args)]
pub struct Export {
    #[command(flatten)]
    model: ModelFlag,
    /// The folder to make
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the folder that is there
    #[arg(long)]
    force: bool,
}

impl Export {
    pub fn run(self) -> Result<()> {
        self.model.open()?.export(&self.out, self.force)?;
        say!("Written: {}. In Python: AutoModelForCausalLM.from_pretrained({:?})", self.out.display(), self.out);
        Ok(())
    }
}

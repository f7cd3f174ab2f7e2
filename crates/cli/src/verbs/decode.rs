//! `strait decode`: latents to texts.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::Latents;

use crate::{
    flags::{Alone, CHUNK, DecodingFlags, ModelFlag, WritingFlags},
    input,
};

/// Turn latents, as `strait encode` writes them, into texts, one line each
#[derive(Args)]
pub struct Decode {
    #[command(flatten)]
    model: ModelFlag,
    /// The latents, npy or jsonl; `-` is standard input
    file: PathBuf,
    /// Seed of the draws, with --temperature and its kin
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl Decode {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_autoencoder()?;
        let latents = input::latents(&self.file)?;
        let decoding = self.decoding.resolve(&model.config().decoding);
        let mut out = self.writing.open()?;
        for (i, rows) in latents.data().chunks(CHUNK * latents.dim()).enumerate() {
            let part = Latents::new(rows.to_vec(), latents.dim());
            for text in model.decode_part(&part, i * CHUNK, &decoding, self.seed)? {
                self.writing.text(&mut out, &text, &Alone { text: &text })?;
            }
            out.flush_part()?;
        }
        out.finish()
    }
}

//! `strait decode`: latents, or the vectors of a frozen encoder, to texts.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use strait::{Latents, Model};

use crate::{
    flags::{Alone, CHUNK, DecodingFlags, ModelFlag, WritingFlags},
    input,
};

/// What a row is.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum RowKind {
    /// What `strait encode` writes with this model
    Latents,
    /// What the model's frozen encoder gives, or the vectors that it was trained on (recipe vec2text)
    Vectors,
}

/// Turn latents, as `strait encode` writes them, or the vectors that a vec2text model was trained on, into texts, one line each
#[derive(Args)]
pub struct Decode {
    #[command(flatten)]
    model: ModelFlag,
    /// The latents or vectors, npy or jsonl; `-` is standard input
    file: PathBuf,
    /// What the rows are [default: by their width; vectors where both are as wide]
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    rows: Option<RowKind>,
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
        let model = self.model.open_decoder()?;
        let latents = self.latents(&model)?;
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

    fn latents(&self, model: &Model) -> Result<Latents> {
        let rows = input::latents(&self.file)?;
        let width = if rows.dim() == model.vector_size() { RowKind::Vectors } else { RowKind::Latents };
        match self.rows.unwrap_or(width) {
            RowKind::Vectors => Ok(model.latents_of(&rows)?),
            RowKind::Latents => Ok(rows),
        }
    }
}

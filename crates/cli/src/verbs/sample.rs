//! `strait sample`: new texts from the prior.

use anyhow::Result;
use clap::Args;

use crate::flags::{Alone, CHUNK, DecodingFlags, ModelFlag, WritingFlags, at_least_one};

/// Write new texts like those of the corpus, one a line
#[derive(Args)]
pub struct Sample {
    #[command(flatten)]
    model: ModelFlag,
    /// How many
    #[arg(short, value_name = "N", default_value = "10", value_parser = at_least_one)]
    n: usize,
    /// Another seed, other texts
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl Sample {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let decoding = self.decoding.resolve(&model.config().sampling);
        let mut out = self.writing.open()?;
        let mut draws = model.draws(self.seed);
        for first in (0..self.n).step_by(CHUNK) {
            let latents = draws.take(CHUNK.min(self.n - first));
            for text in model.decode_part(&latents, first, &decoding, self.seed)? {
                self.writing.text(&mut out, &text, &Alone { text: &text })?;
            }
            out.flush_part()?;
        }
        out.finish()
    }
}

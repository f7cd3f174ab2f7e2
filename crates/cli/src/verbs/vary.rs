//! `strait vary`: texts near a text.

use anyhow::Result;
use clap::Args;

use crate::{
    flags::{Alone, DecodingFlags, ModelFlag, WritingFlags, at_least_one, not_negative},
    input,
};

/// Write variations of a text
#[derive(Args)]
pub struct Vary {
    #[command(flatten)]
    model: ModelFlag,
    /// The text; `-` is standard input
    text: String,
    /// How many
    #[arg(short, value_name = "N", default_value = "5", value_parser = at_least_one)]
    n: usize,
    /// How far to go: 0 is the text's reconstruction, 1 as far away as any other text
    #[arg(long, value_name = "D", default_value = "0.3", value_parser = not_negative)]
    distance: f32,
    /// Another seed, other texts
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl Vary {
    pub fn run(self) -> Result<()> {
        let text = input::text(self.text)?;
        let model = self.model.open_autoencoder()?;
        let decoding = self.decoding.resolve(&model.config().decoding);
        let texts = model.vary(&text, self.n, self.distance, self.seed, &decoding)?;
        let mut out = self.writing.open()?;
        for text in &texts {
            self.writing.text(&mut out, text, &Alone { text })?;
        }
        out.finish()
    }
}

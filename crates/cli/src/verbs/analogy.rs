//! `strait analogy`: A is to B as C is to what?

use anyhow::Result;
use clap::Args;

use crate::{
    flags::{Alone, DecodingFlags, ModelFlag, WritingFlags},
    input,
};

/// Write the text that is to C as B is to A
#[derive(Args)]
pub struct Analogy {
    #[command(flatten)]
    model: ModelFlag,
    /// A text
    a: String,
    /// What became of it
    b: String,
    /// The text to change in the same way; `-` is standard input
    c: String,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl Analogy {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_autoencoder()?;
        let decoding = self.decoding.resolve(&model.config().decoding);
        let text = model.analogy((&self.a, &self.b), &input::text(self.c)?, &decoding)?;
        let mut out = self.writing.open()?;
        self.writing.text(&mut out, &text, &Alone { text: &text })?;
        out.finish()
    }
}

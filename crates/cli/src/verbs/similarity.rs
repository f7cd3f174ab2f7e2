//! `strait similarity`: how alike two texts are to a model.

use anyhow::Result;
use clap::Args;
use strait::Similarity as Found;

use crate::{
    flags::{ModelFlag, WritingFlags},
    input,
};

/// Tell how alike two texts are
///
/// Prints the cosine of their latents (1: the same direction), their distance, and the distance as a share of that
/// between two texts that the model draws by itself (0: the same, 1: as far as any two; a published encoder draws none).
#[derive(Args)]
pub struct Similarity {
    #[command(flatten)]
    model: ModelFlag,
    /// A text; `-` is standard input
    a: String,
    /// Another text
    b: String,
    #[command(flatten)]
    writing: WritingFlags,
}

impl Similarity {
    pub fn run(self) -> Result<()> {
        let encoder = self.model.open_encoder()?;
        let found = Found::of_texts(&*encoder, &input::text(self.a)?, &input::text(self.b)?)?;
        let mut out = self.writing.open()?;
        match self.writing.json {
            true => out.json(&found)?,
            false => {
                out.line(&format!("cosine    {:.4}", found.cosine))?;
                out.line(&format!("distance  {:.4}", found.distance))?;
                if let Some(share) = found.of_usual {
                    out.line(&format!("of usual  {share:.4}"))?;
                }
            }
        }
        out.finish()
    }
}

//! `strait complete`: new texts where the map is empty.

use anyhow::Result;
use clap::Args;
use strait::Projection;

use crate::{
    flags::{DecodingFlags, ModelFlag, TextsFlags, WritingFlags, at_least_one},
    talk::{count, on_the_way, say},
};

/// Write new texts for the places where the map of a corpus is empty
///
/// The map is that of `strait map`; from each of its emptiest places inside comes the latent that would lie there, and
/// from that a text. Texts that the corpus has already are left out.
#[derive(Args)]
pub struct Complete {
    #[command(flatten)]
    model: ModelFlag,
    /// How many at most
    #[arg(short, value_name = "N", default_value = "10", value_parser = at_least_one)]
    n: usize,
    /// Take the two widest principal axes as the map
    #[arg(long)]
    pca: bool,
    /// Another seed, another map
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    texts: TextsFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl Complete {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_autoencoder()?;
        let texts = self.texts.open(&model)?;
        let how = if self.pca { Projection::Principal } else { Projection::Neighbours };
        let layout = texts.layout_heard(how, self.seed, &mut on_the_way("Drawing the map:", "rounds"))?;
        let decoding = self.decoding.resolve(&model.config().decoding);
        let found = texts.fill(&model, &layout, self.n, &decoding)?;
        let mut out = self.writing.open()?;
        found.iter().try_for_each(|filling| self.writing.text(&mut out, &filling.text, filling))?;
        out.finish()?;
        say!("{} for empty places of the map of {}.", count(found.len(), "text"), count(texts.len(), "text"));
        Ok(())
    }
}

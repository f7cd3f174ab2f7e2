//! `strait interpolate`: the texts between two texts.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use strait::Path;

use crate::{
    complaint::Usage,
    flags::{CorpusFlags, DecodingFlags, ModelFlag, WritingFlags, at_least_one, collection},
    input,
};

#[derive(Clone, Copy, ValueEnum)]
enum Route {
    /// (1 - t) a + t b
    Straight,
    /// Along the great circle, which keeps the length on the way
    Spherical,
}

/// Write the texts on the way from one text to another, both ends included
#[derive(Args)]
pub struct Interpolate {
    #[command(flatten)]
    model: ModelFlag,
    /// Where to begin; `-` is standard input
    a: String,
    /// Where to end; `-` is standard input
    b: String,
    /// Lines to write
    #[arg(long, value_name = "K", default_value = "5", value_parser = at_least_one)]
    steps: usize,
    /// Which way
    #[arg(long, value_enum, default_value = "straight")]
    path: Route,
    /// Go where texts are: from text to near text of this file, or of a folder that `strait index` made
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "path")]
    through: Option<PathBuf>,
    /// Seed of the draws, with --temperature and its kin
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
    #[command(flatten)]
    corpus: CorpusFlags,
}

#[derive(Serialize)]
struct Stop<'a> {
    t: f64,
    text: &'a str,
}

impl Interpolate {
    pub fn run(self) -> Result<()> {
        if self.a == "-" && self.b == "-" {
            return Err(Usage("only one of the two texts can come from standard input".into()).into());
        }
        let (a, b) = (input::text(self.a)?, input::text(self.b)?);
        let model = self.model.open_autoencoder()?;
        let decoding = self.decoding.resolve(&model.config().decoding);
        let path = match self.path {
            Route::Straight => Path::Straight,
            Route::Spherical => Path::Spherical,
        };
        let way = match &self.through {
            Some(texts) => collection(&model, texts, &self.corpus)?.way(&model, (&a, &b), self.steps)?,
            None => model.way((&a, &b), self.steps, path)?,
        };
        let texts = model.decode_seeded(&way, &decoding, self.seed)?;
        let mut out = self.writing.open()?;
        for (i, text) in texts.iter().enumerate() {
            let t = i as f64 / (self.steps - 1).max(1) as f64;
            self.writing.text(&mut out, text, &Stop { t, text })?;
        }
        out.finish()
    }
}

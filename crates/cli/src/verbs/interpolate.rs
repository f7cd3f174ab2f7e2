//! `strait interpolate`: the texts between two texts.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use strait::Path;

use crate::{
    complaint::Usage,
    flags::{DecodingFlags, ModelFlag, WritingFlags, at_least_one},
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
    /// Seed of the draws, with --temperature and its kin
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
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
        let texts = model.decode_seeded(&model.way((&a, &b), self.steps, path)?, &decoding, self.seed)?;
        let mut out = self.writing.open()?;
        for (i, text) in texts.iter().enumerate() {
            let t = i as f64 / (self.steps - 1).max(1) as f64;
            self.writing.text(&mut out, text, &Stop { t, text })?;
        }
        out.finish()
    }
}

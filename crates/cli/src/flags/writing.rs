//! Where texts go and in which form.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::output::Output;

#[derive(Args, Default)]
pub struct WritingFlags {
    /// Write to this file, which is complete or absent [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print JSON, an object a line; texts keep their line ends there
    #[arg(long)]
    pub json: bool,
}

impl WritingFlags {
    /// Opens the output.
    pub fn open(&self) -> Result<Output> {
        Output::open(self.output.as_deref())
    }

    /// A text: alone on its line, or as an object.
    pub fn text(&self, out: &mut Output, text: &str, object: &impl Serialize) -> Result<()> {
        if self.json { out.json(object) } else { out.line(text) }
    }
}

/// The object of a text that has nothing beside it.
#[derive(Serialize)]
pub struct Alone<'a> {
    pub text: &'a str,
}

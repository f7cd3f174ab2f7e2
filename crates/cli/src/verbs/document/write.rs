//! `strait document continue`, `infill` and `outline`: new sentences.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::{GAP, Model, WriteRequest, Written};

use super::{DocumentModelFlag, GivenFlag, sentences};
use crate::{
    complaint::Usage,
    flags::{DecodingFlags, WritingFlags, at_least_one, not_negative},
    talk::say,
};

#[derive(Args)]
struct DrawingFlags {
    /// Latents drawn for each sentence, of which the best is kept
    #[arg(long, value_name = "N", default_value = "16", value_parser = at_least_one)]
    candidates: usize,
    /// How far latents are drawn from what is expected: 1 as the model is, below 1 safer, above 1 wilder
    #[arg(long, value_name = "T", default_value = "1", value_parser = not_negative)]
    spread: f32,
    /// Another seed, other sentences
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    given: GivenFlag,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl DrawingFlags {
    fn request(&self, model: &Model) -> Result<WriteRequest> {
        Ok(WriteRequest {
            candidates: self.candidates,
            temperature: self.spread,
            decoding: self.decoding.resolve(&model.config().decoding),
            seed: self.seed,
            given: self.given.read()?,
        })
    }

    fn write(&self, written: &[Written]) -> Result<()> {
        let mut out = self.writing.open()?;
        for sentence in written {
            self.writing.text(&mut out, &sentence.text, sentence)?;
        }
        out.finish()?;
        let repeats = written.iter().filter(|w| w.repeats).count();
        if repeats > 0 {
            say!("{repeats} of {} say again what was said; try more --candidates.", written.len());
        }
        Ok(())
    }
}

/// Write the next sentences of a text, one a line
#[derive(Args)]
pub struct Continue {
    #[command(flatten)]
    model: DocumentModelFlag,
    /// The text so far; `-` is standard input
    file: PathBuf,
    /// How many sentences
    #[arg(short, value_name = "N", default_value = "5", value_parser = at_least_one)]
    n: usize,
    #[command(flatten)]
    drawing: DrawingFlags,
}

impl Continue {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let before = sentences(&self.file)?;
        let request = self.drawing.request(model.sentence_model())?;
        self.drawing.write(&model.continue_text(&before, self.n, &request)?)
    }
}

/// Write the sentence that a text misses, where a line has `[...]`
#[derive(Args)]
pub struct Infill {
    #[command(flatten)]
    model: DocumentModelFlag,
    /// The text with a line `[...]` in the place of one sentence; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    drawing: DrawingFlags,
}

impl Infill {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let text = sentences(&self.file)?;
        let gaps: Vec<usize> = (0..text.len()).filter(|&i| text[i] == GAP).collect();
        let &[gap] = &gaps[..] else {
            let (name, found) = (self.file.display(), gaps.len());
            return Err(Usage(format!("{name}: one line {GAP} is wanted for the missing sentence, not {found}")).into());
        };
        let request = self.drawing.request(model.sentence_model())?;
        let written = model.infill(&text[..gap], &text[gap + 1..], &request)?;
        self.drawing.write(&[written])
    }
}

/// Write a new document, one sentence a line, from a plan that is drawn
#[derive(Args)]
pub struct Outline {
    #[command(flatten)]
    model: DocumentModelFlag,
    /// At most N sentences; the document may end before
    #[arg(short, value_name = "N", default_value = "20", value_parser = at_least_one)]
    n: usize,
    #[command(flatten)]
    drawing: DrawingFlags,
}

impl Outline {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let request = self.drawing.request(model.sentence_model())?;
        self.drawing.write(&model.outline(self.n, &request)?)
    }
}

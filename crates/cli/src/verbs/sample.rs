//! `strait sample`: new texts from the prior.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use clap::Args;
use strait::{Decoding, Model, PublishedLanguageModel, text::ReadOptions};

use crate::{
    complaint::Usage,
    flags::{Alone, CHUNK, DecodingFlags, ModelFlag, WritingFlags, at_least_one, share},
    input,
};

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
    /// From 0, diverse, to 1, sober: a position on the frontier that was measured for the model (`strait info`)
    #[arg(long, value_name = "Q", value_parser = share,
          conflicts_with_all = ["greedy", "temperature", "top_k", "top_p", "min_p", "typical", "beam", "beam_groups", "contrastive"])]
    quality: Option<f64>,
    /// Go on from this text: from its latent instead of the prior, beginning with its last three words (or with --prefix)
    #[arg(long, value_name = "TEXT", conflicts_with = "no_copies")]
    context: Option<String>,
    /// Copy no run of --copy-run tokens from a text of this file, such as the training text
    #[arg(long, value_name = "FILE")]
    no_copies: Option<PathBuf>,
    /// Tokens of a run that counts as copied
    #[arg(long, value_name = "N", default_value = "6", value_parser = at_least_one, requires = "no_copies")]
    copy_run: usize,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

impl Sample {
    pub fn run(self) -> Result<()> {
        if let Some(model) = self.model.published_language_model()? {
            return self.published(&model);
        }
        let model = self.model.open()?;
        let own = match self.quality {
            Some(quality) => model.sampling_at(quality).map_err(|e| self.model.refuse(e))?,
            None => model.config().sampling.clone(),
        };
        let mut decoding = self.decoding.resolve(&own);
        if let Some(file) = &self.no_copies {
            let corpus = input::corpus(file, &ReadOptions::default())?;
            decoding.blocked = Some(Arc::new(model.blocked(&corpus.records, self.copy_run)));
        }
        if let Some(context) = &self.context {
            return self.go_on(&model, context, &decoding);
        }
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

    /// Texts that go on from another.
    fn go_on(&self, model: &Model, context: &str, decoding: &Decoding) -> Result<()> {
        let texts = model.continuations(context, self.n, decoding, self.seed).map_err(|e| self.model.refuse(e))?;
        let mut out = self.writing.open()?;
        texts.iter().try_for_each(|text| self.writing.text(&mut out, text, &Alone { text }))?;
        out.finish()
    }

    /// A published language model has no prior to draw from: it begins with nothing, or with --prefix.
    fn published(&self, model: &PublishedLanguageModel) -> Result<()> {
        if let Some(flag) = self
            .no_copies
            .as_ref()
            .map(|_| "--no-copies")
            .or(self.quality.map(|_| "--quality"))
            .or(self.context.as_ref().map(|_| "--context"))
        {
            return Err(Usage(format!("{flag} works with models of `strait train` only")).into());
        }
        let texts = model.sample(self.n, self.seed, &self.decoding.resolve(&model.sampling()))?;
        let mut out = self.writing.open()?;
        texts.iter().try_for_each(|text| self.writing.text(&mut out, text, &Alone { text }))?;
        out.finish()
    }
}

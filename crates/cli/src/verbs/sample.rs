//! `strait sample`: new texts from the prior.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use clap::Args;
use strait::{
    Decoding, Latents, Model, PublishedLanguageModel,
    rerank::{Against, Information, Realness, Score, Verification},
    text::ReadOptions,
};

use crate::{
    complaint::Usage,
    flags::{Alone, CHUNK, DecodingFlags, ModelFlag, WritingFlags, at_least_one, not_negative, share},
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
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["no_copies", "rerank"])]
    context: Option<String>,
    /// Copy no run of --copy-run tokens from a text of this file, such as the training text
    #[arg(long, value_name = "FILE")]
    no_copies: Option<PathBuf>,
    /// Tokens of a run that counts as copied
    #[arg(long, value_name = "N", default_value = "6", value_parser = at_least_one, requires = "no_copies")]
    copy_run: usize,
    /// Draw K texts for each latent and keep the best: the one that tells most of its latent, log p(x|z) less --rerank-weight
    /// times log p(x), unless --verify or --against says otherwise; of a language model that was trained against a
    /// discriminator, the one that this finds most real
    #[arg(long, value_name = "K", value_parser = at_least_one, conflicts_with_all = ["greedy", "beam", "beam_groups", "contrastive"])]
    rerank: Option<usize>,
    /// With --rerank: the best is the one whose latent, encoded again, is nearest
    #[arg(long, requires = "rerank", conflicts_with_all = ["against", "rerank_weight"])]
    verify: bool,
    /// With --rerank: log p(x) is that of this language model, trained on the same texts
    #[arg(long, value_name = "MODEL", requires = "rerank")]
    against: Option<PathBuf>,
    /// With --rerank: how much log p(x) counts [default: 0.5]
    #[arg(long, value_name = "L", requires = "rerank", value_parser = not_negative)]
    rerank_weight: Option<f32>,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

/// How much log p(x) counts.
const WEIGHT: f32 = 0.5;

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
        let mut score = self.score(&model)?;
        let mut out = self.writing.open()?;
        let mut draws = model.draws(self.seed);
        for first in (0..self.n).step_by(CHUNK) {
            let n = CHUNK.min(self.n - first);
            let latents = model.take_draws((&mut draws, n), (&decoding, first, self.seed))?;
            for text in self.texts((&model, &decoding), (&latents, first), score.as_deref_mut())? {
                self.writing.text(&mut out, &text, &Alone { text: &text })?;
            }
            out.flush_part()?;
        }
        out.finish()
    }

    /// How candidates are scored, if there are any.
    fn score(&self, model: &Model) -> Result<Option<Box<dyn Score>>> {
        if self.rerank.is_none() {
            return Ok(None);
        }
        let weight = f64::from(self.rerank_weight.unwrap_or(WEIGHT));
        let score: Result<Box<dyn Score>, strait::Error> = match (&self.against, self.verify) {
            (Some(other), _) => {
                let other = ModelFlag { model: other.clone() };
                let open = other.open()?;
                if !open.is_language_model() {
                    return Err(other.refuse(strait::Error::NoLanguageModel));
                }
                Against::new(model, open, weight).map(|score| Box::new(score) as _)
            }
            (None, true) => Verification::new(model).map(|score| Box::new(score) as _),
            (None, false) if model.is_language_model() => Realness::new(model).map(|score| Box::new(score) as _),
            (None, false) => Information::new(model, weight).map(|score| Box::new(score) as _),
        };
        Ok(Some(score.map_err(|e| self.model.refuse(e))?))
    }

    /// The texts of some latents, the best of their candidates where there is a score.
    fn texts(
        &self,
        (model, decoding): (&Model, &Decoding),
        (latents, first): (&Latents, usize),
        score: Option<&mut (dyn Score + 'static)>,
    ) -> Result<Vec<String>> {
        let (Some(each), Some(score)) = (self.rerank, score) else {
            return Ok(model.decode_part(latents, first, decoding, self.seed)?);
        };
        let candidates = model.candidates((latents, first), each, decoding, self.seed)?;
        let scores = score.score(&candidates)?;
        Ok(candidates.best(&scores))
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
        let refused = [
            ("--no-copies", self.no_copies.is_some()),
            ("--quality", self.quality.is_some()),
            ("--rerank", self.rerank.is_some()),
            ("--context", self.context.is_some()),
        ];
        if let Some((flag, _)) = refused.into_iter().find(|(_, given)| *given) {
            return Err(Usage(format!("{flag} works with models of `strait train` only")).into());
        }
        let texts = model.sample(self.n, self.seed, &self.decoding.resolve(&model.sampling()))?;
        let mut out = self.writing.open()?;
        texts.iter().try_for_each(|text| self.writing.text(&mut out, text, &Alone { text }))?;
        out.finish()
    }
}

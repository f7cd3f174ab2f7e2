//! Targets for sources: what a model with `task = "seq2seq"` does.

use strait_evaluate::{Outputs, PairEvaluation, PairRequest, PairSubject, Progress, evaluate_pairs};
use strait_model::decoding::Options;
use strait_text::Tokenizer;

use crate::{Decoding, Error, Model};

/// A text that was written for a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    pub text: String,
    /// Its tokens.
    pub ids: Vec<u32>,
    /// Whether it ended by itself; false if it was cut at `max_len`.
    pub finished: bool,
    /// log p(text | source) in nats, its end included if it ended.
    pub log_probability: f64,
    /// What a beam ranks by: the log probability over `((5 + tokens) / 6)^length_penalty`.
    pub score: f64,
}

/// Where a model looked while it wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// The source's tokens and its end, as they read.
    pub source: Vec<String>,
    /// What was written, and its end.
    pub written: Vec<String>,
    /// For each token written the weights of the source's, which sum to 1.
    pub weights: Vec<Vec<f32>>,
}

/// How the end of a text is shown.
const END: &str = "(end)";

impl Model {
    /// Whether it writes targets for sources; the methods that need latents then return [`Error::NeedsSources`] or empty
    /// rows.
    pub fn is_seq2seq(&self) -> bool {
        self.config.recipe.is_seq2seq()
    }

    pub(crate) fn needs_sources(&self) -> Result<(), Error> {
        if self.is_seq2seq() { Ok(()) } else { Err(Error::KnowsNoSources) }
    }

    /// The tokenizer of its sources.
    pub fn source_tokenizer(&self) -> &Tokenizer {
        self.source_tokenizer.as_ref().unwrap_or(&self.tokenizer)
    }

    /// `n` targets for each source, in order: with a beam the best that it finds, best first; else draws. `first` is the
    /// place of the first source in a whole of which these are a part: parts give the same texts as the whole.
    ///
    /// # Errors
    /// If the model writes no targets for sources, or the controls contradict each other.
    pub fn generate<S: AsRef<str> + Sync>(
        &self,
        (sources, first): (&[S], usize),
        n: usize,
        decoding: &Decoding,
        seed: u64,
    ) -> Result<Vec<Vec<Generated>>, Error> {
        self.needs_sources()?;
        let mut options = self.options(decoding, sources.len())?;
        // With a latent between source and target each text has a beam of its own.
        if n > 1 && options.temperature <= 0.0 && !self.config.recipe.is_conditional() {
            options.beam = options.beam.max(n);
        }
        let ids = self.source_tokenizer().encode_batch(sources);
        let seeds = Self::row_seeds(seed, first, sources.len());
        let written = self.model.generate_from(&ids, (&options, n), self.tokenizer.kind(), &seeds);
        let generated = |output: strait_model::decoding::Output| Generated {
            text: self.tokenizer.decode(&output.tokens),
            finished: output.finished,
            log_probability: -output.nats,
            score: score(&options, -output.nats, output.tokens.len() + usize::from(output.finished)),
            ids: output.tokens,
        };
        Ok(written.into_iter().map(|outputs| outputs.into_iter().map(generated).collect()).collect())
    }

    /// Where the model looks in `source` while it writes the tokens of [`Generated::ids`].
    ///
    /// # Errors
    /// If the model writes no targets for sources.
    pub fn alignment(&self, source: &str, written: &[u32]) -> Result<Alignment, Error> {
        self.needs_sources()?;
        let reader = self.source_tokenizer();
        let ids = reader.encode(source);
        let names = |tokenizer: &Tokenizer, ids: &[u32]| -> Vec<String> {
            let name = |&id: &u32| tokenizer.token_text(id).unwrap_or_default();
            ids.iter().map(name).chain([END.to_owned()]).collect()
        };
        Ok(Alignment {
            source: names(reader, &ids),
            written: names(&self.tokenizer, written),
            weights: self.model.attention_of(&ids, written, self.tokenizer.kind()),
        })
    }

    /// Measures the model on held-out pairs; targets are written as `decoding` says and stand beside the figures. `hear` is told how far it is.
    ///
    /// # Errors
    /// If the model writes no targets for sources, there are too few pairs, or the controls contradict each other.
    pub fn evaluate_pairs(
        &mut self,
        request: &PairRequest,
        decoding: &Decoding,
        hear: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(PairEvaluation, Outputs), Error> {
        self.needs_sources()?;
        let options = self.options(decoding, request.sources.len())?;
        let subject = PairSubject {
            model: &mut self.model,
            tokenizer: &self.tokenizer,
            source_tokenizer: self.source_tokenizer.as_ref().unwrap_or(&self.tokenizer),
            options: &options,
        };
        Ok(evaluate_pairs(subject, request, hear)?)
    }
}

fn score(options: &Options, log_probability: f64, length: usize) -> f64 {
    log_probability / ((5.0 + length as f64) / 6.0).powf(f64::from(options.length_penalty))
}

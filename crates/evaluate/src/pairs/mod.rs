//! Evaluation of a model that writes targets for sources.

mod page;
mod text;

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;
use strait_eval::{
    Bootstrap,
    generation::{MetricReport, TestSet},
};
use strait_model::{Autoencoder, decoding::Options};
use strait_text::Tokenizer;

pub use page::page as pair_page;

use crate::{EvaluateError, request::Progress};

/// Fewest pairs that anything is measured on.
const LEAST: usize = 2;
/// Sources for which something is written at a time, between two words of how far it is.
const TOGETHER: usize = 128;
/// Sources shown with what was written.
const EXAMPLES: usize = 20;
/// The seed of draws, of texts and of records.
const SEED: u64 = 1;

/// A model and what it reads and writes with.
pub struct PairSubject<'a> {
    pub model: &'a mut Autoencoder,
    pub tokenizer: &'a Tokenizer,
    /// The sources'.
    pub source_tokenizer: &'a Tokenizer,
    /// How targets are written.
    pub options: &'a Options,
}

/// Held-out pairs: as many targets as sources.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PairRequest {
    /// Their name, for the record.
    pub name: String,
    pub sources: Vec<String>,
    pub targets: Vec<String>,
    /// Further references of each pair, or nothing. A source that occurs more than once has the targets of all its pairs.
    pub references: Vec<Vec<String>>,
    /// Write for so many different sources at most.
    pub written: usize,
}

/// Everything measured on pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairEvaluation {
    pub data: String,
    pub pairs: usize,
    /// Different sources.
    pub sources: usize,
    /// Tokens of the targets, ends included, and their bytes.
    pub tokens: usize,
    pub bytes: usize,
    /// Whether `-log p(target | source)` is exact, by the chain rule, or, with a latent between them, an upper bound: minus the
    /// evidence lower bound of one draw.
    pub exact_likelihood: bool,
    /// `-log p(target | source)`.
    pub nats_per_pair: f64,
    pub nats_per_token: f64,
    pub perplexity: f64,
    pub bits_per_byte: f64,
    /// Next tokens predicted, given the source and the true tokens before.
    pub token_accuracy: f64,
    /// Nats a token of the same targets given the sources of other pairs: how far above `nats_per_token` it lies is what
    /// the sources tell.
    pub nats_per_token_of_other_sources: f64,
    /// How targets were written.
    pub beam: usize,
    /// The seed of the draws behind the intervals.
    pub seed: u64,
    /// What was written, one text for each of so many different sources.
    pub written: usize,
    /// Fewest and most references of a source.
    pub references: [usize; 2],
    /// The metrics that apply ([`TestSet::applicable`]), with their intervals and signatures.
    pub scores: Vec<MetricReport>,
    /// Share of the texts that are one of their references.
    pub exact: f64,
    /// Texts that were cut before they ended.
    pub cut: usize,
    /// The first sources with what was written.
    pub examples: Vec<Written>,
}

/// A source, its references, and what was written for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Written {
    pub source: String,
    pub references: Vec<String>,
    pub text: String,
}

/// What a model wrote for every source of a [`TestSet`], in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    pub texts: Vec<String>,
    pub cut: usize,
}

/// Measures a model on pairs; beside it stands what was written for the sources of [`PairRequest::test_set`]. `hear` is told how far it is.
///
/// # Errors
/// If there are fewer than two pairs, or the sides differ in number.
pub fn evaluate_pairs(
    subject: PairSubject<'_>,
    request: &PairRequest,
    hear: &mut dyn FnMut(Progress<'_>),
) -> Result<(PairEvaluation, Outputs), EvaluateError> {
    let (sources, targets) = (&request.sources, &request.targets);
    if sources.len() < LEAST || sources.len() != targets.len() {
        return Err(EvaluateError::TooFewPairs { found: sources.len().min(targets.len()), least: LEAST });
    }
    let set = request.test_set()?;
    let PairSubject { model, tokenizer, source_tokenizer, options } = subject;
    let (source_ids, target_ids) = (source_tokenizer.encode_batch(sources), tokenizer.encode_batch(targets));
    hear(Progress { part: "likelihood", done: 0, of: 2 });
    let loss = model.score_pairs(&source_ids, &target_ids, &mut Vec::new());
    hear(Progress { part: "likelihood", done: 1, of: 2 });
    let others = others(sources);
    let other_ids: Vec<&[u32]> = others.iter().map(|&i| &source_ids[i][..]).collect();
    let other = model.score_pairs(&other_ids, &target_ids, &mut Vec::new());
    let outputs = write(PairSubject { model, tokenizer, source_tokenizer, options }, &set, hear);
    hear(Progress { part: "metrics", done: 0, of: 1 });
    let scores = set.report(&set.applicable(), &outputs.texts, &Bootstrap::default(), SEED)?;
    let bytes = targets.iter().map(String::len).sum();
    let per_token = |nats: f64| nats / loss.tokens.max(1) as f64;
    let evaluation = PairEvaluation {
        data: request.name.clone(),
        pairs: sources.len(),
        sources: sources.iter().collect::<BTreeSet<_>>().len(),
        tokens: loss.tokens,
        bytes,
        exact_likelihood: !model.recipe().is_conditional(),
        nats_per_pair: loss.bound() / sources.len() as f64,
        nats_per_token: per_token(loss.bound()),
        perplexity: per_token(loss.bound()).exp(),
        bits_per_byte: loss.bound() / std::f64::consts::LN_2 / bytes.max(1) as f64,
        token_accuracy: loss.correct as f64 / loss.tokens.max(1) as f64,
        nats_per_token_of_other_sources: per_token(other.bound()),
        beam: options.beam,
        seed: SEED,
        written: set.len(),
        references: counts(&set),
        scores,
        exact: exact(&set, &outputs.texts),
        cut: outputs.cut,
        examples: examples(&set, &outputs.texts),
    };
    Ok((evaluation, outputs))
}

impl PairRequest {
    /// The first different sources, each with all its references.
    ///
    /// # Errors
    /// If there is nothing to write for.
    pub fn test_set(&self) -> Result<TestSet, EvaluateError> {
        let mut kept: HashSet<&str> = HashSet::new();
        let (mut sources, mut references) = (Vec::new(), Vec::new());
        for (i, (source, target)) in self.sources.iter().zip(&self.targets).enumerate() {
            if kept.contains(&source[..]) || kept.len() < self.written {
                kept.insert(source);
                sources.push(source.clone());
                let further = self.references.get(i).into_iter().flatten();
                references.push(std::iter::once(target).chain(further).cloned().collect());
            }
        }
        Ok(TestSet::new(references)?.with_sources(sources)?.grouped().0)
    }
}

/// Writes for each source of a set.
fn write(subject: PairSubject<'_>, set: &TestSet, hear: &mut dyn FnMut(Progress<'_>)) -> Outputs {
    let PairSubject { model, tokenizer, source_tokenizer, options } = subject;
    let sources = source_tokenizer.encode_batch(set.sources().unwrap_or_default());
    let mut outputs = Outputs { texts: Vec::new(), cut: 0 };
    for part in sources.chunks(TOGETHER) {
        hear(Progress { part: "writing", done: outputs.texts.len(), of: sources.len() });
        let written = model.generate_from(part, (options, 1), tokenizer.kind(), &vec![SEED; part.len()]);
        outputs.cut += written.iter().flatten().filter(|o| !o.finished).count();
        outputs.texts.extend(written.iter().flatten().map(|o| tokenizer.decode(&o.tokens)));
    }
    outputs
}

fn counts(set: &TestSet) -> [usize; 2] {
    let each = || set.references().iter().map(Vec::len);
    [each().min().unwrap_or(0), each().max().unwrap_or(0)]
}

fn exact(set: &TestSet, texts: &[String]) -> f64 {
    let right = texts.iter().zip(set.references()).filter(|(text, references)| references.contains(text));
    right.count() as f64 / texts.len().max(1) as f64
}

fn examples(set: &TestSet, texts: &[String]) -> Vec<Written> {
    let sources = set.sources().unwrap_or_default().iter();
    let all = sources.zip(set.references()).zip(texts).take(EXAMPLES);
    all.map(|((source, references), text)| Written {
        source: source.clone(),
        references: references.clone(),
        text: text.clone(),
    })
    .collect()
}

/// For each pair the place of another with another source (itself, if all sources are the same).
fn others(sources: &[String]) -> Vec<usize> {
    let n = sources.len();
    let other = |i: usize| (1..n).map(|by| (i + n / 2 + by) % n).find(|&j| sources[j] != sources[i]).unwrap_or(i);
    (0..n).map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sources_are_other() {
        let sources: Vec<String> = ["a", "a", "b", "c", "a"].map(String::from).into();
        assert!(others(&sources).iter().enumerate().all(|(i, &j)| sources[i] != sources[j]));
        assert_eq!(others(&["x".into(), "x".into()]), [0, 1]);
    }

    #[test]
    fn a_source_has_the_references_of_all_its_pairs_and_columns() {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut request = PairRequest {
            sources: texts(&["a", "b", "a", "c"]),
            targets: texts(&["x", "y", "z", "w"]),
            references: vec![texts(&["x2"]), vec![], vec![], vec![]],
            written: 2,
            ..PairRequest::default()
        };
        let set = request.test_set().unwrap();
        assert_eq!(set.references(), [texts(&["x", "x2", "z"]), texts(&["y"])]);
        assert_eq!((counts(&set), exact(&set, &texts(&["z", "n"]))), ([1, 3], 0.5));
        request.written = usize::MAX;
        assert_eq!(request.test_set().unwrap().len(), 3);
    }
}

//! Evaluation of a model that writes targets for sources.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
};

use serde::Serialize;
use strait_eval::{ReconstructionReport, Unit};
use strait_model::{Autoencoder, decoding::Options};
use strait_text::Tokenizer;

use crate::{EvaluateError, request::Progress};

/// Fewest pairs that anything is measured on.
const LEAST: usize = 2;
/// Sources for which something is written at a time, between two words of how far it is.
const TOGETHER: usize = 128;

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
#[derive(Debug, Clone, PartialEq)]
pub struct PairRequest {
    /// Their name, for the record.
    pub name: String,
    pub sources: Vec<String>,
    pub targets: Vec<String>,
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
    /// `-log p(target | source)`, and of what kind: exact, by the chain rule.
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
    /// Targets written, one for each of so many different sources, against the first target of each.
    pub written: usize,
    pub bleu4: f64,
    pub exact: f64,
    /// Texts that were cut before they ended.
    pub cut: usize,
}

/// Measures a model on pairs. `hear` is told how far it is.
///
/// # Errors
/// If there are fewer than two pairs, or the sides differ in number.
pub fn evaluate_pairs(
    subject: PairSubject<'_>,
    request: &PairRequest,
    hear: &mut dyn FnMut(Progress<'_>),
) -> Result<PairEvaluation, EvaluateError> {
    let PairSubject { model, tokenizer, source_tokenizer, options } = subject;
    let (sources, targets) = (&request.sources, &request.targets);
    if sources.len() < LEAST || sources.len() != targets.len() {
        return Err(EvaluateError::TooFewPairs { found: sources.len().min(targets.len()), least: LEAST });
    }
    let (source_ids, target_ids) = (source_tokenizer.encode_batch(sources), tokenizer.encode_batch(targets));
    hear(Progress { part: "likelihood", done: 0, of: 2 });
    let loss = model.score_pairs(&source_ids, &target_ids, &mut Vec::new());
    hear(Progress { part: "likelihood", done: 1, of: 2 });
    let others = others(sources);
    let other_ids: Vec<&[u32]> = others.iter().map(|&i| &source_ids[i][..]).collect();
    let other = model.score_pairs(&other_ids, &target_ids, &mut Vec::new());
    let mut seen = HashSet::new();
    let places: Vec<usize> = (0..sources.len()).filter(|&i| seen.insert(&sources[i])).take(request.written).collect();
    let (mut written, mut cut) = (Vec::new(), 0);
    for part in places.chunks(TOGETHER) {
        hear(Progress { part: "writing", done: written.len(), of: places.len() });
        let part: Vec<&[u32]> = part.iter().map(|&i| &source_ids[i][..]).collect();
        let outputs = model.generate_from(&part, (options, 1), tokenizer.kind(), &vec![0; part.len()]);
        cut += outputs.iter().flatten().filter(|o| !o.finished).count();
        written.extend(outputs.iter().flatten().map(|o| tokenizer.decode(&o.tokens)));
    }
    let pairs: Vec<(&str, &str)> =
        written.iter().zip(&places).map(|(text, &i)| (text.as_str(), targets[i].as_str())).collect();
    let report = ReconstructionReport::new(&pairs, Unit::guess(targets));
    let bytes = targets.iter().map(String::len).sum();
    let per_token = |nats: f64| nats / loss.tokens.max(1) as f64;
    Ok(PairEvaluation {
        data: request.name.clone(),
        pairs: sources.len(),
        sources: sources.iter().collect::<BTreeSet<_>>().len(),
        tokens: loss.tokens,
        bytes,
        nats_per_pair: loss.nats / sources.len() as f64,
        nats_per_token: per_token(loss.nats),
        perplexity: per_token(loss.nats).exp(),
        bits_per_byte: loss.nats / std::f64::consts::LN_2 / bytes.max(1) as f64,
        token_accuracy: loss.correct as f64 / loss.tokens.max(1) as f64,
        nats_per_token_of_other_sources: per_token(other.nats),
        beam: options.beam,
        written: written.len(),
        bleu4: report.bleu4,
        exact: report.exact,
        cut,
    })
}

/// For each pair the place of another with another source (itself, if all sources are the same).
fn others(sources: &[String]) -> Vec<usize> {
    let n = sources.len();
    let other = |i: usize| (1..n).map(|by| (i + n / 2 + by) % n).find(|&j| sources[j] != sources[i]).unwrap_or(i);
    (0..n).map(other).collect()
}

impl fmt::Display for PairEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} pairs, {} different sources", self.data, self.pairs, self.sources)?;
        writeln!(f, "\nLIKELIHOOD of the targets given their sources, exact, N = {}", self.pairs)?;
        writeln!(f, "  nats per pair           {:>9.3}", self.nats_per_pair)?;
        writeln!(f, "  nats per token          {:>9.4}   {} tokens, ends included", self.nats_per_token, self.tokens)?;
        writeln!(f, "  perplexity              {:>9.2}", self.perplexity)?;
        writeln!(f, "  bits per byte           {:>9.4}   {} bytes", self.bits_per_byte, self.bytes)?;
        writeln!(f, "  next tokens right, %    {:>9.1}", 100.0 * self.token_accuracy)?;
        let other = self.nats_per_token_of_other_sources;
        writeln!(f, "  given another source    {other:>9.4}   nats per token: above means that the source is used")?;
        let how = if self.beam > 1 { format!("beam of {}", self.beam) } else { "no beam".into() };
        writeln!(f, "\nWRITTEN, {how}, N = {}, against the first target of each source", self.written)?;
        writeln!(f, "  BLEU-4                  {:>9.2}", self.bleu4)?;
        writeln!(f, "  exact, %                {:>9.1}", 100.0 * self.exact)?;
        writeln!(f, "  cut before the end      {:>9}", self.cut)
    }
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
}

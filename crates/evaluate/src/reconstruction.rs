//! Texts through the latent and back.

use serde::Serialize;
use strait_eval::ReconstructionReport;
use strait_model::decoding::Options;

use crate::{
    counts::{Counts, Rate},
    likelihood::gives_probabilities,
    material::Material,
    request::{Hear, Progress, Subject, places},
};

/// Texts that are decoded at most, spread evenly over all.
const MOST: usize = 10_000;
/// Texts decoded between two reports of progress.
const CHUNK: usize = 1024;

/// How well texts come back from the posterior's mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reconstruction {
    /// The texts, of how many.
    pub counts: Counts,
    pub of: usize,
    /// `-log p(x|z)`: what a text costs that is given its own latent. Not a likelihood, whose cost counts the latent too.
    /// None where the decoder gives no probabilities.
    pub loss: Option<Rate>,
    /// Share of tokens predicted, given the true ones before, 0..1.
    pub next_token_accuracy: f64,
    /// Free-running greedy decoding against the texts.
    pub greedy: ReconstructionReport,
}

/// Measures it; `means` (N, Z) are those of the posteriors of all texts.
pub(crate) fn reconstruction(
    subject: &mut Subject<'_>,
    material: &Material<'_>,
    means: &[f32],
    hear: Hear<'_>,
) -> Reconstruction {
    let z = subject.model.latent_size();
    let chosen: Vec<usize> = places(material.ids.len(), MOST).collect();
    let part = material.part(&chosen);
    let means: Vec<f32> = chosen.iter().flat_map(|&i| &means[i * z..][..z]).copied().collect();
    let (mut nats, mut decoded) = (Vec::new(), Vec::new());
    let scored = subject.model.score_from(&part.ids, &means, &mut nats);
    let options = Options { max_len: subject.config.decoding.max_len, ..Options::default() };
    for rows in means.chunks(CHUNK * z.max(1)) {
        hear(Progress { part: "reconstruction", done: decoded.len(), of: part.ids.len() });
        decoded.extend(subject.model.decode_greedy(rows, subject.tokenizer, options.max_len));
    }
    let pairs: Vec<(&str, &str)> = decoded.iter().map(String::as_str).zip(part.texts.iter().copied()).collect();
    let counts = part.counts(subject.tokenizer);
    Reconstruction {
        of: material.ids.len(),
        loss: gives_probabilities(subject.model.recipe()).then(|| counts.rate(&nats)),
        next_token_accuracy: scored.correct as f64 / scored.tokens.max(1) as f64,
        greedy: ReconstructionReport::new(&pairs, material.unit),
        counts,
    }
}

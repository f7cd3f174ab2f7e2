//! How well a document model knows what follows what: sentence ordering and the choice of the next sentence, beside
//! baselines that know nothing of order.

use rand::{RngExt as _, SeedableRng, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_eval::tfidf::TfIdf;

use super::DocumentModel;
use crate::{Error, Latents};

/// What is measured.
#[derive(Debug, Clone)]
pub struct DocumentEvaluationRequest {
    /// Passages whose sentences are put in order, and places at which the next sentence is chosen.
    pub passages: usize,
    /// Sentences in a passage.
    pub length: usize,
    /// Sentences to choose from: the next one, and others from other documents.
    pub choices: usize,
    /// Most sentences before a choice that are read.
    pub context: usize,
    pub seed: u64,
}

impl Default for DocumentEvaluationRequest {
    fn default() -> Self {
        DocumentEvaluationRequest { passages: 200, length: 5, choices: 10, context: 10, seed: 1 }
    }
}

/// How a method orders sentences.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SentenceOrdering {
    pub method: &'static str,
    /// Kendall's tau, mean over passages: 1 the true order, 0 chance, -1 backwards; and its standard error.
    pub tau: f64,
    pub tau_error: f64,
    /// Share of the pairs of sentences in their order.
    pub pairwise: f64,
    /// Share of the passages wholly in order.
    pub exact: f64,
}

/// How a method chooses the next sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextChoice {
    pub method: &'static str,
    /// Share of the choices that are right, and its standard error.
    pub accuracy: f64,
    pub error: f64,
}

/// The figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentEvaluation {
    pub documents: usize,
    pub sentences: usize,
    pub passages: usize,
    pub length: usize,
    pub choices: usize,
    pub ordering: Vec<SentenceOrdering>,
    pub next: Vec<NextChoice>,
}

/// All sentences of the documents, side by side.
struct Corpus {
    latents: Latents,
    tfidf: TfIdf,
    /// First sentence of each document, and the end of the last.
    starts: Vec<usize>,
}

impl Corpus {
    fn documents(&self) -> usize {
        self.starts.len() - 1
    }
    fn cosine(&self, a: usize, b: usize) -> f64 {
        cosine(self.latents.row(a), self.latents.row(b))
    }
    fn part(&self, indices: &[usize]) -> Latents {
        Latents::new(indices.iter().flat_map(|&i| self.latents.row(i)).copied().collect(), self.latents.dim())
    }
}

impl DocumentModel {
    /// Measures the model on documents that it was not trained on.
    ///
    /// # Errors
    /// If there are fewer than two documents, none with as many sentences as a passage has, or too few sentences to choose
    /// from.
    pub fn evaluate(
        &self,
        documents: &[Vec<String>],
        request: &DocumentEvaluationRequest,
    ) -> Result<DocumentEvaluation, Error> {
        let all: Vec<&str> = documents.iter().flatten().map(String::as_str).collect();
        let mut starts = vec![0];
        documents.iter().for_each(|d| starts.push(starts[starts.len() - 1] + d.len()));
        let largest = documents.iter().map(Vec::len).max().unwrap_or(0);
        let enough = documents.len() >= 2 && largest >= request.length && request.length >= 2;
        if !enough || all.len() - largest + 1 < request.choices || request.choices < 2 || request.passages == 0 {
            return Err(Error::FewDocuments { length: request.length, choices: request.choices });
        }
        let tfidf = TfIdf::new(&self.sentences.tokenizer().encode_batch(&all));
        let corpus = Corpus { latents: self.sentences.encode(&all), tfidf, starts };
        let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
        Ok(DocumentEvaluation {
            documents: documents.len(),
            sentences: all.len(),
            passages: request.passages,
            length: request.length,
            choices: request.choices,
            ordering: self.ordering(&corpus, request, &mut rng),
            next: self.next(&corpus, request, &mut rng),
        })
    }

    fn ordering(
        &self,
        corpus: &Corpus,
        request: &DocumentEvaluationRequest,
        rng: &mut ChaCha8Rng,
    ) -> Vec<SentenceOrdering> {
        let places: Vec<usize> = (0..corpus.documents())
            .flat_map(|d| corpus.starts[d]..(corpus.starts[d + 1] + 1).saturating_sub(request.length))
            .collect();
        let mut orders: [Vec<Vec<usize>>; 3] = Default::default();
        for _ in 0..request.passages {
            let first = places[rng.random_range(0..places.len())];
            let mut shuffled: Vec<usize> = (first..first + request.length).collect();
            shuffled.shuffle(rng);
            let chain = |near: &dyn Fn(usize, usize) -> f64| nearest_chain(&shuffled, near);
            let found = [
                self.order_latents(&corpus.part(&shuffled), false),
                chain(&|a, b| corpus.cosine(a, b)),
                chain(&|a, b| corpus.tfidf.cosine(a, b)),
            ];
            for (orders, order) in orders.iter_mut().zip(found) {
                orders.push(order.into_iter().map(|i| shuffled[i] - first).collect());
            }
        }
        let pairs = request.length * (request.length - 1) / 2;
        let all = (1..=request.length).map(|n| n as f64).product::<f64>();
        let chance = SentenceOrdering { method: "chance", tau: 0.0, tau_error: 0.0, pairwise: 0.5, exact: 1.0 / all };
        let methods = ["document model", "neighbouring latents", "neighbouring TF-IDF"];
        let mut out: Vec<SentenceOrdering> =
            methods.iter().zip(&orders).map(|(method, orders)| score_orders(method, orders, pairs)).collect();
        out.push(chance);
        out
    }

    fn next(&self, corpus: &Corpus, request: &DocumentEvaluationRequest, rng: &mut ChaCha8Rng) -> Vec<NextChoice> {
        // Every sentence but a document's first follows something.
        let places: Vec<(usize, usize)> = (0..corpus.documents())
            .flat_map(|d| (corpus.starts[d] + 1..corpus.starts[d + 1]).map(move |i| (d, i)))
            .collect();
        let background = self.background();
        let mut right = [0usize; 4];
        for _ in 0..request.passages {
            let (document, at) = places[rng.random_range(0..places.len())];
            let own = corpus.starts[document]..corpus.starts[document + 1];
            let mut options = vec![at];
            while options.len() < request.choices {
                let other = rng.random_range(0..corpus.latents.len());
                if !own.contains(&other) && !options.contains(&other) {
                    options.push(other);
                }
            }
            let from = own.start.max(at.saturating_sub(request.context));
            let context: Vec<usize> = (from..at).collect();
            let known = corpus.part(&context);
            let reader = self.reader(known.rows(), from == own.start, &known);
            let row = |i: usize| corpus.latents.row(i);
            let mean = |near: &dyn Fn(usize) -> f64| context.iter().map(|&c| near(c)).sum::<f64>();
            let scores: [&dyn Fn(usize) -> f64; 4] = [
                &|i| reader.log_density(row(i)) - background.log_density(row(i)),
                &|i| reader.log_density(row(i)),
                &|i| mean(&|c| corpus.cosine(c, i)),
                &|i| mean(&|c| corpus.tfidf.cosine(c, i)),
            ];
            for (right, score) in right.iter_mut().zip(scores) {
                // A draw between equals counts as wrong.
                let truth = score(at);
                *right += usize::from(options[1..].iter().all(|&i| score(i) < truth));
            }
        }
        let n = request.passages as f64;
        let row =
            |method, accuracy: f64| NextChoice { method, accuracy, error: (accuracy * (1.0 - accuracy) / n).sqrt() };
        let methods = ["document model, gain", "document model, density", "nearest latent", "nearest TF-IDF"];
        let mut out: Vec<NextChoice> =
            methods.into_iter().zip(right).map(|(method, right)| row(method, right as f64 / n)).collect();
        out.push(NextChoice { method: "chance", accuracy: 1.0 / request.choices as f64, error: 0.0 });
        out
    }
}

fn score_orders(method: &'static str, orders: &[Vec<usize>], pairs: usize) -> SentenceOrdering {
    let n = orders.len() as f64;
    let taus: Vec<f64> = orders.iter().map(|o| 1.0 - 2.0 * inversions(o) as f64 / pairs as f64).collect();
    let tau = taus.iter().sum::<f64>() / n;
    let variance = taus.iter().map(|t| (t - tau).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let exact = orders.iter().filter(|o| inversions(o) == 0).count() as f64 / n;
    SentenceOrdering { method, tau, tau_error: (variance / n).sqrt(), pairwise: 0.5 * (1.0 + tau), exact }
}

/// Pairs in the wrong order.
fn inversions(order: &[usize]) -> usize {
    (0..order.len()).map(|i| order[i + 1..].iter().filter(|&&later| later < order[i]).count()).sum()
}

/// From every start to the nearest that is left; of these chains the one of the nearest neighbours, as indices into
/// `items`.
fn nearest_chain(items: &[usize], near: &dyn Fn(usize, usize) -> f64) -> Vec<usize> {
    let chain = |start: usize| {
        let (mut order, mut total) = (vec![start], 0.0);
        while order.len() < items.len() {
            let last = items[order[order.len() - 1]];
            let left = (0..items.len()).filter(|i| !order.contains(i)).map(|i| (near(last, items[i]), i));
            let Some((nearness, i)) = left.max_by(|a, b| a.0.total_cmp(&b.0)) else { break };
            total += nearness;
            order.push(i);
        }
        (total, order)
    };
    let chains = (0..items.len()).map(chain);
    chains.max_by(|a, b| a.0.total_cmp(&b.0)).map(|c| c.1).unwrap_or_default()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_hand() {
        let [right, wrong] = [vec![0, 1, 2, 3], vec![3, 2, 1, 0]];
        assert_eq!((inversions(&right), inversions(&wrong), inversions(&[1, 0, 2])), (0, 6, 1));
        let score = score_orders("x", &[right, wrong], 6);
        assert_eq!((score.tau, score.pairwise, score.exact, score.tau_error), (0.0, 0.5, 0.5, 1.0));
    }

    #[test]
    fn chains_go_to_the_nearest() {
        let found = nearest_chain(&[5, 1, 3], &|a, b| -(a as f64 - b as f64).abs());
        assert!(found == [0, 2, 1] || found == [1, 2, 0], "{found:?}");
    }
}

//! Which prior: fit each candidate on the training vectors, score it by mean log density on held-out ones, and keep
//! the simplest whose shortfall from the best is within one standard error of that (paired) difference.

use std::fmt::Write;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::gaussian::Gaussian;
use super::rows::Rows;
use super::{Prior, PriorError, em};

/// Fewer training vectors than this per component and a larger mixture is not tried.
const LEAST_PER_COMPONENT: usize = 20;
/// A mixture is only begun if so many EM steps fit in what is left of the budget.
const LEAST_STEPS: u64 = 4;
/// The search ends after so many doublings in a row that did not raise the mixtures' best held-out score.
const DOUBLINGS_WITHOUT_GAIN: usize = 2;

/// How much work a fit may do; counted in operations, not seconds, so that a fit repeats to the bit anywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Multiply-adds for all mixtures together (the Gaussian is always fitted); 0 tries no mixture.
    pub multiply_adds: u64,
    /// Mixtures are fitted to at most so many training vectors, drawn evenly along the corpus; the Gaussian uses all.
    pub mixture_rows: usize,
    /// Candidates are scored on at most so many held-out vectors, drawn evenly along the corpus.
    pub held_out_rows: usize,
    /// The most components tried.
    pub most_components: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { multiply_adds: 200_000_000_000, mixture_rows: 20_000, held_out_rows: 4_000, most_components: 256 }
    }
}

/// One prior that was tried, with its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// [`Prior::describe`] of it.
    pub name: String,
    /// Mean `log p(z)` over the held-out vectors, nats; higher is better.
    pub held_out_nats_per_vector: f64,
    /// The best candidate's mean minus this one's, nats; 0 for the best itself.
    pub behind_best: f64,
    /// Standard error of `behind_best`, from the paired per-vector differences, nats.
    pub behind_best_error: f64,
    /// Free parameters.
    pub parameters: usize,
    /// EM steps taken; 0 where the fit is in closed form.
    pub steps: usize,
    /// Whether this is the prior that was kept.
    pub chosen: bool,
}

/// The fitted prior and everything that was tried on the way.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The prior that was kept.
    pub prior: Prior,
    /// Every candidate, from few parameters to many.
    pub tried: Vec<Candidate>,
    /// Why this one, and what was not tried, in sentences.
    pub reason: String,
}

/// Fits a prior to `train` (N, Z), N >= 2, choosing by mean log density (nats) on `valid` (M, Z), M >= 1.
/// `dim` is Z; the same inputs, seed and budget give the same bits on any number of threads.
pub fn fit(train: &[f32], valid: &[f32], dim: usize, seed: u64, budget: &Budget) -> Result<Fit, PriorError> {
    let train = Rows::checked("training latents", train, dim, 2)?;
    let valid = Rows::checked("held-out latents", valid, dim, 1)?;
    // Stream 0 thins the rows; the mixture of K starts from stream K.
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scored = valid.spread(budget.held_out_rows.max(1), &mut rng);
    let mut search = Search { held_out: Rows::new(&scored, dim), tried: Vec::new(), spent: 0 };
    search.score(Prior::standard_normal(dim));
    search.score(Prior::Gaussian(Gaussian::fit(train)));
    let rows = train.spread(budget.mixture_rows.max(2), &mut rng);
    let stopped = search.mixtures(Rows::new(&rows, dim), seed, budget);
    Ok(search.choose(stopped))
}

struct Tried {
    prior: Prior,
    scores: Vec<f64>,
    mean: f64,
    steps: usize,
}

struct Search<'a> {
    held_out: Rows<'a>,
    tried: Vec<Tried>,
    spent: u64,
}

impl Search<'_> {
    fn score(&mut self, prior: Prior) {
        let scores = prior.log_density_rows(self.held_out);
        self.keep(prior, scores, 0);
    }

    fn keep(&mut self, prior: Prior, scores: Vec<f64>, steps: usize) {
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        self.tried.push(Tried { prior, scores, mean, steps });
    }

    /// The best held-out mean of a mixture so far.
    fn best_mixture(&self) -> f64 {
        let mixtures = self.tried.iter().filter(|t| matches!(t.prior, Prior::Mixture(_)));
        mixtures.map(|t| t.mean).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Doubles K while it pays, then looks once on either side of the best K. Says why it stopped.
    fn mixtures(&mut self, rows: Rows, seed: u64, budget: &Budget) -> String {
        let most = budget.most_components.min(rows.len() / LEAST_PER_COMPONENT);
        let (mut k, mut best_k, mut without_gain) = (2, 0, 0);
        let stopped = loop {
            if k > most {
                break match most {
                    0 | 1 => format!("No mixture was tried: that takes {} vectors.", 2 * LEAST_PER_COMPONENT),
                    _ => format!("Mixtures of more than {most} were not tried: too few vectors for each component."),
                };
            }
            let before = self.best_mixture();
            if !self.mixture(rows, k, seed, budget) {
                break format!("Mixtures of {k} and more were not tried: the budget of operations was used up.");
            }
            (best_k, without_gain) = if self.best_mixture() > before { (k, 0) } else { (best_k, without_gain + 1) };
            if without_gain >= DOUBLINGS_WITHOUT_GAIN {
                break format!("Mixtures of more than {k} were not tried: more components no longer helped.");
            }
            k *= 2;
        };
        for between in [best_k * 3 / 4, best_k * 3 / 2] {
            if between > 2 && between <= most {
                self.mixture(rows, between, seed, budget);
            }
        }
        stopped
    }

    /// Fits and scores the mixture of `k`; false if the budget left is too small.
    fn mixture(&mut self, rows: Rows, k: usize, seed: u64, budget: &Budget) -> bool {
        let left = budget.multiply_adds.saturating_sub(self.spent);
        if left < LEAST_STEPS * em::step_cost(rows.len(), self.held_out.len(), rows.dim, k) {
            return false;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(k as u64);
        let run = em::fit(rows, self.held_out, k, left, &mut rng);
        self.spent += run.spent;
        self.keep(Prior::Mixture(run.mixture), run.held_out, run.steps);
        true
    }

    fn choose(mut self, stopped: String) -> Fit {
        self.tried.sort_by_key(|t| t.prior.parameters());
        let best = (1..self.tried.len()).fold(0, |b, i| if self.tried[i].mean > self.tried[b].mean { i } else { b });
        let gaps: Vec<(f64, f64)> = self.tried.iter().map(|t| gap(&self.tried[best].scores, &t.scores)).collect();
        // The best is behind itself by 0 +- 0, so a position is always found.
        let chosen = gaps.iter().position(|(mean, error)| mean <= error).unwrap_or(best);
        let describe = |(i, t): (usize, &Tried)| Candidate {
            name: t.prior.describe(),
            held_out_nats_per_vector: t.mean,
            behind_best: gaps[i].0,
            behind_best_error: gaps[i].1,
            parameters: t.prior.parameters(),
            steps: t.steps,
            chosen: i == chosen,
        };
        let tried: Vec<Candidate> = self.tried.iter().enumerate().map(describe).collect();
        let reason = reason(&tried, best, chosen, self.held_out.len(), &stopped);
        Fit { prior: self.tried.swap_remove(chosen).prior, tried, reason }
    }
}

/// Mean and standard error of `best - other` over the vectors.
fn gap(best: &[f64], other: &[f64]) -> (f64, f64) {
    let n = best.len() as f64;
    let mean = best.iter().zip(other).map(|(b, o)| b - o).sum::<f64>() / n;
    let squares: f64 = best.iter().zip(other).map(|(b, o)| (b - o - mean).powi(2)).sum();
    (mean, if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 })
}

fn reason(tried: &[Candidate], best: usize, chosen: usize, held_out: usize, stopped: &str) -> String {
    let kept = &tried[chosen];
    let mut text = format!(
        "{}: {:.2} nats per vector on {held_out} held-out {}",
        kept.name,
        kept.held_out_nats_per_vector,
        if held_out == 1 { "vector" } else { "vectors" }
    );
    // Writing to a String cannot fail.
    let _ = if chosen == best {
        write!(text, ", the best of {} and no simpler one within a standard error of it.", tried.len())
    } else {
        let (name, behind, error) = (&tried[best].name, kept.behind_best, kept.behind_best_error);
        write!(
            text,
            "; {name} is {behind:.2} +- {error:.2} nats better, within one standard error: the simpler is kept."
        )
    };
    let _ = write!(text, " {stopped}");
    if held_out < 30 {
        let _ = write!(text, " So few held-out vectors make this choice uncertain.");
    }
    text
}

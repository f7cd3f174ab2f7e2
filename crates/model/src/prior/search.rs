//! Which prior: fit each candidate on the training vectors, judge it on held-out ones, and keep the simplest that is
//! within one standard error of the best.
//!
//! By likelihood, a candidate is as far from the best as its mean log density falls short, with the standard error of
//! that (paired) difference. By AUC, as the AUC of telling its draws from held-out vectors is further from .5; the
//! standard error is that of an AUC of .5, `sqrt((n + m + 1) / (12 n m))` for n and m vectors (Mann and Whitney 1947).

use std::fmt::Write;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use super::gaussian::Gaussian;
use super::rows::Rows;
use super::{Prior, PriorError, em, flow_fit, two_sample_auc};

/// Fewer training vectors than this per component and a larger mixture is not tried.
const LEAST_PER_COMPONENT: usize = 20;
/// A mixture is only begun if so many EM steps fit in what is left of the budget.
const LEAST_STEPS: u64 = 4;
/// The search ends after so many doublings in a row that did not raise the mixtures' best held-out score.
const DOUBLINGS_WITHOUT_GAIN: usize = 2;

/// Fewer held-out vectors than this and no AUC is measured: its standard error would be above .06.
const LEAST_FOR_AUC: usize = 100;
/// Streams of random numbers; the mixture of K starts from stream K >= 2, stream 0 thins the rows.
const FLOW_STREAM: u64 = 1;
const DRAWS_STREAM: u64 = u64::MAX;

/// What the best prior is best at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The log density of held-out vectors; priors without a density are never chosen.
    #[default]
    Likelihood,
    /// Draws that a classifier cannot tell from held-out vectors.
    Auc,
}

/// How much work a fit may do; counted in operations, not seconds, so that a fit repeats to the bit anywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Multiply-adds for all mixtures together, and again as many for the flow, which takes less time for them (the
    /// Gaussian is always fitted); 0 tries neither, and measures no AUC unless that is what decides.
    pub multiply_adds: u64,
    /// Mixtures and flow are fitted to at most so many training vectors, drawn evenly along the corpus; the Gaussian
    /// uses all.
    pub mixture_rows: usize,
    /// Candidates are scored on at most so many held-out vectors, drawn evenly along the corpus.
    pub held_out_rows: usize,
    /// The most components tried.
    pub most_components: usize,
    /// Whether a flow is tried.
    pub flow: bool,
    /// What decides.
    pub choice: Choice,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            multiply_adds: 200_000_000_000,
            mixture_rows: 20_000,
            held_out_rows: 4_000,
            most_components: 256,
            flow: true,
            choice: Choice::default(),
        }
    }
}

/// One prior that was tried, with its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// [`Prior::describe`] of it.
    pub name: String,
    /// Mean `log p(z)` over the held-out vectors, nats; higher is better. NaN for a prior without a density.
    #[serde(deserialize_with = "nan_if_null")]
    pub held_out_nats_per_vector: f64,
    /// The likeliest candidate's mean minus this one's, nats; 0 for the likeliest itself.
    #[serde(deserialize_with = "nan_if_null")]
    pub behind_best: f64,
    /// Standard error of `behind_best`, from the paired per-vector differences, nats.
    #[serde(deserialize_with = "nan_if_null")]
    pub behind_best_error: f64,
    /// AUC of telling as many draws from the held-out vectors ([`two_sample_auc`]): .5 is ideal. NaN if they were too
    /// few or it was not measured.
    #[serde(deserialize_with = "nan_if_null")]
    pub auc: f64,
    /// Free parameters.
    pub parameters: usize,
    /// Steps of EM or of the flow's training; 0 where the fit is in closed form.
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

/// JSON has no NaN: it is written as null.
fn nan_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Fits a prior to `train` (N, Z), N >= 2, choosing on `valid` (M, Z), M >= 1, as the budget says.
/// `dim` is Z; the same inputs, seed and budget give the same bits on any number of threads.
pub fn fit(train: &[f32], valid: &[f32], dim: usize, seed: u64, budget: &Budget) -> Result<Fit, PriorError> {
    let train = Rows::checked("training latents", train, dim, 2)?;
    let valid = Rows::checked("held-out latents", valid, dim, 1)?;
    let mut rng = stream(seed, 0);
    let scored = valid.spread(budget.held_out_rows.max(1), &mut rng);
    let mut search = Search { held_out: Rows::new(&scored, dim), tried: Vec::new(), spent: 0 };
    search.score(Prior::standard_normal(dim));
    search.score(Prior::Gaussian(Gaussian::fit(train)));
    let rows = train.spread(budget.mixture_rows.max(2), &mut rng);
    let stopped =
        [search.mixtures(Rows::new(&rows, dim), seed, budget), search.flow(Rows::new(&rows, dim), seed, budget)];
    let measure = budget.multiply_adds > 0 || budget.choice == Choice::Auc;
    Ok(search.choose(seed, budget.choice, measure, &stopped.concat()))
}

/// Ranks priors that were fitted elsewhere, all of one dimension Z, on `valid` (M, Z), M >= 1. Priors without a density
/// take part by AUC only; if none has a density, AUC decides.
pub fn rank(priors: Vec<Prior>, valid: &[f32], seed: u64, budget: &Budget) -> Result<Fit, PriorError> {
    let dim = priors.first().ok_or(PriorError::NoPriors)?.dim();
    if let Some(other) = priors.iter().find(|p| p.dim() != dim) {
        return Err(PriorError::Lengths { left: dim, right: other.dim() });
    }
    let valid = Rows::checked("held-out latents", valid, dim, 1)?;
    let scored = valid.spread(budget.held_out_rows.max(1), &mut stream(seed, 0));
    let mut search = Search { held_out: Rows::new(&scored, dim), tried: Vec::new(), spent: 0 };
    priors.into_iter().for_each(|prior| search.score(prior));
    Ok(search.choose(seed, budget.choice, true, ""))
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

struct Tried {
    prior: Prior,
    /// `log p` of each held-out vector; empty without a density.
    scores: Vec<f64>,
    /// Their mean, NaN without a density.
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
        self.score_after(prior, 0);
    }

    fn score_after(&mut self, prior: Prior, steps: usize) {
        let scores = if prior.has_density() { prior.log_density_rows(self.held_out) } else { Vec::new() };
        self.keep(prior, scores, steps);
    }

    fn keep(&mut self, prior: Prior, scores: Vec<f64>, steps: usize) {
        // 0 / 0 is NaN.
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        self.tried.push(Tried { prior, scores, mean, steps });
    }

    /// Fits and scores the flow. Says why there is none, if so.
    fn flow(&mut self, rows: Rows, seed: u64, budget: &Budget) -> String {
        if !budget.flow {
            return String::new();
        }
        if rows.dim < 2 {
            return " No flow was tried: that takes two dimensions.".into();
        }
        if rows.len() < flow_fit::LEAST_ROWS {
            return format!(" No flow was tried: that takes {} vectors.", flow_fit::LEAST_ROWS);
        }
        if flow_fit::affordable_steps(rows.len(), rows.dim, budget.multiply_adds).is_none() {
            return " No flow was tried: the budget of operations is too small.".into();
        }
        match flow_fit::fit(rows, budget.multiply_adds, &mut stream(seed, FLOW_STREAM)) {
            Some(run) => {
                self.score_after(Prior::Flow(run.flow), run.steps);
                String::new()
            }
            None => " A flow was no better than one Gaussian on training vectors kept back.".into(),
        }
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
        let run = em::fit(rows, self.held_out, k, left, &mut stream(seed, k as u64));
        self.spent += run.spent;
        self.keep(Prior::Mixture(run.mixture), run.held_out, run.steps);
        true
    }

    fn choose(mut self, seed: u64, choice: Choice, measure: bool, stopped: &str) -> Fit {
        self.tried.sort_by_key(|t| t.prior.parameters());
        let aucs = self.aucs(seed, measure);
        // In units of nats; for the candidates with a density.
        let likeliest = first_greatest(self.tried.iter().map(|t| t.mean));
        let gaps = self
            .tried
            .iter()
            .map(|t| likeliest.map_or((f64::NAN, f64::NAN), |best| gap(&self.tried[best].scores, &t.scores)));
        let gaps: Vec<(f64, f64)> = gaps.collect();
        // In units of AUC.
        let nearest = first_greatest(aucs.iter().map(|auc| -(auc - 0.5).abs()));
        let error = auc_error(self.held_out.len());
        let decided = match (choice, likeliest, nearest) {
            (Choice::Auc, _, Some(best)) | (Choice::Likelihood, None, Some(best)) => Some((best, Choice::Auc)),
            (_, Some(best), _) => Some((best, Choice::Likelihood)),
            _ => None,
        };
        // The simplest is kept where nothing could be measured, which takes no density and few held-out vectors.
        let (best, by) = decided.unwrap_or((0, choice));
        let close = |i: usize| match by {
            Choice::Likelihood => gaps[i].0 <= gaps[i].1,
            Choice::Auc => (aucs[i] - 0.5).abs() <= (aucs[best] - 0.5).abs() + error,
        };
        let chosen = (0..self.tried.len()).find(|&i| close(i)).unwrap_or(best);
        let describe = |(i, t): (usize, &Tried)| Candidate {
            name: t.prior.describe(),
            held_out_nats_per_vector: t.mean,
            behind_best: gaps[i].0,
            behind_best_error: gaps[i].1,
            auc: aucs[i],
            parameters: t.prior.parameters(),
            steps: t.steps,
            chosen: i == chosen,
        };
        let tried: Vec<Candidate> = self.tried.iter().enumerate().map(describe).collect();
        let reason = Reason { tried: &tried, best, chosen, held_out: self.held_out.len() }.text(by, choice, stopped);
        Fit { prior: self.tried.swap_remove(chosen).prior, tried, reason }
    }

    /// The AUC between each candidate's draws and the held-out vectors, NaN where it cannot be or is not measured.
    fn aucs(&self, seed: u64, measure: bool) -> Vec<f64> {
        let (n, dim) = (self.held_out.len(), self.held_out.dim);
        if !measure || n < LEAST_FOR_AUC {
            return vec![f64::NAN; self.tried.len()];
        }
        let one = |t: &Tried| {
            let draws = t.prior.sample_many(n, &mut stream(seed, DRAWS_STREAM));
            two_sample_auc(&draws, self.held_out.values, dim, seed).unwrap_or(f64::NAN)
        };
        self.tried.par_iter().map(one).collect()
    }
}

/// Standard error of an AUC of .5 that is measured on half of `n` vectors a side.
fn auc_error(n: usize) -> f64 {
    let half = (n - n / 2) as f64;
    ((2.0 * half + 1.0) / (12.0 * half * half)).sqrt()
}

/// Where the greatest value is, the first of equals; `None` if all are NaN.
fn first_greatest(values: impl Iterator<Item = f64>) -> Option<usize> {
    let numbers = values.enumerate().filter(|(_, v)| !v.is_nan());
    numbers.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(i, _)| i)
}

/// Mean and standard error of `best - other` over the vectors; NaN if `other` has no density.
fn gap(best: &[f64], other: &[f64]) -> (f64, f64) {
    if other.is_empty() {
        return (f64::NAN, f64::NAN);
    }
    let n = best.len() as f64;
    let mean = best.iter().zip(other).map(|(b, o)| b - o).sum::<f64>() / n;
    let squares: f64 = best.iter().zip(other).map(|(b, o)| (b - o - mean).powi(2)).sum();
    (mean, if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 })
}

/// What there is to say about a choice.
struct Reason<'a> {
    tried: &'a [Candidate],
    best: usize,
    chosen: usize,
    held_out: usize,
}

impl Reason<'_> {
    fn text(&self, by: Choice, asked: Choice, stopped: &str) -> String {
        let (kept, best) = (&self.tried[self.chosen], &self.tried[self.best]);
        let vectors = if self.held_out == 1 { "vector" } else { "vectors" };
        let figure = match by {
            Choice::Likelihood => format!("{:.2} nats per vector", kept.held_out_nats_per_vector),
            Choice::Auc => format!("AUC {:.3} between draws and vectors", kept.auc),
        };
        let mut text = format!("{}: {figure} on {} held-out {vectors}", kept.name, self.held_out);
        // Writing to a String cannot fail.
        let _ = if self.chosen == self.best {
            write!(text, ", the best of {} and no simpler one within a standard error of it.", self.tried.len())
        } else {
            match by {
                Choice::Likelihood => {
                    let (behind, error) = (kept.behind_best, kept.behind_best_error);
                    write!(text, "; {} is {behind:.2} +- {error:.2} nats better", best.name)
                }
                Choice::Auc => write!(text, "; {} has {:.3} +- {:.3}", best.name, best.auc, auc_error(self.held_out)),
            }
            .and_then(|()| write!(text, ", within one standard error: the simpler is kept."))
        };
        if by != asked {
            text += match by {
                Choice::Likelihood => " Too few held-out vectors for the AUC: the likelihood decided.",
                Choice::Auc => " None has a density: the AUC decided.",
            };
        }
        if !stopped.is_empty() {
            let _ = write!(text, " {}", stopped.trim_start());
        }
        if self.held_out < 30 {
            text += " So few held-out vectors make this choice uncertain.";
        }
        text
    }
}

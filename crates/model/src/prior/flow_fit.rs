//! Maximum likelihood for the flow, by Adam on the tape.
//!
//! One training vector in ten is kept back; the flow with the best likelihood of those is the one that is returned, so
//! the vectors that priors are compared on are never looked at. The rate falls along a cosine and is halved when the
//! kept-back vectors gain nothing. Against overfitting, noise is added to the whitened latents and hidden units are
//! dropped, both in proportion to the rate, so that the last steps see the latents as they are.
//!
//! **Cost.** Counted are the multiply-adds of the networks' products in f32: `F = 3 B H Z` forward for one vector with B
//! blocks of two networks of H hidden units, `3 F` for a vector in a step (one product forward, two back), `F` for a
//! kept-back vector at a look. With 128 dimensions some 14 billion of them take a second of one AVX-512 core,
//! everything around the products included.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use strait_engine::{
    Error, ParamId, Tape, Var, init,
    ops::losses::Weighting,
    optim::{Optimiser, Rule},
    schedule::{Plateau, Schedule},
};

use super::couplings::{Couplings, Dropout, log_stretch};
use super::flow::{RealNvp, log_densities_white};
use super::gaussian::Gaussian;
use super::rows::Rows;

/// Fewer training vectors than this and no flow is tried.
pub(super) const LEAST_ROWS: usize = 1000;
/// A flow is only begun if so many steps fit in the budget.
const LEAST_STEPS: u64 = 400;
/// Vectors in a step.
const BATCH: usize = 128;
/// Steps between looks at the kept-back vectors.
const STEPS_PER_LOOK: u64 = 100;
/// So many looks without gain end the fit.
const PATIENCE: usize = 8;
/// Looks without gain that halve the rate.
const PLATEAU: u32 = 2;
/// At most so many steps, or so many passes over the vectors if that is more.
const STEPS: u64 = 2500;
const PASSES: u64 = 20;
const MOST_KEPT_BACK: usize = 2000;
/// Adam's rate at its peak, the part of it that is left at the end, and the steps until the peak.
const RATE: f32 = 2e-3;
const FLOOR: f32 = 0.02;
const WARM_UP: u64 = 100;
/// Largest norm of a step's gradient.
const CLIP: f32 = 10.0;
/// At the rate's peak: hidden units dropped, and the noise's standard deviation on whitened latents.
const DROPOUT: f32 = 0.3;
const NOISE: f32 = 0.3;

/// What a fit gave.
pub(super) struct Run {
    /// The flow at its best look.
    pub flow: RealNvp,
    /// Steps taken.
    pub steps: usize,
}

/// Hidden units for Z dimensions: as many, within reason.
pub(super) fn hidden(dim: usize) -> usize {
    dim.clamp(64, 256)
}

/// Steps that `allowance` multiply-adds suffice for with `rows` vectors; `None` if a fit is not worth beginning.
pub(super) fn affordable_steps(rows: usize, dim: usize, allowance: u64) -> Option<u64> {
    let kept_back = kept_back(rows) as u64;
    // In forward products of a vector.
    let step = 3 * BATCH as u64 + kept_back / STEPS_PER_LOOK;
    let steps = allowance / (Couplings::cost(dim, hidden(dim)) * step);
    let pass = (rows as u64 - kept_back).div_ceil(BATCH as u64);
    (steps >= LEAST_STEPS).then(|| steps.min(STEPS.max(PASSES * pass)))
}

fn kept_back(rows: usize) -> usize {
    (rows / 10).min(MOST_KEPT_BACK)
}

/// Fits a flow to `train` (N, Z), Z >= 2, N >= [`LEAST_ROWS`], within `allowance` multiply-adds. `None` if that is too
/// little or the vectors kept back are no likelier than under one Gaussian.
pub(super) fn fit(train: Rows, allowance: u64, rng: &mut ChaCha8Rng) -> Option<Run> {
    let (dim, planned) = (train.dim, affordable_steps(train.len(), train.dim, allowance)?);
    let (kept_back, fitted) = split(train, rng);
    let whitening = Gaussian::fit(Rows::new(&fitted, dim));
    let white = [&kept_back, &fitted].map(|part| whitening.whiten(Rows::new(part, dim)));
    let [kept_back, fitted] = &white;
    let mut training = Training::new(Couplings::new(dim, hidden(dim), rng));
    let mut best = Best { score: score(&training.couplings, kept_back), weights: None };
    let (mut plateau, mut idle) = (Plateau::new(PLATEAU), 0);
    let mut order = Order::new(fitted.len() / dim);
    let mut steps = 0;
    while steps < planned && idle < PATIENCE {
        let part = plateau.factor * Schedule::Cosine { floor: FLOOR }.factor(steps, WARM_UP, planned);
        let batch: Vec<f32> = order.next(BATCH, rng).flat_map(|n| &fitted[n * dim..(n + 1) * dim]).copied().collect();
        if training.step(batch, part, rng).is_err() {
            // Diverged: what was best before stands.
            break;
        }
        steps += 1;
        if steps.is_multiple_of(STEPS_PER_LOOK) || steps == planned {
            let score = score(&training.couplings, kept_back);
            plateau.look(-score);
            idle = if best.offer(score, &training.couplings) { 0 } else { idle + 1 };
        }
    }
    let couplings = best.restore(training.couplings)?;
    Some(Run { flow: RealNvp::new(whitening, couplings), steps: steps as usize })
}

/// The vectors kept back and the others, shuffled.
fn split(rows: Rows, rng: &mut ChaCha8Rng) -> (Vec<f32>, Vec<f32>) {
    let order: Vec<usize> = Order::new(rows.len()).next(rows.len(), rng).collect();
    let take = |part: &[usize]| part.iter().flat_map(|&n| rows.row(n)).copied().collect();
    let (kept_back, fitted) = order.split_at(kept_back(rows.len()));
    (take(kept_back), take(fitted))
}

/// Mean log density of whitened rows but for constants; one that is not finite never wins.
fn score(couplings: &Couplings, white: &[f32]) -> f64 {
    let logs = log_densities_white(couplings, white);
    let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
    if mean.is_finite() { mean } else { f64::NEG_INFINITY }
}

/// Rows in random order, again and again.
struct Order {
    rows: Vec<usize>,
    at: usize,
}

impl Order {
    fn new(rows: usize) -> Self {
        Self { rows: (0..rows).collect(), at: rows }
    }

    /// The next `count` rows, fewer at the end of a pass.
    fn next(&mut self, count: usize, rng: &mut impl Rng) -> impl Iterator<Item = usize> {
        if self.at == self.rows.len() {
            self.at = 0;
            for i in (1..self.rows.len()).rev() {
                self.rows.swap(i, rng.random_range(0..=i));
            }
        }
        let from = self.at;
        self.at = (from + count).min(self.rows.len());
        self.rows[from..self.at].iter().copied()
    }
}

/// The best look so far; no weights while that is the untrained flow, which is the Gaussian.
struct Best {
    score: f64,
    weights: Option<Vec<(ParamId, Vec<f32>)>>,
}

impl Best {
    /// Keeps the weights if they are better.
    fn offer(&mut self, score: f64, couplings: &Couplings) -> bool {
        let better = score > self.score;
        if better {
            let weights = couplings.params.iter().map(|(id, p)| (id, p.value().to_vec())).collect();
            *self = Best { score, weights: Some(weights) };
        }
        better
    }

    fn restore(self, mut couplings: Couplings) -> Option<Couplings> {
        for (id, weights) in self.weights? {
            couplings.params.assign(id, &weights);
        }
        Some(couplings)
    }
}

/// The flow in training.
struct Training {
    couplings: Couplings,
    optimiser: Optimiser,
    tape: Tape,
}

impl Training {
    fn new(couplings: Couplings) -> Self {
        let optimiser = Optimiser::new(Rule::default(), &couplings.params);
        Self { couplings, optimiser, tape: Tape::new() }
    }

    /// One update on whitened rows (B, Z) with `part` of the rate, the noise and the dropout.
    fn step(&mut self, mut batch: Vec<f32>, part: f32, rng: &mut ChaCha8Rng) -> Result<(), Error> {
        let dim = self.couplings.dim();
        let noise = init::normal(batch.len(), part * NOISE, rng);
        batch.iter_mut().zip(&noise).for_each(|(x, noise)| *x += noise);
        self.tape.reset();
        let x = self.tape.input(&batch, (batch.len() / dim, dim));
        let (u, turns) = self.couplings.forward(&mut self.tape, x, Some(Dropout { rate: part * DROPOUT, rng }));
        negative_log_likelihood(&mut self.tape, u, &turns);
        self.tape.backward(&mut self.couplings.params)?;
        self.optimiser.step(&mut self.couplings.params, part * RATE, CLIP).map(|_| ())
    }
}

/// Adds the mean of `1/2 |u|^2 - sum log s` over the rows to the loss.
fn negative_log_likelihood(tape: &mut Tape, u: Var, turns: &[Var]) {
    let (rows, dim) = tape.shape(u);
    let scale = 1.0 / rows as f32;
    tape.squared_error(u, &vec![0.0; rows * dim], Weighting { row_weights: None, scale: 0.5 * scale });
    for &turn in turns {
        let (logs, slopes): (Vec<f64>, Vec<f32>) = tape.value(turn).iter().map(|&t| log_stretch(t)).unzip();
        let slopes: Vec<f32> = slopes.iter().map(|slope| -scale * slope).collect();
        tape.custom_loss(turn, -f64::from(scale) * logs.iter().sum::<f64>(), &slopes);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn gradients_against_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut couplings = Couplings::new(5, 6, &mut rng);
        let all: Vec<_> = couplings.params.iter().map(|(id, p)| (id, p.value().len())).collect();
        for &(id, n) in &all {
            couplings.params.assign(id, &init::normal(n, 0.3, &mut rng));
        }
        let x = init::normal(4 * 5, 1.0, &mut rng);
        let loss = |couplings: &Couplings| -> f64 { -score(couplings, &x) };
        let mut tape = Tape::new();
        let input = tape.input(&x, (4, 5));
        let (u, turns) = couplings.forward(&mut tape, input, None);
        negative_log_likelihood(&mut tape, u, &turns);
        assert!((tape.loss() - loss(&couplings)).abs() < 1e-5);
        tape.backward(&mut couplings.params).unwrap();
        for (id, n) in all {
            let grad = couplings.params.get(id).grad().to_vec();
            for i in (0..n).step_by(7) {
                let by = 1e-2;
                couplings.params.nudge(id, i, by);
                let above = loss(&couplings);
                couplings.params.nudge(id, i, -2.0 * by);
                let below = loss(&couplings);
                couplings.params.nudge(id, i, by);
                let slope = (above - below) / f64::from(2.0 * by);
                let name = couplings.params.get(id).name();
                assert!((slope - f64::from(grad[i])).abs() < 0.02, "{name}[{i}]: {slope} and {}", grad[i]);
            }
        }
    }

    #[test]
    fn the_budget_sets_the_steps() {
        assert_eq!(affordable_steps(20_000, 128, 0), None);
        assert_eq!(affordable_steps(20_000, 128, u64::MAX), Some(20 * 141));
        assert_eq!(affordable_steps(1_000, 128, u64::MAX), Some(STEPS));
        let steps = affordable_steps(20_000, 128, 100_000_000_000).unwrap();
        // 128 vectors at 3 products and 2,000 at a look of 100 steps, 3 * 4 * 128 * 128 multiply-adds each.
        assert_eq!(steps, 100_000_000_000 / (196_608 * (384 + 20)));
    }

    #[test]
    fn white_noise_gains_nothing_or_next_to_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let noise = init::normal(1500 * 4, 1.0, &mut rng);
        let fresh = init::normal(1000 * 4, 1.0, &mut rng);
        if let Some(run) = fit(Rows::new(&noise, 4), u64::MAX, &mut rng) {
            let normal = super::super::Prior::standard_normal(4).log_densities(&fresh).unwrap();
            let mean = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
            let lost = mean(&normal) - mean(&run.flow.log_density_rows(Rows::new(&fresh, 4)));
            assert!((-0.01..0.1).contains(&lost), "{lost}");
        }
    }
}

//! Expectation-maximisation for the mixture, with covariances that survive small components.
//!
//! M step, with responsibilities r_nk, n_k = sum_n r_nk and S_k the weighted covariance of component k:
//! - pooled:    `P = 1/N sum_k n_k S_k`, its off-diagonal times `N / (N + Z)`, its diagonal held above a floor;
//! - component: `C_k = (n_k S_k + c P) / (n_k + c)`, that is, `c` pseudo-observations of the pooled covariance, in
//!   proportion to Z;
//! - weight:    `w_k = (n_k + 1) / (N + K)`.
//!
//! A component with many rows keeps its own shape; one with few has the shape that all components share. Every sum
//! runs over the rows in order inside one task per component, so the number of threads changes no bit.

use rand::Rng;
use rayon::prelude::*;

use super::gaussian::{Gaussian, least_variance};
use super::kernel::{Scatter, padded};
use super::kmeans;
use super::mixture::{Mixture, log_densities};
use super::rows::Rows;

/// Responsibilities below this add nothing that f64 sums would show, and skipping them makes the M step sparse.
const NEGLIGIBLE: f64 = 1e-9;
/// Held-out gain per vector (nats) below which a step counts as no progress.
const PLATEAU: f64 = 0.01;
/// `c / Z` above. A quarter to one all do well; a twentieth overfits and four underfits large mixtures.
const PSEUDO_ROWS_PER_DIM: f64 = 0.5;
/// So many steps without progress end the fit.
const PATIENCE: usize = 2;
const MOST_STEPS: usize = 60;

/// What one EM run gave.
pub(super) struct Run {
    /// The mixture at its best held-out step.
    pub mixture: Mixture,
    /// `log p` of each held-out row under it, nats.
    pub held_out: Vec<f64>,
    /// EM steps taken.
    pub steps: usize,
    /// Multiply-adds spent.
    pub spent: u64,
}

/// Multiply-adds of meeting `pairs` of a row and a component once, in an E or an M step.
fn cost(pairs: usize, dim: usize) -> u64 {
    let p = padded(dim) as u64;
    pairs as u64 * (p * p / 2 + 4 * p)
}

/// Multiply-adds of one step at most: E and M step over the training rows, E step over the held-out rows.
pub(super) fn step_cost(train: usize, held_out: usize, dim: usize, k: usize) -> u64 {
    cost((2 * train + held_out) * k, dim)
}

/// Fits `k` components to `train` (N, Z), stopping when `held_out` (M, Z) no longer gains or the allowance of
/// multiply-adds is used up. At least one step is taken.
pub(super) fn fit(train: Rows, held_out: Rows, k: usize, allowance: u64, rng: &mut impl Rng) -> Run {
    let centres = kmeans::centres(train, k, rng);
    let mut shares = vec![0.0; train.len() * k];
    for (n, (c, _)) in kmeans::nearest(train, &centres).into_iter().enumerate() {
        shares[n * k + c] = 1.0;
    }
    let floor = least_variance(&train.variances(&train.mean()));
    let expectation = cost((train.len() + held_out.len()) * k, train.dim);
    let at_most = step_cost(train.len(), held_out.len(), train.dim, k);
    let (mut best, mut best_score, mut progress_at): (Option<(Mixture, Vec<f64>)>, f64, f64) =
        (None, f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (mut steps, mut idle, mut spent) = (0, 0, 0);
    let mut mixture = maximise(train, &shares, &centres, floor);
    loop {
        steps += 1;
        let weighty = shares.par_iter().filter(|&&r| r > NEGLIGIBLE).count();
        spent += expectation + cost(weighty, train.dim);
        let scores = log_densities(mixture.components(), mixture.log_weights(), held_out, None);
        let score = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        idle = if score > progress_at + PLATEAU { 0 } else { idle + 1 };
        if idle == 0 {
            progress_at = score;
        }
        if best.is_none() || score > best_score {
            best_score = score;
            best = Some((mixture.clone(), scores));
        }
        if idle >= PATIENCE || steps >= MOST_STEPS || spent + at_most > allowance {
            let (mixture, held_out) = best.unwrap_or((mixture, Vec::new()));
            return Run { mixture, held_out, steps, spent };
        }
        log_densities(mixture.components(), mixture.log_weights(), train, Some(&mut shares));
        let means: Vec<f32> = mixture.components().iter().flat_map(Gaussian::mean).copied().collect();
        mixture = maximise(train, &shares, &means, floor);
    }
}

/// Mass, mean and scatter `sum_n r_n (x_n - mean)(x_n - mean)^T` of one component.
struct Moments {
    mass: f64,
    mean: Vec<f64>,
    scatter: Vec<f64>,
}

/// The M step; `shares` (N, K), `means` (K, Z) of the step before, kept by a component that has lost all its rows.
fn maximise(rows: Rows, shares: &[f64], means: &[f32], floor: f64) -> Mixture {
    let (n, dim, k) = (rows.len() as f64, rows.dim, means.len() / rows.dim);
    let moments: Vec<Moments> = (0..k)
        .into_par_iter()
        .map(|c| component_moments(rows, |n| shares[n * k + c], &means[c * dim..(c + 1) * dim]))
        .collect();
    let mut pooled = vec![0.0; dim * dim];
    for m in &moments {
        for (p, s) in pooled.iter_mut().zip(&m.scatter) {
            *p += s / n;
        }
    }
    let kept = n / (n + dim as f64);
    for (at, p) in pooled.iter_mut().enumerate() {
        *p = if at / dim == at % dim { p.max(floor) } else { *p * kept };
    }
    let prior = PSEUDO_ROWS_PER_DIM * dim as f64;
    let components = moments
        .par_iter()
        .map(|m| {
            let blend = |(s, p): (&f64, &f64)| (s + prior * p) / (m.mass + prior);
            let mut covariance: Vec<f64> = m.scatter.iter().zip(&pooled).map(blend).collect();
            (0..dim).for_each(|i| covariance[i * dim + i] = covariance[i * dim + i].max(floor));
            Gaussian::from_moments(&m.mean, &covariance)
        })
        .collect();
    let weights: Vec<f64> = moments.iter().map(|m| m.mass + 1.0).collect();
    let total: f64 = weights.iter().sum();
    Mixture::new(weights.iter().map(|w| (w / total).ln()).collect(), components)
}

fn component_moments(rows: Rows, share: impl Fn(usize) -> f64, old_mean: &[f32]) -> Moments {
    let old: Vec<f64> = old_mean.iter().map(|&v| f64::from(v)).collect();
    let mut mass = 0.0;
    let mut moved = vec![0.0; rows.dim];
    for (n, row) in rows.iter().enumerate() {
        let r = share(n);
        if r > NEGLIGIBLE {
            mass += r;
            for ((m, &x), o) in moved.iter_mut().zip(row).zip(&old) {
                *m += r * (f64::from(x) - o);
            }
        }
    }
    let mean: Vec<f64> =
        old.iter().zip(&moved).map(|(o, m)| if mass > NEGLIGIBLE { o + m / mass } else { *o }).collect();
    let mut scatter = Scatter::new(rows.dim);
    for (n, row) in rows.iter().enumerate() {
        let r = share(n);
        if r > NEGLIGIBLE {
            let root = r.sqrt();
            scatter.push(row.iter().zip(&mean).map(|(&x, m)| root * (f64::from(x) - m)));
        }
    }
    Moments { mass, mean, scatter: scatter.finish() }
}

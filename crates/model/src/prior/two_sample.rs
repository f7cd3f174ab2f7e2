//! Can a classifier tell two sets of latents apart? The AUC of a regularised logistic regression, fitted on one half
//! of each set and measured on the other half; .5 means that it cannot.
//!
//! Features, all computed from the fitting halves: `y` and `y^2`, with `y` the latent in the basis where both sets'
//! covariances are diagonal (whiten by the pooled covariance, then rotate to the eigenvectors of their difference), so
//! differences of mean, scale and correlation all show; and, for clumps that moments miss, which of a few k-means
//! centres is nearest and how far it is.

use nalgebra::{DMatrix, DVector};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::PriorError;
use super::gaussian::Gaussian;
use super::kernel::Scatter;
use super::kmeans;
use super::rows::Rows;

/// Vectors used of each set; the AUC's own standard error is then below .01.
const MOST_ROWS: usize = 6_000;
const LEAST_ROWS: usize = 10;
const CENTRES: usize = 16;
/// L2 penalty per fitted vector.
const PENALTY: f64 = 0.01;
const NEWTON_STEPS: usize = 8;

/// AUC of telling `b` (M, Z) from `a` (N, Z), on halves that the classifier did not see: .5 alike, 1 told apart.
/// At least 10 vectors each; sets longer than 6,000 are thinned. `seed` decides the thinning and the halves.
pub fn two_sample_auc(a: &[f32], b: &[f32], dim: usize, seed: u64) -> Result<f64, PriorError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let a = Rows::checked("first sample", a, dim, LEAST_ROWS)?.spread(MOST_ROWS, &mut rng);
    let b = Rows::checked("second sample", b, dim, LEAST_ROWS)?.spread(MOST_ROWS, &mut rng);
    let (a_fit, a_test) = halves(Rows::new(&a, dim), &mut rng);
    let (b_fit, b_test) = halves(Rows::new(&b, dim), &mut rng);
    let features = Features::fit(Rows::new(&a_fit, dim), Rows::new(&b_fit, dim), &mut rng);
    let seen = [features.of(&a_fit), features.of(&b_fit)].concat();
    let labels: Vec<f64> = (0..seen.len()).map(|i| if i < a_fit.len() / dim { 0.0 } else { 1.0 }).collect();
    let classifier = Logistic::fit(&seen, &labels);
    let score = |z: &[f32]| features.of(z).iter().map(|x| classifier.score(x)).collect::<Vec<f64>>();
    Ok(auc(&score(&a_test), &score(&b_test)))
}

/// A shuffled split in two.
fn halves(rows: Rows, rng: &mut ChaCha8Rng) -> (Vec<f32>, Vec<f32>) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    let take = |part: &[usize]| part.iter().flat_map(|&n| rows.row(n)).copied().collect();
    let (first, second) = order.split_at(order.len() / 2);
    (take(first), take(second))
}

struct Features {
    mean: DVector<f64>,
    /// (Z, Z): `y = basis (z - mean)`.
    basis: DMatrix<f64>,
    /// (K, Z), in `y`.
    centres: Vec<f32>,
}

impl Features {
    fn fit(a: Rows, b: Rows, rng: &mut ChaCha8Rng) -> Self {
        let dim = a.dim;
        let both = [a.values, b.values].concat();
        let pooled = Gaussian::fit(Rows::new(&both, dim));
        let mean = DVector::from_iterator(dim, pooled.mean().iter().map(|&v| f64::from(v)));
        let lower = |i: usize, j: usize| if j <= i { f64::from(pooled.factor()[i * (i + 1) / 2 + j]) } else { 0.0 };
        let lower = DMatrix::from_fn(dim, dim, lower);
        let mut basis = DMatrix::identity(dim, dim);
        // The diagonal of a Gaussian's factor is positive, so the solve succeeds.
        lower.solve_lower_triangular_mut(&mut basis);
        let mut this = Self { mean, basis, centres: Vec::new() };
        let difference = this.second_moments(a) - this.second_moments(b);
        // Without convergence the whitened basis alone still sees means and scales.
        if let Some(eigen) = difference.try_symmetric_eigen(1e-10, 10_000) {
            this.basis = eigen.eigenvectors.transpose() * &this.basis;
        }
        let y: Vec<f32> = this.coordinates(&both).iter().map(|&v| v as f32).collect();
        let k = CENTRES.min(both.len() / dim / 4).max(1);
        this.centres = kmeans::centres(Rows::new(&y, dim), k, rng);
        this
    }

    /// `1/N sum_n y y^T`, (Z, Z).
    fn second_moments(&self, rows: Rows) -> DMatrix<f64> {
        let y = self.coordinates(rows.values);
        &y * y.transpose() / rows.len() as f64
    }

    /// `y` of every row, one per column, (Z, N).
    fn coordinates(&self, z: &[f32]) -> DMatrix<f64> {
        let dim = self.mean.len();
        let centred = DMatrix::from_fn(dim, z.len() / dim, |i, n| f64::from(z[n * dim + i]) - self.mean[i]);
        &self.basis * centred
    }

    /// `[y, y^2, nearest centre one-hot, its squared distance]` of every row of `z`, (N, 2 Z + K + 1).
    fn of(&self, z: &[f32]) -> Vec<Vec<f64>> {
        let dim = self.mean.len();
        let y = self.coordinates(z);
        let narrow: Vec<f32> = y.iter().map(|&v| v as f32).collect();
        let nearest = kmeans::nearest(Rows::new(&narrow, dim), &self.centres);
        let one = |(y, (centre, distance)): (&[f64], (usize, f64))| {
            let mut x = y.to_vec();
            x.extend(y.iter().map(|v| v * v));
            x.extend((0..self.centres.len() / dim).map(|c| if c == centre { 1.0 } else { 0.0 }));
            x.push(distance);
            x
        };
        y.as_slice().chunks(dim).zip(nearest).map(one).collect()
    }
}

/// Logistic regression on standardised features.
struct Logistic {
    mean: Vec<f64>,
    sd: Vec<f64>,
    /// (F + 1), the intercept last.
    weights: DVector<f64>,
}

impl Logistic {
    /// Minimises `sum_n log(1 + exp(-s_n w.x_n)) + PENALTY N / 2 |w|^2` by Newton's method; `x` (N, F).
    fn fit(x: &[Vec<f64>], labels: &[f64]) -> Self {
        let (n, f) = (x.len() as f64, x[0].len());
        let column = |i: usize| x.iter().map(move |x| x[i]);
        let mean: Vec<f64> = (0..f).map(|i| column(i).sum::<f64>() / n).collect();
        let spread = |i: usize| (column(i).map(|v| (v - mean[i]).powi(2)).sum::<f64>() / n).sqrt();
        let sd: Vec<f64> = (0..f).map(|i| if spread(i) > 1e-9 { spread(i) } else { 1.0 }).collect();
        let mut this = Self { mean, sd, weights: DVector::zeros(f + 1) };
        let penalty = PENALTY * n;
        for _ in 0..NEWTON_STEPS {
            let mut gradient = &this.weights * penalty;
            let mut scatter = Scatter::new(f + 1);
            for (x, label) in x.iter().zip(labels) {
                let p = 1.0 / (1.0 + (-this.score(x)).exp());
                let root = (p * (1.0 - p)).sqrt();
                for (g, v) in gradient.iter_mut().zip(this.standardised(x)) {
                    *g += (p - label) * v;
                }
                scatter.push(this.standardised(x).map(|v| root * v));
            }
            let mut hessian = DMatrix::from_vec(f + 1, f + 1, scatter.finish());
            (0..=f).for_each(|i| hessian[(i, i)] += penalty);
            let Some(step) = hessian.cholesky().map(|c| c.solve(&gradient)) else { break };
            this.weights -= &step;
            if step.amax() < 1e-6 {
                break;
            }
        }
        this
    }

    /// The standardised features and a constant 1 for the intercept.
    fn standardised<'a>(&'a self, x: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        x.iter().zip(&self.mean).zip(&self.sd).map(|((v, m), s)| (v - m) / s).chain(std::iter::once(1.0))
    }

    /// The log odds of the second set.
    fn score(&self, x: &[f64]) -> f64 {
        self.standardised(x).zip(self.weights.iter()).map(|(v, w)| v * w).sum()
    }
}

/// `P(score of b > score of a)`, ties counting half.
fn auc(a: &[f64], b: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = a.iter().map(|&s| (s, false)).chain(b.iter().map(|&s| (s, true))).collect();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in all.chunk_by(|x, y| x.0 == y.0) {
        let from_b = tied.iter().filter(|(_, is_b)| *is_b).count() as f64;
        let from_a = tied.len() as f64 - from_b;
        wins += from_b * (below + 0.5 * from_a);
        below += from_a;
    }
    wins / (a.len() as f64 * b.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_by_hand() {
        assert_eq!(auc(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        assert_eq!(auc(&[3.0, 4.0], &[1.0, 2.0]), 0.0);
        assert_eq!(auc(&[1.0, 1.0], &[1.0, 1.0]), 0.5);
        assert_eq!(auc(&[1.0, 3.0], &[2.0, 3.0]), (1.0 + 0.0 + 1.0 + 0.5) / 4.0);
    }
}

//! What a probe minimises, with its gradient.
//!
//! Over n rows x (d) with classes y, standardised as `u = (x - m) / s`, and K classes with weights W (K, d) and biases
//! b (K), in nats a row:
//!
//! ```text
//! f = 1/n [ sum_i ( ln sum_k exp l_ik - l_i,y_i ) + penalty / 2 |W|^2 ],   l_ik = W_k u_i + b_k
//! ```
//!
//! The biases are not penalised. The parameters are all W_k and then all b_k, (K d + K). The rows are never copied:
//! standardising is folded into the weights on the way in and into the gradient on the way out.

use rayon::prelude::*;

use crate::matrix::Matrix;

/// Rows a task; sums are formed in the order of the tasks.
const CHUNK: usize = 256;

/// Some rows of a matrix with their classes.
#[derive(Debug, Clone)]
pub(super) struct Objective<'a> {
    rows: Matrix<'a>,
    /// Row and its class.
    examples: Vec<(usize, usize)>,
    classes: usize,
    penalty: f64,
    /// Mean of each column (d).
    mean: Vec<f64>,
    /// 1 / standard deviation (d), 0 for a column that does not vary.
    inverse: Vec<f64>,
}

impl<'a> Objective<'a> {
    pub fn new(rows: Matrix<'a>, examples: Vec<(usize, usize)>, classes: usize, penalty: f64) -> Self {
        let (dim, n) = (rows.dim(), examples.len() as f64);
        let sum = |term: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; dim];
            for &(row, _) in &examples {
                sums.iter_mut().zip(rows.row(row)).enumerate().for_each(|(j, (s, &x))| *s += term(j, f64::from(x)));
            }
            sums.iter_mut().for_each(|s| *s /= n);
            sums
        };
        let mean = sum(&|_, x| x);
        let variance = sum(&|j, x: f64| (x - mean[j]).powi(2));
        // What rounding leaves of a constant column is no spread.
        let inverse = variance.iter().zip(&mean).map(|(v, m)| if *v > 1e-20 * m * m { 1.0 / v.sqrt() } else { 0.0 });
        Self { inverse: inverse.collect(), mean, rows, examples, classes, penalty }
    }

    /// Number of parameters, K (d + 1).
    pub fn parameters(&self) -> usize {
        self.classes * (self.mean.len() + 1)
    }

    pub fn set_penalty(&mut self, penalty: f64) {
        self.penalty = penalty;
    }

    /// Weights (K, d) and biases (K) for rows as they are.
    pub fn unfolded(&self, parameters: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let dim = self.mean.len();
        let (weights, biases) = parameters.split_at(self.classes * dim);
        let folded: Vec<f64> = weights.iter().enumerate().map(|(at, w)| w * self.inverse[at % dim]).collect();
        let shift = |w: &[f64]| w.iter().zip(&self.mean).map(|(w, m)| w * m).sum::<f64>();
        let biases = biases.iter().zip(folded.chunks_exact(dim)).map(|(b, w)| b - shift(w)).collect();
        (folded, biases)
    }

    /// f at `parameters`; writes its gradient, of the same shape.
    pub fn evaluate(&self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let (k, dim, n) = (self.classes, self.mean.len(), self.examples.len() as f64);
        let (folded, biases) = self.unfolded(parameters);
        let parts: Vec<(f64, Vec<f64>)> =
            self.examples.par_chunks(CHUNK).map(|part| self.part(part, &folded, &biases)).collect();
        gradient.fill(0.0);
        let mut value = 0.0;
        for (part_value, part_gradient) in parts {
            value += part_value;
            gradient.iter_mut().zip(part_gradient).for_each(|(g, p)| *g += p);
        }
        let (weights, _) = parameters.split_at(k * dim);
        let (slopes, errors) = gradient.split_at_mut(k * dim);
        for at in 0..k * dim {
            let (class, j) = (at / dim, at % dim);
            let standardised = (slopes[at] - self.mean[j] * errors[class]) * self.inverse[j];
            slopes[at] = (standardised + self.penalty * weights[at]) / n;
        }
        errors.iter_mut().for_each(|e| *e /= n);
        (value + 0.5 * self.penalty * weights.iter().map(|w| w * w).sum::<f64>()) / n
    }

    /// Loss of some examples and its gradient in terms of the folded weights and biases.
    fn part(&self, examples: &[(usize, usize)], folded: &[f64], biases: &[f64]) -> (f64, Vec<f64>) {
        let (k, dim) = (self.classes, self.mean.len());
        let mut gradient = vec![0.0; k * dim + k];
        let mut value = 0.0;
        let mut p = vec![0.0; k];
        for &(row, class) in examples {
            let x = self.rows.row(row);
            logits(folded, biases, x, &mut p);
            let logit = p[class];
            value += softmax(&mut p) - logit;
            p[class] -= 1.0;
            for (c, &error) in p.iter().enumerate() {
                gradient[k * dim + c] += error;
                gradient[c * dim..][..dim].iter_mut().zip(x).for_each(|(g, &x)| *g += error * f64::from(x));
            }
        }
        (value, gradient)
    }
}

/// `W x + b` of a row, (K).
pub(super) fn logits(weights: &[f64], biases: &[f64], x: &[f32], out: &mut [f64]) {
    for ((out, w), b) in out.iter_mut().zip(weights.chunks_exact(x.len())).zip(biases) {
        *out = b + dot(w, x);
    }
}

/// Turns logits into probabilities; gives the logarithm of what they were divided by.
pub(super) fn softmax(values: &mut [f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter_mut().for_each(|v| *v = (*v - most).exp());
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|v| *v /= sum);
    most + sum.ln()
}

/// Scalar product in eight partial sums, so that it vectorises.
fn dot(a: &[f64], b: &[f32]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += a[i] * f64::from(b[i]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, &b)| a * f64::from(b)).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::MatrixBuf;

    /// Random rows of 11 columns, the last one constant, three classes; every second row is an example.
    fn data() -> (MatrixBuf, Vec<(usize, usize)>) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut value =
            |column: usize| if column == 10 { 0.1 } else { 5.0 + (column + 1) as f32 * rng.random::<f32>() };
        let rows = MatrixBuf::new((0..600 * 11).map(|at| value(at % 11)).collect(), 11).unwrap();
        (rows, (0..600).step_by(2).map(|i| (i, i / 2 % 3)).collect())
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (rows, examples) = data();
        let objective = Objective::new(rows.view(), examples, 3, 2.5);
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let at: Vec<f64> = (0..objective.parameters()).map(|_| rng.random::<f64>() - 0.5).collect();
        let mut gradient = vec![0.0; at.len()];
        objective.evaluate(&at, &mut gradient);
        for i in 0..at.len() {
            let shifted = |by: f64| {
                let mut moved = at.clone();
                moved[i] += by;
                objective.evaluate(&moved, &mut vec![0.0; at.len()])
            };
            let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((slope - gradient[i]).abs() < 1e-8, "{i}: {slope} {}", gradient[i]);
        }
    }

    #[test]
    fn the_value_is_that_of_the_equation() {
        let (rows, examples) = data();
        let objective = Objective::new(rows.view(), examples.clone(), 3, 2.5);
        let (n, view) = (examples.len() as f64, rows.view());
        let column = |j: usize| examples.iter().map(|&(i, _)| f64::from(view.row(i)[j])).collect::<Vec<_>>();
        let standardised: Vec<Vec<f64>> = (0..11)
            .map(|j| {
                let values = column(j);
                let mean = values.iter().sum::<f64>() / n;
                let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
                values.iter().map(|v| if j == 10 { 0.0 } else { (v - mean) / sd }).collect()
            })
            .collect();
        let at: Vec<f64> = (0..36).map(|i| f64::from(i * 7 % 13) / 13.0 - 0.4).collect();
        let mut expected = 0.0;
        for (i, &(_, class)) in examples.iter().enumerate() {
            let logit = |k: usize| (0..11).map(|j| at[k * 11 + j] * standardised[j][i]).sum::<f64>() + at[33 + k];
            expected += (0..3).map(|k| logit(k).exp()).sum::<f64>().ln() - logit(class);
        }
        expected = (expected + 1.25 * at[..33].iter().map(|w| w * w).sum::<f64>()) / n;
        let found = objective.evaluate(&at, &mut [0.0; 36]);
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn large_logits_stay_finite() {
        let mut p = [1000.0, 999.0, -1000.0];
        let log = softmax(&mut p);
        assert!((log - 1000.0 - (1.0 + (-1.0f64).exp()).ln()).abs() < 1e-12);
        assert!((p[0] - 1.0 / (1.0 + (-1.0f64).exp())).abs() < 1e-15 && p[2] == 0.0);
    }
}

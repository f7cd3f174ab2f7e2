//! How an attribute shows in the latents, so that a direction can leave it alone.
//!
//! The pattern of a numeric attribute c (length, year) is `a = cov(z, c) / sd(c)`, the mean change of the latent with a
//! standard deviation of c; that of a categorical one is, for each class, its mean less the mean of all. With C the
//! covariance of the latents, `C^-1 a` are the coefficients of the linear regression of the attribute on the latent, so
//! a direction v with `v^T C^-1 a = 0` leaves its best linear prediction as it is.

use super::DirectionError;
use super::method::dot;
use crate::correlation::{ScoreError, finite};
use crate::density::{Gaussian, column_means};
use crate::labels::Labels;
use crate::matrix::Matrix;

/// What remains of a pattern after others, in length, to count as one of its own.
const LEAST_OWN: f64 = 1e-6;

/// Something known of each row.
#[derive(Debug, Clone, Copy)]
pub enum Attribute<'a> {
    /// A number each, (n).
    Numeric(&'a [f64]),
    /// A class each, (n).
    Categorical(&'a Labels),
}

/// The pattern of an attribute: a vector (d) for a number, one a class for classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    name: String,
    vectors: Vec<Vec<f64>>,
}

impl Pattern {
    /// Of an attribute of rows (n, d), which are best those of the whole corpus. Take the logarithm of lengths and of
    /// other numbers with a long tail.
    ///
    /// # Errors
    /// When there is not one value for each row, values are not finite or all equal, or a class has no rows.
    pub fn new(name: &str, rows: Matrix, attribute: Attribute) -> Result<Self, DirectionError> {
        let vectors = match attribute {
            Attribute::Numeric(values) => vec![numeric(rows, values)?],
            Attribute::Categorical(labels) => categorical(rows, labels)?,
        };
        Ok(Self { name: name.to_owned(), vectors })
    }

    /// The attribute's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the best linear prediction of the attribute from the latent changes by along `v` (d), in standard deviations
    /// of a number; for classes, one value each that is 0 if `v` leaves them alone.
    ///
    /// # Errors
    /// When `v` has another dimension than the pattern or the metric.
    pub fn change(&self, v: &[f64], metric: &Gaussian) -> Result<Vec<f64>, DirectionError> {
        let dim = self.vectors[0].len();
        for found in [v.len(), metric.dim()] {
            if found != dim {
                return Err(crate::LatentError::Dim { expected: dim, found }.into());
            }
        }
        let reading = metric.solve(v);
        Ok(self.vectors.iter().map(|a| dot(a, &reading)).collect())
    }
}

fn numeric(rows: Matrix, values: &[f64]) -> Result<Vec<f64>, DirectionError> {
    rows.expect_len("values", values.len())?;
    finite(values, 2)?;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    if values.iter().all(|v| *v == values[0]) {
        return Err(ScoreError::Constant { n: values.len(), value: values[0] }.into());
    }
    let centre = column_means(rows);
    let mut sum = vec![0.0; rows.dim()];
    for (row, value) in rows.iter().zip(values) {
        let weight = (value - mean) / (sd * n);
        sum.iter_mut().zip(row).zip(&centre).for_each(|((s, &x), c)| *s += weight * (f64::from(x) - c));
    }
    Ok(sum)
}

fn categorical(rows: Matrix, labels: &Labels) -> Result<Vec<Vec<f64>>, DirectionError> {
    rows.expect_len("labels", labels.len())?;
    labels.expect_each(1)?;
    let all = column_means(rows);
    let mut sums = vec![vec![0.0; rows.dim()]; labels.classes()];
    for (row, &class) in rows.iter().zip(labels.codes()) {
        sums[class].iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
    }
    for (sum, count) in sums.iter_mut().zip(labels.counts()) {
        sum.iter_mut().zip(&all).for_each(|(s, a)| *s = *s / count as f64 - a);
    }
    Ok(sums)
}

/// Makes `v` (d) orthogonal, in the metric, to all patterns.
pub(super) fn remove(v: &mut [f64], patterns: &[Pattern], metric: &Gaussian) -> Result<(), DirectionError> {
    let mut basis: Vec<(Vec<f64>, Vec<f64>)> = Vec::new(); // a and C^-1 a
    for a in patterns.iter().flat_map(|p| &p.vectors) {
        if a.len() != metric.dim() {
            return Err(crate::LatentError::Dim { expected: metric.dim(), found: a.len() }.into());
        }
        let squared = |a: &[f64]| dot(a, &metric.solve(a));
        let before = squared(a);
        let mut own = a.clone();
        // Twice is enough against rounding.
        for _ in 0..2 {
            take_out(&mut own, &basis);
        }
        let after = squared(&own);
        if after > LEAST_OWN * LEAST_OWN * before && after > 0.0 {
            own.iter_mut().for_each(|o| *o /= after.sqrt());
            basis.push((own.clone(), metric.solve(&own)));
        }
    }
    for _ in 0..2 {
        take_out(v, &basis);
    }
    Ok(())
}

fn take_out(v: &mut [f64], basis: &[(Vec<f64>, Vec<f64>)]) {
    for (a, reading) in basis {
        let part = dot(v, reading);
        v.iter_mut().zip(a).for_each(|(v, a)| *v -= part * a);
    }
}

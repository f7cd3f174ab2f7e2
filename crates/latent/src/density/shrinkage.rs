//! A covariance that can be inverted however few rows there are.
//!
//! With the sample covariance S (n rows, divided by n) and `mu = tr S / d`, the estimate is `(1 - a) S + a mu I`, and `a`
//! minimises the expected squared error (Ledoit and Wolf 2004):
//!
//! ```text
//! a = min(1, b / c),   c = |S - mu I|^2,   b = 1/n^2 sum_i |x_i x_i^T - S|^2
//! ```
//!
//! It is at least 1 / n here, because the noise of a handful of rows cannot be told from them. Checked against
//! scikit-learn's `ledoit_wolf`.

use rayon::prelude::*;

use crate::matrix::Matrix;

/// The least part of `mu I`: keeps the estimate positive definite where columns repeat each other.
const LEAST: f64 = 1e-7;

/// The covariance (d, d) of rows (n, d) around `centre`, which gives the point (d) that each row varies around: the mean
/// of all, or of the row's class. `None` if no row differs from its centre.
pub(crate) fn shrunken_covariance<'c>(rows: Matrix, centre: impl Fn(usize) -> &'c [f64]) -> Option<Vec<f64>> {
    estimate(rows, centre).map(|(covariance, _)| covariance)
}

/// The covariance and a.
fn estimate<'c>(rows: Matrix, centre: impl Fn(usize) -> &'c [f64]) -> Option<(Vec<f64>, f64)> {
    let (n, dim) = (rows.rows() as f64, rows.dim());
    let centred: Vec<Vec<f64>> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| row.iter().zip(centre(i)).map(|(&x, c)| f64::from(x) - c).collect())
        .collect();
    let mut s = scatter(&centred, dim);
    s.iter_mut().for_each(|v| *v /= n);
    let mu = (0..dim).map(|i| s[i * dim + i]).sum::<f64>() / dim as f64;
    if mu <= 0.0 {
        return None;
    }
    let squares: f64 = s.iter().map(|v| v * v).sum();
    let fourth: f64 = centred.iter().map(|x| x.iter().map(|v| v * v).sum::<f64>().powi(2)).sum();
    let b = (fourth / n - squares) / n;
    let c = squares - dim as f64 * mu * mu;
    let intensity = if b < c { (b / c).max(LEAST).max(1.0 / n) } else { 1.0 };
    for (at, v) in s.iter_mut().enumerate() {
        *v = (1.0 - intensity) * *v + if at / dim == at % dim { intensity * mu } else { 0.0 };
    }
    Some((s, intensity))
}

/// `sum_i x_i x_i^T` (d, d) of rows (d); each task has rows of the result, so that no sum is split.
pub(crate) fn scatter(rows: &[Vec<f64>], dim: usize) -> Vec<f64> {
    let mut sum = vec![0.0; dim * dim];
    sum.par_chunks_mut(8 * dim).enumerate().for_each(|(chunk, part)| {
        for x in rows {
            for (j, line) in part.chunks_exact_mut(dim).enumerate() {
                let i = 8 * chunk + j;
                line[i..].iter_mut().zip(&x[i..]).for_each(|(s, v)| *s += x[i] * v);
            }
        }
    });
    for i in 0..dim {
        for j in 0..i {
            sum[i * dim + j] = sum[j * dim + i];
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    #[test]
    fn few_rows_shrink_much_and_many_little() {
        let intensity = |n: usize| {
            let rows = normal(n, 10, 1);
            // Unequal scales, so that there is something to keep.
            let scaled = rows.data().iter().enumerate().map(|(at, v)| v * (1.0 + (at % 10) as f32)).collect();
            let scaled = crate::MatrixBuf::new(scaled, 10).unwrap();
            estimate(scaled.view(), |_| &[0.0; 10][..]).unwrap().1
        };
        assert!(intensity(10) > 0.2 && intensity(10) < 1.0, "{}", intensity(10));
        assert!(intensity(3000) < 0.01, "{}", intensity(3000));
    }

    #[test]
    fn one_row_is_a_sphere_and_equal_rows_are_nothing() {
        let row = crate::MatrixBuf::new(vec![3.0, 0.0], 2).unwrap();
        let one = estimate(row.view(), |_| &[0.0; 2][..]).unwrap();
        assert_eq!(one, (vec![4.5, 0.0, 0.0, 4.5], 1.0));
        assert!(shrunken_covariance(row.view(), |_| &[3.0, 0.0][..]).is_none());
    }

    #[test]
    fn the_scatter_is_that_of_the_definition() {
        let rows: Vec<Vec<f64>> =
            normal(30, 19, 2).view().iter().map(|r| r.iter().map(|&v| v.into()).collect()).collect();
        let found = scatter(&rows, 19);
        for at in 0..361 {
            let expected: f64 = rows.iter().map(|r| r[at / 19] * r[at % 19]).sum();
            assert!((found[at] - expected).abs() < 1e-12);
        }
    }
}

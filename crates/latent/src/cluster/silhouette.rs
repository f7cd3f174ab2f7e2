//! The silhouette: how much nearer rows are to their own cluster than to the next one (Rousseeuw 1987).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::error::LatentError;
use crate::matrix::{Matrix, squared_distance};

/// Most rows that are compared with each other; of more, so many are drawn.
pub const MOST_ROWS: usize = 2000;

/// The mean over rows of `(b - a) / max(a, b)`, -1..1: `a` is the mean Euclidean distance to the others of the row's
/// cluster, `b` that to the nearest other cluster; a row alone in its cluster counts 0. Above [`MOST_ROWS`] rows, of
/// that many drawn by `seed`, which stand for all.
///
/// # Errors
/// When there is not a label for each row, or fewer than two clusters among the rows that are compared.
pub fn silhouette(rows: Matrix<'_>, labels: &[u32], seed: u64) -> Result<f64, LatentError> {
    rows.expect_len("labels", labels.len())?;
    let sample = sample(rows.rows(), MOST_ROWS, seed);
    let labels: Vec<usize> = sample.iter().map(|&i| labels[i] as usize).collect();
    let k = labels.iter().max().map_or(0, |&m| m + 1);
    let mut sizes = vec![0usize; k];
    labels.iter().for_each(|&l| sizes[l] += 1);
    let clusters = sizes.iter().filter(|&&s| s > 0).count();
    if clusters < 2 {
        let expected = "2 or more".to_string();
        return Err(LatentError::Setting { what: "the number of clusters", value: clusters as f64, expected });
    }
    let width = |own: usize| {
        let mut sums = vec![0.0f64; k];
        for (&row, &label) in sample.iter().zip(&labels) {
            sums[label] += f64::from(squared_distance(rows.row(sample[own]), rows.row(row)).sqrt());
        }
        let of = labels[own];
        if sizes[of] == 1 {
            return 0.0;
        }
        let inside = sums[of] / (sizes[of] - 1) as f64;
        let others = (0..k).filter(|&c| c != of && sizes[c] > 0).map(|c| sums[c] / sizes[c] as f64);
        let outside = others.fold(f64::INFINITY, f64::min);
        let larger = inside.max(outside);
        if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
    };
    let widths: Vec<f64> = (0..sample.len()).into_par_iter().map(width).collect();
    Ok(widths.iter().sum::<f64>() / widths.len() as f64)
}

/// The numbers below `n`, or `most` of them drawn without replacement, in rising order.
pub(crate) fn sample(n: usize, most: usize, seed: u64) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    let mut drawn = rand::seq::index::sample(&mut ChaCha8Rng::seed_from_u64(seed), n, most).into_vec();
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::blobs;

    #[test]
    fn worked_by_hand() {
        // a = 1, b = 9.5 | a = 1, b = 8.5 | alone.
        let rows = Matrix::new(&[0.0, 1.0, 9.0, 10.0, 100.0], 1).unwrap();
        let expected = ((8.5 / 9.5) + (7.5 / 8.5) + (7.5 / 8.5) + (8.5 / 9.5) + 0.0) / 5.0;
        assert!((silhouette(rows, &[0, 0, 1, 1, 4], 0).unwrap() - expected).abs() < 1e-6);
        assert_eq!(silhouette(Matrix::new(&[1.0; 4], 1).unwrap(), &[0, 0, 1, 1], 0), Ok(0.0));
    }

    #[test]
    fn a_sample_is_close_to_the_whole() {
        let (rows, labels) = blobs(3 * MOST_ROWS, 4, 3, 1);
        let whole: Vec<usize> = (0..MOST_ROWS).collect();
        let part = silhouette(rows.view().select(&whole).unwrap().view(), &labels[..MOST_ROWS], 0).unwrap();
        let drawn = silhouette(rows.view(), &labels, 7).unwrap();
        assert!((part - drawn).abs() < 0.02 && drawn > 0.5, "{part} {drawn}");
    }

    #[test]
    fn bad_labels_are_named() {
        let rows = Matrix::new(&[1.0, 2.0], 1).unwrap();
        assert!(matches!(silhouette(rows, &[3, 3], 0), Err(LatentError::Setting { .. })));
        assert!(matches!(silhouette(rows, &[3], 0), Err(LatentError::Length { expected: 2, found: 1, .. })));
    }
}

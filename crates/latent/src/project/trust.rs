//! How far a map can be believed: trustworthiness (Venna & Kaski 2001).

use rayon::prelude::*;

use super::Place;
use crate::cluster::silhouette::sample;
use crate::error::LatentError;
use crate::matrix::{Matrix, squared_distance};
use crate::search::Metric;

/// Most rows whose neighbours are looked at; of more, so many are drawn.
pub const MOST_ROWS: usize = 1000;

/// 1 where the `k` nearest spots of each row are its nearest in the latents too, less by how far down the list of
/// neighbours those stand that are not; about 0.5 for a random map:
/// `1 - 2 / (n k (2n - 3k - 1)) sum_i sum_j max(0, rank(i, j) - k)`.
///
/// Above [`MOST_ROWS`] rows, the sum is that of so many, drawn by `seed`, against all.
///
/// # Errors
/// When there is not a spot for each row, or `k` is 0 or not below half the rows.
pub fn trustworthiness(
    rows: Matrix<'_>,
    places: &[Place],
    k: usize,
    metric: Metric,
    seed: u64,
) -> Result<f64, LatentError> {
    rows.expect_len("spots", places.len())?;
    let n = rows.rows();
    if k == 0 || 2 * k >= n {
        let expected = format!("1 or more and below half the rows, {n}");
        return Err(LatentError::Setting { what: "the number of neighbours", value: k as f64, expected });
    }
    let data = metric.prepare(rows);
    let row = |i: usize| &data[i * rows.dim()..][..rows.dim()];
    let sample = sample(n, MOST_ROWS, seed);
    let excess = |&own: &usize| -> f64 {
        let on_map: Vec<f32> = places.iter().map(|p| squared_distance(p, &places[own])).collect();
        let in_latents: Vec<f32> = (0..n).map(|j| squared_distance(row(j), row(own))).collect();
        let ranks = nearest(&on_map, own, k).into_iter().map(|j| {
            let nearer = |&i: &usize| i != own && (in_latents[i], i) < (in_latents[j], j);
            (0..n).filter(nearer).count() + 1
        });
        ranks.map(|rank| rank.saturating_sub(k) as f64).sum()
    };
    let sums: Vec<f64> = sample.par_iter().map(excess).collect();
    let (n, k) = (n as f64, k as f64);
    Ok(1.0 - 2.0 * sums.iter().sum::<f64>() / (sample.len() as f64 * k * (2.0 * n - 3.0 * k - 1.0)))
}

/// The `k` smallest of the distances, that to the row itself left out.
fn nearest(distances: &[f32], own: usize, k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..distances.len()).filter(|&j| j != own).collect();
    let by = |a: &usize, b: &usize| distances[*a].total_cmp(&distances[*b]).then(a.cmp(b));
    order.select_nth_unstable_by(k - 1, by);
    order.truncate(k);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    fn flat(n: usize, seed: u64) -> Vec<Place> {
        normal(n, 2, seed).data().as_chunks::<2>().0.to_vec()
    }

    #[test]
    fn the_latents_themselves_are_trusted_and_chance_is_not() {
        let rows = normal(400, 2, 1);
        let own: Vec<Place> = rows.data().as_chunks::<2>().0.to_vec();
        assert_eq!(trustworthiness(rows.view(), &own, 7, Metric::Euclidean, 0), Ok(1.0));
        let chance = trustworthiness(rows.view(), &flat(400, 2), 7, Metric::Euclidean, 0).unwrap();
        assert!((chance - 0.5).abs() < 0.05, "{chance}");
    }

    #[test]
    fn a_sample_speaks_for_the_whole() {
        let rows = normal(2 * MOST_ROWS, 3, 1);
        let places: Vec<Place> = rows.view().iter().map(|r| [r[0], r[1]]).collect();
        let of = |seed| trustworthiness(rows.view(), &places, 10, Metric::Euclidean, seed).unwrap();
        assert!((of(1) - of(2)).abs() < 0.01 && of(1) != of(2), "{} {}", of(1), of(2));
    }

    #[test]
    fn bad_input_is_named() {
        let rows = normal(10, 2, 1);
        for k in [0, 5] {
            let error = trustworthiness(rows.view(), &flat(10, 1), k, Metric::Euclidean, 0);
            assert!(matches!(error, Err(LatentError::Setting { .. })));
        }
        let error = trustworthiness(rows.view(), &flat(9, 1), 2, Metric::Euclidean, 0);
        assert!(matches!(error, Err(LatentError::Length { .. })));
    }
}

//! k-means: `k` centres that minimise the inertia, the sum of squared distances of rows to their nearest centre.
//!
//! Greedy k-means++ chooses the first centres (Arthur & Vassilvitskii 2007: the next centre is a row drawn in proportion
//! to its squared distance from those before; of a few such draws the best is kept), Lloyd's rounds move them, and the
//! best of several starts counts. A centre that has lost its rows goes to the row farthest from its own centre.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{assign, means};
use crate::error::LatentError;
use crate::matrix::{Matrix, MatrixBuf, squared_distance};

/// Settings of [`kmeans`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KMeansOptions {
    /// Number of starts, the best of which counts.
    pub restarts: usize,
    /// Most rounds of a start.
    pub rounds: usize,
    /// Draws the first centres.
    pub seed: u64,
}

impl Default for KMeansOptions {
    fn default() -> Self {
        Self { restarts: 4, rounds: 100, seed: 1 }
    }
}

/// Rows in `k` clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// The cluster of each row, below k.
    pub labels: Vec<u32>,
    /// The mean of each cluster, (k, d).
    pub centres: MatrixBuf,
    /// Sum of the rows' squared distances from their centres.
    pub inertia: f64,
    /// Rounds that the best start took.
    pub rounds: usize,
}

impl Clusters {
    /// The labels as [`crate::telling::telling`] and [`super::medoids`] read them, where a row may have none.
    pub fn labelled(&self) -> Vec<Option<u32>> {
        self.labels.iter().copied().map(Some).collect()
    }
}

/// Puts rows (n, d) into `k` clusters, `1 <= k <= n`. Cluster 0 is the largest.
///
/// ```
/// use strait_latent::cluster::{KMeansOptions, kmeans};
/// use strait_latent::Matrix;
/// let x = [0.0, 0.2, 9.0, 9.1, 9.2];
/// let clusters = kmeans(Matrix::new(&x, 1)?, 2, &KMeansOptions::default())?;
/// assert_eq!(clusters.labels, [1, 1, 0, 0, 0]);
/// assert!((clusters.centres.row(0)[0] - 9.1).abs() < 1e-5);
/// # Ok::<(), strait_latent::LatentError>(())
/// ```
///
/// # Errors
/// When `k` is 0 or above n.
pub fn kmeans(rows: Matrix<'_>, k: usize, options: &KMeansOptions) -> Result<Clusters, LatentError> {
    if !(1..=rows.rows()).contains(&k) {
        let expected = format!("between 1 and {}, the rows there are", rows.rows());
        return Err(LatentError::Setting { what: "the number of clusters", value: k as f64, expected });
    }
    let (data, dim) = (rows.data(), rows.dim());
    let start = |restart: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        rng.set_stream(restart);
        lloyd(data, dim, first_centres(rows, k, &mut rng), options.rounds)
    };
    let mut best = start(0);
    for restart in 1..options.restarts as u64 {
        let other = start(restart);
        if other.inertia < best.inertia {
            best = other;
        }
    }
    largest_first(&mut best, k, dim);
    let centres = MatrixBuf::new(best.centres, dim)?;
    Ok(Clusters { labels: best.labels, centres, inertia: best.inertia, rounds: best.rounds })
}

/// The end of a start.
pub(crate) struct Lloyd {
    pub labels: Vec<u32>,
    pub centres: Vec<f32>,
    pub inertia: f64,
    pub rounds: usize,
}

/// Lloyd's rounds from given centres until no row changes its cluster, at most `rounds` of them.
pub(crate) fn lloyd(data: &[f32], dim: usize, mut centres: Vec<f32>, rounds: usize) -> Lloyd {
    let k = centres.len() / dim;
    let (mut labels, mut squared) = assign(data, dim, &centres);
    let mut round = 0;
    while round < rounds {
        round += 1;
        let (moved, sizes) = means(data, dim, &labels, k);
        centres = moved;
        refill(data, dim, &mut centres, &sizes, &squared);
        let (next, distances) = assign(data, dim, &centres);
        let settled = next == labels;
        (labels, squared) = (next, distances);
        if settled {
            break;
        }
    }
    let inertia = squared.iter().map(|&s| f64::from(s)).sum();
    Lloyd { labels, centres, inertia, rounds: round }
}

/// Gives each centre without rows one of the rows that are farthest from theirs.
fn refill(data: &[f32], dim: usize, centres: &mut [f32], sizes: &[usize], squared: &[f32]) {
    let empty: Vec<usize> = (0..sizes.len()).filter(|&c| sizes[c] == 0).collect();
    if empty.is_empty() {
        return;
    }
    let mut farthest: Vec<usize> = (0..squared.len()).collect();
    farthest.sort_by(|&a, &b| squared[b].total_cmp(&squared[a]));
    for (&centre, &row) in empty.iter().zip(&farthest) {
        centres[centre * dim..][..dim].copy_from_slice(&data[row * dim..][..dim]);
    }
}

/// Greedy k-means++: `2 + ln k` draws for each centre, as scikit-learn makes them.
fn first_centres(rows: Matrix<'_>, k: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let tries = 2 + (k as f64).ln() as usize;
    let mut chosen = vec![rng.random_range(0..rows.rows())];
    let mut squared = distances(rows, chosen[0], None);
    while chosen.len() < k {
        let sums: Vec<f64> = squared.iter().scan(0.0, |sum, &s| Some(step(sum, s))).collect();
        let total = sums.last().copied().unwrap_or(0.0);
        let draw = |rng: &mut ChaCha8Rng| {
            if total > 0.0 {
                let at = rng.random::<f64>() * total;
                sums.partition_point(|&s| s <= at).min(rows.rows() - 1)
            } else {
                rng.random_range(0..rows.rows()) // all rows are centres already: copies of each other
            }
        };
        let mut best: Option<(f64, usize, Vec<f32>)> = None;
        for _ in 0..tries {
            let row = draw(rng);
            let next = distances(rows, row, Some(&squared));
            let inertia: f64 = next.iter().map(|&s| f64::from(s)).sum();
            if best.as_ref().is_none_or(|b| inertia < b.0) {
                best = Some((inertia, row, next));
            }
        }
        if let Some((_, row, next)) = best {
            chosen.push(row);
            squared = next;
        }
    }
    chosen.iter().flat_map(|&row| rows.row(row)).copied().collect()
}

fn step(sum: &mut f64, value: f32) -> f64 {
    *sum += f64::from(value);
    *sum
}

/// The squared distance of every row to one of them, or that in `known` where it is smaller.
fn distances(rows: Matrix<'_>, to: usize, known: Option<&[f32]>) -> Vec<f32> {
    let distance = |(i, row): (usize, &[f32])| {
        let squared = squared_distance(row, rows.row(to));
        known.map_or(squared, |known| known[i].min(squared))
    };
    rows.data().par_chunks(rows.dim()).enumerate().with_min_len(1024).map(distance).collect()
}

/// Numbers the clusters by falling size, equal ones by their first row.
fn largest_first(end: &mut Lloyd, k: usize, dim: usize) {
    let (mut sizes, mut firsts) = (vec![0usize; k], vec![usize::MAX; k]);
    for (row, &label) in end.labels.iter().enumerate() {
        sizes[label as usize] += 1;
        firsts[label as usize] = firsts[label as usize].min(row);
    }
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by_key(|&c| (std::cmp::Reverse(sizes[c]), firsts[c]));
    let mut place = vec![0u32; k];
    order.iter().enumerate().for_each(|(new, &old)| place[old] = new as u32);
    end.labels.iter_mut().for_each(|l| *l = place[*l as usize]);
    end.centres = order.iter().flat_map(|&c| &end.centres[c * dim..][..dim]).copied().collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::adjusted_rand_index;
    use crate::testing::{blobs, in_threads, normal};

    #[test]
    fn blobs_are_found_again() {
        let (rows, truth) = blobs(700, 6, 7, 1);
        let clusters = kmeans(rows.view(), 7, &KMeansOptions::default()).unwrap();
        assert_eq!(adjusted_rand_index(&clusters.labels, &truth).unwrap(), 1.0);
        // n d values of unit variance around their own mean.
        assert!((clusters.inertia / (693.0 * 6.0) - 1.0).abs() < 0.1, "{}", clusters.inertia);
        assert_eq!(clusters.centres.rows(), 7);
    }

    #[test]
    fn centres_are_the_means_and_rounds_lower_the_inertia() {
        let rows = normal(400, 3, 2);
        let inertia = |rounds| {
            let options = KMeansOptions { restarts: 1, rounds, seed: 3 };
            kmeans(rows.view(), 9, &options).unwrap()
        };
        let (early, late) = (inertia(1), inertia(100));
        assert!(late.inertia < 0.98 * early.inertia, "{} {}", early.inertia, late.inertia);
        let (means, sizes) = means(rows.data(), 3, &late.labels, 9);
        assert_eq!(means, late.centres.data());
        assert!(sizes.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn copies_of_one_row_can_be_any_number_of_clusters() {
        let rows = Matrix::new(&[2.0; 12], 2).unwrap();
        for k in 1..=6 {
            let clusters = kmeans(rows, k, &KMeansOptions::default()).unwrap();
            assert_eq!((clusters.inertia, clusters.centres.rows()), (0.0, k));
        }
        assert!(matches!(kmeans(rows, 7, &KMeansOptions::default()), Err(LatentError::Setting { .. })));
        assert!(matches!(kmeans(rows, 0, &KMeansOptions::default()), Err(LatentError::Setting { .. })));
    }

    #[test]
    fn a_lost_centre_is_given_rows_again() {
        let end = lloyd(&[0.0, 1.0, 10.0, 11.0, 50.0], 1, vec![0.5, 10.5, 1000.0], 10);
        assert_eq!(end.labels, [0, 0, 1, 1, 2]);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let rows = normal(3000, 5, 4);
        let run = || kmeans(rows.view(), 6, &KMeansOptions::default()).unwrap();
        assert_eq!(in_threads(1, run), in_threads(3, run));
    }
}

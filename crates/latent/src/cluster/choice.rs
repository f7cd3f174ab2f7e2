//! How many clusters: the number whose k-means has the highest silhouette.

use serde::Serialize;

use super::kmeans::{Clusters, KMeansOptions, kmeans};
use super::silhouette::{sample, silhouette};
use crate::error::LatentError;
use crate::matrix::Matrix;

/// Most rows that are clustered for each number tried; of more, so many are drawn. All are clustered in the end.
pub const MOST_ROWS: usize = 10_000;

/// The chosen clusters and what spoke for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Of all rows, with the chosen number of clusters.
    pub clusters: Clusters,
    /// The silhouette of each number tried, to be shown.
    pub tried: Vec<Tried>,
}

/// One number of clusters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tried {
    pub k: usize,
    /// -1..1; the highest was chosen. Below about 0.25 there is hardly a structure (Kaufman & Rousseeuw 1990).
    pub silhouette: f64,
}

/// k-means with each number of clusters in `ks`, and once more of all rows with the best of them; of equally good
/// ones, the smallest.
///
/// # Errors
/// When `ks` is empty, or one of them is below 2 or above the number of rows that are clustered.
pub fn choose_k(rows: Matrix<'_>, ks: &[usize], options: &KMeansOptions) -> Result<Choice, LatentError> {
    let drawn = rows.select(&sample(rows.rows(), MOST_ROWS, options.seed))?;
    let mut ks = ks.to_vec();
    ks.sort_unstable();
    ks.dedup();
    let mut tried = Vec::new();
    for &k in &ks {
        let silhouette = silhouette(drawn.view(), &kmeans(drawn.view(), k, options)?.labels, options.seed)?;
        tried.push(Tried { k, silhouette });
    }
    let best = tried.iter().rev().max_by(|a, b| a.silhouette.total_cmp(&b.silhouette)).ok_or_else(|| {
        let expected = "at least one number".to_string();
        LatentError::Setting { what: "the count of numbers of clusters to try", value: 0.0, expected }
    })?;
    Ok(Choice { clusters: kmeans(rows, best.k, options)?, tried })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::blobs;

    #[test]
    fn the_number_of_blobs_is_found() {
        let (rows, _) = blobs(600, 5, 6, 3);
        let choice = choose_k(rows.view(), &[9, 2, 3, 4, 5, 6, 7, 8], &KMeansOptions::default()).unwrap();
        assert_eq!(choice.clusters.centres.rows(), 6);
        assert_eq!(choice.tried.iter().map(|t| t.k).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(matches!(choose_k(rows.view(), &[], &KMeansOptions::default()), Err(LatentError::Setting { .. })));
        assert!(matches!(choose_k(rows.view(), &[1], &KMeansOptions::default()), Err(LatentError::Setting { .. })));
    }
}

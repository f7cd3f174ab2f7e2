//! How far away the nearest rows of a corpus are: low where latents are dense, whatever the shape of the whole.
//!
//! The score of a latent is its mean Euclidean distance to its k nearest neighbours (Angiulli and Pizzuti 2002), which
//! varies less than the distance to the k-th alone. A few outliers in the corpus do not matter, as they would to a
//! covariance.

use crate::error::LatentError;
use crate::matrix::Matrix;
use crate::search::{Exact, Metric, Neighbour};

/// Distances to the nearest of the rows (n, d) of a corpus.
#[derive(Debug, Clone)]
pub struct Neighbourhood<'a> {
    corpus: Exact<'a>,
    k: usize,
}

impl<'a> Neighbourhood<'a> {
    /// Looks at the `k` nearest rows of `corpus`; ten are usual.
    ///
    /// # Errors
    /// Unless `k` is at least 1 and smaller than the number of rows.
    pub fn new(corpus: Matrix<'a>, k: usize) -> Result<Self, LatentError> {
        if k == 0 || k >= corpus.rows() {
            let expected = format!("from 1 to {}, one less than there are rows", corpus.rows() - 1);
            return Err(LatentError::Setting { what: "the number of neighbours", value: k as f64, expected });
        }
        Ok(Self { corpus: Exact::new(corpus, Metric::Euclidean), k })
    }

    /// Mean distance of each row (m, d) to its k nearest rows of the corpus. For rows that are not in the corpus.
    ///
    /// ```
    /// use strait_latent::{Matrix, density::Neighbourhood};
    /// let corpus = [0.0, 1.0, 2.0, 10.0];
    /// let near = Neighbourhood::new(Matrix::new(&corpus, 1)?, 2)?;
    /// assert_eq!(near.distances(Matrix::new(&[0.5, 14.0], 1)?)?, [0.5, 8.0]);
    /// assert_eq!(near.own_distances()?, [1.5, 1.0, 1.5, 8.5]);
    /// # Ok::<(), strait_latent::LatentError>(())
    /// ```
    ///
    /// # Errors
    /// When the rows have another dimension.
    pub fn distances(&self, rows: Matrix) -> Result<Vec<f64>, LatentError> {
        Ok(self.corpus.nearest_all(rows, self.k)?.iter().map(|found| mean(found)).collect())
    }

    /// Mean distance of each row of the corpus (n) to its k nearest others.
    ///
    /// # Errors
    /// None: there are more than k rows.
    pub fn own_distances(&self) -> Result<Vec<f64>, LatentError> {
        Ok(self.corpus.neighbours(self.k)?.iter().map(|found| mean(found)).collect())
    }
}

fn mean(found: &[Neighbour]) -> f64 {
    found.iter().map(|n| f64::from(n.distance)).sum::<f64>() / found.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::squared_distance;
    use crate::testing::normal;

    #[test]
    fn distances_are_those_of_a_sorted_list() {
        let (corpus, rows) = (normal(80, 5, 1), normal(9, 5, 2));
        let found = Neighbourhood::new(corpus.view(), 7).unwrap().distances(rows.view()).unwrap();
        for (row, found) in rows.view().iter().zip(found) {
            let mut all: Vec<f64> = corpus.view().iter().map(|c| f64::from(squared_distance(row, c)).sqrt()).collect();
            all.sort_by(f64::total_cmp);
            assert!((found - all[..7].iter().sum::<f64>() / 7.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_lonely_row_is_far_and_duplicates_are_near() {
        let mut values = normal(50, 3, 3).into_data();
        values[..3].copy_from_slice(&[30.0, 0.0, 0.0]);
        values.copy_within(3..6, 6);
        let corpus = Matrix::new(&values, 3).unwrap();
        let one = Neighbourhood::new(corpus, 1).unwrap().own_distances().unwrap();
        assert_eq!((one[1], one[2]), (0.0, 0.0));
        assert!(one[0] > 20.0 && one[3..].iter().all(|&d| d > 0.0 && d < 4.0), "{one:?}");
    }

    #[test]
    fn as_many_neighbours_as_rows_are_refused() {
        let corpus = Matrix::new(&[0.0, 1.0], 1).unwrap();
        assert!(matches!(Neighbourhood::new(corpus, 2), Err(LatentError::Setting { value: 2.0, .. })));
        assert!(Neighbourhood::new(corpus, 0).unwrap_err().to_string().contains("from 1 to 1"));
    }
}

//! The row that stands for a cluster: the one with the least sum of distances to the others.

use rayon::prelude::*;

use super::members;
use crate::error::LatentError;
use crate::matrix::{Matrix, squared_distance};

/// Rows of a cluster that are measured against each other; of a larger cluster, the nearest to its mean are tried
/// against as many spread over all of it.
pub const MOST_ROWS: usize = 1000;

/// The medoid of each cluster (Euclidean), `None` for a number without rows. `labels` holds the cluster of each row,
/// or none.
///
/// # Errors
/// When there is not a label for each row.
pub fn medoids(rows: Matrix<'_>, labels: &[Option<u32>]) -> Result<Vec<Option<usize>>, LatentError> {
    rows.expect_len("labels", labels.len())?;
    Ok(members(labels).par_iter().map(|members| medoid(rows, members)).collect())
}

fn medoid(rows: Matrix<'_>, members: &[usize]) -> Option<usize> {
    let (candidates, others) = if members.len() <= MOST_ROWS {
        (members.to_vec(), members.to_vec())
    } else {
        let every = (0..MOST_ROWS).map(|i| members[i * members.len() / MOST_ROWS]);
        (central(rows, members), every.collect())
    };
    let sum = |&row: &usize| -> f64 {
        others.iter().map(|&other| f64::from(squared_distance(rows.row(row), rows.row(other)).sqrt())).sum()
    };
    let sums: Vec<f64> = candidates.par_iter().map(sum).collect();
    let best = (0..sums.len()).min_by(|&a, &b| sums[a].total_cmp(&sums[b]).then(candidates[a].cmp(&candidates[b])))?;
    Some(candidates[best])
}

/// The [`MOST_ROWS`] members nearest to their mean.
fn central(rows: Matrix<'_>, members: &[usize]) -> Vec<usize> {
    let mut mean = vec![0.0f64; rows.dim()];
    for &row in members {
        mean.iter_mut().zip(rows.row(row)).for_each(|(m, &v)| *m += f64::from(v) / members.len() as f64);
    }
    let mean: Vec<f32> = mean.into_iter().map(|m| m as f32).collect();
    let mut near: Vec<(f32, usize)> = members.iter().map(|&r| (squared_distance(rows.row(r), &mean), r)).collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.into_iter().take(MOST_ROWS).map(|n| n.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    #[test]
    fn the_middle_one_and_the_smaller_number_of_two() {
        let rows = Matrix::new(&[0.0, 5.0, 1.0, 9.0, 8.0, 7.0], 1).unwrap();
        let labels = [Some(0), None, Some(0), Some(2), Some(2), Some(2)];
        assert_eq!(medoids(rows, &labels), Ok(vec![Some(0), None, Some(4)]));
        assert!(matches!(medoids(rows, &labels[1..]), Err(LatentError::Length { .. })));
    }

    #[test]
    fn a_large_cluster_has_a_central_medoid() {
        let rows = normal(3 * MOST_ROWS, 2, 1);
        let medoid = medoids(rows.view(), &vec![Some(0); 3 * MOST_ROWS]).unwrap()[0].unwrap();
        let sum = |row: usize| -> f64 {
            rows.view().iter().map(|other| f64::from(squared_distance(rows.row(row), other).sqrt())).sum()
        };
        let least = (0..rows.rows()).into_par_iter().map(sum).reduce(|| f64::INFINITY, f64::min);
        assert!(sum(medoid) < 1.002 * least, "{} {least}", sum(medoid));
    }
}

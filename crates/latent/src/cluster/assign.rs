//! One step of k-means each way: the nearest centre of each row, the mean of each centre's rows.

use rayon::prelude::*;
use strait_engine::gemm::{A, Finish, Packed, Start, gemm};

use crate::matrix::{dot, squared_distance};

/// Rows in a block of the product.
const ROWS: usize = 128;

/// For each row (n, d) the nearest of the centres (k, d), the first of equally near ones, and the squared distance to
/// it. The centre is found by `argmax(x.c - |c|^2 / 2)`, so of two that differ by less than rounding either may be it.
pub(crate) fn assign(rows: &[f32], dim: usize, centres: &[f32]) -> (Vec<u32>, Vec<f32>) {
    let k = centres.len() / dim;
    let mut packed = Packed::default();
    packed.pack(centres, dim, dim, k, true);
    let halves: Vec<f32> = centres.chunks_exact(dim).map(|c| dot(c, c) / -2.0).collect();
    let block = |rows: &[f32]| {
        let m = rows.len() / dim;
        let mut scores = vec![0.0; m * k];
        gemm(m, A::rows(rows, dim), &packed, &mut scores, k, Start::Bias(&halves), Finish::None);
        let nearest = |(row, scores): (&[f32], &[f32])| {
            let best = largest(scores);
            (best as u32, squared_distance(row, &centres[best * dim..][..dim]))
        };
        rows.chunks_exact(dim).zip(scores.chunks_exact(k)).map(nearest).collect::<Vec<_>>()
    };
    rows.par_chunks(ROWS * dim).flat_map_iter(block).unzip()
}

/// Where the largest score stands, the first of equal ones.
fn largest(scores: &[f32]) -> usize {
    let top = scores.iter().fold(f32::NEG_INFINITY, |m, &s| if s > m { s } else { m });
    scores.iter().position(|&s| s == top).unwrap_or(0)
}

/// The mean of each cluster's rows, (k, d), and their numbers; that of a cluster without rows is zeros. Each is summed
/// in the order of the rows by one thread, in f64.
pub(crate) fn means(rows: &[f32], dim: usize, labels: &[u32], k: usize) -> (Vec<f32>, Vec<usize>) {
    let mut members = vec![Vec::new(); k];
    labels.iter().enumerate().for_each(|(row, &label)| members[label as usize].push(row));
    let mean = |members: &Vec<usize>| {
        let mut sum = vec![0.0f64; dim];
        for &row in members {
            sum.iter_mut().zip(&rows[row * dim..][..dim]).for_each(|(s, &v)| *s += f64::from(v));
        }
        let n = members.len().max(1) as f64;
        sum.into_iter().map(move |s| (s / n) as f32).collect::<Vec<f32>>()
    };
    let centres = members.par_iter().flat_map_iter(mean).collect();
    (centres, members.iter().map(Vec::len).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    #[test]
    fn the_nearest_centre_is_that_of_a_double_loop() {
        let (rows, centres) = (normal(500, 5, 1), normal(17, 5, 2));
        let (labels, squared) = assign(rows.data(), 5, centres.data());
        for (i, row) in rows.view().iter().enumerate() {
            let distances: Vec<f32> = centres.view().iter().map(|c| squared_distance(row, c)).collect();
            let least = distances.iter().copied().fold(f32::INFINITY, f32::min);
            assert_eq!((squared[i], distances[labels[i] as usize]), (least, least));
        }
    }

    #[test]
    fn means_by_hand() {
        let (means, sizes) = means(&[1.0, 0.0, 3.0, 2.0, 7.0, 7.0], 2, &[0, 0, 2], 3);
        assert_eq!(means, [2.0, 1.0, 0.0, 0.0, 7.0, 7.0]);
        assert_eq!(sizes, [2, 0, 1]);
    }
}

//! Where EM starts: k-means++ seeds (Arthur and Vassilvitskii 2007) and a few of Lloyd's steps.

use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::rows::Rows;

/// Lloyd's steps after seeding; EM does the rest.
const STEPS: usize = 6;
const CHUNK: usize = 256;

/// `k` centres (K, Z) of rows (N, Z), N >= 1.
pub(crate) fn centres(rows: Rows, k: usize, rng: &mut impl Rng) -> Vec<f32> {
    let mut centres = seeds(rows, k, rng);
    for _ in 0..STEPS {
        let nearest = nearest(rows, &centres);
        let mut sums = vec![0.0_f64; centres.len()];
        let mut counts = vec![0_usize; k];
        for (row, &(c, _)) in rows.iter().zip(&nearest) {
            counts[c] += 1;
            for (s, &x) in sums[c * rows.dim..].iter_mut().zip(row) {
                *s += f64::from(x);
            }
        }
        for (at, centre) in centres.iter_mut().enumerate() {
            // A centre that lost all its rows stays where it was.
            let count = counts[at / rows.dim];
            if count > 0 {
                *centre = (sums[at] / count as f64) as f32;
            }
        }
    }
    centres
}

/// For every row, its nearest centre (first of equals) and the squared distance to it.
pub(crate) fn nearest(rows: Rows, centres: &[f32]) -> Vec<(usize, f64)> {
    let find = |row: &[f32]| {
        let mut best = (0, f64::INFINITY);
        for (c, centre) in centres.chunks_exact(rows.dim).enumerate() {
            let d = squared_distance(row, centre);
            if d < best.1 {
                best = (c, d);
            }
        }
        best
    };
    let parts: Vec<Vec<_>> =
        rows.values.par_chunks(CHUNK * rows.dim).map(|part| part.chunks_exact(rows.dim).map(find).collect()).collect();
    parts.concat()
}

/// Each next seed is a row drawn with probability proportional to its squared distance from the seeds so far.
fn seeds(rows: Rows, k: usize, rng: &mut impl Rng) -> Vec<f32> {
    let mut seeds = rows.row(rng.random_range(0..rows.len())).to_vec();
    let mut distances = vec![f64::INFINITY; rows.len()];
    for _ in 1..k {
        let last = seeds[seeds.len() - rows.dim..].to_vec();
        distances.par_chunks_mut(CHUNK).zip(rows.values.par_chunks(CHUNK * rows.dim)).for_each(|(known, part)| {
            for (d, row) in known.iter_mut().zip(part.chunks_exact(rows.dim)) {
                *d = d.min(squared_distance(row, &last));
            }
        });
        let total: f64 = distances.iter().sum();
        let at = if total > 0.0 {
            let mut left = rng.random::<f64>() * total;
            let hit = distances.iter().position(|d| {
                left -= d;
                left < 0.0
            });
            hit.unwrap_or(rows.len() - 1)
        } else {
            // Fewer distinct rows than seeds: any row will do.
            rng.random_range(0..rows.len())
        };
        seeds.extend_from_slice(rows.row(at));
    }
    seeds
}

/// Four independent sums, so that the loop is not one long chain of additions.
fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 4];
    for (a, b) in a.chunks(4).zip(b.chunks(4)) {
        for ((s, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            let d = f64::from(a) - f64::from(b);
            *s += d * d;
        }
    }
    sums[0] + sums[1] + sums[2] + sums[3]
}

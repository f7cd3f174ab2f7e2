//! How strongly each row is drawn to its neighbours: t-SNE's P (van der Maaten & Hinton 2008).
//!
//! `p(j|i)` falls with the squared distance as `exp(-b_i d^2)`, where `b_i` gives row i the wanted perplexity (the
//! exponential of the entropy of `p(.|i)`: its number of neighbours, so to speak); `P_ij = (p(j|i) + p(i|j)) / 2n`.

use rayon::prelude::*;

use crate::search::{Metric, Neighbour};

/// P by rows: the entries of row i stand at `starts[i]..starts[i + 1]`, by rising column; all sum to 1.
pub(super) struct Affinities {
    pub starts: Vec<usize>,
    pub entries: Vec<(u32, f32)>,
}

impl Affinities {
    pub fn new(lists: &[Vec<Neighbour>], metric: Metric, perplexity: f64) -> Self {
        let n = lists.len();
        let conditional: Vec<Vec<f32>> = lists.par_iter().map(|list| weights(list, metric, perplexity)).collect();
        let mut sizes = vec![0usize; n];
        for (i, list) in lists.iter().enumerate() {
            sizes[i] += list.len();
            list.iter().for_each(|j| sizes[j.row] += 1);
        }
        let mut rows: Vec<Vec<(u32, f32)>> = sizes.into_iter().map(Vec::with_capacity).collect();
        for (i, (list, weights)) in lists.iter().zip(&conditional).enumerate() {
            for (j, &p) in list.iter().zip(weights) {
                let half = p / (2.0 * n as f32);
                rows[i].push((j.row as u32, half));
                rows[j.row].push((i as u32, half));
            }
        }
        rows.par_iter_mut().for_each(|row| {
            row.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            row.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                kept.1 += if same { next.1 } else { 0.0 };
                same
            });
        });
        let ends = rows.iter().scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        });
        let starts = std::iter::once(0).chain(ends).collect();
        Self { starts, entries: rows.concat() }
    }

    pub fn row(&self, i: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[i]..self.starts[i + 1]]
    }
}

/// `p(j|i)` for the neighbours of a row.
fn weights(list: &[Neighbour], metric: Metric, perplexity: f64) -> Vec<f32> {
    let squared: Vec<f64> = list.iter().map(|n| f64::from(metric.squared(n.distance))).collect();
    let nearest = squared.iter().copied().fold(f64::INFINITY, f64::min);
    let at = |b: f64| -> (Vec<f64>, f64) {
        let p: Vec<f64> = squared.iter().map(|d| (-b * (d - nearest)).exp()).collect();
        let sum: f64 = p.iter().sum();
        // H = ln sum + b E(d^2 - nearest).
        let mean = p.iter().zip(&squared).map(|(p, d)| p * (d - nearest)).sum::<f64>() / sum;
        (p.iter().map(|p| p / sum).collect(), sum.ln() + b * mean)
    };
    let spread = squared.iter().map(|d| d - nearest).sum::<f64>() / squared.len().max(1) as f64;
    if spread <= 0.0 {
        return vec![1.0 / list.len() as f32; list.len()]; // all equally far
    }
    let (mut low, mut high, mut b) = (0.0, f64::INFINITY, 1.0 / spread);
    for _ in 0..100 {
        let entropy = at(b).1;
        if (entropy - perplexity.ln()).abs() < 1e-5 {
            break;
        }
        if entropy > perplexity.ln() {
            low = b;
            b = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * b };
        } else {
            high = b;
            b = (low + high) / 2.0;
        }
    }
    at(b).0.into_iter().map(|p| p as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Exact;
    use crate::testing::normal;

    #[test]
    fn rows_have_the_wanted_perplexity_and_p_is_symmetric() {
        let rows = normal(300, 4, 1);
        let lists = Exact::new(rows.view(), Metric::Euclidean).neighbours(60).unwrap();
        for list in &lists {
            let entropy: f32 = weights(list, Metric::Euclidean, 20.0).iter().map(|p| -p * p.ln()).sum();
            assert!((entropy.exp() - 20.0).abs() < 0.01, "{}", entropy.exp());
        }
        let p = Affinities::new(&lists, Metric::Euclidean, 20.0);
        let sum: f32 = p.entries.iter().map(|e| e.1).sum();
        assert!((sum - 1.0).abs() < 1e-4);
        for i in 0..300 {
            assert!(p.row(i).is_sorted_by(|a, b| a.0 < b.0));
            for &(j, value) in p.row(i) {
                assert!(p.row(j as usize).contains(&(i as u32, value)));
            }
        }
    }

    #[test]
    fn equally_far_neighbours_share() {
        let list = [1, 2].map(|row| Neighbour { row, distance: 0.5 });
        assert_eq!(weights(&list, Metric::Cosine, 1.5), [0.5, 0.5]);
    }
}

//! Whether near latents belong to near texts.
//!
//! For each text, its `k` nearest by Euclidean distance of the latents are held against its `k` nearest by a distance
//! of the texts themselves: normalised edit distance (form) and TF-IDF cosine (words in common). Recall at `k` is the
//! share of the latter found among the former. TF-IDF against edit distance is the baseline row, `k / (n - 1)` what
//! chance gives. Every pair of texts is compared; nothing is approximated.
//!
//! Edit distances often tie. Ties at the edge of the `k` nearest are broken by lot, and the expectation over all lots
//! is reported, so that chance stays chance.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::edit_distance::EditDistance;
use crate::tfidf::TfIdf;
use crate::units::{Interner, Unit};

/// Most texts that are compared with each other; of more, so many are drawn.
pub const MAX_TEXTS: usize = 2000;

/// Agreement between neighbours of latents and of texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NeighbourReport {
    /// Number of distinct non-empty texts given.
    pub given: usize,
    /// Number of texts compared, at most [`MAX_TEXTS`].
    pub n: usize,
    /// Recall for each number of neighbours that is smaller than `n`.
    pub recall: Vec<NeighbourRecall>,
}

/// Recall at one number of neighbours, each 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NeighbourRecall {
    /// Number of neighbours.
    pub k: usize,
    /// Of the nearest texts by edit distance, the share among the nearest latents.
    pub latent_edit: f64,
    /// Of the nearest texts by TF-IDF cosine, the share among the nearest latents.
    pub latent_tfidf: f64,
    /// Baseline: of the nearest texts by edit distance, the share among the nearest by TF-IDF cosine.
    pub tfidf_edit: f64,
    /// What a random order of the texts would find.
    pub chance: f64,
}

impl NeighbourReport {
    /// Compares records (latent, text) for each number of neighbours in `ks`. Of equal texts the first counts, as they
    /// would find each other in any space; empty ones are left out. Give latents of length one for cosine neighbours.
    ///
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use strait_eval::{NeighbourReport, Unit};
    /// let records = [([0.0], "a red kite"), ([0.1], "a blue kite"), ([5.0], "two boats"), ([5.1], "two old boats")];
    /// let report = NeighbourReport::new(&records, Unit::Words, &[1], &mut ChaCha8Rng::seed_from_u64(1));
    /// assert_eq!((report.n, report.recall[0].latent_edit), (4, 1.0));
    /// ```
    pub fn new<L: AsRef<[f32]>, S: AsRef<str>>(
        records: &[(L, S)],
        unit: Unit,
        ks: &[usize],
        rng: &mut impl Rng,
    ) -> Self {
        let (mut interner, mut seen) = (Interner::new(), FxHashSet::default());
        let encoded = records.iter().map(|(latent, text)| (latent.as_ref(), interner.encode(text.as_ref(), unit)));
        let distinct: Vec<(&[f32], Vec<u32>)> =
            encoded.filter(|(_, text)| !text.is_empty() && seen.insert(text.clone())).collect();
        let given = distinct.len();
        let (latents, texts): (Vec<&[f32]>, Vec<Vec<u32>>) = draw(distinct, rng).into_iter().unzip();
        let n = texts.len();
        let spaces = [by_latent(&latents), by_edits(&texts), by_tfidf(&texts)];
        let ks: Vec<usize> = ks.iter().copied().filter(|&k| 0 < k && k < n).collect();
        let of_texts: Vec<Vec<[f64; 3]>> =
            (0..n).into_par_iter().map(|own| ks.iter().map(|&k| recalls(&spaces, own, k)).collect()).collect();
        let mean = |at: usize, pair: usize| of_texts.iter().map(|r| r[at][pair]).sum::<f64>() / n as f64;
        let recall = |(at, &k): (usize, &usize)| NeighbourRecall {
            k,
            latent_edit: mean(at, 0),
            latent_tfidf: mean(at, 1),
            tfidf_edit: mean(at, 2),
            chance: k as f64 / (n - 1) as f64,
        };
        Self { given, n, recall: ks.iter().enumerate().map(recall).collect() }
    }
}

/// At most [`MAX_TEXTS`] of the records, drawn without replacement.
fn draw<T>(mut records: Vec<T>, rng: &mut impl Rng) -> Vec<T> {
    if records.len() > MAX_TEXTS {
        for i in 0..MAX_TEXTS {
            let other = rng.random_range(i..records.len());
            records.swap(i, other);
        }
        records.truncate(MAX_TEXTS);
    }
    records
}

/// The distances between all texts in one space: row `i` holds those to the texts before `i`.
struct Distances(Vec<Vec<f64>>);

impl Distances {
    /// Computes the rows, each from its index.
    fn new(n: usize, row: impl Fn(usize) -> Vec<f64> + Sync + Send) -> Self {
        Self((0..n).into_par_iter().map(row).collect())
    }

    /// The distances from the text at `own` to all others.
    fn from(&self, own: usize) -> Vec<f64> {
        self.0[own].iter().copied().chain(self.0[own + 1..].iter().map(|row| row[own])).collect()
    }
}

/// Squared Euclidean distances.
fn by_latent(latents: &[&[f32]]) -> Distances {
    let square = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum();
    Distances::new(latents.len(), |i| latents[..i].iter().map(|other| square(latents[i], other)).collect())
}

/// Normalised edit distances.
fn by_edits(texts: &[Vec<u32>]) -> Distances {
    Distances::new(texts.len(), |i| {
        let text = EditDistance::new(&texts[i]);
        texts[..i].iter().map(|other| text.normalised(other)).collect()
    })
}

/// Cosine distances of TF-IDF weights, the texts themselves being the reference.
fn by_tfidf(texts: &[Vec<u32>]) -> Distances {
    let weights = TfIdf::new(texts);
    Distances::new(texts.len(), |i| (0..i).map(|j| 1.0 - weights.cosine(i, j)).collect())
}

/// Recall of one text's neighbours: latent against edits, latent against TF-IDF, TF-IDF against edits.
fn recalls([latent, edits, tfidf]: &[Distances; 3], own: usize, k: usize) -> [f64; 3] {
    let [latent, edits, tfidf] = [latent, edits, tfidf].map(|space| chances(&space.from(own), k));
    let overlap = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / k as f64;
    [overlap(&latent, &edits), overlap(&latent, &tfidf), overlap(&tfidf, &edits)]
}

/// The probability of each distance to be among the `k` smallest, `0 < k <= distances.len()`, when ties are broken by
/// lot.
fn chances(distances: &[f64], k: usize) -> Vec<f64> {
    let edge = *distances.to_vec().select_nth_unstable_by(k - 1, f64::total_cmp).1;
    let inside = distances.iter().filter(|&&d| d < edge).count();
    let ties = distances.iter().filter(|&&d| d == edge).count();
    let lot = (k - inside) as f64 / ties as f64;
    distances.iter().map(|&d| if d < edge { 1.0 } else { lot * f64::from(u8::from(d == edge)) }).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    /// Random texts of two to nine units, and a latent for each.
    fn records(n: usize) -> Vec<(Vec<f32>, String)> {
        let mut rng = rng();
        let mut word = move || char::from(b'a' + rng.random_range(0..12)).to_string();
        (0..n)
            .map(|i| (0..2 + i % 8).map(|_| word()).collect::<Vec<_>>().join(" "))
            .enumerate()
            .map(|(i, text)| (vec![(i * 7919 % 101) as f32, (i * 104_729 % 97) as f32], text))
            .collect()
    }

    #[test]
    fn a_tie_at_the_edge_is_shared() {
        assert_eq!(chances(&[0.5, 0.2, 0.5, 0.9, 0.5], 3), [2.0 / 3.0, 1.0, 2.0 / 3.0, 0.0, 2.0 / 3.0]);
        assert_eq!(chances(&[0.1, 0.2], 2), [1.0, 1.0]);
    }

    #[test]
    fn without_ties_recall_equals_that_of_sorted_lists() {
        let records = records(60);
        let report = NeighbourReport::new(&records, Unit::Words, &[1, 5, 60], &mut rng());
        let mut interner = Interner::new();
        let texts: Vec<Vec<u32>> = records.iter().map(|r| interner.encode(&r.1, Unit::Words)).collect();
        let weights = TfIdf::new(&texts);
        let nearest = |own: usize, k: usize, distance: &dyn Fn(usize) -> f64| -> Vec<usize> {
            let mut others: Vec<usize> = (0..60).filter(|&j| j != own).collect();
            others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            others[..k].to_vec()
        };
        assert_eq!((report.given, report.n, report.recall.len()), (60, 60, 2)); // 60 neighbours are too many
        for recall in &report.recall {
            let found: usize = (0..60)
                .map(|i| {
                    let square = |x: f32, y: f32| f64::from(x - y) * f64::from(x - y);
                    let by_latent = nearest(i, recall.k, &|j| {
                        let (a, b) = (&records[i].0, &records[j].0);
                        square(a[0], b[0]) + square(a[1], b[1])
                    });
                    let by_tfidf = nearest(i, recall.k, &|j| -weights.cosine(i, j));
                    by_latent.iter().filter(|j| by_tfidf.contains(j)).count()
                })
                .sum();
            let expected = found as f64 / (60 * recall.k) as f64;
            assert!((recall.latent_tfidf - expected).abs() < 0.02, "{recall:?} {expected}"); // few ties remain
        }
    }

    #[test]
    fn latents_that_lie_like_the_texts_recall_them_all() {
        // "a", "a a", "a a a", ...: the edit distance of i and j units is 1 - i / j, a function of ln j - ln i.
        let records: Vec<(Vec<f32>, String)> =
            (1..30).map(|i| (vec![(i as f32).ln()], vec!["a"; i].join(" "))).collect();
        let report = NeighbourReport::new(&records, Unit::Words, &[1, 3], &mut rng());
        assert!((report.recall[0].latent_edit - 1.0).abs() < 1e-12, "{report:?}");
        assert!((report.recall[1].latent_edit - 1.0).abs() < 0.02, "{report:?}");
    }

    #[test]
    fn unrelated_and_equal_latents_find_what_chance_finds() {
        let mut records = records(400);
        let unrelated = NeighbourReport::new(&records, Unit::Words, &[40], &mut rng()).recall[0];
        assert!((unrelated.latent_edit - unrelated.chance).abs() < 0.02, "{unrelated:?}");
        records.iter_mut().for_each(|r| r.0 = vec![0.0, 0.0]);
        let equal = NeighbourReport::new(&records, Unit::Words, &[40], &mut rng()).recall[0];
        assert!((equal.latent_edit - equal.chance).abs() < 1e-9, "{equal:?}");
        assert!(equal.tfidf_edit > 2.0 * equal.chance, "{equal:?}");
    }

    #[test]
    fn equal_and_empty_texts_are_left_out_and_too_many_are_drawn() {
        let few = [([0.0], "a b"), ([1.0], " a  b"), ([2.0], " "), ([3.0], "c")];
        let report = NeighbourReport::new(&few, Unit::Words, &[1, 2], &mut rng());
        assert_eq!((report.given, report.n, report.recall.len()), (2, 2, 1));
        assert_eq!(draw((0..5000).collect(), &mut rng()).len(), MAX_TEXTS);
        let none = NeighbourReport::new::<[f32; 1], &str>(&[], Unit::Words, &[1], &mut rng());
        assert_eq!((none.n, none.recall.len()), (0, 0));
    }
}

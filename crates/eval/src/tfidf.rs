//! Texts as weighted counts of their units, the baseline of every comparison of texts by meaning.
//!
//! With `c(w)` the count of unit `w` in a text and `d(w)` the number of the `n` texts that hold it, its weight is
//!
//! ```text
//! c(w) * (1 + ln( (1 + n) / (1 + d(w)) ))
//! ```
//!
//! and every text is scaled to length one (Salton and Buckley 1988, with the smoothed document frequency).

use rustc_hash::FxHashMap;

/// A set of texts as unit vectors.
#[derive(Debug, Clone)]
pub struct TfIdf {
    /// For each text (unit, weight) by rising unit.
    rows: Vec<Vec<(u32, f64)>>,
}

impl TfIdf {
    /// Weighs the units of `texts` by their frequency among these.
    ///
    /// ```
    /// let texts = strait_eval::TfIdf::new(&[vec![3, 4], vec![4, 3], vec![5]]);
    /// assert!((texts.cosine(0, 1) - 1.0).abs() < 1e-12);
    /// assert_eq!(texts.cosine(0, 2), 0.0);
    /// ```
    pub fn new(texts: &[Vec<u32>]) -> Self {
        let rows: Vec<Vec<(u32, f64)>> = texts.iter().map(|t| counts(t)).collect();
        let mut found_in = FxHashMap::<u32, usize>::default();
        rows.iter().flatten().for_each(|(unit, _)| *found_in.entry(*unit).or_insert(0) += 1);
        let rarity = |unit: u32| 1.0 + ((1 + texts.len()) as f64 / (1 + found_in[&unit]) as f64).ln();
        Self { rows: rows.into_iter().map(|row| scaled(row, rarity)).collect() }
    }

    /// Cosine of the angle between the texts at `a` and `b`, 0..1; 0 when one is empty.
    pub fn cosine(&self, a: usize, b: usize) -> f64 {
        let (mut a, mut b, mut sum) = (&self.rows[a][..], &self.rows[b][..], 0.0);
        while let (Some(x), Some(y)) = (a.first(), b.first()) {
            sum += if x.0 == y.0 { x.1 * y.1 } else { 0.0 };
            (a, b) = (&a[usize::from(x.0 <= y.0)..], &b[usize::from(y.0 <= x.0)..]);
        }
        sum
    }
}

/// How often each unit occurs in a text, by rising unit.
fn counts(text: &[u32]) -> Vec<(u32, f64)> {
    let mut units = text.to_vec();
    units.sort_unstable();
    units.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as f64)).collect()
}

/// Counts times rarity, scaled to length one.
fn scaled(row: Vec<(u32, f64)>, rarity: impl Fn(u32) -> f64) -> Vec<(u32, f64)> {
    let weights: Vec<(u32, f64)> = row.into_iter().map(|(unit, count)| (unit, count * rarity(unit))).collect();
    let length = weights.iter().map(|w| w.1 * w.1).sum::<f64>().sqrt();
    weights.into_iter().map(|(unit, weight)| (unit, weight / length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_worked_by_hand() {
        // Of three texts, unit 3 stands in two, 4 and 5 in one.
        let texts = TfIdf::new(&[vec![3, 3, 4], vec![5, 3], vec![]]);
        let (common, rare) = (1.0 + (4.0f64 / 3.0).ln(), 1.0 + 2.0f64.ln());
        let expected = 2.0 * common * common / ((4.0 * common * common + rare * rare).sqrt() * common.hypot(rare));
        assert!((texts.cosine(0, 1) - expected).abs() < 1e-12);
        assert_eq!(texts.cosine(0, 1), texts.cosine(1, 0));
        assert_eq!(texts.cosine(0, 2), 0.0);
    }
}

//! The nearest training sentence of a sample, if it is near.
//!
//! A sample cut into `k + 1` pieces keeps at least one of them whole under `k` edits. So every sentence within `k`
//! edits holds one of the pieces, and the edits left and right of it make up at least for how far it has moved from
//! either end (the pigeonhole filter, Baeza-Yates and Perleberg 1992). The sorted suffixes of [`Passages`] list the
//! places of a piece; the few sentences that pass are compared exactly, so nothing is missed.

use crate::edit_distance::EditDistance;
use crate::passages::Passages;

/// A training sentence near to a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearCopy {
    /// Index of the sentence.
    pub sentence: usize,
    /// Number of edits between the two.
    pub edits: usize,
    /// Edits over the units of the longer of the two, 0..1.
    pub distance: f64,
}

impl Passages {
    /// The nearest sentence to `sample` whose normalised edit distance is at most `threshold`, the first of equally
    /// near ones. Fast for thresholds up to about 0.3; from 0.5 on every sentence is compared.
    ///
    /// ```
    /// let train = strait_eval::Passages::new(vec![vec![3, 4, 5, 6, 7], vec![3, 4, 9, 9, 7]]);
    /// let near = train.nearest_within(&[3, 4, 5, 6, 8], 0.2).expect("one edit in five");
    /// assert_eq!((near.sentence, near.edits, near.distance), (0, 1, 0.2));
    /// ```
    pub fn nearest_within(&self, sample: &[u32], threshold: f64) -> Option<NearCopy> {
        if let Some(sentence) = self.position(sample) {
            return Some(NearCopy { sentence, edits: 0, distance: 0.0 });
        }
        let most = most_edits(longest_partner(sample.len(), threshold), threshold);
        if sample.is_empty() || most == 0 {
            return None;
        }
        let (text, mut nearest) = (EditDistance::new(sample), None::<NearCopy>);
        for sentence in self.candidates(sample, most) {
            let other = &self.sentences()[sentence];
            let longer = sample.len().max(other.len());
            let bound = nearest.map_or(threshold, |n| n.distance);
            let Some(edits) = text.within(other, most_edits(longer, bound)) else { continue };
            let distance = edits as f64 / longer as f64;
            if nearest.is_none_or(|n| distance < n.distance) {
                nearest = Some(NearCopy { sentence, edits, distance });
            }
        }
        nearest
    }

    /// The sentences that may lie within `most` edits of `sample`, in rising order.
    fn candidates(&self, sample: &[u32], most: usize) -> Vec<usize> {
        let pieces = most + 1;
        if pieces > sample.len() {
            return (0..self.sentences().len()).collect();
        }
        let mut candidates = Vec::new();
        for piece in 0..pieces {
            let (from, to) = (piece * sample.len() / pieces, (piece + 1) * sample.len() / pieces);
            candidates.extend(self.occurrences(&sample[from..to]).iter().filter_map(|&(sentence, at)| {
                let (sentence, at) = (sentence as usize, at as usize);
                let behind = self.sentences()[sentence].len() - at;
                (at.abs_diff(from) + behind.abs_diff(sample.len() - from) <= most).then_some(sentence)
            }));
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// The most edits that two texts, the longer of them of `longer` units, may have at a distance of at most `threshold`.
fn most_edits(longer: usize, threshold: f64) -> usize {
    let edits = (threshold.clamp(0.0, 1.0) * longer as f64) as usize;
    // The product may have been rounded to just below a whole number.
    edits + usize::from(edits < longer && (edits + 1) as f64 / longer as f64 <= threshold)
}

/// Units of the longest text that may lie within `threshold` of one of `len` units: all that it has more are edits.
fn longest_partner(len: usize, threshold: f64) -> usize {
    let mut longest = len;
    while threshold < 1.0 && longest + 1 - len <= most_edits(longest + 1, threshold) {
        longest += 1;
    }
    longest
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// The same by comparing with every sentence.
    fn slowly(train: &Passages, sample: &[u32], threshold: f64) -> Option<(usize, f64)> {
        let text = EditDistance::new(sample);
        let distances = train.sentences().iter().map(|s| text.normalised(s)).enumerate();
        distances.filter(|d| d.1 <= threshold).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    #[test]
    fn equals_the_comparison_with_every_sentence() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |n: usize| -> Vec<Vec<u32>> {
            (0..n).map(|_| (0..rng.random_range(1..25)).map(|_| rng.random_range(3..6)).collect()).collect()
        };
        let train = Passages::new(draw(400));
        let mut found = 0;
        for sample in draw(300) {
            for threshold in [0.0, 0.1, 0.2, 0.25, 0.3, 0.45, 0.6, 1.0] {
                let near = train.nearest_within(&sample, threshold).map(|n| (n.sentence, n.distance));
                assert_eq!(near, slowly(&train, &sample, threshold), "{sample:?} {threshold}");
                found += usize::from(near.is_some_and(|n| n.1 > 0.0));
            }
        }
        assert!(found > 300);
    }

    #[test]
    fn bounds_on_edits_and_lengths() {
        assert_eq!(most_edits(10, 0.2), 2);
        assert_eq!(most_edits(100, 0.29), 29); // 0.29 * 100 is just below 29
        assert_eq!(most_edits(5, 7.0), 5);
        assert_eq!(most_edits(5, -1.0), 0);
        assert_eq!(longest_partner(8, 0.2), 10);
        assert_eq!(longest_partner(3, 0.2), 3);
    }

    #[test]
    fn far_and_empty_samples_have_none() {
        let train = Passages::new(vec![vec![3, 4, 5, 6, 7]]);
        assert_eq!(train.nearest_within(&[8, 9, 5, 6, 7], 0.2), None);
        assert_eq!(train.nearest_within(&[], 0.2), None);
        assert_eq!(train.nearest_within(&[3, 4, 5, 6, 8], f64::NAN), None);
    }
}

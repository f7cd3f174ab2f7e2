//! Which passages of a sample stand in the training text.
//!
//! All suffixes of all training sentences, sorted: a sample's suffix falls between two neighbours, and the longer of
//! the common prefixes with them is the longest passage that begins there and stands in train (Manber and Myers
//! 1993). A passage lies within one training sentence.

use rayon::prelude::*;

/// The sorted suffixes of a set of sentences.
#[derive(Debug, Clone)]
pub struct Passages {
    sentences: Vec<Vec<u32>>,
    /// (sentence, first unit)
    suffixes: Vec<(u32, u32)>,
}

impl Passages {
    /// Sorts the suffixes of `sentences`; of equal ones that with the earliest start comes first, a whole sentence
    /// before the tail of another.
    pub fn new(sentences: Vec<Vec<u32>>) -> Self {
        let mut suffixes: Vec<(u32, u32)> =
            (0u32..).zip(&sentences).flat_map(|(s, units)| (0..units.len() as u32).map(move |at| (s, at))).collect();
        let text = |&(s, at): &(u32, u32)| &sentences[s as usize][at as usize..];
        suffixes.par_sort_unstable_by(|a, b| text(a).cmp(text(b)).then(a.1.cmp(&b.1)).then(a.0.cmp(&b.0)));
        Self { sentences, suffixes }
    }

    /// The sentences, in the order they were given.
    pub fn sentences(&self) -> &[Vec<u32>] {
        &self.sentences
    }

    /// Whether `sample` equals one of the sentences.
    pub fn contains(&self, sample: &[u32]) -> bool {
        self.position(sample).is_some()
    }

    /// Index of the first sentence that equals `sample`; an empty sample equals none.
    pub fn position(&self, sample: &[u32]) -> Option<usize> {
        let at = self.suffixes.partition_point(|s| self.text(s) < sample);
        self.suffixes.get(at).filter(|s| s.1 == 0 && self.text(s) == sample).map(|s| s.0 as usize)
    }

    /// Every place of `passage`, as (sentence, first unit).
    pub fn occurrences(&self, passage: &[u32]) -> &[(u32, u32)] {
        let from = self.suffixes.partition_point(|s| self.text(s) < passage);
        let found = self.suffixes[from..].partition_point(|s| self.text(s).starts_with(passage));
        &self.suffixes[from..from + found]
    }

    /// Number of units of the longest passage of `sample` that stands in one of the sentences.
    ///
    /// ```
    /// let train = strait_eval::Passages::new(vec![vec![3, 4, 5, 6], vec![7, 8]]);
    /// assert_eq!(train.longest(&[9, 4, 5, 6, 7, 8]), 3);
    /// ```
    pub fn longest(&self, sample: &[u32]) -> usize {
        let mut best = 0;
        for start in 0..sample.len() {
            if sample.len() - start <= best {
                break;
            }
            let wanted = &sample[start..];
            let at = self.suffixes.partition_point(|s| self.text(s) < wanted);
            for neighbour in [at.checked_sub(1), Some(at)].into_iter().flatten() {
                best = best.max(self.suffixes.get(neighbour).map_or(0, |s| common_prefix(self.text(s), wanted)));
            }
        }
        best
    }

    fn text(&self, &(sentence, start): &(u32, u32)) -> &[u32] {
        &self.sentences[sentence as usize][start as usize..]
    }
}

/// Number of units that two sentences begin with alike.
fn common_prefix(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// The same by trying every passage in every sentence.
    fn longest_slowly(sentences: &[Vec<u32>], sample: &[u32]) -> usize {
        let found = |passage: &[u32]| sentences.iter().any(|s| s.windows(passage.len()).any(|w| w == passage));
        (1..=sample.len()).rev().find(|&n| sample.windows(n).any(found)).unwrap_or(0)
    }

    #[test]
    fn equals_the_slow_search_on_random_sentences() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |n: usize| -> Vec<Vec<u32>> {
            (0..n).map(|_| (0..rng.random_range(1..9)).map(|_| rng.random_range(3..6)).collect()).collect()
        };
        let passages = Passages::new(draw(30));
        for sample in draw(300) {
            assert_eq!(passages.longest(&sample), longest_slowly(passages.sentences(), &sample), "{sample:?}");
            let position = passages.sentences().iter().position(|s| *s == sample);
            assert_eq!(passages.position(&sample), position, "{sample:?}");
            let places = passages.sentences().iter().flat_map(|s| s.windows(sample.len())).filter(|w| *w == sample);
            assert_eq!(passages.occurrences(&sample).len(), places.count(), "{sample:?}");
        }
    }

    #[test]
    fn the_tail_of_a_sentence_is_no_copy() {
        let passages = Passages::new(vec![vec![3, 4, 5]]);
        assert!(!passages.contains(&[4, 5]));
        assert_eq!(passages.occurrences(&[4, 5]), [(0, 1)]);
        assert_eq!(passages.longest(&[4, 5]), 2);
        assert_eq!(passages.longest(&[9]), 0);
    }
}

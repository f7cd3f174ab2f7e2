//! N-grams as integers.
//!
//! Up to five ids of 25 bits each, the oldest in the highest bits, make one `u128`, and so do up to six characters of 21
//! bits. Keys of different orders may be equal, so each order keeps its own map.

use crate::units::BOS;

/// Bits of one id within a key.
const BITS: usize = 25;

/// Bits of one character within a key: a Unicode scalar value fits.
const CHAR_BITS: usize = 21;

/// The largest id a key can hold.
pub(crate) const MAX_ID: u32 = (1 << BITS) - 1;

/// The key of an n-gram of at most five ids.
pub(crate) fn pack(gram: &[u32]) -> u128 {
    gram.iter().fold(0, |key, &id| push(key, id))
}

/// The key of the n-gram `key` with `id` behind it.
pub(crate) fn push(key: u128, id: u32) -> u128 {
    key << BITS | u128::from(id)
}

/// The n-gram without its newest id: its context.
pub(crate) fn context(key: u128) -> u128 {
    key >> BITS
}

/// The newest id of an n-gram.
pub(crate) fn newest(key: u128) -> u32 {
    (key & u128::from(MAX_ID)) as u32
}

/// The newest `n` ids of an n-gram.
pub(crate) fn suffix(key: u128, n: usize) -> u128 {
    key & ((1u128 << (BITS * n)) - 1)
}

/// Whether an n-gram of `n` ids starts with the padding before a sentence.
pub(crate) fn starts_with_bos(key: u128, n: usize) -> bool {
    key >> (BITS * (n - 1)) == u128::from(BOS)
}

/// Distinct n-grams of one order with how often each occurs, in order of their keys.
pub(crate) type Counted = Vec<(u128, u32)>;

/// The distinct n-grams of a sentence.
pub(crate) fn counts(sentence: &[u32], n: usize) -> Counted {
    tally(sentence.windows(n).map(pack))
}

/// The distinct n-grams of characters, of at most six.
pub(crate) fn char_counts(chars: &[char], n: usize) -> Counted {
    tally(chars.windows(n).map(|gram| gram.iter().fold(0, |key, &c| key << CHAR_BITS | u128::from(u32::from(c)))))
}

fn tally(keys: impl Iterator<Item = u128>) -> Counted {
    let mut keys: Vec<u128> = keys.collect();
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)).collect()
}

/// How many n-grams there are, repeated ones as often as they occur.
pub(crate) fn total(counted: &[(u128, u32)]) -> u64 {
    counted.iter().map(|&(_, count)| u64::from(count)).sum()
}

/// How many n-grams two sentences share, each as often as it occurs in both.
pub(crate) fn shared(a: &[(u128, u32)], b: &[(u128, u32)]) -> u64 {
    let in_b = |key| b.binary_search_by_key(&key, |other| other.0).map_or(0, |at| b[at].1);
    a.iter().map(|&(key, count)| u64::from(count.min(in_b(key)))).sum()
}

/// Every n-gram of several sentences, as often as it occurs in that sentence where it occurs most.
pub(crate) fn most(sentences: impl IntoIterator<Item = Counted>) -> Counted {
    gather(sentences, |a, b| a.max(b))
}

/// Every n-gram of several sentences, as often as it occurs in all of them.
pub(crate) fn sum(sentences: impl IntoIterator<Item = Counted>) -> Counted {
    gather(sentences, |a, b| a + b)
}

fn gather(sentences: impl IntoIterator<Item = Counted>, join: impl Fn(u32, u32) -> u32) -> Counted {
    let mut all: Counted = sentences.into_iter().flatten().collect();
    all.sort_unstable();
    all.chunk_by(|a, b| a.0 == b.0).map(|run| (run[0].0, run[1..].iter().fold(run[0].1, |c, x| join(c, x.1)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_key() {
        let key = pack(&[BOS, 7, MAX_ID, 1, 9]);
        assert_eq!(context(key), pack(&[BOS, 7, MAX_ID, 1]));
        assert_eq!(newest(key), 9);
        assert_eq!(suffix(key, 3), pack(&[MAX_ID, 1, 9]));
        assert!(starts_with_bos(key, 5));
        assert!(!starts_with_bos(suffix(key, 4), 4));
    }

    #[test]
    fn counts_within_a_sentence() {
        assert_eq!(counts(&[3, 4, 3, 4], 2), [(pack(&[3, 4]), 2), (pack(&[4, 3]), 1)]);
        assert!(counts(&[3], 2).is_empty());
    }

    #[test]
    fn n_grams_of_several_sentences() {
        let (a, b) = (counts(&[3, 3, 4], 1), counts(&[3, 5, 5], 1));
        assert_eq!((total(&a), shared(&a, &b)), (3, 1));
        assert_eq!(most([a.clone(), b.clone()]), [(3, 2), (4, 1), (5, 2)]);
        assert_eq!(sum([a, b]), [(3, 3), (4, 1), (5, 2)]);
    }

    #[test]
    fn six_of_the_largest_characters_are_told_apart() {
        let last = [char::MAX; 6];
        let mut other = last;
        other[0] = 'a';
        assert_ne!(char_counts(&last, 6), char_counts(&other, 6));
    }
}

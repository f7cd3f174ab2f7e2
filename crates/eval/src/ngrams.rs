//! N-grams as integers.
//!
//! Up to five ids of 25 bits each, the oldest in the highest bits, make one `u128`. Keys of different orders may be
//! equal, so each order keeps its own map.

use crate::units::BOS;

/// Bits of one id within a key.
const BITS: usize = 25;

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

/// The distinct n-grams of a sentence with how often each occurs, in order of their keys.
pub(crate) fn counts(sentence: &[u32], n: usize) -> Vec<(u128, u32)> {
    let mut keys: Vec<u128> = sentence.windows(n).map(pack).collect();
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)).collect()
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
}

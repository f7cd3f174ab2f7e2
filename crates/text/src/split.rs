//! Which records train and which validate: decided by a hash of each text.
//!
//! A text falls on the same side wherever it stands and however often it occurs, so that no
//! duplicate of a training text validates, and records that are added later move no old one
//! (except in small corpora, where validation is filled up to a least size).

use std::collections::BTreeMap;

/// Validation holds at least this many distinct texts, or a fifth of a smaller corpus.
const LEAST_VALID: usize = 50;

/// The indices of the training and of the validation records, each in the order of the corpus.
///
/// About `valid_fraction` of the distinct texts validate, at least 50 or a fifth of them if that
/// is less. A corpus of fewer than two distinct texts all goes to training. A fraction of 0 (or
/// less, or not a number) validates nothing.
pub fn split<S: AsRef<str>>(records: &[S], valid_fraction: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let hashes: Vec<u64> = records.iter().map(|r| hash(r.as_ref(), seed)).collect();
    let limit = threshold(records, &hashes, valid_fraction);
    (0..records.len()).partition(|&i| limit.is_none_or(|limit| hashes[i] > limit))
}

/// The largest hash that validates.
fn threshold<S: AsRef<str>>(records: &[S], hashes: &[u64], fraction: f64) -> Option<u64> {
    // Two texts of one hash count as one text: they fall on the same side anyway.
    let distinct: BTreeMap<u64, &str> = hashes.iter().zip(records).map(|(&h, r)| (h, r.as_ref())).collect();
    if distinct.len() < 2 || fraction.is_nan() || fraction <= 0.0 {
        return None;
    }
    // 2^64 as a float; the cast saturates at the top.
    let by_fraction = (fraction.min(1.0) * 18_446_744_073_709_551_616.0) as u64;
    let least = LEAST_VALID.min(distinct.len() / 5).max(1);
    let most = distinct.len() - 1;
    let count = distinct.range(..=by_fraction).count().clamp(least, most.max(1));
    distinct.keys().nth(count - 1).copied()
}

/// FNV-1a over the bytes, finished by the mix of SplitMix64: the same on every machine.
fn hash(text: &str, seed: u64) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325u64 ^ mix(seed);
    for &b in text.as_bytes() {
        h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(h)
}

fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn sides(texts: &[String], fraction: f64, seed: u64) -> (HashSet<&str>, HashSet<&str>) {
        let (train, valid) = split(texts, fraction, seed);
        assert_eq!(train.len() + valid.len(), texts.len());
        let set = |v: Vec<usize>| v.into_iter().map(|i| texts[i].as_str()).collect();
        (set(train), set(valid))
    }

    proptest! {
        #[test]
        fn disjoint_and_independent_of_order(
            mut texts in proptest::collection::vec("[ab]{0,4}", 0..80), seed: u64, fraction in 0f64..=1.0,
        ) {
            let forward = texts.clone();
            let (train, valid) = sides(&forward, fraction, seed);
            prop_assert!(train.is_disjoint(&valid));
            if !forward.is_empty() {
                prop_assert!(!train.is_empty());
            }
            texts.reverse();
            prop_assert_eq!(sides(&texts, fraction, seed), (train.clone(), valid.clone()));
        }
    }

    #[test]
    fn fraction_and_least_size() {
        let texts: Vec<String> = (0..20_000).map(|i| format!("text {i}")).collect();
        let n = split(&texts, 0.1, 1).1.len();
        assert!((1850..2150).contains(&n), "{n}");
        assert_eq!(split(&texts[..1000], 0.001, 1).1.len(), 50);
        assert_eq!(split(&texts[..20], 0.01, 1).1.len(), 4);
        assert_eq!(split(&texts[..2], 0.5, 1).1.len(), 1);
        assert_eq!(split(&texts[..1], 0.5, 1), (vec![0], vec![]));
        assert_eq!(split(&texts, 0.0, 1).1.len(), 0);
        assert_ne!(split(&texts, 0.1, 1), split(&texts, 0.1, 2));
    }

    #[test]
    fn records_added_later_move_none() {
        let texts: Vec<String> = (0..3000).map(|i| format!("text {i}")).collect();
        let (_, few) = split(&texts[..2000], 0.1, 9);
        let (_, many) = split(&texts, 0.1, 9);
        assert_eq!(few, many.into_iter().filter(|&i| i < 2000).collect::<Vec<_>>());
    }
}

//! Byte-pair merges learned from word counts (Sennrich et al. 2016).
//!
//! The `tokenizers` crate encodes and decodes; the merges are learned here, because its trainer
//! breaks some ties in the order of a randomly seeded hash map, and Strait promises the same
//! vocabulary for the same corpus. Here the most frequent pair wins, and among equals the pair
//! with the smallest ids.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::hash::QuickMap;

/// Two adjacent symbols.
pub(super) type Pair = (u32, u32);

/// How often a pair must occur to be merged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Least {
    /// In general.
    pub(super) count: u64,
    /// If the result has two characters or more of a script without blanks, where nothing else keeps phrases and whole
    /// clauses from becoming tokens that are hardly ever seen.
    pub(super) phrase: u64,
    /// If the result is (part of) one character: low, so that a decoder writes characters and not loose bytes.
    pub(super) character: u64,
}

impl Least {
    /// For a pair that spells `left` and `right`.
    fn of(self, left: &[u8], right: &[u8]) -> u64 {
        if is_one_character(left, right) {
            self.character.max(1)
        } else if is_phrase(left, right) {
            self.phrase.max(1)
        } else {
            self.count.max(1)
        }
    }

    /// The same for all.
    #[cfg(test)]
    pub(super) fn all(count: u64) -> Self {
        Self { count, phrase: count, character: count }
    }
}

/// Whether two parts are together the UTF-8 of one character, or the beginning of it.
fn is_one_character(left: &[u8], right: &[u8]) -> bool {
    let size = match left[0] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return false,
    };
    left.len() + right.len() <= size && right.iter().all(|b| (0x80..=0xBF).contains(b))
}

/// Whether two parts together hold two characters or more of a script without blanks: those whose UTF-8 begins with
/// E3 to E9: kana and Han. (Hangul is written with blanks.)
fn is_phrase(left: &[u8], right: &[u8]) -> bool {
    left.iter().chain(right).filter(|b| (0xE3..=0xE9).contains(*b)).count() >= 2
}

/// Learns merges over `words` (symbols, count). Symbols are indices into `expansions`, the bytes
/// each stands for; it grows by one for every new symbol, up to `max_symbols` in all. Stops when
/// no pair occurs as often as `least` says, so that every word that occurs that often has become
/// a single symbol unless `max_symbols` was reached.
///
/// Two merges may spell the same bytes (`a|bc`, `ab|c`): they share one symbol.
pub(super) fn learn(
    mut words: Vec<(Vec<u32>, u64)>,
    expansions: &mut Vec<Vec<u8>>,
    max_symbols: usize,
    least: Least,
) -> Vec<Pair> {
    let mut known = Symbols::new(expansions);
    let mut pairs = PairIndex::default();
    for (w, (symbols, count)) in words.iter().enumerate() {
        pairs.add(symbols, *count, w as u32);
    }
    let mut heap: BinaryHeap<(u64, Reverse<Pair>)> =
        pairs.counts.iter().map(|(&pair, &count)| (count, Reverse(pair))).collect();
    let mut touched = Vec::new();
    while expansions.len() < max_symbols {
        let Some((count, Reverse(pair))) = heap.pop() else {
            break;
        };
        let now = pairs.counts.get(&pair).copied().unwrap_or(0);
        if now != count {
            // An outdated entry: a count that grew has pushed its own entry, one that shrank has not.
            if now < count && now > 0 {
                heap.push((now, Reverse(pair)));
            }
            continue;
        }
        if count < least.of(&expansions[pair.0 as usize], &expansions[pair.1 as usize]) {
            continue;
        }
        let symbol = known.merge(pair, expansions);
        touched.clear();
        for w in pairs.take_places(pair) {
            let (symbols, count) = &mut words[w as usize];
            if symbols.windows(2).any(|p| (p[0], p[1]) == pair) {
                pairs.remove(symbols, *count);
                merge_in_place(symbols, pair, symbol);
                pairs.add_new(symbols, *count, w, symbol, &mut touched);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for &p in &touched {
            if let Some(&count) = pairs.counts.get(&p) {
                heap.push((count, Reverse(p)));
            }
        }
    }
    known.merges
}

/// The merges so far, and which symbol spells which bytes.
struct Symbols {
    by_bytes: HashMap<Vec<u8>, u32>,
    merged: HashSet<Pair>,
    merges: Vec<Pair>,
}

impl Symbols {
    fn new(expansions: &[Vec<u8>]) -> Self {
        Self { by_bytes: expansions.iter().cloned().zip(0..).collect(), merged: HashSet::new(), merges: Vec::new() }
    }

    /// Records the merge (once: a pair may come up again through a shared symbol, and its first
    /// rank then serves) and returns its symbol.
    fn merge(&mut self, pair: Pair, expansions: &mut Vec<Vec<u8>>) -> u32 {
        if self.merged.insert(pair) {
            self.merges.push(pair);
        }
        let mut bytes = expansions[pair.0 as usize].clone();
        bytes.extend_from_slice(&expansions[pair.1 as usize]);
        *self.by_bytes.entry(bytes).or_insert_with_key(|bytes| {
            expansions.push(bytes.clone());
            expansions.len() as u32 - 1
        })
    }
}

/// How often each pair occurs, and in which words it may occur.
#[derive(Default)]
struct PairIndex {
    counts: QuickMap<Pair, u64>,
    places: QuickMap<Pair, Vec<u32>>,
}

impl PairIndex {
    fn add(&mut self, symbols: &[u32], count: u64, word: u32) {
        for p in symbols.windows(2) {
            *self.counts.entry((p[0], p[1])).or_default() += count;
            self.places.entry((p[0], p[1])).or_default().push(word);
        }
    }

    /// As `add` after a merge: only pairs with the new symbol are new places.
    fn add_new(&mut self, symbols: &[u32], count: u64, word: u32, new: u32, touched: &mut Vec<Pair>) {
        for p in symbols.windows(2) {
            let pair = (p[0], p[1]);
            *self.counts.entry(pair).or_default() += count;
            if pair.0 == new || pair.1 == new {
                self.places.entry(pair).or_default().push(word);
                touched.push(pair);
            }
        }
    }

    /// The words where `pair` may occur, in order, each once.
    fn take_places(&mut self, pair: Pair) -> Vec<u32> {
        let mut places = self.places.remove(&pair).unwrap_or_default();
        places.sort_unstable();
        places.dedup();
        places
    }

    fn remove(&mut self, symbols: &[u32], count: u64) {
        for p in symbols.windows(2) {
            if let Some(c) = self.counts.get_mut(&(p[0], p[1])) {
                *c -= count;
            }
        }
    }
}

/// Replaces every occurrence of `pair`, from the left, by `new_id`.
fn merge_in_place(symbols: &mut Vec<u32>, pair: Pair, new_id: u32) {
    let mut write = 0;
    let mut read = 0;
    while read < symbols.len() {
        if read + 1 < symbols.len() && (symbols[read], symbols[read + 1]) == pair {
            symbols[write] = new_id;
            read += 2;
        } else {
            symbols[write] = symbols[read];
            read += 1;
        }
        write += 1;
    }
    symbols.truncate(write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plain twin: count everything again after every merge.
    fn learn_slowly(mut words: Vec<(Vec<u32>, u64)>, expansions: &mut Vec<Vec<u8>>, max: usize, min: u64) -> Vec<Pair> {
        let mut merges = Vec::new();
        while expansions.len() < max {
            let mut counts: HashMap<Pair, u64> = HashMap::new();
            for (s, c) in &words {
                for p in s.windows(2) {
                    *counts.entry((p[0], p[1])).or_default() += c;
                }
            }
            let best = counts.into_iter().map(|(p, c)| (c, Reverse(p))).max().filter(|b| b.0 >= min);
            let Some((_, Reverse(pair))) = best else {
                break;
            };
            let bytes = [&expansions[pair.0 as usize][..], &expansions[pair.1 as usize]].concat();
            let id = expansions.iter().position(|e| *e == bytes).unwrap_or_else(|| {
                expansions.push(bytes);
                expansions.len() - 1
            });
            for (s, _) in &mut words {
                merge_in_place(s, pair, id as u32);
            }
            if !merges.contains(&pair) {
                merges.push(pair);
            }
        }
        merges
    }

    fn alphabet() -> Vec<Vec<u8>> {
        (0..4).map(|b| vec![b]).collect()
    }

    proptest! {
        #[test]
        fn equals_the_slow_twin(
            words in proptest::collection::vec((proptest::collection::vec(0u32..3, 0..14), 1u64..5), 0..14),
            min in 1u64..6, room in 0usize..40,
        ) {
            let (mut fast, mut slow) = (alphabet(), alphabet());
            prop_assert_eq!(
                learn(words.clone(), &mut fast, 4 + room, Least::all(min)),
                learn_slowly(words, &mut slow, 4 + room, min)
            );
            prop_assert_eq!(fast, slow);
        }
    }

    #[test]
    fn frequent_words_become_one_symbol() {
        let words = vec![(vec![0, 1, 2, 3], 10), (vec![0, 1, 3], 2)];
        let mut expansions = alphabet();
        let merges = learn(words, &mut expansions, 100, Least::all(5));
        assert_eq!(merges, vec![(0, 1), (2, 3), (4, 5)]);
        assert_eq!(expansions[6], [0, 1, 2, 3]);
    }

    #[test]
    fn merges_that_spell_the_same_share_a_symbol() {
        // 0|1 first; then (01)|2 and 0|(12) both spell 012.
        let words = vec![(vec![0, 1], 9), (vec![0, 1, 2], 5), (vec![1, 2], 20)];
        let mut expansions = alphabet();
        learn(words, &mut expansions, 100, Least::all(1));
        let distinct: HashSet<_> = expansions.iter().collect();
        assert_eq!(distinct.len(), expansions.len());
    }
}

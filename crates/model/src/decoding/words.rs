//! The words of a corpus, to which a row can be held: no word is spelt that the corpus does not have.
//!
//! Rare words are several tokens. A model that has seen each of them a few times joins their parts anew when it draws,
//! to words that do not exist. Here a word is a run of letters as the tokenizer cuts it: a token that begins one
//! ([`WordPart::Start`]) and those that go on ([`WordPart::Inner`]). Everything else (numbers, signs, scripts without
//! blanks) is free and ends a word.

use std::collections::{BTreeSet, HashMap, HashSet};

use strait_text::tokenizer::WordPart;

/// The words of a corpus as token sequences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// What each token is in a word (V).
    parts: Vec<WordPart>,
    list: Vec<Vec<u32>>,
    /// The tokens that go on with a beginning, rising, by its hash; those that begin words by [`NOTHING`].
    next: HashMap<u64, Vec<u32>>,
    /// Hashes of words.
    whole: HashSet<u64>,
    /// Parts of words with which no word begins.
    never_first: Vec<u32>,
}

/// The hash of no token.
const NOTHING: u64 = 0;

impl Words {
    /// The words of `texts`, given as ids; `parts` (V) says what each token is.
    ///
    /// ```
    /// use strait_model::decoding::Words;
    /// use strait_text::tokenizer::WordPart::{Inner, Other, Start};
    /// // Two words, 0 1 and 0 2, and the sign 3.
    /// let words = Words::of(vec![Start, Inner, Inner, Other], &[vec![0, 1, 3, 0, 2]]);
    /// let banned = |history: &[u32]| {
    ///     let mut banned = Vec::new();
    ///     words.banned(history, |token| banned.push(token));
    ///     banned
    /// };
    /// assert_eq!(banned(&[3]), [1, 2]); // no word begins with them
    /// assert_eq!(banned(&[3, 0]), [0, 3]); // within a word
    /// assert_eq!(banned(&[3, 0, 1]), [1, 2]); // at its end
    /// ```
    pub fn of<T: AsRef<[u32]>>(parts: Vec<WordPart>, texts: &[T]) -> Self {
        let part = |&token: &u32| parts.get(token as usize).copied().unwrap_or_default();
        let mut list = BTreeSet::new();
        for run in texts.iter().flat_map(|text| text.as_ref().split(|token| part(token) == WordPart::Other)) {
            list.extend(run.chunk_by(|_, next| part(next) == WordPart::Inner).map(<[u32]>::to_vec));
        }
        Self::new(parts, list.into_iter().collect())
    }

    /// From a list of words.
    pub fn new(parts: Vec<WordPart>, list: Vec<Vec<u32>>) -> Self {
        let mut next: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut whole = HashSet::new();
        for word in &list {
            let mut hash = NOTHING;
            for &token in word {
                let known = next.entry(hash).or_default();
                if let Err(at) = known.binary_search(&token) {
                    known.insert(at, token);
                }
                hash = join(hash, token);
            }
            whole.insert(hash);
        }
        let mut words = Words { parts, list, next, whole, never_first: Vec::new() };
        let first = words.after(NOTHING);
        let never = (0..words.parts.len() as u32)
            .filter(|token| words.part(*token) != WordPart::Other && first.binary_search(token).is_err());
        words.never_first = never.collect();
        words
    }

    /// The words.
    pub fn list(&self) -> &[Vec<u32>] {
        &self.list
    }

    /// Names the tokens that would spell an unknown word after `history`, rising. A word that is unknown already (one
    /// that was asked for) may go on and end as it will.
    pub fn banned(&self, history: &[u32], mut each: impl FnMut(u32)) {
        let word = self.last(history);
        let (known, ends) = (self.after(word), self.whole.contains(&word));
        if word == NOTHING {
            return self.never_first.iter().for_each(|&token| each(token));
        }
        if known.is_empty() && !ends {
            return;
        }
        let first = self.after(NOTHING);
        for (token, part) in (0..).zip(&self.parts) {
            let allowed = match part {
                WordPart::Inner => known.binary_search(&token).is_ok(),
                WordPart::Start => ends && first.binary_search(&token).is_ok(),
                WordPart::Other => ends,
            };
            if !allowed {
                each(token);
            }
        }
    }

    /// The hash of the word that a history ends in; [`NOTHING`] where it ends in none.
    fn last(&self, history: &[u32]) -> u64 {
        let letters = history.iter().rposition(|&token| self.part(token) == WordPart::Other).map_or(0, |i| i + 1);
        let run = &history[letters..];
        let start = run.iter().rposition(|&token| self.part(token) == WordPart::Start).unwrap_or(0);
        run[start..].iter().fold(NOTHING, |hash, &token| join(hash, token))
    }

    fn after(&self, hash: u64) -> &[u32] {
        self.next.get(&hash).map_or(&[], Vec::as_slice)
    }

    fn part(&self, token: u32) -> WordPart {
        self.parts.get(token as usize).copied().unwrap_or_default()
    }
}

/// The hash of a beginning and a further token (the finaliser of SplitMix64, Steele et al. 2014); never [`NOTHING`].
fn join(hash: u64, token: u32) -> u64 {
    let mut x = hash.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(token) << 1 | 1);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use WordPart::{Inner, Other, Start};

    fn banned(words: &Words, history: &[u32]) -> Vec<u32> {
        let mut banned = Vec::new();
        words.banned(history, |token| banned.push(token));
        banned
    }

    /// Tokens 0 and 1 begin words, 2 to 4 go on, 5 is a sign.
    fn words(texts: &[Vec<u32>]) -> Words {
        Words::of(vec![Start, Start, Inner, Inner, Inner, Other], texts)
    }

    #[test]
    fn words_begin_after_signs_and_at_starts() {
        let words = words(&[vec![0, 2, 1, 5, 3, 4, 0], vec![0, 2, 3]]);
        assert_eq!(words.list(), [vec![0], vec![0, 2], vec![0, 2, 3], vec![1], vec![3, 4]]);
    }

    #[test]
    fn only_words_are_spelt() {
        let words = words(&[vec![0, 2, 3], vec![5, 3], vec![1]]);
        assert_eq!(banned(&words, &[]), [2, 4]);
        assert_eq!(banned(&words, &[5]), [2, 4]);
        assert_eq!(banned(&words, &[0]), [0, 1, 3, 4, 5], "only 2 goes on, and 0 is no word");
        assert_eq!(banned(&words, &[5, 1, 0, 2]), [0, 1, 2, 4, 5]);
        assert_eq!(banned(&words, &[0, 2, 3]), [2, 3, 4], "the end of a word");
    }

    #[test]
    fn what_was_asked_for_may_stand() {
        let words = words(&[vec![0, 2], vec![1]]);
        assert_eq!(banned(&words, &[0, 4]), [0_u32; 0]);
    }

    #[test]
    fn without_words_all_is_allowed_but_letters() {
        assert_eq!(banned(&words(&[]), &[5]), [0, 1, 2, 3, 4]);
    }
}

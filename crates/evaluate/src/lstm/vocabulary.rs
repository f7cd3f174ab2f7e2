//! The words that an LSTM judge knows: one list for all that it reads.

use std::collections::HashMap;

use strait_eval::Unit;
use strait_text::tokenizer::UNK;

/// Words of the training text at most, the most frequent ones.
const MOST: usize = 10_000;
/// First id of a word; those below have a role.
const FIRST: u32 = UNK + 1;

/// Words and their ids.
#[derive(Debug, Clone)]
pub(crate) struct Vocabulary {
    ids: HashMap<String, u32>,
    unit: Unit,
}

impl Vocabulary {
    /// The most frequent words of `texts`, equally frequent ones in the order of their letters.
    pub fn new(texts: &[String], unit: Unit) -> Self {
        let mut counts = HashMap::<&str, usize>::new();
        texts.iter().flat_map(|t| unit.split(t)).for_each(|w| *counts.entry(w).or_insert(0) += 1);
        counts.remove("<unk>"); // as corpora write it
        let mut words: Vec<(&str, usize)> = counts.into_iter().collect();
        words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let ids = words.iter().take(MOST).zip(FIRST..).map(|(w, id)| (w.0.to_owned(), id)).collect();
        Vocabulary { ids, unit }
    }

    /// Number of words.
    pub fn words(&self) -> usize {
        self.ids.len()
    }

    /// Number of ids: words, the unknown word, and the ends.
    pub fn size(&self) -> usize {
        FIRST as usize + self.ids.len()
    }

    /// The ids of each text that has a word; other texts are left out.
    pub fn encode(&self, texts: &[String]) -> Vec<Vec<u32>> {
        let id = |word: &str| self.ids.get(word).copied().unwrap_or(UNK);
        let of = |text: &String| self.unit.split(text).into_iter().map(id).collect::<Vec<u32>>();
        texts.iter().map(of).filter(|ids| !ids.is_empty()).collect()
    }
}

/// Share of words that are unknown, 0..1.
pub(crate) fn unknown(texts: &[Vec<u32>]) -> f64 {
    let all: usize = texts.iter().map(Vec::len).sum();
    texts.iter().flatten().filter(|&&id| id == UNK).count() as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_first_and_others_unknown() {
        let texts: Vec<String> = ["b a b", "c <unk> b a"].map(String::from).to_vec();
        let vocabulary = Vocabulary::new(&texts, Unit::Words);
        assert_eq!((vocabulary.words(), vocabulary.size()), (3, 7));
        let read = vocabulary.encode(&["b a c d <unk>".to_owned(), " ".to_owned()]);
        assert_eq!(read, [[4, 5, 6, UNK, UNK]]);
        assert_eq!(unknown(&read), 0.4);
    }
}

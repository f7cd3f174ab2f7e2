//! What figures per text, per word and per byte are divided by.

use serde::Serialize;
use strait_eval::Unit;
use strait_text::{Tokenizer, TokenizerKind, tokenizer::UNK};

/// The size of a set of texts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Counts {
    /// Number of texts.
    pub texts: usize,
    /// How they are cut into words: at blanks, or each character for scripts without blanks.
    pub unit: Unit,
    /// Words, and one end for each text.
    pub words_and_ends: usize,
    /// UTF-8 bytes, line ends not counted.
    pub bytes: usize,
    /// The model's own tokens, without ends.
    pub tokens: usize,
    /// Tokens that the model's tokenizer does not know: what they hide costs no nats.
    pub unknown: usize,
}

impl Counts {
    /// Counts texts and their ids.
    pub(crate) fn new(texts: &[&str], ids: &[&[u32]], unit: Unit, tokenizer: &Tokenizer) -> Self {
        let reads_unknown = matches!(tokenizer.kind(), TokenizerKind::Word | TokenizerKind::Char);
        let unknown = ids.iter().flat_map(|t| t.iter()).filter(|&&id| reads_unknown && id == UNK).count();
        Counts {
            texts: texts.len(),
            unit,
            words_and_ends: texts.iter().map(|t| unit.split(t).len() + 1).sum(),
            bytes: texts.iter().map(|t| t.len()).sum(),
            tokens: ids.iter().map(|t| t.len()).sum(),
            unknown,
        }
    }

    /// The rate of texts that cost `nats` each, (texts).
    pub(crate) fn rate(&self, nats: &[f64]) -> Rate {
        let n = self.texts.max(1) as f64;
        let total: f64 = nats.iter().sum();
        let mean = total / n;
        let squares: f64 = nats.iter().map(|x| (x - mean).powi(2)).sum();
        Rate {
            nats_per_text: mean,
            standard_error: (squares / (n - 1.0).max(1.0) / n).sqrt(),
            word_perplexity: (total / self.words_and_ends.max(1) as f64).exp(),
            bits_per_byte: total / std::f64::consts::LN_2 / self.bytes.max(1) as f64,
        }
    }
}

/// A cost in nats, in three units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// Mean over the texts.
    pub nats_per_text: f64,
    /// Standard error of that mean, from the spread between texts.
    pub standard_error: f64,
    /// `exp(nats / (words + ends))`.
    pub word_perplexity: f64,
    /// The only one of the three that compares models with different tokenizers.
    pub bits_per_byte: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_by_hand() {
        // "a b" and "c": three words and two ends, four bytes; a fair coin for each word or end costs 5 ln 2.
        let texts = ["a b", "c"];
        let tokenizer = Tokenizer::train(TokenizerKind::Word, None, ["a b", "a b"].into_iter()).expect("two words");
        let ids: Vec<Vec<u32>> = texts.iter().map(|t| tokenizer.encode(t)).collect();
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let counts = Counts::new(&texts, &ids, Unit::Words, &tokenizer);
        assert_eq!((counts.texts, counts.words_and_ends, counts.bytes, counts.tokens), (2, 5, 4, 3));
        assert_eq!(counts.unknown, 1, "c was not seen");
        let two = std::f64::consts::LN_2;
        let rate = counts.rate(&[3.0 * two, 2.0 * two]);
        assert!((rate.word_perplexity - 2.0).abs() < 1e-12);
        assert!((rate.bits_per_byte - 5.0 / 4.0).abs() < 1e-12);
        assert!((rate.nats_per_text - 2.5 * two).abs() < 1e-12);
        assert!((rate.standard_error - 0.5 * two).abs() < 1e-12); // deviation ln 2 / sqrt 2, over sqrt 2
    }
}

//! About so many words: what is added to the logits of ends so that lengths gather at a number of words.
//!
//! With n words written of N wanted, d = n - N: an end, and a sign that closes a sentence, gets d |d| / 2 nats. Far before N
//! nothing ends, near N the model chooses the place, beyond it every further word makes an end likelier. Signs are held back
//! with the ends because what follows a full stop in a model of single sentences is not language any more; after such a sign
//! no end is held back.

use strait_text::tokenizer::WordCount;

/// What each token (V) adds to the number of words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordCounts {
    tokens: Vec<WordCount>,
    /// Those that close a sentence.
    closing: Vec<u32>,
}

impl WordCounts {
    /// From what each token (V) is.
    pub fn new(tokens: Vec<WordCount>) -> Self {
        let closing = (0..).zip(&tokens).filter(|(_, count)| count.closes).map(|(token, _)| token).collect();
        WordCounts { tokens, closing }
    }

    /// Words in a row of tokens.
    ///
    /// ```
    /// use strait_model::decoding::WordCounts;
    /// use strait_text::tokenizer::WordCount;
    /// let texts = ["un", "kind", " word", "s", " .", "两"];
    /// let counts = WordCounts::new(texts.map(|text| WordCount::of(text, false)).to_vec());
    /// assert_eq!(counts.words(&[0, 1, 2, 3, 4]), 2);
    /// assert_eq!(counts.words(&[5, 5, 0, 4, 1]), 4);
    /// ```
    pub fn words(&self, tokens: &[u32]) -> usize {
        let mut inside = false;
        let mut words = 0;
        for count in tokens.iter().filter_map(|&token| self.tokens.get(token as usize)) {
            words += usize::from(count.words) - usize::from(inside && count.goes_on && count.words > 0);
            inside = count.ends_inside;
        }
        words
    }

    /// Tokens that close a sentence.
    pub(super) fn closing(&self) -> &[u32] {
        &self.closing
    }
}

/// What is added to the logits of ends after `words` words where about `wanted` are wanted, in nats.
pub(super) fn lift(words: usize, wanted: usize) -> f32 {
    let beyond = words as f32 - wanted as f32;
    0.5 * beyond * beyond.abs()
}

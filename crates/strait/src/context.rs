//! Going on from a text: its latent says what about, its last words how it begins.

use crate::{Decoding, Error, Latents, Model};

/// Last words of a context that a continuation begins with; of a script without blanks as many characters.
pub const CONTEXT_WORDS: usize = 3;

impl Model {
    /// `n` texts that go on from `context`: written from its latent, each beginning with what `decoding` requires, or with the
    /// context's last words.
    ///
    /// # Errors
    /// If the model cannot encode texts, or the controls contradict each other.
    pub fn continuations(&self, context: &str, n: usize, decoding: &Decoding, seed: u64) -> Result<Vec<String>, Error> {
        self.needs_encoder()?;
        let latent = self.encode(&[context]);
        let latents = Latents::new(latent.data().repeat(n), latent.dim());
        let prefix = decoding.prefix.clone().unwrap_or_else(|| last_words(context).into());
        let decoding = Decoding { prefix: Some(prefix), ..decoding.clone() };
        self.decode_part(&latents, 0, &decoding, seed)
    }
}

/// The end of a text from the [`CONTEXT_WORDS`]-last word on.
fn last_words(text: &str) -> &str {
    let text = text.trim();
    let starts = |is_start: &dyn Fn(usize, char) -> bool| -> Vec<usize> {
        text.char_indices().filter(|&(at, c)| is_start(at, c)).map(|(at, _)| at).collect()
    };
    let blank_before = |at: usize| text[..at].chars().next_back().is_none_or(char::is_whitespace);
    let words = starts(&|at, c| !c.is_whitespace() && blank_before(at));
    let starts = if words.len() > 1 { words } else { starts(&|_, _| true) };
    &text[starts.len().checked_sub(CONTEXT_WORDS).map_or(0, |i| starts[i])..]
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn words_or_characters() {
        assert_eq!(last_words("the soup was  cold today "), "was  cold today");
        assert_eq!(last_words("the soup"), "the soup");
        assert_eq!(last_words("今天的汤很好喝"), "很好喝");
        assert_eq!((last_words(""), last_words("汤")), ("", "汤"));
    }
}

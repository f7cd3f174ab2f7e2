//! A language model that reads a document as one text: the baseline without levels.

use strait_eval::Unit;
use strait_model::decoding::Options;
use strait_text::sentences::sentences;

use crate::{Decoding, Error, Model};

/// Sentences of what was said that it is given. It was not trained on longer texts than a few sentences.
const CONTEXT: usize = 5;
/// Tokens of a sentence at most.
const LONGEST: usize = 100;
/// Draws of a sentence until there is one.
const DRAWS: u64 = 4;

/// The language model, and what stands between its sentences.
pub(super) struct Flat<'a> {
    model: &'a mut Model,
    separator: &'static str,
}

impl<'a> Flat<'a> {
    /// # Errors
    /// If the model is none of language.
    pub(super) fn new(model: &'a mut Model, unit: Unit) -> Result<Self, Error> {
        if model.is_language_model() {
            Ok(Flat { model, separator: unit.separator() })
        } else {
            Err(Error::NoLanguageModel)
        }
    }

    fn text(&self, sentences: &[&str]) -> String {
        sentences.join(self.separator)
    }

    /// Nats of each text, its end not counted.
    fn nats(&mut self, texts: &[String]) -> Result<Vec<f64>, Error> {
        Ok(self.model.oddness(texts)?.iter().map(|odd| odd.nats - f64::from(odd.end)).collect())
    }

    /// How many nats each sentence gains by following each other, `gains[a][b]` of b after a; 0 of itself.
    pub(super) fn gains(&mut self, passage: &[&str]) -> Result<Vec<Vec<f64>>, Error> {
        let n = passage.len();
        let alone: Vec<String> = passage.iter().map(|s| (*s).to_owned()).collect();
        let pairs: Vec<String> = passage.iter().flat_map(|a| passage.iter().map(|b| self.text(&[a, b]))).collect();
        let (alone, pairs) = (self.nats(&alone)?, self.nats(&pairs)?);
        let gain = |a: usize, b: usize| if a == b { 0.0 } else { alone[a] + alone[b] - pairs[a * n + b] };
        Ok((0..n).map(|a| (0..n).map(|b| gain(a, b)).collect()).collect())
    }

    /// How many nats each option gains by following what was said.
    pub(super) fn gains_after(&mut self, said: &[&str], options: &[&str]) -> Result<Vec<f64>, Error> {
        let said = &said[said.len().saturating_sub(CONTEXT)..];
        let alone: Vec<String> = options.iter().map(|s| (*s).to_owned()).collect();
        let after: Vec<String> = options.iter().map(|s| self.text(&[said, &[s]].concat())).collect();
        let (alone, after) = (self.nats(&alone)?, self.nats(&after)?);
        // What was said costs the same before each.
        Ok(alone.iter().zip(&after).map(|(alone, after)| alone - after).collect())
    }

    /// `n` sentences after those of a text, each drawn after the last ones; fewer where the model writes none.
    pub(super) fn continue_text(&self, before: &[&str], n: usize, seed: u64) -> Result<Vec<String>, Error> {
        let mut said: Vec<String> = before.iter().map(|s| (*s).to_owned()).collect();
        for i in 0..n {
            let last: Vec<&str> = said[said.len().saturating_sub(CONTEXT)..].iter().map(String::as_str).collect();
            let prefix = self.text(&last);
            let read = self.model.tokenizer().encode(&prefix).len();
            let options = Options { max_len: read + LONGEST, ..self.model.config().sampling.clone() };
            let decoding = Decoding { options: Some(options), prefix: Some(prefix.clone()), ..Decoding::default() };
            let next = (0..DRAWS).find_map(|draw| {
                let text = self.model.sample(1, seed.wrapping_add(DRAWS * i as u64 + draw), &decoding);
                text.map(|text| first_sentence(&text[0], &prefix)).transpose()
            });
            match next.transpose()? {
                Some(sentence) => said.push(sentence),
                None => break,
            }
        }
        Ok(said.split_off(before.len()))
    }
}

/// The first sentence of a text after what it begins with.
fn first_sentence(text: &str, prefix: &str) -> Option<String> {
    // A tokenizer may read a text back with other blanks: what is no blank is counted.
    let mut given = prefix.chars().filter(|c| !c.is_whitespace()).count();
    let from = text.char_indices().find(|(_, c)| {
        let found = given == 0;
        given -= usize::from(!c.is_whitespace() && given > 0);
        found
    });
    from.and_then(|(at, _)| sentences(&text[at..]).first().map(|s| (*s).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn what_was_given_is_cut_off() {
        let first = |text, prefix| first_sentence(text, prefix).unwrap_or_default();
        assert_eq!(first("He came. He went. She sat.", "He  came."), "He went.");
        assert_eq!(first("他来了。她走了。", "他来了。"), "她走了。");
        assert_eq!((first("He came. ", "He came."), first("He", "He came.")), (String::new(), String::new()));
    }
}

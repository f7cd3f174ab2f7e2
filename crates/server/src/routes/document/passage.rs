//! The sentences that a request is about: a list of them, or a text that is cut into them as the command cuts a file.

use schemars::JsonSchema;
use serde::Serialize;
use strait::text::sentences::sentences as cut;

use crate::{options::Limits, refusal::Refusal};

const TEXT: &str = "/text";
const SENTENCES: &str = "/sentences";

/// Sentences and the field that they came from.
pub struct Passage<S> {
    pub sentences: Vec<S>,
    pub pointer: &'static str,
}

/// A sentence of the request.
#[derive(Serialize, JsonSchema)]
pub struct Place {
    /// Its place in the text, from 0.
    pub index: usize,
    pub text: String,
}

impl<S> Passage<S> {
    /// The sentences of a request; `of_text` makes one of a sentence of its text.
    ///
    /// # Errors
    /// Unless exactly one of the two is given, with at least one sentence in it.
    pub fn new(text: Option<String>, sentences: Option<Vec<S>>, of_text: impl Fn(&str) -> S) -> Result<Self, Refusal> {
        match (text, sentences) {
            (None, None) => Err(Refusal::invalid(TEXT, "missing; send a text, or its `sentences` as a list")),
            (Some(_), Some(_)) => {
                Err(Refusal::invalid(SENTENCES, "there is a `text`, too; send the text or its sentences"))
            }
            (Some(text), None) => match cut(&text).into_iter().map(of_text).collect::<Vec<_>>() {
                none if none.is_empty() => Err(Refusal::invalid(TEXT, "there is no sentence in it")),
                sentences => Ok(Passage { sentences, pointer: TEXT }),
            },
            (None, Some(sentences)) => match sentences.is_empty() {
                true => Err(Refusal::invalid(SENTENCES, "the list is empty; give it at least one sentence")),
                false => Ok(Passage { sentences, pointer: SENTENCES }),
            },
        }
    }

    /// Refuses more than `most` sentences, and long ones; `text` tells what is written of one.
    ///
    /// # Errors
    /// If there are.
    pub fn check(&self, most: usize, limits: &Limits, text: impl Fn(&S) -> &str) -> Result<(), Refusal> {
        let n = self.sentences.len();
        if n > most {
            return Err(Refusal::invalid(self.pointer, format!("{n} sentences; at most {most} here (see /info)")));
        }
        for (i, sentence) in self.sentences.iter().enumerate() {
            let chars = text(sentence).chars().count();
            if chars > limits.chars {
                let why = format!("sentence {i} has {chars} characters; at most {} (see /info)", limits.chars);
                let at = if self.pointer == TEXT { TEXT.into() } else { format!("{SENTENCES}/{i}") };
                return Err(Refusal::invalid(at, why));
            }
        }
        Ok(())
    }
}

/// The sentences of a request that has them all, at most `most`.
///
/// # Errors
/// As [`Passage::new`] and [`Passage::check`].
pub fn whole(
    text: Option<String>,
    sentences: Option<Vec<String>>,
    (most, limits): (usize, &Limits),
) -> Result<Vec<String>, Refusal> {
    let passage = Passage::new(text, sentences, str::to_owned)?;
    passage.check(most, limits, String::as_str)?;
    Ok(passage.sentences)
}

/// Sentences of a text by their places.
pub fn places(text: &[String], indices: &[usize]) -> Vec<Place> {
    indices.iter().map(|&index| Place { index, text: text[index].clone() }).collect()
}

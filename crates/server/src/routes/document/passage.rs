//! The sentences that a request is about: a list of them, or a text that is cut into them as the command cuts a file.

use schemars::JsonSchema;
use serde::Serialize;
use strait::{Error, text::sentences::sentences as cut};

use crate::{app::App, models::ServingDocument, options::Limits, refusal::Refusal, request::check};

const TEXT: &str = "/text";
const SENTENCES: &str = "/sentences";
const GIVEN: &str = "/given";

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

impl<S: Send + 'static> Passage<S> {
    /// The sentences of a request; `of_text` makes one of a sentence of its text, which is cut on the lane for what takes
    /// moments.
    ///
    /// # Errors
    /// Unless exactly one of the two is given, with at least one sentence in it.
    pub async fn of(
        app: &App,
        (text, sentences): (Option<String>, Option<Vec<S>>),
        of_text: impl Fn(&str) -> S + Send + 'static,
    ) -> Result<Self, Refusal> {
        let (sentences, pointer) = match (text, sentences) {
            (None, None) => return Err(Refusal::invalid(TEXT, "missing; send a text, or its `sentences` as a list")),
            (Some(_), Some(_)) => {
                return Err(Refusal::invalid(SENTENCES, "there is a `text`, too; send the text or its sentences"));
            }
            (None, Some(sentences)) => (sentences, SENTENCES),
            (Some(text), None) => {
                let cut = move || Ok(cut(&text).into_iter().map(of_text).collect());
                (app.lanes.quick.run(cut).await?, TEXT)
            }
        };
        if sentences.is_empty() {
            return Err(Refusal::invalid(pointer, "there is no sentence; at least one is wanted"));
        }
        Ok(Passage { sentences, pointer })
    }
}

impl<S> Passage<S> {
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
                let at = if self.pointer == SENTENCES { format!("{SENTENCES}/{i}") } else { self.pointer.into() };
                return Err(Refusal::invalid(at, why));
            }
        }
        Ok(())
    }
}

/// The sentences of a request that has them all, at most `most`.
///
/// # Errors
/// As [`Passage::of`] and [`Passage::check`].
pub async fn whole(
    app: &App,
    given: (Option<String>, Option<Vec<String>>),
    most: usize,
) -> Result<Vec<String>, Refusal> {
    let passage = Passage::of(app, given, str::to_owned).await?;
    passage.check(most, app.limits(), String::as_str)?;
    Ok(passage.sentences)
}

/// The sentences of documents that are given beside the text of a request, for a model that attends to such.
///
/// # Errors
/// If the model attends to none, or there are too many sentences or too long ones.
pub async fn beside(app: &App, document: &ServingDocument, given: Vec<String>) -> Result<Vec<Vec<String>>, Refusal> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    if !document.model.header().settings.given {
        return Err(Refusal::invalid(GIVEN, Error::AttendsToNothing.to_string()));
    }
    check::list(GIVEN, given.len(), app.limits())?;
    let sentences = |text: &String| cut(text).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let given: Vec<_> = app.lanes.quick.run(move || Ok(given.iter().map(sentences).collect())).await?;
    let all = Passage { sentences: given.iter().flatten().collect::<Vec<&String>>(), pointer: GIVEN };
    all.check(app.limits().texts, app.limits(), |sentence| sentence.as_str())?;
    Ok(given.into_iter().filter(|document: &Vec<String>| !document.is_empty()).collect())
}

/// Sentences of a text by their places.
pub fn places(text: &[String], indices: &[usize]) -> Vec<Place> {
    indices.iter().map(|&index| Place { index, text: text[index].clone() }).collect()
}

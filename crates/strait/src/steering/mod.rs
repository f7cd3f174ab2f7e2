//! Steering: a text moved towards a label, with checks of what came of it.
//!
//! [`Directions`] are learned from labelled texts: for each label a direction in the latent space that leaves the length
//! of texts and further attributes alone, and a classifier that tells whether an edit arrived. [`Model::steer`] moves the latent of a text along
//! one, decodes, and checks each outcome by encoding it again.

mod attribute;
mod directions;

use serde::Serialize;
use strait_eval::Unit;
use strait_latent::{Direction, Matrix, correlation::cosine};

use crate::{Decoding, Error, Latents, Model, Oddness};

pub use attribute::{Attribute, SideEffect};
pub use directions::{DirectionReport, Directions, DirectionsRequest};

/// Strengths that are tried where none is given: 1 is the distance of the labels' means.
const STRENGTHS: [f64; 16] = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0];

/// What is asked of an edit.
#[derive(Debug, Clone, PartialEq)]
pub struct SteerRequest {
    /// The label to move towards.
    pub toward: String,
    /// How far, as a share of the distance of the labels' means; without one, the least that the classifier takes for
    /// the label.
    pub strength: Option<f64>,
    /// Words that the outcome must hold if the text does.
    pub keep: Vec<String>,
    /// Least share of words that text and outcome must have in common (F1), 0..1.
    pub content: f64,
}

/// A text after an edit, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edit {
    pub text: String,
    /// The strength used.
    pub strength: f64,
    /// Probability of the label, by the outcome encoded again.
    pub probability: f64,
    /// The same before, of the text itself.
    pub before: f64,
    /// F1 of the words that text and outcome have in common.
    pub content: f64,
    /// Cosine of the latents of the text and the outcome.
    pub cosine: f64,
    /// Nats a token of the outcome costs, and the text's own.
    pub nats_per_token: f64,
    pub nats_per_token_before: f64,
    /// Log density of the outcome's latent less that of the text's; below 0: less like the corpus.
    pub density_change: Option<f64>,
    /// Whether the classifier takes it for the label, enough words are left, and those to be kept are there.
    pub verified: bool,
}

/// What an edit of a text tries, and how its outcomes are judged. [`Model::steer`] does both; a server does them apart, as
/// it has others encode and decode.
pub struct Steering<'a> {
    directions: &'a Directions,
    direction: &'a Direction,
    /// The label's place.
    label: usize,
    request: &'a SteerRequest,
}

/// A text as the model reads it.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    pub text: &'a str,
    /// Its latent.
    pub latent: &'a [f32],
    pub odd: &'a Oddness,
}

impl<'a> Steering<'a> {
    /// Towards the label of a request.
    ///
    /// # Errors
    /// If there is no such label.
    pub fn new(directions: &'a Directions, request: &'a SteerRequest) -> Result<Self, Error> {
        let (label, direction) = directions.toward(&request.toward)?;
        Ok(Steering { directions, direction, label, request })
    }

    /// Strengths to try on a text, given its latent; none if it has the label already, unless a strength was asked for.
    ///
    /// # Errors
    /// If the latent is of another model.
    pub fn strengths(&self, latent: &[f32]) -> Result<Vec<f64>, Error> {
        if let Some(strength) = self.request.strength {
            return Ok(vec![strength]);
        }
        let predicted = self.directions.classifier().predict(Matrix::new(latent, latent.len())?)?;
        Ok(if predicted == [self.label] { Vec::new() } else { STRENGTHS.to_vec() })
    }

    /// The latent moved by each strength.
    ///
    /// # Errors
    /// If the latent is of another model, or a strength leads beyond all numbers.
    pub fn moved(&self, latent: &[f32], strengths: &[f64]) -> Result<Latents, Error> {
        let mut moved = Vec::with_capacity(strengths.len() * latent.len());
        for &strength in strengths {
            moved.extend(self.direction.moved(latent, strength)?);
        }
        if !moved.is_empty() {
            Matrix::new(&moved, latent.len())?;
        }
        Ok(Latents::new(moved, latent.len()))
    }

    /// Of the outcomes, one for each strength, the first that is verified, or the one of the highest probability; without
    /// any, the text as it is.
    ///
    /// # Errors
    /// If a latent is of another model, or not finite.
    pub fn best(&self, source: Reading<'_>, outcomes: &[Reading<'_>], strengths: &[f64]) -> Result<Edit, Error> {
        if outcomes.is_empty() {
            return self.judge(source, source, 0.0);
        }
        let mut edits = Vec::with_capacity(outcomes.len());
        for (&outcome, &strength) in outcomes.iter().zip(strengths) {
            edits.push(self.judge(source, outcome, strength)?);
        }
        let best = edits.iter().position(|e| e.verified).unwrap_or_else(|| likeliest(&edits));
        Ok(edits.swap_remove(best))
    }

    fn judge(&self, source: Reading<'_>, outcome: Reading<'_>, strength: f64) -> Result<Edit, Error> {
        let classifier = self.directions.classifier();
        let probabilities =
            |latent: &[f32]| Ok::<_, Error>(classifier.probabilities(Matrix::new(latent, latent.len())?)?);
        let (before, after) = (probabilities(source.latent)?, probabilities(outcome.latent)?);
        let content = common_words(Unit::guess(&[source.text, outcome.text]), source.text, outcome.text);
        let holds = |text: &str, word: &str| text.to_lowercase().contains(&word.to_lowercase());
        let kept = self.request.keep.iter().all(|word| !holds(source.text, word) || holds(outcome.text, word));
        let arrived = after.iter().all(|&p| p <= after[self.label]);
        Ok(Edit {
            text: outcome.text.to_owned(),
            strength,
            probability: after[self.label],
            before: before[self.label],
            content,
            cosine: cosine(source.latent, outcome.latent)?,
            nats_per_token: outcome.odd.nats_per_token,
            nats_per_token_before: source.odd.nats_per_token,
            density_change: outcome.odd.log_density.zip(source.odd.log_density).map(|(after, before)| after - before),
            verified: arrived && content >= self.request.content && kept,
        })
    }
}

impl Model {
    /// Edits each text towards a label: of the strengths tried, the least whose outcome is verified, or, if none is, the
    /// one of the highest probability, with `verified` false. Unless a strength is given, a text that has the label already
    /// stays as it is.
    ///
    /// # Errors
    /// If there is no such label, or the controls of decoding contradict each other.
    pub fn steer<S: AsRef<str> + Sync>(
        &mut self,
        directions: &Directions,
        texts: &[S],
        request: &SteerRequest,
        decoding: &Decoding,
    ) -> Result<Vec<Edit>, Error> {
        self.needs_encoder()?;
        let steering = Steering::new(directions, request)?;
        let mut edits = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_ref();
            let own = self.encode(&[text]);
            let strengths = steering.strengths(own.row(0))?;
            let moved = steering.moved(own.row(0), &strengths)?;
            let outcomes = if moved.is_empty() { Vec::new() } else { self.decode(&moved, decoding)? };
            let all: Vec<&str> = std::iter::once(text).chain(outcomes.iter().map(String::as_str)).collect();
            let (latents, odd) = self.oddness_tokens(&self.tokenizer.encode_batch(&all))?;
            let read: Vec<Reading<'_>> =
                (0..all.len()).map(|i| Reading { text: all[i], latent: latents.row(i), odd: &odd[i] }).collect();
            edits.push(steering.best(read[0], &read[1..], &strengths)?);
        }
        Ok(edits)
    }

    /// A text that is to `c` as `b` is to `a`.
    ///
    /// # Errors
    /// As [`Model::decode`].
    pub fn analogy(&self, (a, b): (&str, &str), c: &str, decoding: &Decoding) -> Result<String, Error> {
        self.needs_encoder()?;
        let answer = self.analogous(&self.encode(&[a, b, c]))?;
        Ok(self.decode(&answer, decoding)?.swap_remove(0))
    }

    /// The latent of [`Model::analogy`]: to row 2 as row 1 is to row 0.
    ///
    /// # Errors
    /// If a latent is not finite.
    ///
    /// # Panics
    /// If there are fewer than three rows.
    pub fn analogous(&self, rows: &Latents) -> Result<Latents, Error> {
        self.needs_latents()?;
        let answer = strait_latent::direction::analogy(&[(rows.row(0), rows.row(1))], rows.row(2))?;
        Ok(Latents::new(answer, rows.dim()))
    }
}

fn likeliest(edits: &[Edit]) -> usize {
    (0..edits.len()).max_by(|&a, &b| edits[a].probability.total_cmp(&edits[b].probability).then(b.cmp(&a))).unwrap_or(0)
}

/// F1 of the words (with their numbers) that two texts have in common, 0..1.
fn common_words(unit: Unit, a: &str, b: &str) -> f64 {
    let (a, mut b) = (unit.split(a), unit.split(b));
    let all = a.len() + b.len();
    let common = a.iter().filter(|word| b.iter().position(|w| w == *word).map(|i| b.swap_remove(i)).is_some()).count();
    if all == 0 { 1.0 } else { 2.0 * common as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_common_by_hand() {
        assert_eq!(common_words(Unit::Words, "a b b c", "b d b"), 4.0 / 7.0);
        assert_eq!(common_words(Unit::Words, "", ""), 1.0);
        assert_eq!(common_words(Unit::Chars, "一只猫", "一只狗"), 2.0 / 3.0);
    }
}

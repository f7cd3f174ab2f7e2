//! Steering: a text moved towards a label, with checks of what came of it.
//!
//! [`Directions`] are learned from labelled texts: for each label a direction in the latent space that leaves the length
//! of texts alone, and a classifier that tells whether an edit arrived. [`Model::steer`] moves the latent of a text along
//! one, decodes, and checks each outcome by encoding it again.

mod directions;

use serde::Serialize;
use strait_eval::Unit;
use strait_latent::{Matrix, correlation::cosine};

use crate::{Decoding, Error, Latents, Model};

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
        let (label, direction) = directions.toward(&request.toward)?;
        let strengths = request.strength.map_or(STRENGTHS.to_vec(), |s| vec![s]);
        let mut edits = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_ref();
            let own = self.encode(&[text]);
            let has_it = directions.classifier().predict(Matrix::new(own.data(), own.dim())?)? == [label];
            if has_it && request.strength.is_none() {
                edits.extend(self.judge(directions, label, text, &[text.to_owned()], request)?);
                continue;
            }
            let mut moved = Vec::with_capacity(strengths.len() * own.dim());
            for &strength in &strengths {
                moved.extend(direction.moved(own.row(0), strength)?);
            }
            let outcomes = self.decode(&Latents::new(moved, own.dim()), decoding)?;
            let all = self.judge(directions, label, text, &outcomes, request)?;
            let mut all: Vec<Edit> =
                all.into_iter().zip(&strengths).map(|(e, &strength)| Edit { strength, ..e }).collect();
            let best = all.iter().position(|e| e.verified).unwrap_or_else(|| likeliest(&all));
            edits.push(all.swap_remove(best));
        }
        Ok(edits)
    }

    /// Looks at outcomes of editing `text`; strengths are left 0.
    fn judge(
        &mut self,
        directions: &Directions,
        label: usize,
        text: &str,
        outcomes: &[String],
        request: &SteerRequest,
    ) -> Result<Vec<Edit>, Error> {
        let all: Vec<&str> = std::iter::once(text).chain(outcomes.iter().map(String::as_str)).collect();
        let latents = self.encode(&all);
        let odd = self.oddness(&all)?;
        let probabilities = directions.classifier().probabilities(Matrix::new(latents.data(), latents.dim())?)?;
        let classes = directions.labels().len();
        let probability = |i: usize| probabilities[i * classes + label];
        let likeliest = |i: usize| {
            let own = &probabilities[i * classes..][..classes];
            own.iter().all(|&p| p <= own[label])
        };
        let unit = Unit::guess(&all);
        let kept = |outcome: &str| {
            let holds = |text: &str, word: &str| text.to_lowercase().contains(&word.to_lowercase());
            request.keep.iter().all(|word| !holds(text, word) || holds(outcome, word))
        };
        let mut edits = Vec::with_capacity(outcomes.len());
        for (i, outcome) in outcomes.iter().enumerate() {
            let content = common_words(unit, text, outcome);
            let arrived = likeliest(i + 1) && content >= request.content && kept(outcome);
            edits.push(Edit {
                text: outcome.clone(),
                strength: 0.0,
                probability: probability(i + 1),
                before: probability(0),
                content,
                cosine: cosine(latents.row(0), latents.row(i + 1))?,
                nats_per_token: odd[i + 1].nats_per_token,
                nats_per_token_before: odd[0].nats_per_token,
                density_change: odd[i + 1].log_density.zip(odd[0].log_density).map(|(after, before)| after - before),
                verified: arrived,
            });
        }
        Ok(edits)
    }

    /// A text that is to `c` as `b` is to `a`.
    ///
    /// # Errors
    /// As [`Model::decode`].
    pub fn analogy(&self, (a, b): (&str, &str), c: &str, decoding: &Decoding) -> Result<String, Error> {
        self.needs_encoder()?;
        let latents = self.encode(&[a, b, c]);
        let answer = strait_latent::direction::analogy(&[(latents.row(0), latents.row(1))], latents.row(2))?;
        Ok(self.decode(&Latents::new(answer, latents.dim()), decoding)?.swap_remove(0))
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

//! What is to be evaluated, on what, and how thoroughly.

use strait_eval::Unit;
use strait_model::{Autoencoder, folder::Config, prior::Prior};
use strait_text::Tokenizer;

use crate::EvaluateError;

/// Fewest texts that anything is measured on.
const LEAST_TEXTS: usize = 20;

/// The parts of a model, as they stand in its folder.
pub struct Subject<'a> {
    pub config: &'a Config,
    pub model: &'a mut Autoencoder,
    pub tokenizer: &'a Tokenizer,
    pub prior: &'a Prior,
}

/// How long each LSTM that judges samples may train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum JudgeBudget {
    /// Updates at most: the same figures on any machine.
    Steps(u64),
    /// About so many minutes at most, turned into updates by timing a few.
    Minutes(f64),
}

/// What to measure. Fields have defaults; see [`EvaluationRequest::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationRequest {
    /// Name of the held-out texts, for the record.
    pub name: String,
    /// The held-out texts: none is empty, and the model has not seen them.
    pub texts: Vec<String>,
    /// What the model was trained on: without it, samples are neither judged nor compared with it.
    pub train: Option<Vec<String>>,
    /// What a word is; guessed from the texts when absent.
    pub unit: Option<Unit>,
    /// Draws of a text's latent in the importance-weighted likelihood, S.
    pub importance: usize,
    /// Texts whose importance-weighted likelihood is estimated at most, spread evenly over all.
    pub importance_texts: usize,
    /// Samples of each seed; as many as there are texts when absent.
    pub samples: Option<usize>,
    /// The first seed, and how many there are: `seed`, `seed + 1`, ...
    pub seed: u64,
    pub seeds: usize,
    /// The budget of each LSTM judge; none trains none.
    pub judge: Option<JudgeBudget>,
    /// Temperatures at which samples are compared.
    pub temperatures: Vec<f32>,
}

impl EvaluationRequest {
    /// All that can be measured on `texts` alone, at the usual effort.
    pub fn new(name: impl Into<String>, texts: Vec<String>) -> Self {
        EvaluationRequest {
            name: name.into(),
            texts,
            train: None,
            unit: None,
            importance: 500,
            importance_texts: 1000,
            samples: None,
            seed: 1,
            seeds: 3,
            judge: Some(JudgeBudget::Steps(1000)),
            temperatures: Vec::new(),
        }
    }

    /// Texts that suffice for a first look.
    pub const FEW: usize = 500;

    /// The same with less effort, for a first look: fewer texts and draws, no LSTM judge.
    pub fn quick(self) -> Self {
        self.light().on_at_most(Self::FEW)
    }

    /// The same with fewer draws and without LSTM judge.
    pub fn light(self) -> Self {
        EvaluationRequest { importance: 50, importance_texts: 200, judge: None, ..self }
    }

    /// The same on at most so many of the texts, spread evenly over all.
    pub fn on_at_most(self, texts: usize) -> Self {
        EvaluationRequest { texts: spread(&self.texts, texts), ..self }
    }

    /// Refuses values with which nothing could be measured.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), EvaluateError> {
        let found = self.texts.len();
        if found < LEAST_TEXTS {
            return Err(EvaluateError::TooFewTexts { name: self.name.clone(), found, least: LEAST_TEXTS });
        }
        at_least_one("importance", self.importance)?;
        at_least_one("importance_texts", self.importance_texts)?;
        at_least_one("samples", self.samples.unwrap_or(1))?;
        at_least_one("seeds", self.seeds)?;
        if let Some(JudgeBudget::Minutes(m)) = self.judge.filter(|b| !b.is_positive()) {
            return Err(setting("judge_minutes", m, "above 0"));
        }
        match self.temperatures.iter().find(|t| !(t.is_finite() && **t > 0.0)) {
            Some(&t) => Err(setting("temperatures", t, "above 0 each")),
            None => Ok(()),
        }
    }

    /// What a word is.
    pub fn unit_or_guess(&self) -> Unit {
        self.unit.unwrap_or_else(|| Unit::guess(&self.texts))
    }

    /// The seeds.
    pub fn all_seeds(&self) -> Vec<u64> {
        (0..self.seeds as u64).map(|i| self.seed.wrapping_add(i)).collect()
    }
}

impl JudgeBudget {
    fn is_positive(self) -> bool {
        match self {
            JudgeBudget::Steps(_) => true,
            JudgeBudget::Minutes(m) => m.is_finite() && m > 0.0,
        }
    }
}

fn at_least_one(name: &'static str, value: usize) -> Result<(), EvaluateError> {
    if value == 0 { Err(setting(name, value, "at least 1")) } else { Ok(()) }
}

fn setting(name: &'static str, value: impl ToString, expected: &'static str) -> EvaluateError {
    EvaluateError::Setting { name, value: value.to_string(), expected }
}

/// At most `most` of the items, spread evenly over all.
pub(crate) fn spread<T: Clone>(items: &[T], most: usize) -> Vec<T> {
    places(items.len(), most).map(|i| items[i].clone()).collect()
}

/// The places of [`spread`].
pub(crate) fn places(n: usize, most: usize) -> impl Iterator<Item = usize> {
    let taken = n.min(most);
    (0..taken).map(move |i| i * n / taken)
}

/// How far an evaluation is; told again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    /// What is being done.
    pub part: &'a str,
    /// How much of it is done.
    pub done: usize,
    pub of: usize,
}

/// Hears how far it is.
pub(crate) type Hear<'a> = &'a mut dyn FnMut(Progress<'_>);

#[cfg(test)]
mod tests {
    use super::*;

    fn request(n: usize) -> EvaluationRequest {
        EvaluationRequest::new("test.txt", vec!["a b".into(); n])
    }

    #[test]
    fn what_cannot_be_measured_is_named() {
        assert!(request(20).check().is_ok());
        let said = |r: EvaluationRequest| r.check().err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said(request(3)).starts_with("test.txt: only 3 texts"));
        assert!(said(EvaluationRequest { importance: 0, ..request(20) }).contains("`importance` = 0"));
        assert!(said(EvaluationRequest { seeds: 0, ..request(20) }).contains("`seeds` = 0"));
        let judge = Some(JudgeBudget::Minutes(f64::NAN));
        assert!(said(EvaluationRequest { judge, ..request(20) }).contains("`judge_minutes` = NaN"));
        assert!(said(EvaluationRequest { temperatures: vec![0.5, -1.0], ..request(20) }).contains("-1"));
    }

    #[test]
    fn a_part_is_spread_over_all() {
        assert_eq!(spread(&[0, 1, 2, 3, 4, 5, 6, 7, 8], 3), [0, 3, 6]);
        assert_eq!(spread(&[0, 1], 3), [0, 1]);
        assert!(spread::<u8>(&[], 3).is_empty());
    }
}

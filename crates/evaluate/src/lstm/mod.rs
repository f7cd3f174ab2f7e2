//! The second judge of samples: a word-level LSTM language model (one layer of 256, tied embeddings of 128).
//!
//! One is trained on the training text and reads the samples (forward perplexity), one on each set of samples and reads
//! the held-out texts (reverse perplexity). All have the same fixed vocabulary, the same budget of updates, and stop
//! early on texts put aside from what they train on, never on the held-out ones. It sees further than five words, but is
//! trained for a bounded time only: its own perplexity on real text says how good a judge it is.

mod train;
mod vocabulary;

use serde::Serialize;
use strait_eval::Unit;
use strait_model::Autoencoder;

use crate::{
    EvaluateError,
    request::{Hear, JudgeBudget},
};
use train::{Budget, perplexity};
use vocabulary::{Vocabulary, unknown};

/// The judge: a model of the training text, and what is needed to train further ones.
pub(crate) struct LstmJudge {
    vocabulary: Vocabulary,
    test: Vec<Vec<u32>>,
    budget: Budget,
    forward: Autoencoder,
    facts: LstmFacts,
}

/// What the judge is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LstmFacts {
    /// Words it knows: the most frequent of the training text. Others read as one unknown word.
    pub vocabulary: usize,
    /// Share of the held-out words that are unknown to it.
    pub unknown: f64,
    /// Weights of each model.
    pub weights: usize,
    /// Updates that each model may make, and those that the model of the training text made until it got no better.
    pub budget_steps: u64,
    pub steps: u64,
    /// Perplexity per word of the model of the training text on held-out texts.
    pub perplexity: f64,
}

impl LstmJudge {
    /// Trains the model of the training text.
    pub fn new(
        (train, test): (&[String], &[String]),
        unit: Unit,
        budget: JudgeBudget,
        seed: u64,
        hear: Hear<'_>,
    ) -> Result<Self, EvaluateError> {
        let vocabulary = Vocabulary::new(train, unit);
        let (train, test) = (vocabulary.encode(train), vocabulary.encode(test));
        let budget = Budget::new(budget, &train, vocabulary.size(), seed)?;
        let mut trained = train::train(&train, vocabulary.size(), budget, ("LSTM of training text", hear))?;
        let facts = LstmFacts {
            vocabulary: vocabulary.words(),
            unknown: unknown(&test),
            weights: trained.model.params.weights(),
            budget_steps: budget.steps,
            steps: trained.steps,
            perplexity: perplexity(&mut trained.model, &test),
        };
        Ok(LstmJudge { vocabulary, test, budget, forward: trained.model, facts })
    }

    /// Forward perplexity of `read`; reverse perplexity of a model of `learned`; the share of unknown words in `read`.
    pub fn figures(
        &mut self,
        read: &[String],
        learned: &[String],
        name: &str,
        hear: Hear<'_>,
    ) -> Result<[(&'static str, f64); 3], EvaluateError> {
        let read = self.vocabulary.encode(read);
        let learned = self.vocabulary.encode(learned);
        let reverse = match learned.len() >= train::LEAST_TEXTS {
            true => {
                let mut trained = train::train(&learned, self.vocabulary.size(), self.budget, (name, hear))?;
                perplexity(&mut trained.model, &self.test)
            }
            false => f64::NAN,
        };
        Ok([
            ("lstm_forward_perplexity", perplexity(&mut self.forward, &read)),
            ("lstm_reverse_perplexity", reverse),
            ("unknown_words", unknown(&read)),
        ])
    }

    pub fn facts(self) -> LstmFacts {
        self.facts
    }
}

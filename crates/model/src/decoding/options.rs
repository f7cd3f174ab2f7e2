//! How to decode: every control, with its default off.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Blocked, WordCounts, Words};

/// Controls of decoding. The default is greedy, with no constraint but `max_len`.
///
/// Per step the order is: `repetition_penalty` and bans, `temperature`, `top_k`, `top_p`, `min_p`, `typical`, draw.
/// Each truncation renormalises what the one before it kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// T in p(x) ~ exp(logit / T); 0 takes the most likely token (greedy), 1 draws from the model as it is.
    pub temperature: f32,
    /// Draws among the k most likely tokens (Fan et al. 2018, <https://arxiv.org/abs/1805.04833>); 0 is off.
    pub top_k: usize,
    /// Draws among the fewest most likely tokens whose mass reaches p (nucleus sampling, Holtzman et al. 2020,
    /// <https://arxiv.org/abs/1904.09751>); 1 is off.
    pub top_p: f32,
    /// Draws among tokens with p(x) >= min_p max_y p(y) (Nguyen et al. 2024, <https://arxiv.org/abs/2407.01082>);
    /// 0 is off.
    pub min_p: f32,
    /// Draws among the tokens whose information is nearest the expected one, by |-log p(x) - H(p)|, until their mass
    /// reaches this (locally typical sampling, Meister et al. 2023, <https://arxiv.org/abs/2202.00666>); 1 is off.
    pub typical: f32,
    /// alpha in [0, 1): of the `top_k` most likely tokens takes the one with the largest (1 - alpha) p(x) - alpha s(x), s the
    /// largest cosine of the decoder's state after x with its states before (contrastive search, Su et al. 2022,
    /// <https://arxiv.org/abs/2202.06417>); 0 is off. It draws nothing.
    pub contrastive: f32,
    /// Hypotheses kept per row in beam search; 1 is off.
    pub beam: usize,
    /// Groups into which the hypotheses of a beam are split (diverse beam search, Vijayakumar et al. 2018,
    /// <https://arxiv.org/abs/1610.02424>); 1 is off.
    pub beam_groups: usize,
    /// Nats that a group pays, when it chooses what to go on with, for each hypothesis of the groups before it that goes on
    /// with the same token at the same place (lambda of the Hamming diversity). Only choices pay: the score stays log p.
    pub diversity: f32,
    /// alpha of ((5 + length) / 6)^alpha, by which a beam hypothesis' log p is divided (Wu et al. 2016,
    /// <https://arxiv.org/abs/1609.08144>): 0 ranks by probability, more favours longer texts.
    pub length_penalty: f32,
    /// theta >= 1 by which the logit of each token already in the row (its prefix included) is divided if positive,
    /// multiplied if negative (CTRL, Keskar et al. 2019, <https://arxiv.org/abs/1909.05858>); 1 is off.
    pub repetition_penalty: f32,
    /// No n tokens in a row appear twice (Paulus et al. 2017, <https://arxiv.org/abs/1705.04304>); 0 is off.
    pub no_repeat_ngram: usize,
    /// Token sequences that never appear; a sequence of one bans the token. Ends count: `[7, eos]` forbids to end
    /// after 7.
    pub banned: Vec<Vec<u32>>,
    /// n-grams that no row completes, such as those of the training text; not part of any file.
    #[serde(skip)]
    pub blocked: Option<Arc<Blocked>>,
    /// Spells no word that the model's corpus does not have (numbers and scripts without blanks are free); of no effect
    /// where the model does not know the words.
    pub known_words: bool,
    /// Those words; a model sets them.
    #[serde(skip)]
    pub words: Option<Arc<Words>>,
    /// Tokens with which a row must start, for all rows or for each. They go before every ban, and count in lengths
    /// and in nats.
    pub prefix: Prefix,
    /// A row has at most so many tokens (its end not counted), and is cut there.
    pub max_len: usize,
    /// A row does not end before so many tokens.
    pub min_len: usize,
    /// Rows gather at about so many words (see `decoding/length.rs` for how); 0 is off. Of no effect without `counts`.
    pub about_words: usize,
    /// How words are counted; whoever knows the tokenizer sets it.
    #[serde(skip)]
    pub counts: Option<Arc<WordCounts>>,
    /// A further token that ends a row beside the model's own end: a newline, for instance.
    pub eos: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            typical: 1.0,
            contrastive: 0.0,
            beam: 1,
            beam_groups: 1,
            diversity: 0.0,
            length_penalty: 0.0,
            repetition_penalty: 1.0,
            no_repeat_ngram: 0,
            banned: Vec::new(),
            blocked: None,
            known_words: false,
            words: None,
            prefix: Prefix::default(),
            max_len: 128,
            min_len: 0,
            about_words: 0,
            counts: None,
            eos: None,
        }
    }
}

/// The tokens with which a row must start. In a file: `[3, 4]` for all rows, `[[3, 4], [5]]` for each row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a list of tokens for all rows, or a list of such lists, one for each row")]
pub enum Prefix {
    /// The same for all rows; empty for none.
    All(Vec<u32>),
    /// One for each row, in order; rows beyond the list have none.
    Rows(Vec<Vec<u32>>),
}

impl Default for Prefix {
    fn default() -> Self {
        Prefix::All(Vec::new())
    }
}

impl Prefix {
    /// The prefix of row `row`.
    pub fn of(&self, row: usize) -> &[u32] {
        match self {
            Prefix::All(tokens) => tokens,
            Prefix::Rows(rows) => rows.get(row).map_or(&[], Vec::as_slice),
        }
    }

    /// The distinct prefixes given.
    pub(super) fn all(&self) -> &[Vec<u32>] {
        match self {
            Prefix::All(tokens) => std::slice::from_ref(tokens),
            Prefix::Rows(rows) => rows,
        }
    }
}

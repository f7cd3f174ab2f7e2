//! Decoding: turns a next-token model p(x_t | x_<t) into token sequences, a batch at a time.
//!
//! Each step takes the logits (rows, V) and does, row by row and independently of the other rows:
//! penalties and bans, then temperature, then truncation (top-k, top-p, min-p, typical), then the draw. Rows that
//! end leave the batch at once through [`NextToken::select`], so that no work is spent on them. Row `i` draws from a
//! ChaCha8 stream of its own, seeded with `seeds[i]`: its text does not depend on its neighbours.
//!
//! With `temperature = 0` the draw is the most likely allowed token (greedy); with `beam > 1` it is beam search, with
//! `contrastive > 0` contrastive search.
//!
//! ```
//! use strait_model::decoding::{NextToken, Options, Special, decode};
//!
//! /// Counts upwards from 0; token 5 ends.
//! struct Count(usize);
//! impl NextToken for Count {
//!     fn vocabulary(&self) -> usize { 7 }
//!     fn rows(&self) -> usize { self.0 }
//!     fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
//!         logits.clear();
//!         for &token in tokens {
//!             let next = if token == 6 { 0 } else { token + 1 };
//!             logits.extend((0..7).map(|id| if id == next { 9.0 } else { 0.0 }));
//!         }
//!     }
//!     fn select(&mut self, from: &[usize]) { self.0 = from.len() }
//! }
//!
//! let special = Special { bos: 6, eos: 5, never: &[] };
//! let outputs = decode(&mut Count(2), &Options::default(), special, &[1, 2]);
//! assert_eq!(outputs[0].tokens, [0, 1, 2, 3, 4]);
//! assert!(outputs[1].finished);
//! ```

mod batch;
mod beam;
mod blocked;
mod check;
mod contrastive;
mod filter;
mod length;
mod options;
mod rules;
mod sample;
mod scan;
#[cfg(test)]
mod tests;
mod words;

pub use blocked::Blocked;
pub use check::OptionsError;
pub use length::WordCounts;
pub use options::{Options, Prefix};
pub use words::Words;

use batch::Batch;

/// A model that gives the scores of the next token for a batch of rows.
///
/// The state behind a row (a recurrent state, a key-value cache) stays the model's own: the decoder only says which
/// token each row read and which rows live on. For results that do not depend on the batch, the model's logits of a
/// row must not depend on the other rows either.
pub trait NextToken {
    /// Size of the vocabulary, V: tokens are `0..V`.
    fn vocabulary(&self) -> usize;
    /// Number of rows now alive.
    fn rows(&self) -> usize;
    /// Feeds one token a row, `tokens` (rows), and writes the next tokens' logits (rows, V) to `logits`, row-major.
    /// `logits` holds exactly rows x V values afterwards; what it held before is of no use. A NaN counts as -inf.
    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>);
    /// The decoder's states after the tokens of the last step (rows, D), row-major; empty if it has none to show.
    fn states(&self) -> &[f32] {
        &[]
    }
    /// New row i continues old row `from[i]`: rows that are not named are dropped, rows named twice are copied.
    fn select(&mut self, from: &[usize]);
}

/// The tokens with a role.
#[derive(Debug, Clone, Copy)]
pub struct Special<'a> {
    /// Fed first; never generated (unless it is also the end).
    pub bos: u32,
    /// Ends a row.
    pub eos: u32,
    /// Never generated: padding, mask, unknown.
    pub never: &'a [u32],
}

/// One decoded row.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The tokens, required prefix included, without the first `bos` and the end.
    pub tokens: Vec<u32>,
    /// Whether the row ended by itself; false if it was cut at `max_len`, or had no allowed token left.
    pub finished: bool,
    /// -sum_t log p(x_t | x_<t) in nats under the model as it is (no temperature, penalty or truncation), over the
    /// tokens and, if the row finished, its end.
    pub nats: f64,
}

/// Decodes one sequence for each row of the model; `seeds` (rows) give each row its random stream. With `beam > 1`
/// the seeds are not used.
///
/// Check the options first ([`Options::check`], [`Options::check_for`]): what they refuse is not refused here again,
/// only handled without a panic. Contrastive search by a model that shows no states takes the most likely tokens.
///
/// # Panics
/// If `seeds` and the model differ in their number of rows, or the model writes logits of another size.
pub fn decode(model: &mut impl NextToken, options: &Options, special: Special, seeds: &[u64]) -> Vec<Output> {
    assert_eq!(model.rows(), seeds.len(), "decode needs one seed for each row of the model");
    if options.beam > 1 {
        let lists = beam::search(model, options, special, 1);
        return lists.into_iter().flat_map(|list| list.into_iter().next()).collect();
    }
    if options.contrastive > 0.0 {
        return contrastive::search(model, options, special);
    }
    let mut batch = Batch::new(model.vocabulary(), options, special, seeds);
    let mut logits = Vec::new();
    while !batch.is_done() {
        step(model, batch.feed(), &mut logits);
        if let Some(kept) = batch.advance(&mut logits) {
            model.select(kept);
        }
    }
    batch.into_outputs()
}

/// Beam search that returns, for each row of the model, the `count` best sequences found (at most `beam`), best
/// first. A hypothesis Y of |Y| scored tokens (its end included) ranks by Wu et al. 2016
/// (<https://arxiv.org/abs/1609.08144>, equation 14): log p(Y) / ((5 + |Y|) / 6)^alpha, alpha = `length_penalty`.
///
/// log p(Y) takes the repetition penalty into account, and bans remove tokens without rescaling the rest. A
/// hypothesis cut at `max_len` competes as it stands; one that ran out of allowed tokens ranks below all others.
/// Temperature and truncation play no part.
///
/// # Panics
/// If the model writes logits of another size than rows x V.
pub fn decode_nbest(model: &mut impl NextToken, options: &Options, special: Special, count: usize) -> Vec<Vec<Output>> {
    beam::search(model, options, special, count)
}

/// One step of the model, whose logits must come as (rows, V).
fn step(model: &mut impl NextToken, tokens: &[u32], logits: &mut Vec<f32>) {
    model.step(tokens, logits);
    assert_eq!(logits.len(), tokens.len() * model.vocabulary(), "the model must write logits (rows, V)");
}

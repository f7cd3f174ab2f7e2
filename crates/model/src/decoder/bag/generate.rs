//! What a bag decodes to: the tokens that the text most probably holds, each once, in falling order of probability.
//!
//! A distribution p of a latent leads to `L = (1 - p_end) / p_end` tokens on average; the likeliest bag of so many tokens, that
//! with the largest `L! prod_v p_v^n_v / n_v!`, holds D distinct ones. (It is found by adding, again and again, the token
//! of the largest `p_v / (n_v + 1)`.) The end symbol has no probability before the D-th token and all of it afterwards,
//! and a token that was written is not written again: greedy decoding gives the D likeliest tokens; drawing gives D tokens
//! without replacement, each in proportion to p. The nats of a decoded bag are therefore not those of scoring it.
//!
//! With squared error the scores give expected counts, `exp(s_v) - 1`, which take the place of p, and D itself.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::{
    Params, Tape,
    ops::{activation::Activation, linear},
};
use strait_text::tokenizer::EOS;

use super::{Decoder, Loss};
use crate::decoding::NextToken;

/// No bag is expected to hold more tokens than this.
const MOST_TOKENS: f32 = 1024.0;
/// Expected counts below this are taken for it.
pub(super) const LEAST_COUNT: f32 = 1e-6;

/// A decoder under way for some rows: see [`NextToken`].
pub struct Generator {
    vocabulary: usize,
    /// Tokens written in every row.
    written: usize,
    /// Tokens that each row shall hold.
    lengths: Vec<usize>,
    /// Scores (rows, V): -inf at the end symbol, and at what was written.
    scores: Vec<f32>,
}

impl Decoder {
    /// Scores s of latents (rows, Z): (rows, V).
    pub(super) fn scores(&self, params: &Params, z: &[f32], rows: usize) -> Vec<f32> {
        let mut tape = Tape::inference();
        let z = tape.input(z, (rows, z.len() / rows.max(1)));
        // Nothing is drawn: dropout is the identity.
        let x = self.features(&mut tape, params, z, &mut ChaCha8Rng::seed_from_u64(0));
        let mut scores = vec![0.0; rows * params.shape(self.output).0];
        linear::forward(params, tape.value(x), rows, self.output, Some(self.bias), &mut scores);
        scores
    }

    /// See [`super::super::Decoder::generator`].
    pub fn generator(&self, params: &Params, z: &[f32], rows: usize) -> Generator {
        let vocabulary = params.shape(self.output).0;
        let mut scores = self.scores(params, z, rows);
        let mut lengths = Vec::with_capacity(rows);
        for row in scores.chunks_exact_mut(vocabulary) {
            let length = match self.loss {
                Loss::Multinomial { .. } => distinct(row),
                Loss::Squared => {
                    let distinct = row[EOS as usize].exp_m1();
                    row.iter_mut().for_each(|s| *s = s.exp_m1().max(LEAST_COUNT).ln());
                    distinct.round().clamp(0.0, MOST_TOKENS) as usize
                }
            };
            lengths.push(length);
            row[EOS as usize] = f32::NEG_INFINITY;
        }
        Generator { vocabulary, written: 0, lengths, scores }
    }
}

/// The number of distinct tokens in the likeliest bag of as many tokens as these scores expect, D.
fn distinct(scores: &[f32]) -> usize {
    let mut p = scores.to_vec();
    Activation::Softmax.apply(&mut p);
    let end = p.swap_remove(EOS as usize);
    let length = ((1.0 - end) / end.max(f32::MIN_POSITIVE)).round().clamp(0.0, MOST_TOKENS) as usize;
    if length == 0 {
        return 0;
    }
    // No others than the likeliest `length` tokens are in that bag.
    let candidates = length.min(p.len());
    p.select_nth_unstable_by(candidates - 1, |a, b| b.total_cmp(a));
    p[..candidates].sort_by(|a, b| b.total_cmp(a));
    let mut counts = vec![0u32; candidates];
    for _ in 0..length {
        let gain = |i: usize| p[i] / (counts[i] + 1) as f32;
        // Those not yet in the bag gain less the later they stand, so the first of them speaks for all.
        let used = counts.iter().take_while(|&&n| n > 0).count();
        let best = (0..candidates.min(used + 1)).max_by(|&a, &b| gain(a).total_cmp(&gain(b)).then(b.cmp(&a)));
        best.into_iter().for_each(|i| counts[i] += 1);
    }
    counts.iter().filter(|&&n| n > 0).count()
}

impl NextToken for Generator {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn rows(&self) -> usize {
        self.lengths.len()
    }

    fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        logits.clear();
        let rows = self.scores.chunks_exact_mut(self.vocabulary);
        for ((row, &token), &length) in rows.zip(tokens).zip(&self.lengths) {
            // The first token fed is the begin symbol, which is never written.
            row[token as usize] = f32::NEG_INFINITY;
            let from = logits.len();
            logits.extend_from_slice(row);
            if self.written >= length {
                // Finite scores of the others, so that a longer text can be asked for; no exponential reaches so far.
                logits[from..].iter_mut().for_each(|s| *s -= 1e4);
                logits[from + EOS as usize] = 0.0;
            }
        }
        self.written += 1;
    }

    fn select(&mut self, from: &[usize]) {
        let old = std::mem::take(&mut self.scores);
        from.iter().for_each(|&r| self.scores.extend_from_slice(&old[r * self.vocabulary..][..self.vocabulary]));
        self.lengths = from.iter().map(|&r| self.lengths[r]).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(p: &[f32]) -> usize {
        distinct(&p.iter().map(|p| p.max(1e-30).ln()).collect::<Vec<_>>())
    }

    #[test]
    fn number_of_distinct_tokens() {
        // The end symbol is id 1. Three tokens once each, two of which one comes twice, the empty text.
        assert_eq!(of(&[0.0, 0.25, 0.25, 0.25, 0.25, 0.0]), 3);
        assert_eq!(of(&[0.0, 0.25, 0.0, 0.5, 0.25, 0.0]), 2);
        assert_eq!(of(&[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]), 0);
        // Nine tokens: about 5 of one, 3, 1; the last is in the likeliest bag, one of half its probability is not.
        assert_eq!(of(&[0.0, 0.1, 0.52, 0.27, 0.11, 0.0]), 3);
        assert_eq!(of(&[0.0, 0.1, 0.54, 0.27, 0.045, 0.045]), 2);
    }

    /// Against all bags of the expected length.
    #[test]
    fn the_likeliest_bag_is_found() {
        for p in [[0.11f32, 0.19, 0.3, 0.2], [0.24, 0.21, 0.22, 0.13], [0.45, 0.06, 0.2, 0.1], [0.6, 0.05, 0.04, 0.1]] {
            let end = 1.0 - p.iter().sum::<f32>();
            let length = ((1.0 - end) / end).round() as i32;
            let factorial = |n: i32| (1..=n).map(f64::from).product::<f64>();
            let mut best = (0.0, 0);
            for code in 0..(length + 1).pow(3) {
                let n = [code % (length + 1), code / (length + 1) % (length + 1), code / (length + 1).pow(2)];
                let last = length - n.iter().sum::<i32>();
                if last < 0 {
                    continue;
                }
                let n = [n[0], n[1], n[2], last];
                let weight = |(&n, &p): (&i32, &f32)| (p as f64).powi(n) / factorial(n);
                let likely: f64 = n.iter().zip(&p).map(weight).product();
                if likely > best.0 {
                    best = (likely, n.iter().filter(|&&n| n > 0).count());
                }
            }
            assert_eq!(of(&[0.0, end, p[0], p[1], p[2], p[3]]), best.1, "{p:?}");
        }
    }
}

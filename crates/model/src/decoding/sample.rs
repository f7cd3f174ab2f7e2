//! The draw of one token from the logits of a row, after the rules have been applied to them.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::Options;
use super::filter::{Candidates, Top};
use super::scan::{clean, exp, sum};

/// Weights are summed in blocks of this size, so that the walk of the draw skips most of them.
const BLOCK: usize = 256;

/// Temperature relative to the most likely token: log = (logit - best) / T, weight = exp(log) <= 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The largest logit.
    pub best: f32,
    /// T, above 0.
    pub temperature: f32,
}

impl Scale {
    /// log p of a logit but for a constant; 0 for the largest.
    pub fn log(self, logit: f32) -> f32 {
        // A division: the inverse of a tiny T is infinite, and 0 times that is no number.
        (clean(logit) - self.best) / self.temperature
    }
}

/// Buffers of the draw, reused across rows and steps.
#[derive(Default)]
pub(super) struct Sampler {
    top: Top,
    candidates: Candidates,
    /// exp((logit - best) / T) of each token (V).
    weights: Vec<f32>,
    /// Sum of each block of weights.
    blocks: Vec<f64>,
}

impl Sampler {
    /// Draws the next token from a row of logits (V), of which `best` is the most likely token and its logit. Greedy
    /// draws nothing and reads nothing.
    pub fn draw(&mut self, options: &Options, row: &[f32], best: (u32, f32), rng: &mut ChaCha8Rng) -> u32 {
        if options.temperature <= 0.0 {
            return best.0;
        }
        let scale = Scale { best: best.1, temperature: options.temperature };
        let uniform: f64 = rng.random();
        let truncates = options.top_p < 1.0 || options.min_p > 0.0 || options.typical < 1.0;
        let drawn = if options.top_k > 0 {
            self.candidates.take(self.top.of(row, options.top_k), scale);
            self.truncate(options, self.candidates.total());
            self.candidates.draw(uniform)
        } else if truncates {
            let total = self.weigh(row, scale);
            self.candidates.gather(row, &self.weights, floor(options, total, row.len()), scale);
            self.truncate(options, total);
            self.candidates.draw(uniform)
        } else {
            let total = self.weigh(row, scale);
            self.walk(uniform * total)
        };
        drawn.unwrap_or(best.0)
    }

    /// The tokens the last truncated draw was made from.
    #[cfg(test)]
    pub fn candidates(&self) -> impl Iterator<Item = u32> {
        self.candidates.tokens()
    }

    /// Top-p, min-p and typical on the candidates; `total` is the mass from which they were gathered.
    fn truncate(&mut self, options: &Options, total: f64) {
        if options.top_p < 1.0 {
            self.candidates.top_p(options.top_p, total);
        }
        if options.min_p > 0.0 {
            self.candidates.min_p(options.min_p);
        }
        if options.typical < 1.0 {
            self.candidates.typical(options.typical);
        }
    }

    /// Fills `weights` and `blocks` from a row of logits (V); returns the sum.
    fn weigh(&mut self, row: &[f32], scale: Scale) -> f64 {
        self.weights.clear();
        self.weights.extend(row.iter().map(|&logit| exp(scale.log(logit))));
        self.blocks.clear();
        self.blocks.extend(self.weights.chunks(BLOCK).map(|block| sum(block, |weight| weight)));
        self.blocks.iter().sum()
    }

    /// The token at which the running sum of the weights passes `target`.
    fn walk(&self, target: f64) -> Option<u32> {
        let mut reached = 0.0;
        let mut last = None;
        for (index, block) in self.weights.chunks(BLOCK).enumerate() {
            if self.blocks[index] <= 0.0 {
                continue;
            }
            let end = reached + self.blocks[index];
            if end <= target {
                // Rounding may leave the target at the very end: then the last token of the last block is it.
                last = Some(index);
                reached = end;
                continue;
            }
            for (place, &weight) in block.iter().enumerate() {
                reached += f64::from(weight);
                if reached > target {
                    return Some((index * BLOCK + place) as u32);
                }
            }
            last = Some(index);
            break;
        }
        let block = last?;
        let place = self.weights[block * BLOCK..].iter().take(BLOCK).rposition(|&weight| weight > 0.0)?;
        Some((block * BLOCK + place) as u32)
    }
}

/// A weight below which no token can be needed. Top-p: n tokens below (1 - p) total / n have less than 1 - p of the
/// mass, so the rest reaches p. Min-p alone: its own threshold. Typical needs every token.
fn floor(options: &Options, total: f64, vocabulary: usize) -> f32 {
    const MARGIN: f64 = 1.0 - 1e-5;
    let floor = if options.top_p < 1.0 {
        (1.0 - f64::from(options.top_p)) * total / vocabulary as f64
    } else if options.typical < 1.0 && options.min_p <= 0.0 {
        0.0
    } else {
        f64::from(options.min_p)
    };
    (floor * MARGIN) as f32
}

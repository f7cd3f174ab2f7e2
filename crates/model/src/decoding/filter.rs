//! Truncation: which tokens take part in the draw. Selection by partition, never a full sort of V.

use std::cmp::Ordering;

use super::sample::Scale;
use super::scan::{clean, exp, max};

/// Sums of f32 weights reach their target within this share, so that 0.5 + 0.3 reaches 0.8.
const SLACK: f64 = 1e-6;

/// The k largest logits of a row, the lowest id among equals.
#[derive(Default)]
pub(super) struct Top {
    entries: Vec<(f32, u32)>,
}

impl Top {
    /// Finds the `k` most likely tokens of a row (V) that are not -inf, in no order: (logit, token).
    ///
    /// Logits above the k-th found so far are collected; once 2k are there, a partition leaves k and raises the bar.
    /// Blocks whose maximum is below the bar are skipped.
    pub fn of(&mut self, row: &[f32], k: usize) -> &[(f32, u32)] {
        const BLOCK: usize = 64;
        let k = k.min(row.len());
        let mut bar = f32::NEG_INFINITY;
        self.entries.clear();
        for (index, block) in row.chunks(BLOCK).enumerate() {
            if max(block) <= bar {
                continue;
            }
            for (place, &logit) in block.iter().enumerate() {
                if logit > bar {
                    self.entries.push((clean(logit), (index * BLOCK + place) as u32));
                }
            }
            if self.entries.len() >= 2 * k.max(BLOCK) {
                bar = self.shrink(k);
            }
        }
        if self.entries.len() > k {
            self.shrink(k);
        }
        &self.entries
    }

    /// Leaves the k largest; returns the k-th.
    fn shrink(&mut self, k: usize) -> f32 {
        let Some(last) = k.checked_sub(1) else {
            self.entries.clear();
            return f32::INFINITY;
        };
        let (_, &mut (bar, _), _) = self.entries.select_nth_unstable_by(last, |a, b| order((-a.0, a.1), (-b.0, b.1)));
        self.entries.truncate(k);
        bar
    }
}

/// A token that takes part in the draw.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    token: u32,
    /// (logit - largest logit) / T: log p but for a constant.
    log: f32,
    /// exp(log): p but for a factor; 1 for the most likely token.
    weight: f32,
}

/// The candidates for one draw, by ascending token.
#[derive(Default)]
pub(super) struct Candidates {
    list: Vec<Candidate>,
    /// (rank, token, weight) of each candidate, partitioned by rank.
    ranks: Vec<(f32, u32, f32)>,
}

impl Candidates {
    /// Takes the tokens of a list of (logit, token).
    pub fn take(&mut self, tokens: &[(f32, u32)], scale: Scale) {
        self.list.clear();
        self.list.extend(tokens.iter().map(|&(logit, token)| {
            let log = scale.log(logit);
            Candidate { token, log, weight: exp(log) }
        }));
        self.list.sort_unstable_by_key(|candidate| candidate.token);
    }

    /// Takes every token whose weight, given as `weights` (V), is above 0 and at least `floor`.
    pub fn gather(&mut self, row: &[f32], weights: &[f32], floor: f32, scale: Scale) {
        self.list.clear();
        for (token, &weight) in weights.iter().enumerate() {
            if weight > 0.0 && weight >= floor {
                self.list.push(Candidate { token: token as u32, log: scale.log(row[token]), weight });
            }
        }
    }

    /// The tokens that are left.
    #[cfg(test)]
    pub fn tokens(&self) -> impl Iterator<Item = u32> {
        self.list.iter().map(|candidate| candidate.token)
    }

    /// Sum of the weights.
    pub fn total(&self) -> f64 {
        self.list.iter().map(|candidate| f64::from(candidate.weight)).sum()
    }

    /// Top-p: the fewest most likely candidates whose mass reaches `p`, of all tokens' mass `total`.
    pub fn top_p(&mut self, p: f32, total: f64) {
        self.keep_mass(f64::from(p) * total, |candidate| -candidate.log);
    }

    /// Min-p: candidates with at least `share` of the probability of the most likely one, whose weight is 1.
    pub fn min_p(&mut self, share: f32) {
        let floor = f64::from(share) * (1.0 - SLACK);
        self.list.retain(|candidate| f64::from(candidate.weight) >= floor);
    }

    /// Locally typical: the candidates with the least |-log p(x) - H(p)| whose mass reaches `mass`, where
    /// H(p) = -sum p log p = log total - sum weight log / total.
    pub fn typical(&mut self, mass: f32) {
        let total = self.total();
        let weighted = |candidate: &Candidate| f64::from(candidate.weight) * f64::from(candidate.log);
        // -log p(x) - H = (log total - log) - (log total - mean)
        let mean = self.list.iter().map(weighted).sum::<f64>() / total;
        self.keep_mass(f64::from(mass) * total, |candidate| (mean - f64::from(candidate.log)).abs() as f32);
    }

    /// Draws a candidate by weight, `uniform` in [0, 1); none if there is none.
    pub fn draw(&self, uniform: f64) -> Option<u32> {
        let target = uniform * self.total();
        let mut reached = 0.0;
        let crossing = self.list.iter().find(|candidate| {
            reached += f64::from(candidate.weight);
            reached > target
        });
        crossing.or(self.list.last()).map(|candidate| candidate.token)
    }

    /// Keeps the candidates of lowest rank, then lowest token, whose weights reach `target`: at least one.
    ///
    /// The one at which the target is reached is found by halving: partition, and go on in the half that holds it.
    fn keep_mass(&mut self, target: f64, rank: impl Fn(&Candidate) -> f32) {
        let target = target * (1.0 - SLACK);
        self.ranks.clear();
        self.ranks.extend(self.list.iter().map(|candidate| (rank(candidate), candidate.token, candidate.weight)));
        let (mut low, mut high, mut below) = (0, self.ranks.len(), 0.0);
        while high - low > 1 {
            let half = (high - low) / 2;
            let part = &mut self.ranks[low..high];
            part.select_nth_unstable_by(half - 1, |a, b| order((a.0, a.1), (b.0, b.1)));
            let mass: f64 = part[..half].iter().map(|&(_, _, weight)| f64::from(weight)).sum();
            if below + mass >= target {
                high = low + half;
            } else {
                below += mass;
                low += half;
            }
        }
        if let Some(&(last, token, _)) = self.ranks.get(low) {
            self.list.retain(|candidate| order((rank(candidate), candidate.token), (last, token)).is_le());
        }
    }
}

/// By rank, then by token.
fn order(a: (f32, u32), b: (f32, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

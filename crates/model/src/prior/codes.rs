//! A prior for quantised latents: which code follows which. A latent (Z) is S slots of D = Z / S dimensions, each a
//! vector of a codebook of K; the prior is a distribution over the S indices c, slot after slot, each after at most
//! [`ORDER`] before it. From the most general to the most special context, with N the counts of slot s,
//!
//! `p_n(c | h_n) = (N(h_n c) + a_n p_(n-1)(c | h_(n-1))) / (N(h_n) + a_n)`,  `p_(-1) = 1 / K`,
//!
//! where `h_n` are the n codes before slot s: Dirichlet priors centred on the shorter context (MacKay and Bauman Peto
//! 1995). The strengths `a_n` are those of a grid under which each training latent is likeliest given all others
//! (leave one out), so a context that tells nothing is given next to no weight.

use std::collections::BTreeMap;

use rand::{Rng, RngExt};

use super::rows::{MOST_DIMS, Rows};
use super::{PriorError, kmeans};

/// Codes that a code may depend on.
pub(super) const ORDER: usize = 2;
/// In a key: no code, because the slot has fewer before it.
pub(super) const NONE: u32 = u32::MAX;
/// Strengths tried: powers of two from this to that.
const STRENGTHS: std::ops::RangeInclusive<i32> = -4..=20;

/// Slot, the codes before it from the nearest on ([`NONE`] where there are none), the code.
pub(super) type Key = [u32; ORDER + 2];

/// `p(c_1) p(c_2 | c_1) ...` over the codes of a quantised latent.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// (K, D), or (S K, D): those of slot 0 first.
    vectors: Vec<f32>,
    codes: usize,
    slots: usize,
    shared: bool,
    /// How often each code came after the longest context.
    counts: BTreeMap<Key, u32>,
    /// For each length of context: what came after it.
    tables: Vec<BTreeMap<Context, Tally>>,
    /// `a_n` for each length of context.
    strengths: Vec<f64>,
}

/// A [`Key`] without the code, with [`NONE`] beyond the context's length.
type Context = [u32; ORDER + 1];

/// What came after a context.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tally {
    total: u64,
    /// Codes that came at all, with their counts, in rising order.
    codes: BTreeMap<u32, u64>,
}

impl Codes {
    /// Counts the codes of `latents` (N, Z), N >= 1. `codebook` holds K = `codes_per_book` vectors (K, D) if `shared`,
    /// else K for each of the `slots`, (S K, D), those of slot 0 first.
    pub fn fit(
        codebook: &[f32],
        codes_per_book: usize,
        slots: usize,
        shared: bool,
        latents: &[f32],
    ) -> Result<Self, PriorError> {
        let mut this = Self::new(codebook.to_vec(), codes_per_book, slots, shared)?;
        let rows = Rows::checked("latents", latents, this.dim(), 1)?;
        let found = this.nearest(rows);
        for codes in found.chunks_exact(slots) {
            for slot in 0..slots {
                *this.counts.entry(key(&codes[..slot], codes[slot])).or_default() += 1;
            }
        }
        this.tabulate();
        this.strengthen(&found);
        Ok(this)
    }

    /// Without counts or strengths.
    fn new(vectors: Vec<f32>, codes: usize, slots: usize, shared: bool) -> Result<Self, PriorError> {
        let books = if shared { 1 } else { slots };
        let problem = if codes == 0 || slots == 0 || vectors.is_empty() {
            Some(format!("{codes} codes in each of {slots} slots, {} values; none of them may be zero", vectors.len()))
        } else if codes >= NONE as usize || slots >= NONE as usize {
            Some(format!("{codes} codes in each of {slots} slots are too many"))
        } else if !vectors.len().is_multiple_of(codes * books) {
            let rows = codes * books;
            Some(format!("{} values are not {rows} vectors of equal length", vectors.len()))
        } else {
            vectors.iter().position(|v| !v.is_finite()).map(|at| format!("value {at} is {}", vectors[at]))
        };
        if let Some(problem) = problem {
            return Err(PriorError::Codebook(problem));
        }
        let dim = vectors.len() / (codes * books) * slots;
        if dim > MOST_DIMS {
            return Err(PriorError::Dim { dim, most: MOST_DIMS });
        }
        Ok(Self { vectors, codes, slots, shared, counts: BTreeMap::new(), tables: Vec::new(), strengths: Vec::new() })
    }

    /// Sets each length's strength to the one under which the codes (N, S) that were counted are likeliest, each given
    /// all others.
    fn strengthen(&mut self, found: &[u32]) {
        // p_(n-1) of every code.
        let mut shorter = vec![1.0 / self.codes as f64; found.len()];
        for (length, table) in self.tables.iter().enumerate() {
            let mut seen: Vec<(f64, f64, &mut f64)> = Vec::new();
            for (codes, shorter) in found.chunks_exact(self.slots).zip(shorter.chunks_exact_mut(self.slots)) {
                for (slot, p) in shorter.iter_mut().enumerate().skip(length) {
                    if let Some(tally) = table.get(&context(&key(&codes[..slot], codes[slot]), length)) {
                        let count = tally.codes.get(&codes[slot]).map_or(0, |count| count - 1);
                        seen.push((count as f64, (tally.total - 1) as f64, p));
                    }
                }
            }
            let after =
                |strength: f64, (count, total, p): &(f64, f64, &mut f64)| (count + strength * **p) / (total + strength);
            let score = |strength: f64| seen.iter().map(|one| after(strength, one).ln()).sum::<f64>();
            let scored = STRENGTHS.map(|power| f64::from(power).exp2()).map(|strength| (strength, score(strength)));
            // The first of equals.
            let best = scored.fold((1.0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
            self.strengths.push(best.0);
            for one in &mut seen {
                *one.2 = after(best.0, one);
            }
        }
    }

    /// From what [`Codes::vectors`], [`Codes::counts`] and [`Codes::strengths`] give.
    pub(super) fn from_parts(
        (vectors, codes, slots, shared): (Vec<f32>, usize, usize, bool),
        counts: BTreeMap<Key, u32>,
        strengths: Vec<f64>,
    ) -> Result<Self, PriorError> {
        let mut this = Self::new(vectors, codes, slots, shared)?;
        this.counts = counts;
        this.strengths = strengths;
        this.tabulate();
        Ok(this)
    }

    /// Fills the tables from the counts.
    fn tabulate(&mut self) {
        self.tables = vec![BTreeMap::new(); ORDER + 1];
        for (key, &count) in &self.counts {
            for (length, table) in self.tables.iter_mut().enumerate().take(key[0] as usize + 1) {
                let tally: &mut Tally = table.entry(context(key, length)).or_default();
                tally.total += u64::from(count);
                *tally.codes.entry(key[ORDER + 1]).or_default() += u64::from(count);
            }
        }
    }

    /// Z.
    pub fn dim(&self) -> usize {
        self.slots * self.width()
    }

    /// Vectors that a slot chooses from, K.
    pub fn codes_per_book(&self) -> usize {
        self.codes
    }

    /// S.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Whether all slots have one codebook.
    pub fn shared(&self) -> bool {
        self.shared
    }

    /// Counts kept, one for each code seen in each context.
    pub fn parameters(&self) -> usize {
        self.counts.len()
    }

    /// (K, D) or (S K, D).
    pub(super) fn vectors(&self) -> &[f32] {
        &self.vectors
    }

    pub(super) fn counts(&self) -> &BTreeMap<Key, u32> {
        &self.counts
    }

    pub(super) fn strengths(&self) -> &[f64] {
        &self.strengths
    }

    /// D.
    pub(super) fn width(&self) -> usize {
        self.vectors.len() / (self.codes * if self.shared { 1 } else { self.slots })
    }

    fn book(&self, slot: usize) -> &[f32] {
        let size = self.codes * self.width();
        &self.vectors[if self.shared { 0 } else { slot * size }..][..size]
    }

    /// The nearest codes of every row (N, S), the first of equals.
    fn nearest(&self, rows: Rows) -> Vec<u32> {
        let width = self.width();
        let mut found = vec![0; rows.len() * self.slots];
        for slot in 0..self.slots {
            let part: Vec<f32> = rows.iter().flat_map(|z| &z[slot * width..][..width]).copied().collect();
            let nearest = kmeans::nearest(Rows::new(&part, width), self.book(slot));
            for (codes, (code, _)) in found.chunks_exact_mut(self.slots).zip(nearest) {
                codes[slot] = code as u32;
            }
        }
        found
    }

    /// The logarithm of the *mass* `p(c_1 ... c_S)` of the codes nearest to `z` (Z), in nats. A mass, at most 0, not a
    /// density: it cannot be compared with other priors' log densities. NaN for a slice of another length or a value
    /// that is not finite.
    pub fn log_density(&self, z: &[f32]) -> f64 {
        match z.len() == self.dim() {
            true => self.log_density_rows(Rows::new(z, z.len()))[0],
            false => f64::NAN,
        }
    }

    /// As [`Codes::log_density`] of every row (N).
    pub(super) fn log_density_rows(&self, rows: Rows) -> Vec<f64> {
        let found = self.nearest(rows);
        let one = |(z, codes): (&[f32], &[u32])| match z.iter().all(|v| v.is_finite()) {
            true => self.log_mass(codes),
            false => f64::NAN,
        };
        rows.iter().zip(found.chunks_exact(self.slots)).map(one).collect()
    }

    /// `log p(c_1 ... c_S)` in nats of codes (S), each below K.
    pub fn log_mass(&self, codes: &[u32]) -> f64 {
        (0..codes.len()).map(|slot| self.probability(&codes[..slot], codes[slot]).ln()).sum()
    }

    /// `p(code | before)`.
    fn probability(&self, before: &[u32], code: u32) -> f64 {
        let key = key(before, code);
        let mut p = 1.0 / self.codes as f64;
        for (length, (table, strength)) in self.tables.iter().zip(&self.strengths).enumerate().take(before.len() + 1) {
            let Some(tally) = table.get(&context(&key, length)) else { break };
            let count = tally.codes.get(&code).map_or(0.0, |&count| count as f64);
            p = (count + strength * p) / (tally.total as f64 + strength);
        }
        p
    }

    /// One draw (Z): the vectors of codes that are drawn slot after slot.
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        let width = self.width();
        let mut codes: Vec<u32> = Vec::with_capacity(self.slots);
        let mut z = Vec::with_capacity(self.dim());
        for slot in 0..self.slots {
            let code = self.draw(&codes, rng);
            z.extend_from_slice(&self.book(slot)[code as usize * width..][..width]);
            codes.push(code);
        }
        z
    }

    /// A code after others: from the longest context's counts, or, with the weight of its strength, from the next
    /// shorter one.
    fn draw(&self, before: &[u32], rng: &mut impl Rng) -> u32 {
        let key = key(before, 0);
        for length in (0..self.strengths.len().min(before.len() + 1)).rev() {
            let Some(tally) = self.tables[length].get(&context(&key, length)) else { continue };
            let mut left = rng.random::<f64>() * (tally.total as f64 + self.strengths[length]);
            for (&code, &count) in &tally.codes {
                left -= count as f64;
                if left < 0.0 {
                    return code;
                }
            }
        }
        rng.random_range(0..self.codes as u32)
    }
}

/// The key of `code` after the codes of the slots before it.
fn key(before: &[u32], code: u32) -> Key {
    let mut key = [NONE; ORDER + 2];
    key[0] = before.len() as u32;
    for (k, &code) in key[1..=ORDER].iter_mut().zip(before.iter().rev()) {
        *k = code;
    }
    key[ORDER + 1] = code;
    key
}

/// The slot and the `length` codes before it.
fn context(key: &Key, length: usize) -> Context {
    let mut context = [NONE; ORDER + 1];
    context[..=length].copy_from_slice(&key[..=length]);
    context
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    const K: usize = 8;
    const S: usize = 6;

    /// A Markov chain over K codes whose transition from i prefers i + 1 and i + 3, started evenly.
    fn transition(from: u32, to: u32) -> f64 {
        match (to + K as u32 - from) % K as u32 {
            1 => 0.6,
            3 => 0.28,
            _ => 0.02,
        }
    }

    fn chain(n: usize, seed: u64) -> Vec<u32> {
        let mut rng = rng(seed);
        let mut codes = Vec::new();
        for _ in 0..n {
            let mut code = rng.random_range(0..K as u32);
            codes.push(code);
            for _ in 1..S {
                let mut left: f64 = rng.random();
                let next = (0..K as u32).find(|&to| {
                    left -= transition(code, to);
                    left < 0.0
                });
                code = next.unwrap_or(0);
                codes.push(code);
            }
        }
        codes
    }

    /// Two dimensions a code: points on a circle, turned for each book.
    fn book(books: usize) -> Vec<f32> {
        let angle = |b: usize, k: usize| 0.1 * b as f32 + k as f32 * std::f32::consts::TAU / K as f32;
        (0..books).flat_map(|b| (0..K).flat_map(move |k| [angle(b, k).cos(), angle(b, k).sin()])).collect()
    }

    /// The codes' vectors, moved a little.
    fn latents(codes: &[u32], vectors: &[f32], shared: bool) -> Vec<f32> {
        let at = |i: usize, code: u32| if shared { code as usize } else { i % S * K + code as usize };
        codes
            .iter()
            .enumerate()
            .flat_map(|(i, &c)| [vectors[2 * at(i, c)] + 0.05, vectors[2 * at(i, c) + 1] - 0.1])
            .collect()
    }

    #[test]
    fn a_markov_chain_costs_its_entropy() {
        let entropy: f64 = (K as f64).ln()
            + (S - 1) as f64 * -(0..K as u32).map(|to| transition(0, to) * transition(0, to).ln()).sum::<f64>();
        for shared in [true, false] {
            let vectors = book(if shared { 1 } else { S });
            let train = latents(&chain(5000, 1), &vectors, shared);
            let codes = Codes::fit(&vectors, K, S, shared, &train).unwrap();
            let held_out = latents(&chain(5000, 2), &vectors, shared);
            let nats = codes.log_density_rows(Rows::new(&held_out, 2 * S)).iter().sum::<f64>() / -5000.0;
            // 5,000 latents leave the mean uncertain by some 0.03 nats; (K - 1) K (S - 1) free numbers cost
            // about 0.03 more. Codes alone in their slots would cost S log K = 12.5 nats.
            assert!((nats - entropy).abs() < 0.12, "{nats} nats, entropy {entropy}");
        }
    }

    #[test]
    fn masses_sum_to_one_and_draws_follow_them() {
        let (k, s) = (3, 3);
        let vectors = [0.0, 1.0, 2.0];
        let train: Vec<f32> = [[0.0, 1.0, 2.0], [0.0, 1.0, 1.0], [2.0, 2.0, 0.0], [0.0, 1.0, 2.0]].concat();
        let codes = Codes::fit(&vectors, k, s, true, &train).unwrap();
        let all: Vec<[f32; 3]> = (0..27).map(|i| [(i / 9) as f32, (i / 3 % 3) as f32, (i % 3) as f32]).collect();
        let masses: Vec<f64> = all.iter().map(|z| codes.log_density(z).exp()).collect();
        assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let (n, mut seen, mut rng) = (40_000, vec![0.0; 27], rng(3));
        for _ in 0..n {
            let z = codes.sample(&mut rng);
            seen[(9.0 * z[0] + 3.0 * z[1] + z[2]) as usize] += 1.0 / f64::from(n);
        }
        for (mass, seen) in masses.iter().zip(&seen) {
            // Four standard errors.
            assert!((mass - seen).abs() < 4.0 * (mass / f64::from(n)).sqrt() + 1e-4, "{mass} {seen}");
        }
    }

    #[test]
    fn back_off_by_hand() {
        // Slot 0: codes 0, 0, 1; slot 1 after 0: codes 1, 1; after 1: code 0.
        let vectors = [0.0, 1.0];
        let mut codes = Codes::fit(&vectors, 2, 2, true, &[0.0, 1.0, 0.0, 1.0, 1.0, 0.0]).unwrap();
        codes.strengths = vec![2.0, 4.0, 1.0];
        let first = (2.0 + 2.0 * 0.5) / (3.0 + 2.0);
        let second = (2.0 + 4.0 * ((2.0 + 2.0 * 0.5) / (3.0 + 2.0))) / (2.0 + 4.0);
        let want = f64::ln(first) + f64::ln(second);
        assert!((codes.log_density(&[0.0, 1.0]) - want).abs() < 1e-12);
        assert_eq!(codes.log_density(&[-0.2, 7.0]), codes.log_density(&[0.0, 1.0]));
        assert!(codes.log_density(&[0.0]).is_nan() && codes.log_density(&[0.0, f32::NAN]).is_nan());
    }

    #[test]
    fn independent_codes_are_not_made_dependent() {
        let mut rng = rng(4);
        let mut draw = |n: usize| -> Vec<f32> { (0..n * 4).map(|_| rng.random_range(0..16u32) as f32).collect() };
        let vectors: Vec<f32> = (0..16).map(|k| k as f32).collect();
        let codes = Codes::fit(&vectors, 16, 4, true, &draw(2000)).unwrap();
        let held_out = draw(1000);
        let nats = codes.log_density_rows(Rows::new(&held_out, 4)).iter().sum::<f64>() / -1000.0;
        let entropy = 4.0 * 16.0_f64.ln();
        assert!(nats - entropy < 0.1, "{nats} nats, entropy {entropy}, strengths {:?}", codes.strengths);
    }

    #[test]
    fn impossible_codebooks_are_refused() {
        let refused = |vectors: &[f32], k, s, shared| {
            matches!(Codes::fit(vectors, k, s, shared, &[0.0; 4]), Err(PriorError::Codebook(_)))
        };
        assert!(refused(&[], 2, 2, true));
        assert!(refused(&[0.0; 4], 0, 2, true));
        assert!(refused(&[0.0; 4], 2, 0, true));
        assert!(refused(&[0.0; 5], 2, 2, true));
        assert!(refused(&[0.0; 6], 2, 2, false));
        assert!(refused(&[0.0, f32::NAN], 2, 2, true));
        let latents = Codes::fit(&[0.0, 1.0], 2, 3, true, &[0.0; 4]);
        assert!(matches!(latents, Err(PriorError::Ragged { len: 4, dim: 3, .. })));
    }
}

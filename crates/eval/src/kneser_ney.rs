//! Interpolated modified Kneser-Ney language model of order 5 over a fixed vocabulary.
//!
//! With `c` the count of an n-gram at the highest order, and below it the number of distinct units seen before the
//! n-gram (its plain count where it begins with the start of the sentence, before which nothing can differ),
//!
//! ```text
//! p(w | h) = max(c(h w) - D(c(h w)), 0) / c(h .) + (D1 N1(h .) + D2 N2(h .) + D3 N3+(h .)) / c(h .) * p(w | h')
//! ```
//!
//! where `N_k(h .)` is the number of units seen k times after `h`, `h'` is `h` without its oldest unit, and the
//! discounts of each order follow from its counts of counts (Chen and Goodman 1999, equation 26), held within
//! `0.1 ..= 0.95 k`. Below the unigrams stands the uniform distribution over the vocabulary, `<unk>` and `</s>`, so
//! that every unit has a probability above zero.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::ngrams::{context, newest, pack, push, starts_with_bos, suffix};
use crate::units::{BOS, EOS, UNK};

/// Order of the model: units looked at, the predicted one included.
pub const ORDER: usize = 5;

/// Units after which the sampler stops a sentence that does not end.
pub const MAX_SAMPLE_LEN: usize = 60;

/// What is known of the units after one context.
#[derive(Debug, Clone, Copy, Default)]
struct Followers {
    /// Sum of their counts.
    total: u64,
    /// How many of them have count 1, 2, 3 or more.
    by_count: [u32; 3],
}

/// One order of the model.
#[derive(Debug, Clone)]
struct Level {
    counts: FxHashMap<u128, u32>,
    contexts: FxHashMap<u128, Followers>,
    /// Taken off a count of 0, 1, 2, 3 or more.
    discounts: [f64; 4],
}

/// The language model.
///
/// ```
/// use strait_eval::{Interner, KneserNey, Unit};
/// let mut interner = Interner::new();
/// let train = interner.encode_all(&["a dog runs", "a cat runs"], Unit::Words);
/// let model = KneserNey::fit(&train, interner.len());
/// let test = interner.encode_all(&["a dog sleeps"], Unit::Words); // "sleeps" reads as <unk>
/// assert!(model.ppl(&test) > model.ppl(&train));
/// ```
#[derive(Debug, Clone)]
pub struct KneserNey {
    levels: Vec<Level>,
    known_ids: u32,
}

impl KneserNey {
    /// Fits the model. Ids below `known_ids`, the interner's length after the training text, are the vocabulary;
    /// others read as `<unk>`, here and in what the model is asked about. Sentences must not hold [`BOS`] or [`EOS`].
    pub fn fit(sentences: &[Vec<u32>], known_ids: usize) -> Self {
        let known_ids = u32::try_from(known_ids).unwrap_or(u32::MAX).max(UNK + 1);
        let mut plain = plain_counts(sentences, known_ids);
        for n in (1..ORDER).rev() {
            let mut below = std::mem::take(&mut plain[n - 1]);
            for &gram in plain[n].keys() {
                let gram = suffix(gram, n);
                if !starts_with_bos(gram, n) {
                    *below.entry(gram).or_insert(0) += 1;
                }
            }
            plain[n - 1] = below;
        }
        Self { levels: plain.into_iter().map(Level::new).collect(), known_ids }
    }

    /// `p(unit | history)`. Of the history the newest four ids count; a shorter one is the start of a sentence.
    pub fn probability(&self, history: &[u32], unit: u32) -> f64 {
        let mut padded = [BOS; ORDER - 1];
        for (to, &from) in padded.iter_mut().rev().zip(history.iter().rev()) {
            *to = self.known(from);
        }
        self.probability_of(&padded, self.known(unit))
    }

    /// Perplexity per unit, the end of each sentence counted and its start not; NaN for no sentence.
    pub fn ppl(&self, sentences: &[Vec<u32>]) -> f64 {
        let logs: Vec<f64> = sentences.par_iter().map(|s| self.log_probability(s)).collect();
        let units: usize = sentences.iter().map(|s| s.len() + 1).sum();
        (-logs.iter().sum::<f64>() / units as f64).exp()
    }

    /// Natural logarithm of the probability of a sentence and its end.
    pub fn log_probability(&self, sentence: &[u32]) -> f64 {
        let padded = pad(sentence, self.known_ids);
        padded.windows(ORDER).map(|w| self.probability_of(&w[..ORDER - 1], w[ORDER - 1]).ln()).sum()
    }

    /// A sampler of sentences. It lists the followers of every context, so make one and draw often.
    pub fn sampler(&self) -> Sampler<'_> {
        Sampler::new(self)
    }

    /// `p(unit | history)` for four known ids and a known id.
    fn probability_of(&self, history: &[u32], unit: u32) -> f64 {
        let mut p = 1.0 / f64::from(self.known_ids - 1); // all known ids and EOS, without BOS
        for (level, n) in self.levels.iter().zip(1..) {
            let context = pack(&history[ORDER - n..]);
            let Some(followers) = level.contexts.get(&context) else { break };
            let count = level.counts.get(&push(context, unit)).copied().unwrap_or(0);
            p = (level.discounted(count) + level.reserved(followers) * p) / followers.total as f64;
        }
        p
    }

    fn known(&self, id: u32) -> u32 {
        if id < self.known_ids { id } else { UNK }
    }
}

impl Level {
    /// Counts of one order, with what follows from them.
    fn new(counts: FxHashMap<u128, u32>) -> Self {
        let mut contexts = FxHashMap::<u128, Followers>::default();
        let mut counts_of_counts = [0u64; 5];
        for (&gram, &count) in &counts {
            let followers = contexts.entry(context(gram)).or_default();
            followers.total += u64::from(count);
            followers.by_count[count.min(3) as usize - 1] += 1; // a count in the map is at least 1
            counts_of_counts[count.min(4) as usize] += 1;
        }
        Self { counts, contexts, discounts: discounts(counts_of_counts) }
    }

    /// The count less its discount.
    fn discounted(&self, count: u32) -> f64 {
        f64::from(count) - self.discounts[count.min(3) as usize]
    }

    /// All that the discounts took off the followers of a context.
    fn reserved(&self, followers: &Followers) -> f64 {
        followers.by_count.iter().zip(&self.discounts[1..]).map(|(&n, d)| f64::from(n) * d).sum()
    }
}

/// Discounts of counts 0, 1, 2, 3 or more from the numbers of n-grams seen 1, 2, 3, 4 or more times.
fn discounts(counts_of_counts: [u64; 5]) -> [f64; 4] {
    let n = counts_of_counts.map(|c| c.max(1) as f64);
    let y = n[1] / (n[1] + 2.0 * n[2]);
    let discount = |k: usize| {
        let raw = k as f64 - (k + 1) as f64 * y * n[k + 1] / n[k];
        raw.max(0.1).min(0.95 * k as f64)
    };
    [0.0, discount(1), discount(2), discount(3)]
}

/// Per order: every n-gram at the highest one, below it only those that begin with the start of the sentence.
fn plain_counts(sentences: &[Vec<u32>], known_ids: u32) -> Vec<FxHashMap<u128, u32>> {
    let mut counts = vec![FxHashMap::<u128, u32>::default(); ORDER];
    for sentence in sentences {
        for window in pad(sentence, known_ids).windows(ORDER) {
            let gram = pack(window);
            *counts[ORDER - 1].entry(gram).or_insert(0) += 1;
            for n in (2..ORDER).filter(|n| window[ORDER - n] == BOS) {
                *counts[n - 1].entry(suffix(gram, n)).or_insert(0) += 1;
            }
        }
    }
    counts
}

/// The sentence behind four starts and before its end, unknown ids replaced.
fn pad(sentence: &[u32], known_ids: u32) -> Vec<u32> {
    let known = sentence.iter().map(|&id| if id < known_ids { id } else { UNK });
    std::iter::repeat_n(BOS, ORDER - 1).chain(known).chain([EOS]).collect()
}

/// Draws sentences from a [`KneserNey`] model, by the interpolation read as a mixture: at each order either one of the
/// units seen after the context, by discounted count, or on to the next lower order.
#[derive(Debug)]
pub struct Sampler<'a> {
    model: &'a KneserNey,
    /// Per order, the followers of each context, by id: (unit, discounted count).
    followers: Vec<FxHashMap<u128, Vec<(u32, f64)>>>,
}

impl<'a> Sampler<'a> {
    fn new(model: &'a KneserNey) -> Self {
        let followers = model.levels.par_iter().map(|level| {
            let mut lists = FxHashMap::<u128, Vec<(u32, f64)>>::default();
            for (&gram, &count) in &level.counts {
                lists.entry(context(gram)).or_default().push((newest(gram), level.discounted(count)));
            }
            // By id, so that a seed draws the same sentences whatever the order of the map.
            lists.values_mut().for_each(|list| list.sort_unstable_by_key(|f| f.0));
            lists
        });
        Self { model, followers: followers.collect() }
    }

    /// One sentence, without its end; it may be empty, and stops at [`MAX_SAMPLE_LEN`] units.
    pub fn sentence(&self, rng: &mut impl Rng) -> Vec<u32> {
        let mut padded = vec![BOS; ORDER - 1];
        while padded.len() < ORDER - 1 + MAX_SAMPLE_LEN {
            match self.next(&padded[padded.len() - (ORDER - 1)..], rng) {
                EOS => break,
                unit => padded.push(unit),
            }
        }
        padded.split_off(ORDER - 1)
    }

    /// The next unit after four known ids.
    fn next(&self, history: &[u32], rng: &mut impl Rng) -> u32 {
        for n in (1..=ORDER).rev() {
            let context = pack(&history[ORDER - n..]);
            let Some(followers) = self.model.levels[n - 1].contexts.get(&context) else { continue };
            let mut left = rng.random::<f64>() * followers.total as f64;
            for &(unit, weight) in self.followers[n - 1].get(&context).into_iter().flatten() {
                left -= weight;
                if left < 0.0 {
                    return unit;
                }
            }
        }
        rng.random_range(EOS..self.model.known_ids)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::{Interner, Unit};

    const TOYS: [&str; 4] = ["a b c d a b", "a b c", "b c c a", "d a b c d"];

    fn model() -> KneserNey {
        let mut interner = Interner::new();
        let sentences = interner.encode_all(&TOYS, Unit::Words);
        KneserNey::fit(&sentences, interner.len())
    }

    #[test]
    fn probabilities_sum_to_one_after_any_history() {
        let model = model();
        for history in [&[][..], &[3], &[3, 4, 5], &[6, 6, 6, 6], &[3, 4, 5, 6, 3, 4], &[UNK, 4]] {
            let sum: f64 = (EOS..model.known_ids).map(|unit| model.probability(history, unit)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{history:?}: {sum}");
        }
    }

    #[test]
    fn unknown_units_share_the_probability_of_unk() {
        let model = model();
        assert_eq!(model.probability(&[3, 999], 77), model.probability(&[3, UNK], UNK));
        assert!(model.probability(&[3], 999) > 0.0);
    }

    #[test]
    fn log_probability_is_the_sum_over_the_sentence_and_its_end() {
        let model = model();
        let p = model.probability(&[], 3) * model.probability(&[3], 4) * model.probability(&[3, 4], EOS);
        assert!((model.log_probability(&[3, 4]) - p.ln()).abs() < 1e-12);
        assert!((model.ppl(&[vec![3, 4]]) - p.powf(-1.0 / 3.0)).abs() < 1e-9);
        assert!(model.ppl(&[]).is_nan());
    }

    #[test]
    fn a_model_of_nothing_is_uniform() {
        let model = KneserNey::fit(&[], 8);
        assert_eq!(model.probability(&[3], 4), 1.0 / 7.0);
    }

    #[test]
    fn the_sampler_draws_first_units_as_often_as_the_model_says() {
        let model = model();
        let (sampler, mut rng) = (model.sampler(), ChaCha8Rng::seed_from_u64(3));
        let draws = 40_000;
        let mut seen = vec![0u32; model.known_ids as usize];
        for _ in 0..draws {
            seen[sampler.sentence(&mut rng).first().map_or(EOS, |&unit| unit) as usize] += 1;
        }
        for unit in EOS..model.known_ids {
            let (p, share) = (model.probability(&[], unit), f64::from(seen[unit as usize]) / f64::from(draws));
            let deviation = (p * (1.0 - p) / f64::from(draws)).sqrt();
            assert!((p - share).abs() < 4.5 * deviation, "{unit}: {p} but drawn {share}");
        }
    }

    #[test]
    fn a_seed_repeats_its_sentences() {
        let model = model();
        let draw = |seed| {
            let (sampler, mut rng) = (model.sampler(), ChaCha8Rng::seed_from_u64(seed));
            (0..20).map(|_| sampler.sentence(&mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }
}

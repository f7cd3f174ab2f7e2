//! How far a figure depends on which records happened to be in the test set, and whether one system is really ahead
//! of another.
//!
//! The records are drawn anew with replacement, as many as there are, a thousand times; each time the figure is
//! computed (Efron 1979). The middle 95 % of the results are its interval. To compare two systems both are scored on
//! the same draws (the paired bootstrap, Koehn 2004). All this says nothing of other seeds: that is
//! [`Spread`](crate::Spread).

use rand::{Rng, RngExt};
use serde::Serialize;

use crate::bleu::BleuCounts;

/// How to draw.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use strait_eval::Bootstrap;
/// let scores: Vec<f64> = (0..100).map(f64::from).collect();
/// let mean = Bootstrap::default().mean(&scores, &mut ChaCha8Rng::seed_from_u64(1));
/// assert_eq!((mean.value, mean.n), (49.5, 100));
/// assert!(mean.low < 49.5 && mean.high > 49.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of draws of a whole test set.
    pub resamples: usize,
    /// Share of the draws that an interval covers, 0..1.
    pub level: f64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 1000, level: 0.95 }
    }
}

/// A figure with its interval. All NaN (null in JSON) without records.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The figure over all records.
    pub value: f64,
    /// Lower end of the percentile interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of the draws within it, 0..1.
    pub level: f64,
    /// Number of records.
    pub n: usize,
    /// Number of draws.
    pub resamples: usize,
}

/// Two systems on the same records.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Figure of the first system over all records.
    pub first: f64,
    /// Figure of the second.
    pub second: f64,
    /// First less second, with its interval.
    pub difference: Interval,
    /// Share of the draws in which the first is ahead, ties halved, 0..1 (Koehn 2004).
    pub wins: f64,
    /// Two-sided p-value of no difference: how often draws, moved to a mean difference of zero, differ at least as much
    /// as the systems do (Riezler and Maxwell 2005); at least `1 / (resamples + 1)`.
    pub p_value: f64,
}

/// Counts that add up: those of records to those of a corpus, from which the corpus' figure is computed.
pub trait Counts: Clone + Default {
    /// Adds the counts of other records.
    fn merge(&mut self, other: &Self);
}

impl Bootstrap {
    /// The mean of scores, one for each record.
    pub fn mean(&self, scores: &[f64], rng: &mut impl Rng) -> Interval {
        self.interval(scores.len(), rng, |records| mean(records.iter().map(|&i| scores[i])))
    }

    /// The figure that `score` makes of the summed counts of the records.
    pub fn corpus<C: Counts>(&self, counts: &[C], score: impl Fn(&C) -> f64, rng: &mut impl Rng) -> Interval {
        self.interval(counts.len(), rng, |records| score(&sum(records.iter().map(|&i| &counts[i]))))
    }

    /// Corpus BLEU-4, 0..100, of the counts of each record.
    pub fn bleu(&self, counts: &[BleuCounts], rng: &mut impl Rng) -> Interval {
        self.corpus(counts, BleuCounts::score, rng)
    }

    /// Compares the mean scores of two systems; a pair is one record's.
    pub fn compare_means(&self, scores: &[(f64, f64)], rng: &mut impl Rng) -> Comparison {
        self.comparison(scores.len(), rng, |records| {
            (mean(records.iter().map(|&i| scores[i].0)), mean(records.iter().map(|&i| scores[i].1)))
        })
    }

    /// Compares the figures that `score` makes of the summed counts of two systems; a pair is one record's.
    pub fn compare_corpora<C: Counts>(
        &self,
        counts: &[(C, C)],
        score: impl Fn(&C) -> f64,
        rng: &mut impl Rng,
    ) -> Comparison {
        self.comparison(counts.len(), rng, |records| {
            let (first, second) =
                (sum(records.iter().map(|&i| &counts[i].0)), sum(records.iter().map(|&i| &counts[i].1)));
            (score(&first), score(&second))
        })
    }

    /// Compares the corpus BLEU-4 of two systems; a pair is one record's.
    pub fn compare_bleu(&self, counts: &[(BleuCounts, BleuCounts)], rng: &mut impl Rng) -> Comparison {
        self.compare_corpora(counts, BleuCounts::score, rng)
    }

    /// Any figure of `n` records, given the indices of those drawn.
    pub fn interval(&self, n: usize, rng: &mut impl Rng, figure: impl Fn(&[usize]) -> f64) -> Interval {
        self.percentiles(n, figure(&all(n)), self.draws(n, rng, figure))
    }

    /// Any figure of two systems on `n` records, given the indices of those drawn.
    pub fn comparison(&self, n: usize, rng: &mut impl Rng, figures: impl Fn(&[usize]) -> (f64, f64)) -> Comparison {
        let (first, second) = figures(&all(n));
        let differences = self.draws(n, rng, |records| {
            let (first, second) = figures(records);
            first - second
        });
        let centre = mean(differences.iter().copied());
        let as_far = differences.iter().filter(|&&d| (d - centre).abs() >= (first - second).abs()).count();
        let ahead = differences.iter().map(|&d| if d == 0.0 { 0.5 } else { f64::from(u8::from(d > 0.0)) });
        Comparison {
            first,
            second,
            wins: if n == 0 { f64::NAN } else { mean(ahead) },
            p_value: if n == 0 { f64::NAN } else { (as_far + 1) as f64 / (differences.len() + 1) as f64 },
            difference: self.percentiles(n, first - second, differences),
        }
    }

    /// The figure of every draw; none without records.
    fn draws(&self, n: usize, rng: &mut impl Rng, figure: impl Fn(&[usize]) -> f64) -> Vec<f64> {
        let resamples = if n == 0 { 0 } else { self.resamples };
        (0..resamples).map(|_| figure(&(0..n).map(|_| rng.random_range(0..n)).collect::<Vec<_>>())).collect()
    }

    fn percentiles(&self, n: usize, value: f64, mut draws: Vec<f64>) -> Interval {
        draws.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - self.level.clamp(0.0, 1.0)) / 2.0;
        Interval {
            value: if n == 0 { f64::NAN } else { value },
            low: quantile(&draws, tail),
            high: quantile(&draws, 1.0 - tail),
            level: self.level,
            n,
            resamples: draws.len(),
        }
    }
}

/// The records themselves.
fn all(n: usize) -> Vec<usize> {
    (0..n).collect()
}

/// The mean; NaN of nothing.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len();
    values.sum::<f64>() / n as f64
}

/// The counts of all.
fn sum<'a, C: Counts + 'a>(counts: impl Iterator<Item = &'a C>) -> C {
    let mut sum = C::default();
    counts.for_each(|c| sum.merge(c));
    sum
}

/// The value below which a share `p` of sorted values lies, linear between neighbours; NaN of nothing.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (sorted.get(at.floor() as usize), sorted.get(at.ceil() as usize));
    let (Some(below), Some(above)) = (below, above) else { return f64::NAN };
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Numbers that look normal with mean 0 and standard deviation 1: sums of twelve uniform ones.
    fn normal(n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..n).map(|_| (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0).collect()
    }

    #[test]
    fn the_interval_of_a_mean_nears_the_normal_one() {
        let scores = normal(400, &mut rng(1));
        let interval = Bootstrap { resamples: 4000, level: 0.95 }.mean(&scores, &mut rng(2));
        let centre = scores.iter().sum::<f64>() / 400.0;
        let std = (scores.iter().map(|s| (s - centre).powi(2)).sum::<f64>() / 399.0).sqrt();
        let half = 1.96 * std / 20.0;
        assert!((interval.low - (centre - half)).abs() < 0.1 * half, "{interval:?}, expected ± {half}");
        assert!((interval.high - (centre + half)).abs() < 0.1 * half, "{interval:?}, expected ± {half}");
        assert_eq!((interval.n, interval.resamples), (400, 4000));
    }

    #[test]
    fn the_p_value_nears_that_of_the_paired_test() {
        // A mean difference of two standard errors: p is near 0.0455, that of a normal variable beyond ±2.
        let mut scores = normal(400, &mut rng(3));
        let centre = scores.iter().sum::<f64>() / 400.0;
        let error = (scores.iter().map(|s| (s - centre).powi(2)).sum::<f64>() / 400.0).sqrt() / 20.0;
        scores.iter_mut().for_each(|s| *s += 2.0 * error - centre);
        let pairs: Vec<(f64, f64)> = scores.iter().map(|&s| (s, 0.0)).collect();
        let comparison = Bootstrap { resamples: 4000, level: 0.95 }.compare_means(&pairs, &mut rng(4));
        assert!((comparison.p_value - 0.0455).abs() < 0.012, "{comparison:?}");
        assert!((comparison.wins - 0.977).abs() < 0.012, "{comparison:?}");
        assert!(comparison.difference.low > -0.1 * error);
    }

    #[test]
    fn equal_systems_do_not_differ_and_a_constant_lead_is_sure() {
        let bootstrap = Bootstrap { resamples: 99, level: 0.95 };
        let equal = bootstrap.compare_means(&[(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)], &mut rng(1));
        assert_eq!((equal.p_value, equal.wins, equal.difference.high), (1.0, 0.5, 0.0));
        let ahead = bootstrap.compare_means(&[(2.0, 1.0), (3.0, 2.0), (5.0, 4.0), (0.0, -1.0)], &mut rng(1));
        assert_eq!((ahead.p_value, ahead.wins, ahead.difference.low), (0.01, 1.0, 1.0));
    }

    #[test]
    fn bleu_is_that_of_the_whole_corpus() {
        let (good, bad) = ([3, 4, 5, 6, 7, 8], [3, 4, 5, 6, 9, 9]);
        let counts: Vec<(BleuCounts, BleuCounts)> = (0..20)
            .map(|i| (BleuCounts::of(&good, &good), BleuCounts::of(if i % 2 == 0 { &good } else { &bad }, &good)))
            .collect();
        let comparison = Bootstrap::default().compare_bleu(&counts, &mut rng(1));
        let expected = 100.0 * (100.0 / 120.0 * 80.0 / 100.0 * 60.0 / 80.0 * 40.0 / 60.0f64).powf(0.25);
        assert_eq!(comparison.first, 100.0);
        assert!((comparison.second - expected).abs() < 1e-9);
        assert!(comparison.p_value < 0.01 && comparison.difference.low > 0.0);
        let second: Vec<BleuCounts> = counts.iter().map(|c| c.1).collect();
        let alone = Bootstrap::default().bleu(&second, &mut rng(1));
        assert!(alone.low < expected && expected < alone.high && alone.high <= 100.0);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!((quantile(&[1.0, 2.0], 0.0), quantile(&[1.0, 2.0], 1.0)), (1.0, 2.0));
    }

    #[test]
    fn without_records_nothing_is_known() {
        let comparison = Bootstrap::default().compare_bleu(&[], &mut rng(1));
        assert!(comparison.p_value.is_nan() && comparison.wins.is_nan() && comparison.difference.value.is_nan());
        assert!(Bootstrap::default().mean(&[], &mut rng(1)).low.is_nan());
    }
}

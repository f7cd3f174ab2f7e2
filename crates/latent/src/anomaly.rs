//! How unusual records are, as p-values that hold whatever the scores are.
//!
//! A score says how odd a record is, higher for odder: nats a token, nats in all, less log density of the latent,
//! distance to its neighbours. Scores of records that were used for nothing else calibrate it (conformal p-value, Vovk
//! et al. 2005; for outliers Bates et al. 2023): of n such records,
//!
//! ```text
//! p = (1 + #{calibration scores >= s}) / (n + 1)
//! ```
//!
//! A record like those of the calibration has p <= alpha with probability at most alpha, exactly, for any n and without
//! assumptions but that they are exchangeable. The smallest p is 1 / (n + 1).
//!
//! [`Calibration`] takes several scores at once, which depend on each other, so that formulas for independent p-values
//! (Fisher's) do not hold. A [`Combination`] of the p-values is therefore used as one more score: each of the n
//! calibration records and the new one is ranked among all n + 1, gets its combined score from its ranks, and p is the
//! share of them that is at least as odd as the new one. All are treated alike, so the result is as exact as above.

use rayon::prelude::*;
use serde::Serialize;

use crate::correlation::{ScoreError, finite, ranks};

/// `(1 + #{calibration >= score}) / (n + 1)` of a finite score.
///
/// ```
/// use strait_latent::anomaly::conformal_p;
/// assert_eq!(conformal_p(&[1.0, 2.0, 3.0], 2.5)?, 0.5);
/// # Ok::<(), strait_latent::correlation::ScoreError>(())
/// ```
///
/// # Errors
/// Without calibration scores, or with one that is not finite.
pub fn conformal_p(calibration: &[f64], score: f64) -> Result<f64, ScoreError> {
    finite(calibration, 1)?;
    finite(&[score], 1)?;
    Ok(crate::permutation::p_value(score, calibration))
}

/// How the p-values p_1 .. p_m of a record's m scores become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    /// `sum_j 1 / p_j` (Wilson 2019): ruled by the smallest, helped a little by others; for records that may be odd in
    /// one way only.
    #[default]
    Harmonic,
    /// `sum_j tan(pi (1/2 - p_j))` (Liu and Xie 2020): like the harmonic one, but a p_j near 1 counts against.
    Cauchy,
    /// `-sum_j ln p_j` (Fisher 1932): for records that are a little odd in every way.
    Product,
}

impl Combination {
    /// The score of one p-value, higher for a smaller p.
    fn score(self, p: f64) -> f64 {
        match self {
            Self::Harmonic => 1.0 / p,
            Self::Cauchy => (std::f64::consts::PI * (0.5 - p)).tan(),
            Self::Product => -p.ln(),
        }
    }
}

/// m scores of n records that stand for what is usual.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Each score's values, sorted; (m, n).
    sorted: Vec<Vec<f64>>,
    /// Each score's values in the order of the records; (m, n).
    scores: Vec<Vec<f64>>,
    /// For each score and record, how many records score at least as high; (m, n).
    at_least: Vec<Vec<u32>>,
}

/// The p-values of records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PValues {
    /// Of each score and record, (m, records).
    pub each: Vec<Vec<f64>>,
    /// Of all scores together, one a record.
    pub combined: Vec<f64>,
}

impl Calibration {
    /// From m lists of the scores of the same n records, higher for odder.
    ///
    /// # Errors
    /// Without lists or records, when lists differ in length, or with a score that is not finite.
    pub fn new(scores: Vec<Vec<f64>>) -> Result<Self, ScoreError> {
        check(&scores, scores.len().max(1), 1)?;
        let sorted: Vec<Vec<f64>> = scores.iter().map(|list| sorted(list)).collect();
        let count = |(list, sorted): (&Vec<f64>, &Vec<f64>)| -> Vec<u32> {
            list.iter().map(|&s| at_least(sorted, s) as u32).collect()
        };
        Ok(Self { at_least: scores.iter().zip(&sorted).map(count).collect(), sorted, scores })
    }

    /// Number of calibration records, n >= 1.
    pub fn records(&self) -> usize {
        self.scores[0].len()
    }

    /// p-values of records by m lists of their scores, in the order of [`Calibration::new`]. Takes m n additions a
    /// record where m > 1.
    ///
    /// ```
    /// use strait_latent::anomaly::{Calibration, Combination};
    /// let calibration = Calibration::new(vec![vec![1.0, 2.0, 3.0], vec![3.0, 1.0, 2.0]])?;
    /// let found = calibration.p_values(&[vec![9.0], vec![0.0]], Combination::Harmonic)?;
    /// assert_eq!((found.each, found.combined), (vec![vec![0.25], vec![1.0]], vec![0.5]));
    /// # Ok::<(), strait_latent::correlation::ScoreError>(())
    /// ```
    ///
    /// # Errors
    /// When there are not m lists of equal length, or with a score that is not finite.
    pub fn p_values(&self, scores: &[Vec<f64>], how: Combination) -> Result<PValues, ScoreError> {
        check(scores, self.scores.len(), 0)?;
        let all = (self.records() + 1) as f64;
        let p = |(list, sorted): (&Vec<f64>, &Vec<f64>)| -> Vec<f64> {
            list.iter().map(|&s| (at_least(sorted, s) + 1) as f64 / all).collect()
        };
        let each: Vec<Vec<f64>> = scores.iter().zip(&self.sorted).map(p).collect();
        if let [only] = &each[..] {
            return Ok(PValues { combined: only.clone(), each });
        }
        // Of a count of records, 1..=n + 1.
        let table: Vec<f64> = (0..=self.records() + 1).map(|count| how.score(count as f64 / all)).collect();
        let one = |at: usize| self.combined(&scores.iter().map(|list| list[at]).collect::<Vec<f64>>(), &table);
        Ok(PValues { combined: (0..scores[0].len()).into_par_iter().map(one).collect(), each })
    }

    /// The combined p-value of a record with scores `new` (m).
    fn combined(&self, new: &[f64], table: &[f64]) -> f64 {
        let mut totals = vec![0.0; self.records()];
        let mut own = 0.0;
        for ((&new, sorted), (scores, counts)) in
            new.iter().zip(&self.sorted).zip(self.scores.iter().zip(&self.at_least))
        {
            own += table[at_least(sorted, new) + 1];
            for ((total, &score), &count) in totals.iter_mut().zip(scores).zip(counts) {
                *total += table[count as usize + usize::from(new >= score)];
            }
        }
        crate::permutation::p_value(own, &totals)
    }
}

/// Share of pairs of an odd and a usual record in which the odd one scores higher, ties halved, 0..1: the area under the
/// ROC curve (Mann and Whitney 1947).
///
/// ```
/// use strait_latent::anomaly::auc;
/// assert_eq!(auc(&[3.0, 2.0], &[1.0, 2.0])?, 0.875);
/// # Ok::<(), strait_latent::correlation::ScoreError>(())
/// ```
///
/// # Errors
/// When one of the lists is empty or holds a value that is not finite.
pub fn auc(odd: &[f64], usual: &[f64]) -> Result<f64, ScoreError> {
    finite(odd, 1)?;
    finite(usual, 1)?;
    let (m, n) = (odd.len() as f64, usual.len() as f64);
    let sum: f64 = ranks(&[odd, usual].concat())[..odd.len()].iter().sum();
    Ok((sum - m * (m + 1.0) / 2.0) / (m * n))
}

/// For each p-value the smallest false discovery rate at which its record would be among those found (Benjamini and
/// Hochberg 1995), 0..1. Take the records with a value of at most 0.1, and on average at most a tenth of them are usual
/// ones; conformal p-values of one calibration depend on each other in a way that permits it (Bates et al. 2023).
///
/// # Errors
/// With a value that is not finite.
pub fn false_discovery_rates(p: &[f64]) -> Result<Vec<f64>, ScoreError> {
    finite(p, 0)?;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let mut rates = vec![0.0; p.len()];
    let mut least: f64 = 1.0;
    for (place, &i) in order.iter().enumerate() {
        least = least.min(p[i] * p.len() as f64 / (p.len() - place) as f64);
        rates[i] = least;
    }
    Ok(rates)
}

/// Number of values at least as large as `score`.
fn at_least(sorted: &[f64], score: f64) -> usize {
    sorted.len() - sorted.partition_point(|&s| s < score)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Fails unless there are `lists` lists of the same length, at least `least`, all finite.
fn check(scores: &[Vec<f64>], lists: usize, least: usize) -> Result<(), ScoreError> {
    if scores.len() != lists {
        return Err(ScoreError::Lists { expected: lists, found: scores.len() });
    }
    for list in scores {
        finite(list, least)?;
        if list.len() != scores[0].len() {
            return Err(ScoreError::Lengths { expected: scores[0].len(), found: list.len() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    const ALL: [Combination; 3] = [Combination::Harmonic, Combination::Cauchy, Combination::Product];

    /// Three scores of n records that depend strongly on each other, the third rounded so that it has ties.
    fn scores(n: usize, moved: [f64; 3], seed: u64) -> Vec<Vec<f64>> {
        let noise = normal(n, 4, seed);
        let score =
            |j: usize| noise.view().iter().map(|z| 2.0 * f64::from(z[0]) + f64::from(z[j + 1]) + moved[j]).collect();
        let mut scores: Vec<Vec<f64>> = (0..3).map(score).collect();
        scores[2].iter_mut().for_each(|s| *s = (*s * 10.0).round() / 10.0);
        scores
    }

    #[test]
    fn p_values_of_usual_records_are_uniform() {
        let calibration = Calibration::new(scores(2000, [0.0; 3], 1)).unwrap();
        for how in ALL {
            let found = calibration.p_values(&scores(2000, [0.0; 3], 2), how).unwrap();
            for p in found.each.iter().chain([&found.combined]) {
                // The largest gap between two empirical distributions of 2,000 (Kolmogorov and Smirnov): 0.0616 is
                // exceeded once in a thousand.
                let sorted = sorted(p);
                let gap = |(i, &p): (usize, &f64)| ((i as f64 + 0.5) / 2000.0 - p).abs();
                let most = sorted.iter().enumerate().map(gap).fold(0.0, f64::max);
                assert!(most < 0.0616, "{how:?} {most}");
            }
        }
    }

    #[test]
    fn combined_p_values_are_exact_on_average_over_tiny_calibrations() {
        // With n = 9, P(p <= 0.1) is 0.1 exactly where there are no ties, over calibration and record alike.
        for how in ALL {
            let hits: usize = (0..400)
                .map(|seed| {
                    let all = scores(19, [0.0; 3], 100 + seed);
                    let part = |rows: std::ops::Range<usize>| -> Vec<Vec<f64>> {
                        all[..2].iter().map(|s| s[rows.clone()].to_vec()).collect()
                    };
                    let calibration = Calibration::new(part(0..9)).unwrap();
                    let found = calibration.p_values(&part(9..19), how).unwrap().combined;
                    found.iter().filter(|&&p| p <= 0.1 + 1e-9).count()
                })
                .sum();
            // Combined scores tie more often than scores do, which makes p larger. Three standard errors are 0.02.
            let share = hits as f64 / 4000.0;
            assert!(share > 0.06 && share < 0.12, "{how:?} {share}");
        }
    }

    #[test]
    fn the_combination_is_that_of_ranking_all_records_anew() {
        let (known, new) = (scores(30, [0.0; 3], 3), scores(6, [1.0; 3], 4));
        for how in ALL {
            let found = Calibration::new(known.clone()).unwrap().p_values(&new, how).unwrap().combined;
            for at in 0..6 {
                let lists: Vec<Vec<f64>> = known.iter().zip(&new).map(|(k, n)| [&k[..], &[n[at]]].concat()).collect();
                let p = |list: &[f64], i: usize| list.iter().filter(|&&s| s >= list[i]).count() as f64 / 31.0;
                let totals: Vec<f64> = (0..31).map(|i| lists.iter().map(|list| how.score(p(list, i))).sum()).collect();
                let expected = totals.iter().filter(|&&t| t >= totals[30]).count() as f64 / 31.0;
                assert_eq!(found[at], expected, "{how:?} {at}");
            }
        }
    }

    #[test]
    fn odd_records_are_found_in_one_score_or_in_all() {
        let calibration = Calibration::new(scores(500, [0.0; 3], 5)).unwrap();
        let share = |moved: [f64; 3], how: Combination| {
            let found = calibration.p_values(&scores(300, moved, 6), how).unwrap().combined;
            found.iter().filter(|&&p| p <= 0.05).count() as f64 / 300.0
        };
        for how in ALL {
            assert!(share([0.0; 3], how) < 0.09, "{how:?}");
            assert!(share([6.0; 3], how) > 0.8, "{how:?} {}", share([6.0; 3], how));
            // Two usual scores drown an odd one in the product.
            let one = share([9.0, 0.0, 0.0], how);
            assert_eq!(one > 0.8, how != Combination::Product, "{how:?} {one}");
        }
    }

    #[test]
    fn rates_of_false_discoveries() {
        // Sorted: 0.01, 0.02, 0.03, 0.5 become 0.04, 0.04, 0.04, 0.5.
        let found = false_discovery_rates(&[0.5, 0.01, 0.03, 0.02]).unwrap();
        found.iter().zip([0.5, 0.04, 0.04, 0.04]).for_each(|(f, e)| assert!((f - e).abs() < 1e-15, "{found:?}"));
        assert_eq!(false_discovery_rates(&[]), Ok(vec![]));
        assert!(false_discovery_rates(&[f64::NAN]).is_err());
    }

    #[test]
    fn bad_scores_are_refused() {
        assert_eq!(Calibration::new(vec![]), Err(ScoreError::Lists { expected: 1, found: 0 }));
        assert_eq!(Calibration::new(vec![vec![]]), Err(ScoreError::TooFew { found: 0, least: 1 }));
        let uneven = Calibration::new(vec![vec![1.0], vec![1.0, 2.0]]);
        assert_eq!(uneven, Err(ScoreError::Lengths { expected: 1, found: 2 }));
        let one = Calibration::new(vec![vec![1.0, 2.0]]).unwrap();
        assert!(one.p_values(&[vec![f64::NAN]], Combination::Cauchy).is_err());
        assert_eq!(one.p_values(&[], Combination::Cauchy), Err(ScoreError::Lists { expected: 1, found: 0 }));
        assert_eq!(one.p_values(&[vec![2.0, 9.0]], Combination::Cauchy).unwrap().combined, [2.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(auc(&[], &[1.0]), Err(ScoreError::TooFew { found: 0, least: 1 }));
        assert!(conformal_p(&[1.0], f64::INFINITY).is_err());
    }
}

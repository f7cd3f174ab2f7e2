//! Whether a score is more than chance: the same score with the labels shuffled, many times.
//!
//! ```text
//! p = (1 + shuffles that score at least as well) / (1 + shuffles)
//! ```
//!
//! which is at most alpha with probability at most alpha if labels and rows have nothing to do with each other (Phipson
//! and Smyth 2010; Ojala and Garriga 2010, test 1).

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use crate::labels::Labels;
use crate::matrix::Matrix;
use crate::probe::{CrossValidation, ProbeError};

/// A score beside those of shuffled labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PermutationTest {
    /// Cross-validated accuracy of the labels as they are, 0..1.
    pub accuracy: f64,
    /// Accuracy of each shuffle, in the order of the shuffles.
    pub shuffled: Vec<f64>,
    /// At least `1 / (shuffles + 1)`.
    pub p_value: f64,
}

/// Tests the cross-validated accuracy of a probe on rows (n, d). Whatever `how` does with the labels, choosing the
/// penalty included, it does with every shuffle too; give it one penalty to save most of the time.
///
/// # Errors
/// Those of [`CrossValidation::validate`].
pub fn permutation_test(
    rows: Matrix,
    labels: &Labels,
    how: &CrossValidation,
    shuffles: usize,
    seed: u64,
) -> Result<PermutationTest, ProbeError> {
    let accuracy = how.validate(rows, labels)?.accuracy();
    let score = |shuffle: usize| -> Result<f64, ProbeError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(shuffle as u64);
        let mut codes = labels.codes().to_vec();
        codes.shuffle(&mut rng);
        let shuffled = Labels::new(labels.names().to_vec(), codes)?;
        Ok(how.validate(rows, &shuffled)?.accuracy())
    };
    let shuffled = (0..shuffles).into_par_iter().map(score).collect::<Result<Vec<_>, _>>()?;
    Ok(PermutationTest { accuracy, p_value: p_value(accuracy, &shuffled), shuffled })
}

/// `(1 + #{chance >= score}) / (1 + #chance)`: the p-value of a score among those that chance gave.
pub fn p_value(score: f64, chance: &[f64]) -> f64 {
    (1 + chance.iter().filter(|&&c| c >= score).count()) as f64 / (1 + chance.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normal, shifted};

    fn quick() -> CrossValidation {
        CrossValidation { folds: 4, penalties: vec![10.0], seed: 2 }
    }

    #[test]
    fn p_values_count_ties() {
        assert_eq!(p_value(0.5, &[0.4, 0.5, 0.6]), 0.75);
        assert_eq!(p_value(0.7, &[0.4, 0.5, 0.6]), 0.25);
        assert_eq!(p_value(0.7, &[]), 1.0);
    }

    #[test]
    fn a_real_difference_is_found() {
        let (rows, labels) = shifted(40, 5, 3.0, 1);
        let test = permutation_test(rows.view(), &labels, &quick(), 99, 1).unwrap();
        assert!(test.p_value == 0.01 && test.accuracy > 0.7, "{test:?}");
        let again = permutation_test(rows.view(), &labels, &quick(), 99, 1).unwrap();
        assert_eq!(test, again);
        let mean = test.shuffled.iter().sum::<f64>() / 99.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}"); // four standard errors are 0.04
    }

    #[test]
    fn without_a_difference_p_values_are_uniform() {
        let labels = Labels::new(vec!["a".into(), "b".into()], (0..24).map(|i| i % 2).collect()).unwrap();
        let how = CrossValidation { folds: 3, ..quick() };
        let p: Vec<f64> = (0..60)
            .map(|seed| permutation_test(normal(24, 3, seed).view(), &labels, &how, 19, seed).unwrap().p_value)
            .collect();
        // Ties make p larger, never smaller. Of 60, 12 are expected at most 0.2, with a standard deviation of 3.1.
        let small = p.iter().filter(|&&p| p <= 0.2).count();
        assert!((3..=24).contains(&small), "{small} {p:?}");
    }
}

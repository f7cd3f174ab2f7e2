//! How well predicted classes agree with true ones.
//!
//! With `tp`, `fp` and `fn` the true positives, false positives and false negatives of a class,
//!
//! ```text
//! precision = tp / (tp + fp)   recall = tp / (tp + fn)   F1 = 2 tp / (2 tp + fp + fn)
//! ```
//!
//! The macro F1 is the mean over the classes that occur, as truth or as prediction; the micro F1 pools the counts of all
//! classes first, which for one class a row is the accuracy. Checked against scikit-learn.

use serde::Serialize;

use crate::error::LatentError;

/// How often each class was taken for which, (K, K).
///
/// ```
/// use strait_latent::Confusion;
/// let table = Confusion::new(&[0, 0, 1, 1], &[0, 1, 1, 1], 2)?;
/// assert_eq!((table.count(0, 1), table.accuracy(), table.majority()), (1, 0.75, 0.5));
/// # Ok::<(), strait_latent::LatentError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confusion {
    classes: usize,
    /// A row a true class.
    counts: Vec<u64>,
}

impl Confusion {
    /// Counts pairs of `truth` (n) and `predicted` (n), both below `classes`.
    ///
    /// # Errors
    /// Without pairs, with lists of different length, or with a class that does not exist.
    pub fn new(truth: &[usize], predicted: &[usize], classes: usize) -> Result<Self, LatentError> {
        if truth.is_empty() {
            return Err(LatentError::Empty);
        }
        if truth.len() != predicted.len() {
            let (expected, found) = (truth.len(), predicted.len());
            return Err(LatentError::Length { what: "predictions", expected, found });
        }
        if let Some(&wrong) = truth.iter().chain(predicted).find(|&&c| c >= classes) {
            let expected = format!("below {classes}, the number of classes");
            return Err(LatentError::Setting { what: "a class", value: wrong as f64, expected });
        }
        let mut counts = vec![0; classes * classes];
        truth.iter().zip(predicted).for_each(|(t, p)| counts[t * classes + p] += 1);
        Ok(Self { classes, counts })
    }

    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows of class `truth` that were taken for `predicted`.
    ///
    /// # Panics
    /// If one of them is not a class.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        assert!(predicted < self.classes, "class {predicted} of {}", self.classes);
        self.counts[truth * self.classes + predicted]
    }

    /// All rows, n.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Rows that truly are of a class.
    pub fn support(&self, class: usize) -> u64 {
        (0..self.classes).map(|p| self.count(class, p)).sum()
    }

    /// Rows taken for a class.
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).map(|t| self.count(t, class)).sum()
    }

    /// Share of right rows, 0..1.
    pub fn accuracy(&self) -> f64 {
        (0..self.classes).map(|c| self.count(c, c)).sum::<u64>() as f64 / self.total() as f64
    }

    /// Accuracy of always saying the most frequent class, 0..1.
    pub fn majority(&self) -> f64 {
        (0..self.classes).map(|c| self.support(c)).max().unwrap_or(0) as f64 / self.total() as f64
    }

    /// Mean recall of the classes that rows have, 0..1.
    pub fn balanced_accuracy(&self) -> f64 {
        mean((0..self.classes).filter(|&c| self.support(c) > 0).map(|c| self.recall(c)))
    }

    /// 0..1; 0 for a class that was never predicted.
    pub fn precision(&self, class: usize) -> f64 {
        share(self.count(class, class), self.predicted(class))
    }

    /// 0..1; 0 for a class that no row has.
    pub fn recall(&self, class: usize) -> f64 {
        share(self.count(class, class), self.support(class))
    }

    /// 0..1; 0 for a class that does not occur.
    pub fn f1(&self, class: usize) -> f64 {
        share(2 * self.count(class, class), self.support(class) + self.predicted(class))
    }

    /// Mean F1 of the classes that occur, as truth or as prediction.
    pub fn macro_f1(&self) -> f64 {
        mean((0..self.classes).filter(|&c| self.support(c) + self.predicted(c) > 0).map(|c| self.f1(c)))
    }

    /// F1 of the pooled counts; equals the accuracy.
    pub fn micro_f1(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|c| self.count(c, c)).sum();
        let both: u64 = (0..self.classes).map(|c| self.support(c) + self.predicted(c)).sum();
        share(2 * right, both)
    }
}

/// `part / whole`, 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
    sum / f64::from(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_worked_by_hand() {
        // Class 3 does not occur; class 2 is never predicted.
        let table = Confusion::new(&[0, 0, 0, 1, 1, 2], &[0, 0, 1, 1, 0, 1], 4).unwrap();
        assert_eq!((table.count(0, 0), table.count(0, 1), table.count(2, 1), table.total()), (2, 1, 1, 6));
        assert_eq!((table.accuracy(), table.micro_f1(), table.majority()), (0.5, 0.5, 0.5));
        assert_eq!((table.precision(1), table.recall(1), table.f1(1)), (1.0 / 3.0, 0.5, 0.4));
        assert_eq!((table.precision(2), table.recall(2), table.f1(3)), (0.0, 0.0, 0.0));
        assert!((table.macro_f1() - (4.0 / 6.0 + 0.4) / 3.0).abs() < 1e-15);
        assert!((table.balanced_accuracy() - (2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-15);
    }

    #[test]
    fn bad_lists_are_refused() {
        assert_eq!(Confusion::new(&[], &[], 2), Err(LatentError::Empty));
        assert!(matches!(Confusion::new(&[0], &[0, 1], 2), Err(LatentError::Length { expected: 1, found: 2, .. })));
        assert!(matches!(Confusion::new(&[0], &[2], 2), Err(LatentError::Setting { value: 2.0, .. })));
    }
}

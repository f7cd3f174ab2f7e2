//! Examples of the two sides that a direction leads between.

use super::DirectionError;
use crate::labels::Labels;
use crate::matrix::{Matrix, MatrixBuf};

/// Fewest examples a side: one to make a direction from and one to see how far it holds.
const FEWEST: usize = 2;

/// The latents of a low and a high side, at least two of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides {
    rows: MatrixBuf,
    /// Class 0 is low, 1 high.
    labels: Labels,
}

impl Sides {
    /// From the `low` (n, d) and the `high` (m, d) examples.
    ///
    /// # Errors
    /// With fewer than two examples a side or of different dimensions.
    pub fn new(low: Matrix, high: Matrix) -> Result<Self, DirectionError> {
        high.expect_dim(low.dim())?;
        let rows = MatrixBuf::new([low.data(), high.data()].concat(), low.dim())?;
        let codes = (0..rows.rows()).map(|i| usize::from(i >= low.rows())).collect();
        Self::checked(rows, codes)
    }

    /// From labels (n) of rows (n, d): `class` is high; low are all others, or, with `from`, that class only.
    ///
    /// # Errors
    /// When labels and rows differ in number, and with fewer than two examples a side.
    pub fn of_class(rows: Matrix, labels: &Labels, class: usize, from: Option<usize>) -> Result<Self, DirectionError> {
        rows.expect_len("labels", labels.len())?;
        let taken: Vec<usize> = (0..rows.rows())
            .filter(|&i| labels.codes()[i] == class || from.is_none_or(|from| labels.codes()[i] == from))
            .collect();
        if taken.is_empty() {
            return Err(DirectionError::TooFew { found: 0, least: FEWEST });
        }
        let codes = taken.iter().map(|&i| usize::from(labels.codes()[i] == class)).collect();
        Self::checked(rows.select(&taken)?, codes)
    }

    fn checked(rows: MatrixBuf, codes: Vec<usize>) -> Result<Self, DirectionError> {
        let labels = Labels::new(vec!["low".to_owned(), "high".to_owned()], codes)?;
        let sides = Self { rows, labels };
        match sides.fewest() {
            found if found < FEWEST => Err(DirectionError::TooFew { found, least: FEWEST }),
            _ => Ok(sides),
        }
    }

    /// All examples.
    pub fn rows(&self) -> Matrix<'_> {
        self.rows.view()
    }

    /// The side of each example: class 0 is low, 1 high.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Whether an example is of the high side.
    pub(super) fn is_high(&self, i: usize) -> bool {
        self.labels.codes()[i] == 1
    }

    /// Examples of the smaller side.
    pub(super) fn fewest(&self) -> usize {
        self.labels.counts().into_iter().min().unwrap_or(0)
    }

    /// The means of the low and the high side, (d) each.
    pub(super) fn means(&self) -> (Vec<f64>, Vec<f64>) {
        let mean = |side: usize| {
            let of_side = self.labels.rows_of(side);
            let mut sum = vec![0.0; self.rows.dim()];
            for &i in &of_side {
                sum.iter_mut().zip(self.rows.row(i)).for_each(|(s, &x)| *s += f64::from(x));
            }
            sum.iter_mut().for_each(|s| *s /= of_side.len() as f64);
            sum
        };
        (mean(0), mean(1))
    }

    /// All but the examples `part`, which are in rising order; at least one of each side must stay.
    pub(super) fn without(&self, part: &[usize]) -> Result<Self, DirectionError> {
        let kept: Vec<usize> = (0..self.labels.len()).filter(|i| part.binary_search(i).is_err()).collect();
        Ok(Self { rows: self.rows.view().select(&kept)?, labels: self.labels.select(&kept) })
    }
}

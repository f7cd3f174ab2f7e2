//! Bags: sparse rows, such as how often each token occurs in a text, and the layers that read and score them.

mod embedding;
mod multinomial;
mod squared;

pub use multinomial::{Multinomial, reference as multinomial_reference};
pub use squared::{SquaredCounts, reference as squared_reference};

/// Sparse rows (B, V): a row lists some columns with their values and is 0 elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Bags {
    /// Row b is `starts[b]..starts[b + 1]` of the lists, (B + 1).
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Default for Bags {
    fn default() -> Self {
        Bags { starts: vec![0], columns: Vec::new(), values: Vec::new() }
    }
}

impl Bags {
    /// No rows.
    pub fn new() -> Self {
        Bags::default()
    }

    /// Adds a row of (column, value); a column that comes twice counts twice.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            self.columns.push(column);
            self.values.push(value);
        }
        self.starts.push(self.columns.len());
    }

    /// Number of rows, B.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The (column, value) of row `b`.
    pub fn row(&self, b: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = self.starts[b]..self.starts[b + 1];
        self.columns[range.clone()].iter().map(|&c| c as usize).zip(self.values[range].iter().copied())
    }

    /// The sum of the values of row `b`.
    pub fn total(&self, b: usize) -> f32 {
        self.values[self.starts[b]..self.starts[b + 1]].iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_apart() {
        let mut bags = Bags::new();
        bags.push([(3, 2.0), (0, 1.0)]);
        bags.push([]);
        bags.push([(1, 0.5)]);
        assert_eq!((bags.rows(), bags.total(0), bags.total(1)), (3, 3.0, 0.0));
        assert_eq!(bags.row(0).collect::<Vec<_>>(), [(3, 2.0), (0, 1.0)]);
        assert_eq!((bags.row(1).count(), bags.row(2).next()), (0, Some((1, 0.5))));
    }
}

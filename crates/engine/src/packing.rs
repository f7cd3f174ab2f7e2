//! Packed batches of sequences: sorted by length, time-major, no padding.
//!
//! Row `offset(t) + b` of a packed (N, D) matrix is position `t` of sequence `b`; because sequences are sorted by
//! falling length, the sequences alive at `t` are exactly `0..active(t)`. N is the sum of the lengths.

/// How a batch of sequences lies in a packed matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    lengths: Vec<usize>,
    active: Vec<usize>,
    offsets: Vec<usize>,
}

impl Packing {
    /// From the sequences' lengths, which must be sorted in falling order and be at least 1.
    ///
    /// # Panics
    /// If they are not: batches are sorted where they are made.
    pub fn new(lengths: &[usize]) -> Self {
        assert!(lengths.windows(2).all(|w| w[0] >= w[1]), "lengths must fall");
        assert!(lengths.last().is_none_or(|&l| l > 0), "a packed sequence has at least one position");
        let steps = lengths.first().copied().unwrap_or(0);
        let mut active = Vec::with_capacity(steps);
        let mut offsets = Vec::with_capacity(steps + 1);
        let (mut b, mut total) = (lengths.len(), 0);
        for t in 0..steps {
            while lengths[b - 1] <= t {
                b -= 1;
            }
            offsets.push(total);
            active.push(b);
            total += b;
        }
        offsets.push(total);
        Packing { lengths: lengths.to_vec(), active, offsets }
    }

    /// `batch` sequences of the same length.
    pub fn uniform(batch: usize, steps: usize) -> Self {
        Packing::new(&vec![steps; batch])
    }

    /// Number of sequences, B.
    pub fn batch(&self) -> usize {
        self.lengths.len()
    }
    /// Length of the longest sequence, T.
    pub fn steps(&self) -> usize {
        self.active.len()
    }
    /// Number of rows, N.
    pub fn rows(&self) -> usize {
        self.offsets[self.active.len()]
    }
    /// Number of sequences that have a position `t`.
    pub fn active(&self, t: usize) -> usize {
        self.active[t]
    }
    /// First row of position `t`.
    pub fn offset(&self, t: usize) -> usize {
        self.offsets[t]
    }
    /// Lengths of the sequences.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }
    /// Row of position `t` of sequence `b`.
    pub fn row(&self, b: usize, t: usize) -> usize {
        self.offsets[t] + b
    }
    /// Rows of the sequences' last positions, (B).
    pub fn last_rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.lengths.iter().enumerate().map(|(b, &l)| self.row(b, l - 1))
    }
    /// For every row, the sequence it belongs to, (N).
    pub fn sequence_of_rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.active.iter().flat_map(|&n| 0..n)
    }

    /// Lays sequences (each at least as long as its length here) out in packed order.
    pub fn pack<T: Copy>(&self, sequences: &[&[T]], out: &mut Vec<T>) {
        out.clear();
        for t in 0..self.steps() {
            out.extend(sequences[..self.active(t)].iter().map(|s| s[t]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_time_major_and_shrink() {
        let p = Packing::new(&[3, 2, 2, 1]);
        assert_eq!((p.batch(), p.steps(), p.rows()), (4, 3, 8));
        assert_eq!((0..3).map(|t| p.active(t)).collect::<Vec<_>>(), [4, 3, 1]);
        assert_eq!(p.last_rows().collect::<Vec<_>>(), [7, 5, 6, 3]);
        assert_eq!(p.sequence_of_rows().collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2, 0]);
        let mut out = Vec::new();
        p.pack(&[&[1, 2, 3][..], &[4, 5], &[6, 7], &[8]], &mut out);
        assert_eq!(out, [1, 4, 6, 8, 2, 5, 7, 3]);
    }

    #[test]
    fn empty_batch() {
        assert_eq!(Packing::new(&[]).rows(), 0);
    }
}

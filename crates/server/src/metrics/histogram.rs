//! A histogram with fixed bounds, counted without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of values at most each bound (not cumulated), and their sum.
pub struct Histogram {
    bounds: &'static [f64],
    /// One for each bound, and one for what is above all.
    counts: Vec<AtomicU64>,
    /// In millionths, so that sums need no lock.
    sum: AtomicU64,
}

impl Histogram {
    /// With rising bounds.
    pub fn new(bounds: &'static [f64]) -> Self {
        Histogram { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }

    /// Counts a value from 0 up.
    pub fn observe(&self, value: f64) {
        let at = self.bounds.partition_point(|&bound| bound < value);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add((value * 1e6) as u64, Ordering::Relaxed);
    }

    /// Each bound with the number of values at most that; infinity last.
    pub fn cumulated(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let mut total = 0;
        bounds
            .zip(&self.counts)
            .map(|(bound, count)| {
                total += count.load(Ordering::Relaxed);
                (bound, total)
            })
            .collect()
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        self.sum.load(Ordering::Relaxed) as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::new(&[1.0, 2.0]);
        [0.5, 1.0, 1.5, 2.5].into_iter().for_each(|v| histogram.observe(v));
        assert_eq!(histogram.cumulated(), [(1.0, 2), (2.0, 3), (f64::INFINITY, 4)]);
        assert_eq!(histogram.sum(), 5.5);
    }
}

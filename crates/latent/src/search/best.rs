//! Keeping the best: the k nearest of a stream of rows.

use std::cmp::Ordering;

/// A row and its squared distance; nearer first, then by number, so that every order of arrival ends the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub squared: f32,
    pub row: u32,
}

impl Eq for Found {}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.squared.total_cmp(&other.squared).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The k smallest so far.
pub(super) struct Nearest {
    k: usize,
    heap: std::collections::BinaryHeap<Found>,
    /// The k-th smallest distance, infinite until there are k.
    worst: f32,
}

impl Nearest {
    pub fn new(k: usize) -> Self {
        Self { k, heap: std::collections::BinaryHeap::new(), worst: f32::INFINITY }
    }

    #[inline]
    pub fn offer(&mut self, squared: f32, row: u32) {
        if squared <= self.worst {
            self.insert(Found { squared, row });
        }
    }

    fn insert(&mut self, found: Found) {
        self.heap.push(found);
        if self.heap.len() > self.k {
            self.heap.pop();
        }
        if self.heap.len() == self.k {
            self.worst = self.heap.peek().map_or(f32::INFINITY, |f| f.squared);
        }
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Takes up another's.
    pub fn merge(mut self, other: Nearest) -> Nearest {
        other.heap.into_iter().for_each(|f| self.offer(f.squared, f.row));
        self
    }

    /// Nearest first.
    pub fn sorted(self) -> Vec<Found> {
        self.heap.into_sorted_vec()
    }
}

/// Rows that may be among the k nearest, by a closeness that is off by at most half of `slack`.
pub(super) struct Candidates {
    k: usize,
    slack: f32,
    /// Closeness below which a row cannot be among them.
    pub floor: f32,
    kept: Vec<(f32, u32)>,
    /// Number of candidates at which the list is cut down.
    full: usize,
}

impl Candidates {
    pub fn new(k: usize, slack: f32) -> Self {
        Self { k, slack, floor: f32::NEG_INFINITY, kept: Vec::new(), full: 2 * k + 32 }
    }

    /// Takes up the rows `first..` whose closeness reaches the floor.
    pub fn offer(&mut self, closeness: &[f32], first: usize) {
        for (chunk, scores) in closeness.chunks(16).enumerate() {
            // Without a branch in the loop, so that it vectorises.
            if !scores.iter().fold(false, |any, &s| any | (s >= self.floor)) {
                continue;
            }
            for (i, &s) in scores.iter().enumerate() {
                if s >= self.floor {
                    self.kept.push((s, (first + chunk * 16 + i) as u32));
                }
            }
            if self.kept.len() >= self.full {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        let kth = self.kept.select_nth_unstable_by(self.k - 1, |a, b| b.0.total_cmp(&a.0)).1.0;
        self.floor = kth - self.slack;
        self.kept.retain(|c| c.0 >= self.floor);
        self.full = (2 * self.kept.len()).max(2 * self.k + 32);
    }

    /// The rows that are left.
    pub fn rows(mut self) -> Vec<u32> {
        if self.kept.len() > self.k {
            self.cut();
        }
        self.kept.into_iter().map(|c| c.1).collect()
    }
}

//! One step at a time, for decoding: keys and values are kept and no tape is needed.

use crate::{
    Packing,
    ops::{
        elementwise::add_scaled,
        softmax::{dot, softmax_row},
    },
    threads::{self, Shared},
};

/// The keys and values that a batch of rows attends to, D columns each.
#[derive(Debug, Clone)]
pub struct Cache {
    width: usize,
    heads: usize,
    /// For each row its keys and values (T, D).
    rows: Vec<[Vec<f32>; 2]>,
}

impl Cache {
    /// An empty cache for `rows` rows: causal attention.
    pub fn new(width: usize, heads: usize, rows: usize) -> Self {
        assert!(heads > 0 && width.is_multiple_of(heads), "{heads} heads do not divide the width {width}");
        Cache { width, heads, rows: vec![Default::default(); rows] }
    }

    /// The memory of cross attention: k, v (M, D) packed, one row for each sequence.
    pub fn packed(width: usize, heads: usize, packing: &Packing, k: &[f32], v: &[f32]) -> Self {
        let mut cache = Cache::new(width, heads, packing.batch());
        for (b, sides) in cache.rows.iter_mut().enumerate() {
            for (side, from) in sides.iter_mut().zip([k, v]) {
                (0..packing.lengths()[b]).for_each(|t| side.extend(&from[packing.row(b, t) * width..][..width]));
            }
        }
        cache
    }

    /// Adds the next position of each row: k, v (rows, D).
    pub fn push(&mut self, k: &[f32], v: &[f32]) {
        for (r, sides) in self.rows.iter_mut().enumerate() {
            for (side, from) in sides.iter_mut().zip([k, v]) {
                side.extend(&from[r * self.width..][..self.width]);
            }
        }
    }

    /// Attends to all kept positions: q (rows, D) -> y (rows, D).
    pub fn attend(&self, q: &[f32], y: &mut [f32]) {
        let (width, d) = (self.width, self.width / self.heads);
        assert_eq!((q.len(), y.len()), (self.rows.len() * width, self.rows.len() * width));
        let out = Shared(y.as_mut_ptr());
        threads::split(self.rows.len(), 4, |rows| {
            let mut scores = Vec::new();
            for r in rows {
                let [k, v] = &self.rows[r];
                for at in (0..width).step_by(d) {
                    let q = &q[r * width + at..][..d];
                    let score = |k: &[f32]| dot(q, &k[at..at + d]) / (d as f32).sqrt();
                    scores.clear();
                    scores.extend(k.chunks_exact(width).map(score));
                    softmax_row(&mut scores);
                    // SAFETY: each range owns its rows.
                    let y = unsafe { out.slice(r * width + at, d) };
                    y.fill(0.0);
                    v.chunks_exact(width).zip(&scores).for_each(|(v, &p)| add_scaled(y, &v[at..at + d], p, false));
                }
            }
        });
    }

    /// New row i continues old row `from[i]`.
    pub fn select(&mut self, from: &[usize]) {
        let mut uses = vec![0; self.rows.len()];
        from.iter().for_each(|&r| uses[r] += 1);
        let mut next = |r: usize| {
            uses[r] -= 1;
            if uses[r] == 0 { std::mem::take(&mut self.rows[r]) } else { self.rows[r].clone() }
        };
        self.rows = from.iter().map(|&r| next(r)).collect();
    }
}

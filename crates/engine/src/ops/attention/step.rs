//! One step at a time, for decoding: keys and values are kept and no tape is needed.

use crate::{
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
        let width = self.width;
        assert_eq!((q.len(), y.len()), (self.rows.len() * width, self.rows.len() * width));
        let out = Shared(y.as_mut_ptr());
        threads::split(self.rows.len(), 4, |rows| {
            for r in rows {
                let [k, v] = &self.rows[r];
                // SAFETY: each range owns its rows.
                let y = unsafe { out.slice(r * width, width) };
                attend_row(&q[r * width..][..width], [k, v], self.heads, y, None);
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

/// One row attends with all its heads: q (D), k, v (T, D) -> y (D). The weights (T), averaged over the heads, go to `mean`.
pub(super) fn attend_row(q: &[f32], [k, v]: [&[f32]; 2], heads: usize, y: &mut [f32], mean: Option<&mut Vec<f32>>) {
    let (width, d) = (q.len(), q.len() / heads);
    let mut scores = Vec::new();
    let mut mean = mean;
    if let Some(mean) = &mut mean {
        mean.clear();
        mean.resize(k.len() / width, 0.0);
    }
    y.fill(0.0);
    for at in (0..width).step_by(d) {
        let query = &q[at..at + d];
        scores.clear();
        scores.extend(k.chunks_exact(width).map(|k| dot(query, &k[at..at + d]) / (d as f32).sqrt()));
        softmax_row(&mut scores);
        let y = &mut y[at..at + d];
        v.chunks_exact(width).zip(&scores).for_each(|(v, &p)| add_scaled(y, &v[at..at + d], p, false));
        if let Some(mean) = &mut mean {
            add_scaled(mean, &scores, 1.0 / heads as f32, false);
        }
    }
}

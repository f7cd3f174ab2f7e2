//! Moving rows and columns: gathering, repeating over time, laying side by side, cutting out.
//!
//! Each is a copy; the gradient travels the same way back, summed where a row was used more than once.

use std::{ops::Range, sync::Arc};

use crate::{
    Packing, Tape, Var,
    ops::elementwise::add_scaled,
    tape::{Backward, Op},
};

impl Tape {
    /// `y[i] = x[rows[i]]`, such as the last state of each sequence: x (N, D), rows (M) -> y (M, D).
    ///
    /// # Panics
    /// If a row is not below N.
    pub fn gather_rows(&mut self, x: Var, rows: &[u32]) -> Var {
        let (_, d) = self.shape(x);
        let mut y = self.pool.take(rows.len() * d);
        let value = self.values.get(x);
        for (y, &row) in y.chunks_exact_mut(d.max(1)).zip(rows) {
            y.copy_from_slice(&value[row as usize * d..][..d]);
        }
        let needs = self.values.needs_grad(x);
        let kept = if needs { self.pool.copy_words(rows) } else { Vec::new() };
        self.push(y, (rows.len(), d), needs, || Some(Gather { x, rows: kept }))
    }

    /// Gives each position of a sequence the sequence's row: z (B, D) -> y (N, D) packed.
    pub fn repeat_rows(&mut self, z: Var, packing: &Arc<Packing>) -> Var {
        let (b, d) = self.shape(z);
        assert_eq!(b, packing.batch());
        let mut y = self.pool.take(packing.rows() * d);
        let value = self.values.get(z);
        for t in 0..packing.steps() {
            let rows = packing.active(t) * d;
            y[packing.offset(t) * d..][..rows].copy_from_slice(&value[..rows]);
        }
        let needs = self.values.needs_grad(z);
        self.push(y, (packing.rows(), d), needs, || Some(Repeat { z, packing: packing.clone() }))
    }

    /// Lays matrices of N rows side by side: (N, D1), (N, D2), ... -> (N, D1 + D2 + ...).
    pub fn concat(&mut self, parts: &[Var]) -> Var {
        let n = parts.first().map_or(0, |&p| self.shape(p).0);
        let width: usize = parts.iter().map(|&p| self.shape(p).1).sum();
        let mut y = self.pool.take(n * width);
        let mut at = 0;
        for &part in parts {
            let (rows, d) = self.shape(part);
            assert_eq!(rows, n, "matrices side by side have equally many rows");
            copy_columns((self.values.get(part), d, 0), (&mut y, width, at), d);
            at += d;
        }
        let needs = parts.iter().any(|&p| self.values.needs_grad(p));
        self.push(y, (n, width), needs, || Some(Concat { parts: parts.to_vec() }))
    }

    /// Cuts columns out: x (N, D) -> y (N, columns).
    pub fn slice_columns(&mut self, x: Var, columns: Range<usize>) -> Var {
        let (n, d) = self.shape(x);
        assert!(columns.start <= columns.end && columns.end <= d);
        let (at, width) = (columns.start, columns.len());
        let mut y = self.pool.take(n * width);
        copy_columns((self.values.get(x), d, at), (&mut y, width, 0), width);
        let needs = self.values.needs_grad(x);
        self.push(y, (n, width), needs, || Some(Slice { x, at }))
    }
}

/// Copies `count` columns between matrices, each given as (data, row width, first column).
fn copy_columns((x, wide, from): (&[f32], usize, usize), (y, width, to): (&mut [f32], usize, usize), count: usize) {
    if count > 0 {
        for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(wide)) {
            y[to..to + count].copy_from_slice(&x[from..from + count]);
        }
    }
}

/// As [`copy_columns`], adding to what is there.
fn add_columns((x, wide, from): (&[f32], usize, usize), (y, width, to): (&mut [f32], usize, usize), count: usize) {
    if count > 0 {
        for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(wide)) {
            add_scaled(&mut y[to..to + count], &x[from..from + count], 1.0, false);
        }
    }
}

struct Gather {
    x: Var,
    rows: Vec<u32>,
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather rows"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, d) = cx.values.shape(cx.out);
        if let Some(dx) = cx.grads.add(self.x, cx.values, cx.pool) {
            for (dy, &row) in dy.chunks_exact(d.max(1)).zip(&self.rows) {
                add_scaled(&mut dx[row as usize * d..][..d], dy, 1.0, false);
            }
        }
        cx.pool.give_words(std::mem::take(&mut self.rows));
    }
}

struct Repeat {
    z: Var,
    packing: Arc<Packing>,
}

impl Op for Repeat {
    fn name(&self) -> &'static str {
        "repeat rows"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, d) = cx.values.shape(cx.out);
        if let Some(dz) = cx.grads.add(self.z, cx.values, cx.pool) {
            sum_over_time(dy, &self.packing, d, dz);
        }
    }
}

/// `sums[b] += sum over t of m[row of (b, t)]`: m (N, cols) packed, sums (B, cols).
pub(crate) fn sum_over_time(m: &[f32], packing: &Packing, cols: usize, sums: &mut [f32]) {
    for t in 0..packing.steps() {
        let rows = packing.active(t) * cols;
        add_scaled(&mut sums[..rows], &m[packing.offset(t) * cols..][..rows], 1.0, false);
    }
}

struct Concat {
    parts: Vec<Var>,
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, width) = cx.values.shape(cx.out);
        let mut at = 0;
        for &part in &self.parts {
            let (_, d) = cx.values.shape(part);
            match cx.grads.slot(part, cx.values, cx.pool) {
                Some((g, true)) => copy_columns((dy, width, at), (g, d, 0), d),
                Some((g, false)) => add_columns((dy, width, at), (g, d, 0), d),
                None => {}
            }
            at += d;
        }
    }
}

struct Slice {
    x: Var,
    at: usize,
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice columns"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let ((_, width), (_, d)) = (cx.values.shape(cx.out), cx.values.shape(self.x));
        if let Some(g) = cx.grads.add(self.x, cx.values, cx.pool) {
            add_columns((dy, width, 0), (g, d, self.at), width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::testing::{check_gradients, numbers, weighted_sum},
    };

    #[test]
    fn gradients_of_all_moves_together() {
        let (x, z) = (numbers(18, 1), numbers(6, 2));
        let packing = Arc::new(Packing::new(&[3, 2, 1]));
        check_gradients(&mut Params::new(), &[(&x, (6, 3)), (&z, (3, 2))], &|t, _, v| {
            let repeated = t.repeat_rows(v[1], &packing);
            let both = t.concat(&[v[0], repeated, v[0]]);
            let middle = t.slice_columns(both, 2..5);
            let y = t.mul(middle, v[0]);
            let y = t.gather_rows(y, &[5, 0, 5, 2]);
            weighted_sum(t, y);
        });
    }

    #[test]
    fn by_hand() {
        let mut t = Tape::inference();
        let x = t.input(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], (3, 2));
        let z = t.input(&[7.0, 8.0], (2, 1));
        let gathered = t.gather_rows(x, &[2, 0]);
        assert_eq!(t.value(gathered), [5.0, 6.0, 1.0, 2.0]);
        let repeated = t.repeat_rows(z, &Arc::new(Packing::new(&[2, 1])));
        assert_eq!(t.value(repeated), [7.0, 8.0, 7.0]);
        let both = t.concat(&[x, repeated]);
        assert_eq!(t.value(both), [1.0, 2.0, 7.0, 3.0, 4.0, 8.0, 5.0, 6.0, 7.0]);
        let cut = t.slice_columns(both, 1..3);
        assert_eq!(t.value(cut), [2.0, 7.0, 4.0, 8.0, 6.0, 7.0]);
    }
}

//! What rows attend to step by step, for decoding: the states of the texts they are written from.

use super::step::attend_row;
use crate::{
    Packing, ParamId, Params,
    ops::{
        additive_attention::{additive_score, shift},
        elementwise::add_scaled,
        softmax::softmax_row,
    },
    threads::{self, Shared},
};

/// How a query scores a key.
#[derive(Debug, Clone, Copy)]
pub enum Scores {
    /// Scaled inner products of several heads: see [`attention`](super).
    Product { heads: usize },
    /// Additive, v (1, A), with w (1, A) for coverage: see [`additive_attention`](crate::ops::additive_attention).
    Additive { score: ParamId, coverage: Option<ParamId> },
}

/// Keys (A columns) and values (D columns) of sequences, and the rows that attend to them.
#[derive(Debug, Clone)]
pub struct Memory {
    scores: Scores,
    /// For each sequence (T, A) and (T, D).
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
    depth: usize,
    rows: Vec<Row>,
}

/// A row that attends.
#[derive(Debug, Clone, Default)]
struct Row {
    sequence: usize,
    /// The last weights, averaged over the heads, and the sum of all before; (T).
    weights: Vec<f32>,
    coverage: Vec<f32>,
}

impl Memory {
    /// k (M, A), v (M, D) packed; `rows` names the packed sequence that each row attends to.
    pub fn new(scores: Scores, packing: &Packing, k: &[f32], v: &[f32], rows: &[u32]) -> Self {
        let unpacked = |x: &[f32]| -> Vec<Vec<f32>> {
            let width = x.len() / packing.rows().max(1);
            let row = |b: usize, t: usize| &x[packing.row(b, t) * width..][..width];
            let sequence = |b: usize| (0..packing.lengths()[b]).flat_map(|t| row(b, t)).copied().collect();
            (0..packing.batch()).map(sequence).collect()
        };
        let row = |&sequence: &u32| {
            let sequence = sequence as usize;
            Row { sequence, weights: Vec::new(), coverage: vec![0.0; packing.lengths()[sequence]] }
        };
        Memory {
            scores,
            keys: unpacked(k),
            values: unpacked(v),
            depth: v.len() / packing.rows().max(1),
            rows: rows.iter().map(row).collect(),
        }
    }

    /// q (rows, A) -> y (rows, D).
    pub fn attend(&mut self, params: &Params, q: &[f32], y: &mut [f32]) {
        let Memory { scores, keys, values, depth, rows } = self;
        let (n, depth) = (rows.len(), *depth);
        let width = q.len() / n.max(1);
        assert!(q.len() == n * width && y.len() == n * depth);
        let (out, all) = (Shared(y.as_mut_ptr()), Shared(rows.as_mut_ptr()));
        threads::split(n, 4, |range| {
            for r in range {
                // SAFETY: each range owns its rows.
                let (row, y) = unsafe { (&mut all.slice(r, 1)[0], out.slice(r * depth, depth)) };
                let (q, k, v) = (&q[r * width..][..width], &keys[row.sequence], &values[row.sequence]);
                match *scores {
                    Scores::Product { heads } => attend_row(q, [k, v], heads, y, Some(&mut row.weights)),
                    Scores::Additive { score, coverage } => {
                        let w = coverage.map(|w| params.value(w));
                        row.additive(q, [k, v], (params.value(score), w), y);
                    }
                }
            }
        });
    }

    /// The weights (T) with which a row saw its sequence at the last step, averaged over the heads.
    pub fn weights(&self, row: usize) -> &[f32] {
        &self.rows[row].weights
    }

    /// New row i continues old row `from[i]`.
    pub fn select(&mut self, from: &[usize]) {
        self.rows = from.iter().map(|&r| self.rows[r].clone()).collect();
    }
}

impl Row {
    fn additive(&mut self, q: &[f32], [k, m]: [&[f32]; 2], (v, w): (&[f32], Option<&[f32]>), y: &mut [f32]) {
        let mut shifted = vec![0.0; q.len()];
        self.weights.clear();
        for (key, &c) in k.chunks_exact(q.len()).zip(&self.coverage) {
            let q = w.map_or(q, |w| shift(q, w, c, &mut shifted));
            self.weights.push(additive_score(q, key, v));
        }
        softmax_row(&mut self.weights);
        y.fill(0.0);
        for ((m, &p), c) in m.chunks_exact(y.len()).zip(&self.weights).zip(&mut self.coverage) {
            add_scaled(y, m, p, false);
            *c += p;
        }
    }
}

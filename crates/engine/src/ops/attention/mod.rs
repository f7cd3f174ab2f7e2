//! Multi-head scaled dot-product attention (Vaswani et al. 2017) on packed sequences: self, causal, cross.
//!
//! q (N, D), k, v (M, D) packed, D = heads * d. For each sequence and head with its rows Q (Tq, d), K, V (Tk, d):
//! `S = Q K^T / sqrt(d)`, `P = softmax(S)` over the keys (causal: those up to the query's own position), `y = P V`.
//! Backward, with `c_i = sum_j dy_ij y_ij`: `dV = P^T dy`, `dS = P (dy V^T - c)`, `dQ = dS K / sqrt(d)`,
//! `dK = dS^T Q / sqrt(d)`. P is not kept but computed again from the row's log-sum-exp (Dao et al. 2022), so memory
//! grows with T, not with its square.
//!
//! No padding is computed. A thread owns whole (sequence, head) pairs: it gathers their rows into its work space,
//! multiplies there and scatters the results; nothing is summed across threads.

mod backward;
mod memory;
mod pair;
mod step;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use memory::{Memory, Scores};
pub use step::Cache;

use crate::{
    Packing, Tape, Var,
    threads::{self, Shared},
};
use pair::Work;

/// D columns of a matrix from `at`, so that q, k and v may lie side by side in the output of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    pub of: Var,
    pub at: usize,
}

impl From<Var> for Columns {
    fn from(of: Var) -> Self {
        Columns { of, at: 0 }
    }
}

impl Columns {
    /// q, k, v from one matrix (N, 3 D).
    pub fn thirds(of: Var, width: usize) -> [Columns; 3] {
        [0, 1, 2].map(|i| Columns { of, at: i * width })
    }
}

/// Who attends to what.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// Columns of q, k, v and of the output, D.
    pub width: usize,
    pub heads: usize,
    /// A position sees itself and what is before it.
    pub causal: bool,
    /// The rows of q, N.
    pub queries: &'a Arc<Packing>,
    /// The rows of k and v, M.
    pub memory: &'a Arc<Packing>,
    /// For each sequence of the queries that of the memory it attends to, since the two are sorted apart; the same
    /// if absent. Where gradients are wanted no two may share one.
    pub sequences: Option<&'a [u32]>,
}

impl<'a> Attention<'a> {
    /// Attention within the sequences of one packing.
    pub fn within(packing: &'a Arc<Packing>, width: usize, heads: usize, causal: bool) -> Self {
        Attention { width, heads, causal, queries: packing, memory: packing, sequences: None }
    }

    fn check(&self, tape: &Tape, [q, k, v]: [Columns; 3]) {
        let Attention { width, heads, queries, memory, sequences, .. } = *self;
        assert!(heads > 0 && width.is_multiple_of(heads), "{heads} heads do not divide the width {width}");
        for (c, packing) in [(q, queries), (k, memory), (v, memory)] {
            let (rows, columns) = tape.shape(c.of);
            assert!(rows == packing.rows() && c.at + width <= columns, "attention: q, k or v has another shape");
        }
        assert!(!self.causal || queries.lengths() == memory.lengths(), "causal attention is within sequences");
        assert!(sequences.map_or(memory.batch(), <[u32]>::len) == queries.batch(), "one memory for each sequence");
        assert!(sequences.is_none_or(|s| s.iter().all(|&s| (s as usize) < memory.batch())));
    }
}

impl Tape {
    /// Attends: q (N, D), k, v (M, D) packed -> y (N, D) packed.
    pub fn attention(&mut self, qkv: [Columns; 3], attention: &Attention<'_>) -> Var {
        attention.check(self, qkv);
        let needs = self.recording() && qkv.iter().any(|c| self.values.needs_grad(c.of));
        let sequences = self.pool.copy_words(attention.sequences.unwrap_or(&[]));
        let &Attention { width, heads, causal, queries, memory, .. } = attention;
        let job = Job { width, heads, causal, queries: queries.clone(), memory: memory.clone(), sequences };
        let mut y = self.pool.take(queries.rows() * width);
        let mut logs = self.pool.take(if needs { queries.rows() * heads } else { 0 });
        let [q, k, v] = qkv.map(|c| pair::Matrix::new(self.values.get(c.of), self.shape(c.of).1, c.at));
        let (out, kept) = (Shared(y.as_mut_ptr()), Shared(logs.as_mut_ptr()));
        job.each_pair(|work, b, head| {
            job.gather(work, [q, k, v], b, head);
            work.attend(job.causal, |i, o, factor, log| {
                let row = job.queries.row(b, i);
                // SAFETY: this pair alone owns the head's columns of the sequence's rows.
                let y = unsafe { out.slice(row * width + head * o.len(), o.len()) };
                y.iter_mut().zip(o).for_each(|(y, o)| *y = o * factor);
                if needs {
                    // SAFETY: as above.
                    unsafe { kept.slice(row * heads + head, 1)[0] = log };
                }
            });
        });
        if needs {
            backward::check_unshared(qkv, &job, &mut self.pool);
        } else {
            self.pool.give(std::mem::take(&mut logs));
        }
        self.push(y, (job.queries.rows(), width), needs, || Some(backward::AttentionOp { qkv, job, logs }))
    }
}

/// The arguments of one layer, kept for the way back.
struct Job {
    width: usize,
    heads: usize,
    causal: bool,
    queries: Arc<Packing>,
    memory: Arc<Packing>,
    /// Empty if sequence b attends to memory b.
    sequences: Vec<u32>,
}

/// Multiply-adds of a product of attention that a thread should have before pairs are split.
const SPLIT_WORK: usize = 1 << 16;

impl Job {
    /// The memory sequence of query sequence b.
    fn memory_of(&self, b: usize) -> usize {
        self.sequences.get(b).map_or(b, |&s| s as usize)
    }

    /// Calls `f(work, sequence, head)` for every pair, side by side.
    fn each_pair(&self, f: impl Fn(&mut Work, usize, usize) + Sync) {
        let batch = self.queries.batch();
        if batch == 0 {
            return;
        }
        let one = self.queries.rows() * self.memory.rows() / (batch * self.memory.batch()) * (self.width / self.heads);
        threads::split(batch * self.heads, SPLIT_WORK / one.max(1) + 1, |pairs| {
            let mut work = pair::take_work();
            for p in pairs {
                // Lengths fall, so long and short sequences are visited by turns: threads get equal shares.
                let (head, i) = (p / batch, p % batch);
                f(&mut work, if i % 2 == 0 { i / 2 } else { batch - 1 - i / 2 }, head);
            }
            pair::give_work(work);
        });
    }

    /// Brings the rows of a pair into the work space, q divided by sqrt(d).
    fn gather(&self, work: &mut Work, [q, k, v]: [pair::Matrix<'_>; 3], b: usize, head: usize) {
        let d = self.width / self.heads;
        let m = self.memory_of(b);
        work.sizes(self.queries.lengths()[b], self.memory.lengths()[m], d);
        q.gather(&self.queries, b, head, (1.0 / (d as f32).sqrt(), d), &mut work.q);
        k.gather(&self.memory, m, head, (1.0, d), &mut work.k);
        v.gather(&self.memory, m, head, (1.0, d), &mut work.v);
    }
}

/// The plain twin: one head of one sequence in f64; q, k, v are lists of rows.
pub fn reference(q: &[Vec<f64>], k: &[Vec<f64>], v: &[Vec<f64>], causal: bool) -> Vec<Vec<f64>> {
    let attend = |(i, q): (usize, &Vec<f64>)| {
        let seen = if causal { i + 1 } else { k.len() };
        let score = |k: &Vec<f64>| q.iter().zip(k).map(|(a, b)| a * b).sum::<f64>() / (q.len() as f64).sqrt();
        let p = super::softmax::reference(&k[..seen].iter().map(score).collect::<Vec<_>>());
        (0..v[0].len()).map(|c| p.iter().zip(v).map(|(p, v)| p * v[c]).sum()).collect()
    };
    q.iter().enumerate().map(attend).collect()
}

//! Additive attention (Bahdanau et al. 2015) on packed sequences, with coverage (See et al. 2017) by choice.
//!
//! q (N, A), k (M, A), values m (M, D), v (1, A), w (1, A). For each sequence, query i and memory position j:
//! `s_ij = v · tanh(q_i + k_j + c_ij w)`, `p_i = softmax_j(s_i)`, `y_i = sum_j p_ij m_j`, where the coverage
//! `c_ij = sum_{i' < i} p_i'j` is what the queries before have seen (without w: absent).
//!
//! Backward, from the last query to the first, with `a_j` the sum of the coverage's gradients of later queries:
//! `dp_ij = dy_i · m_j + a_j`, `ds_ij = p_ij (dp_ij - sum_j' p_ij' dp_ij')`, `g_ij = ds_ij v (1 - t_ij^2)` with `t_ij` the
//! hyperbolic tangent; then `dq_i += g_ij`, `dk_j += g_ij`, `dm_j += p_ij dy_i`, `dv += ds_ij t_ij`, `dw += c_ij g_ij`,
//! `a_j += g_ij · w`.
//!
//! A thread owns whole sequences; v and w get a sum for each sequence, added up in order.

mod backward;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    Packing, ParamId, Params, Tape, Var,
    ops::{elementwise::add_scaled, softmax::softmax_row},
    simd,
    threads::{self, Shared},
};

/// Who attends to what, and how scores are made.
#[derive(Debug, Clone, Copy)]
pub struct AdditiveAttention<'a> {
    /// v (1, A).
    pub score: ParamId,
    /// w (1, A); no coverage if absent.
    pub coverage: Option<ParamId>,
    /// The rows of q, N.
    pub queries: &'a Arc<Packing>,
    /// The rows of k and of the values, M.
    pub memory: &'a Arc<Packing>,
    /// For each sequence of the queries that of the memory it attends to. No two share one.
    pub sequences: &'a [u32],
}

impl Tape {
    /// Attends: q (N, A), k (M, A), values (M, D) packed -> y (N, D) packed.
    ///
    /// # Panics
    /// If the shapes do not fit, or two sequences share a memory.
    pub fn additive_attention(
        &mut self,
        params: &Params,
        [q, k, values]: [Var; 3],
        attention: &AdditiveAttention<'_>,
    ) -> Var {
        let &AdditiveAttention { score, coverage, queries, memory, sequences } = attention;
        let ((n, width), (m, depth)) = (self.shape(q), self.shape(values));
        let fits = n == queries.rows() && self.shape(k) == (m, width) && m == memory.rows();
        assert!(fits && params.shape(score) == (1, width), "additive attention: q, k, values or v has another shape");
        assert!(q != k && q != values && k != values, "queries, keys and values are matrices of their own");
        let sequences = self.pool.copy_words(sequences);
        let job = Job { queries: queries.clone(), memory: memory.clone(), sequences, width, depth, score, coverage };
        job.check_unshared();
        let mut weights = self.pool.take(job.pairs());
        let mut covered = self.pool.take(if coverage.is_some() { weights.len() } else { 0 });
        let mut work = self.pool.take(queries.batch() * width);
        let mut y = self.pool.zeros(n * depth);
        let [keys, rows] = [k, values].map(|v| self.values.get(v));
        let (vq, v, w) = (self.values.get(q), params.value(score), coverage.map(|w| params.value(w)));
        let shared = [&mut weights, &mut covered, &mut work, &mut y].map(|m| Shared(m.as_mut_ptr()));
        let [kept, seen, shifted, out] = &shared;
        job.each(|at| {
            // SAFETY: this sequence alone owns its pairs, rows and work space.
            let (p, shifted) = unsafe { (kept.slice(at.pairs, at.tq * at.tk), shifted.slice(at.b * width, width)) };
            // SAFETY: as above; there are none without coverage.
            let mut c = w.map(|w| (w, unsafe { seen.slice(at.pairs, at.tq * at.tk) }));
            for i in 0..at.tq {
                let row = job.queries.row(at.b, i);
                let query = &vq[row * width..][..width];
                if let Some((_, c)) = &mut c {
                    cover(c, p, (i, at.tk));
                }
                for j in 0..at.tk {
                    let key = &keys[job.memory.row(at.m, j) * width..][..width];
                    let query = match &c {
                        Some((w, c)) => shift(query, w, c[i * at.tk + j], shifted),
                        None => query,
                    };
                    p[i * at.tk + j] = additive_score(query, key, v);
                }
                let p = &mut p[i * at.tk..][..at.tk];
                softmax_row(p);
                // SAFETY: as above.
                let y = unsafe { out.slice(row * depth, depth) };
                for (j, &p) in p.iter().enumerate() {
                    add_scaled(y, &rows[job.memory.row(at.m, j) * depth..][..depth], p, false);
                }
            }
        });
        self.pool.give(work);
        let trains = |id: ParamId| params.get(id).trainable();
        let inputs = [q, k, values];
        let needs = inputs.iter().any(|&v| self.values.needs_grad(v)) || trains(score) || coverage.is_some_and(trains);
        if !(needs && self.recording()) {
            self.pool.give(std::mem::take(&mut weights));
            self.pool.give(std::mem::take(&mut covered));
        }
        self.push(y, (n, depth), needs, || Some(backward::AdditiveOp { inputs, job, weights, covered }))
    }
}

/// The arguments of one layer, kept for the way back.
struct Job {
    queries: Arc<Packing>,
    memory: Arc<Packing>,
    sequences: Vec<u32>,
    /// A and D.
    width: usize,
    depth: usize,
    score: ParamId,
    coverage: Option<ParamId>,
}

/// Where a sequence and its memory lie.
#[derive(Clone, Copy)]
struct Place {
    /// Sequence of the queries, its length.
    b: usize,
    tq: usize,
    /// Sequence of the memory, its length.
    m: usize,
    tk: usize,
    /// The first of its pairs of a query and a memory position, query by query.
    pairs: usize,
}

/// Multiply-adds that a thread should have before sequences are split.
const SPLIT_WORK: usize = 1 << 15;

impl Job {
    fn check_unshared(&self) {
        assert_eq!(self.sequences.len(), self.queries.batch(), "one memory for each sequence");
        let shared = |(b, s): (usize, &u32)| self.sequences[..b].contains(s);
        assert!(
            !self.sequences.iter().enumerate().any(shared),
            "two sequences share a memory; its gradient would race"
        );
    }

    fn place(&self, b: usize, pairs: usize) -> Place {
        let m = self.sequences[b] as usize;
        Place { b, tq: self.queries.lengths()[b], m, tk: self.memory.lengths()[m], pairs }
    }

    /// Pairs of a query and a memory position in the sequences before `b`.
    fn pairs_before(&self, b: usize) -> usize {
        (0..b).map(|b| self.place(b, 0)).map(|at| at.tq * at.tk).sum()
    }

    fn pairs(&self) -> usize {
        self.pairs_before(self.queries.batch())
    }

    /// Calls `f` for every sequence, side by side.
    fn each(&self, f: impl Fn(Place) + Sync) {
        let batch = self.queries.batch();
        let grain = SPLIT_WORK * batch / (self.pairs() * self.width).max(1) + 1;
        threads::split(batch, grain, |range| {
            let mut pairs = self.pairs_before(range.start);
            for b in range {
                let at = self.place(b, pairs);
                f(at);
                pairs += at.tq * at.tk;
            }
        });
    }
}

/// The coverage of query i (Tk) from that of the query before and its weights.
fn cover(c: &mut [f32], p: &[f32], (i, tk): (usize, usize)) {
    if i == 0 {
        return c[..tk].fill(0.0);
    }
    let (before, here) = c.split_at_mut(i * tk);
    let (before, weights) = (&before[(i - 1) * tk..], &p[(i - 1) * tk..][..tk]);
    here[..tk].iter_mut().zip(before.iter().zip(weights)).for_each(|(c, (b, p))| *c = b + p);
}

/// `q + c w`, in `shifted`.
pub(super) fn shift<'a>(q: &[f32], w: &[f32], c: f32, shifted: &'a mut [f32]) -> &'a [f32] {
    shifted.iter_mut().zip(q.iter().zip(w)).for_each(|(s, (q, w))| *s = q + c * w);
    shifted
}

simd::multiversion! {
    /// `v · tanh(q + k)`, in sixteen interleaved chains.
    pub(super) fn additive_score(q: &[f32], k: &[f32], v: &[f32]) -> f32 {
        let mut lanes = [0.0f32; 16];
        let n = q.len();
        let (k, v) = (&k[..n], &v[..n]);
        let whole = n / 16 * 16;
        for at in (0..whole).step_by(16) {
            for j in 0..16 {
                lanes[j] += v[at + j] * simd::tanh(q[at + j] + k[at + j]);
            }
        }
        let mut rest = 0.0;
        for j in whole..n {
            rest += v[j] * simd::tanh(q[j] + k[j]);
        }
        lanes.iter().sum::<f32>() + rest
    }
}

/// The plain twin: one sequence in f64; q, k, m are lists of rows, `coverage` is w.
pub fn reference([q, k, m]: [&[Vec<f64>]; 3], v: &[f64], coverage: Option<&[f64]>) -> Vec<Vec<f64>> {
    let mut c = vec![0.0; k.len()];
    let mut y = Vec::new();
    for q in q {
        let score = |(k, c): (&Vec<f64>, &f64)| -> f64 {
            let w = |a: usize| coverage.map_or(0.0, |w| w[a] * c);
            (0..v.len()).map(|a| v[a] * (q[a] + k[a] + w(a)).tanh()).sum()
        };
        let p = super::softmax::reference(&k.iter().zip(&c).map(score).collect::<Vec<_>>());
        c.iter_mut().zip(&p).for_each(|(c, p)| *c += p);
        y.push((0..m[0].len()).map(|d| p.iter().zip(m).map(|(p, m)| p * m[d]).sum()).collect());
    }
    y
}

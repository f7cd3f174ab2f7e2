//! How much of the attention lies on a given token: the chance that a copy mechanism gives it (See et al. 2017).
//!
//! q (N, D), k (M, D) packed, as in [`attention`](super::attention), D = heads * d; a token `wanted_i` for each query and
//! a token `held_j` for each memory position. With `p_hij = softmax_j(q_hi · k_hj / sqrt(d))` for head h:
//! `c_i = 1/heads sum_h sum_{j: held_j = wanted_i} p_hij`, (N, 1).
//!
//! Backward, with `c_hi` the sum of head h: `ds_hij = dc_i / heads p_hij ([held_j = wanted_i] - c_hi)`,
//! `dq_hi = sum_j ds_hij k_hj / sqrt(d)`, `dk_hj = sum_i ds_hij q_hi / sqrt(d)`. Rows without a match cost nothing on the
//! way back. Weights are computed again, not kept. A thread owns whole sequences.

use std::sync::Arc;

use crate::{
    Packing, Tape, Var,
    ops::{
        attention::{Attention, Columns},
        elementwise::add_scaled,
        softmax::{dot, softmax_row},
    },
    tape::{Backward, Op},
    threads::{self, Shared},
};

/// Multiply-adds that a thread should have before sequences are split.
const SPLIT_WORK: usize = 1 << 15;

impl Tape {
    /// The share of the attention that lies on the wanted tokens: q (N, D), k (M, D) -> c (N, 1). `wanted` (N) and
    /// `held` (M) are tokens.
    ///
    /// # Panics
    /// If the shapes do not fit, the attention is causal, or two sequences share a memory.
    pub fn copied(&mut self, [q, k]: [Columns; 2], attention: &Attention<'_>, (wanted, held): (&[u32], &[u32])) -> Var {
        let &Attention { width, heads, causal, queries, memory, sequences } = attention;
        let (n, m) = (queries.rows(), memory.rows());
        assert!(!causal && heads > 0 && width.is_multiple_of(heads) && q.of != k.of, "copied: not to another text");
        assert!(wanted.len() == n && held.len() == m, "copied: one token for each query and memory position");
        for (c, rows) in [(q, n), (k, m)] {
            let shape = self.shape(c.of);
            assert!(shape.0 == rows && c.at + width <= shape.1, "copied: q or k has another shape");
        }
        let every: Vec<u32> = (0..queries.batch() as u32).collect();
        let sequences = sequences.unwrap_or(&every);
        let mut sorted = sequences.to_vec();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|w| w[0] != w[1]), "two sequences share a memory; its gradient would race");
        let job = Job {
            width,
            heads,
            queries: queries.clone(),
            memory: memory.clone(),
            sequences: self.pool.copy_words(sequences),
            wanted: self.pool.copy_words(wanted),
            held: self.pool.copy_words(held),
        };
        let mut c = self.pool.zeros(n);
        let [vq, vk] = [q, k].map(|v| Rows { data: self.values.get(v.of), stride: self.shape(v.of).1, at: v.at });
        let out = Shared(c.as_mut_ptr());
        job.each(|at, p| {
            for (i, head) in job.matching(at) {
                job.weigh([vq, vk], at, (i, head), p);
                // SAFETY: this sequence alone owns its rows.
                let c = unsafe { &mut out.slice(job.queries.row(at.b, i), 1)[0] };
                *c += job.matched(at, i, p) / heads as f32;
            }
        });
        let needs = [q, k].iter().any(|c| self.values.needs_grad(c.of));
        self.push(c, (n, 1), needs, || Some(CopiedOp { q, k, job }))
    }
}

/// D columns of a packed matrix.
#[derive(Clone, Copy)]
struct Rows<'a> {
    data: &'a [f32],
    stride: usize,
    at: usize,
}

impl Rows<'_> {
    fn head(&self, row: usize, head: usize, d: usize) -> &[f32] {
        &self.data[row * self.stride + self.at + head * d..][..d]
    }
}

/// The arguments, kept for the way back.
struct Job {
    width: usize,
    heads: usize,
    queries: Arc<Packing>,
    memory: Arc<Packing>,
    sequences: Vec<u32>,
    wanted: Vec<u32>,
    held: Vec<u32>,
}

/// A sequence of the queries and that of the memory.
#[derive(Clone, Copy)]
struct Place {
    b: usize,
    m: usize,
    tk: usize,
}

impl Job {
    /// Calls `f(place, work of the memory's length)` for each sequence, side by side.
    fn each(&self, f: impl Fn(Place, &mut [f32]) + Sync) {
        let batch = self.queries.batch();
        let work = self.queries.rows() * self.memory.steps() * self.width / batch.max(1);
        threads::split(batch, SPLIT_WORK / work.max(1) + 1, |range| {
            let mut p = vec![0.0; self.memory.steps()];
            for b in range {
                let m = self.sequences[b] as usize;
                let tk = self.memory.lengths()[m];
                f(Place { b, m, tk }, &mut p[..tk]);
            }
        });
    }

    /// The queries whose token is somewhere in the memory, and each head.
    fn matching(&self, at: Place) -> impl Iterator<Item = (usize, usize)> + '_ {
        let queries = (0..self.queries.lengths()[at.b]).filter(move |&i| (0..at.tk).any(|j| self.matches(at, i, j)));
        queries.flat_map(|i| (0..self.heads).map(move |head| (i, head)))
    }

    fn matches(&self, at: Place, i: usize, j: usize) -> bool {
        self.wanted[self.queries.row(at.b, i)] == self.held[self.memory.row(at.m, j)]
    }

    /// The weights of query i in a head, (Tk).
    fn weigh(&self, [q, k]: [Rows<'_>; 2], at: Place, (i, head): (usize, usize), p: &mut [f32]) {
        let d = self.width / self.heads;
        let query = q.head(self.queries.row(at.b, i), head, d);
        let factor = 1.0 / (d as f32).sqrt();
        for (j, p) in p.iter_mut().enumerate() {
            *p = factor * dot(query, k.head(self.memory.row(at.m, j), head, d));
        }
        softmax_row(p);
    }

    fn matched(&self, at: Place, i: usize, p: &[f32]) -> f32 {
        p.iter().enumerate().filter(|(j, _)| self.matches(at, i, *j)).map(|(_, p)| p).sum()
    }
}

struct CopiedOp {
    q: Columns,
    k: Columns,
    job: Job,
}

impl Op for CopiedOp {
    fn name(&self) -> &'static str {
        "copied"
    }

    fn backward(&mut self, dc: &[f32], cx: &mut Backward<'_>) {
        let (job, values) = (&self.job, cx.values);
        let d = job.width / job.heads;
        let factor = 1.0 / ((d as f32).sqrt() * job.heads as f32);
        let [q, k] = [self.q, self.k].map(|c| Rows { data: values.get(c.of), stride: values.shape(c.of).1, at: c.at });
        let [dq, dk] = [self.q, self.k].map(|c| {
            let slot = cx.grads.add(c.of, values, cx.pool);
            Shared(slot.map_or(std::ptr::null_mut(), |g| g.as_mut_ptr()))
        });
        let add = |to: &Shared<f32>, of: &Rows<'_>, (row, head): (usize, usize), x: &[f32], factor: f32| {
            if !to.0.is_null() {
                // SAFETY: rows of this sequence or of its memory, which no other sequence shares.
                add_scaled(unsafe { to.slice(row * of.stride + of.at + head * d, d) }, x, factor, false);
            }
        };
        job.each(|at, p| {
            for (i, head) in job.matching(at) {
                let row = job.queries.row(at.b, i);
                job.weigh([q, k], at, (i, head), p);
                let sum = job.matched(at, i, p);
                for (j, p) in p.iter().enumerate() {
                    let ds = factor * dc[row] * p * (f32::from(u8::from(job.matches(at, i, j))) - sum);
                    let key = job.memory.row(at.m, j);
                    add(&dq, &q, (row, head), k.head(key, head, d), ds);
                    add(&dk, &k, (key, head), q.head(row, head, d), ds);
                }
            }
        });
        let Job { sequences, wanted, held, .. } = &mut self.job;
        [sequences, wanted, held].into_iter().for_each(|words| cx.pool.give_words(std::mem::take(words)));
    }
}

/// The plain twin: one sequence of one head in f64; q, k are lists of rows.
pub fn reference(q: &[Vec<f64>], k: &[Vec<f64>], wanted: &[u32], held: &[u32]) -> Vec<f64> {
    let share = |(q, wanted): (&Vec<f64>, &u32)| {
        let score = |k: &Vec<f64>| q.iter().zip(k).map(|(a, b)| a * b).sum::<f64>() / (q.len() as f64).sqrt();
        let p = super::softmax::reference(&k.iter().map(score).collect::<Vec<_>>());
        p.iter().zip(held).filter(|(_, held)| *held == wanted).map(|(p, _)| p).sum()
    };
    q.iter().zip(wanted).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::testing::{check_gradients, numbers, weighted_sum},
    };

    const WANTED: [u32; 5] = [7, 1, 7, 9, 2];
    const HELD: [u32; 6] = [7, 2, 1, 7, 3, 7];

    /// Two texts of 3 and 2 tokens that attend to the second and the first of two of 4 and 2.
    fn layouts() -> (Arc<Packing>, Arc<Packing>) {
        (Arc::new(Packing::new(&[3, 2])), Arc::new(Packing::new(&[4, 2])))
    }

    fn copied(t: &mut Tape, q: Var, kv: Var, heads: usize) -> Var {
        let (queries, memory) = layouts();
        let attention =
            Attention { width: 4, heads, causal: false, queries: &queries, memory: &memory, sequences: Some(&[1, 0]) };
        t.copied([q.into(), Columns { of: kv, at: 1 }], &attention, (&WANTED, &HELD))
    }

    #[test]
    fn gradients_match_finite_differences() {
        let (q, k) = (numbers(5 * 4, 1), numbers(6 * 5, 2));
        for heads in [1, 2] {
            check_gradients(&mut Params::new(), &[(&q, (5, 4)), (&k, (6, 5))], &|t, _, v| {
                let c = copied(t, v[0], v[1], heads);
                weighted_sum(t, c);
            });
        }
    }

    #[test]
    fn equals_its_plain_twin() {
        let (q, k) = (numbers(5 * 4, 3), numbers(6 * 5, 4));
        let mut t = Tape::inference();
        let (vq, vk) = (t.input(&q, (5, 4)), t.input(&k, (6, 5)));
        let c = copied(&mut t, vq, vk, 1);
        let (queries, memory) = layouts();
        let row = |x: &[f32], at: usize| x[at..at + 4].iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        for (b, m) in [(0, 1), (1, 0)] {
            let of = |p: &Packing, b: usize| (0..p.lengths()[b]).map(|t| p.row(b, t)).collect::<Vec<_>>();
            let (rows, keys) = (of(&queries, b), of(&memory, m));
            let pick = |from: &[u32], which: &[usize]| which.iter().map(|&i| from[i]).collect::<Vec<_>>();
            let expected = reference(
                &rows.iter().map(|r| row(&q, r * 4)).collect::<Vec<_>>(),
                &keys.iter().map(|r| row(&k, r * 5 + 1)).collect::<Vec<_>>(),
                &pick(&WANTED, &rows),
                &pick(&HELD, &keys),
            );
            for (r, expected) in rows.iter().zip(expected) {
                assert!((f64::from(t.value(c)[*r]) - expected).abs() < 1e-6, "{b} {r}: {expected}");
            }
        }
    }

    #[test]
    fn by_hand() {
        // Equal keys: each of three positions has a third; the token stands in two of them, another in none.
        let (queries, memory) = (Arc::new(Packing::new(&[2])), Arc::new(Packing::new(&[3])));
        let mut t = Tape::inference();
        let (q, k) = (t.input(&[1.0, -2.0], (2, 1)), t.input(&[5.0; 3], (3, 1)));
        let attention =
            Attention { width: 1, heads: 1, causal: false, queries: &queries, memory: &memory, sequences: None };
        let c = t.copied([q.into(), k.into()], &attention, (&[4, 8], &[4, 6, 4]));
        assert!((t.value(c)[0] - 2.0 / 3.0).abs() < 1e-6 && t.value(c)[1] == 0.0);
    }
}

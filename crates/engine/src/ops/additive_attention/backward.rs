//! The way back: each sequence from its last query to its first.

use super::{Job, Place, shift};
use crate::{
    Var,
    ops::{elementwise::add_scaled, softmax::dot},
    simd,
    tape::{Backward, Op},
    threads::Shared,
};

pub(super) struct AdditiveOp {
    pub(super) inputs: [Var; 3],
    pub(super) job: Job,
    /// p and c of every pair; c is empty without coverage.
    pub(super) weights: Vec<f32>,
    pub(super) covered: Vec<f32>,
}

impl Op for AdditiveOp {
    fn name(&self) -> &'static str {
        "additive attention"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let job = &self.job;
        let (width, batch) = (job.width, job.queries.batch());
        let values = cx.values;
        let inputs = self.inputs.map(|v| values.get(v));
        let targets = self.inputs.map(|v| {
            let slot = cx.grads.add(v, values, cx.pool);
            Shared(slot.map_or(std::ptr::null_mut(), |g| g.as_mut_ptr()))
        });
        // For each sequence: dv, dw, a shifted query, g (A each), and dp and a (Tk each).
        let mut sums = cx.pool.zeros(batch * 4 * width);
        let longest = job.memory.steps();
        let mut rows = cx.pool.zeros(batch * 2 * longest);
        let (shared_sums, shared_rows) = (Shared(sums.as_mut_ptr()), Shared(rows.as_mut_ptr()));
        let v = cx.params.value(job.score);
        let w = job.coverage.map(|w| cx.params.value(w));
        job.each(|at| {
            // SAFETY: this sequence alone owns its work space.
            let (sums, rows) = unsafe {
                (shared_sums.slice(at.b * 4 * width, 4 * width), shared_rows.slice(at.b * 2 * longest, 2 * longest))
            };
            let part = Part { job, at, inputs, targets: &targets, v, w, dy };
            part.back((&self.weights, &self.covered), sums, rows);
        });
        for (id, at) in [(Some(job.score), 0), (job.coverage, width)] {
            let Some(to) = id.and_then(|id| cx.params.grad_dense(id)) else { continue };
            sums.chunks_exact(4 * width).for_each(|sums| add_scaled(to, &sums[at..at + width], 1.0, false));
        }
        cx.pool.give(sums);
        cx.pool.give(rows);
        cx.pool.give(std::mem::take(&mut self.weights));
        cx.pool.give(std::mem::take(&mut self.covered));
        cx.pool.give_words(std::mem::take(&mut self.job.sequences));
    }
}

/// One sequence on its way back.
struct Part<'a> {
    job: &'a Job,
    at: Place,
    inputs: [&'a [f32]; 3],
    /// Gradients of q, k and the values; null where they are not wanted.
    targets: &'a [Shared<f32>; 3],
    v: &'a [f32],
    w: Option<&'a [f32]>,
    dy: &'a [f32],
}

impl Part<'_> {
    fn back(&self, (weights, covered): (&[f32], &[f32]), sums: &mut [f32], rows: &mut [f32]) {
        let Part { job, at, .. } = *self;
        let (width, depth, tk) = (job.width, job.depth, at.tk);
        let [vq, vk, vm] = self.inputs;
        let (dv, rest) = sums.split_at_mut(width);
        let (dw, rest) = rest.split_at_mut(width);
        let (shifted, g) = rest.split_at_mut(width);
        let (dp, later) = rows.split_at_mut(rows.len() / 2);
        for i in (0..at.tq).rev() {
            let row = job.queries.row(at.b, i);
            let (dy, query) = (&self.dy[row * depth..][..depth], &vq[row * width..][..width]);
            let p = &weights[at.pairs + i * tk..][..tk];
            for j in 0..tk {
                dp[j] = dot(dy, &vm[job.memory.row(at.m, j) * depth..][..depth]) + later[j];
            }
            let mean = dot(p, &dp[..tk]);
            for j in 0..tk {
                let key = job.memory.row(at.m, j);
                let ds = p[j] * (dp[j] - mean);
                let c = covered.get(at.pairs + i * tk + j).copied().unwrap_or(0.0);
                let query = self.w.map_or(query, |w| shift(query, w, c, shifted));
                slopes([query, &vk[key * width..][..width], self.v], ds, g, dv);
                self.add(0, (row, width), g, 1.0);
                self.add(1, (key, width), g, 1.0);
                self.add(2, (key, depth), dy, p[j]);
                if let Some(w) = self.w {
                    add_scaled(dw, g, c, false);
                    later[j] += dot(g, w);
                }
            }
        }
    }

    /// `target[row] += factor x`.
    fn add(&self, target: usize, (row, columns): (usize, usize), x: &[f32], factor: f32) {
        let to = &self.targets[target];
        if !to.0.is_null() {
            // SAFETY: rows of this sequence or of its memory, which no other sequence shares.
            add_scaled(unsafe { to.slice(row * columns, columns) }, x, factor, false);
        }
    }
}

simd::multiversion! {
    /// `g = ds v (1 - t^2)`, `dv += ds t`, with `t = tanh(q + k)`; q, k, v are given together.
    fn slopes(qkv: [&[f32]; 3], ds: f32, g: &mut [f32], dv: &mut [f32]) -> () {
        let n = g.len();
        let [q, k, v] = qkv.map(|x| &x[..n]);
        let dv = &mut dv[..n];
        for a in 0..n {
            let t = simd::tanh(q[a] + k[a]);
            g[a] = ds * v[a] * (1.0 - t * t);
            dv[a] += ds * t;
        }
    }
}

//! The way back through attention: each pair computes its gradients and adds them to its own rows and columns.

use super::{Columns, Job, pair::Matrix};
use crate::{
    Packing,
    pool::Pool,
    tape::{Backward, Op},
    threads::Shared,
};

pub(super) struct AttentionOp {
    pub(super) qkv: [Columns; 3],
    pub(super) job: Job,
    /// Log-sum-exp of each query's scores, (N, heads).
    pub(super) logs: Vec<f32>,
}

impl Op for AttentionOp {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let job = &self.job;
        let (width, heads, d) = (job.width, job.heads, job.width / job.heads);
        let values = cx.values;
        let matrices = self.qkv.map(|c| Matrix::new(values.get(c.of), values.shape(c.of).1, c.at));
        let (dy, y) = (Matrix::new(dy, width, 0), Matrix::new(values.get(cx.out), width, 0));
        let [dq, dk, dv] = targets(self.qkv, job, cx);
        let (logs, factor) = (&self.logs, 1.0 / (d as f32).sqrt());
        job.each_pair(|work, b, head| {
            job.gather(work, matrices, b, head);
            work.sizes_back();
            dy.gather(&job.queries, b, head, (1.0, d), &mut work.dy);
            y.gather(&job.queries, b, head, (1.0, d), &mut work.y);
            for (t, log) in work.logs.iter_mut().enumerate() {
                *log = logs[job.queries.row(b, t) * heads + head];
            }
            work.attend_back(job.causal, |i, row| dq.write(job.queries.row(b, i), head, row, factor));
            let m = job.memory_of(b);
            dk.write_all(&job.memory, m, head, (&work.dk, d));
            dv.write_all(&job.memory, m, head, (&work.dv, d));
        });
        cx.pool.give(std::mem::take(&mut self.logs));
        cx.pool.give_words(std::mem::take(&mut self.job.sequences));
    }
}

/// Where the gradients of q, k or v go.
struct Target {
    /// Null if they are not wanted.
    data: Shared<f32>,
    stride: usize,
    at: usize,
    /// Whether to overwrite what is there.
    fresh: bool,
}

impl Target {
    /// Writes a row (d) of one head. Only the pair that owns the row's sequence calls this.
    fn write(&self, row: usize, head: usize, values: &[f32], factor: f32) {
        if self.data.0.is_null() {
            return;
        }
        // SAFETY: in bounds as `Attention::check` saw; no other pair owns these columns of this row.
        let to = unsafe { self.data.slice(row * self.stride + self.at + head * values.len(), values.len()) };
        if self.fresh {
            to.iter_mut().zip(values).for_each(|(t, v)| *t = factor * v);
        } else {
            to.iter_mut().zip(values).for_each(|(t, v)| *t += factor * v);
        }
    }

    fn write_all(&self, packing: &Packing, b: usize, head: usize, (rows, d): (&[f32], usize)) {
        rows.chunks_exact(d).enumerate().for_each(|(t, row)| self.write(packing.row(b, t), head, row, 1.0));
    }
}

/// The gradient buffers; q, k and v may share one.
fn targets(qkv: [Columns; 3], job: &Job, cx: &mut Backward<'_>) -> [Target; 3] {
    let mut made: [Option<(*mut f32, bool)>; 3] = [None; 3];
    for i in 0..3 {
        let earlier = (0..i).find(|&j| qkv[j].of == qkv[i].of);
        made[i] = match earlier {
            Some(j) => made[j],
            None => cx.grads.slot(qkv[i].of, cx.values, cx.pool).map(|(g, fresh)| {
                let whole = fresh && covers(qkv, i, job, cx.values.shape(qkv[i].of).1);
                if fresh && !whole {
                    g.fill(0.0);
                }
                (g.as_mut_ptr(), whole)
            }),
        };
    }
    std::array::from_fn(|i| {
        let (data, fresh) = made[i].unwrap_or((std::ptr::null_mut(), false));
        Target { data: Shared(data), stride: cx.values.shape(qkv[i].of).1, at: qkv[i].at, fresh }
    })
}

/// Whether the blocks of `qkv[i]`'s matrix are apart and make up all of its elements, so that each is written once.
fn covers(qkv: [Columns; 3], i: usize, job: &Job, columns: usize) -> bool {
    let mut blocks = qkv.iter().enumerate().filter(|(_, c)| c.of == qkv[i].of);
    let apart = blocks.clone().all(|(a, c)| blocks.clone().all(|(b, e)| a == b || c.at != e.at));
    let all_rows = job.memory.batch() == job.queries.batch();
    apart && all_rows && blocks.by_ref().count() * job.width == columns
}

/// Checks that no two pairs write the same gradient.
pub(super) fn check_unshared(qkv: [Columns; 3], job: &Job, pool: &mut Pool) {
    let [q, k, v] = qkv;
    for (a, b) in [(q, k), (k, v), (q, v)] {
        let apart = a.of != b.of || a.at == b.at || a.at.abs_diff(b.at) >= job.width;
        assert!(apart, "q, k and v overlap in part");
    }
    if !job.sequences.is_empty() {
        assert!(q.of != k.of && q.of != v.of, "only attention to another matrix may map sequences");
        let mut sorted = pool.copy_words(&job.sequences);
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|w| w[0] != w[1]), "two sequences share a memory; its gradient would race");
        pool.give_words(sorted);
    }
}

//! From one row per position to one row per sequence: the mean or the maximum over time.
//!
//! x (N, D) packed -> y (B, D). With l_b the length of sequence b: `y_b = 1/l_b sum_t x_bt`, gradient `dx_bt = dy_b /
//! l_b`; or `y_bj = max_t x_btj`, whose gradient goes to the first position that holds the maximum. (The last
//! state is [`Tape::gather_rows`] with [`Packing::last_rows`].)

use std::sync::Arc;

use crate::{
    Packing, Tape, Var,
    ops::{elementwise::add_scaled, rows::sum_over_time},
    tape::{Backward, Op},
};

impl Tape {
    /// The mean over the positions of each sequence: x (N, D) packed -> y (B, D).
    pub fn mean_over_time(&mut self, x: Var, packing: &Arc<Packing>) -> Var {
        let (n, d) = self.shape(x);
        assert_eq!(n, packing.rows());
        let mut y = self.pool.zeros(packing.batch() * d);
        sum_over_time(self.values.get(x), packing, d, &mut y);
        for (y, &length) in y.chunks_exact_mut(d.max(1)).zip(packing.lengths()) {
            y.iter_mut().for_each(|y| *y /= length as f32);
        }
        let needs = self.values.needs_grad(x);
        self.push(y, (packing.batch(), d), needs, || Some(Mean { x, packing: packing.clone() }))
    }

    /// The maximum over the positions of each sequence: x (N, D) packed -> y (B, D).
    pub fn max_over_time(&mut self, x: Var, packing: &Arc<Packing>) -> Var {
        let (n, d) = self.shape(x);
        assert_eq!(n, packing.rows());
        let mut y = self.pool.take(packing.batch() * d);
        let value = self.values.get(x);
        for t in 0..packing.steps() {
            let rows = &value[packing.offset(t) * d..][..packing.active(t) * d];
            if t == 0 {
                y.copy_from_slice(rows);
            } else {
                // A NaN stays: nothing compares as larger than it, and it replaces what is not one.
                y.iter_mut().zip(rows).for_each(|(y, &x)| *y = if x > *y || x.is_nan() { x } else { *y });
            }
        }
        let needs = self.values.needs_grad(x);
        self.push(y, (packing.batch(), d), needs, || Some(Max { x, packing: packing.clone() }))
    }
}

struct Mean {
    x: Var,
    packing: Arc<Packing>,
}

impl Op for Mean {
    fn name(&self) -> &'static str {
        "mean over time"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, d) = cx.values.shape(cx.out);
        let Some((dx, fresh)) = cx.grads.slot(self.x, cx.values, cx.pool) else { return };
        for t in 0..self.packing.steps() {
            for b in 0..self.packing.active(t) {
                let share = 1.0 / self.packing.lengths()[b] as f32;
                add_scaled(&mut dx[self.packing.row(b, t) * d..][..d], &dy[b * d..][..d], share, fresh);
            }
        }
    }
}

struct Max {
    x: Var,
    packing: Arc<Packing>,
}

impl Op for Max {
    fn name(&self) -> &'static str {
        "maximum over time"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, d) = cx.values.shape(cx.out);
        let (x, y) = (cx.values.get(self.x), cx.values.get(cx.out));
        let Some(dx) = cx.grads.add(self.x, cx.values, cx.pool) else { return };
        for b in 0..self.packing.batch() {
            for j in 0..d {
                let at = |t: usize| self.packing.row(b, t) * d + j;
                let first = (0..self.packing.lengths()[b]).find(|&t| x[at(t)] == y[b * d + j]);
                first.into_iter().for_each(|t| dx[at(t)] += dy[b * d + j]);
            }
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
    fn gradients() {
        let x = numbers(21, 1);
        let packing = Arc::new(Packing::new(&[4, 2, 1]));
        check_gradients(&mut Params::new(), &[(&x, (7, 3))], &|t, _, v| {
            let (mean, max) = (t.mean_over_time(v[0], &packing), t.max_over_time(v[0], &packing));
            let y = t.concat(&[mean, max]);
            weighted_sum(t, y);
        });
    }

    #[test]
    fn by_hand() {
        let mut t = Tape::new();
        // Sequences [1, 5, 3] and [-2].
        let x = t.variable(&[1.0, -2.0, 5.0, 3.0], (4, 1));
        let packing = Arc::new(Packing::new(&[3, 1]));
        let (mean, max) = (t.mean_over_time(x, &packing), t.max_over_time(x, &packing));
        assert_eq!((t.value(mean), t.value(max)), (&[3.0, -2.0][..], &[5.0, -2.0][..]));
        t.custom_loss(max, 0.0, &[10.0, 20.0]);
        t.backward(&mut Params::new()).unwrap();
        assert_eq!(t.grad(x), [0.0, 20.0, 10.0, 0.0]);
    }
}

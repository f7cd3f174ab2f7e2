//! Windows over time: each position beside those that follow it. A linear layer behind it is a convolution over time.
//!
//! x (N, D) packed -> y (N, K D): `y_bt = [x_bt, x_b(t+1), ..., x_b(t+K-1)]`, zeros beyond the end of the sequence. The
//! gradient of a position is the sum over the windows that hold it. With weights (F, K D) behind it this is a
//! convolution of F filters of width K (LeCun et al. 1998), as Kim (2014) reads sentences.

use std::sync::Arc;

use crate::{
    Packing, Tape, Var,
    ops::elementwise::add_scaled,
    tape::{Backward, Op},
};

impl Tape {
    /// Each position with the `width - 1` that follow it: x (N, D) packed -> y (N, width D).
    ///
    /// # Panics
    /// If x has not one row for each position, or `width` is 0.
    pub fn windows(&mut self, x: Var, packing: &Arc<Packing>, width: usize) -> Var {
        let (n, d) = self.shape(x);
        assert_eq!(n, packing.rows());
        assert!(width > 0, "a window holds a position");
        let mut y = self.pool.zeros(n * width * d);
        let value = self.values.get(x);
        each(packing, width, |row, k, from| {
            y[(row * width + k) * d..][..d].copy_from_slice(&value[from * d..][..d]);
        });
        let needs = self.values.needs_grad(x);
        self.push(y, (n, width * d), needs, || Some(Windows { x, width, packing: packing.clone() }))
    }
}

/// Calls `f(row, k, from)` for each window's row and each place k in it that holds a position's row `from`.
fn each(packing: &Packing, width: usize, mut f: impl FnMut(usize, usize, usize)) {
    for t in 0..packing.steps() {
        for k in 0..width.min(packing.steps() - t) {
            (0..packing.active(t + k)).for_each(|b| f(packing.row(b, t), k, packing.row(b, t + k)));
        }
    }
}

struct Windows {
    x: Var,
    width: usize,
    packing: Arc<Packing>,
}

impl Op for Windows {
    fn name(&self) -> &'static str {
        "windows"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, d) = cx.values.shape(self.x);
        let Some(dx) = cx.grads.add(self.x, cx.values, cx.pool) else { return };
        each(&self.packing, self.width, |row, k, from| {
            add_scaled(&mut dx[from * d..][..d], &dy[(row * self.width + k) * d..][..d], 1.0, false);
        });
    }
}

/// The plain twin for one sequence: x (T, D) -> (T, K D).
pub fn reference(x: &[Vec<f64>], width: usize) -> Vec<Vec<f64>> {
    let d = x.first().map_or(0, Vec::len);
    let at = |t: usize| x.get(t).cloned().unwrap_or_else(|| vec![0.0; d]);
    (0..x.len()).map(|t| (t..t + width).flat_map(at).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, numbers, params, weighted_sum};

    #[test]
    fn gradients_of_a_convolution() {
        let x = numbers(21, 1);
        let packing = Arc::new(Packing::new(&[4, 2, 1]));
        for width in [1, 2, 3, 6] {
            let (mut p, ids) = params(&[(2, width * 3), (1, 2)]);
            check_gradients(&mut p, &[(&x, (7, 3))], &|t, p, v| {
                let y = t.windows(v[0], &packing, width);
                let y = t.linear(p, y, ids[0], Some(ids[1]));
                weighted_sum(t, y);
            });
        }
    }

    #[test]
    fn as_the_plain_twin_and_by_hand() {
        let lengths = [5, 3, 3, 1];
        let packing = Arc::new(Packing::new(&lengths));
        let x = numbers(packing.rows() * 2, 3);
        for width in [1, 2, 4, 7] {
            let mut t = Tape::inference();
            let v = t.input(&x, (packing.rows(), 2));
            let y = t.windows(v, &packing, width);
            for (b, &length) in lengths.iter().enumerate() {
                let row = |at: usize| x[packing.row(b, at) * 2..][..2].iter().map(|&x| f64::from(x)).collect();
                let twin = reference(&(0..length).map(row).collect::<Vec<_>>(), width);
                for (at, twin) in twin.iter().enumerate() {
                    let own = &t.value(y)[packing.row(b, at) * width * 2..][..width * 2];
                    assert!(own.iter().zip(twin).all(|(a, b)| f64::from(*a) == *b), "{width} {b} {at}");
                }
            }
        }
        let mut t = Tape::inference();
        let x = t.input(&[1.0, 9.0, 2.0], (3, 1));
        let y = t.windows(x, &Arc::new(Packing::new(&[2, 1])), 2);
        assert_eq!(t.value(y), [1.0, 2.0, 9.0, 0.0, 2.0, 0.0]);
    }
}

//! Laying matrices one below the other, and cutting rows out.
//!
//! `stack`: (N1, D), (N2, D) -> (N1 + N2, D). `slice_rows`: (N, D) -> (rows, D). Copies; the gradient travels the same
//! way back.

use std::ops::Range;

use crate::{
    Tape, Var,
    ops::elementwise::{add_scaled, pieces},
    tape::{Backward, Op},
};

impl Tape {
    /// Lays `top` (N1, D) above `bottom` (N2, D): with time-major packing, positions before those of each sequence.
    pub fn stack(&mut self, top: Var, bottom: Var) -> Var {
        let ((above, d), (below, width)) = (self.shape(top), self.shape(bottom));
        assert_eq!(d, width, "matrices one below the other have equally many columns");
        let mut y = self.pool.take((above + below) * d);
        let (first, second) = y.split_at_mut(above * d);
        first.copy_from_slice(self.values.get(top));
        second.copy_from_slice(self.values.get(bottom));
        let needs = self.values.needs_grad(top) || self.values.needs_grad(bottom);
        self.push(y, (above + below, d), needs, || Some(Stack { parts: [top, bottom] }))
    }

    /// Cuts rows out: x (N, D) -> y (rows, D).
    pub fn slice_rows(&mut self, x: Var, rows: Range<usize>) -> Var {
        let (n, d) = self.shape(x);
        assert!(rows.start <= rows.end && rows.end <= n);
        let y = self.pool.copy(&self.values.get(x)[rows.start * d..rows.end * d]);
        let needs = self.values.needs_grad(x);
        self.push(y, (rows.len(), d), needs, || Some(Slice { x, at: rows.start * d }))
    }
}

struct Stack {
    parts: [Var; 2],
}

impl Op for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let mut at = 0;
        for part in self.parts {
            let (n, d) = cx.values.shape(part);
            let dy = &dy[at..at + n * d];
            cx.contribute(part, |at, g, fresh| add_scaled(g, &dy[at..], 1.0, fresh));
            at += n * d;
        }
    }
}

struct Slice {
    x: Var,
    /// First element.
    at: usize,
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice rows"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        if let Some(g) = cx.grads.add(self.x, cx.values, cx.pool) {
            pieces(&mut g[self.at..self.at + dy.len()], |at, g| add_scaled(g, &dy[at..], 1.0, false));
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
        let (x, z) = (numbers(6, 1), numbers(9, 2));
        check_gradients(&mut Params::new(), &[(&x, (2, 3)), (&z, (3, 3))], &|t, _, v| {
            let y = t.stack(v[0], v[1]);
            let y = t.stack(y, v[0]);
            let square = t.mul(y, y);
            let cut = t.slice_rows(square, 1..6);
            let head = t.slice_rows(y, 0..5);
            let y = t.mul(cut, head);
            weighted_sum(t, y);
        });
    }

    #[test]
    fn by_hand() {
        let mut t = Tape::inference();
        let (a, b) = (t.input(&[1.0, 2.0], (1, 2)), t.input(&[3.0, 4.0, 5.0, 6.0], (2, 2)));
        let y = t.stack(a, b);
        assert_eq!((t.value(y), t.shape(y)), (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..], (3, 2)));
        let cut = t.slice_rows(y, 1..3);
        assert_eq!(t.value(cut), [3.0, 4.0, 5.0, 6.0]);
    }
}

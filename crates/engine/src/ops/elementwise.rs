//! Arithmetic element by element: `a + b`, `a - b`, `a b`, `c a`, and constants added or put in place.
//!
//! All matrices (N, D). Gradients: of a sum `dy` for each side (negated for what is subtracted), of a product
//! `da = dy b`, `db = dy a`; a constant has none.

use crate::{
    Tape, Var, simd,
    tape::{Backward, Op},
    threads::{self, Shared},
};

/// Elements a thread should have before work is split: below, memory is faster than waking it.
const GRAIN: usize = 1 << 14;

/// Calls `f(first, piece)` on pieces of `out`, side by side.
pub(crate) fn pieces(out: &mut [f32], f: impl Fn(usize, &mut [f32]) + Sync) {
    let data = Shared(out.as_mut_ptr());
    // SAFETY: the ranges are disjoint and in bounds.
    threads::split(out.len(), GRAIN, |r| f(r.start, unsafe { data.slice(r.start, r.len()) }));
}

/// `out = f(a, b)`, element by element.
#[inline(always)]
pub(crate) fn combine(out: &mut [f32], a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) {
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(o, (&a, &b))| *o = f(a, b));
}

impl Backward<'_> {
    /// Calls `f(first, piece, fresh)` on pieces of the gradient of `v`, side by side, if it is wanted; where `fresh`,
    /// the piece must be overwritten, else added to.
    pub(crate) fn contribute(&mut self, v: Var, f: impl Fn(usize, &mut [f32], bool) + Sync) {
        if let Some((g, fresh)) = self.grads.slot(v, self.values, self.pool) {
            pieces(g, |at, g| f(at, g, fresh));
        }
    }
}

simd::multiversion! {
    /// `g (+)= c x`; overwritten if `fresh`.
    pub(crate) fn add_scaled(g: &mut [f32], x: &[f32], c: f32, fresh: bool) -> () {
        g.iter_mut().zip(x).for_each(|(g, &x)| *g = if fresh { c * x } else { *g + c * x });
    }
}

simd::multiversion! {
    /// `g (+)= a b`; overwritten if `fresh`.
    pub(crate) fn add_product(g: &mut [f32], a: &[f32], b: &[f32], fresh: bool) -> () {
        let n = g.len();
        let (a, b) = (&a[..n], &b[..n]);
        for i in 0..n {
            g[i] = if fresh { a[i] * b[i] } else { g[i] + a[i] * b[i] };
        }
    }
}

impl Tape {
    /// `a + b`.
    pub fn add(&mut self, a: Var, b: Var) -> Var {
        self.sum(a, b, 1.0)
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Var, b: Var) -> Var {
        self.sum(a, b, -1.0)
    }

    fn sum(&mut self, a: Var, b: Var, factor: f32) -> Var {
        let y = self.of_two(a, b, |a, b| a + factor * b);
        let needs = self.values.needs_grad(a) || self.values.needs_grad(b);
        self.push(y, self.values.shape(a), needs, || Some(Sum { terms: [(a, 1.0), (b, factor)] }))
    }

    /// `a b`, element by element.
    pub fn mul(&mut self, a: Var, b: Var) -> Var {
        let y = self.of_two(a, b, |a, b| a * b);
        let needs = self.values.needs_grad(a) || self.values.needs_grad(b);
        self.push(y, self.values.shape(a), needs, || Some(Mul { a, b }))
    }

    fn of_two(&mut self, a: Var, b: Var, f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
        assert_eq!(self.shape(a), self.shape(b), "element-wise arithmetic needs equal shapes");
        let (va, vb) = (self.values.get(a), self.values.get(b));
        let mut y = self.pool.take(va.len());
        pieces(&mut y, |at, y| combine(y, &va[at..], &vb[at..], &f));
        y
    }

    /// `factor a`.
    pub fn scale(&mut self, a: Var, factor: f32) -> Var {
        let x = self.values.get(a);
        let mut y = self.pool.take(x.len());
        pieces(&mut y, |at, y| add_scaled(y, &x[at..], factor, true));
        let needs = self.values.needs_grad(a);
        self.push(y, self.values.shape(a), needs, || Some(Sum { terms: [(a, factor), (a, 0.0)] }))
    }

    /// `a + constant`, such as noise on a latent: a (N, D), constant N D values.
    pub fn add_constant(&mut self, a: Var, constant: &[f32]) -> Var {
        let x = self.values.get(a);
        assert_eq!(x.len(), constant.len());
        let mut y = self.pool.take(x.len());
        pieces(&mut y, |at, y| combine(y, &x[at..], &constant[at..], |x, c| x + c));
        let needs = self.values.needs_grad(a);
        self.push(y, self.values.shape(a), needs, || Some(Sum { terms: [(a, 1.0), (a, 0.0)] }))
    }

    /// `value` going forward, a's gradient going back: the straight-through estimator (Bengio et al. 2013), which
    /// vector quantisation needs. a (N, D), value N D numbers.
    pub fn straight_through(&mut self, a: Var, value: &[f32]) -> Var {
        let shape = self.shape(a);
        assert_eq!(value.len(), shape.0 * shape.1);
        let y = self.pool.copy(value);
        let needs = self.values.needs_grad(a);
        self.push(y, shape, needs, || Some(Sum { terms: [(a, 1.0), (a, 0.0)] }))
    }
}

/// A weighted sum of matrices (a term of weight 0 is absent), perhaps with a constant.
struct Sum {
    terms: [(Var, f32); 2],
}

impl Op for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        for (v, factor) in self.terms.into_iter().filter(|t| t.1 != 0.0) {
            cx.contribute(v, |at, g, fresh| add_scaled(g, &dy[at..], factor, fresh));
        }
    }
}

struct Mul {
    a: Var,
    b: Var,
}

impl Op for Mul {
    fn name(&self) -> &'static str {
        "product"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let values = cx.values;
        for (to, other) in [(self.a, self.b), (self.b, self.a)] {
            let other = values.get(other);
            cx.contribute(to, |at, g, fresh| add_product(g, &dy[at..], &other[at..], fresh));
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
    fn gradients_even_where_one_matrix_is_used_twice() {
        let (a, b) = (numbers(12, 1), numbers(12, 2));
        check_gradients(&mut Params::new(), &[(&a, (3, 4)), (&b, (3, 4))], &|t, _, v| {
            let sum = t.add(v[0], v[1]);
            let square = t.mul(sum, sum);
            let product = t.mul(square, v[0]);
            let twice = t.add(product, product);
            let scaled = t.scale(twice, -0.7);
            let difference = t.sub(scaled, v[1]);
            let y = t.add_constant(difference, &[0.5; 12]);
            weighted_sum(t, y);
        });
    }

    #[test]
    fn by_hand() {
        let mut t = Tape::inference();
        let (a, b) = (t.input(&[1.0, 2.0], (1, 2)), t.input(&[10.0, -3.0], (1, 2)));
        let results = [t.add(a, b), t.sub(a, b), t.mul(a, b), t.scale(a, 3.0), t.straight_through(a, &[8.0, 9.0])];
        let expected = [[11.0, -1.0], [-9.0, 5.0], [10.0, -6.0], [3.0, 6.0], [8.0, 9.0]];
        assert!(results.iter().zip(expected).all(|(&r, e)| t.value(r) == e));
    }

    #[test]
    fn the_gradient_passes_a_replaced_value_unchanged() {
        let mut t = Tape::new();
        let a = t.variable(&[1.0, 2.0, 3.0], (1, 3));
        let y = t.straight_through(a, &[0.0; 3]);
        t.custom_loss(y, 0.0, &[5.0, 6.0, 7.0]);
        t.backward(&mut Params::new()).unwrap();
        assert_eq!(t.grad(a), [5.0, 6.0, 7.0]);
    }
}

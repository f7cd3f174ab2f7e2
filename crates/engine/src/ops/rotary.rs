//! Rotary positions (Su et al. 2021): queries and keys are turned by angles that grow with their place, so that the
//! product of a query and a key depends on how far apart they stand.
//!
//! x, y (N, C) packed. In each head of d columns at place t the pair of columns i and i + d/2, i < d/2, is turned by
//! `a = t 10000^(-2i/d)`: `y_i = x_i cos a - x_j sin a`, `y_j = x_i sin a + x_j cos a`, j = i + d/2. Gradient: dy
//! turned by -a.

use std::sync::Arc;

use crate::{
    Packing, Tape, Var, simd,
    tape::{Backward, Op},
    threads::{self, Shared},
};

/// How much slower the last pair of columns turns than the first, about.
const BASE: f64 = 10_000.0;
/// Elements a thread should have before rows are split.
const GRAIN: usize = 1 << 14;

/// Cosines and sines of the angles at the first places, for heads of one width.
#[derive(Debug, Clone)]
pub struct Turns {
    /// d / 2.
    half: usize,
    /// For each place d/2 cosines and d/2 sines.
    values: Vec<f32>,
}

impl Turns {
    /// The angles of heads of `d` columns (an even number) at the first `places` places.
    pub fn new(d: usize, places: usize) -> Self {
        assert!(d.is_multiple_of(2), "rotary positions turn pairs of columns, and {d} is odd");
        let mut turns = Turns { half: d / 2, values: Vec::with_capacity(places * d) };
        turns.reach(places);
        turns
    }

    /// Adds places until there are `places`.
    pub fn reach(&mut self, places: usize) {
        let half = self.half;
        for t in self.places()..places {
            let angle = |i: usize| t as f64 * BASE.powf(-(i as f64) / half as f64);
            self.values.extend((0..half).map(|i| angle(i).cos() as f32));
            self.values.extend((0..half).map(|i| angle(i).sin() as f32));
        }
    }

    /// The number of places there are.
    pub fn places(&self) -> usize {
        self.values.len() / (2 * self.half).max(1)
    }

    /// Turns the heads in `x` (heads * d), which stand at place `t`.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn turn(&self, t: usize, x: &mut [f32]) {
        let (cos, sin) = self.at(t);
        x.chunks_exact_mut(2 * self.half).for_each(|head| turn_head(head, cos, sin, 1.0));
    }

    fn at(&self, t: usize) -> (&[f32], &[f32]) {
        self.values[2 * t * self.half..][..2 * self.half].split_at(self.half)
    }
}

simd::multiversion! {
    /// Turns one head; back if `sign` is -1.
    fn turn_head(head: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) -> () {
        let (a, b) = head.split_at_mut(cos.len());
        let n = a.len();
        let (b, cos, sin) = (&mut b[..n], &cos[..n], &sin[..n]);
        for i in 0..n {
            let (x, y, s) = (a[i], b[i], sign * sin[i]);
            a[i] = x * cos[i] - y * s;
            b[i] = x * s + y * cos[i];
        }
    }
}

impl Tape {
    /// Turns the heads in the first `columns` columns by their rows' places in their sequences and copies the others:
    /// x (N, C) packed -> y (N, C).
    ///
    /// # Panics
    /// If `columns` are not whole heads, or `turns` lacks a place.
    pub fn rotate(&mut self, x: Var, columns: usize, packing: &Arc<Packing>, turns: &Arc<Turns>) -> Var {
        let (n, c) = self.shape(x);
        assert!(n == packing.rows() && columns <= c && columns.is_multiple_of(2 * turns.half), "rotate: another shape");
        assert!(packing.steps() <= turns.places(), "rotate: a sequence is longer than the angles reach");
        let mut y = self.pool.take(n * c);
        let value = self.values.get(x);
        let out = Shared(y.as_mut_ptr());
        each_row(packing, c, |row, t| {
            // SAFETY: each row is handed out once.
            let y = unsafe { out.slice(row * c, c) };
            y.copy_from_slice(&value[row * c..][..c]);
            turns.turn(t, &mut y[..columns]);
        });
        let needs = self.values.needs_grad(x);
        self.push(y, (n, c), needs, || Some(Rotate { x, columns, packing: packing.clone(), turns: turns.clone() }))
    }
}

/// Calls `f(row, place)` for all rows of c columns, side by side.
fn each_row(packing: &Packing, c: usize, f: impl Fn(usize, usize) + Sync) {
    threads::split(packing.rows(), GRAIN / c.max(1) + 1, |rows| {
        let mut t = 0;
        for row in rows {
            while packing.offset(t + 1) <= row {
                t += 1;
            }
            f(row, t);
        }
    });
}

struct Rotate {
    x: Var,
    columns: usize,
    packing: Arc<Packing>,
    turns: Arc<Turns>,
}

impl Op for Rotate {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, c) = cx.values.shape(cx.out);
        let (columns, turns) = (self.columns, &self.turns);
        // The gradient of a fresh slot is what turning back leaves; otherwise it is added row by row.
        let Some((dx, fresh)) = cx.grads.slot(self.x, cx.values, cx.pool) else { return };
        let mut turned = cx.pool.take(if fresh { 0 } else { dy.len() });
        let to = Shared(if fresh { dx.as_mut_ptr() } else { turned.as_mut_ptr() });
        let sum = Shared(dx.as_mut_ptr());
        each_row(&self.packing, c, |row, t| {
            let (cos, sin) = turns.at(t);
            // SAFETY: each row is handed out once.
            let back = unsafe { to.slice(row * c, c) };
            back.copy_from_slice(&dy[row * c..][..c]);
            back[..columns].chunks_exact_mut(2 * turns.half).for_each(|head| turn_head(head, cos, sin, -1.0));
            if !fresh {
                // SAFETY: as above, and `to` is another buffer.
                let dx = unsafe { sum.slice(row * c, c) };
                dx.iter_mut().zip(back).for_each(|(d, b)| *d += *b);
            }
        });
        cx.pool.give(turned);
    }
}

/// The plain twin: one head at place `t`, as products of complex numbers in f64.
pub fn reference(head: &[f64], t: usize) -> Vec<f64> {
    let half = head.len() / 2;
    let turned = |i: usize| {
        let angle = t as f64 / BASE.powf(2.0 * i as f64 / head.len() as f64);
        let (length, at) = (head[i].hypot(head[i + half]), head[i + half].atan2(head[i]));
        (length * (at + angle).cos(), length * (at + angle).sin())
    };
    (0..half).map(|i| turned(i).0).chain((0..half).map(|i| turned(i).1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::{
            softmax::dot,
            testing::{check_gradients, numbers, weighted_sum},
        },
    };

    #[test]
    fn gradients_alone_and_added_to_another() {
        let packing = Arc::new(Packing::new(&[4, 2, 1]));
        let turns = Arc::new(Turns::new(4, 5));
        let x = numbers(7 * 10, 1);
        check_gradients(&mut Params::new(), &[(&x, (7, 10))], &|t, _, v| {
            let y = t.rotate(v[0], 8, &packing, &turns);
            let z = t.rotate(y, 4, &packing, &turns);
            let product = t.mul(v[0], z);
            weighted_sum(t, product);
        });
    }

    #[test]
    fn rows_match_the_plain_twin_by_their_place() {
        let packing = Arc::new(Packing::new(&[40, 33, 1]));
        let (d, c) = (48, 3 * 48);
        let x = numbers(packing.rows() * c, 2);
        let mut t = Tape::inference();
        let v = t.input(&x, (packing.rows(), c));
        let y = t.rotate(v, 2 * d, &packing, &Arc::new(Turns::new(d, 40)));
        for (b, &length) in packing.lengths().iter().enumerate() {
            for place in 0..length {
                let at = packing.row(b, place) * c;
                let (x, y) = (&x[at..at + c], &t.value(y)[at..at + c]);
                for head in [0, d] {
                    let wide: Vec<f64> = x[head..head + d].iter().map(|&x| x as f64).collect();
                    let expected = reference(&wide, place);
                    assert!(y[head..].iter().zip(expected).all(|(&y, r)| (y as f64 - r).abs() < 1e-5));
                }
                assert_eq!(x[2 * d..], y[2 * d..], "the rest is copied");
            }
        }
    }

    #[test]
    fn products_depend_on_the_distance_alone() {
        let turns = Turns::new(16, 900);
        let (q, k) = (numbers(16, 3), numbers(16, 4));
        let product = |s: usize, t: usize| {
            let (mut q, mut k) = (q.clone(), k.clone());
            turns.turn(s, &mut q);
            turns.turn(t, &mut k);
            dot(&q, &k)
        };
        assert!((product(0, 0) - dot(&q, &k)).abs() < 1e-6, "the first place is not turned");
        assert!((product(7, 3) - product(850, 846)).abs() < 1e-4);
        assert!((product(7, 3) - product(7, 4)).abs() > 1e-2);
    }

    #[test]
    fn by_hand() {
        // Width 2 turns by one radian a place.
        let mut x = [1.0, 0.0];
        let turns = Turns::new(2, 3);
        turns.turn(2, &mut x);
        assert!((x[0] - 2f32.cos()).abs() < 1e-6 && (x[1] - 2f32.sin()).abs() < 1e-6);
    }
}

//! What the cells compute, unit by unit: gates to state, and back. Rows are sequences, blocks of H columns are gates.

use std::ops::Range;

use super::{backward::StepBack, run::Step};
use crate::simd;

/// The kinds of recurrent cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Tanh,
    Relu,
    Gru,
    Lstm,
}

impl Cell {
    /// Number of gate blocks, G.
    pub fn gates(self) -> usize {
        match self {
            Cell::Tanh | Cell::Relu => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }

    /// Length of the bias for H hidden units: G H, and H more for the GRU's inner bias.
    pub fn bias_len(self, h: usize) -> usize {
        if self == Cell::Gru { 4 * h } else { self.gates() * h }
    }

    /// Whether a second (N, H) buffer is kept: c of the LSTM, the recurrent part of n of the GRU.
    pub(super) fn has_extra(self) -> bool {
        matches!(self, Cell::Gru | Cell::Lstm)
    }

    /// Turns the pre-activations of `units` into gates and state, for all rows of a step.
    ///
    /// # Safety
    /// The caller owns these units of every row of the step's buffers.
    pub(super) unsafe fn forward(self, s: &Step<'_>, units: Range<usize>) {
        let (h, gh, n, at) = (s.h, s.h * self.gates(), units.len(), units.start);
        for row in 0..s.rows {
            // SAFETY: in bounds and owned (see above).
            let gate = |g: usize| unsafe { s.gates.slice(row * gh + g * h + at, n) };
            let hn = unsafe { s.h_new.slice(row * h + at, n) };
            if !s.sequence.is_empty() {
                (0..self.gates()).for_each(|g| add(gate(g), &s.sequence[row * gh + g * h + at..][..n]));
            }
            match self {
                Cell::Tanh => tanh_unit(gate(0), hn),
                Cell::Relu => relu_unit(gate(0), hn),
                Cell::Gru => {
                    // SAFETY: as above.
                    let inner = unsafe { s.extra.slice(row * h + at, n) };
                    gru_unit(gate(0), gate(1), gate(2), inner, &s.h_old[row * h + at..][..n], hn);
                }
                Cell::Lstm => {
                    // SAFETY: as above.
                    let (c, kept) = unsafe { (s.c.slice(row * h + at, n), s.extra.slice(row * h + at, n)) };
                    lstm_unit(gate(0), gate(1), gate(2), gate(3), c, hn);
                    kept.copy_from_slice(c);
                }
            }
            if let Some((y, width)) = &s.out {
                // SAFETY: as above.
                unsafe { y.slice(row * width + at, n) }.copy_from_slice(hn);
            }
        }
    }

    /// Turns the gradients of h (and c) of `units` into those of the pre-activations, in place of the gates.
    ///
    /// # Safety
    /// The caller owns these units of every row of the step's buffers.
    pub(super) unsafe fn backward(self, s: &StepBack<'_>, units: Range<usize>) {
        let (h, gh, n, at) = (s.h, s.h * self.gates(), units.len(), units.start);
        for row in 0..s.rows {
            // SAFETY: in bounds and owned (see above).
            let gate = |g: usize| unsafe { s.gates.slice(row * gh + g * h + at, n) };
            let dh = unsafe { s.dh.slice(row * h + at, n) };
            add(dh, &s.dy[row * s.width + s.at + at..][..n]);
            let old = |m: &'_ [f32]| -> usize { if m.is_empty() { 0 } else { row * h + at } };
            match self {
                Cell::Tanh => tanh_back(gate(0), dh),
                Cell::Relu => relu_back(gate(0), dh),
                Cell::Gru => {
                    // SAFETY: as above.
                    let inner = unsafe { s.extra.slice(row * h + at, n) };
                    let h_old = &s.h_old[old(s.h_old)..][..n];
                    gru_back(gate(0), gate(1), gate(2), inner, h_old, dh);
                }
                Cell::Lstm => {
                    // SAFETY: as above.
                    let (dc, c) = unsafe { (s.dc.slice(row * h + at, n), s.extra.slice(row * h + at, n)) };
                    let c_old = &s.c_old[old(s.c_old)..][..n];
                    lstm_back([gate(0), gate(1), gate(2), gate(3)], c, c_old, dh, dc);
                }
            }
        }
    }
}

simd::multiversion! {
    fn add(x: &mut [f32], y: &[f32]) -> () {
        x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
    }
}

simd::multiversion! {
    fn tanh_unit(a: &mut [f32], h: &mut [f32]) -> () {
        for (a, h) in a.iter_mut().zip(h) {
            *a = simd::tanh(*a);
            *h = *a;
        }
    }
}

simd::multiversion! {
    fn relu_unit(a: &mut [f32], h: &mut [f32]) -> () {
        for (a, h) in a.iter_mut().zip(h) {
            *a = if *a < 0.0 { 0.0 } else { *a };
            *h = *a;
        }
    }
}

simd::multiversion! {
    fn gru_unit(r: &mut [f32], z: &mut [f32], n: &mut [f32], inner: &[f32], old: &[f32], h: &mut [f32]) -> () {
        let len = h.len();
        let (r, z, n, inner, old) = (&mut r[..len], &mut z[..len], &mut n[..len], &inner[..len], &old[..len]);
        for j in 0..len {
            r[j] = simd::sigmoid(r[j]);
            z[j] = simd::sigmoid(z[j]);
            n[j] = simd::tanh(n[j] + r[j] * inner[j]);
            h[j] = n[j] + z[j] * (old[j] - n[j]);
        }
    }
}

simd::multiversion! {
    fn lstm_unit(i: &mut [f32], f: &mut [f32], g: &mut [f32], o: &mut [f32], c: &mut [f32], h: &mut [f32]) -> () {
        let n = h.len();
        let (i, f, g, o, c) = (&mut i[..n], &mut f[..n], &mut g[..n], &mut o[..n], &mut c[..n]);
        for j in 0..n {
            i[j] = simd::sigmoid(i[j]);
            f[j] = simd::sigmoid(f[j]);
            g[j] = simd::tanh(g[j]);
            o[j] = simd::sigmoid(o[j]);
            c[j] = f[j] * c[j] + i[j] * g[j];
            h[j] = o[j] * simd::tanh(c[j]);
        }
    }
}

simd::multiversion! {
    fn tanh_back(a: &mut [f32], dh: &[f32]) -> () {
        a.iter_mut().zip(dh).for_each(|(a, d)| *a = d * (1.0 - *a * *a));
    }
}

simd::multiversion! {
    fn relu_back(a: &mut [f32], dh: &[f32]) -> () {
        a.iter_mut().zip(dh).for_each(|(a, d)| *a = if *a > 0.0 { *d } else { 0.0 });
    }
}

simd::multiversion! {
    /// On return r, z, n hold the gradients of their pre-activations, `inner` that of h W_n^T + b_n, and `dh` the part
    /// of the gradient of the old h that does not pass through W_hh.
    fn gru_back(r: &mut [f32], z: &mut [f32], n: &mut [f32], inner: &mut [f32], old: &[f32], dh: &mut [f32]) -> () {
        let len = dh.len();
        let (r, z, n, inner, old) = (&mut r[..len], &mut z[..len], &mut n[..len], &mut inner[..len], &old[..len]);
        for j in 0..len {
            let (rj, zj, nj, d) = (r[j], z[j], n[j], dh[j]);
            let dn = d * (1.0 - zj) * (1.0 - nj * nj);
            n[j] = dn;
            z[j] = d * (old[j] - nj) * zj * (1.0 - zj);
            r[j] = dn * inner[j] * rj * (1.0 - rj);
            inner[j] = dn * rj;
            dh[j] = d * zj;
        }
    }
}

simd::multiversion! {
    fn lstm_back(gates: [&mut [f32]; 4], c: &[f32], c_old: &[f32], dh: &[f32], dc: &mut [f32]) -> () {
        let n = dh.len();
        let [i, f, g, o] = gates;
        let (i, f, g, o) = (&mut i[..n], &mut f[..n], &mut g[..n], &mut o[..n]);
        let (c, c_old, dc) = (&c[..n], &c_old[..n], &mut dc[..n]);
        for j in 0..n {
            let (ij, fj, gj, oj, d) = (i[j], f[j], g[j], o[j], dh[j]);
            let tc = simd::tanh(c[j]);
            let dcj = dc[j] + d * oj * (1.0 - tc * tc);
            o[j] = d * tc * oj * (1.0 - oj);
            i[j] = dcj * gj * ij * (1.0 - ij);
            f[j] = dcj * c_old[j] * fj * (1.0 - fj);
            g[j] = dcj * ij * (1.0 - gj * gj);
            dc[j] = dcj * fj;
        }
    }
}

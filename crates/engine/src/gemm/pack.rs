//! Packed right-hand matrices.

use super::kernel;
use crate::{simd, threads};

/// One cache line; keeps panels aligned.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
#[allow(dead_code)] // read through pointers only
pub(super) struct Line([f32; LINE]);

/// Floats in a [`Line`].
pub(super) const LINE: usize = 16;

/// A matrix B (K, N) in panels of [`Packed::panel_width`] columns, the last one filled up with zeros.
#[derive(Clone, Default)]
pub struct Packed {
    lines: Vec<Line>,
    k: usize,
    n: usize,
}

impl Packed {
    /// Packs B (k, n): `B[p][j] = source[p * stride + j]`, or, `transposed`, `source[j * stride + p]` (a weight
    /// (out, in) whose product `x W^T` is wanted). The buffer is used again.
    pub fn pack(&mut self, source: &[f32], stride: usize, k: usize, n: usize, transposed: bool) {
        (self.k, self.n) = (k, n);
        let width = self.panel_width();
        self.lines.resize(self.panels() * k * width / LINE, Line::default());
        if k == 0 {
            return;
        }
        let out = threads::Shared(self.lines.as_mut_ptr().cast::<f32>());
        let grain = (1 << 15) / (k * width) + 1;
        threads::split(self.panels(), grain, |panels| {
            for panel in panels {
                let first = panel * width;
                let columns = width.min(n - first);
                // SAFETY: panels are disjoint and in bounds.
                let to = unsafe { out.slice(first * k, k * width) };
                if transposed {
                    pack_transposed(&source[first * stride..], stride, columns, k, width, to);
                } else {
                    for (p, to) in to.chunks_exact_mut(width).enumerate() {
                        copy_padded(&source[p * stride + first..][..columns], to);
                    }
                }
            }
        });
    }

    /// Rows of B.
    pub fn k(&self) -> usize {
        self.k
    }
    /// Columns of B.
    pub fn n(&self) -> usize {
        self.n
    }
    /// Number of panels.
    pub fn panels(&self) -> usize {
        self.n.div_ceil(self.panel_width())
    }
    /// Columns of a panel: what the kernel of this processor computes at once.
    pub fn panel_width(&self) -> usize {
        kernel::width(simd::level())
    }

    /// The panel `index`, (K, width).
    pub(super) fn panel(&self, index: usize) -> *const f32 {
        // SAFETY: `resize` above made room for all panels.
        unsafe { self.lines.as_ptr().cast::<f32>().add(index * self.k * self.panel_width()) }
    }
}

/// `to` = `from` and zeros; whole cache lines are copied without a call.
fn copy_padded(from: &[f32], to: &mut [f32]) {
    let (from_lines, from_rest) = from.as_chunks::<LINE>();
    let (to_lines, to_rest) = to.split_at_mut(from_lines.len() * LINE);
    for (to, from) in to_lines.as_chunks_mut::<LINE>().0.iter_mut().zip(from_lines) {
        *to = *from;
    }
    if !to_rest.is_empty() {
        to_rest[..from_rest.len()].copy_from_slice(from_rest);
        to_rest[from_rest.len()..].fill(0.0);
    }
}

/// `to[p][j] = source[j * stride + p]`, in blocks so that both sides stay in cache.
fn pack_transposed(source: &[f32], stride: usize, columns: usize, k: usize, width: usize, to: &mut [f32]) {
    const BLOCK: usize = 16;
    for start in (0..k).step_by(BLOCK) {
        let end = (start + BLOCK).min(k);
        for j in 0..columns {
            let from = &source[j * stride..];
            for p in start..end {
                to[p * width + j] = from[p];
            }
        }
        for row in to[start * width..end * width].chunks_exact_mut(width) {
            row[columns..].fill(0.0);
        }
    }
}

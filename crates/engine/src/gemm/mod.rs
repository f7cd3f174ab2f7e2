//! Matrix product `C = start + A B`, with B packed once and used many times.
//!
//! B (K, N) is stored as panels of [`Packed::panel_width`] columns, each K rows deep and contiguous, so that a weight
//! packed after an update serves every time step until the next one. A (M, K) is read by rows or by columns (A^T) and
//! copied into cache-sized blocks where it is used often enough. Every element is one chain of fused multiply-adds in
//! the order of k that begins at its start value: the result does not depend on the number of threads, nor on how
//! many other rows are computed with it, so that one sequence decodes to the same bits alone and in a batch.

mod kernel;
mod pack;
#[cfg(test)]
mod tests;

pub use pack::Packed;

use crate::{simd, threads, threads::Shared};

/// How the left matrix A (M, K) lies in memory.
#[derive(Clone, Copy)]
pub struct A<'a> {
    data: &'a [f32],
    /// Distance between rows of A, and between its columns; one of them is 1.
    row: usize,
    column: usize,
}

impl<'a> A<'a> {
    /// `A[i][k] = data[i * stride + k]`.
    pub fn rows(data: &'a [f32], stride: usize) -> Self {
        A { data, row: stride, column: 1 }
    }

    /// The transpose: `A[i][k] = data[k * stride + i]`.
    pub fn columns(data: &'a [f32], stride: usize) -> Self {
        A { data, row: 1, column: stride }
    }

    fn skip_rows(self, rows: usize) -> Self {
        A { data: &self.data[(rows * self.row).min(self.data.len())..], ..self }
    }
}

/// What each element of C begins with.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// 0.
    Zero,
    /// The element of a row vector (N).
    Bias(&'a [f32]),
    /// What C holds: accumulate.
    Keep,
}

/// What is applied to each element at the end, while it is in cache.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Nothing.
    None,
    /// `max(x, 0)`.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// The logistic function.
    Sigmoid,
}

/// Multiply-adds below which a product stays on one thread: waking another costs about as much.
const SPLIT_WORK: usize = 1 << 18;

/// `C[i][j] = finish(start + sum_k A[i][k] B[k][j])` for all M rows and N columns; C has row stride `ldc`.
///
/// # Panics
/// If A or C is too short.
pub fn gemm(m: usize, a: A<'_>, b: &Packed, c: &mut [f32], ldc: usize, start: Start<'_>, finish: Finish) {
    let (k, n) = (b.k(), b.n());
    if m == 0 || n == 0 {
        return;
    }
    assert!(c.len() >= (m - 1) * ldc + n && ldc >= n, "C is too short");
    let out = Shared(c.as_mut_ptr());
    let run = |rows: std::ops::Range<usize>, panels: std::ops::Range<usize>| {
        // SAFETY: in bounds by the assertion above; the splits below give each thread its own rows or panels.
        unsafe {
            let c = out.slice(rows.start * ldc, (rows.len() - 1) * ldc + n).as_mut_ptr();
            gemm_panels(rows.len(), a.skip_rows(rows.start), b, panels.start, panels.end, c, ldc, start, finish);
        }
    };
    let parts = (m * n * k / SPLIT_WORK).clamp(1, rayon::current_num_threads());
    if parts == 1 {
        run(0..m, 0..b.panels());
    } else if m < 8 * parts || (b.panels() >= 4 * parts && a.column == 1 && n > m) {
        threads::split(b.panels(), 1, |panels| run(0..m, panels));
    } else {
        threads::split(m, 4, |rows| run(rows, 0..b.panels()));
    }
}

/// [`gemm`] restricted to the columns of the panels `first..end` of B, on the caller's thread.
///
/// # Safety
/// `c` points to M rows of stride `ldc` that are valid for the columns of these panels, and no other thread uses
/// those columns meanwhile.
#[allow(clippy::too_many_arguments)] // BLAS' own list
pub unsafe fn gemm_panels(
    m: usize,
    a: A<'_>,
    b: &Packed,
    first: usize,
    end: usize,
    c: *mut f32,
    ldc: usize,
    start: Start<'_>,
    finish: Finish,
) {
    let k = b.k();
    if m == 0 || first >= end {
        return;
    }
    assert!(k == 0 || a.data.len() > (m - 1) * a.row + (k - 1) * a.column, "A is too short");
    assert!(end <= b.panels());
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= b.n(), "the bias is too short");
    }
    let job = kernel::Job { m, a, b, first, end, c, ldc, start };
    // SAFETY: bounds are checked above, or promised by the caller.
    unsafe { kernel::run(simd::level(), &job) };
    if finish != Finish::None {
        let columns = first * b.panel_width()..(end * b.panel_width()).min(b.n());
        for i in 0..m {
            // SAFETY: a row of C, promised by the caller.
            let row = unsafe { std::slice::from_raw_parts_mut(c.add(i * ldc + columns.start), columns.len()) };
            apply(finish, row);
        }
    }
}

/// Applies a [`Finish`] to a row.
pub(crate) fn apply(finish: Finish, row: &mut [f32]) {
    match finish {
        Finish::None => {}
        Finish::Relu => relu(row),
        Finish::Tanh => tanh(row),
        Finish::Sigmoid => sigmoid(row),
    }
}

simd::multiversion! {
    fn relu(row: &mut [f32]) -> () {
        row.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x });
    }
}

simd::multiversion! {
    fn tanh(row: &mut [f32]) -> () {
        row.iter_mut().for_each(|x| *x = simd::tanh(*x));
    }
}

simd::multiversion! {
    fn sigmoid(row: &mut [f32]) -> () {
        row.iter_mut().for_each(|x| *x = simd::sigmoid(*x));
    }
}

/// The plain twin: `start + A B` by three loops in f64, in row-major order; `a(i, k)` and `b(k, j)` give the elements.
pub fn reference(
    (m, k, n): (usize, usize, usize),
    a: impl Fn(usize, usize) -> f32,
    b: impl Fn(usize, usize) -> f32,
) -> Vec<f64> {
    let dot = |i, j| (0..k).map(|p| a(i, p) as f64 * b(p, j) as f64).sum();
    (0..m * n).map(|e| dot(e / n, e % n)).collect()
}

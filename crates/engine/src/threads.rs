//! Splitting work over the threads of the current rayon pool.
//!
//! A task receives a range of *outputs*; since no sum is ever split, the number of ranges cannot change a result.

use std::ops::Range;

/// Runs `f` on contiguous ranges that cover `0..n`, at most one a thread and none smaller than `grain`
/// (except the last one). With one range, `f` runs on the caller's thread.
pub fn split(n: usize, grain: usize, f: impl Fn(Range<usize>) + Sync) {
    let parts = (n / grain.max(1)).clamp(1, rayon::current_num_threads());
    halve(0, parts, &|a, b| f(a * n / parts..b * n / parts));
}

/// Divides the parts `a..b` in two until one is left, so that each half may run on another thread.
fn halve(a: usize, b: usize, f: &(impl Fn(usize, usize) + Sync)) {
    if b - a <= 1 {
        return f(a, b);
    }
    let mid = a + (b - a) / 2;
    rayon::join(|| halve(a, mid, f), || halve(mid, b, f));
}

/// Calls `f(index, chunk)` for consecutive chunks of `data` of `size` elements, in parallel.
pub fn chunks<T: Send>(data: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
    use rayon::prelude::*;
    if data.len() <= size {
        if !data.is_empty() {
            f(0, data);
        }
        return;
    }
    data.par_chunks_mut(size).enumerate().for_each(|(i, c)| f(i, c));
}

/// A raw pointer that may cross threads; whoever uses it promises that the threads write disjoint elements.
pub(crate) struct Shared<T>(pub *mut T);
// SAFETY: the pointer is only dereferenced in ranges that the splitting functions above hand to one thread each.
unsafe impl<T: Send> Send for Shared<T> {}
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The mutable slice of `len` elements that starts at `at`.
    ///
    /// # Safety
    /// In bounds, and no other live reference overlaps it.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice<'a>(&self, at: usize, len: usize) -> &'a mut [T] {
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(at), len) }
    }
}

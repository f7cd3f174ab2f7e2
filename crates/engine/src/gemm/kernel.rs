//! The micro-kernels: tiles of C held in registers, one instance for each instruction set.
//!
//! A tile is R rows by P panels of V vectors. Each step of k loads P * V vectors of B and R numbers of A and makes
//! R * P * V fused multiply-adds. Row counts up to the maximum are separate instances, and rows are dealt evenly, so
//! that 64 rows become six tiles of 10 or 11 and not five of 12 and a poor one of 4. With few rows, several panels are
//! taken at once: otherwise the additions would wait for each other.

use std::cell::RefCell;

use super::{A, Packed, Start, pack::Line};
use crate::simd::Level;

/// Depth of a block of k: a panel of B this deep stays in the second-level cache.
const DEPTH: usize = 512;
/// Rows of a block of A copied together.
const BLOCK_ROWS: usize = 192;
/// Steps of k copied at once for all tiles: few, since rows of a matrix often lie a power of two apart and would push
/// each other out of the first-level cache.
const COPY_DEPTH: usize = 8;

/// A product to compute: see [`super::gemm_panels`].
pub(super) struct Job<'a> {
    pub(super) m: usize,
    pub(super) a: A<'a>,
    pub(super) b: &'a Packed,
    pub(super) first: usize,
    pub(super) end: usize,
    pub(super) c: *mut f32,
    pub(super) ldc: usize,
    pub(super) start: Start<'a>,
}

/// Columns of a panel.
pub(super) fn width(level: Level) -> usize {
    match level {
        Level::Avx512 => 32,
        Level::Avx2 | Level::Neon | Level::Portable => 16,
    }
}

/// Computes a job.
///
/// # Safety
/// A, B, C are in bounds and the processor has the level's instructions.
pub(super) unsafe fn run(level: Level, job: &Job<'_>) {
    // SAFETY: promised by the caller.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => x86::avx512(job),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::avx2(job),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => arm::neon(job),
            _ => blocks::<[f32; 8], 2, 4>(job),
        }
    }
}

/// A vector of floats.
trait Vector: Copy {
    const LANES: usize;
    unsafe fn load(p: *const f32) -> Self;
    unsafe fn splat(x: f32) -> Self;
    unsafe fn store(self, p: *mut f32);
    /// `self + a b`.
    unsafe fn add_product(self, a: Self, b: Self) -> Self;
    /// Asks for the cache line of `p`, which need not be readable, to come into the first-level cache.
    #[inline(always)]
    fn prefetch(_p: *const f32) {}
    /// The same for the second-level cache.
    #[inline(always)]
    fn prefetch_far(_p: *const f32) {}
}

thread_local! {
    /// The block of A that this thread works on.
    static COPY: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Cuts a job into blocks of k and of rows.
///
/// # Safety
/// As [`run`].
#[inline(always)]
unsafe fn blocks<T: Vector, const V: usize, const ROWS: usize>(job: &Job<'_>) {
    let k = job.b.k();
    // Taken out and put back, because a closure here would be compiled without the caller's instruction set.
    let mut copy = COPY.take();
    let mut from = 0;
    loop {
        let depth = DEPTH.min(k - from);
        for at in (0..job.m).step_by(BLOCK_ROWS) {
            let rows = BLOCK_ROWS.min(job.m - at);
            let mut block = Block { at, rows, from, depth, tiles: rows.div_ceil(ROWS), copy: std::ptr::null() };
            if job.a.column != 1 && rows > 3 {
                copy.resize((rows * depth).div_ceil(super::pack::LINE), Line::default());
                // SAFETY: `copy` has room for the block; A is in bounds.
                unsafe { block.copy_from(job.a, copy.as_mut_ptr().cast()) };
            }
            // SAFETY: as the caller promised.
            unsafe { block_panels::<T, V, ROWS>(job, &block) };
        }
        from += depth;
        if from >= k {
            break;
        }
    }
    COPY.set(copy);
}

/// A block of A: rows `at..at + rows`, columns `from..from + depth`.
struct Block {
    at: usize,
    rows: usize,
    from: usize,
    depth: usize,
    /// Number of tiles the rows are dealt to.
    tiles: usize,
    /// The rows tile by tile, each (depth, rows of the tile); null: A is read in place.
    copy: *const f32,
}

impl Block {
    /// First row of tile `t`.
    fn tile(&self, t: usize) -> usize {
        t * self.rows / self.tiles
    }

    /// Copies a block that lies by columns: a tile read in place would touch another page at every step of k.
    #[inline(always)]
    unsafe fn copy_from(&mut self, a: A<'_>, to: *mut f32) {
        debug_assert!(a.row == 1);
        for start in (0..self.depth).step_by(COPY_DEPTH) {
            let end = (start + COPY_DEPTH).min(self.depth);
            for t in 0..self.tiles {
                let (first, rows) = (self.tile(t), self.tile(t + 1) - self.tile(t));
                for p in start..end {
                    // SAFETY: the caller made room for rows * depth floats, and A holds these rows and columns.
                    unsafe {
                        let from = a.data.as_ptr().add((self.from + p) * a.column + self.at + first);
                        copy_few(from, to.add(first * self.depth + p * rows), rows);
                    }
                }
            }
        }
        self.copy = to;
    }
}

/// Copies `n` floats, few of them, without a call.
#[inline(always)]
unsafe fn copy_few(from: *const f32, to: *mut f32, n: usize) {
    let mut i = 0;
    // SAFETY: promised by the caller.
    unsafe {
        while i + 4 <= n {
            to.add(i).cast::<[f32; 4]>().write_unaligned(from.add(i).cast::<[f32; 4]>().read_unaligned());
            i += 4;
        }
        while i < n {
            *to.add(i) = *from.add(i);
            i += 1;
        }
    }
}

/// All panels of a job for one block of A.
#[inline(always)]
unsafe fn block_panels<T: Vector, const V: usize, const ROWS: usize>(job: &Job<'_>, block: &Block) {
    let mut panel = job.first;
    // SAFETY: as the caller promised; panels stay below job.end.
    unsafe {
        if block.rows == 1 {
            while panel + 4 <= job.end {
                tile::<T, V, 1, 4>(job, block, 0, panel);
                panel += 4;
            }
        } else if block.rows <= 3 {
            while panel + 2 <= job.end {
                if block.rows == 2 {
                    tile::<T, V, 2, 2>(job, block, 0, panel);
                } else if ROWS >= 3 {
                    tile::<T, V, 3, 2>(job, block, 0, panel);
                }
                panel += 2;
            }
        }
        for panel in panel..job.end {
            for t in 0..block.tiles {
                match block.tile(t + 1) - block.tile(t) {
                    1 => tile::<T, V, 1, 1>(job, block, t, panel),
                    2 => tile::<T, V, 2, 1>(job, block, t, panel),
                    3 => tile::<T, V, 3, 1>(job, block, t, panel),
                    4 => tile::<T, V, 4, 1>(job, block, t, panel),
                    5 if ROWS >= 5 => tile::<T, V, 5, 1>(job, block, t, panel),
                    6 if ROWS >= 6 => tile::<T, V, 6, 1>(job, block, t, panel),
                    7 if ROWS >= 7 => tile::<T, V, 7, 1>(job, block, t, panel),
                    8 if ROWS >= 8 => tile::<T, V, 8, 1>(job, block, t, panel),
                    9 if ROWS >= 9 => tile::<T, V, 9, 1>(job, block, t, panel),
                    10 if ROWS >= 10 => tile::<T, V, 10, 1>(job, block, t, panel),
                    11 if ROWS >= 11 => tile::<T, V, 11, 1>(job, block, t, panel),
                    12 if ROWS >= 12 => tile::<T, V, 12, 1>(job, block, t, panel),
                    _ => unreachable!("a tile has between 1 and ROWS rows"),
                }
            }
        }
    }
}

/// R rows by P panels.
#[inline(always)]
unsafe fn tile<T: Vector, const V: usize, const R: usize, const P: usize>(
    job: &Job<'_>,
    block: &Block,
    t: usize,
    panel: usize,
) {
    let width = V * T::LANES;
    let first = block.tile(t);
    let columns = (job.b.n() - panel * width).min(P * width);
    // SAFETY: all offsets stay inside A's block, the panels and the rows of C (edge columns go through `edge`).
    unsafe {
        let c = job.c.add((block.at + first) * job.ldc + panel * width);
        let (a, row, column) = if block.copy.is_null() {
            let a = job.a.data.as_ptr().add((block.at + first) * job.a.row + block.from * job.a.column);
            (a, job.a.row, job.a.column)
        } else {
            (block.copy.add(first * block.depth), 1, R)
        };
        let mut b = [job.b.panel(panel).add(block.from * width); P];
        for i in 0..P {
            b[i] = b[i].add(i * job.b.k() * width);
        }
        let whole = columns == P * width;
        // An edge tile is computed in a buffer of its own.
        let mut edge = [0.0f32; 512];
        debug_assert!(R * P * width <= edge.len());
        let (out, stride) = if whole { (c, job.ldc) } else { (edge.as_mut_ptr(), P * width) };
        let keep = block.from > 0 || matches!(job.start, Start::Keep);
        if !whole && keep {
            for r in 0..R {
                std::ptr::copy_nonoverlapping(c.add(r * job.ldc), out.add(r * stride), columns);
            }
        }
        let mut sums = [[[T::splat(0.0); V]; P]; R];
        if keep {
            for r in 0..R {
                for i in 0..P * V {
                    sums[r][i / V][i % V] = T::load(out.add(r * stride + i * T::LANES));
                }
            }
        } else if let Start::Bias(bias) = job.start {
            let mut padded = [0.0f32; 128];
            let bias = bias.as_ptr().add(panel * width);
            std::ptr::copy_nonoverlapping(bias, padded.as_mut_ptr(), columns);
            for i in 0..P * V {
                let v = T::load(padded.as_ptr().add(i * T::LANES));
                for r in 0..R {
                    sums[r][i / V][i % V] = v;
                }
            }
        }
        // While this tile is computed, the next one's part of C comes near.
        let next = if t + 1 < block.tiles {
            c.wrapping_add(R * job.ldc)
        } else {
            job.c.wrapping_add(block.at * job.ldc + (panel + P) * width)
        };
        for r in 0..R {
            for i in (0..P * width).step_by(super::pack::LINE) {
                T::prefetch(next.wrapping_add(r * job.ldc + i));
            }
        }
        // So does its share of the next panel of B.
        let share = (P * width).div_ceil(block.tiles);
        let next = b[0].wrapping_add(P * job.b.k() * width + t * share * block.depth);
        for p in 0..block.depth {
            if P == 1 && block.tiles > 1 {
                T::prefetch_far(next.wrapping_add(p * share));
            }
            let a = a.add(p * column);
            let mut right = [[T::splat(0.0); V]; P];
            for i in 0..P {
                for v in 0..V {
                    right[i][v] = T::load(b[i].add(p * width + v * T::LANES));
                }
            }
            for r in 0..R {
                let left = T::splat(*a.add(r * row));
                for i in 0..P {
                    for v in 0..V {
                        sums[r][i][v] = sums[r][i][v].add_product(left, right[i][v]);
                    }
                }
            }
        }
        for r in 0..R {
            for i in 0..P * V {
                sums[r][i / V][i % V].store(out.add(r * stride + i * T::LANES));
            }
        }
        if !whole {
            for r in 0..R {
                std::ptr::copy_nonoverlapping(out.add(r * stride), c.add(r * job.ldc), columns);
            }
        }
    }
}

impl Vector for [f32; 8] {
    const LANES: usize = 8;
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: promised by the caller.
        unsafe { p.cast::<[f32; 8]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        [x; 8]
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: promised by the caller.
        unsafe { p.cast::<[f32; 8]>().write_unaligned(self) }
    }
    /// Two roundings here: fused ones are slow where the processor has none.
    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] + a[i] * b[i])
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Job, Vector, blocks};

    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn avx512(job: &Job<'_>) {
        // SAFETY: promised by the caller.
        unsafe { blocks::<__m512, 2, 12>(job) }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn avx2(job: &Job<'_>) {
        // SAFETY: promised by the caller.
        unsafe { blocks::<__m256, 2, 6>(job) }
    }

    macro_rules! vector {
        ($type:ty, $lanes:literal, $load:ident, $set:ident, $store:ident, $fma:ident) => {
            impl Vector for $type {
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn load(p: *const f32) -> Self {
                    // SAFETY: promised by the caller.
                    unsafe { $load(p) }
                }
                #[inline(always)]
                fn prefetch(p: *const f32) {
                    // SAFETY: prefetching never faults.
                    unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
                }
                #[inline(always)]
                fn prefetch_far(p: *const f32) {
                    // SAFETY: as above.
                    unsafe { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
                }
                #[inline(always)]
                unsafe fn splat(x: f32) -> Self {
                    // SAFETY: only called where the instructions exist.
                    unsafe { $set(x) }
                }
                #[inline(always)]
                unsafe fn store(self, p: *mut f32) {
                    // SAFETY: promised by the caller.
                    unsafe { $store(p, self) }
                }
                #[inline(always)]
                unsafe fn add_product(self, a: Self, b: Self) -> Self {
                    // SAFETY: only called where the instructions exist.
                    unsafe { $fma(a, b, self) }
                }
            }
        };
    }
    vector!(__m512, 16, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps, _mm512_fmadd_ps);
    vector!(__m256, 8, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm256_fmadd_ps);
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::{Job, Vector, blocks};

    pub(super) unsafe fn neon(job: &Job<'_>) {
        // SAFETY: promised by the caller.
        unsafe { blocks::<float32x4_t, 4, 6>(job) }
    }

    impl Vector for float32x4_t {
        const LANES: usize = 4;
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            // SAFETY: promised by the caller.
            unsafe { vld1q_f32(p) }
        }
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: NEON is part of aarch64.
            unsafe { vdupq_n_f32(x) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: promised by the caller.
            unsafe { vst1q_f32(p, self) }
        }
        #[inline(always)]
        unsafe fn add_product(self, a: Self, b: Self) -> Self {
            // SAFETY: NEON is part of aarch64.
            unsafe { vfmaq_f32(self, a, b) }
        }
    }
}

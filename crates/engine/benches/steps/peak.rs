//! What the machine can do at most: multiply-adds held in registers, and bytes read and copied.

use std::hint::black_box;

use rayon::prelude::*;
use strait_engine::simd::{self, Level};

use crate::report::{Report, measure};

/// Multiply-adds a lane makes in one call.
const ROUNDS: usize = 2_000_000;
/// Independent sums: enough to hide the latency of the addition.
const CHAINS: usize = 12;
/// Floats read or copied: far more than the caches hold.
const FLOATS: usize = 64 << 20;

pub fn run(report: &mut Report) {
    let all = rayon::current_num_threads();
    for threads in if all > 1 { vec![1, all] } else { vec![1] } {
        let t = measure(9, 2, || {
            (0..threads).into_par_iter().for_each(|_| {
                black_box(spin(black_box(0.999)));
            });
        });
        let flop = 2 * threads * ROUNDS * CHAINS * lanes();
        report.figure(&format!("peak, {threads} threads"), flop as f64 / t.min / 1e9, "GFLOP/s");
    }
    let source = vec![1.0f32; FLOATS];
    let mut target = vec![0.0f32; FLOATS];
    let part = FLOATS / all;
    let read = measure(7, 1, || {
        black_box(source.par_chunks(part).map(sum).sum::<f32>());
    });
    report.figure("bandwidth, reading", 4.0 * FLOATS as f64 / read.min / 1e9, "GB/s");
    let copy = measure(7, 1, || {
        target.par_chunks_mut(part).zip(source.par_chunks(part)).for_each(|(t, s)| t.copy_from_slice(s));
    });
    report.figure("bandwidth, copying (read + written)", 8.0 * FLOATS as f64 / copy.min / 1e9, "GB/s");
    let add = measure(7, 1, || {
        target.par_chunks_mut(part).zip(source.par_chunks(part)).for_each(|(t, s)| {
            t.iter_mut().zip(s).for_each(|(t, s)| *t += s);
        });
    });
    report.figure("bandwidth, adding (2 read, 1 written)", 12.0 * FLOATS as f64 / add.min / 1e9, "GB/s");
}

fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 64];
    for c in x.as_chunks::<64>().0 {
        for j in 0..64 {
            lanes[j] += c[j];
        }
    }
    lanes.iter().sum()
}

fn lanes() -> usize {
    match simd::level() {
        Level::Avx512 => 16,
        Level::Avx2 => 8,
        Level::Neon | Level::Portable => 4,
    }
}

fn spin(x: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    match simd::level() {
        // SAFETY: the level was found on this processor.
        Level::Avx512 => return unsafe { x86::avx512(x) },
        // SAFETY: as above.
        Level::Avx2 => return unsafe { x86::avx2(x) },
        _ => {}
    }
    let mut sums = [[x; 4]; CHAINS];
    for _ in 0..ROUNDS {
        sums.iter_mut().for_each(|s| s.iter_mut().for_each(|s| *s = *s * x + x));
    }
    sums.iter().flatten().sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{CHAINS, ROUNDS};

    #[target_feature(enable = "avx512f")]
    pub fn avx512(x: f32) -> f32 {
        let v = _mm512_set1_ps(x);
        let mut sums = [v; CHAINS];
        for _ in 0..ROUNDS {
            for j in 0..CHAINS {
                sums[j] = _mm512_fmadd_ps(sums[j], v, v);
            }
        }
        sums.iter().map(|&s| _mm512_reduce_add_ps(s)).sum()
    }

    #[target_feature(enable = "avx2,fma")]
    pub fn avx2(x: f32) -> f32 {
        let v = _mm256_set1_ps(x);
        let mut sums = [v; CHAINS];
        for _ in 0..ROUNDS {
            for j in 0..CHAINS {
                sums[j] = _mm256_fmadd_ps(sums[j], v, v);
            }
        }
        sums.iter().map(|&s| _mm_cvtss_f32(_mm256_castps256_ps128(s))).sum()
    }
}

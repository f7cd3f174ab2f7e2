//! SIMD chosen at run time, and the elementary functions that vectorise.
//!
//! `multiversion!` compiles one body for every instruction set and calls the best that the processor has. The
//! bodies are plain loops; since no compiler may contract or reorder floating-point sums, they give the same bits in
//! each version. Functions here are branch-free so that loops over them vectorise, and pass NaN on.

use std::sync::OnceLock;

/// The instruction sets that kernels are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// x86-64 with AVX-512 F, BW, DQ, VL.
    Avx512,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// ARM's, always there on aarch64.
    Neon,
    /// Whatever the compiler assumes.
    Portable,
}

impl Level {
    /// Its name in messages and benchmarks.
    pub fn name(self) -> &'static str {
        match self {
            Level::Avx512 => "avx512",
            Level::Avx2 => "avx2",
            Level::Neon => "neon",
            Level::Portable => "portable",
        }
    }
}

/// The best level of this processor, or a lower one named by the environment variable `STRAIT_SIMD`
/// (`avx512`, `avx2`, `portable`), for tests and comparisons.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let wanted = std::env::var("STRAIT_SIMD").unwrap_or_default();
        available().iter().copied().find(|l| wanted.is_empty() || l.name() == wanted).unwrap_or(Level::Portable)
    })
}

/// The levels that this processor can run, best first.
pub fn available() -> &'static [Level] {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match (avx512 && avx2, avx2) {
            (true, _) => &[Level::Avx512, Level::Avx2, Level::Portable],
            (_, true) => &[Level::Avx2, Level::Portable],
            _ => &[Level::Portable],
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        &[Level::Neon, Level::Portable]
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        &[Level::Portable]
    }
}

/// Compiles a function for each instruction set and dispatches to the best: `fn name(args) -> ret { body }`.
macro_rules! multiversion {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) -> $ret {
            #[inline(always)]
            fn plain($($arg: $ty),*) -> $ret $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512($($arg: $ty),*) -> $ret {
                    plain($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) -> $ret {
                    plain($($arg),*)
                }
                match $crate::simd::level() {
                    // SAFETY: `level` found the features on this processor.
                    $crate::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    _ => {}
                }
            }
            plain($($arg),*)
        }
    };
}
pub(crate) use multiversion;

/// `e^x`, relative error below 2e-7; arguments beyond about ±88 are held there (so it never overflows).
///
/// `x = n ln 2 + r`, a polynomial in r (Cephes' coefficients), scaled by 2^n through the exponent bits.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // 1.5 * 2^23: adding it rounds to an integer that then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > 88.37 { 88.37 } else { x };
    let x = if x < -87.33 { -87.33 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let value = p * r * r + r + 1.0;
    value * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// The hyperbolic tangent, absolute error below 3e-7: a minimax rational function of odd degree 13 over even degree
/// 6 (the coefficients of the Eigen library), exact sign and zero.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let x = if x > 7.905 { 7.905 } else { x };
    let x = if x < -7.905 { -7.905 } else { x };
    let s = x * x;
    let mut p = -2.760_768_5e-16;
    p = p * s + 2.000_188e-13;
    p = p * s - 8.604_672e-11;
    p = p * s + 5.122_297e-8;
    p = p * s + 1.485_722_4e-5;
    p = p * s + 6.372_619_4e-4;
    p = p * s + 4.893_524_6e-3;
    let mut q = 1.198_258_4e-6;
    q = q * s + 1.185_347_1e-4;
    q = q * s + 2.268_434_7e-3;
    q = q * s + 4.893_525e-3;
    x * p / q
}

/// `1 / (1 + e^-x)` as `(1 + tanh(x / 2)) / 2`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    0.5 + 0.5 * tanh(0.5 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_match_the_standard_library() {
        for i in -200_000..=200_000 {
            let x = i as f32 * 4.4e-4;
            let (e, t) = ((x as f64).exp(), (x as f64).tanh());
            if x > -87.0 {
                assert!(((exp(x) as f64 - e) / e).abs() < 3e-7, "exp({x}) = {} not {e}", exp(x));
            }
            assert!((tanh(x) as f64 - t).abs() < 4e-7, "tanh({x}) = {} not {t}", tanh(x));
            let s = 1.0 / (1.0 + (-x as f64).exp());
            assert!((sigmoid(x) as f64 - s).abs() < 3e-7, "sigmoid({x})");
        }
    }

    #[test]
    fn extremes() {
        assert!(exp(f32::NEG_INFINITY) < 1.3e-38 && exp(1e9) > 2e38 && exp(0.0) == 1.0);
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert_eq!((tanh(0.0), sigmoid(0.0)), (0.0, 0.5));
        assert!((tanh(f32::INFINITY) - 1.0).abs() < 4e-7 && tanh(f32::NEG_INFINITY) <= -1.0 + 4e-7);
    }
}

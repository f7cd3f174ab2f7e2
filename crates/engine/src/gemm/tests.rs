//! Against the plain twin: every start and finish, both layouts, odd shapes, all levels, row independence.

use super::*;
use crate::{ops::testing::numbers, simd::Level};

fn close(got: &[f32], expected: &[f64], k: usize) {
    for (i, (&g, &e)) in got.iter().zip(expected).enumerate() {
        assert!((g as f64 - e).abs() < 1e-6 * (k as f64 + 4.0), "element {i}: {g} not {e}");
    }
}

#[test]
fn odd_shapes_in_all_layouts() {
    let shapes =
        [(1, 1, 1), (1, 70, 300), (2, 5, 65), (3, 33, 100), (4, 7, 31), (13, 600, 33), (64, 20, 130), (200, 1030, 40)];
    for (m, k, n) in shapes {
        let (x, w) = (numbers(m * k, 1), numbers(k * n, 2));
        for columns in [false, true] {
            for transposed in [false, true] {
                let a = |i: usize, p: usize| if columns { x[p * m + i] } else { x[i * k + p] };
                let b = |p: usize, j: usize| if transposed { w[j * k + p] } else { w[p * n + j] };
                let mut pack = Packed::default();
                pack.pack(&w, if transposed { k } else { n }, k, n, transposed);
                let mut c = vec![f32::NAN; m * n];
                let left = if columns { A::columns(&x, m) } else { A::rows(&x, k) };
                gemm(m, left, &pack, &mut c, n, Start::Zero, Finish::None);
                let mut expected = reference((m, k, n), a, b);
                close(&c, &expected, k);
                gemm(m, left, &pack, &mut c, n, Start::Keep, Finish::None);
                expected.iter_mut().for_each(|e| *e *= 2.0);
                close(&c, &expected, 2 * k);
            }
        }
    }
}

#[test]
fn bias_stride_and_finish() {
    let (m, k, n, ldc) = (9, 12, 37, 50);
    let (x, w, bias) = (numbers(m * k, 3), numbers(k * n, 4), numbers(n, 5));
    let mut pack = Packed::default();
    pack.pack(&w, n, k, n, false);
    let plain = reference((m, k, n), |i, p| x[i * k + p], |p, j| w[p * n + j]);
    for finish in [Finish::None, Finish::Relu, Finish::Tanh, Finish::Sigmoid] {
        let mut c = vec![7.0; m * ldc];
        gemm(m, A::rows(&x, k), &pack, &mut c, ldc, Start::Bias(&bias), finish);
        for i in 0..m {
            for j in 0..ldc {
                let expected = if j < n {
                    let y = plain[i * n + j] + bias[j] as f64;
                    match finish {
                        Finish::None => y,
                        Finish::Relu => y.max(0.0),
                        Finish::Tanh => y.tanh(),
                        Finish::Sigmoid => 1.0 / (1.0 + (-y).exp()),
                    }
                } else {
                    7.0
                };
                assert!((c[i * ldc + j] as f64 - expected).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_others() {
    let (m, k, n) = (77, 1100, 150);
    let (x, w) = (numbers(m * k, 6), numbers(k * n, 7));
    let mut pack = Packed::default();
    pack.pack(&w, k, k, n, true);
    let mut all = vec![0.0; m * n];
    gemm(m, A::rows(&x, k), &pack, &mut all, n, Start::Zero, Finish::None);
    for rows in [1, 2, 3, 5, 12, 13, 30] {
        let mut some = vec![0.0; rows * n];
        gemm(rows, A::rows(&x, k), &pack, &mut some, n, Start::Zero, Finish::None);
        assert_eq!(some, all[..rows * n], "{rows} rows");
    }
}

#[test]
fn every_level_of_this_processor() {
    // `Packed` lays panels out for the best level, whose width the others may not share: compare those that do.
    let (m, k, n) = (23, 45, 64);
    let (x, w) = (numbers(m * k, 8), numbers(k * n, 9));
    let mut pack = Packed::default();
    pack.pack(&w, n, k, n, false);
    let expected = reference((m, k, n), |i, p| x[i * k + p], |p, j| w[p * n + j]);
    for &level in simd::available().iter().filter(|&&l| kernel::width(l) == kernel::width(simd::level())) {
        let mut c = vec![0.0f32; m * n];
        let (a, end) = (A::rows(&x, k), pack.panels());
        let job = kernel::Job { m, a, b: &pack, first: 0, end, c: c.as_mut_ptr(), ldc: n, start: Start::Zero };
        // SAFETY: C holds m * n floats, and the level is available.
        unsafe { kernel::run(level, &job) };
        close(&c, &expected, k);
    }
    assert!(simd::available().contains(&Level::Portable));
}

#[test]
fn nothing_to_sum() {
    let mut pack = Packed::default();
    pack.pack(&[], 3, 0, 3, false);
    let mut c = [9.0; 6];
    gemm(2, A::rows(&[], 0), &pack, &mut c, 3, Start::Bias(&[1.0, 2.0, 3.0]), Finish::None);
    assert_eq!(c, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    gemm(0, A::rows(&[], 0), &pack, &mut [], 3, Start::Zero, Finish::None);
}

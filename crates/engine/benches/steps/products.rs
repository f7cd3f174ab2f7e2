//! Matrix products at the shapes of the workloads: ours, the `gemm` crate and the plain twin, taking turns.

use std::hint::black_box;

use gemm::Parallelism;
use strait_engine::{
    gemm::{self as ours, A, Finish, Packed, Start},
    simd,
};

use crate::report::{Report, alternate};

/// C (m, n) = A (m, k) B (k, n), in the layout in which a layer meets it.
struct Shape {
    name: &'static str,
    m: usize,
    k: usize,
    n: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `x W^T`, W (n, k): B is packed once a step, before.
    Forward,
    /// `dy W`, W (k, n): the same.
    Backward,
    /// `dW += dy^T x`: A by columns; B = x is new each time, so its packing counts.
    Weight,
}

const SHAPES: [Shape; 8] = [
    Shape { name: "LSTM step, 64 rows", m: 64, k: 512, n: 2048, kind: Kind::Forward },
    Shape { name: "LSTM step back, 64 rows", m: 64, k: 2048, n: 512, kind: Kind::Backward },
    Shape { name: "logits", m: 1280, k: 512, n: 10_000, kind: Kind::Forward },
    Shape { name: "dx of the logits", m: 1280, k: 10_000, n: 512, kind: Kind::Backward },
    Shape { name: "dW of a recurrent weight", m: 2048, k: 1280, n: 512, kind: Kind::Weight },
    Shape { name: "LSTM step, 1 row", m: 1, k: 512, n: 2048, kind: Kind::Forward },
    Shape { name: "logits, 1 row", m: 1, k: 512, n: 10_000, kind: Kind::Forward },
    Shape { name: "feed-forward, 64 rows", m: 64, k: 256, n: 1024, kind: Kind::Forward },
];

/// Multiply-adds that the plain twin is given: it is timed on fewer rows.
const PLAIN_WORK: usize = 30_000_000;

pub fn run(report: &mut Report, rounds: usize) {
    report.say("\nm x k x n                         GFLOP/s: ours   gemm crate   plain twin");
    for shape in &SHAPES {
        product(report, shape, rounds);
    }
}

fn numbers(n: usize) -> Vec<f32> {
    (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn product(report: &mut Report, shape: &Shape, rounds: usize) {
    let &Shape { name, m, k, n, kind } = shape;
    let (x, w) = (numbers(m * k), numbers(k * n));
    let mut pack = Packed::default();
    let stride = if kind == Kind::Forward { k } else { n };
    let mut c = vec![0.0f32; m * n];
    let mut d = c.clone();
    pack.pack(&w, stride, k, n, kind == Kind::Forward);
    let mut ours = || {
        if kind == Kind::Weight {
            pack.pack(&w, n, k, n, false);
            ours::gemm(m, A::columns(&x, m), &pack, &mut c, n, Start::Keep, Finish::None);
        } else {
            ours::gemm(m, A::rows(&x, k), &pack, &mut c, n, Start::Zero, Finish::None);
        }
    };
    let mut other = || gemm_crate(shape, &x, &w, &mut d);
    let rows = (PLAIN_WORK / (k * n)).clamp(1, m);
    let mut plain = || {
        let a = |i: usize, p: usize| if kind == Kind::Weight { x[p * m + i] } else { x[i * k + p] };
        let b = |p: usize, j: usize| if kind == Kind::Forward { w[j * k + p] } else { w[p * n + j] };
        black_box(ours::reference((rows, k, n), a, b));
    };
    let t = alternate(rounds, 0.001, &mut [&mut ours, &mut other]);
    let slow = alternate(1, 0.0, &mut [&mut plain]);
    let flop = 2.0 * (m * k * n) as f64 / 1e9;
    let [a, b, p] = [flop / t[0].median, flop / t[1].median, flop * rows as f64 / m as f64 / slow[0].median];
    report.say(&format!(
        "{:18} {name:26} {a:7.1} ({:.1}-{:.1})  {b:7.1} ({:.1}-{:.1})  {p:7.2}   {:.2}x",
        format!("{m}x{k}x{n}"),
        flop / t[0].max,
        flop / t[0].min,
        flop / t[1].max,
        flop / t[1].min,
        a / b
    ));
    let level = simd::level().name();
    for (library, t) in [("ours", t[0]), ("gemm crate", t[1])] {
        report.row(&format!(
            r#"{{"name":"{m}x{k}x{n}","what":"{name}","library":"{library}","simd":"{level}","gflops":{:.2},"gflops_min":{:.2},"gflops_max":{:.2}}}"#,
            flop / t.median, flop / t.max, flop / t.min
        ));
    }
}

/// The same product by the `gemm` crate, on the operands as a layer holds them.
fn gemm_crate(shape: &Shape, x: &[f32], w: &[f32], c: &mut [f32]) {
    let &Shape { m, k, n, kind, .. } = shape;
    let (x_column, x_row) = if kind == Kind::Weight { (m, 1) } else { (1, k) };
    let (w_column, w_row) = if kind == Kind::Forward { (k, 1) } else { (1, n) };
    let keep = kind == Kind::Weight;
    // SAFETY: the strides describe x (m, k), w (k, n) and c (m, n).
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            keep,
            x.as_ptr(),
            x_column as isize,
            x_row as isize,
            w.as_ptr(),
            w_column as isize,
            w_row as isize,
            if keep { 1.0 } else { 0.0 },
            1.0,
            false,
            false,
            false,
            Parallelism::Rayon(rayon::current_num_threads()),
        );
    }
}

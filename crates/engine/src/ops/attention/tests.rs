//! Gradients of self, causal and cross attention, against the plain twin, over thread counts; limit cases.

use super::*;
use crate::{
    Params,
    ops::testing::{check_gradients, numbers, weighted_sum},
};

#[test]
fn gradients_within_sequences() {
    let packing = Arc::new(Packing::new(&[4, 2, 1]));
    let x = numbers(7 * 12, 1);
    for causal in [false, true] {
        check_gradients(&mut Params::new(), &[(&x, (7, 12))], &|t, _, v| {
            let y = t.attention(Columns::thirds(v[0], 4), &Attention::within(&packing, 4, 2, causal));
            // All of x, then one matrix as q, k and v alike, and a part of a wider one.
            let z = t.attention([v[0].into(); 3], &Attention::within(&packing, 12, 3, causal));
            let qkv = [4, 0, 4].map(|at| Columns { of: v[0], at });
            let part = t.attention(qkv, &Attention::within(&packing, 4, 1, causal));
            let all = t.concat(&[y, z, part]);
            weighted_sum(t, all);
        });
    }
}

#[test]
fn gradients_across_sequences() {
    let (queries, memory) = (Arc::new(Packing::new(&[3, 2])), Arc::new(Packing::new(&[5, 1])));
    let (q, k, v) = (numbers(20, 1), numbers(24, 2), numbers(24, 3));
    for sequences in [None, Some(&[1, 0][..])] {
        let cross = Attention { width: 4, heads: 2, causal: false, queries: &queries, memory: &memory, sequences };
        let inputs = [(&q[..], (5, 4)), (&k[..], (6, 4)), (&v[..], (6, 4))];
        check_gradients(&mut Params::new(), &inputs, &|t, _, v| {
            let y = t.attention([v[0].into(), v[1].into(), v[2].into()], &cross);
            weighted_sum(t, y);
        });
    }
}

/// Longer than a block of queries, and with odd sizes; forward against the twin, gradients by their sum over a
/// direction (finite differences of every element would take long).
#[test]
fn long_sequences_match_the_plain_twin() {
    let (heads, d) = (2, 24);
    let width = heads * d;
    let packing = Arc::new(Packing::new(&[150, 65, 64, 3]));
    let n = packing.rows();
    let (x, direction) = (numbers(n * 3 * width, 5), numbers(n * 3 * width, 6));
    for causal in [false, true] {
        let attention = Attention::within(&packing, width, heads, causal);
        let run = |x: &[f32]| {
            let mut t = Tape::new();
            let v = t.variable(x, (n, 3 * width));
            let y = t.attention(Columns::thirds(v, width), &attention);
            weighted_sum(&mut t, y);
            (t, v, y)
        };
        let (mut t, v, y) = run(&x);
        for b in 0..packing.batch() {
            for head in 0..heads {
                let rows = |part: usize| -> Vec<Vec<f64>> {
                    let of = |i: usize| &x[packing.row(b, i) * 3 * width + part * width + head * d..][..d];
                    (0..packing.lengths()[b]).map(|i| of(i).iter().map(|&x| x as f64).collect()).collect()
                };
                for (i, row) in reference(&rows(0), &rows(1), &rows(2), causal).iter().enumerate() {
                    let got = &t.value(y)[packing.row(b, i) * width + head * d..][..d];
                    assert!(got.iter().zip(row).all(|(&g, r)| (g as f64 - r).abs() < 1e-5), "{b} {head} {i}");
                }
            }
        }
        let h = 2e-3;
        let moved = |by: f32| run(&x.iter().zip(&direction).map(|(x, d)| x + by * d).collect::<Vec<_>>()).0.loss();
        let numeric = (moved(h) - moved(-h)) / (2.0 * h as f64);
        t.backward(&mut Params::new()).unwrap();
        let analytic: f64 = t.grad(v).iter().zip(&direction).map(|(&g, &d)| g as f64 * d as f64).sum();
        assert!((numeric - analytic).abs() < 2e-3 * (1.0 + analytic.abs()), "{numeric} {analytic}");
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let packing = Arc::new(Packing::new(&[40, 33, 33, 20, 7, 1]));
    let x = numbers(packing.rows() * 3 * 64, 2);
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut t = Tape::new();
            let v = t.variable(&x, (packing.rows(), 192));
            let y = t.attention(Columns::thirds(v, 64), &Attention::within(&packing, 64, 4, true));
            weighted_sum(&mut t, y);
            let out = t.value(y).to_vec();
            t.backward(&mut Params::new()).unwrap();
            (out, t.grad(v).to_vec())
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
}

#[test]
fn single_steps_equal_the_sequence_layer() {
    let (width, heads) = (12, 3);
    let packing = Arc::new(Packing::new(&[6, 6, 6]));
    let x = numbers(18 * 3 * width, 4);
    let mut t = Tape::inference();
    let v = t.input(&x, (18, 3 * width));
    let causal = t.attention(Columns::thirds(v, width), &Attention::within(&packing, width, heads, true));
    let all = t.attention(Columns::thirds(v, width), &Attention::within(&packing, width, heads, false));
    let column = |rows: std::ops::Range<usize>, part: usize| -> Vec<f32> {
        rows.flat_map(|r| x[(r * 3 + part) * width..][..width].to_vec()).collect()
    };
    let near = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let scores = Scores::Product { heads };
    let mut memory = Memory::new(scores, &packing, &column(0..18, 1), &column(0..18, 2), &[0, 1, 2]);
    let mut cache = Cache::new(width, heads, 3);
    let mut y = vec![0.0; 3 * width];
    for step in 0..6 {
        let rows = packing.offset(step)..packing.offset(step) + 3;
        let q = column(rows.clone(), 0);
        cache.push(&column(rows.clone(), 1), &column(rows.clone(), 2));
        cache.attend(&q, &mut y);
        assert!(near(&y, &t.value(causal)[rows.start * width..rows.end * width]));
        memory.attend(&Params::new(), &q, &mut y);
        assert!(near(&y, &t.value(all)[rows.start * width..rows.end * width]));
    }
    assert!((memory.weights(1).iter().sum::<f32>() - 1.0).abs() < 1e-5 && memory.weights(1).len() == 6);
    // Rows may be dropped, doubled and put in another order.
    cache.select(&[2, 0]);
    let q = column(15..18, 0);
    let chosen = [&q[2 * width..], &q[..width]].concat();
    cache.attend(&chosen, &mut y[..2 * width]);
    assert!(near(&y[..width], &t.value(causal)[17 * width..]));
}

#[test]
fn by_hand() {
    let packing = Arc::new(Packing::new(&[2]));
    let mut t = Tape::inference();
    // Equal scores: the mean of what is seen.
    let (zero, v) = (t.input(&[0.0; 4], (2, 2)), t.input(&[1.0, 10.0, 3.0, 30.0], (2, 2)));
    let all = t.attention([zero.into(), zero.into(), v.into()], &Attention::within(&packing, 2, 1, false));
    assert_eq!(t.value(all), [2.0, 20.0, 2.0, 20.0]);
    let causal = t.attention([zero.into(), zero.into(), v.into()], &Attention::within(&packing, 2, 2, true));
    assert_eq!(t.value(causal), [1.0, 10.0, 2.0, 20.0]);
    // A score far above the others: its value alone.
    let k = t.input(&[0.0, 0.0, 1e3, 0.0], (2, 2));
    let q = t.input(&[1.0, 0.0, -1.0, 0.0], (2, 2));
    let sharp = t.attention([q.into(), k.into(), v.into()], &Attention::within(&packing, 2, 1, false));
    assert_eq!(t.value(sharp), [3.0, 30.0, 1.0, 10.0]);
}

#[test]
#[should_panic(expected = "share a memory")]
fn a_shared_memory_has_no_gradient() {
    let (queries, memory) = (Arc::new(Packing::new(&[1, 1])), Arc::new(Packing::new(&[1, 1])));
    let mut t = Tape::new();
    let (q, m) = (t.variable(&[0.0; 2], (2, 1)), t.variable(&[0.0; 2], (2, 1)));
    let sequences = Some(&[1, 1][..]);
    let cross = Attention { width: 1, heads: 1, causal: false, queries: &queries, memory: &memory, sequences };
    t.attention([q.into(), m.into(), m.into()], &cross);
}

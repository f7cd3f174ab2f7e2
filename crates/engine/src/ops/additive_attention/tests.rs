//! Gradients with and without coverage, against the plain twin, over thread counts; a case by hand.

use super::*;
use crate::ops::testing::{check_gradients, numbers, params, weighted_sum};

/// Queries of three sequences over memories that lie in another order.
fn packings() -> (Arc<Packing>, Arc<Packing>, [u32; 3]) {
    (Arc::new(Packing::new(&[4, 2, 1])), Arc::new(Packing::new(&[5, 3, 2])), [1, 0, 2])
}

#[test]
fn gradients() {
    let (queries, memory, sequences) = packings();
    let (q, k, m) = (numbers(7 * 3, 1), numbers(10 * 3, 2), numbers(10 * 2, 3));
    for covers in [false, true] {
        let (mut p, ids) = params(if covers { &[(1, 3), (1, 3)] } else { &[(1, 3)] });
        let attention = AdditiveAttention {
            score: ids[0],
            coverage: ids.get(1).copied(),
            queries: &queries,
            memory: &memory,
            sequences: &sequences,
        };
        check_gradients(&mut p, &[(&q, (7, 3)), (&k, (10, 3)), (&m, (10, 2))], &|t, p, v| {
            let y = t.additive_attention(p, [v[0], v[1], v[2]], &attention);
            weighted_sum(t, y);
        });
    }
}

#[test]
fn matches_the_plain_twin_on_any_number_of_threads() {
    let queries = Arc::new(Packing::new(&[30, 22, 22, 9, 1]));
    let memory = Arc::new(Packing::new(&[41, 30, 12, 12, 2]));
    let (width, depth) = (37, 20);
    let sequences = [3, 0, 4, 1, 2];
    let (n, rows) = (queries.rows(), memory.rows());
    let [q, k, m] = [(n * width, 1), (rows * width, 2), (rows * depth, 3)].map(|(n, seed)| numbers(n, seed));
    let (mut p, ids) = params(&[(1, width), (1, width)]);
    let attention = AdditiveAttention {
        score: ids[0],
        coverage: Some(ids[1]),
        queries: &queries,
        memory: &memory,
        sequences: &sequences,
    };
    let mut run = |threads: usize| {
        p.zero_grads();
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut t = Tape::new();
            let v = [t.variable(&q, (n, width)), t.variable(&k, (rows, width)), t.variable(&m, (rows, depth))];
            let y = t.additive_attention(&p, v, &attention);
            weighted_sum(&mut t, y);
            let mut out = vec![t.value(y).to_vec()];
            t.backward(&mut p).unwrap();
            out.extend(v.iter().map(|&v| t.grad(v).to_vec()));
            out.extend(ids.iter().map(|&id| p.get(id).grad().to_vec()));
            out
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
    let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
    let (v, w) = (wide(p.value(ids[0])), wide(p.value(ids[1])));
    for (b, &s) in sequences.iter().enumerate() {
        let s = s as usize;
        let list = |x: &[f32], columns: usize, packing: &Packing, b: usize| -> Vec<Vec<f64>> {
            let of = |t: usize| wide(&x[packing.row(b, t) * columns..][..columns]);
            (0..packing.lengths()[b]).map(of).collect()
        };
        let (q, k, m) = (list(&q, width, &queries, b), list(&k, width, &memory, s), list(&m, depth, &memory, s));
        for (i, row) in reference([&q, &k, &m], &v, Some(&w)).iter().enumerate() {
            let got = &one[0][queries.row(b, i) * depth..][..depth];
            assert!(got.iter().zip(row).all(|(&g, r)| (f64::from(g) - r).abs() < 1e-5), "{b} {i}");
        }
    }
}

#[test]
fn by_hand() {
    let (queries, memory) = (Arc::new(Packing::new(&[2])), Arc::new(Packing::new(&[2])));
    let mut p = Params::new();
    let v = p.add("v", (1, 1), vec![50.0]);
    let w = p.add("w", (1, 1), vec![-100.0]);
    let mut t = Tape::inference();
    let (q, k) = (t.input(&[0.0, 0.0], (2, 1)), t.input(&[0.5, 0.0], (2, 1)));
    let m = t.input(&[1.0, 3.0], (2, 1));
    let mut attention =
        AdditiveAttention { score: v, coverage: None, queries: &queries, memory: &memory, sequences: &[0] };
    // tanh(0.5) is far above tanh(0): the first value alone, twice.
    let y = t.additive_attention(&p, [q, k, m], &attention);
    assert!(t.value(y).iter().all(|y| (y - 1.0).abs() < 1e-4), "{:?}", t.value(y));
    // What has been seen is pushed away: then the second.
    attention.coverage = Some(w);
    let y = t.additive_attention(&p, [q, k, m], &attention);
    assert!((t.value(y)[0] - 1.0).abs() < 1e-4 && (t.value(y)[1] - 3.0).abs() < 1e-4, "{:?}", t.value(y));
}

#[test]
#[should_panic(expected = "share a memory")]
fn a_shared_memory_has_no_gradient() {
    let (mut t, (p, ids)) = (Tape::new(), params(&[(1, 1)]));
    let packing = Arc::new(Packing::new(&[1, 1]));
    let [q, k, m] = [0.1, 0.2, 0.3].map(|x| t.variable(&[x; 2], (2, 1)));
    let attention =
        AdditiveAttention { score: ids[0], coverage: None, queries: &packing, memory: &packing, sequences: &[1, 1] };
    t.additive_attention(&p, [q, k, m], &attention);
}

#[test]
fn single_steps_equal_the_sequence_layer() {
    use crate::ops::attention::{Memory, Scores};
    let (queries, memory) = (Arc::new(Packing::new(&[3, 3])), Arc::new(Packing::new(&[4, 2])));
    let (q, k, m) = (numbers(6 * 5, 1), numbers(6 * 5, 2), numbers(6 * 3, 3));
    let (p, ids) = params(&[(1, 5), (1, 5)]);
    let (score, coverage) = (ids[0], Some(ids[1]));
    let mut t = Tape::inference();
    let v = [t.input(&q, (6, 5)), t.input(&k, (6, 5)), t.input(&m, (6, 3))];
    let attention = AdditiveAttention { score, coverage, queries: &queries, memory: &memory, sequences: &[1, 0] };
    let whole = t.additive_attention(&p, v, &attention);
    let mut steps = Memory::new(Scores::Additive { score, coverage }, &memory, &k, &m, &[1, 0]);
    let mut y = vec![0.0; 6];
    for step in 0..3 {
        steps.attend(&p, &q[step * 10..][..10], &mut y);
        let expected = &t.value(whole)[step * 6..][..6];
        assert!(y.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{y:?} {expected:?}");
    }
    assert_eq!((steps.weights(0).len(), steps.weights(1).len()), (2, 4));
}

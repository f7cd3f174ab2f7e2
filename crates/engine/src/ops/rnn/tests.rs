//! Gradients of every cell and direction, against a plain loop, against step-by-step decoding, over thread counts.

use std::sync::Arc;

use super::{run::order, *};
use crate::ops::testing::{check_gradients, numbers, weighted_sum};

const CELLS: [Cell; 4] = [Cell::Tanh, Cell::Relu, Cell::Gru, Cell::Lstm];

fn weights(p: &mut Params, cell: Cell, (d, h, s): (usize, usize, usize), name: &str) -> Weights {
    let gh = cell.gates() * h;
    let mut add = |part: &str, rows: usize, cols: usize, gates: usize| {
        let seed = p.len() as u64 + 7;
        p.add_gated(format!("{name}.{part}"), (rows, cols), gates, numbers(rows * cols, seed))
    };
    Weights {
        input: add("ih", gh, d, 1),
        hidden: add("hh", gh, h, cell.gates()),
        bias: add("b", 1, cell.bias_len(h), 1),
        sequence: (s > 0).then(|| add("s", gh, s, 1)),
    }
}

#[test]
fn gradients_of_every_cell_in_both_directions() {
    for cell in CELLS {
        let packing = Arc::new(Packing::new(&[4, 2, 1]));
        let mut p = Params::new();
        let ahead = weights(&mut p, cell, (3, 2, 2), "ahead");
        let back = weights(&mut p, cell, (3, 2, 2), "back");
        let (x, s, h0, c0) = (numbers(21, 1), numbers(6, 2), numbers(6, 3), numbers(6, 4));
        let inputs = [(&x[..], (7, 3)), (&s[..], (3, 2)), (&h0[..], (3, 2)), (&c0[..], (3, 2))];
        check_gradients(&mut p, &inputs, &|t, p, v| {
            let c0 = (cell == Cell::Lstm).then_some(v[3]);
            let directions = [
                Direction { h0: Some(v[2]), c0, ..Direction::forward(ahead) },
                Direction { h0: Some(v[2]), c0, ..Direction::backward(back) },
            ];
            let y = t.rnn(p, v[0], &packing, &Rnn { cell, directions: &directions, sequence: Some(v[1]) });
            weighted_sum(t, y);
        });
    }
}

/// The plain twin: one sequence, f64, straight from the equations.
fn reference(p: &Params, cell: Cell, w: Weights, x: &[Vec<f64>], s: &[f64]) -> Vec<Vec<f64>> {
    let h = p.shape(w.hidden).1;
    let product = |id: ParamId, row: usize, v: &[f64]| -> f64 {
        let cols = p.shape(id).1;
        p.value(id)[row * cols..][..cols].iter().zip(v).map(|(&a, b)| a as f64 * b).sum()
    };
    let sigmoid = |a: f64| 1.0 / (1.0 + (-a).exp());
    let (mut state, mut c) = (vec![0.0; h], vec![0.0; h]);
    let mut out = Vec::new();
    for x in x {
        let old = state.clone();
        let outer = |g: usize, u: usize| {
            let r = g * h + u;
            product(w.input, r, x) + w.sequence.map_or(0.0, |w| product(w, r, s)) + p.value(w.bias)[r] as f64
        };
        let a = |g: usize, u: usize| outer(g, u) + product(w.hidden, g * h + u, &old);
        for u in 0..h {
            state[u] = match cell {
                Cell::Tanh => a(0, u).tanh(),
                Cell::Relu => a(0, u).max(0.0),
                Cell::Gru => {
                    let inner = product(w.hidden, 2 * h + u, &old) + p.value(w.bias)[3 * h + u] as f64;
                    let n = (outer(2, u) + sigmoid(a(0, u)) * inner).tanh();
                    let z = sigmoid(a(1, u));
                    (1.0 - z) * n + z * old[u]
                }
                Cell::Lstm => {
                    c[u] = sigmoid(a(1, u)) * c[u] + sigmoid(a(0, u)) * a(2, u).tanh();
                    sigmoid(a(3, u)) * c[u].tanh()
                }
            };
        }
        out.push(state.clone());
    }
    out
}

#[test]
fn packed_batches_equal_the_plain_loop_and_single_steps() {
    for cell in CELLS {
        let (d, h, z) = (5, 70, 3);
        let mut p = Params::new();
        let w = weights(&mut p, cell, (d, h, z), "w");
        for id in [w.hidden, w.input] {
            let small: Vec<f32> = p.value(id).iter().map(|x| x * 0.2).collect();
            let (name, shape) = (p.get(id).name().to_string(), p.shape(id));
            p.set(&name, shape, &small).unwrap();
        }
        let packing = Arc::new(Packing::new(&[6, 4, 4, 1]));
        let (x, s) = (numbers(15 * d, 5), numbers(4 * z, 6));
        for reverse in [false, true] {
            let mut t = Tape::inference();
            let (xv, sv) = (t.input(&x, (15, d)), t.input(&s, (4, z)));
            let direction = Direction { reverse, ..Direction::forward(w) };
            let y = t.rnn(&p, xv, &packing, &Rnn { cell, directions: &[direction], sequence: Some(sv) });
            for b in 0..4 {
                let s64: Vec<f64> = s[b * z..][..z].iter().map(|&v| v as f64).collect();
                let visit: Vec<usize> = order(packing.lengths()[b], reverse).collect();
                let row = |t: usize| packing.row(b, t);
                let inputs: Vec<Vec<f64>> =
                    visit.iter().map(|&t| x[row(t) * d..][..d].iter().map(|&v| v as f64).collect()).collect();
                let expected = reference(&p, cell, w, &inputs, &s64);
                let mut alone = State::new(&p, cell, w, vec![0.0; h], Some(&s[b * z..][..z]));
                for (&at, expected) in visit.iter().zip(&expected) {
                    let got = &t.value(y)[row(at) * h..][..h];
                    assert!(got.iter().zip(expected).all(|(&g, e)| (g as f64 - e).abs() < 1e-5), "{cell:?}");
                    // The same bits whatever the batch: what decoding relies on.
                    assert_eq!(alone.step(&p, &x[row(at) * d..][..d]), got, "{cell:?}");
                }
            }
        }
    }
}

#[test]
fn a_folded_table_gives_the_same_bits() {
    for cell in CELLS {
        let (d, h) = (5, 70);
        let mut p = Params::new();
        let table = p.add("table", (9, d), numbers(9 * d, 3));
        let [ahead, back] = ["ahead", "back"].map(|name| weights(&mut p, cell, (d, h, 0), name));
        let [one, two] = [ahead, back].map(|w| Folded::new(&p, table, w));
        // Enough rows for several chunks of input.
        let packing = Arc::new(Packing::new(&[7; 50]));
        let ids: Vec<u32> = (0..350).map(|i| i * i % 9).collect();
        let directions = [Direction::forward(ahead), Direction::backward(back)];
        let rnn = Rnn { cell, directions: &directions, sequence: None };
        let mut t = Tape::inference();
        let x = t.embedding(&p, table, &ids);
        let long = t.rnn(&p, x, &packing, &rnn);
        let short = t.rnn_tokens(&p, &ids, &[&one, &two], &packing, &rnn);
        assert_eq!(t.value(long), t.value(short), "{cell:?}");
        let mut recording = Tape::new();
        let x = recording.embedding(&p, table, &ids);
        let kept = recording.rnn(&p, x, &packing, &rnn);
        assert_eq!(t.value(long), recording.value(kept), "{cell:?}");
        let [mut plain, mut quick] = [0; 2].map(|_| State::new(&p, cell, ahead, vec![0.0; 50 * h], None));
        for t in 0..3 {
            let ids = &ids[packing.offset(t)..][..50];
            let x: Vec<f32> = ids.iter().flat_map(|&i| p.value(table)[i as usize * d..][..d].to_vec()).collect();
            assert_eq!(plain.step(&p, &x), quick.step_tokens(&p, ids, &one), "{cell:?}");
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut p = Params::new();
            let w = weights(&mut p, Cell::Lstm, (32, 200, 0), "w");
            let v = weights(&mut p, Cell::Lstm, (32, 200, 0), "v");
            let packing = Arc::new(Packing::new(&[9; 40]));
            let mut t = Tape::new();
            let x = t.input(&numbers(360 * 32, 8), (360, 32));
            let directions = [Direction::forward(w), Direction::backward(v)];
            let y = t.rnn(&p, x, &packing, &Rnn { cell: Cell::Lstm, directions: &directions, sequence: None });
            weighted_sum(&mut t, y);
            let loss = t.loss().to_bits();
            t.backward(&mut p).unwrap();
            (loss, p.iter().flat_map(|(_, p)| p.grad().to_vec()).map(f32::to_bits).collect::<Vec<_>>())
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
}

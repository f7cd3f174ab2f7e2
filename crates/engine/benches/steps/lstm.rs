//! The LSTM-VAE of `benches/pytorch_steps.py`, from the engine's layers: a training step, greedy decoding, encoding.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, init,
    ops::{
        cross_entropy::CrossEntropy,
        embedding,
        gaussian::Divergence,
        linear,
        rnn::{Cell, Direction, Folded, Rnn, State, Weights},
    },
    optim::{Optimiser, Rule},
};

use crate::report::{Parts, Report, measure};

const VOCABULARY: usize = 10_000;
const EMBEDDING: usize = 256;
const HIDDEN: usize = 512;
const LATENT: usize = 64;
const BATCH: usize = 64;
const STEPS: usize = 20;
/// Sequences of the encoding workload.
const SENTENCES: usize = 6400;

struct Model {
    params: Params,
    table: ParamId,
    encoder: Weights,
    decoder: Weights,
    mu: (ParamId, ParamId),
    log_variance: (ParamId, ParamId),
    out: (ParamId, ParamId),
}

impl Model {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut params = Params::new();
        let p = &mut params;
        let table = p.add("embedding", (VOCABULARY, EMBEDDING), init::normal(VOCABULARY * EMBEDDING, 1.0, rng));
        let encoder = lstm(p, "encoder", 0, rng);
        let decoder = lstm(p, "decoder", LATENT, rng);
        let mu = dense(p, "mu", (LATENT, HIDDEN), rng);
        let log_variance = dense(p, "log_variance", (LATENT, HIDDEN), rng);
        let out = dense(p, "out", (VOCABULARY, HIDDEN), rng);
        Model { params, table, encoder, decoder, mu, log_variance, out }
    }
}

fn dense(p: &mut Params, name: &str, (out, inp): (usize, usize), rng: &mut ChaCha8Rng) -> (ParamId, ParamId) {
    let bound = 1.0 / (inp as f32).sqrt();
    let weight = p.add(format!("{name}.weight"), (out, inp), init::uniform(out * inp, bound, rng));
    (weight, p.add(format!("{name}.bias"), (1, out), vec![0.0; out]))
}

fn lstm(p: &mut Params, name: &str, sequence: usize, rng: &mut ChaCha8Rng) -> Weights {
    let (rows, bound) = (4 * HIDDEN, 1.0 / (HIDDEN as f32).sqrt());
    let mut add = |part: &str, cols: usize, gates: usize| {
        let value = init::uniform(rows * cols, bound, rng);
        p.add_gated(format!("{name}.{part}"), (rows, cols), gates, value)
    };
    let (input, hidden) = (add("input", EMBEDDING, 1), add("hidden", HIDDEN, 4));
    let sequence = (sequence > 0).then(|| add("sequence", sequence, 1));
    let bias = p.add(format!("{name}.bias"), (1, rows), vec![0.0; rows]);
    Weights { input, hidden, bias, sequence }
}

fn random_ids(n: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
    (0..n).map(|_| rng.random_range(0..VOCABULARY as u32)).collect()
}

/// One training step a run: forward, backward, Adam.
pub fn train(report: &mut Report, rounds: usize, breakdown: bool) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut model = Model::new(&mut rng);
    let mut optimiser = Optimiser::new(Rule::default(), &model.params);
    let packing = Arc::new(Packing::uniform(BATCH, STEPS));
    let ids = random_ids(BATCH * STEPS, &mut rng);
    // Teacher forcing: position t reads token t - 1; rows are time-major, so this is a shift by one block of rows.
    let read: Vec<u32> = std::iter::repeat_n(0, BATCH).chain(ids[..BATCH * (STEPS - 1)].iter().copied()).collect();
    let mut tape = Tape::new();
    let (mut parts, warmup) = (Parts::new(), 4);
    let mut step = || {
        let noise = init::normal(BATCH * LATENT, 1.0, &mut rng);
        training_step(&mut model, &mut optimiser, &mut tape, &packing, (&ids, &read, &noise), &mut parts);
    };
    let t = measure(rounds, warmup, &mut step);
    report.workload("lstm train step", t, BATCH * STEPS, "tok");
    if breakdown {
        parts.print(report, rounds + warmup);
    }
}

fn training_step(
    model: &mut Model,
    optimiser: &mut Optimiser,
    tape: &mut Tape,
    packing: &Arc<Packing>,
    (ids, read, noise): (&[u32], &[u32], &[f32]),
    parts: &mut Parts,
) {
    let p = &mut model.params;
    parts.begin();
    tape.reset();
    let x = tape.embedding(p, model.table, ids);
    let direction = [Direction::forward(model.encoder)];
    let states = tape.rnn(p, x, packing, &Rnn { cell: Cell::Lstm, directions: &direction, sequence: None });
    parts.add("encoder");
    let last: Vec<u32> = packing.last_rows().map(|row| row as u32).collect();
    let h = tape.gather_rows(states, &last);
    let mu = tape.linear(p, h, model.mu.0, Some(model.mu.1));
    let log_variance = tape.linear(p, h, model.log_variance.0, Some(model.log_variance.1));
    let z = tape.reparameterise(mu, log_variance, noise);
    tape.kl_standard_normal(mu, log_variance, Divergence { scale: 0.1 / BATCH as f32, free: 0.0 });
    parts.add("latent");
    let x = tape.embedding(p, model.table, read);
    let direction = [Direction::forward(model.decoder)];
    let y = tape.rnn(p, x, packing, &Rnn { cell: Cell::Lstm, directions: &direction, sequence: Some(z) });
    parts.add("decoder");
    let ce = CrossEntropy {
        weight: model.out.0,
        bias: Some(model.out.1),
        targets: ids,
        row_weights: None,
        smoothing: 0.0,
        mixture: None,
        scale: 1.0 / (BATCH * STEPS) as f32,
    };
    tape.cross_entropy(p, y, &ce);
    parts.add("output layer, both ways");
    tape.backward(p).expect("the loss is finite");
    parts.add("backward");
    optimiser.step(p, 1e-3, 0.0).expect("gradients are finite");
    parts.add("Adam");
}

/// Greedy decoding of 20 tokens from z, for one row and for 64.
pub fn greedy(report: &mut Report, rounds: usize) {
    let model = Model::new(&mut ChaCha8Rng::seed_from_u64(0));
    for rows in [64, 1] {
        let z = vec![0.0; rows * LATENT];
        let mut logits = vec![0.0; rows * VOCABULARY];
        let mut read = vec![0.0; rows * EMBEDDING];
        let t = measure(rounds, 3, || {
            let start = vec![0.0; rows * HIDDEN];
            let mut state = State::new(&model.params, Cell::Lstm, model.decoder, start, Some(&z));
            let mut ids = vec![0; rows];
            for _ in 0..STEPS {
                embedding::forward(&model.params, model.table, &ids, &mut read);
                let h = state.step(&model.params, &read);
                linear::forward(&model.params, h, rows, model.out.0, Some(model.out.1), &mut logits);
                for (id, row) in ids.iter_mut().zip(logits.chunks_exact(VOCABULARY)) {
                    *id = most_likely(row);
                }
            }
        });
        report.workload(&format!("lstm greedy batch {rows}"), t, rows * STEPS, "tok");
    }
}

/// Index of the greatest number: the greatest of each of 16 columns first, which vectorises, then its place.
fn most_likely(row: &[f32]) -> u32 {
    let (head, tail) = row.as_chunks::<16>();
    let mut top = [f32::NEG_INFINITY; 16];
    for c in head {
        for j in 0..16 {
            top[j] = if c[j] > top[j] { c[j] } else { top[j] };
        }
    }
    let top = top.iter().chain(tail).copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter().position(|&x| x == top).unwrap_or(0) as u32
}

/// Latent means and variances of many sentences, in batches: reading embedded rows, and reading tokens with the table
/// folded into the input weight (folding it is part of each run).
pub fn encode(report: &mut Report, rounds: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let model = Model::new(&mut rng);
    let ids = random_ids(SENTENCES * STEPS, &mut rng);
    let packing = Arc::new(Packing::uniform(BATCH, STEPS));
    let mut tape = Tape::inference();
    let mut latents = vec![0.0; BATCH * LATENT];
    let p = &model.params;
    let direction = [Direction::forward(model.encoder)];
    let rnn = Rnn { cell: Cell::Lstm, directions: &direction, sequence: None };
    for name in ["lstm encode 6400 x 20", "lstm encode 6400 x 20, folded"] {
        let t = measure(rounds, 1, || {
            let folded = name.ends_with("folded").then(|| Folded::new(p, model.table, model.encoder));
            for ids in ids.chunks_exact(BATCH * STEPS) {
                tape.reset();
                let y = match &folded {
                    Some(folded) => tape.rnn_tokens(p, ids, &[folded], &packing, &rnn),
                    None => {
                        let x = tape.embedding(p, model.table, ids);
                        tape.rnn(p, x, &packing, &rnn)
                    }
                };
                let last = &tape.value(y)[BATCH * (STEPS - 1) * HIDDEN..];
                for (weight, bias) in [model.mu, model.log_variance] {
                    linear::forward(p, last, BATCH, weight, Some(bias), &mut latents);
                }
            }
        });
        report.workload(name, t, SENTENCES, "sent");
    }
}

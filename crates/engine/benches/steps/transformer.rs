//! A training step of the Transformer autoencoder of `benches/pytorch_steps.py`, from the engine's layers.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, Var, init,
    ops::{
        activation::Activation,
        attention::{Attention, Columns},
        cross_entropy::CrossEntropy,
        feed_forward::FeedForward,
    },
    optim::{Optimiser, Rule},
};

use crate::report::{Parts, Report, measure};

const VOCABULARY: usize = 8_000;
const WIDTH: usize = 256;
const HEADS: usize = 4;
const LAYERS: usize = 4;
const INNER: usize = 1024;
const BATCH: usize = 64;
const STEPS: usize = 32;
/// Rows of the table of positions.
const POSITIONS: usize = 64;
const EPSILON: f32 = 1e-5;

/// A weight and its bias.
type Dense = (ParamId, ParamId);

struct Block {
    norm: Dense,
    qkv: Dense,
    out: Dense,
    cross: Option<Cross>,
    inner_norm: Dense,
    inner: FeedForward,
}

/// Attention of the decoder to the latent vector.
struct Cross {
    norm: Dense,
    q: Dense,
    kv: Dense,
    out: Dense,
}

struct Model {
    params: Params,
    table: ParamId,
    positions: ParamId,
    encoder: Vec<Block>,
    decoder: Vec<Block>,
    latent: Dense,
    out: Dense,
}

/// Adds parameters one after the other.
struct Builder<'a> {
    params: &'a mut Params,
    rng: &'a mut ChaCha8Rng,
}

impl Builder<'_> {
    fn dense(&mut self, name: &str, (out, inp): (usize, usize)) -> Dense {
        let value = init::xavier((out, inp), self.rng);
        let weight = self.params.add(format!("{name}.weight"), (out, inp), value);
        (weight, self.params.add(format!("{name}.bias"), (1, out), vec![0.0; out]))
    }

    fn norm(&mut self, name: &str) -> Dense {
        let gain = self.params.add(format!("{name}.gain"), (1, WIDTH), vec![1.0; WIDTH]);
        (gain, self.params.add(format!("{name}.shift"), (1, WIDTH), vec![0.0; WIDTH]))
    }

    fn table(&mut self, name: &str, rows: usize, std: f32) -> ParamId {
        let value = init::normal(rows * WIDTH, std, self.rng);
        self.params.add(name, (rows, WIDTH), value)
    }

    fn block(&mut self, name: &str, cross: bool) -> Block {
        let (up, down) = (
            self.dense(&format!("{name}.up"), (INNER, WIDTH)), //
            self.dense(&format!("{name}.down"), (WIDTH, INNER)),
        );
        Block {
            norm: self.norm(&format!("{name}.norm")),
            qkv: self.dense(&format!("{name}.qkv"), (3 * WIDTH, WIDTH)),
            out: self.dense(&format!("{name}.attended"), (WIDTH, WIDTH)),
            cross: cross.then(|| Cross {
                norm: self.norm(&format!("{name}.cross.norm")),
                q: self.dense(&format!("{name}.cross.q"), (WIDTH, WIDTH)),
                kv: self.dense(&format!("{name}.cross.kv"), (2 * WIDTH, WIDTH)),
                out: self.dense(&format!("{name}.cross.out"), (WIDTH, WIDTH)),
            }),
            inner_norm: self.norm(&format!("{name}.inner_norm")),
            inner: FeedForward { up: (up.0, Some(up.1)), down: (down.0, Some(down.1)), activation: Activation::Gelu },
        }
    }
}

impl Model {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut params = Params::new();
        let mut b = Builder { params: &mut params, rng };
        let (table, positions) = (b.table("embedding", VOCABULARY, 1.0), b.table("positions", POSITIONS, 0.02));
        let encoder = (0..LAYERS).map(|i| b.block(&format!("encoder.{i}"), false)).collect();
        let decoder = (0..LAYERS).map(|i| b.block(&format!("decoder.{i}"), true)).collect();
        let (latent, out) = (b.dense("latent", (WIDTH, WIDTH)), b.dense("out", (VOCABULARY, WIDTH)));
        Model { params, table, positions, encoder, decoder, latent, out }
    }
}

/// One training step a run: forward, backward, Adam.
pub fn train(report: &mut Report, rounds: usize, breakdown: bool) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut model = Model::new(&mut rng);
    let mut optimiser = Optimiser::new(Rule::default(), &model.params);
    let ids: Vec<u32> = (0..BATCH * STEPS).map(|_| rng.random_range(0..VOCABULARY as u32)).collect();
    // Rows are time-major: position t reads what stands one block of rows before it.
    let read: Vec<u32> = std::iter::repeat_n(0, BATCH).chain(ids[..BATCH * (STEPS - 1)].iter().copied()).collect();
    let batch = Batch {
        ids,
        read,
        positions: (0..STEPS as u32).flat_map(|t| [t; BATCH]).collect(),
        packing: Arc::new(Packing::uniform(BATCH, STEPS)),
        single: Arc::new(Packing::uniform(BATCH, 1)),
    };
    let mut tape = Tape::new();
    let (mut parts, warmup) = (Parts::new(), 3);
    let t = measure(rounds, warmup, || training_step(&mut model, &mut optimiser, &mut tape, &batch, &mut parts));
    report.workload("transformer train step", t, BATCH * STEPS, "tok");
    if breakdown {
        parts.print(report, rounds + warmup);
    }
}

struct Batch {
    ids: Vec<u32>,
    read: Vec<u32>,
    positions: Vec<u32>,
    packing: Arc<Packing>,
    /// The latent vectors, as sequences of one position.
    single: Arc<Packing>,
}

fn training_step(model: &mut Model, optimiser: &mut Optimiser, tape: &mut Tape, batch: &Batch, parts: &mut Parts) {
    let p = &mut model.params;
    parts.begin();
    tape.reset();
    let mut x = embed(tape, p, (model.table, model.positions), &batch.ids, &batch.positions);
    for block in &model.encoder {
        x = run(tape, p, block, x, &batch.packing, None);
    }
    parts.add("encoder");
    let mean = tape.mean_over_time(x, &batch.packing);
    let z = linear(tape, p, mean, model.latent);
    let mut y = embed(tape, p, (model.table, model.positions), &batch.read, &batch.positions);
    for block in &model.decoder {
        y = run(tape, p, block, y, &batch.packing, Some((z, &batch.single)));
    }
    parts.add("decoder");
    let ce = CrossEntropy {
        weight: model.out.0,
        bias: Some(model.out.1),
        targets: &batch.ids,
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

fn embed(tape: &mut Tape, p: &Params, tables: (ParamId, ParamId), ids: &[u32], positions: &[u32]) -> Var {
    let (token, position) = (tape.embedding(p, tables.0, ids), tape.embedding(p, tables.1, positions));
    tape.add(token, position)
}

fn linear(tape: &mut Tape, p: &Params, x: Var, (weight, bias): Dense) -> Var {
    tape.linear(p, x, weight, Some(bias))
}

/// A pre-norm block: x (N, D) -> (N, D); with a memory, it attends to that in between.
fn run(
    tape: &mut Tape,
    p: &Params,
    b: &Block,
    x: Var,
    packing: &Arc<Packing>,
    memory: Option<(Var, &Arc<Packing>)>,
) -> Var {
    let h = tape.layer_norm(p, x, Some(b.norm), EPSILON);
    let qkv = linear(tape, p, h, b.qkv);
    let within = Attention::within(packing, WIDTH, HEADS, memory.is_some());
    let h = tape.attention(Columns::thirds(qkv, WIDTH), &within);
    let h = linear(tape, p, h, b.out);
    let mut x = tape.add(x, h);
    if let (Some(cross), Some((memory, rows))) = (&b.cross, memory) {
        let h = tape.layer_norm(p, x, Some(cross.norm), EPSILON);
        let q = linear(tape, p, h, cross.q);
        let kv = linear(tape, p, memory, cross.kv);
        let to =
            Attention { width: WIDTH, heads: HEADS, causal: false, queries: packing, memory: rows, sequences: None };
        let h = tape.attention([q.into(), Columns { of: kv, at: 0 }, Columns { of: kv, at: WIDTH }], &to);
        let h = linear(tape, p, h, cross.out);
        x = tape.add(x, h);
    }
    let h = tape.layer_norm(p, x, Some(b.inner_norm), EPSILON);
    let h = tape.feed_forward(p, h, b.inner);
    tape.add(x, h)
}

//! After a few steps a training loop allocates nothing that grows with the model or the batch.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, init,
    ops::{
        activation::Activation,
        additive_attention::AdditiveAttention,
        attention::{Attention, Columns},
        cross_entropy::CrossEntropy,
        feed_forward::FeedForward,
        gaussian::Divergence,
        rnn::{Cell, Direction, Rnn, Weights},
    },
    optim::{Optimiser, Rule},
};

struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything on to the system's allocator; a counter is all it adds. Growing a buffer goes through
// `alloc` by the trait's default, so it counts whole.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(p, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Sizes of a model and a batch.
#[derive(Clone, Copy)]
struct Size {
    vocabulary: usize,
    width: usize,
    hidden: usize,
    batch: usize,
    steps: usize,
}

struct Model {
    size: Size,
    params: Params,
    table: ParamId,
    encoder: [Weights; 2],
    latent: [(ParamId, ParamId); 2],
    decoder: Weights,
    qkv: ParamId,
    /// v and w of additive attention.
    additive: [ParamId; 2],
    norm: (ParamId, ParamId),
    block: FeedForward,
    out: (ParamId, ParamId),
}

impl Model {
    fn new(size: Size) -> Self {
        let Size { vocabulary, width, hidden, .. } = size;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut params = Params::new();
        let mut add = |name: &str, rows: usize, cols: usize, gates: usize| {
            params.add_gated(name, (rows, cols), gates, init::uniform(rows * cols, 0.1, &mut rng))
        };
        let mut rnn = |name: &str, cell: Cell, inputs: usize| Weights {
            input: add(&format!("{name}.ih"), cell.gates() * hidden, inputs, 1),
            hidden: add(&format!("{name}.hh"), cell.gates() * hidden, hidden, cell.gates()),
            bias: add(&format!("{name}.b"), 1, cell.bias_len(hidden), 1),
            sequence: Some(add(&format!("{name}.s"), cell.gates() * hidden, width, 1)),
        };
        let encoder = ["ahead", "back"].map(|n| Weights { sequence: None, ..rnn(n, Cell::Lstm, width) });
        let decoder = rnn("decoder", Cell::Gru, width);
        let mut linear = |name: &str, rows: usize, cols: usize| {
            (add(&format!("{name}.w"), rows, cols, 1), add(&format!("{name}.b"), 1, rows, 1))
        };
        let latent = ["mu", "logvar"].map(|n| linear(n, width, 2 * hidden));
        let (up, down) = (linear("up", 4 * width, width), linear("down", width, 4 * width));
        let out = linear("out", vocabulary, width);
        let norm = (add("gain", 1, width, 1), add("shift", 1, width, 1));
        let block = FeedForward { up: (up.0, Some(up.1)), down: (down.0, Some(down.1)), activation: Activation::Gelu };
        let additive = [add("v", 1, width, 1), add("w", 1, width, 1)];
        let qkv = add("qkv", 3 * width, hidden, 1);
        let table = add("table", vocabulary, width, 1);
        Model { size, table, encoder, latent, decoder, qkv, additive, norm, block, out, params }
    }

    /// A variational autoencoder's step that uses every kind of layer.
    fn step(&mut self, tape: &mut Tape, optimiser: &mut Optimiser, batch: &Batch, rng: &mut ChaCha8Rng) {
        let p = &mut self.params;
        let packing = &batch.packing;
        tape.reset();
        let x = tape.embedding(p, self.table, &batch.ids);
        let x = tape.dropout(x, 0.1, rng);
        let directions = [Direction::forward(self.encoder[0]), Direction::backward(self.encoder[1])];
        let y = tape.rnn(p, x, packing, &Rnn { cell: Cell::Lstm, directions: &directions, sequence: None });
        let seen = y;
        let u = tape.mean_over_time(seen, packing);
        let [mu, logvar] = self.latent.map(|(w, b)| tape.linear(p, u, w, Some(b)));
        let z = tape.reparameterise(mu, logvar, &batch.noise);
        tape.kl_standard_normal(mu, logvar, Divergence { scale: 1e-3, free: 0.0 });
        let directions = [Direction::forward(self.decoder)];
        let y = tape.rnn(p, x, packing, &Rnn { cell: Cell::Gru, directions: &directions, sequence: Some(z) });
        let qkv = tape.linear(p, y, self.qkv, None);
        let width = self.size.width;
        let y = tape.attention(Columns::thirds(qkv, width), &Attention::within(packing, width, 2, true));
        let y = tape.add(y, x);
        let [score, coverage] = self.additive;
        let sequences = &batch.sequences;
        let additive =
            AdditiveAttention { score, coverage: Some(coverage), queries: packing, memory: packing, sequences };
        let c = tape.additive_attention(p, [y, x, seen], &additive);
        let c = tape.linear(p, c, self.latent[0].0, None);
        let y = tape.add(y, c);
        let h = tape.layer_norm(p, y, Some(self.norm), 1e-5);
        let h = tape.feed_forward(p, h, self.block);
        let y = tape.add(y, h);
        let ce = CrossEntropy {
            weight: self.out.0,
            bias: Some(self.out.1),
            targets: &batch.ids,
            row_weights: None,
            smoothing: 0.0,
            mixture: None,
            scale: 1.0 / batch.ids.len() as f32,
        };
        tape.cross_entropy(p, y, &ce);
        tape.backward(p).unwrap();
        optimiser.step(p, 1e-3, 1.0).unwrap();
    }
}

struct Batch {
    packing: Arc<Packing>,
    ids: Vec<u32>,
    sequences: Vec<u32>,
    noise: Vec<f32>,
}

/// Bytes that a step allocates after the first few: the least of several, since a thread that the machine kept from
/// work until then makes its room late.
fn bytes_of_a_step(size: Size) -> usize {
    let mut model = Model::new(size);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let lengths: Vec<usize> = (0..size.batch).map(|b| 1.max(size.steps - b * size.steps / size.batch)).collect();
    let packing = Arc::new(Packing::new(&lengths));
    let ids = (0..packing.rows() as u32).map(|i| i * 7919 % size.vocabulary as u32).collect();
    let sequences = (0..size.batch as u32).collect();
    let batch = Batch { ids, sequences, noise: init::normal(size.batch * size.width, 1.0, &mut rng), packing };
    let mut optimiser = Optimiser::new(Rule::default(), &model.params);
    let mut tape = Tape::new();
    for _ in 0..10 {
        model.step(&mut tape, &mut optimiser, &batch, &mut rng);
    }
    let mut measured = || {
        let before = BYTES.load(Ordering::Relaxed);
        model.step(&mut tape, &mut optimiser, &batch, &mut rng);
        BYTES.load(Ordering::Relaxed) - before
    };
    (0..10).map(|_| measured()).min().unwrap_or(0)
}

#[test]
fn a_step_allocates_no_more_for_a_larger_model_and_batch() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (small, large) = pool.install(|| {
        let small = Size { vocabulary: 100, width: 16, hidden: 16, batch: 4, steps: 6 };
        let large = Size { vocabulary: 3000, width: 64, hidden: 128, batch: 32, steps: 24 };
        (bytes_of_a_step(small), bytes_of_a_step(large))
    });
    println!("bytes a step: {small}, {large}");
    // The smallest buffer that grows, one number for each of the large batch's 400 rows, would show.
    assert!(large < small + 1024, "a small step allocates {small} bytes, a large one {large}");
    assert!(small < 16 << 10, "{small}");
}

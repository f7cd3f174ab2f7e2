//! What reads a sequence of latents: an LSTM, or a causal Transformer.
//!
//! Rows (N, Z + 1) go in and rows (N, H) come out, each knowing those before it in its sequence. The plan (B, P) is added
//! to the gates of the LSTM at every step; to the Transformer it is one more row that every position attends to, and it may
//! attend to the states of given documents as well.

use std::{collections::VecDeque, sync::Arc};

use rand::Rng;
use strait_engine::{
    Packing, Params, Tape, Var, init,
    ops::{
        activation::Activation,
        linear,
        rnn::{self, Cell, Direction, Rnn, Weights},
    },
};
use strait_model::{
    config::Positions,
    transformer::{self, Dense, Memory, Shape, Stack, States, Surroundings},
};

use crate::{
    DocumentConfig, NetworkKind,
    given::{self, Given},
};

/// The weights.
pub(crate) enum Trunk {
    Lstm(Weights),
    Transformer {
        /// (H, Z + 1).
        input: Dense,
        stack: Stack,
    },
}

/// What a trunk reads.
pub(crate) struct Reading<'a> {
    /// (N, Z + 1) packed.
    pub(crate) x: Var,
    pub(crate) packing: &'a Arc<Packing>,
    /// (B, P).
    pub(crate) plan: Option<Var>,
    pub(crate) given: Option<&'a given::States>,
}

impl Trunk {
    /// Adds the weights `lstm.*` or `transformer.*` for latents of `z` numbers.
    pub(crate) fn new(params: &mut Params, config: &DocumentConfig, z: usize, rng: &mut impl Rng) -> Self {
        match config.kind {
            NetworkKind::Lstm => Trunk::Lstm(lstm(params, config, z, rng)),
            NetworkKind::Transformer => {
                let states = if config.given { config.hidden } else { 0 };
                let shape = Shape { causal: true, memory: config.plan, states, ..shape(config) };
                let (input, stack) = transformer(params, "transformer", (shape, z), rng);
                Trunk::Transformer { input, stack }
            }
        }
    }

    /// What is read -> (N, H).
    pub(crate) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        reading: &Reading<'_>,
        dropout: f32,
        rng: &mut impl Rng,
    ) -> Var {
        let Reading { x, packing, plan, given } = *reading;
        let x = tape.dropout(x, dropout, rng);
        match self {
            Trunk::Lstm(weights) => {
                let directions = &[Direction::forward(*weights)];
                let rnn = Rnn { cell: Cell::Lstm, directions, sequence: plan };
                let h = tape.rnn(params, x, packing, &rnn);
                tape.dropout(h, dropout, rng)
            }
            Trunk::Transformer { input, stack } => {
                let x = tape.linear(params, x, input.0, Some(input.1));
                let memory = plan.map(|rows| Memory { rows, slots: 1 });
                let states = given.map(|g| States { rows: g.rows, packing: &g.packing, of: &g.of });
                stack.forward(tape, params, x, Surroundings { packing, memory, states }, rng)
            }
        }
    }
}

/// A Transformer of these settings that sees its rows in both directions, and nothing else.
pub(crate) fn shape(config: &DocumentConfig) -> Shape {
    Shape {
        width: config.hidden,
        heads: config.heads,
        inner: 4 * config.hidden,
        layers: config.layers,
        positions: Positions::Rotary,
        activation: Activation::Gelu,
        causal: false,
        memory: 0,
        states: 0,
        dropout: config.dropout,
    }
}

/// Adds the weights `{name}.*` of a Transformer over rows (N, Z + 1): what widens them, (H, Z + 1), and the blocks.
pub(crate) fn transformer(
    params: &mut Params,
    name: &str,
    (shape, z): (Shape, usize),
    rng: &mut impl Rng,
) -> (Dense, Stack) {
    let names = (format!("{name}.input.weight"), format!("{name}.input.bias"));
    let input = transformer::dense(params, names, (shape.width, z + 1), 1.0, rng);
    (input, Stack::new(params, name, shape, rng))
}

fn lstm(params: &mut Params, config: &DocumentConfig, z: usize, rng: &mut impl Rng) -> Weights {
    let (h, p) = (config.hidden, config.plan);
    let mut bias = vec![0.0; Cell::Lstm.bias_len(h)];
    bias[h..2 * h].fill(1.0); // open forget gates at the start (Jozefowicz et al. 2015)
    let uniform = |columns: usize, gain: f32, rng: &mut _| init::uniform(4 * h * columns, gain * bound(columns), rng);
    Weights {
        input: params.add("lstm.weight_ih_l0", (4 * h, z + 1), uniform(z + 1, 1.0, rng)),
        hidden: params.add_gated("lstm.weight_hh_l0", (4 * h, h), 4, init::orthogonal((4 * h, h), 4, rng)),
        bias: params.add("lstm.bias_l0", (1, bias.len()), bias),
        sequence: (p > 0).then(|| params.add("lstm.weight_zh_l0", (4 * h, p), uniform(p, 0.5, rng))),
    }
}

/// The largest absolute value of a uniform draw of variance `1 / fan`.
pub(crate) fn bound(fan: usize) -> f32 {
    (3.0 / fan as f32).sqrt()
}

/// A trunk under way through one document.
#[derive(Clone)]
pub(crate) enum State {
    Lstm(rnn::State),
    Transformer(Box<Window>),
}

/// A Transformer under way: it was trained on windows of so many rows, so it forgets what is long ago.
#[derive(Clone)]
pub(crate) struct Window {
    state: transformer::State,
    /// The last rows that were read (Z + 1 each), a window at most, and what is beside them, to read them again.
    recent: VecDeque<Vec<f32>>,
    plan: Vec<f32>,
    given: Option<Given>,
    /// Rows that the state has seen.
    seen: usize,
}

impl State {
    /// Before the first row; `plan` has P numbers.
    pub(crate) fn new(trunk: &Trunk, params: &Params, hidden: usize, (plan, given): (&[f32], Option<&Given>)) -> Self {
        match trunk {
            Trunk::Lstm(weights) => {
                let plan = (!plan.is_empty()).then_some(plan);
                State::Lstm(rnn::State::new(params, Cell::Lstm, *weights, vec![0.0; hidden], plan))
            }
            Trunk::Transformer { stack, .. } => State::Transformer(Box::new(Window {
                state: beginning(stack, params, plan, given),
                recent: VecDeque::new(),
                plan: plan.to_vec(),
                given: given.cloned(),
                seen: 0,
            })),
        }
    }

    /// Reads the next row (Z + 1) -> (H). `window`: how many rows a Transformer remembers at least.
    pub(crate) fn step(&mut self, trunk: &Trunk, params: &Params, row: &[f32], window: usize) -> Vec<f32> {
        match (self, trunk) {
            (State::Transformer(read), Trunk::Transformer { input, stack }) => {
                read.step(params, (*input, stack), row, window)
            }
            (State::Lstm(state), _) => state.step(params, row).to_vec(),
            (State::Transformer(_), Trunk::Lstm(_)) => unreachable!("a state is of its trunk"),
        }
    }
}

fn beginning(stack: &Stack, params: &Params, plan: &[f32], given: Option<&Given>) -> transformer::State {
    transformer::State::new(stack, params, (plan, given.map(|given| &*given.0)), 1)
}

impl Window {
    /// When twice as many rows as `window` have been seen all but the last `window` are forgotten by reading those again:
    /// a document takes a time that grows linearly with its length, and memory that does not grow.
    fn step(&mut self, params: &Params, (input, stack): (Dense, &Stack), row: &[f32], window: usize) -> Vec<f32> {
        self.recent.push_back(row.to_vec());
        if self.recent.len() > window {
            self.recent.pop_front();
        }
        self.seen += 1;
        let mut unread = self.recent.len() - 1;
        if self.seen >= 2 * window {
            self.state = beginning(stack, params, &self.plan, self.given.as_ref());
            (self.seen, unread) = (self.recent.len(), 0);
        }
        let mut out = Vec::new();
        for row in self.recent.range(unread..) {
            let mut x = vec![0.0; params.shape(input.0).0];
            linear::forward(params, row, 1, input.0, Some(input.1), &mut x);
            out = self.state.step(stack, params, &x).to_vec();
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// What a Transformer remembers of a long document is bounded, and is the end of it.
    #[test]
    fn the_last_window_is_remembered() {
        let config = DocumentConfig { kind: NetworkKind::Transformer, hidden: 8, heads: 2, ..Default::default() };
        let (mut params, mut rng) = (Params::new(), ChaCha8Rng::seed_from_u64(1));
        let trunk = Trunk::new(&mut params, &config, 2, &mut rng);
        let plan = vec![0.3; config.plan];
        let row = |i: usize| vec![(0.9 * i as f32).sin(), (1.3 * i as f32).cos(), 0.0];
        let window = 4;
        let mut state = State::new(&trunk, &params, 8, (&plan, None));
        for i in 0..30 {
            let found = state.step(&trunk, &params, &row(i), window);
            let State::Transformer(read) = &state else { unreachable!() };
            assert!(read.seen < 2 * window && read.recent.len() <= window, "{i}");
            // The rows since the last time that it read again.
            let mut fresh = State::new(&trunk, &params, 8, (&plan, None));
            let rows = (i + 1 - read.seen..=i).map(|i| fresh.step(&trunk, &params, &row(i), 100));
            assert_eq!(rows.last(), Some(found), "{i}");
        }
    }
}

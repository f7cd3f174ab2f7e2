//! A stack of recurrent layers: the trunk of the recurrent encoder and decoder.

use std::sync::Arc;

use rand::Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, Var, init,
    ops::rnn::{Cell, Direction, Folded, Rnn, State, Weights},
};

/// What a stack looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) cell: Cell,
    /// Width of the input, D.
    pub(crate) input: usize,
    /// Hidden units of each direction, H.
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) bidirectional: bool,
    /// Width of the input per sequence that is added at every step of every layer; 0: none.
    pub(crate) sequence: usize,
}

/// The layers' weights: their handles.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) shape: Shape,
    layers: Vec<Vec<Weights>>,
}

impl Stack {
    /// Adds the weights to `params`, named `{name}.weight_ih_l0` and so on, as PyTorch names them.
    pub(crate) fn new(params: &mut Params, name: &str, shape: Shape, rng: &mut impl Rng) -> Self {
        let directions = 1 + usize::from(shape.bidirectional);
        let layers = (0..shape.layers)
            .map(|l| {
                let input = if l == 0 { shape.input } else { shape.hidden * directions };
                let suffix = |d: usize| format!("l{l}{}", if d == 1 { "_reverse" } else { "" });
                (0..directions).map(|d| weights(params, name, &suffix(d), Shape { input, ..shape }, rng)).collect()
            })
            .collect();
        Stack { shape, layers }
    }

    /// Width of the output: H for each direction.
    pub(crate) fn width(&self) -> usize {
        self.shape.hidden * self.layers[0].len()
    }

    /// The embedding table folded into the first layer's input weights, for reading many tokens: see [`Folded`].
    pub(crate) fn fold(&self, params: &Params, table: ParamId) -> Vec<Folded> {
        self.layers[0].iter().map(|&weights| Folded::new(params, table, weights)).collect()
    }

    /// N rows or ids, packed -> (N, width). `first` holds h before the first step of each layer (B, H), if given; `dropout`
    /// applies between layers.
    pub(crate) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        read: Read<'_>,
        input: &Input<'_>,
        rng: &mut impl Rng,
    ) -> Var {
        let mut read = read;
        for (l, weights) in self.layers.iter().enumerate() {
            let h0 = input.first.get(l).copied();
            let directions: Vec<Direction> = weights
                .iter()
                .enumerate()
                .map(|(d, &weights)| Direction { weights, reverse: d == 1, h0, c0: None })
                .collect();
            let rnn = Rnn { cell: self.shape.cell, directions: &directions, sequence: input.sequence };
            let y = match read {
                Read::Tokens(ids, folded) => {
                    let folded: Vec<&Folded> = folded.iter().collect();
                    tape.rnn_tokens(params, ids, &folded, input.packing, &rnn)
                }
                Read::Rows(x) => {
                    let x = if l > 0 { tape.dropout(x, input.dropout, rng) } else { x };
                    tape.rnn(params, x, input.packing, &rnn)
                }
            };
            read = Read::Rows(y);
        }
        match read {
            Read::Rows(y) => y,
            Read::Tokens(..) => unreachable!("a recipe's check refuses a stack without layers"),
        }
    }

    /// States for running a one-directional stack step by step; `first` holds h of each layer (rows, H).
    pub(crate) fn states(&self, params: &Params, first: Vec<Vec<f32>>, sequence: Option<&[f32]>) -> Vec<State> {
        let layers = self.layers.iter().zip(first);
        layers.map(|(w, h)| State::new(params, self.shape.cell, w[0], h, sequence)).collect()
    }
}

/// What the first layer reads.
#[derive(Clone, Copy)]
pub(crate) enum Read<'a> {
    /// x (N, D).
    Rows(Var),
    /// Ids (N) and the folded table of each direction: for inference only.
    Tokens(&'a [u32], &'a [Folded]),
}

/// What a stack is given besides what it reads.
pub(crate) struct Input<'a> {
    pub(crate) packing: &'a Arc<Packing>,
    pub(crate) first: &'a [Var],
    pub(crate) sequence: Option<Var>,
    pub(crate) dropout: f32,
}

fn weights(params: &mut Params, name: &str, suffix: &str, shape: Shape, rng: &mut impl Rng) -> Weights {
    let Shape { cell, input, hidden: h, sequence, .. } = shape;
    let (gates, gh) = (cell.gates(), cell.gates() * h);
    let mut bias = vec![0.0; cell.bias_len(h)];
    if cell == Cell::Lstm {
        bias[h..2 * h].fill(1.0); // open forget gates at the start (Jozefowicz et al. 2015)
    }
    let bound = |fan: usize| (3.0 / fan as f32).sqrt();
    let mut add = |part: &str, cols: usize, gates: usize, value: Vec<f32>| -> ParamId {
        params.add_gated(format!("{name}.{part}_{suffix}"), (value.len() / cols, cols), gates, value)
    };
    let input_value = init::uniform(gh * input, bound(input), rng);
    let hidden_value = init::orthogonal((gh, h), gates, rng);
    Weights {
        input: add("weight_ih", input, 1, input_value),
        hidden: add("weight_hh", h, gates, hidden_value),
        bias: add("bias", bias.len(), 1, bias),
        sequence: (sequence > 0).then(|| {
            let value = init::uniform(gh * sequence, bound(sequence) * 0.5, rng);
            add("weight_zh", sequence, 1, value)
        }),
    }
}

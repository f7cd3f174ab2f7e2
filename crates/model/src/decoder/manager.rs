//! LeakGAN's manager, and what a decoder, its worker, makes of the goals (Guo et al. 2018,
//! <https://arxiv.org/abs/1709.08624>).
//!
//! f_t (W) are the features of the first t tokens that leak: the state of the discriminator's LSTM behind them, f_0 = 0.
//! The manager is an LSTM over them, `v_t = W_g LSTM(f_0 .. f_t) + b_g`, and its goal `g_t = v_t / |v_t|` is the direction in
//! which the features shall move over the c tokens to come. The goals still in force are embedded,
//! `w_t = W_w sum_(i < c) g_(t-i)` (K), and y_t (I), which the output layer reads, becomes `y_t (1 + W_a w_t)`, element by
//! element: to the scores `E y_t + b` comes the inner product of w_t with an embedding of each token,
//! `A_t = E diag(y_t) W_a` (V, K). The paper's worker has that product alone, with an A_t of its own. W_a begins at 0, so that
//! the first scores are those of the decoder alone.
//!
//! Features and goals are constants to the decoder: no gradient goes from the scores to the manager, whose loss is
//! [`crate::text_gan`]'s, or to the discriminator.

use std::{collections::VecDeque, sync::Arc};

use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use strait_engine::{
    Packing, ParamId, Params, Tape, Var, init,
    ops::{
        embedding, linear,
        rnn::{Cell, State},
    },
};

use crate::{
    batch::Batch,
    config::TextGanConfig,
    recurrent::{Input, Read, Shape, Stack},
    transformer::Dense,
};

/// The discriminator's network up to its features: it reads tokens from left to right.
#[derive(Debug)]
pub(crate) struct Leak {
    /// The table of its tokens (V, E).
    pub(crate) embedding: ParamId,
    pub(crate) stack: Stack,
}

/// The handles of the weights.
#[derive(Debug)]
pub struct Manager {
    leak: Leak,
    stack: Stack,
    /// W_g (W, H), b_g.
    goal: Dense,
    /// W_w (K, W).
    embed: ParamId,
    /// W_a (I, K).
    act: ParamId,
    /// Tokens for which a goal is in force, c.
    horizon: usize,
}

impl Manager {
    /// Adds the weights `objective.manager.*` and `objective.worker.weight`, for an output layer that reads rows of so many
    /// columns, I.
    pub(crate) fn new(
        params: &mut Params,
        config: &TextGanConfig,
        leak: Leak,
        columns: usize,
        rng: &mut impl Rng,
    ) -> Self {
        let (width, hidden, k) = (leak.stack.width(), config.hidden, config.goal);
        let cell = Cell::Lstm;
        let shape = Shape { cell, input: width, hidden, layers: 1, bidirectional: false, sequence: 0 };
        let stack = Stack::new(params, "objective.manager.rnn", shape, rng);
        let weight = init::xavier((width, hidden), rng);
        let weight = params.add("objective.manager.goal.weight", (width, hidden), weight);
        // Before the first token everything else is 0, which has no direction.
        let bias = init::uniform(width, 0.3, rng);
        let goal = (weight, params.add("objective.manager.goal.bias", (1, width), bias));
        let embed = init::xavier((k, width), rng);
        let embed = params.add("objective.manager.embed.weight", (k, width), embed);
        let act = params.add("objective.worker.weight", (columns, k), vec![0.0; columns * k]);
        Manager { leak, stack, goal, embed, act, horizon: config.horizon }
    }

    /// Tokens for which a goal is in force, c.
    pub(crate) fn horizon(&self) -> usize {
        self.horizon
    }

    /// Columns of features and goals, W.
    pub(crate) fn width(&self) -> usize {
        self.leak.stack.width()
    }

    /// The features before each target (N, W), of what a decoder was fed (N, packed): the begin symbol, then the text.
    pub(crate) fn features(&self, params: &Params, inputs: &[u32], packing: &Packing) -> Vec<f32> {
        let mut features = vec![0.0; packing.batch() * self.width()];
        let lengths: Vec<usize> = packing.lengths().iter().map(|l| l - 1).filter(|&l| l > 0).collect();
        if lengths.is_empty() {
            return features;
        }
        let mut tape = Tape::inference();
        let x = tape.embedding(params, self.leak.embedding, &inputs[packing.batch()..]);
        let y = run(&self.leak.stack, &mut tape, params, x, &Arc::new(Packing::new(&lengths)));
        features.extend_from_slice(tape.value(y));
        features
    }

    /// v (N, W), whose directions are the goals, for features (N, W).
    pub(crate) fn aims(&self, tape: &mut Tape, params: &Params, features: &[f32], packing: &Arc<Packing>) -> Var {
        let f = tape.input(features, (packing.rows(), self.width()));
        let h = run(&self.stack, tape, params, f, packing);
        tape.linear(params, h, self.goal.0, Some(self.goal.1))
    }

    /// y (N, I), what the output layer would read at each position of the batch -> what it reads.
    pub(super) fn steer(&self, tape: &mut Tape, params: &Params, y: Var, batch: &Batch) -> Var {
        let (packing, width) = (&batch.packing, self.width());
        let features = self.features(params, &batch.inputs, packing);
        let mut apart = Tape::inference();
        let aims = self.aims(&mut apart, params, &features, packing);
        let goals = goals(apart.value(aims), width);
        let mut sums = vec![0.0; goals.len()];
        for t in 0..packing.steps() {
            let to = &mut sums[packing.offset(t) * width..][..packing.active(t) * width];
            for s in (t + 1).saturating_sub(self.horizon)..=t {
                add(to, &goals[packing.offset(s) * width..]);
            }
        }
        let sums = tape.input(&sums, (packing.rows(), width));
        let w = tape.linear(params, sums, self.embed, None);
        let change = tape.linear(params, w, self.act, None);
        let change = tape.mul(y, change);
        tape.add(y, change)
    }

    /// Starts `rows` texts.
    pub(super) fn lead(&self, params: &Params, rows: usize) -> Lead {
        let start = |stack: &Stack| stack.states(params, vec![vec![0.0; rows * stack.width()]], None);
        let (reader, manager) = (start(&self.leak.stack), start(&self.stack));
        Lead { reader, manager, recent: VecDeque::new(), rows }
    }

    /// As [`Manager::steer`] for the next position of each row: the tokens fed (rows), y (rows, I).
    pub(super) fn step(&self, params: &Params, lead: &mut Lead, tokens: &[u32], y: &mut [f32]) {
        let (rows, width) = (lead.rows, self.width());
        let mut features = vec![0.0; rows * width];
        // The begin symbol is not the discriminator's.
        if !lead.recent.is_empty() {
            let mut x = vec![0.0; rows * params.shape(self.leak.embedding).1];
            embedding::forward(params, self.leak.embedding, tokens, &mut x);
            features.copy_from_slice(through(&mut lead.reader, params, &x));
        }
        let h = through(&mut lead.manager, params, &features);
        let mut aims = vec![0.0; rows * width];
        linear::forward(params, h, rows, self.goal.0, Some(self.goal.1), &mut aims);
        if lead.recent.len() == self.horizon {
            lead.recent.pop_front();
        }
        lead.recent.push_back(goals(&aims, width));
        let mut sums = vec![0.0; rows * width];
        lead.recent.iter().for_each(|goals| add(&mut sums, goals));
        let mut w = vec![0.0; rows * params.shape(self.embed).0];
        linear::forward(params, &sums, rows, self.embed, None, &mut w);
        let mut change = vec![0.0; y.len()];
        linear::forward(params, &w, rows, self.act, None, &mut change);
        y.iter_mut().zip(&change).for_each(|(y, change)| *y += *y * change);
    }
}

/// A manager under way for some rows.
pub(super) struct Lead {
    reader: Vec<State>,
    manager: Vec<State>,
    /// The goals in force, the oldest first, (rows, W) each.
    recent: VecDeque<Vec<f32>>,
    rows: usize,
}

impl Lead {
    /// New row i continues old row `from[i]`.
    pub(super) fn select(&mut self, from: &[usize]) {
        self.reader.iter_mut().chain(&mut self.manager).for_each(|state| state.select(from));
        for goals in &mut self.recent {
            let width = goals.len() / self.rows;
            *goals = from.iter().flat_map(|&r| &goals[r * width..][..width]).copied().collect();
        }
        self.rows = from.len();
    }
}

/// x (N, D) -> the last layer's states (N, H), without dropout.
fn run(stack: &Stack, tape: &mut Tape, params: &Params, x: Var, packing: &Arc<Packing>) -> Var {
    let input = Input { packing, first: &[], sequence: None, dropout: 0.0 };
    let still = &mut ChaCha8Rng::seed_from_u64(0); // nothing is drawn
    stack.forward(tape, params, Read::Rows(x), &input, still)
}

/// The same for the next position of each row.
fn through<'a>(states: &'a mut [State], params: &Params, x: &'a [f32]) -> &'a [f32] {
    states.iter_mut().fold(x, |x, state| state.step(params, x))
}

/// v (N, W) -> rows of length 1.
pub(crate) fn goals(aims: &[f32], width: usize) -> Vec<f32> {
    let unit = |v: &[f32]| -> Vec<f32> {
        let length = v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt().max(1e-6) as f32;
        v.iter().map(|v| v / length).collect()
    };
    aims.chunks_exact(width).flat_map(unit).collect()
}

fn add(to: &mut [f32], x: &[f32]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += x);
}

#[cfg(test)]
mod tests {
    use strait_engine::{Tape, ops::losses::Weighting};
    use strait_text::tokenizer::BOS;

    use super::*;
    use crate::{
        Autoencoder, Recipe,
        batch::Corruption,
        config::NetworkKind,
        decoder::Task,
        decoding::NextToken as _,
        objective::testing::{check_gradients, numbers, rng},
    };

    /// A model whose worker listens, with so many goals in force.
    fn model(kind: NetworkKind, horizon: usize) -> Autoencoder {
        let mut recipe = Recipe::find("leakgan").unwrap();
        recipe.decoder.kind = kind;
        (recipe.encoder.embedding, recipe.decoder.hidden, recipe.decoder.heads, recipe.decoder.layers) = (4, 5, 2, 1);
        let gan = recipe.objective.text_gan.as_mut().unwrap();
        (gan.embedding, gan.hidden, gan.horizon, gan.goal) = (4, 3, horizon, 2);
        let mut model = Autoencoder::new(&recipe, 9, 3);
        let act = model.params.find("objective.worker.weight").unwrap();
        let heard = numbers(model.params.value(act).len(), 7);
        model.params.assign(act, &heard);
        model
    }

    /// The scores of the next token along each text, its own tokens fed.
    fn at_once(model: &Autoencoder, texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let batch = Batch::new(texts, Corruption::default(), &mut rng(1));
        let (z, features, states, row_weights) = (None, None, None, None);
        let (label_smoothing, unlikelihood, scale) = (0.0, 0.0, 1.0);
        let task = Task { z, features, states, batch: &batch, label_smoothing, unlikelihood, row_weights, scale };
        let mut tape = Tape::inference();
        let logits = model.decoder().logits(&mut tape, &model.params, model.embedding(), &task, &mut rng(1)).unwrap();
        let mut out = vec![Vec::new(); texts.len()];
        for (row, b) in tape.value(logits).chunks(9).zip(batch.packing.sequence_of_rows()) {
            out[Batch::order(texts)[b] as usize].extend_from_slice(row);
        }
        out
    }

    #[test]
    fn step_by_step_as_at_once() {
        let texts = [vec![6, 7, 8, 5, 6, 6], vec![7, 7, 8, 6, 5, 8], vec![8, 6, 6, 7, 7, 5]];
        for kind in [NetworkKind::Lstm, NetworkKind::Gru, NetworkKind::Transformer] {
            let model = model(kind, 3);
            let whole = at_once(&model, &texts);
            let mut generator = model.generator(&[], 3);
            let (mut logits, mut rows) = (Vec::new(), vec![0, 1, 2]);
            for t in 0..=6 {
                if t == 3 {
                    // One text ends and another goes on twice.
                    generator.select(&[2, 0, 2]);
                    rows = vec![2, 0, 2];
                }
                let fed: Vec<u32> = rows.iter().map(|&i| if t == 0 { BOS } else { texts[i][t - 1] }).collect();
                generator.step(&fed, &mut logits);
                for (row, &i) in logits.chunks(9).zip(&rows) {
                    let wanted = &whole[i][t * 9..][..9];
                    // A recurrent decoder computes the same either way, a Transformer's attention nearly so.
                    let least = if kind == NetworkKind::Transformer { 1e-5 } else { 0.0 };
                    let off = row.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(off <= least, "{kind:?} {t} {i}: {row:?} {wanted:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_alone_and_in_a_batch() {
        let texts = [vec![6, 7, 8, 5], vec![], vec![7, 7], vec![5]];
        let model = model(NetworkKind::Lstm, 2);
        let all = at_once(&model, &texts);
        for (text, scores) in texts.iter().zip(all) {
            assert_eq!(at_once(&model, std::slice::from_ref(text)), [scores]);
        }
    }

    #[test]
    fn unheard_goals_leave_a_plain_language_model() {
        let mut led = model(NetworkKind::Lstm, 2);
        let mut recipe = led.recipe().clone();
        recipe.objective.text_gan = None;
        let plain = Autoencoder::new(&recipe, 9, 3);
        let texts = [vec![6, 7, 8, 5], vec![7, 7]];
        assert_ne!(at_once(&led, &texts), at_once(&plain, &texts));
        let act = led.params.find("objective.worker.weight").unwrap();
        let silent = vec![0.0; led.params.value(act).len()];
        led.params.assign(act, &silent);
        assert_eq!(at_once(&led, &texts), at_once(&plain, &texts));
    }

    #[test]
    fn as_the_equations_say() {
        let model = model(NetworkKind::Lstm, 2);
        let (manager, params) = (model.decoder().manager().unwrap(), &model.params);
        let batch = Batch::new(&[vec![6, 7, 8, 5]], Corruption::default(), &mut rng(1));
        let y = numbers(5 * 4, 3);
        let mut tape = Tape::inference();
        let features = manager.features(params, &batch.inputs, &batch.packing);
        assert_eq!(features[..3], [0.0; 3]);
        let aims = manager.aims(&mut tape, params, &features, &batch.packing);
        let aims = tape.value(aims).to_vec();
        let input = tape.input(&y, (5, 4));
        let steered = manager.steer(&mut tape, params, input, &batch);
        let goal = |t: usize| -> Vec<f64> {
            let v: Vec<f64> = aims[t * 3..][..3].iter().map(|&v| f64::from(v)).collect();
            let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
            v.iter().map(|v| v / length).collect()
        };
        let value = |name: &str| params.value(params.find(name).unwrap());
        let (embed, act) = (value("objective.manager.embed.weight"), value("objective.worker.weight"));
        for t in 0..5 {
            // The goals of this place and of the one before.
            let sum: Vec<f64> = (0..3).map(|j| (t.max(1) - 1..=t).map(|s| goal(s)[j]).sum()).collect();
            let w: Vec<f64> = (0..2).map(|k| (0..3).map(|j| f64::from(embed[k * 3 + j]) * sum[j]).sum()).collect();
            for i in 0..4 {
                let change: f64 = (0..2).map(|k| f64::from(act[i * 2 + k]) * w[k]).sum();
                let wanted = f64::from(y[t * 4 + i]) * (1.0 + change);
                let found = f64::from(tape.value(steered)[t * 4 + i]);
                assert!((wanted - found).abs() < 1e-5, "{t} {i}: {wanted} {found}");
            }
        }
    }

    #[test]
    fn gradients_of_the_worker_alone() {
        let mut model = model(NetworkKind::Lstm, 2);
        let batch = Batch::new(&[vec![6, 7, 8], vec![5]], Corruption::default(), &mut rng(1));
        let (y, targets) = (numbers(6 * 4, 3), numbers(6 * 4, 4));
        let mut params = std::mem::take(&mut model.params);
        let manager = model.decoder().manager().unwrap();
        let mut loss = |tape: &mut Tape, params: &Params, v: &[Var]| {
            let y = manager.steer(tape, params, v[0], &batch);
            tape.squared_error(y, &targets, Weighting { row_weights: None, scale: 0.5 });
        };
        // Goals are constants: nothing reaches those who make them.
        let mut tape = Tape::new();
        let v = tape.variable(&y, (6, 4));
        loss(&mut tape, &params, &[v]);
        tape.backward(&mut params).unwrap();
        let reached = |p: &strait_engine::Param| p.grad().iter().any(|&g| g != 0.0);
        let reached: Vec<&str> = params.iter().filter(|(_, p)| reached(p)).map(|(_, p)| p.name()).collect();
        assert_eq!(reached, ["objective.manager.embed.weight", "objective.worker.weight"]);
        for name in ["adversary.", "objective.manager.rnn", "objective.manager.goal"] {
            params.set_trainable(name, false);
        }
        check_gradients(&mut params, &[(&y, (6, 4))], &mut loss);
    }
}

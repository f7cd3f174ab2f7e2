//! The output layer of decoders that write token by token: rows to scores over the vocabulary.

use rand::Rng;
use rayon::prelude::*;
use strait_engine::{
    ParamId, Params, Tape, Var, init,
    ops::{
        cross_entropy::{CrossEntropy, Scored, Unlikely},
        linear,
        mixture::Mixture,
    },
};

use super::{Task, seen::Seen};

/// Rows whose scores are there at once when tokens are drawn.
const DRAWN: usize = 256;

/// Weights W (V, I), the embedding table where they are tied (Press & Wolf 2017), and a bias (1, V).
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) weight: ParamId,
    pub(super) bias: ParamId,
}

impl Output {
    /// Adds `decoder.output.weight` for rows of `input` columns, unless it is `tied` to `embedding` (V, I), and
    /// `decoder.output.bias`.
    pub(super) fn new(
        params: &mut Params,
        (embedding, tied): (ParamId, bool),
        input: usize,
        rng: &mut impl Rng,
    ) -> Self {
        let (v, _) = params.shape(embedding);
        let weight = match tied {
            true => embedding,
            false => {
                let weight = init::uniform(v * input, (1.0 / input as f32).sqrt(), rng);
                params.add("decoder.output.weight", (v, input), weight)
            }
        };
        Output { weight, bias: params.add("decoder.output.bias", (1, v), vec![0.0; v]) }
    }

    /// Size of the vocabulary, V.
    pub(super) fn vocabulary(self, params: &Params) -> usize {
        params.shape(self.weight).0
    }

    /// Adds the cross-entropy of y (N, I), perhaps mixed with what is copied, against the first N targets of the task's
    /// batch.
    pub(super) fn loss(
        self,
        tape: &mut Tape,
        params: &mut Params,
        (y, mixture): (Var, Option<Mixture>),
        task: &Task<'_>,
    ) -> Scored {
        let ce = CrossEntropy {
            weight: self.weight,
            bias: Some(self.bias),
            targets: &task.batch.targets[..tape.shape(y).0],
            row_weights: task.row_weights,
            smoothing: task.label_smoothing,
            mixture,
            scale: task.scale,
        };
        if task.unlikelihood <= 0.0 {
            return tape.cross_entropy(params, y, &ce);
        }
        let Seen { starts, tokens } = &Seen::of(&task.batch.targets, &task.batch.packing);
        let unlikely = Unlikely { weight: task.unlikelihood, starts, classes: tokens };
        tape.cross_entropy_unlikely(params, y, &ce, unlikely)
    }

    /// y (N, I) -> a token drawn for each row by its number in [0, 1), (N): the first at which the running sum of the
    /// probabilities passes it.
    pub(super) fn draw(self, params: &Params, y: &[f32], uniforms: &[f32]) -> Vec<u32> {
        let (v, width) = (self.vocabulary(params), y.len() / uniforms.len().max(1));
        let mut drawn = Vec::with_capacity(uniforms.len());
        let mut scores = Vec::new();
        for (y, uniforms) in y.chunks(DRAWN * width.max(1)).zip(uniforms.chunks(DRAWN)) {
            self.scores(params, y, uniforms.len(), &mut scores);
            let rows = scores.par_chunks(v).zip(uniforms);
            drawn.extend(rows.map(|(row, &uniform)| pick(row, uniform)).collect::<Vec<u32>>());
        }
        drawn
    }

    /// y (rows, I) -> scores (rows, V), to `logits`.
    pub(super) fn scores(self, params: &Params, y: &[f32], rows: usize, logits: &mut Vec<f32>) {
        logits.resize(rows * self.vocabulary(params), 0.0);
        linear::forward(params, y, rows, self.weight, Some(self.bias), logits);
    }
}

/// The token at which the running sum of the probabilities of scores (V) passes a share of their sum.
fn pick(scores: &[f32], share: f32) -> u32 {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |&score: &f32| (f64::from(score) - f64::from(top)).exp();
    let target = f64::from(share) * scores.iter().map(weight).sum::<f64>();
    let mut reached = 0.0;
    let passes = |score: &f32| {
        reached += weight(score);
        reached > target
    };
    scores.iter().position(passes).unwrap_or(scores.len() - 1) as u32
}

//! The output layer of decoders that write token by token: rows to scores over the vocabulary.

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var, init,
    ops::{
        cross_entropy::{CrossEntropy, Scored},
        linear,
        mixture::Mixture,
    },
};

use super::Task;

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
        tape.cross_entropy(params, y, &ce)
    }

    /// y (rows, I) -> scores (rows, V), to `logits`.
    pub(super) fn scores(self, params: &Params, y: &[f32], rows: usize, logits: &mut Vec<f32>) {
        logits.resize(rows * self.vocabulary(params), 0.0);
        linear::forward(params, y, rows, self.weight, Some(self.bias), logits);
    }
}

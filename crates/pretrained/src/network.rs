//! The network of a published encoder apart from its weights: for training it on, among other weights.

use std::sync::Arc;

use rand::Rng;
use strait_engine::{Packing, ParamId, Params, Tape, Var, init};

use crate::{Pooling, bert::Bert, config::Shape};

/// Standard deviation of a BERT's matrices before training (Devlin et al. 2018).
const SPREAD: f32 = 0.02;

/// A BERT and the pooling behind it; its weights are in a store that the caller keeps.
#[derive(Debug, Clone)]
pub struct Network {
    pub(crate) bert: Bert,
    pub(crate) pooling: Pooling,
}

impl Network {
    /// Ids packed (N), special tokens included -> vectors (B, D) in packed order, not normalised to length 1.
    ///
    /// # Panics
    /// If a text is longer than the network has places, or an id is not of its vocabulary.
    pub fn vectors(&self, tape: &mut Tape, params: &Params, ids: &[u32], packing: &Arc<Packing>) -> Var {
        let y = self.bert.forward(tape, params, ids, packing);
        self.pooling.pool(tape, y, packing)
    }

    /// The same network with the weights where `at` says, as [`Params::append`] gives it.
    pub fn moved(&self, at: impl Fn(ParamId) -> ParamId) -> Self {
        Network { bert: self.bert.moved(&at), pooling: self.pooling }
    }

    /// Of each block, first to last, how the names of its weights begin in `params`.
    pub fn blocks(&self, params: &Params) -> Vec<String> {
        let begin = |name: &str| {
            let layer = name.find("layer.").map_or(0, |at| at + "layer.".len());
            let dot = name[layer..].find('.').map_or(name.len(), |at| layer + at + 1);
            name[..dot].to_string()
        };
        self.bert.blocks.iter().map(|block| begin(params.get(block.out.0).name())).collect()
    }

    /// Adds low-rank adapters to the attention of each block, `{prefix}{l}.qkv.*` and `{prefix}{l}.out.*`; what the network
    /// gives is at first the same.
    pub fn adapt(&mut self, params: &mut Params, prefix: &str, rank: usize, rng: &mut impl Rng) {
        for (l, block) in self.bert.blocks.iter_mut().enumerate() {
            block.adapt(params, &format!("{prefix}{l}"), rank, rng);
        }
    }

    /// Gives the weights whose names begin with `prefix` the values that such a network has before all training.
    pub fn forget(params: &mut Params, prefix: &str, rng: &mut impl Rng) {
        let of: Vec<_> = params.iter().filter(|(_, p)| p.name().starts_with(prefix)).map(|(id, _)| id).collect();
        for id in of {
            let (rows, cols) = params.shape(id);
            let lower = params.get(id).name().to_lowercase();
            let value = match rows {
                1 if lower.ends_with("norm.weight") => vec![1.0; cols],
                1 => vec![0.0; cols],
                _ => init::normal(rows * cols, SPREAD, rng),
            };
            params.assign(id, &value);
        }
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.bert.shape
    }
}

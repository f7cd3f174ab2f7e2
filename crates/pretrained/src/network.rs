//! The network of a published encoder apart from its weights: for training it on, among other weights.

use std::sync::Arc;

use strait_engine::{Packing, ParamId, Params, Tape, Var};

use crate::{Blocks, Pooling, bert::Bert, block::Block, config::Shape};

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

    pub(crate) fn shape(&self) -> &Shape {
        &self.bert.shape
    }
}

impl Blocks for Network {
    fn list(&self) -> &[Block] {
        &self.bert.blocks
    }
    fn list_mut(&mut self) -> &mut [Block] {
        &mut self.bert.blocks
    }
}

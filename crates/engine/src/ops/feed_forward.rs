//! The feed-forward block of a Transformer (Vaswani et al. 2017): `y = f(x W1^T + b1) W2^T + b2`.
//!
//! x (N, D), W1 (F, D), W2 (D, F), y (N, D). A composition of two linear layers: the activation is applied while the
//! first product is in cache, see [`Tape::linear_activation`].

use crate::{ParamId, Params, Tape, Var, ops::activation::Activation};

/// The weights of a block and its activation.
#[derive(Debug, Clone, Copy)]
pub struct FeedForward {
    /// W1 (F, D) and b1 (1, F).
    pub up: (ParamId, Option<ParamId>),
    /// W2 (D, F) and b2 (1, D).
    pub down: (ParamId, Option<ParamId>),
    pub activation: Activation,
}

impl Tape {
    /// Runs a feed-forward block: x (N, D) -> y (N, D).
    pub fn feed_forward(&mut self, params: &Params, x: Var, block: FeedForward) -> Var {
        let h = self.linear_activation(params, x, block.up, block.activation);
        self.linear(params, h, block.down.0, block.down.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, numbers, params, weighted_sum};

    #[test]
    fn gradients_with_fused_and_separate_activations() {
        let (mut p, ids) = params(&[(6, 3), (1, 6), (3, 6), (1, 3)]);
        let x = numbers(12, 1);
        for activation in [Activation::Relu, Activation::Tanh, Activation::Sigmoid, Activation::Gelu] {
            let block = FeedForward { up: (ids[0], Some(ids[1])), down: (ids[2], Some(ids[3])), activation };
            check_gradients(&mut p, &[(&x, (4, 3))], &|t, p, v| {
                let y = t.feed_forward(p, v[0], block);
                weighted_sum(t, y);
            });
        }
    }

    #[test]
    fn by_hand() {
        let mut p = Params::new();
        let up = p.add("up", (2, 1), vec![1.0, -1.0]);
        let down = p.add("down", (1, 2), vec![10.0, 100.0]);
        let mut t = Tape::inference();
        let x = t.input(&[3.0, -2.0], (2, 1));
        let block = FeedForward { up: (up, None), down: (down, None), activation: Activation::Relu };
        let y = t.feed_forward(&p, x, block);
        assert_eq!(t.value(y), [30.0, 200.0]);
    }
}

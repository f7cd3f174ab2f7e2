//! The layers. One file each: forward, backward, a plain reference twin, tests against finite differences.
//!
//! A layer is a method of [`Tape`](crate::Tape) that computes its output and records how to go back.

pub mod activation;
pub mod additive_attention;
pub mod attention;
pub mod bag;
pub mod copied;
pub mod cross_entropy;
pub mod dropout;
pub mod elementwise;
pub mod embedding;
pub mod feed_forward;
pub mod gaussian;
pub mod linear;
pub mod linear_transposed;
pub mod losses;
pub mod mixture;
pub mod normalise;
pub(crate) mod output;
pub mod pooling;
pub mod reshape;
pub mod rnn;
pub mod rotary;
pub mod rows;
pub mod softmax;
pub mod stacking;
#[cfg(test)]
pub(crate) mod testing;
pub mod whiten;
pub mod windows;

use crate::tape::{Backward, Op};

/// The op of a node that has no way back (inputs).
pub(crate) enum Never {}

impl Op for Never {
    fn name(&self) -> &'static str {
        match *self {}
    }
    fn backward(&mut self, _: &[f32], _: &mut Backward<'_>) {
        match *self {}
    }
}

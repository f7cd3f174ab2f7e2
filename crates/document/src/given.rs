//! Documents that are given beside the one that is read or written, which attends to their sentences.
//!
//! They are read as one sequence of rows (Z + 1): a row of zeros, so that there always is one, then the standardised latents
//! of each. The last number of a row is -1 in that first row, 1 at a document's first sentence, else 0. A Transformer that
//! sees all of them in both directions gives each row a state (H).

use std::sync::Arc;

use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use strait_engine::{Packing, Params, Tape, Var};
use strait_model::{
    seq2seq::Encoded,
    transformer::{Dense, Stack, Surroundings},
};

use crate::{
    DocumentConfig,
    trunk::{shape, transformer},
};

/// The weights.
pub(crate) struct Encoder {
    /// (H, Z + 1).
    input: Dense,
    stack: Stack,
}

/// Given documents as a reader attends to them.
#[derive(Debug, Clone)]
pub struct Given(pub(crate) Arc<Encoded>);

/// States of the given documents of a batch.
pub(crate) struct States {
    /// (M, H) packed.
    pub(crate) rows: Var,
    pub(crate) packing: Arc<Packing>,
    /// The packed sequence of each of the batch.
    pub(crate) of: Vec<u32>,
}

impl Encoder {
    /// Adds the weights `given.*` for latents of `z` numbers.
    pub(crate) fn new(params: &mut Params, config: &DocumentConfig, z: usize, rng: &mut impl Rng) -> Self {
        let (input, stack) = transformer(params, "given", (shape(config), z), rng);
        Encoder { input, stack }
    }

    /// The rows of each of a batch, as [`rows`] makes them.
    pub(crate) fn forward(
        &self,
        tape: &mut Tape,
        params: &Params,
        batch: &[&[f32]],
        dropout: f32,
        rng: &mut impl Rng,
    ) -> States {
        let width = params.shape(self.input.0).1;
        let mut longest_first: Vec<usize> = (0..batch.len()).collect();
        longest_first.sort_by_key(|&b| std::cmp::Reverse(batch[b].len()));
        let mut of = vec![0; batch.len()];
        longest_first.iter().enumerate().for_each(|(sequence, &b)| of[b] = sequence as u32);
        let lengths: Vec<usize> = longest_first.iter().map(|&b| batch[b].len() / width).collect();
        let packing = Arc::new(Packing::new(&lengths));
        let mut rows = Vec::with_capacity(packing.rows() * width);
        for t in 0..packing.steps() {
            for &b in &longest_first[..packing.active(t)] {
                rows.extend_from_slice(&batch[b][t * width..(t + 1) * width]);
            }
        }
        let x = tape.input(&rows, (packing.rows(), width));
        let x = tape.dropout(x, dropout, rng);
        let x = tape.linear(params, x, self.input.0, Some(self.input.1));
        let rows = self.stack.forward(tape, params, x, Surroundings::alone(&packing), rng);
        States { rows, packing, of }
    }

    /// What a reader attends to, of rows as [`rows`] makes them.
    pub(crate) fn encode(&self, params: &Params, rows: &[f32]) -> Given {
        let (mut tape, mut silent) = (Tape::inference(), ChaCha8Rng::seed_from_u64(0));
        let states = self.forward(&mut tape, params, &[rows], 0.0, &mut silent);
        Given(Arc::new(Encoded::of_states(tape.value(states.rows).to_vec(), states.packing.rows())))
    }
}

/// The rows (1 + N, Z + 1) of given documents, whose standardised latents (T, Z) are `documents`.
pub(crate) fn rows<'a>(documents: impl Iterator<Item = &'a [f32]>, z: usize) -> Vec<f32> {
    let mut out = vec![0.0; z];
    out.push(-1.0);
    for document in documents {
        for (t, latent) in document.chunks(z).enumerate() {
            out.extend_from_slice(latent);
            out.push(if t == 0 { 1.0 } else { 0.0 });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NetworkKind;

    #[test]
    fn rows_by_hand() {
        assert_eq!(rows([].into_iter(), 2), [0.0, 0.0, -1.0]);
        let documents = [&[1.0, 2.0, 3.0, 4.0][..], &[5.0, 6.0]];
        let expected = [0.0, 0.0, -1.0, 1.0, 2.0, 1.0, 3.0, 4.0, 0.0, 5.0, 6.0, 1.0];
        assert_eq!(rows(documents.into_iter(), 2), expected);
    }

    /// What each of a batch is given is its own, in whatever order their lengths come.
    #[test]
    fn a_batch_is_what_each_is_alone() {
        let kind = NetworkKind::Transformer;
        let config = DocumentConfig { kind, hidden: 8, heads: 2, given: true, ..Default::default() };
        let (mut params, mut rng) = (Params::new(), ChaCha8Rng::seed_from_u64(1));
        let encoder = Encoder::new(&mut params, &config, 2, &mut rng);
        let document = |n: usize| -> Vec<f32> { (0..2 * n).map(|i| (1.3 * (i + n) as f32).sin()).collect() };
        let batch: Vec<Vec<f32>> = [1, 4, 0, 4].map(|n| rows([&document(n)[..]].into_iter(), 2)).into();
        let slices: Vec<&[f32]> = batch.iter().map(Vec::as_slice).collect();
        let mut tape = Tape::inference();
        let states = encoder.forward(&mut tape, &params, &slices, 0.0, &mut rng);
        for (b, rows) in batch.iter().enumerate() {
            let mut alone_tape = Tape::inference();
            let one = encoder.forward(&mut alone_tape, &params, &[rows], 0.0, &mut rng);
            for t in 0..rows.len() / 3 {
                let together = states.packing.row(states.of[b] as usize, t) * 8;
                let (found, expected) =
                    (&tape.value(states.rows)[together..together + 8], &alone_tape.value(one.rows)[t * 8..]);
                assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{b} {t}");
            }
        }
    }
}

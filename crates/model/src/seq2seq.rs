//! Sources to targets: what an [`Autoencoder`] does whose decoder attends to the encoder's states (`task = "seq2seq"`).
//!
//! The encoder reads the source, closed by the end symbol; its states stay as they are, one for each token, and the decoder
//! asks them anew for each token that it writes (Bahdanau et al. 2015; Luong et al. 2015; Vaswani et al. 2017).

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use strait_engine::{Packing, Tape, Var};
use strait_text::TokenizerKind;

use crate::{
    Autoencoder, StepLoss,
    autoencoder::{BATCH_TOKENS, Conditions, ranges},
    batch::{Batch, Corruption, Sequences},
    decoding::{self, NextToken as _, Options, Output, Prefix},
    generate::special,
};

/// Sources decoded together: with a beam each has several rows.
const SOURCES: usize = 32;

/// Sources as a decoder attends to them.
#[derive(Debug)]
pub struct Encoded {
    pub(crate) packing: Arc<Packing>,
    /// (M, W) packed.
    pub(crate) states: Vec<f32>,
    /// (rows, F), if the decoder starts from them.
    pub(crate) features: Vec<f32>,
    /// The packed sequence of each row.
    pub(crate) rows: Vec<u32>,
}

impl Autoencoder {
    /// Whether it writes targets for sources; then only the methods of this file, and those that know no text, apply.
    pub fn is_seq2seq(&self) -> bool {
        self.recipe().is_seq2seq()
    }

    /// A training batch of pairs: the recipe's noise on the sources, word dropout on what the decoder is fed.
    pub fn training_pairs<S: AsRef<[u32]>, T: AsRef<[u32]>>(
        &self,
        sources: &[S],
        targets: &[T],
        rng: &mut impl Rng,
    ) -> Batch {
        Batch::of_pairs(sources, targets, self.corruption(), rng)
    }

    /// The features and the states of packed sources.
    pub(crate) fn read_sources(&self, tape: &mut Tape, source: &Sequences, rng: &mut impl Rng) -> Conditions {
        let (encoder, table) = (self.encoder(), self.source_table());
        let Some(states) = encoder.states(tape, &self.params, table, source, rng) else { return Conditions::default() };
        let starts = self.decoder().starts_from_features();
        let z = if starts { encoder.pool(tape, &self.params, states, source, rng) } else { None };
        Conditions { z, states: Some(states) }
    }

    /// The loss of targets given their sources, without noise and dropout; each pair's nats go to `each`, in the caller's
    /// order.
    ///
    /// # Panics
    /// If there is not one target for each source.
    pub fn score_pairs<S: AsRef<[u32]>, T: AsRef<[u32]>>(
        &mut self,
        sources: &[S],
        targets: &[T],
        each: &mut Vec<f64>,
    ) -> StepLoss {
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let mut total = StepLoss::default();
        each.clear();
        for range in ranges(targets, BATCH_TOKENS) {
            tape.reset();
            let (sources, targets) = (&sources[range.clone()], &targets[range]);
            let batch = Batch::of_pairs(sources, targets, Corruption::default(), &mut rng);
            let given = self.read_sources(&mut tape, &batch.source, &mut rng);
            total = total.and(self.decode_loss(&mut tape, given, (&batch, 0.0, 1.0), &mut rng));
            let at = each.len();
            each.resize(at + targets.len(), 0.0);
            let sums = self.decoder().sequence_nats(&tape, &batch);
            Batch::order(targets).iter().zip(sums).for_each(|(&i, s)| each[at + i as usize] = s);
        }
        total
    }

    /// Reads sources, `times` rows for each.
    pub fn encode_sources<S: AsRef<[u32]>>(&self, sources: &[S], times: usize) -> Encoded {
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let source = Sequences::sources(sources);
        let Conditions { z, states } = self.read_sources(&mut tape, &source, &mut rng);
        let values = |v: Option<Var>| v.map_or(&[][..], |v| tape.value(v));
        let rows: Vec<u32> = source.places().iter().flat_map(|&place| std::iter::repeat_n(place, times)).collect();
        let width = z.map_or(0, |z| tape.shape(z).1);
        let features = rows.iter().flat_map(|&row| &values(z)[row as usize * width..][..width]).copied().collect();
        Encoded { packing: source.packing, states: values(states).to_vec(), features, rows }
    }

    /// Writes `n` targets for each source: the best of a beam, best first, or, without one, `n` draws. `seeds` (one for
    /// each source) give the random streams; a target depends on its source and seed, not on the others. Check `options`
    /// first ([`Options::check_for`]).
    ///
    /// # Panics
    /// If there is not one seed for each source.
    pub fn generate_from<S: AsRef<[u32]> + Sync>(
        &self,
        sources: &[S],
        (options, n): (&Options, usize),
        tokenizer: TokenizerKind,
        seeds: &[u64],
    ) -> Vec<Vec<Output>> {
        assert_eq!(sources.len(), seeds.len(), "one seed for each source");
        let special = special(tokenizer);
        let together = sources.len().div_ceil(rayon::current_num_threads()).clamp(1, SOURCES);
        let chunks: Vec<Vec<Vec<Output>>> = sources
            .par_chunks(together)
            .enumerate()
            .map(|(i, sources)| {
                let times = if options.beam > 1 { 1 } else { n };
                let options = own_prefixes(options, i * together..i * together + sources.len(), times);
                let mut generator = self.generator_from(sources, times);
                if options.beam > 1 {
                    return decoding::decode_nbest(&mut generator, &options, special, n);
                }
                let seeds: Vec<u64> = seeds[i * together..][..sources.len()]
                    .iter()
                    .flat_map(|&seed| {
                        (0..n as u64).map(move |draw| seed.wrapping_add(draw.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
                    })
                    .collect();
                let outputs = decoding::decode(&mut generator, &options, special, &seeds);
                outputs.chunks(n).map(<[Output]>::to_vec).collect()
            })
            .collect();
        chunks.into_iter().flatten().collect()
    }

    fn generator_from<S: AsRef<[u32]>>(&self, sources: &[S], times: usize) -> crate::decoder::Generator<'_> {
        let encoded = self.encode_sources(sources, times);
        self.decoder().generator_from(&self.params, self.embedding(), &encoded)
    }

    /// Where it looked: for each token of `target`, and its end, the weights over the source's tokens and its end, which
    /// sum to 1; averaged over heads and blocks.
    pub fn attention_of(&self, source: &[u32], target: &[u32], tokenizer: TokenizerKind) -> Vec<Vec<f32>> {
        let mut generator = self.generator_from(&[source], 1);
        let mut logits = Vec::new();
        let fed = std::iter::once(special(tokenizer).bos).chain(target.iter().copied());
        fed.map(|token| {
            generator.step(&[token], &mut logits);
            generator.weights(0).unwrap_or_default()
        })
        .collect()
    }
}

/// The options for some of the sources, each with `times` rows.
fn own_prefixes(options: &Options, sources: std::ops::Range<usize>, times: usize) -> Options {
    let mut own = options.clone();
    if let Prefix::Rows(all) = &options.prefix {
        let rows = sources.flat_map(|i| std::iter::repeat_n(all.get(i).cloned().unwrap_or_default(), times));
        own.prefix = Prefix::Rows(rows.collect());
    }
    own
}

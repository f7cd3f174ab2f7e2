//! Sources to targets: what an [`Autoencoder`] does whose decoder attends to the encoder's states (`task = "seq2seq"`).
//!
//! The encoder reads the source, closed by the end symbol; its states stay as they are, one for each token, and the decoder
//! asks them anew for each token that it writes (Bahdanau et al. 2015; Luong et al. 2015; Vaswani et al. 2017). A latent may lie
//! between source and target, so that a source has many targets ([`Conditional`](crate::latent::Conditional)); with
//! `attention.kind = "none"` it, and the features that the decoder starts from, are all that is known of the source.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use strait_engine::{Packing, Tape, Var, init, ops::gaussian::Divergence};
use strait_text::TokenizerKind;

use crate::{
    Autoencoder, StepLoss,
    autoencoder::{BATCH_TOKENS, Conditions, own_noise, ranges},
    batch::{Batch, Corruption, Sequences},
    config::AttentionKind,
    decoding::{self, NextToken as _, Options, Output, Prefix},
    generate::special,
    latent::Code,
};

/// Sources decoded together: with a beam each has several rows.
const SOURCES: usize = 32;

/// Sources as a decoder attends to them.
#[derive(Debug)]
pub struct Encoded {
    pub(crate) packing: Arc<Packing>,
    /// Tokens, ends included, (M) packed.
    pub(crate) tokens: Vec<u32>,
    /// (M, W) packed.
    pub(crate) states: Vec<f32>,
    /// (rows, F), if the decoder starts from them.
    pub(crate) features: Vec<f32>,
    /// (rows, Z), with a latent between source and target.
    pub(crate) latents: Vec<f32>,
    /// The packed sequence of each row.
    pub(crate) rows: Vec<u32>,
}

impl Encoded {
    /// States (M, W) of one sequence of M >= 1 places that are no tokens, which one row attends to.
    pub fn of_states(states: Vec<f32>, places: usize) -> Self {
        Encoded {
            packing: Arc::new(Packing::new(&[places])),
            tokens: Vec::new(),
            states,
            features: Vec::new(),
            latents: Vec::new(),
            rows: vec![0],
        }
    }
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
        let wanted = self.decoder().starts_from_features() || self.conditional().is_some();
        let features = if wanted { encoder.pool(tape, &self.params, states, source, rng) } else { None };
        let attends = self.recipe().attention.kind != AttentionKind::None;
        Conditions { z: None, features, states: attends.then_some(states) }
    }

    /// What training targets are written from. With a latent between source and target also a draw of it, and its
    /// posterior in the scale of its prior ([`Code::relative_to`]).
    pub(crate) fn read_pairs(
        &self,
        tape: &mut Tape,
        batch: &Batch,
        rng: &mut impl Rng,
    ) -> (Conditions, Option<(Var, Code)>) {
        let given = self.read_sources(tape, &batch.source, rng);
        let Some([posterior, prior]) = self.between(tape, given, batch, rng) else { return (given, None) };
        let noise = init::normal(tape.value(posterior.mean).len(), 1.0, rng);
        let z = posterior.draw(tape, &noise);
        let z = tape.dropout(z, self.recipe().latent.dropout, rng);
        (given, Some((z, posterior.relative_to(tape, prior))))
    }

    /// The posterior and the prior of the latent between sources and targets, in the order of the sources.
    fn between(&self, tape: &mut Tape, given: Conditions, batch: &Batch, rng: &mut impl Rng) -> Option<[Code; 2]> {
        let (conditional, x) = self.conditional().zip(given.features)?;
        let targets = batch.whole_targets();
        let y = self.encoder().forward(tape, &self.params, self.embedding(), &targets, rng)?;
        let y = tape.gather_rows(y, &batch.target_of());
        Some([conditional.recognise(tape, &self.params, [x, y]), conditional.expect(tape, &self.params, x)])
    }

    /// The loss of targets given their sources, without noise and dropout; each pair's nats go to `each`, in the caller's
    /// order. With a latent between them it is a bound: one draw of the posterior, whose noise depends on the target
    /// alone, and its divergence from the prior.
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
            let mut given = self.read_sources(&mut tape, &batch.source, &mut rng);
            let at = each.len();
            each.resize(at + targets.len(), 0.0);
            let each = &mut each[at..];
            if let Some([posterior, prior]) = self.between(&mut tape, given, &batch, &mut rng) {
                let places = || batch.source.order.iter().map(|&i| i as usize);
                let size = tape.shape(posterior.mean).1;
                let noise: Vec<f32> = places().flat_map(|i| own_noise(targets[i].as_ref(), size)).collect();
                given.z = Some(posterior.draw(&mut tape, &noise));
                let relative = posterior.relative_to(&mut tape, prior);
                if let Some(log_variance) = relative.log_variance {
                    let uncharged = Divergence { scale: 0.0, free: 0.0 };
                    total.divergence += tape.kl_standard_normal(relative.mean, log_variance, uncharged);
                    places().zip(tape.row_divergence()).for_each(|(i, kl)| each[i] += kl);
                }
            }
            total = total.and(self.decode_loss(&mut tape, given, (&batch, 0.0, 1.0), &mut rng));
            let sums = self.decoder().sequence_nats(&tape, &batch);
            Batch::order(targets).iter().zip(sums).for_each(|(&i, s)| each[i as usize] += s);
        }
        total
    }

    /// Reads sources, `times` rows for each. A latent between source and target is drawn from its prior by each row's
    /// seed; without seeds it is the prior's mean.
    pub fn encode_sources<S: AsRef<[u32]>>(&self, sources: &[S], times: usize, seeds: Option<&[u64]>) -> Encoded {
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let source = Sequences::sources(sources);
        let Conditions { features, states, .. } = self.read_sources(&mut tape, &source, &mut rng);
        let rows: Vec<u32> = source.places().iter().flat_map(|&place| std::iter::repeat_n(place, times)).collect();
        let latents = self.conditional().zip(features).map_or(Vec::new(), |(conditional, x)| {
            let x = tape.gather_rows(x, &rows);
            let prior = conditional.expect(&mut tape, &self.params, x);
            let noise: Vec<f32> =
                seeds.iter().flat_map(|seeds| seeds.iter()).flat_map(|&s| noise(s, conditional.size())).collect();
            let z = if noise.is_empty() { prior.mean } else { prior.draw(&mut tape, &noise) };
            tape.value(z).to_vec()
        });
        let values = |v: Option<Var>| v.map_or(&[][..], |v| tape.value(v));
        let starts = features.filter(|_| self.decoder().starts_from_features());
        let width = starts.map_or(0, |f| tape.shape(f).1);
        let features = rows.iter().flat_map(|&row| &values(starts)[row as usize * width..][..width]).copied().collect();
        let tokens = source.ids;
        Encoded { packing: source.packing, tokens, states: values(states).to_vec(), features, latents, rows }
    }

    /// Writes `n` targets for each source: the best of a beam, best first, or, without one, `n` draws. With a latent
    /// between source and target each is written from a draw of its own (one without a temperature: from the mean).
    /// `seeds` (one for each source) give the random streams; a target depends on its source and seed, not on the others. Check `options`
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
                // Of a beam's hypotheses all have one latent: of several each has a beam of its own.
                let (each, times) = match (options.beam > 1, self.conditional().is_some()) {
                    (true, false) => (n, 1),
                    _ => (1, n),
                };
                let options = own_prefixes(options, i * together..i * together + sources.len(), times);
                let seeds: Vec<u64> = seeds[i * together..][..sources.len()]
                    .iter()
                    .flat_map(|&seed| {
                        (0..times as u64).map(move |draw| seed.wrapping_add(draw.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
                    })
                    .collect();
                let drawn = (n > 1 || options.temperature > 0.0).then_some(&seeds[..]);
                let mut generator = self.generator_from((sources, times), drawn);
                // A beam may find fewer than it is asked for.
                let lists = match options.beam > 1 {
                    true => decoding::decode_nbest(&mut generator, &options, special, each),
                    false => decoding::decode(&mut generator, &options, special, &seeds)
                        .into_iter()
                        .map(|o| vec![o])
                        .collect(),
                };
                lists.chunks(times).map(<[Vec<Output>]>::concat).collect()
            })
            .collect();
        chunks.into_iter().flatten().collect()
    }

    fn generator_from<S: AsRef<[u32]>>(
        &self,
        (sources, times): (&[S], usize),
        seeds: Option<&[u64]>,
    ) -> crate::decoder::Generator<'_> {
        let encoded = self.encode_sources(sources, times, seeds);
        self.decoder().generator_from(&self.params, self.embedding(), &encoded)
    }

    /// Where it looked: for each token of `target`, and its end, the weights over the source's tokens and its end, which
    /// sum to 1; averaged over heads and blocks. Rows without attention are empty.
    pub fn attention_of(&self, source: &[u32], target: &[u32], tokenizer: TokenizerKind) -> Vec<Vec<f32>> {
        let mut generator = self.generator_from((&[source], 1), None);
        let mut logits = Vec::new();
        let fed = std::iter::once(special(tokenizer).bos).chain(target.iter().copied());
        fed.map(|token| {
            generator.step(&[token], &mut logits);
            generator.weights(0).unwrap_or_default()
        })
        .collect()
    }
}

/// Standard normal numbers (Z) of a row.
fn noise(seed: u64, size: usize) -> Vec<f32> {
    // Another stream than that of the row's tokens.
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1);
    init::normal(size, 1.0, &mut rng)
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

//! The autoencoder: encoder, latent and decoder over one store of weights.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{ParamId, Params, Tape, init};

use crate::{
    batch::{Batch, Corruption, Sequences},
    config::Recipe,
    decoder::{Decoder, Generator},
    encoder::Encoder,
    latent::Latent,
};

/// Most tokens that are encoded or scored in one batch.
const BATCH_TOKENS: usize = 4096;

/// A text autoencoder with its weights.
pub struct Autoencoder {
    pub params: Params,
    recipe: Recipe,
    embedding: ParamId,
    encoder: Encoder,
    latent: Latent,
    decoder: Decoder,
}

/// What one batch cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepLoss {
    /// Sum over the tokens of `-log p(token | before, z)`, in nats.
    pub nats: f64,
    /// Tokens predicted, end symbols included.
    pub tokens: usize,
    /// Tokens whose most likely prediction was right.
    pub correct: usize,
}

impl StepLoss {
    /// The sum of two.
    pub fn and(self, other: StepLoss) -> StepLoss {
        StepLoss {
            nats: self.nats + other.nats,
            tokens: self.tokens + other.tokens,
            correct: self.correct + other.correct,
        }
    }
}

impl Autoencoder {
    /// A model with fresh weights for a vocabulary of `vocabulary` tokens.
    pub fn new(recipe: &Recipe, vocabulary: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut params = Params::new();
        let e = recipe.encoder.embedding;
        let table = init::normal(vocabulary * e, 0.1, &mut rng);
        let embedding = params.add("embedding.weight", (vocabulary, e), table);
        let encoder = Encoder::new(&mut params, &recipe.encoder, recipe.latent.size, &mut rng);
        let latent = Latent::new(&mut params, &recipe.latent);
        let decoder = Decoder::new(&mut params, &recipe.decoder, embedding, recipe.latent.size, &mut rng);
        Autoencoder { params, recipe: recipe.clone(), embedding, encoder, latent, decoder }
    }

    /// What it was built from.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Dimensions of a latent, Z.
    pub fn latent_size(&self) -> usize {
        self.latent.size()
    }

    /// Size of the vocabulary, V.
    pub fn vocabulary(&self) -> usize {
        self.params.shape(self.embedding).0
    }

    /// A training batch: the recipe's noise on the sources, word dropout on what the decoder is fed.
    pub fn training_batch<T: AsRef<[u32]>>(&self, texts: &[T], rng: &mut impl Rng) -> Batch {
        let noise = &self.recipe.objective.noise;
        let corruption = Corruption {
            noise: (!noise.is_none()).then_some(noise),
            word_dropout: self.recipe.decoder.word_dropout,
            vocabulary: self.vocabulary(),
        };
        Batch::new(texts, corruption, rng)
    }

    /// One training step up to the gradients: records the loss (mean nats per token) and plays it backward.
    ///
    /// # Errors
    /// If the loss is not finite.
    pub fn train(
        &mut self,
        tape: &mut Tape,
        batch: &Batch,
        rng: &mut impl Rng,
    ) -> Result<StepLoss, strait_engine::Error> {
        tape.reset();
        let u = self.encoder.forward(tape, &self.params, self.embedding, &batch.source, rng);
        let z = self.latent.train(tape, &mut self.params, u, rng);
        let loss = self.decode_loss(tape, z, batch, self.recipe.objective.label_smoothing, rng);
        tape.backward(&mut self.params)?;
        Ok(loss)
    }

    /// The loss of clean texts from clean latents, without noise or dropout; each text's nats go to `each`, in the
    /// caller's order.
    pub fn score<T: AsRef<[u32]>>(&mut self, texts: &[T], each: &mut Vec<f64>) -> StepLoss {
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let mut total = StepLoss::default();
        each.clear();
        for range in ranges(texts, BATCH_TOKENS) {
            let texts = &texts[range];
            tape.reset();
            let batch = Batch::new(texts, Corruption::default(), &mut rng);
            let u = self.encoder.forward(&mut tape, &self.params, self.embedding, &batch.source, &mut rng);
            let z = self.latent.infer(&mut tape, &self.params, u);
            total = total.and(self.decode_loss(&mut tape, z, &batch, 0.0, &mut rng));
            let mut sums = vec![0.0; texts.len()];
            for (nats, row) in tape.row_nats().zip(batch.packing.sequence_of_rows()) {
                sums[row] += nats as f64;
            }
            let order = Batch::order(texts);
            let at = each.len();
            each.resize(at + texts.len(), 0.0);
            order.iter().zip(sums).for_each(|(&i, s)| each[at + i as usize] = s);
        }
        total
    }

    fn decode_loss(
        &mut self,
        tape: &mut Tape,
        z: strait_engine::Var,
        batch: &Batch,
        smoothing: f32,
        rng: &mut impl Rng,
    ) -> StepLoss {
        let z = tape.gather_rows(z, &batch.source_of);
        let scored = self.decoder.loss(tape, &mut self.params, self.embedding, (z, batch, smoothing), rng);
        StepLoss { nats: scored.nats, tokens: batch.tokens(), correct: scored.correct }
    }

    /// Texts as ids -> latents (n, Z), row-major, in order. A text's latent does not depend on the others.
    pub fn encode<T: AsRef<[u32]>>(&self, texts: &[T]) -> Vec<f32> {
        let z = self.latent_size();
        let mut out = vec![0.0; texts.len() * z];
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        // Similar lengths together: fewer and fuller time steps.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(texts[i].as_ref().len()));
        let sorted: Vec<&[u32]> = order.iter().map(|&i| texts[i].as_ref()).collect();
        let tokens: usize = sorted.iter().map(|t| t.len() + 1).sum();
        let folded = (tokens > self.vocabulary()).then(|| self.encoder.fold(&self.params, self.embedding));
        for range in ranges(&sorted, BATCH_TOKENS) {
            tape.reset();
            let source = Sequences::sources(&sorted[range.clone()]);
            let u = match &folded {
                Some(folded) => self.encoder.forward_folded(&mut tape, &self.params, folded, &source, &mut rng),
                None => self.encoder.forward(&mut tape, &self.params, self.embedding, &source, &mut rng),
            };
            let latents = self.latent.infer(&mut tape, &self.params, u);
            for (row, &b) in tape.value(latents).chunks_exact(z).zip(&source.order) {
                out[order[range.start + b as usize] * z..][..z].copy_from_slice(row);
            }
        }
        out
    }

    /// Starts generating from latents (n, Z).
    pub fn generator(&self, latents: &[f32]) -> Generator<'_> {
        self.decoder.generator(&self.params, self.embedding, latents)
    }
}

/// Cuts texts into ranges of at most `tokens` tokens (at least one text each).
fn ranges<T: AsRef<[u32]>>(texts: &[T], tokens: usize) -> Vec<std::ops::Range<usize>> {
    let (mut out, mut start, mut sum) = (Vec::new(), 0, 0);
    for (i, t) in texts.iter().enumerate() {
        let len = t.as_ref().len() + 1;
        if i > start && sum + len > tokens {
            out.push(start..i);
            (start, sum) = (i, 0);
        }
        sum += len;
    }
    if start < texts.len() {
        out.push(start..texts.len());
    }
    out
}

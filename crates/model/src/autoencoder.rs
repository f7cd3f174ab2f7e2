//! The autoencoder: encoder, latent and decoder over one store of weights. Without encoder and latent it is a language
//! model; with a decoder that attends to the encoder's states it writes targets for sources ([`crate::seq2seq`]).

mod scoring;

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{ParamId, Params, Tape, Var, init, ops::cross_entropy::Scored, optim::Optimiser};

pub(crate) use scoring::{own_noise, ranges};

use crate::{
    batch::{Batch, Corruption},
    config::{AttentionKind, Recipe},
    decoder::{Decoder, Generator, Given, Task},
    decoding::Words,
    encoder::{Encoder, Outside},
    latent::{Code, Codebook, Conditional, Latent},
    objective::{Figures, Progress, Regulariser},
    prior::Prior,
    text_gan::TextGan,
};

/// Most tokens that are encoded or scored in one batch.
pub(crate) const BATCH_TOKENS: usize = 4096;

/// A text autoencoder, or a language model, with its weights.
pub struct Autoencoder {
    pub params: Params,
    recipe: Recipe,
    embedding: ParamId,
    /// The table of the sources' tokens, if they have a vocabulary of their own.
    source_embedding: Option<ParamId>,
    encoder: Encoder,
    /// `None` in a language model, and where the decoder attends to the encoder's states.
    latent: Option<Latent>,
    /// The latent between source and target, if there is one.
    conditional: Option<Conditional>,
    decoder: Decoder,
    regulariser: Regulariser,
    /// Of a language model that is trained against a discriminator.
    text_gan: Option<Arc<TextGan>>,
    /// The words of the corpus, once they are known; see [`Options::known_words`](crate::decoding::Options).
    pub words: Option<Arc<Words>>,
}

/// What a decoder writes from: a row for each text of the batch, and the states that it attends to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Conditions {
    /// Latents (B, Z).
    pub(crate) z: Option<Var>,
    /// In seq2seq the encoder's features (B, F).
    pub(crate) features: Option<Var>,
    /// (M, W) packed as the sources.
    pub(crate) states: Option<Var>,
}

impl Conditions {
    /// The task of a batch, with factors of the rows' nats if they count differently.
    pub(crate) fn task<'a>(
        self,
        tape: &mut Tape,
        (batch, label_smoothing, scale): (&'a Batch, f32, f32),
        row_weights: Option<&'a [f32]>,
    ) -> Task<'a> {
        let [z, features] = [self.z, self.features].map(|v| v.map(|v| tape.gather_rows(v, &batch.source_of)));
        Task { z, features, states: self.states, batch, label_smoothing, unlikelihood: 0.0, row_weights, scale }
    }

    fn latents(z: Option<Var>) -> Self {
        Conditions { z, ..Conditions::default() }
    }
}

/// What one batch cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepLoss {
    /// Sum over the tokens of `-log p(token | before, z)`, in nats.
    pub nats: f64,
    /// What training minimises of it: the same, but for label smoothing, and for tokens that a bag decoder thins out.
    pub objective: f64,
    /// Sum over the texts of the divergence of the posterior from N(0, I), in nats; 0 without one.
    pub divergence: f64,
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
            objective: self.objective + other.objective,
            divergence: self.divergence + other.divergence,
            tokens: self.tokens + other.tokens,
            correct: self.correct + other.correct,
        }
    }

    /// Reconstruction and divergence: minus the evidence lower bound, where the latent has a posterior.
    pub fn bound(self) -> f64 {
        self.nats + self.divergence
    }
}

/// Whether a weight of this name is there for a latent's sake: the language model that is a model's decoder alone lacks it.
pub fn is_of_latent(name: &str) -> bool {
    let reads_it = || ["start.", ".weight_zh_", ".memory."].iter().any(|part| name.contains(part));
    name.starts_with("encoder.") || name.starts_with("latent.") || (name.starts_with("decoder.") && reads_it())
}

impl Autoencoder {
    /// A model with fresh weights for a vocabulary of `vocabulary` tokens.
    pub fn new(recipe: &Recipe, vocabulary: usize, seed: u64) -> Self {
        Autoencoder::with_sources(recipe, (vocabulary, None), seed)
    }

    /// As [`Autoencoder::new`]; the second vocabulary is that of the sources, if they have one of their own.
    pub fn with_sources(recipe: &Recipe, (vocabulary, sources): (usize, Option<usize>), seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut params = Params::new();
        let e = recipe.encoder.embedding;
        let table = init::normal(vocabulary * e, 0.1, &mut rng);
        let embedding = params.add("embedding.weight", (vocabulary, e), table);
        let source_embedding = sources.map(|sources| {
            let table = init::normal(sources * e, 0.1, &mut rng);
            params.add("encoder.embedding.weight", (sources, e), table)
        });
        let encoder = Encoder::new(&mut params, &recipe.encoder, recipe.latent.slots, &mut rng);
        let features = encoder.width();
        let has_latent = features > 0 && !recipe.is_seq2seq();
        let latent = has_latent.then(|| Latent::new(&mut params, &recipe.latent, features, &mut rng));
        let conditional = recipe.is_conditional();
        let conditional = conditional.then(|| Conditional::new(&mut params, recipe.latent.size, features, &mut rng));
        let mut decoder = Decoder::new(&mut params, &recipe.decoder, embedding, given(recipe, features), &mut rng);
        let regulariser = Regulariser::new(&mut params, &recipe.objective.regulariser, &recipe.latent, &mut rng);
        let text_gan = recipe.objective.text_gan.as_ref();
        let text_gan = text_gan.map(|config| Arc::new(TextGan::new(&mut params, config, vocabulary, &mut rng)));
        if let Some(gan) = &text_gan {
            decoder.be_led(&mut params, |params, columns| gan.manager(params, columns, &mut rng));
        }
        let (recipe, words) = (recipe.clone(), None);
        Autoencoder {
            params,
            recipe,
            embedding,
            source_embedding,
            encoder,
            latent,
            conditional,
            decoder,
            regulariser,
            text_gan,
            words,
        }
    }

    /// What it was built from.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Dimensions of a latent, Z; 0 in a language model.
    pub fn latent_size(&self) -> usize {
        self.latent.as_ref().map_or(0, Latent::size)
    }

    /// Size of the vocabulary, V.
    pub fn vocabulary(&self) -> usize {
        self.params.shape(self.embedding).0
    }

    /// Size of the sources' vocabulary, the same as [`Autoencoder::vocabulary`] unless they have one of their own.
    pub fn source_vocabulary(&self) -> usize {
        self.params.shape(self.source_table()).0
    }

    pub(crate) fn source_table(&self) -> ParamId {
        self.source_embedding.unwrap_or(self.embedding)
    }

    pub(crate) fn embedding(&self) -> ParamId {
        self.embedding
    }

    /// The networks of the latent between source and target, if there is one.
    pub(crate) fn conditional(&self) -> Option<&Conditional> {
        self.conditional.as_ref()
    }

    pub(crate) fn text_gan(&self) -> Option<Arc<TextGan>> {
        self.text_gan.clone()
    }

    pub(crate) fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    pub(crate) fn corruption(&self) -> Corruption<'_> {
        let noise = &self.recipe.objective.noise;
        Corruption {
            noise: (!noise.is_none()).then_some(noise),
            word_dropout: self.recipe.decoder.word_dropout,
            vocabulary: self.source_vocabulary(),
        }
    }

    /// A training batch: the recipe's noise on the sources, word dropout on what the decoder is fed.
    pub fn training_batch<T: AsRef<[u32]>>(&self, texts: &[T], rng: &mut impl Rng) -> Batch {
        Batch::new(texts, self.corruption(), rng)
    }

    /// One training step up to the gradients of the autoencoder's own weights: records the loss (per token) and plays
    /// it backward. Returns what it cost and other figures by name. Between this and the next call,
    /// [`Autoencoder::train_adversary`] may train the regulariser's networks.
    ///
    /// # Errors
    /// If the loss is not finite.
    pub fn train(
        &mut self,
        tape: &mut Tape,
        batch: &Batch,
        progress: Progress,
        rng: &mut impl Rng,
    ) -> Result<(StepLoss, Figures), strait_engine::Error> {
        tape.reset();
        self.params.set_trainable(Regulariser::PREFIX, false);
        let objective = &self.recipe.objective;
        let (pretraining, progress) = (objective.is_pretraining(progress), objective.after_pretraining(progress));
        let scale = 1.0 / batch.tokens().max(1) as f32;
        let mut given = Conditions::default();
        let (mut features, mut between) = (None, None);
        match self.recipe.is_seq2seq() {
            true => (given, between) = self.read_pairs(tape, batch, rng),
            false => features = self.encoder.forward(tape, &self.params, self.embedding, &batch.source, rng),
        }
        let mut code: Option<Code> = None;
        if let (Some(latent), Some(features)) = (&mut self.latent, features) {
            code = Some(match pretraining {
                true => latent.plain(tape, &mut self.params, features),
                false => latent.train(tape, &mut self.params, features, scale, rng),
            });
        }
        let (drawn, between) = between.unzip();
        given.z = code.map(|c| c.z).or(drawn).or(given.z);
        let drafted = self.drafted(tape, given, (batch, progress), rng);
        let mut loss = self.training_loss(tape, given, (drafted.as_ref().unwrap_or(batch), scale), rng);
        if let (Some(code), false) = (between.or(code), pretraining) {
            loss.divergence = self.regulariser.loss(tape, &mut self.params, code, (progress, scale), rng);
        }
        tape.backward(&mut self.params)?;
        let mut figures = self.regulariser.figures();
        figures.extend(self.latent.as_ref().map(Latent::figures).unwrap_or_default());
        Ok((loss, figures))
    }

    /// Trains the regulariser's own networks (discriminator, critic, generator) on the latents of the last
    /// [`Autoencoder::train`], if it has any.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite.
    pub fn train_adversary(
        &mut self,
        tape: &mut Tape,
        optimiser: &mut Optimiser,
        rng: &mut impl Rng,
    ) -> Result<(), strait_engine::Error> {
        self.params.set_trainable(Regulariser::PREFIX, true);
        self.regulariser.train_own(tape, &mut self.params, optimiser, rng)
    }

    /// The prior that the regulariser has learned beside the autoencoder, if it learns one.
    pub fn learned_prior(&self) -> Option<Prior> {
        self.regulariser.prior(&self.params).map(Prior::Generator)
    }

    pub(crate) fn decode_loss(
        &mut self,
        tape: &mut Tape,
        given: Conditions,
        (batch, label_smoothing, scale): (&Batch, f32, f32),
        rng: &mut impl Rng,
    ) -> StepLoss {
        let task = given.task(tape, (batch, label_smoothing, scale), None);
        self.loss_of(tape, &task, rng)
    }

    /// As [`Autoencoder::decode_loss`], with all that the recipe's objective asks for.
    pub(crate) fn training_loss(
        &mut self,
        tape: &mut Tape,
        given: Conditions,
        (batch, scale): (&Batch, f32),
        rng: &mut impl Rng,
    ) -> StepLoss {
        let objective = &self.recipe.objective;
        let (label_smoothing, unlikelihood) = (objective.label_smoothing, objective.unlikelihood);
        let task = Task { unlikelihood, ..given.task(tape, (batch, label_smoothing, scale), None) };
        let loss = self.loss_of(tape, &task, rng);
        self.mimic(tape, batch, scale);
        loss
    }

    fn loss_of(&mut self, tape: &mut Tape, task: &Task<'_>, rng: &mut impl Rng) -> StepLoss {
        let before = tape.loss();
        let scored = self.decoder_loss(tape, task, rng);
        let objective = (tape.loss() - before) / task.scale as f64;
        let (nats, tokens) = (scored.nats, task.batch.tokens());
        StepLoss { nats, objective, tokens, correct: scored.correct, ..StepLoss::default() }
    }

    /// Records the loss of a task.
    pub(crate) fn decoder_loss(&mut self, tape: &mut Tape, task: &Task<'_>, rng: &mut impl Rng) -> Scored {
        self.decoder.loss(tape, &mut self.params, self.embedding, task, rng)
    }

    /// Where a frozen encoder finds the vectors of texts (before, texts have latents of NaN), or the published encoder or
    /// decoder, whose weights are added and whose new ones `seed` draws. Others need none.
    ///
    /// # Panics
    /// If their sizes are others than the recipe says.
    pub fn set_outside(&mut self, outside: &Outside, seed: u64) {
        match outside {
            Outside::Decoder(published) => self.decoder.set_published(&mut self.params, published, seed),
            _ => self.encoder.set_outside(&mut self.params, outside, seed),
        }
    }

    /// Numbers in the vectors that a frozen encoder reads; 0 with any other.
    pub fn columns(&self) -> usize {
        self.encoder.columns()
    }

    /// Vectors as the frozen encoder reads them (n, columns) -> latents (n, Z), row-major; none with another encoder.
    pub fn latents_of(&self, vectors: &[f32]) -> Option<Vec<f32>> {
        let (latent, columns) = (self.latent.as_ref()?, self.columns());
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let mut out = Vec::new();
        for part in vectors.chunks((BATCH_TOKENS * columns).max(1)) {
            tape.reset();
            let features = self.encoder.features(&mut tape, &self.params, part, &mut rng)?;
            let code = latent.infer(&mut tape, &self.params, features);
            out.extend_from_slice(tape.value(code.mean));
        }
        Some(out)
    }

    /// The codebook, if latents are quantised.
    pub fn codebook(&self) -> Option<Codebook<'_>> {
        self.latent.as_ref().and_then(|latent| latent.codebook(&self.params))
    }

    /// Gives the decoder fresh weights (the embedding, which it shares with the encoder, and a published network keep theirs).
    pub fn restart_decoder(&mut self, rng: &mut impl Rng) {
        let recipe = &self.recipe;
        let mut fresh = Params::new();
        let shape = self.params.shape(self.embedding);
        let embedding = fresh.add("embedding.weight", shape, vec![0.0; shape.0 * shape.1]);
        Decoder::new(&mut fresh, &recipe.decoder, embedding, given(recipe, self.encoder.width()), rng);
        for (_, p) in fresh.iter().filter(|(_, p)| p.name().starts_with(Decoder::PREFIX)) {
            if let Some(id) = self.params.find(p.name()) {
                self.params.assign(id, p.value());
            }
        }
    }

    /// A copy with weights of its own.
    pub fn copy(&self) -> Self {
        let sources = self.source_embedding.map(|id| self.params.shape(id).0);
        let mut copy = Autoencoder::with_sources(&self.recipe, (self.vocabulary(), sources), 0);
        copy.words.clone_from(&self.words);
        let decoder = self.decoder.published().cloned().map(Outside::Decoder);
        self.encoder.outside().iter().chain(&decoder).for_each(|outside| copy.set_outside(outside, 0));
        for (_, p) in self.params.iter() {
            if let Some(id) = copy.params.find(p.name()) {
                copy.params.assign(id, p.value());
            }
        }
        copy
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Starts generating `rows` texts from latents (rows, Z).
    pub fn generator(&self, latents: &[f32], rows: usize) -> Generator<'_> {
        self.decoder.generator(&self.params, self.embedding, latents, rows)
    }
}

/// What a recipe's decoder is given, of an encoder with so many features.
fn given(recipe: &Recipe, features: usize) -> Given<'_> {
    let attends = recipe.is_seq2seq() && recipe.attention.kind != AttentionKind::None;
    let states = if attends { recipe.states() } else { 0 };
    let features = if recipe.is_seq2seq() { features } else { 0 };
    Given { latent: &recipe.latent, attention: &recipe.attention, states, features }
}

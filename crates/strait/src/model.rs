//! A finished model and what can be done with it.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_model::{
    Autoencoder, Frontier, Outside, Vectors,
    config::NetworkKind,
    decoding::{Blocked, Options, Prefix, WordCounts},
    folder::{self, Config, Saved},
    generate,
    prior::{self, Prior},
};
use strait_pretrained::hub::{HubError, HubName};
use strait_text::Tokenizer;

use crate::{Error, Latents};

/// How to decode, in terms of text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoding {
    /// The controls; `None` takes the model's own (greedy, or for samples at a calibrated temperature; with a length
    /// that fits its texts).
    pub options: Option<Options>,
    /// Words or phrases that must not appear.
    pub banned: Vec<String>,
    /// How every text must start.
    pub prefix: Option<String>,
    /// Runs of tokens that are not to be completed; see [`Model::blocked`].
    pub blocked: Option<Arc<Blocked>>,
}

/// A text that was decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text.
    pub text: String,
    /// Its tokens.
    pub tokens: usize,
    /// Whether it ended by itself; false if it was cut at `max_len`.
    pub finished: bool,
}

/// The way between two latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Path {
    /// `(1 - t) a + t b`.
    #[default]
    Straight,
    /// Along the great circle: keeps the length on the way (Shoemake 1985).
    Spherical,
}

/// Draws from a model's prior; see [`Model::draws`].
pub struct Draws<'a> {
    prior: &'a Prior,
    rng: ChaCha8Rng,
}

impl Draws<'_> {
    /// The next `n` latents.
    pub fn take(&mut self, n: usize) -> Latents {
        match self.prior.dim() {
            0 => Latents::without_values(n),
            dim => Latents::new(self.prior.sample_many(n, &mut self.rng), dim),
        }
    }
}

/// A trained model, read from its folder.
pub struct Model {
    pub(crate) config: Config,
    pub(crate) model: Autoencoder,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) source_tokenizer: Option<Tokenizer>,
    pub(crate) prior: Prior,
    /// How odd validation texts are.
    pub(crate) usual: Option<strait_model::Usual>,
    /// How its samples trade quality for variety.
    pub(crate) frontier: Option<Frontier>,
    /// Whether it was given vectors of texts.
    pub(crate) given: bool,
}

impl Model {
    /// Reads and checks a model folder.
    ///
    /// # Errors
    /// If a file is missing, damaged, or from a newer program; the message names the file.
    pub fn open(dir: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        if HubName::is_meant(dir.as_ref()) {
            return Err(HubError::NotTrained(dir.as_ref().display().to_string()).into());
        }
        let Saved { config, model, tokenizer, source_tokenizer, prior, usual, frontier } = folder::open(dir.as_ref())?;
        Ok(Model { config, model, tokenizer, source_tokenizer, prior, usual, frontier, given: false })
    }

    /// Writes the model as a folder that the Python package `transformers` loads, complete or not at all; `replace` one that
    /// is there.
    ///
    /// # Errors
    /// If it is no Transformer language model with rotary positions, or the folder cannot be written.
    pub fn export(&self, dir: impl AsRef<std::path::Path>, replace: bool) -> Result<(), Error> {
        let place = folder::Place::new(dir.as_ref(), "config.json", replace)?;
        for (name, bytes) in strait_model::export::files(&self.model, &self.tokenizer)? {
            place.write(name, &bytes)?;
        }
        Ok(place.finish()?)
    }

    /// What the model is and how it was trained.
    pub fn config(&self) -> &Config {
        &self.config
    }
    /// Whether it is a language model, without encoder and latents: then it samples, and the methods that need
    /// latents return [`Error::NoLatents`] or empty rows.
    pub fn is_language_model(&self) -> bool {
        self.config.recipe.is_language_model()
    }
    /// Dimensions of a latent, Z; 0 in a language model.
    pub fn latent_size(&self) -> usize {
        self.model.latent_size()
    }
    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.model.params.weights()
    }
    /// The prior fitted to the latents of its corpus.
    pub fn prior(&self) -> &Prior {
        &self.prior
    }
    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Whether it turns texts into latents: not without latents, and not one that was trained on vectors, unless it was
    /// given those of the texts at hand ([`Model::give_vectors`]).
    pub fn reads_texts(&self) -> bool {
        self.latent_size() > 0 && (self.given || self.config.recipe.encoder.kind != NetworkKind::Vectors)
    }

    /// Numbers in the vectors that its frozen encoder gives or is given; 0 if it has none.
    pub fn vector_size(&self) -> usize {
        self.model.columns()
    }

    /// Gives a model that was trained on vectors those of texts, a row each: they can then be encoded, and only they.
    ///
    /// # Errors
    /// If the model reads texts, or the vectors are others than those it was trained on, or not one for each text.
    pub fn give_vectors<S: AsRef<str> + Sync>(&mut self, texts: &[S], vectors: &Latents) -> Result<(), Error> {
        if self.config.recipe.encoder.kind != NetworkKind::Vectors {
            return Err(Error::ReadsTexts);
        }
        self.check_vectors(vectors)?;
        if vectors.len() != texts.len() {
            return Err(Error::Rows { vectors: vectors.len(), records: texts.len() });
        }
        let mut given = Vectors::given(vectors.dim());
        given.know(&self.tokenizer.encode_batch(texts), vectors.data());
        self.model.set_outside(&Outside::Vectors(Arc::new(given)), 0);
        self.given = true;
        Ok(())
    }

    /// Vectors as its frozen encoder gives them, or as it was trained on, to latents, in order.
    ///
    /// # Errors
    /// If it has no frozen encoder, or the vectors have another width.
    pub fn latents_of(&self, vectors: &Latents) -> Result<Latents, Error> {
        self.check_vectors(vectors)?;
        match self.model.latents_of(vectors.data()) {
            Some(latents) => Ok(Latents::new(latents, self.latent_size())),
            None => Err(Error::ReadsTexts),
        }
    }

    fn check_vectors(&self, vectors: &Latents) -> Result<(), Error> {
        match (self.vector_size(), vectors.dim()) {
            (0, _) => Err(Error::ReadsTexts),
            (expected, found) if found != expected => Err(Error::Dimensions { found, expected }),
            _ => Ok(()),
        }
    }

    /// Texts to latents, in order. A text's latent does not depend on the others. NaN where the model was trained on vectors
    /// and was not given this text's ([`Model::reads_texts`]).
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Latents {
        if self.latent_size() == 0 {
            return Latents::without_values(texts.len());
        }
        let ids = self.tokenizer.encode_batch(texts);
        Latents::new(self.model.encode(&ids), self.latent_size())
    }

    /// Token ids, as the tokenizer gives them, to latents, in order.
    ///
    /// # Errors
    /// If an id is not of the model's vocabulary.
    pub fn encode_tokens<T: AsRef<[u32]>>(&self, ids: &[T]) -> Result<Latents, Error> {
        let vocabulary = self.model.vocabulary();
        let unknown = |token: &&u32| **token as usize >= vocabulary;
        if let Some(&token) = ids.iter().flat_map(AsRef::as_ref).find(unknown) {
            return Err(Error::UnknownToken { token, vocabulary });
        }
        Ok(match self.latent_size() == 0 {
            true => Latents::without_values(ids.len()),
            false => Latents::new(self.model.encode(ids), self.latent_size()),
        })
    }

    /// Latents to texts, in order; greedy unless told otherwise. Draws use seed 0.
    ///
    /// # Errors
    /// If the latents have other dimensions than the model's, or the controls contradict each other.
    pub fn decode(&self, latents: &Latents, decoding: &Decoding) -> Result<Vec<String>, Error> {
        self.decode_seeded(latents, decoding, 0)
    }

    /// [`Model::decode`] with draws from `seed`; row i depends on its latent, the seed and i.
    pub fn decode_seeded(&self, latents: &Latents, decoding: &Decoding, seed: u64) -> Result<Vec<String>, Error> {
        self.decode_part(latents, 0, decoding, seed)
    }

    /// [`Model::decode_seeded`] of a part whose first row is row `first` of the whole: parts give the same texts as
    /// the whole.
    ///
    /// # Errors
    /// As [`Model::decode`].
    pub fn decode_part(
        &self,
        latents: &Latents,
        first: usize,
        decoding: &Decoding,
        seed: u64,
    ) -> Result<Vec<String>, Error> {
        let rows = self.decode_rows(latents, decoding, &Self::row_seeds(seed, first, latents.len()))?;
        Ok(rows.into_iter().map(|row| row.text).collect())
    }

    /// The seeds with which [`Model::decode_part`] draws rows `first..first + n`.
    pub fn row_seeds(seed: u64, first: usize, n: usize) -> Vec<u64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_word_pos(2 * first as u128); // a seed is two words
        (0..n).map(|_| rng.next_u64()).collect()
    }

    /// Latents to texts, each row with a seed of its own: rows of several requests can be decoded together, and give
    /// the same texts as alone.
    ///
    /// # Errors
    /// As [`Model::decode`].
    ///
    /// # Panics
    /// If there is not one seed for each latent.
    pub fn decode_rows(&self, latents: &Latents, decoding: &Decoding, seeds: &[u64]) -> Result<Vec<Decoded>, Error> {
        if self.is_seq2seq() {
            return Err(Error::NeedsSources);
        }
        if latents.dim() != self.latent_size() {
            return Err(Error::Dimensions { found: latents.dim(), expected: self.latent_size() });
        }
        let options = self.options(decoding, latents.len())?;
        let outputs = self.model.decode(latents.data(), &options, self.tokenizer.kind(), seeds);
        let text = |o: &strait_model::decoding::Output| Decoded {
            text: self.tokenizer.decode(&o.tokens),
            tokens: o.tokens.len(),
            finished: o.finished,
        };
        Ok(outputs.iter().map(text).collect())
    }

    /// Whether the controls make sense, and do with this model.
    ///
    /// # Errors
    /// If not, with the control's name.
    pub fn check_decoding(&self, decoding: &Decoding) -> Result<(), Error> {
        self.options(decoding, 1).map(drop)
    }

    /// All runs of `n` tokens in texts that are not to be copied, for [`Decoding::blocked`].
    pub fn blocked<S: AsRef<str> + Sync>(&self, texts: &[S], n: usize) -> Blocked {
        Blocked::new(n, &self.tokenizer.encode_batch(texts))
    }

    pub(crate) fn needs_latents(&self) -> Result<(), Error> {
        match (self.is_seq2seq(), self.is_language_model()) {
            (true, _) => Err(Error::NeedsSources),
            (_, true) => Err(Error::NoLatents),
            _ => Ok(()),
        }
    }

    /// Refuses a model that cannot encode texts.
    ///
    /// # Errors
    /// [`Error::NoLatents`] for a language model, [`Error::NeedsSources`] for one of pairs, [`Error::NoEncoder`] for one that
    /// was trained on vectors ([`Model::reads_texts`]).
    pub fn needs_encoder(&self) -> Result<(), Error> {
        self.needs_latents()?;
        if self.reads_texts() { Ok(()) } else { Err(Error::NoEncoder) }
    }

    pub(crate) fn options(&self, decoding: &Decoding, rows: usize) -> Result<Options, Error> {
        let mut options = decoding.options.clone().unwrap_or_else(|| self.config.decoding.clone());
        for phrase in decoding.banned.iter().filter(|b| !b.is_empty()) {
            // A word is another token at the start of a text than inside it only where texts have no blanks.
            options.banned.push(self.tokenizer.encode(phrase));
        }
        if let Some(prefix) = &decoding.prefix {
            options.prefix = Prefix::All(self.tokenizer.encode(prefix));
        }
        options.blocked.clone_from(&decoding.blocked);
        if options.about_words > 0 {
            options.counts = Some(Arc::new(WordCounts::new(self.tokenizer.word_counts())));
        }
        options.check()?;
        let decoder = self.config.recipe.decoder.kind;
        if options.contrastive > 0.0 && !decoder.writes() {
            return Err(Error::NoStates);
        }
        options.check_for(self.model.vocabulary(), generate::special(self.tokenizer.kind()), rows)?;
        Ok(options)
    }

    /// Texts through the channel and back.
    ///
    /// # Errors
    /// As [`Model::decode`].
    pub fn reconstruct<S: AsRef<str> + Sync>(&self, texts: &[S], decoding: &Decoding) -> Result<Vec<String>, Error> {
        self.needs_encoder()?;
        self.decode(&self.encode(texts), decoding)
    }

    /// `n` new texts: latents drawn from the prior, decoded (by default as [`Config::sampling`] says).
    ///
    /// # Errors
    /// As [`Model::decode`].
    pub fn sample(&self, n: usize, seed: u64, decoding: &Decoding) -> Result<Vec<String>, Error> {
        let options = decoding.options.clone().unwrap_or_else(|| self.config.sampling.clone());
        let decoding = Decoding { options: Some(options), ..decoding.clone() };
        self.decode_seeded(&self.draw(n, seed), &decoding, seed)
    }

    /// `n` latents drawn from the prior.
    pub fn draw(&self, n: usize, seed: u64) -> Latents {
        self.draws(seed).take(n)
    }

    /// Latents drawn from the prior, a part at a time: the same as [`Model::draw`] gives at once.
    pub fn draws(&self, seed: u64) -> Draws<'_> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        Draws { prior: &self.prior, rng }
    }

    /// `steps` texts on the way from `a` to `b`, the ends' reconstructions included (one step: `a`'s).
    ///
    /// # Errors
    /// As [`Model::decode`].
    pub fn interpolate(
        &self,
        (a, b): (&str, &str),
        steps: usize,
        path: Path,
        decoding: &Decoding,
    ) -> Result<Vec<String>, Error> {
        self.decode(&self.way((a, b), steps, path)?, decoding)
    }

    /// The latents of [`Model::interpolate`].
    ///
    /// # Errors
    /// If a latent is not finite, as those of a damaged model.
    pub fn way(&self, (a, b): (&str, &str), steps: usize, path: Path) -> Result<Latents, Error> {
        self.needs_encoder()?;
        self.between(&self.encode(&[a, b]), steps, path)
    }

    /// `steps` latents on the way from row 0 of `ends` to row 1, both included (one step: row 0).
    ///
    /// # Errors
    /// If the ends have other dimensions than the model's latents, or are not finite.
    ///
    /// # Panics
    /// If there are fewer than two rows.
    pub fn between(&self, ends: &Latents, steps: usize, path: Path) -> Result<Latents, Error> {
        self.needs_latents()?;
        if ends.dim() != self.latent_size() {
            return Err(Error::Dimensions { found: ends.dim(), expected: self.latent_size() });
        }
        let mut way = Vec::with_capacity(steps * ends.dim());
        for i in 0..steps {
            let t = if steps > 1 { i as f32 / (steps - 1) as f32 } else { 0.0 };
            let between = match path {
                Path::Straight => prior::lerp,
                Path::Spherical => prior::slerp,
            };
            way.extend(between(ends.row(0), ends.row(1), t)?);
        }
        Ok(Latents::new(way, ends.dim()))
    }

    /// `n` variations of a text: its latent moved by `distance` in random directions, as a share of the typical
    /// distance between two texts of the corpus (0: the reconstruction; 1: as far as any other text).
    ///
    /// # Errors
    /// As [`Model::decode`].
    pub fn vary(
        &self,
        text: &str,
        n: usize,
        distance: f32,
        seed: u64,
        decoding: &Decoding,
    ) -> Result<Vec<String>, Error> {
        self.needs_encoder()?;
        let latents = self.around(&self.encode(&[text]), n, distance, seed)?;
        self.decode_seeded(&latents, decoding, seed)
    }

    /// The latents of [`Model::vary`]: row 0 of `start`, moved.
    ///
    /// # Errors
    /// If `start` has other dimensions than the model's latents.
    ///
    /// # Panics
    /// If it has no row.
    pub fn around(&self, start: &Latents, n: usize, distance: f32, seed: u64) -> Result<Latents, Error> {
        self.needs_latents()?;
        if start.dim() != self.latent_size() {
            return Err(Error::Dimensions { found: start.dim(), expected: self.latent_size() });
        }
        // Differences of prior draws point where texts differ, and are as long as texts are apart.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(2);
        let pairs = Latents::new(self.prior.sample_many(2 * n, &mut rng), start.dim());
        let moved = (0..n).flat_map(|i| {
            let (a, b) = (pairs.row(2 * i), pairs.row(2 * i + 1));
            start.row(0).iter().zip(a.iter().zip(b)).map(|(s, (a, b))| s + distance * (a - b)).collect::<Vec<_>>()
        });
        Ok(Latents::new(moved.collect(), start.dim()))
    }
}

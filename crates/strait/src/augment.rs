//! Synthetic labelled texts: mixed from texts of one label, and thrown away if they copy, repeat, or lose the label.

use std::collections::HashSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_eval::{Interner, NEAR_COPY, Passages, Unit};
use strait_latent::{Labels, Matrix, Probe, probe::CrossValidation};
use strait_model::prior;

use crate::{Collection, Decoding, Error, Latents, Model};

/// Texts made at a time.
const BATCH: usize = 64;
/// Texts made at most for each one wanted.
const TRIES: usize = 20;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct AugmentRequest {
    /// Texts of each label.
    pub each: usize,
    /// How far from the line between two texts a new one may lie, as for [`Model::vary`].
    pub distance: f32,
    /// Largest normalised edit distance at which a text counts as a copy of one of the corpus.
    pub near: f64,
    /// Least probability of the label, by a classifier that was trained on the corpus.
    pub sure: f64,
    pub seed: u64,
}

impl Default for AugmentRequest {
    fn default() -> Self {
        AugmentRequest { each: 100, distance: 0.2, near: NEAR_COPY, sure: 0.5, seed: 1 }
    }
}

/// A synthetic text and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Synthetic {
    pub text: String,
    pub label: String,
    /// Always true: the text was made by a model.
    pub synthetic: bool,
    /// Rows of the two texts it was mixed from, and the share of the second.
    pub from: [usize; 2],
    pub share: f32,
    /// Probability of the label by the classifier, of the text encoded again.
    pub probability: f64,
}

/// Synthetic texts, and what was thrown away.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Augmented {
    pub texts: Vec<Synthetic>,
    /// Texts that were made in all.
    pub made: usize,
    /// Of them, near copies of the corpus, repeats of each other, and texts taken for another label.
    pub copies: usize,
    pub repeats: usize,
    pub flips: usize,
}

impl Model {
    /// Makes texts for each label of a collection.
    ///
    /// # Errors
    /// If there are no labels, only one, fewer than five texts of one, or the controls of decoding contradict each other.
    pub fn augment(
        &self,
        collection: &Collection,
        request: &AugmentRequest,
        decoding: &Decoding,
    ) -> Result<Augmented, Error> {
        let (rows, labels) = collection.labelled()?;
        let chosen = collection.matrix()?.select(&rows)?;
        let classifier =
            CrossValidation { seed: request.seed, ..CrossValidation::default() }.fit(chosen.view(), &labels)?;
        let texts: Vec<&str> = collection.records().iter().map(|r| r.text.as_str()).collect();
        let mut workshop = Workshop::new(self, &texts, request);
        for class in 0..labels.classes() {
            let own: Vec<usize> = labels.rows_of(class).iter().map(|&i| rows[i]).collect();
            workshop.fill(collection, (&labels, class, &own), &classifier, decoding)?;
        }
        Ok(workshop.done)
    }
}

/// What new texts are held against, and what has been done.
struct Workshop<'a> {
    model: &'a Model,
    request: &'a AugmentRequest,
    unit: Unit,
    interner: Interner,
    corpus: Passages,
    seen: HashSet<String>,
    rng: ChaCha8Rng,
    done: Augmented,
}

impl<'a> Workshop<'a> {
    fn new(model: &'a Model, texts: &[&str], request: &'a AugmentRequest) -> Self {
        let (unit, mut interner) = (Unit::guess(texts), Interner::new());
        let corpus = Passages::new(interner.encode_all(texts, unit));
        let rng = ChaCha8Rng::seed_from_u64(request.seed);
        Workshop { model, request, unit, interner, corpus, seen: HashSet::new(), rng, done: Augmented::default() }
    }

    /// Makes the texts of one label from the rows that have it.
    fn fill(
        &mut self,
        collection: &Collection,
        (labels, class, own): (&Labels, usize, &[usize]),
        classifier: &Probe,
        decoding: &Decoding,
    ) -> Result<(), Error> {
        let (mut wanted, mut tries) = (self.request.each, TRIES * self.request.each);
        while wanted > 0 && tries > 0 {
            let n = BATCH.min(tries);
            tries -= n;
            let mixed = self.mix(collection.latents(), own, n)?;
            let latents =
                Latents::new(mixed.iter().flat_map(|m| m.1.iter().copied()).collect(), collection.latents().dim());
            let texts = self.model.decode_seeded(&latents, decoding, self.rng.random())?;
            let again = self.model.encode(&texts);
            let probabilities = classifier.probabilities(Matrix::new(again.data(), again.dim())?)?;
            for ((text, p), (from, _, share)) in
                texts.into_iter().zip(probabilities.chunks_exact(labels.classes())).zip(mixed)
            {
                if wanted == 0 {
                    break;
                }
                if self.passes(&text, p[class], p) {
                    let label = labels.names()[class].clone();
                    self.done.texts.push(Synthetic {
                        text,
                        label,
                        synthetic: true,
                        from,
                        share,
                        probability: p[class],
                    });
                    wanted -= 1;
                }
            }
        }
        Ok(())
    }

    /// Latents between two random rows each, and a little beside the line.
    #[allow(clippy::type_complexity)]
    fn mix(&mut self, latents: &Latents, own: &[usize], n: usize) -> Result<Vec<([usize; 2], Vec<f32>, f32)>, Error> {
        let mut mixed = Vec::with_capacity(n);
        let aside = self.model.prior().sample_many(2 * n, &mut self.rng);
        for pair in aside.chunks_exact(2 * latents.dim()) {
            let mut row = || own[self.rng.random_range(0..own.len())];
            let from = [row(), row()];
            let share: f32 = self.rng.random_range(0.2..0.8);
            let mut z = prior::lerp(latents.row(from[0]), latents.row(from[1]), share)?;
            let (a, b) = pair.split_at(latents.dim());
            z.iter_mut().zip(a.iter().zip(b)).for_each(|(z, (a, b))| *z += self.request.distance * (a - b));
            mixed.push((from, z, share));
        }
        Ok(mixed)
    }

    /// Whether a text may stay; otherwise counts why not.
    fn passes(&mut self, text: &str, own: f64, all: &[f64]) -> bool {
        self.done.made += 1;
        let ids = self.interner.encode(text, self.unit);
        let fault = if ids.is_empty() || !self.seen.insert(text.to_owned()) {
            &mut self.done.repeats
        } else if self.corpus.nearest_within(&ids, self.request.near).is_some() {
            &mut self.done.copies
        } else if own < self.request.sure || all.iter().any(|&p| p > own) {
            &mut self.done.flips
        } else {
            return true;
        };
        *fault += 1;
        false
    }
}

//! A look at the validation set: loss, greedy reconstructions, a few samples.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_eval::{ReconstructionReport, Unit};
use strait_model::{Autoencoder, Figures, decoding::Options, prior::Prior};
use strait_text::Tokenizer;

use crate::{collapse, latents, pairs, pairs::SourceSide};

/// Validation texts scored at most: enough for two digits of the loss.
pub(crate) const SCORED: usize = 2000;
/// Validation texts reconstructed at most.
pub(crate) const RECONSTRUCTED: usize = 100;
/// Training latents that the Gaussian for the samples is fitted to.
const FITTED: usize = 2000;
/// Reconstructions and samples shown.
pub(crate) const SHOWN: usize = 3;

/// What a look needs.
pub(crate) struct Scene<'a> {
    pub tokenizer: &'a Tokenizer,
    /// Training ids.
    pub train: &'a [Vec<u32>],
    /// Validation texts and ids.
    pub valid: &'a [String],
    pub valid_ids: &'a [Vec<u32>],
    /// Of pairs: their sources.
    pub sources: Option<&'a SourceSide>,
    /// How texts are cut for BLEU.
    pub unit: Unit,
    /// Longest text to decode, in tokens.
    pub max_len: usize,
    pub seed: u64,
}

/// What was seen.
pub(crate) struct Seen {
    /// By which looks are compared: what is minimised of the reconstruction and, as far as it counts in the final
    /// objective, the divergence.
    pub criterion: f64,
    pub bits_per_byte: f64,
    pub nats_per_token: f64,
    pub token_accuracy: f64,
    pub reconstruction: ReconstructionReport,
    pub reconstructions: Vec<(String, String)>,
    pub samples: Vec<String>,
    /// Of pairs: the sources of the texts shown.
    pub sources: Vec<String>,
    pub figures: Figures,
}

/// Bits per UTF-8 byte from nats over so many bytes.
pub fn bits_per_byte(nats: f64, bytes: usize) -> f64 {
    nats / std::f64::consts::LN_2 / bytes.max(1) as f64
}

/// Takes a look; the same weights, scene and step give the same result.
pub(crate) fn look(model: &mut Autoencoder, scene: &Scene<'_>, step: u64) -> Seen {
    if let Some(sources) = scene.sources {
        return pairs::look(model, scene, sources);
    }
    let n = scene.valid_ids.len().min(SCORED);
    let loss = model.score(&scene.valid_ids[..n], &mut Vec::new());
    let bytes: usize = scene.valid[..n].iter().map(String::len).sum();
    let n = n.min(RECONSTRUCTED);
    let latents = model.encode(&scene.valid_ids[..n]);
    let decoded = model.decode_greedy(&latents, scene.tokenizer, scene.max_len);
    let pairs: Vec<(&str, &str)> =
        decoded.iter().map(String::as_str).zip(scene.valid.iter().map(String::as_str)).collect();
    let reconstruction = ReconstructionReport::new(&pairs, scene.unit);
    let reconstructions =
        pairs.iter().take(SHOWN).map(|&(decoded, text)| (text.to_string(), decoded.to_string())).collect();
    let weight = model.recipe().objective.divergence_weight();
    let mut figures = latents::figures(model, scene.valid_ids, scene.train, scene.seed);
    figures.extend(collapse::figures(model, scene, step));
    Seen {
        criterion: bits_per_byte(loss.objective + weight * loss.divergence, bytes),
        bits_per_byte: bits_per_byte(loss.bound(), bytes),
        nats_per_token: loss.nats / loss.tokens.max(1) as f64,
        token_accuracy: loss.correct as f64 / loss.tokens.max(1) as f64,
        reconstruction,
        reconstructions,
        samples: samples(model, scene, step),
        sources: Vec::new(),
        figures,
    }
}

/// A few texts: from a Gaussian fitted to some training latents, or from a language model, which needs chance.
fn samples(model: &Autoencoder, scene: &Scene<'_>, step: u64) -> Vec<String> {
    if model.latent_size() == 0 {
        let options = Options { temperature: 0.7, max_len: scene.max_len, ..Options::default() };
        let seeds: Vec<u64> = (0..SHOWN as u64).map(|i| scene.seed ^ step ^ (i << 32)).collect();
        let outputs = model.decode(&[], &options, scene.tokenizer.kind(), &seeds);
        return outputs.iter().map(|o| scene.tokenizer.decode(&o.tokens)).collect();
    }
    let size = model.latent_size();
    let take = scene.train.len().min(FITTED);
    let stride = scene.train.len() / take.max(1);
    let fitted: Vec<&[u32]> = (0..take).map(|i| &scene.train[i * stride.max(1)][..]).collect();
    let latents = latents::draws(model, &fitted, scene.seed);
    let budget = strait_model::prior::Budget { multiply_adds: 0, ..Default::default() };
    let prior = strait_model::prior::fit(&latents, &latents, size, scene.seed, &budget)
        .map_or_else(|_| Prior::standard_normal(size), |fit| fit.prior);
    let mut rng = ChaCha8Rng::seed_from_u64(scene.seed ^ step);
    let mut draws = prior.sample_many(SHOWN, &mut rng);
    if let Some(book) = model.codebook() {
        draws = book.latents(&book.nearest(&draws));
    }
    model.decode_greedy(&draws, scene.tokenizer, scene.max_len)
}

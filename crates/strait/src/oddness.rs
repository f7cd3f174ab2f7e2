//! How odd a text is to a model: by its tokens, by its latent, and as a p-value among texts that are usual.

use serde::Serialize;
use strait_latent::anomaly::{Calibration, Combination};

use crate::{Error, Latents, Model};

/// Texts scored at a time.
const PART: usize = 1024;

/// What a model finds odd about a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Oddness {
    /// What the text costs given its own latent (a language model: alone), the end included, in nats.
    pub nats: f64,
    /// The same for each token.
    pub nats_per_token: f64,
    /// Log density of its latent under the fitted prior; none where that has no density.
    pub log_density: Option<f64>,
    /// Its tokens as they read, and what each costs; empty where the decoder does not tell tokens apart.
    pub tokens: Vec<(String, f32)>,
    /// What its end costs there.
    pub end: f32,
}

/// How odd usual texts are, against which others are held. They must be texts that the model was not trained on.
#[derive(Debug, Clone)]
pub struct Usual {
    calibration: Calibration,
    latents: bool,
}

/// How likely a usual text is to be as odd.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PValue {
    /// By both together: at most a with probability at most a for a usual text.
    pub p: f64,
    /// By the nats of a token.
    pub tokens: f64,
    /// By the density of the latent.
    pub latent: Option<f64>,
}

impl Model {
    /// How odd each text is.
    ///
    /// # Errors
    /// If it has latents and cannot encode texts ([`Model::needs_encoder`]), or if a latent is not finite, as those of a
    /// damaged model.
    pub fn oddness<S: AsRef<str> + Sync>(&mut self, texts: &[S]) -> Result<Vec<Oddness>, Error> {
        let mut all = Vec::with_capacity(texts.len());
        for part in texts.chunks(PART) {
            let ids = self.tokenizer.encode_batch(part);
            all.extend(self.oddness_tokens(&ids)?.1);
        }
        Ok(all)
    }

    /// How odd texts are that are given as token ids, and their latents, (n, Z).
    ///
    /// # Errors
    /// As [`Model::oddness`], or if an id is not of the model's vocabulary.
    pub fn oddness_tokens<T: AsRef<[u32]>>(&mut self, ids: &[T]) -> Result<(Latents, Vec<Oddness>), Error> {
        if !self.is_language_model() {
            self.needs_encoder()?;
        }
        let latents = self.encode_tokens(ids)?;
        let densities = match self.prior.has_density() && !self.is_language_model() {
            true => self.prior.log_densities(latents.data())?.into_iter().map(Some).collect(),
            false => vec![None; ids.len()],
        };
        let each = self.model.token_nats_from(ids, latents.data());
        let nats = match &each {
            Some(each) => each.iter().map(|tokens| tokens.iter().map(|&nats| f64::from(nats)).sum()).collect(),
            None => {
                let mut nats = Vec::new();
                self.model.score_from(ids, latents.data(), &mut nats);
                nats
            }
        };
        let name = |(&id, &nats): (&u32, &f32)| (self.tokenizer.token_text(id).unwrap_or_default(), nats);
        let one = |((i, ids), log_density): ((usize, &T), Option<f64>)| {
            let (ids, own) = (ids.as_ref(), each.as_ref().map_or(&[][..], |each| &each[i]));
            Oddness {
                nats: nats[i],
                nats_per_token: nats[i] / (ids.len() + 1) as f64,
                log_density,
                tokens: ids.iter().zip(own).map(name).collect(),
                end: own.last().copied().unwrap_or(0.0),
            }
        };
        let odd = ids.iter().enumerate().zip(densities).map(one).collect();
        Ok((latents, odd))
    }

    /// A copy with weights of its own: scoring needs a model to itself, and others may use this one meanwhile.
    pub fn copy(&self) -> Self {
        Model {
            config: self.config.clone(),
            model: self.model.copy(),
            tokenizer: self.tokenizer.clone(),
            source_tokenizer: self.source_tokenizer.clone(),
            prior: self.prior.clone(),
            usual: self.usual.clone(),
            frontier: self.frontier.clone(),
            given: self.given,
        }
    }
}

impl Model {
    /// How odd the texts are that the model was validated on, if its folder says so.
    ///
    /// # Errors
    /// With a score that is not finite.
    pub fn usual(&self) -> Result<Option<Usual>, Error> {
        let Some(usual) = &self.usual else { return Ok(None) };
        let mut scores = vec![usual.nats_per_token.clone()];
        if !usual.log_density.is_empty() {
            scores.push(usual.log_density.iter().map(|d| -d).collect());
        }
        Ok(Some(Usual { latents: scores.len() > 1, calibration: Calibration::new(scores)? }))
    }
}

impl Usual {
    /// From the oddness of usual texts.
    ///
    /// # Errors
    /// Without texts, or with a score that is not finite.
    pub fn new(texts: &[Oddness]) -> Result<Self, Error> {
        let latents = texts.iter().all(|t| t.log_density.is_some());
        Ok(Usual { calibration: Calibration::new(scores(texts, latents))?, latents })
    }

    /// Texts that it rests on, n: no p-value is below 1 / (n + 1).
    pub fn texts(&self) -> usize {
        self.calibration.records()
    }

    /// The p-value of each text.
    ///
    /// # Errors
    /// With a score that is not finite.
    pub fn p_values(&self, texts: &[Oddness]) -> Result<Vec<PValue>, Error> {
        let found = self.calibration.p_values(&scores(texts, self.latents), Combination::default())?;
        let one = |i: usize| PValue {
            p: found.combined[i],
            tokens: found.each[0][i],
            latent: found.each.get(1).map(|latent| latent[i]),
        };
        Ok((0..texts.len()).map(one).collect())
    }
}

/// Higher is odder: nats of a token, and less log density.
fn scores(texts: &[Oddness], latents: bool) -> Vec<Vec<f64>> {
    let mut scores = vec![texts.iter().map(|t| t.nats_per_token).collect()];
    if latents {
        scores.push(texts.iter().map(|t| -t.log_density.unwrap_or(f64::NAN)).collect());
    }
    scores
}

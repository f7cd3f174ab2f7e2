//! Topics: what each dimension of the latent says about the words.
//!
//! With `topics` in the recipe, topic k is the distribution `p_k = softmax(w_k + b)` of a text that is all of that topic, set
//! against the one of an even mixture of all. In a deep decoder each dimension has two ends, the distributions at plus
//! and minus two in it and 0 elsewhere (latents have about unit variance), set against the one at 0.

use strait_engine::{Params, ops::activation::Activation};

use super::{Decoder, Form, Loss};

/// How far from 0 the ends of a dimension are looked at.
const END: f32 = 2.0;

/// One topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    /// The dimension of the latent.
    pub dimension: usize,
    /// Which end of it: +1 or -1; 0 where a dimension is a topic (see [`DecoderConfig::topics`]).
    ///
    /// [`DecoderConfig::topics`]: crate::config::DecoderConfig::topics
    pub end: i8,
    /// log p of each token in the topic, (V).
    pub log_p: Vec<f32>,
    /// The same, less log p in the background, (V).
    pub lift: Vec<f32>,
}

impl Topic {
    /// Tokens in falling order of relevance, `weight log p + (1 - weight) lift` (Sievert & Shirley 2014): 0 ranks by how
    /// much more frequent than elsewhere a token is (and prefers rare ones), 1 by how frequent.
    pub fn ranked(&self, weight: f32) -> Vec<u32> {
        let relevance = |v: u32| weight * self.log_p[v as usize] + (1.0 - weight) * self.lift[v as usize];
        let mut tokens: Vec<u32> = (0..self.lift.len() as u32).collect();
        tokens.sort_by(|&a, &b| relevance(b).total_cmp(&relevance(a)).then(a.cmp(&b)));
        tokens
    }
}

impl Decoder {
    /// The topics, dimension by dimension.
    pub fn topics(&self, params: &Params) -> Vec<Topic> {
        let latent = self.latent;
        let (rows, ends): (Vec<f32>, Vec<(usize, i8)>) = match &self.form {
            // Far out along one dimension the shares are all of one topic.
            Form::Topics { sharpness } => {
                (self.corners(latent, 100.0 / sharpness), (0..latent).map(|k| (k, 0)).collect())
            }
            Form::Deep(_) => {
                let rows = [END, -END].into_iter().flat_map(|end| self.corners(latent, end)).collect();
                (rows, [1, -1].into_iter().flat_map(|end| (0..latent).map(move |k| (k, end))).collect())
            }
        };
        let background = self.log_p(params, &vec![0.0; latent]).swap_remove(0);
        let mut topics: Vec<Topic> = ends
            .into_iter()
            .zip(self.log_p(params, &rows))
            .map(|((dimension, end), log_p)| {
                let lift = log_p.iter().zip(&background).map(|(p, b)| p - b).collect();
                Topic { dimension, end, log_p, lift }
            })
            .collect();
        topics.sort_by_key(|t| t.dimension);
        topics
    }

    /// Z latents, each `far` in one dimension and 0 elsewhere.
    fn corners(&self, latent: usize, far: f32) -> Vec<f32> {
        (0..latent * latent).map(|i| if i / latent == i % latent { far } else { 0.0 }).collect()
    }

    /// log p of each token (V) at each of the latents (n, Z).
    fn log_p(&self, params: &Params, latents: &[f32]) -> Vec<Vec<f32>> {
        let v = params.shape(self.output).0;
        let rows = latents.len() / self.latent.max(1);
        let scores = self.scores(params, latents, rows);
        let log = |row: &[f32]| -> Vec<f32> {
            let mut p = row.to_vec();
            match self.loss {
                Loss::Multinomial { .. } => Activation::Softmax.apply(&mut p),
                Loss::Squared => {
                    p.iter_mut().for_each(|s| *s = s.exp_m1().max(super::generate::LEAST_COUNT));
                    let total: f32 = p.iter().sum();
                    p.iter_mut().for_each(|p| *p /= total);
                }
            }
            p.into_iter().map(|p| p.max(f32::MIN_POSITIVE).ln()).collect()
        };
        scores.chunks_exact(v).map(log).collect()
    }

    /// How a text's latent (Z) is shared among [`Decoder::topics`], in their order; the shares sum to 1. In a deep
    /// decoder: by how far it is towards each end.
    pub fn shares(&self, z: &[f32]) -> Vec<f32> {
        match &self.form {
            Form::Topics { sharpness } => {
                let mut shares: Vec<f32> = z.iter().map(|z| z * sharpness).collect();
                Activation::Softmax.apply(&mut shares);
                shares
            }
            Form::Deep(_) => {
                let total = z.iter().map(|z| z.abs()).sum::<f32>().max(f32::MIN_POSITIVE);
                z.iter().flat_map(|z| [z.max(0.0) / total, (-z).max(0.0) / total]).collect()
            }
        }
    }
}

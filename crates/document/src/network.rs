//! The network: a trunk over standardised latents, its outputs a mixture density.

use std::sync::Arc;

use rand::{Rng, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{Packing, ParamId, Params, Tape, Var, init, ops::losses::Weighting};

use crate::{
    DocumentConfig, Given,
    given::{self, Encoder},
    mixture::Mixture,
    trunk::{Reading, Trunk, bound},
};

/// An LSTM or Transformer that reads the latents z_1 .. z_t of a document (Z numbers each) and gives the density of z_(t+1).
pub struct DocumentNetwork {
    pub(crate) config: DocumentConfig,
    pub(crate) params: Params,
    pub(crate) trunk: Trunk,
    pub(crate) out: (ParamId, ParamId),
    pub(crate) plan: Option<(ParamId, ParamId)>,
    pub(crate) given: Option<Encoder>,
    /// Of the training latents, (Z) each.
    pub(crate) mean: Vec<f32>,
    pub(crate) deviation: Vec<f32>,
    /// Of the plans of the training documents, (P) each.
    pub(crate) plan_mean: Vec<f32>,
    pub(crate) plan_deviation: Vec<f32>,
}

/// A run of sentences of a document.
pub(crate) struct Window<'a> {
    /// Standardised latents (T, Z).
    pub(crate) latents: &'a [f32],
    /// Whether the document begins, and ends, with it.
    pub(crate) begins: bool,
    pub(crate) ends: bool,
    /// Mean of the standardised latents that the plan is read from, (Z).
    pub(crate) centre: Vec<f32>,
    /// The rows of what is given beside the document (see [`given::rows`]); empty if the network attends to nothing.
    pub(crate) given: &'a [f32],
}

/// How a loss is computed.
pub(crate) struct Mode<'a> {
    pub(crate) dropout: f32,
    /// Noise and dropout; none: the plan is its mean.
    pub(crate) rng: Option<&'a mut ChaCha8Rng>,
}

impl DocumentNetwork {
    /// An untrained network for latents of Z numbers with this mean and deviation.
    pub(crate) fn new(config: &DocumentConfig, mean: Vec<f32>, deviation: Vec<f32>, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (z, h, p) = (mean.len(), config.hidden, config.plan);
        let mut params = Params::new();
        let trunk = Trunk::new(&mut params, config, z, &mut rng);
        let mixture = Mixture { components: config.components, latent: z };
        let width = mixture.width();
        let weight = init::uniform(width * h, 0.3 * bound(h), &mut rng);
        let out_weight = params.add("out.weight", (width, h), weight);
        // Means apart from each other: components that begin alike stay alike.
        let mut bias = vec![0.0; width];
        let spread = init::normal(config.components * z, 0.5, &mut rng);
        bias[config.components..][..spread.len()].copy_from_slice(&spread);
        let out = (out_weight, params.add("out.bias", (1, width), bias));
        let plan = (p > 0).then(|| {
            let weight = params.add("plan.weight", (p, z), init::uniform(p * z, bound(z), &mut rng));
            (weight, params.add("plan.bias", (1, p), vec![0.0; p]))
        });
        let given = config.given.then(|| Encoder::new(&mut params, config, z, &mut rng));
        let (plan_mean, plan_deviation) = (vec![0.0; p], vec![1.0; p]);
        let config = config.clone();
        DocumentNetwork { config, params, trunk, out, plan, given, mean, deviation, plan_mean, plan_deviation }
    }

    /// The settings.
    pub fn config(&self) -> &DocumentConfig {
        &self.config
    }
    /// Numbers in a latent, Z.
    pub fn latent_size(&self) -> usize {
        self.mean.len()
    }
    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.params.weights()
    }

    pub(crate) fn mixture(&self) -> Mixture {
        Mixture { components: self.config.components, latent: self.latent_size() }
    }

    /// Latents (N, Z) to mean 0 and deviation 1.
    pub(crate) fn standardise(&self, latents: &[f32]) -> Vec<f32> {
        let z = self.latent_size();
        latents.iter().enumerate().map(|(i, x)| (x - self.mean[i % z]) / self.deviation[i % z]).collect()
    }

    /// The way back.
    pub(crate) fn restore(&self, standard: &[f32]) -> Vec<f32> {
        let z = self.latent_size();
        standard.iter().enumerate().map(|(i, x)| x * self.deviation[i % z] + self.mean[i % z]).collect()
    }

    /// Adds the mean loss of the windows' rows in nats to the tape; returns it.
    ///
    /// With a plan u ~ N(m, I), m linear in the centre, the divergence `|m|^2 / 2` from N(0, I) counts once a window: the
    /// rows' loss is then a bound on the windows' likelihood (Kingma & Welling 2014), but for a centre that was read from
    /// elsewhere in the document.
    pub(crate) fn loss(&self, tape: &mut Tape, windows: &[Window<'_>], mode: Mode<'_>) -> f64 {
        let z = self.latent_size();
        let rows = |w: &Window<'_>| w.latents.len() / z + usize::from(w.ends);
        let mut order: Vec<&Window<'_>> = windows.iter().filter(|w| rows(w) > 0).collect();
        order.sort_by_key(|w| std::cmp::Reverse(rows(w)));
        let packing = Arc::new(Packing::new(&order.iter().map(|w| rows(w)).collect::<Vec<_>>()));
        let (n, mut silent) = (packing.rows(), ChaCha8Rng::seed_from_u64(0));
        let noisy = mode.rng.is_some();
        let rng = mode.rng.unwrap_or(&mut silent);
        let mut inputs = Vec::with_capacity(n * (z + 1));
        for t in 0..packing.steps() {
            for window in &order[..packing.active(t)] {
                self.input(&mut inputs, (t > 0).then(|| &window.latents[(t - 1) * z..t * z]), window.begins);
            }
        }
        let scale = 1.0 / n.max(1) as f64;
        let sequence =
            self.plan.map(|(weight, bias)| self.plan_of(tape, &order, (weight, bias), noisy.then_some(&mut *rng)));
        let x = tape.input(&inputs, (n, z + 1));
        let (mut nats, sequence) = match sequence {
            Some((u, nats)) => (nats * scale, Some(u)),
            None => (0.0, None),
        };
        let beside: Vec<&[f32]> = order.iter().map(|w| w.given).collect();
        let given =
            self.given.as_ref().map(|encoder| encoder.forward(tape, &self.params, &beside, mode.dropout, &mut *rng));
        let reading = Reading { x, packing: &packing, plan: sequence, given: given.as_ref() };
        let h = self.trunk.forward(tape, &self.params, &reading, mode.dropout, rng);
        let y = tape.linear(&self.params, h, self.out.0, Some(self.out.1));
        let (mixture, mut gradient) = (self.mixture(), vec![0.0; n * self.mixture().width()]);
        let (values, width, mut total) = (tape.value(y).to_vec(), mixture.width(), 0.0);
        for t in 0..packing.steps() {
            for (b, window) in order[..packing.active(t)].iter().enumerate() {
                let at = packing.row(b, t) * width;
                let next = window.latents.get(t * z..(t + 1) * z);
                total += mixture.loss(&values[at..at + width], next, scale, &mut gradient[at..at + width]);
            }
        }
        tape.custom_loss(y, total * scale, &gradient);
        nats += total * scale;
        nats
    }

    /// The windows' plans (B, P) with their divergence's sum in nats, which goes into the loss as a mean over rows.
    fn plan_of(
        &self,
        tape: &mut Tape,
        order: &[&Window<'_>],
        (weight, bias): (ParamId, ParamId),
        rng: Option<&mut ChaCha8Rng>,
    ) -> (Var, f64) {
        let (z, p) = (self.latent_size(), self.config.plan);
        let centres: Vec<f32> = order.iter().flat_map(|w| w.centre.iter().copied()).collect();
        let rows: usize = order.iter().map(|w| w.latents.len() / z + usize::from(w.ends)).sum();
        let centres = tape.input(&centres, (order.len(), z));
        let m = tape.linear(&self.params, centres, weight, Some(bias));
        let zeros = vec![0.0; order.len() * p];
        let half = 0.5 / rows.max(1) as f32;
        let squares = tape.squared_error(m, &zeros, Weighting { row_weights: None, scale: half });
        let Some(rng) = rng else { return (m, 0.5 * squares) };
        let noise = init::normal(order.len() * p, 1.0, rng);
        let u = tape.add_constant(m, &noise);
        (u, 0.5 * squares)
    }

    /// Appends what the trunk reads of a latent before the next one; of none at the beginning of a window, where the
    /// last number says whether the document begins too.
    pub(crate) fn input(&self, out: &mut Vec<f32>, latent: Option<&[f32]>, begins: bool) {
        match latent {
            Some(z) => {
                out.extend_from_slice(z);
                out.push(0.0);
            }
            None => {
                out.extend(std::iter::repeat_n(0.0, self.latent_size()));
                out.push(if begins { 1.0 } else { -1.0 });
            }
        }
    }

    /// Documents as they are given beside another, each its latents (T, Z); none if the network attends to nothing.
    pub fn given(&self, documents: &[&[f32]]) -> Option<Given> {
        let standard: Vec<Vec<f32>> = documents.iter().map(|d| self.standardise(d)).collect();
        let rows = given::rows(standard.iter().map(Vec::as_slice), self.latent_size());
        self.given.as_ref().map(|encoder| encoder.encode(&self.params, &rows))
    }

    /// The plan that is read from latents (N, Z): (P), empty without one.
    pub fn plan(&self, latents: &[f32]) -> Vec<f32> {
        let Some((weight, bias)) = self.plan else { return Vec::new() };
        let mut plan = vec![0.0; self.config.plan];
        let centre = centre(&self.standardise(latents), self.latent_size());
        strait_engine::ops::linear::forward(&self.params, &centre, 1, weight, Some(bias), &mut plan);
        plan
    }

    /// A plan drawn from the Gaussian fitted to those of the training documents.
    pub fn draw_plan(&self, rng: &mut impl Rng) -> Vec<f32> {
        let noise = init::normal(self.config.plan, 1.0, rng);
        self.plan_mean.iter().zip(&self.plan_deviation).zip(noise).map(|((m, d), e)| m + d * e).collect()
    }
}

/// The mean of rows (N, Z); zeros of none.
pub(crate) fn centre(rows: &[f32], z: usize) -> Vec<f32> {
    let mut sum = vec![0f64; z];
    for row in rows.chunks(z) {
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x));
    }
    let n = (rows.len() / z).max(1) as f64;
    sum.into_iter().map(|s| (s / n) as f32).collect()
}

/// A run of 1 to all of a document's sentences, from where its plan is read.
pub(crate) fn random_run<'a>(latents: &'a [f32], z: usize, rng: &mut ChaCha8Rng) -> &'a [f32] {
    let n = latents.len() / z;
    let length = rng.random_range(1..=n);
    let from = rng.random_range(0..=n - length);
    &latents[from * z..(from + length) * z]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Beside, NetworkKind, Reader};

    /// A document read sentence by sentence costs what it costs at once.
    #[test]
    fn reading_is_what_was_trained() {
        reading_is_what_is_computed_at_once(DocumentConfig { hidden: 5, components: 2, plan: 2, ..Default::default() });
        let kind = NetworkKind::Transformer;
        let transformer = DocumentConfig { kind, hidden: 8, heads: 2, components: 2, plan: 2, ..Default::default() };
        reading_is_what_is_computed_at_once(DocumentConfig { plan: 0, ..transformer.clone() });
        reading_is_what_is_computed_at_once(DocumentConfig { given: true, ..transformer.clone() });
        reading_is_what_is_computed_at_once(transformer);
    }

    fn reading_is_what_is_computed_at_once(config: DocumentConfig) {
        let network = DocumentNetwork::new(&config, vec![0.5, -1.0, 0.0], vec![2.0, 0.5, 1.0], 3);
        let latents: Vec<f32> = (0..12).map(|i| (1.7 * i as f32).sin()).collect();
        let standard = network.standardise(&latents);
        let beside = [&latents[3..9], &latents[..3]];
        let given = network.given(&beside);
        let rows = given::rows(beside.map(|d| network.standardise(d)).iter().map(Vec::as_slice), 3);
        let centre = centre(&standard, 3);
        let window = Window { latents: &standard, begins: true, ends: true, centre, given: &rows };
        let loss = network.loss(&mut Tape::inference(), &[window], Mode { dropout: 0.0, rng: None });
        let plan = network.plan(&latents);
        let mut reader = Reader::new(&network, true, Beside { plan: Some(&plan), given: given.as_ref() });
        let mut nats: f64 = plan.iter().map(|m| 0.5 * f64::from(*m).powi(2)).sum();
        for row in latents.chunks(3) {
            nats -= reader.log_density(row) + (1.0 - reader.end()).ln();
            reader.read(row);
        }
        nats -= reader.end().ln();
        assert!((nats / 5.0 - loss).abs() < 1e-5, "{} at once, {loss} by steps", nats / 5.0);
    }
}

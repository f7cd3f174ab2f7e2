//! `beta * KL(q(z|x) || N(0, I))`: the regulariser of variational autoencoders (Kingma & Welling 2014; Higgins et al.
//! 2017), and what keeps it from switching the latent off.
//!
//! The weight beta is constant, rises linearly over the first share of the steps (Bowman et al. 2016), or rises again in
//! each of several cycles (Fu et al. 2019). Nats of a dimension (Kingma et al. 2016) or of the whole latent can be free
//! on average over a batch. Or a [`Controller`] holds the divergence at a target by moving beta.

use strait_engine::{ParamId, Params, Tape, ops::gaussian::Divergence};

use super::{Figures, Progress};
use crate::{
    config::{KlConfig, KlSchedule},
    latent::Code,
};

/// The share of the steps after which a controller shall have reached its target.
const SETTLED: f32 = 0.2;

impl KlConfig {
    /// beta at a step, without a target.
    pub fn weight_at(&self, progress: Progress) -> f32 {
        let share = progress.share();
        let of_rise = match self.schedule {
            KlSchedule::Constant => 1.0,
            KlSchedule::Linear => share as f32 / self.warmup,
            KlSchedule::Cyclical => (share * f64::from(self.cycles)).fract() as f32 / self.warmup,
        };
        // Without a rise, the first step divides 0 by 0.
        self.weight * if of_rise < 1.0 { of_rise } else { 1.0 }
    }

    /// Whether beta has done its last rise, or has had the time to come to its target.
    pub fn is_settled(&self, progress: Progress) -> bool {
        let (share, cycles) = (progress.share() as f32, self.cycles as f32);
        match (self.target, self.schedule) {
            (Some(_), _) => share >= SETTLED,
            (None, KlSchedule::Constant) => true,
            (None, KlSchedule::Linear) => share >= self.warmup,
            (None, KlSchedule::Cyclical) => share >= (cycles - 1.0 + self.warmup) / cycles,
        }
    }
}

/// The regulariser and its last figures.
#[derive(Debug)]
pub struct Kl {
    config: KlConfig,
    controller: Option<Controller>,
    /// Mean over the texts of the last batch, nats.
    nats: f64,
    beta: f32,
}

impl Kl {
    /// Adds the controller's state if there is a target.
    pub fn new(params: &mut Params, config: &KlConfig) -> Self {
        let controller = config.target.map(|target| Controller::new(params, target, config.weight));
        Kl { config: config.clone(), controller, nats: 0.0, beta: 0.0 }
    }

    /// Adds `beta * KL` of the batch, times `scale`, to the loss. Returns the divergence in nats, summed over the texts.
    pub fn loss(&mut self, tape: &mut Tape, params: &mut Params, code: Code, progress: Progress, scale: f32) -> f64 {
        let Some(log_variance) = code.log_variance else { return 0.0 };
        let texts = tape.shape(code.mean).0 as f64;
        let nats = tape.kl_standard_normal(code.mean, log_variance, Divergence { scale: 0.0, free: 0.0 });
        self.nats = nats / texts.max(1.0);
        self.beta = match &self.controller {
            Some(controller) => controller.update(params, (nats, texts), progress.steps),
            None => self.config.weight_at(progress),
        };
        // `>=` would let a NaN pass unseen.
        let beta = if self.nats < f64::from(self.config.free_total) { 0.0 } else { self.beta };
        tape.kl_standard_normal(code.mean, log_variance, Divergence { scale: beta * scale, free: self.config.free });
        nats
    }

    /// Nats of divergence a text of the last batch, and beta.
    pub fn figures(&self) -> Figures {
        vec![("kl", self.nats), ("beta", f64::from(self.beta))]
    }
}

/// Holds the divergence at a target by moving beta: a proportional-integral controller of `ln beta`.
///
/// With the smoothed divergence D (a running mean over texts) and the error `e = ln(D / target)`, cut to [-1, 1]:
/// `I += e / T`, `ln beta = I + P e`, both kept within limits. The integral's time T grows with the number of steps, so
/// that a short training settles, too, and a long one is smooth.
#[derive(Debug)]
pub struct Controller {
    target: f64,
    /// `objective.controller` (1, 3): I, and the running sums of nats and of texts.
    state: ParamId,
}

/// The proportional gain P.
const GAIN: f64 = 1.0;
/// The share of the steps that is the integral's time T, and its limits in steps.
const INTEGRAL: (f64, f64, f64) = (0.02, 10.0, 100.0);
/// How much of the running sums each batch replaces.
const SMOOTHING: f64 = 0.1;
/// Limits of beta.
const BETA: (f64, f64) = (1e-4, 1e2);

impl Controller {
    /// Adds the state, with which beta begins at `beta`.
    pub fn new(params: &mut Params, target: f32, beta: f32) -> Self {
        let begin = f64::from(beta).clamp(BETA.0, BETA.1).ln();
        let state = params.add("objective.controller", (1, 3), vec![begin as f32, 0.0, 0.0]);
        params.set_trainable("objective.", false);
        Controller { target: f64::from(target), state }
    }

    /// Takes in a batch's divergence, (nats, texts), and gives beta for it.
    pub fn update(&self, params: &mut Params, (nats, texts): (f64, f64), steps: u64) -> f32 {
        let [integral, sum, count] = [0, 1, 2].map(|i| f64::from(params.value(self.state)[i]));
        // Before the first batch the sums are 0 and count for nothing.
        let (sum, count) = (sum + SMOOTHING * (nats - sum), count + SMOOTHING * (texts - count));
        let error = (sum / count.max(1e-9) / self.target).max(1e-9).ln().clamp(-1.0, 1.0);
        let (low, high) = (BETA.0.ln(), BETA.1.ln());
        let time = (INTEGRAL.0 * steps as f64).clamp(INTEGRAL.1, INTEGRAL.2);
        let integral = (integral + error / time).clamp(low, high);
        params.assign(self.state, &[integral as f32, sum as f32, count as f32]);
        (integral + GAIN * error).clamp(low, high).exp() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64) -> Progress {
        Progress { step, steps: 100 }
    }

    /// One text, two dimensions: KL = (1^2) / 2 + (4 - 1 - ln 4) / 2.
    fn code(tape: &mut Tape) -> (Code, f64) {
        let mean = tape.variable(&[1.0, 0.0], (1, 2));
        let log_variance = tape.variable(&[0.0, 4f32.ln()], (1, 2));
        (Code { z: mean, mean, log_variance: Some(log_variance) }, 0.5 + 0.5 * (3.0 - 4f64.ln()))
    }

    fn loss(config: &KlConfig, step: u64) -> (f64, f64, f64) {
        let mut params = Params::new();
        let mut kl = Kl::new(&mut params, config);
        let mut tape = Tape::new();
        let (code, nats) = code(&mut tape);
        let returned = kl.loss(&mut tape, &mut params, code, at(step), 0.5);
        (tape.loss(), returned, nats)
    }

    #[test]
    fn weights_by_hand() {
        let linear = KlConfig { weight: 2.0, warmup: 0.4, ..KlConfig::default() };
        let (charged, returned, nats) = loss(&linear, 10);
        assert!((returned - nats).abs() < 1e-6 && (charged - 2.0 * 0.25 * 0.5 * nats).abs() < 1e-6);
        for (step, weight) in [(0, 0.0), (20, 1.0), (40, 2.0), (99, 2.0)] {
            assert_eq!(linear.weight_at(at(step)), weight);
        }
        assert!(!linear.is_settled(at(39)) && linear.is_settled(at(40)));
        let constant = KlConfig { schedule: KlSchedule::Constant, ..linear.clone() };
        assert_eq!(constant.weight_at(at(0)), 2.0);
        assert_eq!(KlConfig { warmup: 0.0, ..linear.clone() }.weight_at(at(0)), 2.0);
        // Four cycles of 25 steps, each with a rise over 10.
        let cyclical = KlConfig { schedule: KlSchedule::Cyclical, ..linear };
        for (step, weight) in [(0, 0.0), (5, 1.0), (10, 2.0), (24, 2.0), (25, 0.0), (80, 1.0), (99, 2.0)] {
            assert!((cyclical.weight_at(at(step)) - weight).abs() < 1e-6, "{step}");
        }
        assert!(!cyclical.is_settled(at(84)) && cyclical.is_settled(at(85)));
    }

    #[test]
    fn free_nats_by_hand() {
        let constant = KlConfig { schedule: KlSchedule::Constant, ..KlConfig::default() };
        let (_, _, nats) = loss(&constant, 0);
        // Dimension 0 has 0.5 nats, dimension 1 the rest, 0.807.
        let (charged, returned, _) = loss(&KlConfig { free: 0.6, ..constant.clone() }, 0);
        assert!((charged - 0.5 * (0.6 + nats - 0.5)).abs() < 1e-6 && (returned - nats).abs() < 1e-6);
        let (charged, ..) = loss(&KlConfig { free_total: 1.4, ..constant.clone() }, 0);
        assert_eq!(charged, 0.0);
        let (charged, ..) = loss(&KlConfig { free_total: 1.2, ..constant }, 0);
        assert!((charged - 0.5 * nats).abs() < 1e-6);
    }

    /// A latent that answers beta with a delay: D goes to `20 / beta`, a tenth of the way at each step.
    #[test]
    fn the_controller_holds_its_target() {
        for (target, begin) in [(5.0, 1.0), (40.0, 1.0), (12.0, 30.0)] {
            let mut params = Params::new();
            let controller = Controller::new(&mut params, target, begin);
            let mut divergence = 0.0;
            for step in 0..2000 {
                let noise = 1.0 + 0.2 * f64::from(step as f32 * 12.9898).sin();
                let beta = controller.update(&mut params, (64.0 * divergence * noise, 64.0), 2000);
                divergence += 0.1 * (20.0 / f64::from(beta) - divergence);
                let off = (divergence / f64::from(target)).ln().abs();
                assert!(step < 400 || off < 0.1, "{target} {begin} {step}: {divergence}");
            }
            assert!((divergence / f64::from(target) - 1.0).abs() < 0.05, "{target}: {divergence}");
        }
    }

    #[test]
    fn beta_stays_within_its_limits_and_comes_back() {
        let mut params = Params::new();
        let controller = Controller::new(&mut params, 10.0, 1.0);
        for _ in 0..5000 {
            let beta = controller.update(&mut params, (0.0, 8.0), 500);
            assert!(f64::from(beta) > 0.9 * BETA.0);
        }
        // Nothing was wound up: ten times the target for as long as one time constant a factor of e raises beta at once.
        let before = controller.update(&mut params, (0.0, 8.0), 500);
        let after = (0..40).map(|_| controller.update(&mut params, (800.0, 8.0), 500)).last().unwrap();
        assert!(after > 20.0 * before, "{before} {after}");
    }
}

//! The phases of a training: a plain autoencoder at first, if wanted; a regulariser whose weight still moves; and the
//! objective as it is meant. Which of them models may be compared in.

use super::Progress;
use crate::config::{ObjectiveConfig, RegulariserConfig};

impl ObjectiveConfig {
    /// Steps trained as a plain autoencoder, of all.
    pub fn pretraining(&self, steps: u64) -> u64 {
        (f64::from(self.pretrain) * steps as f64).round() as u64
    }

    /// Whether a step trains a plain autoencoder.
    pub fn is_pretraining(&self, progress: Progress) -> bool {
        progress.step < self.pretraining(progress.steps)
    }

    /// Whether the decoder starts afresh before a step (Li et al. 2019).
    pub fn restarts_decoder(&self, progress: Progress) -> bool {
        progress.step > 0 && progress.step == self.pretraining(progress.steps)
    }

    /// Where the training stands for the regulariser, which comes in after the pretraining.
    pub fn after_pretraining(&self, progress: Progress) -> Progress {
        let before = self.pretraining(progress.steps);
        Progress { step: progress.step.saturating_sub(before), steps: progress.steps.saturating_sub(before) }
    }

    /// What a nat of divergence counts when models are compared: as in the final objective, so that none wins because
    /// its weight was still small; with a target, as in the bound.
    pub fn divergence_weight(&self) -> f64 {
        match &self.regulariser {
            RegulariserConfig::Kl(c) => c.target.map_or(f64::from(c.weight), |_| 1.0),
            _ => 0.0,
        }
    }

    /// Whether the model after so many steps may be compared with others: no longer a plain autoencoder, nor one whose
    /// latent does not carry what it shall. Against a discriminator none may: the likelihood is not the aim, and the last
    /// model is kept.
    pub fn is_comparable(&self, made: Progress) -> bool {
        let targeted = matches!(&self.regulariser, RegulariserConfig::Kl(c) if c.target.is_some());
        self.text_gan.is_none() && made.step > self.pretraining(made.steps) && (!targeted || self.is_settled(made))
    }

    /// Whether the objective no longer changes after so many steps: before that, a loss that rises is no reason to stop.
    pub fn is_settled(&self, made: Progress) -> bool {
        let after = self.after_pretraining(made);
        match &self.regulariser {
            RegulariserConfig::Kl(c) => after.step > 0 && c.is_settled(after),
            _ => self.text_gan.is_none() && made.step > self.pretraining(made.steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KlConfig, KlSchedule};

    fn at(step: u64) -> Progress {
        Progress { step, steps: 100 }
    }

    #[test]
    fn pretraining_then_warm_up() {
        let kl = KlConfig { weight: 0.5, warmup: 0.5, ..KlConfig::default() };
        let plain = ObjectiveConfig { regulariser: RegulariserConfig::Kl(kl.clone()), ..Default::default() };
        assert!(!plain.is_pretraining(at(0)) && !plain.restarts_decoder(at(0)));
        assert_eq!((plain.divergence_weight(), plain.after_pretraining(at(7))), (0.5, at(7)));
        assert!(plain.is_comparable(at(1)) && !plain.is_settled(at(49)) && plain.is_settled(at(50)));

        let pretrained = ObjectiveConfig { pretrain: 0.2, ..plain.clone() };
        assert!(pretrained.is_pretraining(at(19)) && !pretrained.is_pretraining(at(20)));
        assert_eq!((0..100).filter(|&s| pretrained.restarts_decoder(at(s))).collect::<Vec<_>>(), [20]);
        assert_eq!(pretrained.after_pretraining(at(60)), Progress { step: 40, steps: 80 });
        assert!(!pretrained.is_comparable(at(20)) && pretrained.is_comparable(at(21)));
        assert!(!pretrained.is_settled(at(59)) && pretrained.is_settled(at(60)));

        let targeted = KlConfig { target: Some(8.0), schedule: KlSchedule::Linear, ..kl };
        let targeted = ObjectiveConfig { regulariser: RegulariserConfig::Kl(targeted), ..plain };
        assert_eq!(targeted.divergence_weight(), 1.0);
        assert!(!targeted.is_comparable(at(19)) && targeted.is_comparable(at(20)));
    }

    #[test]
    fn without_a_divergence_models_are_always_comparable() {
        let none = ObjectiveConfig::default();
        assert!(none.is_comparable(at(1)) && none.is_settled(at(1)) && none.divergence_weight() == 0.0);
    }
}

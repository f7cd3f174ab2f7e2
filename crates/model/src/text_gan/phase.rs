//! The phases of adversarial training: likelihood alone, likelihood beside a discriminator that learns, and adversarial.

use crate::{Progress, config::TextGanConfig};

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The generator learns the likelihood of the texts.
    Likelihood,
    /// And the discriminator learns to tell them from samples.
    WarmUp,
    /// The generator learns from the discriminator.
    Adversarial,
    /// Between such steps the generator learns the likelihood again.
    Interleaved,
}

impl TextGanConfig {
    /// Steps trained for the likelihood, of all.
    pub fn pretraining(&self, steps: u64) -> u64 {
        (f64::from(self.pretrain) * steps as f64).round() as u64
    }

    /// Share of all steps that are of likelihood alone, which are cheap.
    pub fn share_of_likelihood(&self) -> f64 {
        let (pretrain, warmup) = (f64::from(self.pretrain), f64::from(self.warmup));
        let interleaved = if self.interleave > 0 { (1.0 - pretrain) / self.interleave as f64 } else { 0.0 };
        (pretrain - warmup).max(0.0) + interleaved
    }

    /// Whether a step after the pretraining is one of likelihood. The last never is.
    fn interleaves(&self, progress: Progress) -> bool {
        self.interleave > 0 && progress.steps.saturating_sub(progress.step).is_multiple_of(self.interleave)
    }

    pub(crate) fn phase(&self, progress: Progress) -> Phase {
        let before = self.pretraining(progress.steps);
        let warm = (f64::from(self.warmup) * progress.steps as f64).round() as u64;
        match progress.step {
            step if step >= before && self.interleaves(progress) => Phase::Interleaved,
            step if step >= before => Phase::Adversarial,
            step if step + warm >= before => Phase::WarmUp,
            _ => Phase::Likelihood,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_phases() {
        let config = TextGanConfig { pretrain: 0.6, warmup: 0.2, ..TextGanConfig::default() };
        let phase = |step| config.phase(Progress { step, steps: 10 });
        assert_eq!([0, 3, 4, 5, 6, 9].map(phase), {
            use Phase::*;
            [Likelihood, Likelihood, WarmUp, WarmUp, Adversarial, Adversarial]
        });
        // Counted from the last step back, which is adversarial.
        let mixed = TextGanConfig { interleave: 3, ..config.clone() };
        let phase = |step| mixed.phase(Progress { step, steps: 10 });
        assert_eq!([3, 4, 6, 7, 8, 9].map(phase), {
            use Phase::*;
            [Likelihood, WarmUp, Adversarial, Interleaved, Adversarial, Adversarial]
        });
        let cheap =
            |step| matches!(mixed.phase(Progress { step, steps: 3000 }), Phase::Likelihood | Phase::Interleaved);
        let counted = (0..3000).filter(|&step| cheap(step)).count() as f64 / 3000.0;
        assert!((mixed.share_of_likelihood() - counted).abs() < 1e-3, "{counted}");
        let scratch = TextGanConfig { pretrain: 0.0, ..config };
        assert_eq!(scratch.phase(Progress { step: 0, steps: 10 }), Phase::Adversarial);
    }
}

//! Learning-rate schedules: pure functions of the step, so that a resumed run follows the same curve.

/// How the learning rate moves, as a factor of its peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// 1 after the warm-up.
    Constant,
    /// Half a cosine from 1 to `floor` over the planned steps (Loshchilov & Hutter 2017, without restarts).
    Cosine { floor: f32 },
    /// `sqrt(warmup / step)` after the warm-up (Vaswani et al. 2017).
    InverseSquareRoot,
}

impl Schedule {
    /// The factor at `step` (from 0) of `steps` planned, with a linear warm-up over `warmup` steps.
    pub fn factor(self, step: u64, warmup: u64, steps: u64) -> f32 {
        if step < warmup {
            return (step + 1) as f32 / warmup as f32;
        }
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine { floor } => {
                let span = steps.saturating_sub(warmup).max(1) as f32;
                let at = ((step - warmup) as f32 / span).min(1.0);
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f32::consts::PI * at).cos())
            }
            Schedule::InverseSquareRoot => (warmup.max(1) as f32 / (step + 1) as f32).sqrt(),
        }
    }
}

/// Halves the rate when a watched loss has not improved for `patience` looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// Looks without improvement before a cut.
    pub patience: u32,
    /// The present factor.
    pub factor: f32,
    best: f64,
    waited: u32,
}

impl Plateau {
    /// Starts at factor 1.
    pub fn new(patience: u32) -> Self {
        Plateau { patience, factor: 1.0, best: f64::INFINITY, waited: 0 }
    }

    /// Takes the newest validation loss; returns the factor to use from now on.
    pub fn look(&mut self, loss: f64) -> f32 {
        if loss < self.best {
            (self.best, self.waited) = (loss, 0);
        } else {
            self.waited += 1;
            if self.waited >= self.patience {
                (self.factor, self.waited) = (self.factor * 0.5, 0);
            }
        }
        self.factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves() {
        let cosine = Schedule::Cosine { floor: 0.1 };
        assert_eq!(cosine.factor(0, 10, 110), 0.1);
        assert_eq!(cosine.factor(9, 10, 110), 1.0);
        assert!((cosine.factor(60, 10, 110) - 0.55).abs() < 1e-6);
        assert!((cosine.factor(110, 10, 110) - 0.1).abs() < 1e-6);
        assert!((cosine.factor(500, 10, 110) - 0.1).abs() < 1e-6);
        assert_eq!(Schedule::Constant.factor(1000, 0, 10), 1.0);
        assert_eq!(Schedule::InverseSquareRoot.factor(399, 100, 0), 0.5);
    }

    #[test]
    fn plateau_halves() {
        let mut p = Plateau::new(2);
        let seen: Vec<f32> = [3.0, 2.0, 2.0, 2.5, 1.0, 1.0, 1.0].map(|l| p.look(l)).to_vec();
        assert_eq!(seen, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    }
}

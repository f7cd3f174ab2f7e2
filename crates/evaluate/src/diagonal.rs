//! Gaussians with diagonal covariance: what an encoder says of the latent of one text.

use std::f64::consts::TAU;

use rand::Rng;
use strait_model::prior::StandardNormal;

/// `q(z) = N(m, diag(exp(v)))` over Z dimensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Diagonal<'a> {
    /// m (Z).
    pub mean: &'a [f32],
    /// v (Z).
    pub log_variance: &'a [f32],
}

impl Diagonal<'_> {
    /// Appends a draw (Z) to `out`.
    pub fn draw(&self, rng: &mut impl Rng, out: &mut Vec<f32>) {
        let noise = StandardNormal::new(self.mean.len()).sample(rng);
        let each = self.mean.iter().zip(self.log_variance).zip(noise);
        out.extend(each.map(|((m, v), e)| m + (0.5 * v).exp() * e));
    }

    /// `log q(z)` in nats; `z` (Z).
    pub fn log_density(&self, z: &[f32]) -> f64 {
        let each = self.mean.iter().zip(self.log_variance).zip(z);
        let sum: f64 = each
            .map(|((&m, &v), &z)| {
                let (off, v) = (f64::from(z) - f64::from(m), f64::from(v));
                v + off * off * (-v).exp()
            })
            .sum();
        -0.5 * (sum + z.len() as f64 * TAU.ln())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use strait_model::latent::Posterior;

    use super::*;

    #[test]
    fn a_density_by_hand() {
        let q = Diagonal { mean: &[1.0, 0.0], log_variance: &[4.0f32.ln(), 0.0] };
        // N(3; 1, 4) N(0; 0, 1): one standard deviation off, and at the mean.
        let expected = (-0.5f64).exp() / (2.0 * TAU.sqrt()) / TAU.sqrt();
        assert!((q.log_density(&[3.0, 0.0]) - expected.ln()).abs() < 1e-6);
    }

    #[test]
    fn the_mean_log_ratio_of_draws_is_the_divergence_in_closed_form() {
        let posterior = Posterior { mean: vec![0.5, -1.0], log_variance: Some(vec![-1.0, 0.3]) };
        let q = Diagonal { mean: &posterior.mean, log_variance: &[-1.0, 0.3] };
        let (mut rng, mut draws) = (ChaCha8Rng::seed_from_u64(1), Vec::new());
        (0..20_000).for_each(|_| q.draw(&mut rng, &mut draws));
        let prior = StandardNormal::new(2);
        let ratios = draws.chunks(2).map(|z| q.log_density(z) - prior.log_density(z));
        assert!((ratios.sum::<f64>() / 20_000.0 - posterior.divergences(2)[0]).abs() < 0.03);
    }
}

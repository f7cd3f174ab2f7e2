//! Mixture density outputs (Bishop 1994): a row of numbers says where the next latent lies and whether there is one.
//!
//! A row is `[a (K) | m (K, Z) | s (K, Z) | e]`: `p(z) = sum_k softmax(a)_k N(z; m_k, diag(exp(s_k)))`, the document
//! ends with probability `σ(e)`. `s` is held in [-LIMIT, LIMIT]. With the responsibilities `r_k = p(k | z)`:
//! `d(-ln p)/da_k = softmax(a)_k - r_k`, `d/dm_k = r_k (m_k - z) exp(-s_k)`,
//! `d/ds_k = r_k (1 - (z - m_k)^2 exp(-s_k)) / 2`.

use rand::{Rng, RngExt as _};
use strait_engine::init;

/// Bound of a logarithm of a variance.
const LIMIT: f32 = 5.0;

/// The sizes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mixture {
    /// K.
    pub(crate) components: usize,
    /// Z.
    pub(crate) latent: usize,
}

impl Mixture {
    /// Numbers in a row.
    pub(crate) fn width(self) -> usize {
        self.components * (1 + 2 * self.latent) + 1
    }

    /// (means, logarithms of variances) of component `k`.
    fn component(self, row: &[f32], k: usize) -> (&[f32], &[f32]) {
        let (means, rest) = (self.components, self.components * (1 + self.latent));
        (&row[means + k * self.latent..][..self.latent], &row[rest + k * self.latent..][..self.latent])
    }

    /// `ln softmax(a)_k + ln N(z; m_k, s_k)` for each k, in nats.
    fn joint(self, row: &[f32], z: &[f32]) -> Vec<f64> {
        let weights = log_sum_exp(row[..self.components].iter().map(|&a| f64::from(a)));
        let constant = 0.5 * self.latent as f64 * (2.0 * std::f64::consts::PI).ln();
        let of = |k: usize| {
            let (means, logvars) = self.component(row, k);
            let terms = z.iter().zip(means).zip(logvars).map(|((z, m), s)| {
                let s = f64::from(s.clamp(-LIMIT, LIMIT));
                let d = f64::from(z - m);
                s + d * d * (-s).exp()
            });
            f64::from(row[k]) - weights - constant - 0.5 * terms.sum::<f64>()
        };
        (0..self.components).map(of).collect()
    }

    /// `ln p(z)` in nats.
    pub(crate) fn log_density(self, row: &[f32], z: &[f32]) -> f64 {
        log_sum_exp(self.joint(row, z).into_iter())
    }

    /// The probability that the document ends.
    pub(crate) fn end(self, row: &[f32]) -> f64 {
        1.0 / (1.0 + (-f64::from(row[self.width() - 1])).exp())
    }

    /// A draw, its spread about a component's mean multiplied by `temperature`.
    pub(crate) fn draw(self, row: &[f32], temperature: f32, rng: &mut impl Rng) -> Vec<f32> {
        let total = log_sum_exp(row[..self.components].iter().map(|&a| f64::from(a)));
        let mut left: f64 = rng.random();
        let chosen = (0..self.components).find(|&k| {
            left -= (f64::from(row[k]) - total).exp();
            left <= 0.0
        });
        let (means, logvars) = self.component(row, chosen.unwrap_or(self.components - 1));
        let noise = init::normal(self.latent, temperature, rng);
        let deviation = |s: &f32| (0.5 * s.clamp(-LIMIT, LIMIT)).exp();
        means.iter().zip(logvars).zip(noise).map(|((m, s), e)| m + deviation(s) * e).collect()
    }

    /// The loss of a row in nats, `-ln p(z) - ln p(no end)`, or `-ln p(end)` without a next latent; its gradient times
    /// `scale` goes to `gradient` (the row's width).
    pub(crate) fn loss(self, row: &[f32], next: Option<&[f32]>, scale: f64, gradient: &mut [f32]) -> f64 {
        gradient.fill(0.0);
        let last = self.width() - 1;
        let e = f64::from(row[last]);
        let target = f64::from(u8::from(next.is_none()));
        gradient[last] = (scale * (self.end(row) - target)) as f32;
        let ending = e.max(0.0) - e * target + (-e.abs()).exp().ln_1p();
        let Some(z) = next else { return ending };
        let joint = self.joint(row, z);
        let density = log_sum_exp(joint.iter().copied());
        let total = log_sum_exp(row[..self.components].iter().map(|&a| f64::from(a)));
        for k in 0..self.components {
            let r = (joint[k] - density).exp();
            gradient[k] = (scale * ((f64::from(row[k]) - total).exp() - r)) as f32;
            let (means, logvars) = self.component(row, k);
            let at = self.components + k * self.latent;
            let spread = self.components * self.latent;
            for j in 0..self.latent {
                let s = logvars[j].clamp(-LIMIT, LIMIT);
                let (d, precision) = (f64::from(means[j] - z[j]), f64::from(-s).exp());
                gradient[at + j] = (scale * r * d * precision) as f32;
                if s == logvars[j] {
                    gradient[at + spread + j] = (scale * r * 0.5 * (1.0 - d * d * precision)) as f32;
                }
            }
        }
        ending - density
    }
}

/// `ln sum exp`, without overflow.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    top + values.map(|v| (v - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The definition, without logarithms.
    fn plain(mixture: Mixture, row: &[f32], z: &[f32]) -> f64 {
        let weights: Vec<f64> = row[..mixture.components].iter().map(|&a| f64::from(a).exp()).collect();
        let density = |k: usize| -> f64 {
            let (means, logvars) = mixture.component(row, k);
            let one = |j: usize| {
                let variance = f64::from(logvars[j]).exp();
                let d = f64::from(z[j]) - f64::from(means[j]);
                (-0.5 * d * d / variance).exp() / (2.0 * std::f64::consts::PI * variance).sqrt()
            };
            weights[k] / weights.iter().sum::<f64>() * (0..z.len()).map(one).product::<f64>()
        };
        (0..mixture.components).map(density).sum()
    }

    fn row(mixture: Mixture) -> Vec<f32> {
        init::normal(mixture.width(), 0.7, &mut ChaCha8Rng::seed_from_u64(3))
    }

    #[test]
    fn density_by_hand_and_by_definition() {
        let one = Mixture { components: 1, latent: 1 };
        let half_log_two_pi = 0.5 * (2.0 * std::f64::consts::PI).ln();
        assert!((one.log_density(&[0.3, 0.0, 0.0, 0.0], &[2.0]) + half_log_two_pi + 2.0).abs() < 1e-12);
        assert_eq!(one.end(&[0.3, 0.0, 0.0, 0.0]), 0.5);
        let mixture = Mixture { components: 3, latent: 4 };
        let (row, z) = (row(mixture), [0.3, -0.7, 1.1, 0.2]);
        assert!((mixture.log_density(&row, &z).exp() - plain(mixture, &row, &z)).abs() < 1e-9);
    }

    #[test]
    fn gradients_are_finite_differences() {
        let mixture = Mixture { components: 3, latent: 2 };
        let mut row = row(mixture);
        let mut unused = vec![0.0; row.len()];
        for next in [Some(&[0.4f32, -0.8][..]), None] {
            let mut gradient = vec![0.0; row.len()];
            mixture.loss(&row, next, 0.5, &mut gradient);
            for i in 0..row.len() {
                let (x, h) = (row[i], 1e-3);
                row[i] = x + h;
                let up = mixture.loss(&row, next, 0.5, &mut unused);
                row[i] = x - h;
                let down = mixture.loss(&row, next, 0.5, &mut unused);
                row[i] = x;
                let numeric = 0.5 * (up - down) / f64::from(2.0 * h);
                assert!((numeric - f64::from(gradient[i])).abs() < 1e-4, "{i}: {numeric} {}", gradient[i]);
            }
        }
    }

    #[test]
    fn far_off_and_held_spreads_stay_finite() {
        let mixture = Mixture { components: 2, latent: 1 };
        let mut gradient = vec![0.0; mixture.width()];
        let loss = mixture.loss(&[0.0, 0.0, 1e3, -1e3, -90.0, 90.0, 80.0], Some(&[0.0]), 1.0, &mut gradient);
        assert!(loss.is_finite() && gradient.iter().all(|g| g.is_finite()));
        assert_eq!(gradient[4..6], [0.0, 0.0]);
    }

    #[test]
    fn draws_follow_the_mixture() {
        let mixture = Mixture { components: 2, latent: 1 };
        let row = [0.0, 3f32.ln(), -4.0, 4.0, -2.0, -2.0, 0.0];
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let high = (0..2000).filter(|_| mixture.draw(&row, 1.0, &mut rng)[0] > 0.0).count();
        assert!((1430..1570).contains(&high), "{high}");
    }
}

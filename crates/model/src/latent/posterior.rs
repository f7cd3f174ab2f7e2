//! What an encoder makes of texts, and how much of them it carries.

use rand::Rng;
use strait_engine::{init, ops::gaussian, threads};

/// The least variance of the means of a dimension in use.
pub const ACTIVE: f64 = 0.01;

/// What an encoder makes of n texts, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// Means (n, Z); points and codes themselves.
    pub mean: Vec<f32>,
    /// Log variances (n, Z), of a Gaussian posterior.
    pub log_variance: Option<Vec<f32>>,
}

impl Posterior {
    /// A draw for each text (n, Z); without variances, the means.
    pub fn draw(&self, rng: &mut impl Rng) -> Vec<f32> {
        let Some(log_variance) = &self.log_variance else { return self.mean.clone() };
        let noise = init::normal(self.mean.len(), 1.0, rng);
        let parts = self.mean.iter().zip(log_variance.iter().zip(&noise));
        parts.map(|(&m, (&lv, &e))| m + (0.5 * lv).exp() * e).collect()
    }

    /// `KL(q(z|x) || N(0, I))` of each text in nats, (n); 0 without variances. `size` is Z.
    pub fn divergences(&self, size: usize) -> Vec<f64> {
        let n = self.mean.len() / size.max(1);
        let Some(log_variance) = &self.log_variance else { return vec![0.0; n] };
        let row = |(m, lv): (&[f32], &[f32])| {
            m.iter().zip(lv).map(|(&m, &lv)| gaussian::reference(m as f64, lv as f64)).sum()
        };
        self.mean.chunks_exact(size).zip(log_variance.chunks_exact(size)).map(row).collect()
    }

    /// Variance of each dimension's mean over the texts, (Z).
    pub fn mean_variances(&self, size: usize) -> Vec<f64> {
        let n = (self.mean.len() / size.max(1)).max(1) as f64;
        let column = |j: usize| self.mean.iter().skip(j).step_by(size).map(|&m| m as f64);
        let variance = |j: usize| {
            let mean = column(j).sum::<f64>() / n;
            column(j).map(|m| (m - mean).powi(2)).sum::<f64>() / n
        };
        (0..size).map(variance).collect()
    }

    /// Dimensions in use: those whose mean varies over the texts by more than 0.01 (Burda et al. 2016).
    pub fn active_units(&self, size: usize) -> usize {
        self.mean_variances(size).iter().filter(|&&v| v > ACTIVE).count()
    }

    /// `I(x; z) = mean_i [ln q(z_i|x_i) - ln (1/n sum_j q(z_i|x_j))]` in nats over all n texts at once, with a draw of each
    /// posterior, z (n, Z) (Hoffman & Johnson 2016; Dieng et al. 2019): it cannot exceed `ln n`. None without variances.
    pub fn mutual_information(&self, z: &[f32], size: usize) -> Option<f64> {
        let log_variances = self.log_variance.as_ref()?;
        let precisions: Vec<f32> = log_variances.iter().map(|lv| (-lv).exp()).collect();
        let log_scales: Vec<f64> =
            log_variances.chunks_exact(size).map(|lv| lv.iter().map(|&lv| lv as f64).sum()).collect();
        let n = log_scales.len();
        let mut each = vec![0.0; n];
        threads::chunks(&mut each, 16, |chunk, each| {
            let mut logs = vec![0.0; n];
            for (i, out) in each.iter_mut().enumerate() {
                let i = chunk * 16 + i;
                let z = &z[i * size..][..size];
                for (j, log) in logs.iter_mut().enumerate() {
                    let at = j * size;
                    // The constant -Z/2 ln(2 pi) of every density cancels.
                    let distance = distance(z, &self.mean[at..][..size], &precisions[at..][..size]);
                    *log = -0.5 * (distance + log_scales[j]);
                }
                let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let mean = logs.iter().map(|l| (l - top).exp()).sum::<f64>() / n as f64;
                *out = logs[i] - top - mean.ln();
            }
        });
        Some(each.iter().sum::<f64>() / n.max(1) as f64)
    }
}

/// `sum_d p_d (z_d - m_d)^2`, in eight sums side by side.
fn distance(z: &[f32], means: &[f32], precisions: &[f32]) -> f64 {
    let mut sums = [0.0f32; 8];
    for ((z, m), p) in z.chunks(8).zip(means.chunks(8)).zip(precisions.chunks(8)) {
        for (s, ((z, m), p)) in sums.iter_mut().zip(z.iter().zip(m).zip(p)) {
            *s += p * (z - m) * (z - m);
        }
    }
    sums.iter().map(|&s| s as f64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn posterior(mean: &[f32], log_variance: &[f32]) -> Posterior {
        Posterior { mean: mean.to_vec(), log_variance: Some(log_variance.to_vec()) }
    }

    #[test]
    fn mutual_information_at_its_limits() {
        // Posteriors far apart tell every text from every other; posteriors that are all the same tell nothing.
        let apart: Vec<f32> = (0..20).map(|i| i as f32 * 100.0).collect();
        let far = posterior(&apart, &[0.0; 20]).mutual_information(&apart, 1).unwrap();
        assert!((far - 20f64.ln()).abs() < 1e-6, "{far}");
        let same = posterior(&[1.0; 20], &[0.3; 20]).mutual_information(&apart, 1).unwrap();
        assert!(same.abs() < 1e-9, "{same}");
    }

    #[test]
    fn mutual_information_of_a_gaussian_channel() {
        // Means of variance s^2 and noise of variance v: I = 1/2 ln (1 + s^2 / v) in each of two dimensions.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (n, s, v) = (1000, 2.0f32, 0.5f32);
        let mean = init::normal(2 * n, s, &mut rng);
        let posterior = posterior(&mean, &vec![v.ln(); 2 * n]);
        let z = posterior.draw(&mut rng);
        let found = posterior.mutual_information(&z, 2).unwrap();
        let expected = (1.0 + s * s / v).ln() as f64;
        assert!((found - expected).abs() < 0.1, "{found} {expected}");
    }

    #[test]
    fn active_units_by_hand() {
        // Variances 1, 0.0025 and 0.04.
        let means = Posterior { mean: vec![1.0, 0.05, 7.2, -1.0, -0.05, 6.8], log_variance: None };
        assert_eq!(means.active_units(3), 2);
    }
}

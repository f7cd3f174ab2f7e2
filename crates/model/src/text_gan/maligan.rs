//! MaliGAN (Che et al. 2017, <https://arxiv.org/abs/1702.07983>): samples count by their odds of being real.
//!
//! With the best discriminator `r = D / (1 - D)` is the ratio of the two densities, so that `sum_i r_i nats_i / sum_i r_i`
//! has the gradient of the likelihood, estimated by importance sampling. Of m samples the weight is `m r_i / sum_j r_j - 1`
//! for each token of the i-th: the weights sum to 0.

/// Weights of samples by their logits.
pub(crate) fn weights(logits: &[f64]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let odds: Vec<f64> = logits.iter().map(|l| (l - top).exp()).collect();
    let mean = odds.iter().sum::<f64>() / odds.len().max(1) as f64;
    odds.iter().map(|r| r / mean - 1.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Odds 1, 3 and 2 of a sum of 6.
        let w = weights(&[0.0, 3f64.ln(), 2f64.ln()]);
        assert!([-0.5, 0.5, 0.0].iter().zip(&w).all(|(a, b)| (a - b).abs() < 1e-12), "{w:?}");
        assert!(weights(&[900.0, 900.0]).iter().all(|&w| w == 0.0));
    }
}

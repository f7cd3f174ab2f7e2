//! ScratchGAN (de Masson d'Autume et al. 2019, <https://arxiv.org/abs/1905.09922>): rewards at every token.
//!
//! The discriminator reads from left to right and says after each token whether the text so far is real. `r_t = 2 D_t - 1`,
//! and the value of a token is what follows, discounted: `Q_t = sum_(s >= t) g^(s - t) r_s`. (The paper's baseline is a
//! moving mean over steps; here it is that of the other samples, see `advantage`, which keeps no state.)

/// Q of each token from the logits at them.
pub(crate) fn returns(logits: &[f64], discount: f64) -> Vec<f64> {
    let mut after = 0.0;
    let mut values: Vec<f64> = logits
        .iter()
        .rev()
        .map(|l| {
            after = (0.5 * l).tanh() + discount * after; // 2 s(l) - 1
            after
        })
        .collect();
    values.reverse();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // D = 3/4, 1/2 and 1/4: rewards 1/2, 0 and -1/2.
        let q = returns(&[3f64.ln(), 0.0, -(3f64.ln())], 0.5);
        assert!([0.375, -0.25, -0.5].iter().zip(&q).all(|(a, b)| (a - b).abs() < 1e-12), "{q:?}");
    }
}

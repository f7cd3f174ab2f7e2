//! SeqGAN (Yu et al. 2017, <https://arxiv.org/abs/1609.05473>): the value of a token is the mean reward of texts that go on
//! from it.
//!
//! `Q_t = 1/N sum_n R(y_1..t, completion_n)`, the completions drawn from the generator as it is, or
//! as it was on average before ([`super::lagged`]); of the last token, or of the
//! end, `Q = R(y)`. The paper's reward is the discriminator's chance that the text is real.

use rand::Rng;

use super::samples::{Samples, complete};
use crate::Autoencoder;

/// How prefixes are completed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rollouts {
    /// Completions of each prefix, N.
    pub(crate) each: usize,
    /// Most tokens of a text.
    pub(crate) longest: usize,
}

/// Q of each token of each sample, its end last if it came to one. `reward` gives that of each of some texts.
pub(crate) fn values(
    model: &Autoencoder,
    samples: &Samples,
    rollouts: Rollouts,
    reward: impl Fn(&[Vec<u32>]) -> Vec<f64>,
    rng: &mut impl Rng,
) -> Vec<Vec<f64>> {
    let completed = |i: usize| samples.ids[i].len().saturating_sub(usize::from(!samples.finished[i]));
    let prefixes = |i: usize| (1..=completed(i)).map(move |t| samples.ids[i][..t].to_vec());
    let all: Vec<Vec<u32>> = (0..samples.ids.len())
        .flat_map(prefixes)
        .flat_map(|prefix| std::iter::repeat_n(prefix, rollouts.each))
        .collect();
    let texts: Vec<Vec<u32>> =
        complete(model, &all, rollouts.longest, rng).into_iter().map(|output| output.tokens).collect();
    let mean = |rewards: &[f64]| rewards.iter().sum::<f64>() / rewards.len() as f64;
    let means: Vec<f64> = reward(&texts).chunks(rollouts.each).map(mean).collect();
    let (whole, mut at) = (reward(&samples.ids), 0);
    let mut of = |i: usize| {
        let mine = at..at + completed(i);
        at = mine.end;
        means[mine].iter().copied().chain([whole[i]]).collect()
    };
    (0..samples.ids.len()).map(&mut of).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::Recipe;

    #[test]
    fn values_of_tokens_that_settle_the_reward() {
        let mut recipe = Recipe::find("lm-lstm").unwrap();
        (recipe.encoder.embedding, recipe.decoder.hidden) = (6, 5);
        let model = Autoencoder::new(&recipe, 9, 3);
        let samples =
            Samples { ids: vec![vec![7, 5], vec![6], vec![]], finished: vec![true, false, true], entropy: 0.0 };
        // The first token alone decides; a text without one has 0.25.
        let reward = |texts: &[Vec<u32>]| -> Vec<f64> {
            texts.iter().map(|t| t.first().map_or(0.25, |&first| f64::from(u8::from(first == 7)))).collect()
        };
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let values = values(&model, &samples, Rollouts { each: 3, longest: 6 }, reward, rng);
        assert_eq!(values, [vec![1.0, 1.0, 1.0], vec![0.0], vec![0.25]]);
    }
}

//! Whether the samples of a generator that is trained against a discriminator have become all alike.

use std::collections::HashSet;

use strait_eval::self_bleu;
use strait_model::{Autoencoder, Figures, decoding::Options};

use crate::look::Scene;

/// Samples looked at.
const LOOKED_AT: usize = 200;
/// Samples with less than this share of the different pairs of tokens that as many texts have are alike.
const LEAST: f64 = 0.5;

/// `distinct_pairs`, the different pairs of neighbouring tokens of samples at temperature 1 for each one of as many
/// validation texts, and `self_bleu4` of these samples, over tokens; none without a discriminator of texts.
pub(crate) fn figures(model: &Autoencoder, scene: &Scene<'_>, step: u64) -> Figures {
    let n = scene.valid_ids.len().min(LOOKED_AT);
    if model.recipe().objective.text_gan.is_none() || n == 0 {
        return Figures::new();
    }
    let options = Options { temperature: 1.0, max_len: scene.max_len, ..Options::default() };
    let seeds: Vec<u64> = (0..n as u64).map(|i| scene.seed ^ step ^ (i << 24)).collect();
    let outputs = model.decode(&[], &options, scene.tokenizer.kind(), &seeds);
    let samples: Vec<Vec<u32>> = outputs.into_iter().map(|o| o.tokens).collect();
    let of_samples: Vec<&[u32]> = samples.iter().map(Vec::as_slice).collect();
    let texts: Vec<&[u32]> = scene.valid_ids[..n].iter().map(Vec::as_slice).collect();
    let distinct_pairs = pairs(&of_samples) as f64 / pairs(&texts).max(1) as f64;
    vec![("distinct_pairs", distinct_pairs), ("self_bleu4", self_bleu(&samples))]
}

/// What to say of samples that are alike.
pub(crate) fn alarm(figures: &Figures) -> Option<String> {
    let share = figures.iter().find(|f| f.0 == "distinct_pairs")?.1;
    (share < LEAST).then(|| {
        format!(
            "the generator has collapsed: its samples have {:.0} % of the different pairs of tokens that as many texts have. \
             Try fewer adversarial steps, --set objective.text_gan.pretrain=0.9; or the texts' likelihood beside the \
             discriminator, --set objective.text_gan.likelihood=0.5; or smaller steps, --set \
             objective.text_gan.generator_rate=1e-5",
            100.0 * share
        )
    })
}

fn pairs(texts: &[&[u32]]) -> usize {
    texts.iter().flat_map(|text| text.windows(2)).collect::<HashSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sameness_is_said() {
        assert_eq!(pairs(&[&[5, 6, 7], &[6, 7], &[], &[8, 5]]), 3);
        assert_eq!(alarm(&Figures::new()), None);
        assert_eq!(alarm(&vec![("distinct_pairs", 0.9)]), None);
        assert!(alarm(&vec![("distinct_pairs", 0.12)]).unwrap().contains("12 %"));
    }
}

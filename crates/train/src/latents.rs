//! What the latents of a model show: how much of a text they carry, and how much of them is in use.
//!
//! Of Gaussian posteriors over n texts ([`Posterior`]): `kl`, the mean divergence from N(0, I), nats a text;
//! `active_units`; `mutual_information` with its `mutual_information_cap = ln n`.
//!
//! Of codes, averaged over the codebooks: `code_perplexity`, the exponential of the entropy of their use, and
//! `codes_used`, the share that some text uses.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_model::{
    Autoencoder, Figures,
    latent::{Codebook, Posterior, perplexity},
};

/// Texts looked at, at most: the time of the mutual information grows with their square.
const TEXTS: usize = 1000;
/// Fewer nats of divergence than this carry nothing.
const LEAST_NATS: f64 = 0.1;

/// The figures of a model on texts: those of `valid`, filled up from `train` to `TEXTS`.
pub fn figures(model: &Autoencoder, valid: &[Vec<u32>], train: &[Vec<u32>], seed: u64) -> Figures {
    let size = model.latent_size();
    let texts: Vec<&[u32]> = valid.iter().chain(train).take(TEXTS).map(|t| &t[..]).collect();
    if let Some(book) = model.codebook() {
        return of_codes(&book, &book.nearest(&model.encode(&texts)));
    }
    let posterior = model.posterior(&texts);
    let z = posterior.draw(&mut ChaCha8Rng::seed_from_u64(seed));
    match posterior.mutual_information(&z, size) {
        Some(information) if !texts.is_empty() => {
            let n = texts.len() as f64;
            vec![
                ("kl", posterior.divergences(size).iter().sum::<f64>() / n),
                ("active_units", posterior.active_units(size) as f64),
                ("mutual_information", information),
                ("mutual_information_cap", n.ln()),
            ]
        }
        _ => Figures::new(),
    }
}

/// What to say if the latent carries nothing: the decoder has learned to do without.
pub fn alarm(figures: &Figures) -> Option<String> {
    let figure = |name| figures.iter().find(|f| f.0 == name).map(|f| f.1);
    let (nats, units) = (figure("kl")?, figure("active_units")?);
    (nats < LEAST_NATS || units == 0.0).then(|| {
        format!(
            "the latent has collapsed: it carries {nats:.2} nats a text, {units} of its dimensions are in use, and the \
             decoder writes without it. Try --recipe vae-rate, bn-vae or vae-free; or a rate to hold, --set \
             objective.regulariser.target=10; or a smaller weight, --set objective.regulariser.weight=0.2; or a weaker \
             decoder, --set decoder.word_dropout=0.5"
        )
    })
}

/// The figures of codes (n, S).
fn of_codes(book: &Codebook<'_>, codes: &[u32]) -> Figures {
    let books = if book.shared { 1 } else { book.slots };
    let mut counts = vec![0.0f32; books * book.codes];
    codes.iter().enumerate().for_each(|(i, &code)| counts[i % books * book.codes + code as usize] += 1.0);
    let used = counts.iter().filter(|&&n| n > 0.0).count();
    vec![
        ("code_perplexity", counts.chunks_exact(book.codes).map(perplexity).sum::<f64>() / books as f64),
        ("codes_used", used as f64 / counts.len() as f64),
    ]
}

/// Latents of texts as the decoder meets them in training: of a Gaussian posterior a draw each, else without noise.
pub fn draws(model: &Autoencoder, texts: &[&[u32]], seed: u64) -> Vec<f32> {
    let posterior: Posterior = model.posterior(texts);
    posterior.draw(&mut ChaCha8Rng::seed_from_u64(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_by_hand() {
        let vectors = [0.0f32; 8];
        let own = Codebook { vectors: &vectors, codes: 4, slots: 2, shared: false };
        // Slot 0 uses two codes evenly, slot 1 one.
        let figures = of_codes(&own, &[0, 3, 2, 3, 0, 3, 2, 3]);
        assert!((figures[0].1 - 1.5).abs() < 1e-9 && figures[1] == ("codes_used", 3.0 / 8.0), "{figures:?}");
        let shared = Codebook { shared: true, ..own };
        let figures = of_codes(&shared, &[0, 1, 2, 3]);
        assert!((figures[0].1 - 4.0).abs() < 1e-9 && figures[1].1 == 1.0, "{figures:?}");
    }

    #[test]
    fn the_alarm_says_what_to_try() {
        let figures = |kl, units| vec![("kl", kl), ("active_units", units)];
        assert!(alarm(&figures(0.05, 3.0)).unwrap().contains("vae-rate"));
        assert!(alarm(&figures(0.5, 0.0)).is_some());
        assert!(alarm(&figures(0.5, 1.0)).is_none() && alarm(&Figures::new()).is_none());
    }
}

//! What the latents of a model show: how much of a text they carry, and how much of them is in use.
//!
//! Of Gaussian posteriors over n texts, with one draw `z_i ~ q(z|x_i)` each:
//!
//! - `kl`: the mean of `KL(q(z|x) || N(0, I))`, nats a text;
//! - `active_units`: dimensions whose posterior means have a variance above 0.01 (Burda et al. 2016);
//! - `mutual_information`: `I(x; z) = mean_i [ln q(z_i|x_i) - ln (1/n sum_j q(z_i|x_j))]` nats (Hoffman & Johnson 2016;
//!   Dieng et al. 2019), which cannot exceed `mutual_information_cap = ln n`.
//!
//! Of codes, averaged over the codebooks: `code_perplexity`, the exponential of the entropy of their use, and
//! `codes_used`, the share that some text uses.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::threads;
use strait_model::{
    Autoencoder, Figures,
    latent::{Codebook, Posterior, perplexity},
};

/// Texts looked at, at most: the time of the mutual information grows with their square.
const TEXTS: usize = 1000;
/// The least variance of the means of a dimension in use.
const ACTIVE: f64 = 0.01;
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
    match &posterior.log_variance {
        Some(log_variance) if !texts.is_empty() => {
            let z = posterior.draw(&mut ChaCha8Rng::seed_from_u64(seed));
            let n = texts.len() as f64;
            vec![
                ("kl", posterior.divergences(size).iter().sum::<f64>() / n),
                ("active_units", active_units(&posterior.mean, size) as f64),
                ("mutual_information", mutual_information((&posterior.mean, log_variance), &z, size)),
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

/// Dimensions of means (n, Z) with a variance above [`ACTIVE`].
fn active_units(means: &[f32], size: usize) -> usize {
    let n = (means.len() / size.max(1)) as f64;
    let variance = |j: usize| {
        let column = || means.iter().skip(j).step_by(size).map(|&m| m as f64);
        let mean = column().sum::<f64>() / n;
        column().map(|m| (m - mean).powi(2)).sum::<f64>() / n
    };
    (0..size).filter(|&j| variance(j) > ACTIVE).count()
}

/// The estimate of `I(x; z)` in nats from means and log variances (n, Z) and a draw of each posterior, z (n, Z).
fn mutual_information((means, log_variances): (&[f32], &[f32]), z: &[f32], size: usize) -> f64 {
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
                *log = -0.5 * (distance(z, &means[at..][..size], &precisions[at..][..size]) + log_scales[j]);
            }
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mean = logs.iter().map(|l| (l - top).exp()).sum::<f64>() / n as f64;
            *out = logs[i] - top - mean.ln();
        }
    });
    each.iter().sum::<f64>() / n as f64
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
    use strait_engine::init;

    #[test]
    fn mutual_information_at_its_limits() {
        // Posteriors far apart tell every text from every other; posteriors that are all the same tell nothing.
        let apart: Vec<f32> = (0..20).map(|i| i as f32 * 100.0).collect();
        let far = mutual_information((&apart, &[0.0; 20]), &apart, 1);
        assert!((far - 20f64.ln()).abs() < 1e-6, "{far}");
        let same = mutual_information((&[1.0; 20], &[0.3; 20]), &apart, 1);
        assert!(same.abs() < 1e-9, "{same}");
    }

    #[test]
    fn mutual_information_of_a_gaussian_channel() {
        // Means of variance s^2 and noise of variance v: I = 1/2 ln (1 + s^2 / v) in each of two dimensions.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (n, s, v) = (1000, 2.0f32, 0.5f32);
        let mean = init::normal(2 * n, s, &mut rng);
        let log_variance = vec![v.ln(); 2 * n];
        let posterior = Posterior { mean, log_variance: Some(log_variance.clone()) };
        let z = posterior.draw(&mut rng);
        let found = mutual_information((&posterior.mean, &log_variance), &z, 2);
        let expected = (1.0 + s * s / v).ln() as f64;
        assert!((found - expected).abs() < 0.1, "{found} {expected}");
    }

    #[test]
    fn active_units_by_hand() {
        // Variances 1, 0.0025 and 0.04.
        assert_eq!(active_units(&[1.0, 0.05, 7.2, -1.0, -0.05, 6.8], 3), 2);
    }

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

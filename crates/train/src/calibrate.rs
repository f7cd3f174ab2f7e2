//! The temperature to sample at: the coolest at which samples are as varied as real text, but no hotter than 0.7.
//!
//! Cool samples are the most coherent, and the most alike. Variety is measured as distinct-2 (Li et al. 2016), the
//! share of different pairs of neighbouring units among all pairs, over as many samples as there are validation
//! texts: where it reaches that of the validation texts, going hotter would only add noise.

use std::collections::HashSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_eval::{Interner, Unit};
use strait_model::{Autoencoder, decoding::Options, prior::Prior};
use strait_text::Tokenizer;

/// Samples drawn at each temperature, at most.
const SAMPLES: usize = 1000;
/// With fewer validation texts nothing can be compared.
const LEAST: usize = 50;
/// The temperatures tried. Hotter than the last, sentences lose their thread (docs/log.md).
const TEMPERATURES: [f32; 5] = [0.3, 0.4, 0.5, 0.6, 0.7];
/// Used when there are too few validation texts.
const FALLBACK: f32 = 0.7;

/// What was found.
pub struct Calibration {
    pub temperature: f32,
    /// Distinct-2 of the validation texts; NaN if there are too few.
    pub distinct2: f64,
}

/// Finds the temperature for `model` with `prior`; `max_len` limits samples.
pub fn temperature(
    (model, prior, tokenizer): (&Autoencoder, &Prior, &Tokenizer),
    valid: &[String],
    unit: Unit,
    max_len: usize,
    seed: u64,
) -> Calibration {
    let n = valid.len().min(SAMPLES);
    if n < LEAST {
        return Calibration { temperature: FALLBACK, distinct2: f64::NAN };
    }
    let level = distinct2(&valid[..n], unit);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let latents = prior.sample_many(n, &mut rng);
    let seeds: Vec<u64> = (0..n).map(|_| rng.next_u64()).collect();
    let curve = TEMPERATURES.map(|temperature| {
        let options = Options { temperature, max_len, known_words: true, ..Options::default() };
        let outputs = model.decode(&latents, &options, tokenizer.kind(), &seeds);
        let texts: Vec<String> = outputs.iter().map(|o| tokenizer.decode(&o.tokens)).collect();
        (temperature, distinct2(&texts, unit))
    });
    Calibration { temperature: crossing(&curve, level), distinct2: level }
}

/// The share of different pairs of neighbouring units among all pairs.
fn distinct2(texts: &[String], unit: Unit) -> f64 {
    let encoded = Interner::new().encode_all(texts, unit);
    let pairs = || encoded.iter().flat_map(|t| t.windows(2).map(|p| (p[0], p[1])));
    pairs().collect::<HashSet<_>>().len() as f64 / pairs().count().max(1) as f64
}

/// Where the curve of (temperature, variety) first reaches `level`, between its points by straight lines, to
/// two digits; its ends where it never does.
fn crossing(curve: &[(f32, f64)], level: f64) -> f32 {
    let at = curve.iter().position(|p| p.1 >= level || p.1.is_nan());
    let exact = match at {
        None => curve[curve.len() - 1].0,
        Some(0) => curve[0].0,
        Some(i) => {
            let ((t0, y0), (t1, y1)) = (curve[i - 1], curve[i]);
            let share = (level - y0) / (y1 - y0);
            if share.is_finite() { t0 + (t1 - t0) * share as f32 } else { t0 }
        }
    };
    (exact * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::crossing;

    #[test]
    fn crossings() {
        let curve = [(0.5, 1.0), (0.7, 2.0), (1.0, 5.0)];
        assert_eq!(crossing(&curve, 1.5), 0.6);
        assert_eq!(crossing(&curve, 3.5), 0.85);
        assert_eq!((crossing(&curve, 0.0), crossing(&curve, 9.0)), (0.5, 1.0));
        assert_eq!(crossing(&[(0.5, 1.0), (1.0, f64::NAN)], 2.0), 0.5);
    }
}

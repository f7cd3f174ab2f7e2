//! The temperature to sample at: that at which samples surprise a model of the training text as much as held-out
//! text does.
//!
//! A Kneser-Ney 5-gram of the training texts reads the validation texts and samples drawn at several temperatures.
//! Cooler samples are more ordinary than real text, hotter ones stranger; where the perplexities meet, variety and
//! coherence are those of the corpus, as far as five words can tell.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_eval::{Interner, KneserNey, Unit};
use strait_model::{Autoencoder, decoding::Options, prior::Prior};
use strait_text::Tokenizer;

/// Samples drawn at each temperature.
const SAMPLES: usize = 400;
/// The temperatures tried.
const TEMPERATURES: [f32; 5] = [0.4, 0.55, 0.7, 0.85, 1.0];
/// Used when there are no validation texts to compare with.
const FALLBACK: f32 = 0.7;

/// What was found.
pub struct Calibration {
    pub temperature: f32,
    /// Perplexity of the validation texts under the 5-gram of the training texts; NaN without any.
    pub held_out_ppl: f64,
}

/// Finds the temperature for `model` with `prior`; `max_len` limits samples.
pub fn temperature(
    (model, prior, tokenizer): (&Autoencoder, &Prior, &Tokenizer),
    (train, valid): (&[String], &[String]),
    unit: Unit,
    max_len: usize,
    seed: u64,
) -> Calibration {
    let mut interner = Interner::new();
    let train = interner.encode_all(train, unit);
    let known = interner.len();
    let judge = KneserNey::fit(&train, known);
    let held_out_ppl = judge.ppl(&interner.encode_all(&valid[..valid.len().min(2000)], unit));
    if !held_out_ppl.is_finite() {
        return Calibration { temperature: FALLBACK, held_out_ppl };
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let latents = prior.sample_many(SAMPLES, &mut rng);
    let seeds: Vec<u64> = (0..SAMPLES).map(|_| rng.next_u64()).collect();
    let curve = TEMPERATURES.map(|temperature| {
        let options = Options { temperature, max_len, ..Options::default() };
        let outputs = model.decode(&latents, &options, tokenizer.kind(), &seeds);
        let texts: Vec<String> = outputs.iter().map(|o| tokenizer.decode(&o.tokens)).collect();
        (temperature, judge.ppl(&interner.encode_all(&texts, unit)).ln())
    });
    Calibration { temperature: crossing(&curve, held_out_ppl.ln()), held_out_ppl }
}

/// Where the curve of (temperature, log perplexity) first reaches `level`, between its points by straight lines, to
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

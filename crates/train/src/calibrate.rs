//! How samples trade quality for variety, and the temperature to sample at: the coolest at which they are as varied as real
//! text, but no hotter than 0.7.
//!
//! Cool samples are the most coherent, and the most alike. Variety is measured as distinct-2 (Li et al. 2016), the
//! share of different pairs of neighbouring units among all pairs, over as many samples as there are validation
//! texts: where it reaches that of the validation texts, going hotter would only add noise.
//!
//! The frontier ([`Frontier`]) has these temperatures and some hotter ones, also with the tail of unlikely tokens cut off,
//! each read by a Kneser-Ney 5-gram of the corpus.

use std::collections::HashSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_eval::{Interner, KneserNey, Repetition, Unit, self_bleu};
use strait_model::{
    Autoencoder, Frontier,
    decoding::Options,
    frontier::{Point, PointFigures, Shape},
    prior::Prior,
};
use strait_text::Tokenizer;

/// Samples drawn at each temperature, at most, and fewer of long texts: as many as so many characters of the corpus make.
const SAMPLES: usize = 1000;
const CHARACTERS: usize = 200_000;
/// With fewer validation texts nothing can be compared.
const LEAST: usize = 50;
/// The temperatures tried. Hotter than the last, sentences lose their thread (docs/log.md).
const TEMPERATURES: [f32; 5] = [0.3, 0.4, 0.5, 0.6, 0.7];
/// Further points of the frontier: temperature, top-p, min-p.
const BEYOND: [(f32, f32, f32); 6] =
    [(0.85, 1.0, 0.0), (1.0, 1.0, 0.0), (1.0, 0.7, 0.0), (1.0, 0.9, 0.0), (1.0, 1.0, 0.05), (1.0, 1.0, 0.1)];
/// Samples that a point's figures are taken of at most, and texts that its judge reads.
const MEASURED: usize = 500;
const READ: usize = 20_000;
/// Used when there are too few validation texts.
const FALLBACK: f32 = 0.7;

/// What was found.
pub struct Calibration {
    pub temperature: f32,
    /// Distinct-2 of the validation texts; NaN if there are too few.
    pub distinct2: f64,
    pub frontier: Option<Frontier>,
}

/// What samples are held against.
#[derive(Clone, Copy)]
pub struct Corpus<'a> {
    pub train: &'a [String],
    pub valid: &'a [String],
    pub unit: Unit,
}

/// Finds the temperature and the frontier for `model` with `prior`; `max_len` limits samples.
pub fn calibrate(
    (model, prior, tokenizer): (&Autoencoder, &Prior, &Tokenizer),
    corpus: Corpus<'_>,
    max_len: usize,
    seed: u64,
) -> Calibration {
    let Corpus { valid, unit, .. } = corpus;
    let n = samples(valid);
    if n < LEAST || corpus.train.is_empty() {
        return Calibration { temperature: FALLBACK, distinct2: f64::NAN, frontier: None };
    }
    let level = distinct2(&valid[..n], unit);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let latents = prior.sample_many(n, &mut rng);
    let seeds: Vec<u64> = (0..n).map(|_| rng.next_u64()).collect();
    let draw = |shape: Shape, n: usize| -> Vec<String> {
        let options = shape.over(&Options { max_len, known_words: true, ..Options::default() });
        let latents = &latents[..n * model.latent_size()];
        let outputs = model.decode(latents, &options, tokenizer.kind(), &seeds[..n]);
        outputs.iter().map(|o| tokenizer.decode(&o.tokens)).collect()
    };
    let (judge, measured) = (Judge::new(corpus), n.min(MEASURED));
    let mut points = Vec::new();
    let curve = TEMPERATURES.map(|temperature| {
        let texts = draw(Shape::temperature(temperature), n);
        points.push(judge.point(Shape::temperature(temperature), &texts[..measured]));
        (temperature, distinct2(&texts, unit))
    });
    let beyond = BEYOND.map(|(temperature, top_p, min_p)| Shape { temperature, top_p, min_p });
    points.extend(beyond.map(|shape| judge.point(shape, &draw(shape, measured))));
    let frontier = Frontier::new(measured, points.into_iter().flatten().collect());
    Calibration { temperature: crossing(&curve, level), distinct2: level, frontier }
}

/// How many samples are drawn to be held against these texts.
fn samples(valid: &[String]) -> usize {
    let all = valid.len().min(SAMPLES);
    let characters: usize = valid[..all].iter().map(|text| text.chars().count()).sum();
    let most = (CHARACTERS * all).checked_div(characters).unwrap_or(all);
    all.min(most.max(LEAST))
}

/// Reads samples.
struct Judge {
    unit: Unit,
    interner: Interner,
    corpus: KneserNey,
}

impl Judge {
    fn new(Corpus { train, unit, .. }: Corpus<'_>) -> Self {
        let n = train.len().min(READ);
        let read: Vec<&String> = (0..n).map(|i| &train[i * train.len() / n]).collect();
        let mut interner = Interner::new();
        let read = interner.encode_all(&read, unit);
        let corpus = KneserNey::fit(&read, interner.len());
        Judge { unit, interner, corpus }
    }

    /// None of samples that are all empty.
    fn point(&self, controls: Shape, texts: &[String]) -> Option<Point> {
        let mut samples = self.interner.clone().encode_all(texts, self.unit);
        samples.retain(|sample| !sample.is_empty());
        if samples.is_empty() {
            return None;
        }
        let figures = PointFigures {
            forward_perplexity: self.corpus.ppl(&samples),
            self_bleu4: self_bleu(&samples),
            distinct2: distinct2(texts, self.unit),
            repeated: Repetition::new(&samples).rep[1],
        };
        Some(Point { figures, controls })
    }
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
    use super::{LEAST, crossing, samples};

    #[test]
    fn of_long_texts_fewer_samples_are_drawn() {
        let texts = |n: usize, characters: usize| vec!["x".repeat(characters); n];
        let cases =
            [(5000, 60, 1000), (800, 60, 800), (5000, 400, 500), (900, 10_000, LEAST), (20, 10_000, 20), (60, 0, 60)];
        for (n, characters, expected) in cases {
            assert_eq!(samples(&texts(n, characters)), expected, "{n} of {characters}");
        }
    }

    #[test]
    fn crossings() {
        let curve = [(0.5, 1.0), (0.7, 2.0), (1.0, 5.0)];
        assert_eq!(crossing(&curve, 1.5), 0.6);
        assert_eq!(crossing(&curve, 3.5), 0.85);
        assert_eq!((crossing(&curve, 0.0), crossing(&curve, 9.0)), (0.5, 1.0));
        assert_eq!(crossing(&[(0.5, 1.0), (1.0, f64::NAN)], 2.0), 0.5);
    }
}

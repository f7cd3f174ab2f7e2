//! How much of the training text the samples give back.
//!
//! Real text repeats the training text too: short and common sentences come up again and again. Every figure of the
//! samples therefore stands beside that of held-out real texts; only what lies above this base rate is memorised. Where
//! the split has dropped held-out texts that equal a training text, no real text is an exact copy by construction, and
//! near copies are the fairer comparison.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::beside::Beside;
use crate::near_copies::NearCopy;
use crate::passages::Passages;
use crate::units::{Interner, Unit};

/// The usual bound on the normalised edit distance of a near copy: one edit in five units.
pub const NEAR_COPY: f64 = 0.2;

/// Most copies that [`Memorisation::worst`] lists.
pub const WORST: usize = 20;

/// Copies of the training text among samples and among held-out real texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memorisation {
    /// Number of training texts.
    pub train: usize,
    /// Largest normalised edit distance of a near copy, 0..1.
    pub threshold: f64,
    /// The figures of both.
    pub copying: Beside<Copying>,
    /// The samples that give back most: distinct near copies by falling number of units that agree with the training
    /// text, at most [`WORST`].
    pub worst: Vec<CopiedSample>,
}

/// How much of the training text a set of texts gives back. Lengths are in units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copying {
    /// Number of texts, empty ones left out.
    pub n: usize,
    /// Share that equals a training text, 0..1.
    pub copied: f64,
    /// Share whose nearest training text lies within the threshold, exact copies among them, 0..1.
    pub near_copied: f64,
    /// Mean length of the longest passage of a text found in a training text.
    pub longest_copy_mean: f64,
    /// The longest such passage of all texts; it grows with their number.
    pub longest_copy_max: usize,
    /// Mean share of a text that its longest passage makes up, 0..1.
    pub longest_copy_share: f64,
    /// `longest_copy_counts[l]` texts have a longest passage of `l` units; ends with the longest.
    pub longest_copy_counts: Vec<usize>,
}

/// A sample and the training text nearest to it. Both are written with one blank between words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CopiedSample {
    /// The sample.
    pub text: String,
    /// How many samples read so.
    pub times: usize,
    /// The training text.
    pub nearest: String,
    /// Units inserted, deleted or substituted between the two.
    pub edits: usize,
    /// Edits over the units of the longer text, 0..1.
    pub distance: f64,
}

impl Memorisation {
    /// Compares samples and held-out texts with the training text. `threshold` bounds the normalised edit distance of
    /// near copies, see [`Passages::nearest_within`]. All texts are encoded by `interner`; empty ones are left out.
    pub fn new(
        train: &Passages,
        samples: &[Vec<u32>],
        held_out: &[Vec<u32>],
        threshold: f64,
        interner: &Interner,
        unit: Unit,
    ) -> Self {
        let nearest = nearest(train, samples, threshold);
        let copying = Beside {
            samples: Copying::new(train, samples, &nearest),
            real: Copying::new(train, held_out, &self::nearest(train, held_out, threshold)),
        };
        let copy = |found: Found| CopiedSample {
            text: interner.decode(found.sample, unit),
            times: found.times,
            nearest: interner.decode(&train.sentences()[found.near.sentence], unit),
            edits: found.near.edits,
            distance: found.near.distance,
        };
        let worst = worst(train, samples, &nearest).into_iter().map(copy).collect();
        Self { train: train.sentences().len(), threshold, copying, worst }
    }
}

impl Copying {
    /// The figures of `texts`, whose nearest training texts are known.
    fn new(train: &Passages, texts: &[Vec<u32>], nearest: &[Option<NearCopy>]) -> Self {
        let texts: Vec<&Vec<u32>> = texts.iter().filter(|t| !t.is_empty()).collect();
        let longest: Vec<usize> = texts.par_iter().map(|t| train.longest(t)).collect();
        let longest_copy_max = longest.iter().copied().max().unwrap_or(0);
        let mut longest_copy_counts = vec![0; longest_copy_max + 1];
        longest.iter().for_each(|&l| longest_copy_counts[l] += 1);
        let mean = |sum: f64| sum / texts.len().max(1) as f64;
        Self {
            n: texts.len(),
            copied: mean(nearest.iter().flatten().filter(|near| near.edits == 0).count() as f64),
            near_copied: mean(nearest.iter().flatten().count() as f64),
            longest_copy_mean: mean(longest.iter().sum::<usize>() as f64),
            longest_copy_max,
            longest_copy_share: mean(longest.iter().zip(&texts).map(|(&l, t)| l as f64 / t.len() as f64).sum()),
            longest_copy_counts,
        }
    }
}

/// The nearest training text of each text, if it lies within the threshold.
fn nearest(train: &Passages, texts: &[Vec<u32>], threshold: f64) -> Vec<Option<NearCopy>> {
    texts.par_iter().map(|t| train.nearest_within(t, threshold)).collect()
}

/// A distinct sample with its nearest training text.
struct Found<'a> {
    sample: &'a [u32],
    times: usize,
    near: NearCopy,
}

/// The distinct near copies that agree with their training text in most units; of equal ones the nearer comes first,
/// then the one seen first.
fn worst<'a>(train: &Passages, samples: &'a [Vec<u32>], nearest: &[Option<NearCopy>]) -> Vec<Found<'a>> {
    let (mut found, mut places) = (Vec::<Found<'a>>::new(), FxHashMap::<&[u32], usize>::default());
    for (sample, near) in samples.iter().zip(nearest) {
        let Some(near) = *near else { continue };
        let place = *places.entry(sample).or_insert(found.len());
        match found.get_mut(place) {
            Some(same) => same.times += 1,
            None => found.push(Found { sample, times: 1, near }),
        }
    }
    let agreeing = |f: &Found| f.sample.len().max(train.sentences()[f.near.sentence].len()) - f.near.edits;
    found.sort_by(|a, b| agreeing(b).cmp(&agreeing(a)).then(a.near.distance.total_cmp(&b.near.distance)));
    found.truncate(WORST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIN: [&str; 3] = ["the red dog runs home .", "a cat sleeps .", "so it goes ."];

    fn memorisation(samples: &[&str], held_out: &[&str]) -> Memorisation {
        let (mut interner, unit) = (Interner::new(), Unit::Words);
        let train = Passages::new(interner.encode_all(&TRAIN, unit));
        let samples: Vec<Vec<u32>> = samples.iter().map(|s| interner.encode(s, unit)).collect();
        let held_out = interner.encode_all(held_out, unit);
        Memorisation::new(&train, &samples, &held_out, NEAR_COPY, &interner, unit)
    }

    #[test]
    fn figures_worked_by_hand() {
        let samples =
            ["a cat sleeps .", "the red cat runs home .", "a cat  sleeps .", "", "a blue boat", "one two three four"];
        let report = memorisation(&samples, &["so it goes .", "so it is ."]);
        let copying = &report.copying.samples;
        assert_eq!((report.train, copying.n), (3, 5));
        assert_eq!((copying.copied, copying.near_copied), (2.0 / 5.0, 3.0 / 5.0));
        // Longest passages: 4, "runs home ." 3, 4, "a" 1, none.
        assert_eq!(copying.longest_copy_counts, [1, 1, 0, 1, 2]);
        assert_eq!((copying.longest_copy_mean, copying.longest_copy_max), (12.0 / 5.0, 4));
        assert!((copying.longest_copy_share - (2.0 + 0.5 + 1.0 / 3.0) / 5.0).abs() < 1e-12);
        let real = &report.copying.real;
        assert_eq!((real.n, real.copied, real.near_copied), (2, 0.5, 0.5)); // one edit in four is too far
    }

    #[test]
    fn the_worst_copies_agree_in_most_units() {
        let report = memorisation(&["a cat sleeps .", "the red cat runs home .", "a cat  sleeps ."], &[]);
        let expected = CopiedSample {
            text: "the red cat runs home .".to_owned(),
            times: 1,
            nearest: TRAIN[0].to_owned(),
            edits: 1,
            distance: 1.0 / 6.0,
        };
        assert_eq!(report.worst[0], expected);
        assert_eq!((report.worst[1].times, report.worst[1].distance), (2, 0.0));
        assert_eq!(report.worst.len(), 2);
    }

    #[test]
    fn no_texts_are_no_error() {
        let report = memorisation(&[""], &[]);
        assert_eq!((report.copying.samples.n, report.copying.real.n), (0, 0));
        assert_eq!((report.copying.samples.near_copied, report.copying.samples.longest_copy_max), (0.0, 0));
        assert!(report.worst.is_empty());
    }
}

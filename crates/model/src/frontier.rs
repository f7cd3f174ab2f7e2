//! How a model's samples trade quality for variety, as it was measured (`frontier.json`), and the dial over it.
//!
//! A point is one way to sample and what came of it. Those than which no other is both more fluent and more varied make the
//! frontier, from the soberest to the most diverse. The dial runs along it: quality 1 is its sober end, 0 its diverse end, in
//! between by the logarithm of the forward perplexity; controls between two points are interpolated.

use serde::{Deserialize, Serialize};

use crate::decoding::Options;

/// The controls of a point; all else is the model's own way of sampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    pub temperature: f32,
    /// 1 is off, as in [`Options`].
    pub top_p: f32,
    /// 0 is off, as in [`Options`].
    pub min_p: f32,
}

impl Shape {
    /// Temperature alone.
    pub fn temperature(temperature: f32) -> Self {
        Shape { temperature, top_p: 1.0, min_p: 0.0 }
    }

    /// A model's own way of sampling with these controls.
    pub fn over(self, own: &Options) -> Options {
        let Shape { temperature, top_p, min_p } = self;
        Options { temperature, top_p, min_p, top_k: 0, typical: 1.0, ..own.clone() }
    }

    fn between(self, other: Shape, share: f32) -> Shape {
        let mix = |a: f32, b: f32| a + share * (b - a);
        Shape {
            temperature: mix(self.temperature, other.temperature),
            top_p: mix(self.top_p, other.top_p),
            min_p: mix(self.min_p, other.min_p),
        }
    }
}

/// One way to sample, measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    pub figures: PointFigures,
    pub controls: Shape,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointFigures {
    /// Perplexity of the samples under a Kneser-Ney 5-gram of the corpus. Low: each reads well.
    pub forward_perplexity: f64,
    /// Self-BLEU-4, 0..1. High: they are alike.
    pub self_bleu4: f64,
    /// Different pairs of neighbouring units among all, 0..1.
    pub distinct2: f64,
    /// Share of a sample's pairs of units that it had before, 0..1.
    pub repeated: f64,
}

impl PointFigures {
    fn is_sound(&self) -> bool {
        let all = [self.forward_perplexity, self.self_bleu4, self.distinct2, self.repeated];
        all.iter().all(|figure| figure.is_finite()) && self.forward_perplexity > 0.0
    }
}

/// What was measured of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frontier {
    /// Samples at each point.
    pub samples: usize,
    pub points: Vec<Point>,
}

impl Frontier {
    /// From what was measured with so many samples each; none without a sound point.
    pub fn new(samples: usize, points: Vec<Point>) -> Option<Self> {
        let frontier = Frontier { samples, points };
        frontier.is_sound().then_some(frontier)
    }

    /// Whether there are points, with figures that are numbers and controls that are allowed.
    pub fn is_sound(&self) -> bool {
        let sound = |p: &Point| p.figures.is_sound() && p.controls.over(&Options::default()).check().is_ok();
        !self.points.is_empty() && self.points.iter().all(sound)
    }

    /// The points than which none other is both as fluent and as varied, the soberest first.
    pub fn along(&self) -> Vec<Point> {
        let better = |a: &PointFigures, b: &PointFigures| {
            (a.forward_perplexity, a.self_bleu4) != (b.forward_perplexity, b.self_bleu4)
                && a.forward_perplexity <= b.forward_perplexity
                && a.self_bleu4 <= b.self_bleu4
        };
        let beaten = |p: &&Point| self.points.iter().any(|other| better(&other.figures, &p.figures));
        let mut along: Vec<Point> = self.points.iter().filter(|p| !beaten(p)).copied().collect();
        along.sort_by(|a, b| a.figures.forward_perplexity.total_cmp(&b.figures.forward_perplexity));
        along
    }

    /// The controls at a position of the dial, 0 (diverse) to 1 (sober).
    ///
    /// ```
    /// use strait_model::{Frontier, frontier::{Point, PointFigures, Shape}};
    /// let point = |temperature, forward_perplexity, self_bleu4| {
    ///     let figures = PointFigures { forward_perplexity, self_bleu4, distinct2: 0.5, repeated: 0.0 };
    ///     Point { figures, controls: Shape::temperature(temperature) }
    /// };
    /// // 0.9 is less fluent than 1.0 and no more varied: no part of the frontier.
    /// let points = vec![point(1.0, 160.0, 0.2), point(0.5, 10.0, 0.8), point(0.9, 170.0, 0.3), point(0.6, 40.0, 0.5)];
    /// let frontier = Frontier::new(500, points).unwrap();
    /// let at = |quality| frontier.at(quality).temperature;
    /// assert_eq!([at(1.0), at(0.5), at(0.25), at(0.0)], [0.5, 0.6, 0.8, 1.0]);
    /// ```
    pub fn at(&self, quality: f64) -> Shape {
        let along = self.along();
        let place = |p: &Point| p.figures.forward_perplexity.ln();
        let (first, last) = (&along[0], &along[along.len() - 1]);
        let wanted = place(last) + quality.clamp(0.0, 1.0) * (place(first) - place(last));
        let Some(pair) = along.windows(2).find(|pair| place(&pair[1]) >= wanted) else { return last.controls };
        let share = (wanted - place(&pair[0])) / (place(&pair[1]) - place(&pair[0]));
        pair[0].controls.between(pair[1].controls, if share.is_finite() { share as f32 } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(controls: Shape, forward_perplexity: f64, self_bleu4: f64) -> Point {
        let figures = PointFigures { forward_perplexity, self_bleu4, distinct2: 0.5, repeated: 0.01 };
        Point { figures, controls }
    }

    #[test]
    fn the_dial_rises_from_diverse_to_sober() {
        let temperatures = [0.3, 0.4, 0.5, 0.7, 1.0];
        let points =
            temperatures.iter().map(|&t| point(Shape::temperature(t), 400.0 * f64::from(t), 1.0 - f64::from(t)));
        let frontier = Frontier::new(9, points.collect()).unwrap();
        let dial: Vec<f32> = (0..=20).map(|i| frontier.at(f64::from(i) / 20.0).temperature).collect();
        assert!((dial[0] - 1.0).abs() < 1e-6 && (dial[20] - 0.3).abs() < 1e-6);
        assert!(dial.windows(2).all(|pair| pair[0] > pair[1]), "{dial:?}");
        assert_eq!((frontier.at(-3.0), frontier.at(7.0)), (frontier.at(0.0), frontier.at(1.0)));
    }

    #[test]
    fn one_point_is_a_dial_too() {
        let frontier = Frontier::new(9, vec![point(Shape::temperature(0.7), 50.0, 0.4)]).unwrap();
        assert_eq!(frontier.at(0.3), Shape::temperature(0.7));
    }

    #[test]
    fn what_is_no_number_is_no_frontier() {
        assert!(Frontier::new(9, vec![]).is_none());
        assert!(Frontier::new(9, vec![point(Shape::temperature(0.7), f64::NAN, 0.4)]).is_none());
        assert!(Frontier::new(9, vec![point(Shape::temperature(-1.0), 9.0, 0.4)]).is_none());
    }

    #[test]
    fn controls_of_other_kinds_are_mixed() {
        let nucleus = Shape { temperature: 1.0, top_p: 0.8, min_p: 0.0 };
        let points = vec![point(Shape::temperature(0.6), 1.0_f64.exp(), 0.9), point(nucleus, 3.0_f64.exp(), 0.2)];
        let half = Frontier::new(9, points).unwrap().at(0.5);
        assert!((half.temperature - 0.8).abs() < 1e-6 && (half.top_p - 0.9).abs() < 1e-6, "{half:?}");
        assert_eq!(half.over(&Options { top_k: 7, max_len: 9, ..Options::default() }).check(), Ok(()));
    }
}

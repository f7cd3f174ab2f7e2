//! Near duplicates among the texts of a collection.

use serde::Serialize;
use strait_latent::{
    dedup::{self, Point, Suggestion},
    search::{Metric, Pair},
};

use super::Collection;
use crate::Error;

/// Thresholds of the curve, as shares of the one that is used.
const CURVE: [f32; 9] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0];

/// Groups of near duplicates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duplicates {
    /// Rows in rising order, the groups by their first row.
    pub groups: Vec<Vec<usize>>,
    /// Latents at most so far apart count as duplicates.
    pub threshold: f32,
    /// What the latents themselves speak for, if they tell anything.
    pub suggestion: Option<Suggestion>,
    /// What other thresholds would do.
    pub curve: Vec<Point>,
}

impl Collection {
    /// Groups texts whose latents are at most `threshold` apart; without one, as far as chance would hardly bring them
    /// (see [`dedup::suggest`]). Of each text the nearest [`dedup::NEIGHBOURS`] others are looked at.
    ///
    /// # Errors
    /// If the latents tell no threshold and none is given, or there is only one text.
    pub fn duplicates(&self, threshold: Option<f32>) -> Result<Duplicates, Error> {
        let lists = self.neighbours(dedup::NEIGHBOURS)?;
        let suggestion = dedup::suggest(&lists, Metric::Euclidean);
        let threshold = threshold.or(suggestion.map(|s| s.threshold)).ok_or(Error::NoThreshold)?;
        let pairs: Vec<Pair> = dedup::pairs_of(&lists);
        let thresholds: Vec<f32> = match threshold > 0.0 {
            true => CURVE.iter().map(|share| share * threshold).collect(),
            false => vec![0.0],
        };
        Ok(Duplicates {
            groups: dedup::groups(self.len(), &pairs, threshold),
            threshold,
            suggestion,
            curve: dedup::curve(self.len(), &pairs, &thresholds, &[])?,
        })
    }
}

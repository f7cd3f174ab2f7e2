//! Samples at several temperatures: a system is better than another where its whole curve is, not at one point.

use std::collections::BTreeMap;

use serde::Serialize;
use strait_eval::Spread;
use strait_model::decoding::Options;

use super::{
    draw::draw,
    judge::{Figures, spreads},
};
use crate::{
    EvaluateError, EvaluationRequest,
    request::{Hear, Subject},
};

/// The figures at one temperature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TemperaturePoint {
    pub temperature: f32,
    /// By name, over the seeds; without those of the LSTM judge.
    pub figures: BTreeMap<&'static str, Spread>,
}

/// Draws `n` samples of each seed at each temperature asked for, all else as the model samples by itself.
pub(crate) fn sweep(
    subject: &Subject<'_>,
    request: &EvaluationRequest,
    n: usize,
    figures: &dyn Fn(&[String]) -> Figures,
    hear: Hear<'_>,
) -> Result<Vec<TemperaturePoint>, EvaluateError> {
    let mut points = Vec::new();
    for &temperature in &request.temperatures {
        let options = Options { temperature, ..subject.config.sampling.clone() };
        let mut sets = Vec::new();
        for seed in request.all_seeds() {
            sets.push(figures(&draw(subject, n, seed, &options, hear)?));
        }
        points.push(TemperaturePoint { temperature, figures: spreads(&sets) });
    }
    Ok(points)
}

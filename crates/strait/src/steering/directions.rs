//! Directions towards labels, learned from labelled texts, as a file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use strait_latent::{
    Gaussian, Matrix, Probe,
    direction::{Attribute as Known, Direction, DirectionOptions, Pattern, Sides, effects},
    probe::CrossValidation,
};

use super::attribute::{Attribute, Shown, SideEffect};
use crate::{
    Collection, Error, Model,
    learned::{self, Learned},
};

/// Texts for each dimension that tell the spread of latents; with fewer, so many draws of the prior do.
const ENOUGH: usize = 20;
const DRAWS: usize = 8192;

/// How directions are learned.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionsRequest {
    /// Whether the length of texts, as far as latents tell it, is left alone.
    pub keep_length: bool,
    /// Further attributes that are left alone, as far as latents tell them.
    pub remove: Vec<Attribute>,
    pub seed: u64,
}

impl Default for DirectionsRequest {
    fn default() -> Self {
        DirectionsRequest { keep_length: true, remove: Vec::new(), seed: 1 }
    }
}

/// For each label a direction towards it, and a classifier that tells whether a text has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directions {
    strait_directions: u32,
    /// Checksum of the model in whose latent space they lie.
    model: String,
    classifier: Probe,
    directions: Vec<Direction>,
    reports: Vec<DirectionReport>,
}

/// What is known of a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectionReport {
    pub label: String,
    pub texts: usize,
    /// Share of pairs of a text with the label and one without, not used for it, that it puts in the right order; 0.5 is
    /// chance.
    pub auc: f64,
    /// Standard deviations of the corpus that strength 1 moves by.
    pub deviations: f64,
    /// Share of its length left after the length of texts and the other attributes were taken out.
    pub kept: f64,
    /// Mean probability of each label over the corpus, before and after strength 1.
    pub effects: Vec<(String, f64, f64)>,
    /// What it does to the attributes that were taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_effects: Vec<SideEffect>,
}

impl Directions {
    /// Learns a direction towards each label from the labelled texts of a collection.
    ///
    /// # Errors
    /// If there are no labels, only one, or too few texts of one; if an attribute to be left alone does not vary, or nothing
    /// is left of a direction without it.
    pub fn learn(collection: &Collection, model: &Model, request: &DirectionsRequest) -> Result<Self, Error> {
        let (rows, labels) = collection.labelled()?;
        let chosen = collection.matrix()?.select(&rows)?;
        let metric = metric(collection, model)?;
        let classifier =
            CrossValidation { seed: request.seed, ..CrossValidation::default() }.fit(chosen.view(), &labels)?;
        let lengths: Vec<f64> =
            collection.records().iter().map(|r| (1.0 + r.text.chars().count() as f64).ln()).collect();
        let uneven = lengths.iter().any(|&l| l != lengths[0]);
        let length = match request.keep_length && uneven {
            true => vec![Pattern::new("length", collection.matrix()?, Known::Numeric(&lengths))?],
            false => Vec::new(),
        };
        let others: Vec<Shown> =
            request.remove.iter().map(|a| a.shown(collection, request.seed)).collect::<Result<_, _>>()?;
        let all: Vec<Pattern> = length.iter().chain(others.iter().map(|o| &o.pattern)).cloned().collect();
        let options = |remove| DirectionOptions { remove, seed: request.seed, ..DirectionOptions::default() };
        let (mut directions, mut reports) = (Vec::new(), Vec::new());
        for (class, label) in labels.names().iter().enumerate() {
            let sides = Sides::of_class(chosen.view(), &labels, class, None)?;
            let direction = Direction::fit(&sides, &metric, &options(&all))?;
            let mut side_effects = Vec::new();
            if !others.is_empty() {
                let plain = Direction::fit(&sides, &metric, &options(&length))?;
                for other in &others {
                    side_effects.extend(other.effects((&direction, &plain), chosen.view())?);
                }
            }
            let changed = effects(&direction, &classifier, chosen.view())?;
            reports.push(DirectionReport {
                label: label.clone(),
                texts: labels.counts()[class],
                auc: direction.auc,
                deviations: direction.deviations,
                kept: direction.kept,
                effects: changed.into_iter().map(|e| (e.class, e.before, e.after)).collect(),
                side_effects,
            });
            directions.push(direction);
        }
        let model = model.config().checksum.clone();
        Ok(Directions { strait_directions: Self::FORMAT, model, classifier, directions, reports })
    }

    /// The labels.
    pub fn labels(&self) -> &[String] {
        self.classifier.names()
    }

    /// What is known of each direction, in the order of the labels.
    pub fn reports(&self) -> &[DirectionReport] {
        &self.reports
    }

    /// Tells whether a text has a label.
    pub fn classifier(&self) -> &Probe {
        &self.classifier
    }

    /// The place of a label, and the direction towards it.
    ///
    /// # Errors
    /// If there is no such label.
    pub fn toward(&self, label: &str) -> Result<(usize, &Direction), Error> {
        let place = self.labels().iter().position(|l| l == label);
        let unknown = || Error::UnknownLabel { label: label.into(), known: self.labels().join(", ") };
        place.map(|i| (i, &self.directions[i])).ok_or_else(unknown)
    }

    /// The directions as JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        learned::to_bytes(self)
    }

    /// Reads directions for `model`.
    ///
    /// # Errors
    /// If the file holds none, is damaged, or belongs to another model.
    pub fn open(path: &Path, model: &Model) -> Result<Self, Error> {
        learned::open(path, model)
    }

    /// Reads directions for `model` from the bytes of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Directions::open`].
    pub fn read(bytes: &[u8], path: &Path, model: &Model) -> Result<Self, Error> {
        learned::read(bytes, path, model)
    }
}

impl Learned for Directions {
    const NAME: &'static str = "directions";
    const MADE_BY: &'static str = "strait directions";
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.strait_directions
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn takes(&self, dim: usize) -> bool {
        let fits = |d: &Direction| d.vector.len() == dim && d.reading.len() == dim;
        self.classifier.dim() == dim && self.directions.iter().all(fits)
    }

    fn contradiction(&self) -> Option<&'static str> {
        let whole = [self.directions.len(), self.reports.len()] == [self.labels().len(); 2];
        (!whole).then_some("labels and directions differ in number")
    }
}

/// The spread of the model's latents: that of the texts, or, of few, that of its prior.
fn metric(collection: &Collection, model: &Model) -> Result<Gaussian, Error> {
    if collection.len() >= ENOUGH * model.latent_size() {
        return Ok(Gaussian::fit(collection.matrix()?)?);
    }
    let draws = model.draw(DRAWS, 1);
    Ok(Gaussian::fit(Matrix::new(draws.data(), draws.dim())?)?)
}

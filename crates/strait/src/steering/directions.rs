//! Directions towards labels, learned from labelled texts, as a file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use strait_latent::{
    Gaussian, Matrix, Probe,
    direction::{Attribute, Direction, DirectionOptions, Pattern, Sides, effects},
    probe::CrossValidation,
};

use crate::{Collection, Error, Model};

/// The version of the file's layout.
const FORMAT: u32 = 1;
/// Texts for each dimension that tell the spread of latents; with fewer, so many draws of the prior do.
const ENOUGH: usize = 20;
const DRAWS: usize = 8192;

/// How directions are learned.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionsRequest {
    /// Whether the length of texts, as far as latents tell it, is left alone.
    pub keep_length: bool,
    pub seed: u64,
}

impl Default for DirectionsRequest {
    fn default() -> Self {
        DirectionsRequest { keep_length: true, seed: 1 }
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
    /// Share of its length left after the length of texts was taken out.
    pub kept: f64,
    /// Mean probability of each label over the corpus, before and after strength 1.
    pub effects: Vec<(String, f64, f64)>,
}

impl Directions {
    /// Learns a direction towards each label from the labelled texts of a collection.
    ///
    /// # Errors
    /// If there are no labels, only one, or too few texts of one.
    pub fn learn(collection: &Collection, model: &Model, request: &DirectionsRequest) -> Result<Self, Error> {
        let (rows, labels) = collection.labelled()?;
        let chosen = collection.matrix()?.select(&rows)?;
        let metric = metric(collection, model)?;
        let classifier =
            CrossValidation { seed: request.seed, ..CrossValidation::default() }.fit(chosen.view(), &labels)?;
        let lengths: Vec<f64> =
            collection.records().iter().map(|r| (1.0 + r.text.chars().count() as f64).ln()).collect();
        let uneven = lengths.iter().any(|&l| l != lengths[0]);
        let remove = match request.keep_length && uneven {
            true => vec![Pattern::new("length", collection.matrix()?, Attribute::Numeric(&lengths))?],
            false => Vec::new(),
        };
        let options = DirectionOptions { remove: &remove, seed: request.seed, ..DirectionOptions::default() };
        let (mut directions, mut reports) = (Vec::new(), Vec::new());
        for (class, label) in labels.names().iter().enumerate() {
            let direction = Direction::fit(&Sides::of_class(chosen.view(), &labels, class, None)?, &metric, &options)?;
            let changed = effects(&direction, &classifier, chosen.view())?;
            reports.push(DirectionReport {
                label: label.clone(),
                texts: labels.counts()[class],
                auc: direction.auc,
                deviations: direction.deviations,
                kept: direction.kept,
                effects: changed.into_iter().map(|e| (e.class, e.before, e.after)).collect(),
            });
            directions.push(direction);
        }
        let model = model.config().checksum.clone();
        Ok(Directions { strait_directions: FORMAT, model, classifier, directions, reports })
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
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default(); // names and finite numbers
        bytes.push(b'\n');
        bytes
    }

    /// Reads directions for `model`.
    ///
    /// # Errors
    /// If the file holds none, is damaged, or belongs to another model.
    pub fn open(path: &Path, model: &Model) -> Result<Self, Error> {
        let bytes = std::fs::read(path)
            .map_err(|e| Error::LearnedFile { file: path.into(), why: format!("cannot be read: {e}") })?;
        Self::read(&bytes, path, model)
    }

    /// Reads directions for `model` from the bytes of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Directions::open`].
    pub fn read(bytes: &[u8], path: &Path, model: &Model) -> Result<Self, Error> {
        let fault = |why: String| Error::LearnedFile { file: path.into(), why };
        let read: Directions =
            serde_json::from_slice(bytes).map_err(|e| fault(format!("does not hold directions: {e}")))?;
        if read.strait_directions > FORMAT {
            return Err(fault(format!("is written in format {}, newer than this program", read.strait_directions)));
        }
        let sizes = [read.directions.len(), read.reports.len()];
        let whole =
            read.directions.iter().all(|d| d.vector.len() == model.latent_size() && d.reading.len() == d.vector.len());
        if read.model != model.config().checksum || !whole || read.classifier.dim() != model.latent_size() {
            return Err(fault("was made for another model; make it again with `strait directions`".into()));
        }
        if sizes != [read.labels().len(); 2] {
            return Err(fault("is damaged: labels and directions differ in number".into()));
        }
        Ok(read)
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

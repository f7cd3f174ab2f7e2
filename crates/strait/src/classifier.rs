//! A classifier on latents: a linear probe with what was measured of it, as a file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use strait_latent::{
    Confusion, Labels, Matrix,
    permutation::permutation_test,
    probe::{CrossValidation, Probe},
};

use crate::{
    Collection, Error, Latents, TextEncoder,
    learned::{self, Learned},
};

/// Texts whose labels are shuffled to see what chance reaches: enough to tell, and a shuffle takes a fit.
const SHUFFLED: usize = 1000;

/// How a classifier is trained and measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierRequest {
    /// Parts into which the texts are dealt to measure it on texts that it has not seen.
    pub folds: usize,
    /// Shuffles of the labels that tell what chance would reach; 0: none.
    pub shuffles: usize,
    pub seed: u64,
}

impl Default for ClassifierRequest {
    fn default() -> Self {
        ClassifierRequest { folds: 5, shuffles: 100, seed: 1 }
    }
}

/// A linear classifier of latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    strait_classifier: u32,
    /// Checksum of the model whose latents it reads.
    model: String,
    probe: Probe,
    report: ClassifierReport,
}

/// What was measured of a classifier, on texts that the probe had not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierReport {
    /// Names of the labels, by which the tables below are ordered.
    pub labels: Vec<String>,
    pub texts: usize,
    /// Share of right answers over the folds, and its standard deviation over them.
    pub accuracy: f64,
    pub deviation: f64,
    /// What always naming the most frequent label reaches.
    pub majority: f64,
    /// Mean over the labels of their F1.
    pub macro_f1: f64,
    /// Precision, recall and F1 of each label.
    pub each: Vec<LabelFigures>,
    /// `confusion[a][b]`: texts of label a that were taken for b.
    pub confusion: Vec<Vec<u64>>,
    /// Chance of the accuracy if labels and texts had nothing to do with each other.
    pub p_value: Option<f64>,
}

/// How well one label is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelFigures {
    pub label: String,
    pub texts: u64,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

/// What a classifier says of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction<'a> {
    pub label: &'a str,
    /// Of each label, in the order of [`Classifier::labels`].
    pub probabilities: Vec<f64>,
}

impl Classifier {
    /// Trains on the labelled texts of a collection; those without label are left out.
    ///
    /// # Errors
    /// If there are no labels, only one, or fewer texts of a label than folds.
    pub fn train(collection: &Collection, model: &dyn TextEncoder, request: &ClassifierRequest) -> Result<Self, Error> {
        let (rows, labels) = collection.labelled()?;
        let chosen = collection.matrix()?.select(&rows)?;
        let how = CrossValidation { folds: request.folds, seed: request.seed, ..CrossValidation::default() };
        let validation = how.validate(chosen.view(), &labels)?;
        let probe = how.fit(chosen.view(), &labels)?;
        let p_value = match request.shuffles {
            0 => None,
            shuffles => {
                let few = few_of_each(&labels, request.folds);
                let (rows, labels) = (chosen.view().select(&few)?, labels.select(&few));
                let one = CrossValidation { penalties: vec![probe.penalty()], folds: 2, ..how };
                Some(permutation_test(rows.view(), &labels, &one, shuffles, request.seed)?.p_value)
            }
        };
        let report = report(&validation.confusion, labels.names(), &validation.accuracies, p_value);
        Ok(Classifier { strait_classifier: Self::FORMAT, model: model.checksum().into(), probe, report })
    }

    /// The labels it tells apart.
    pub fn labels(&self) -> &[String] {
        self.probe.names()
    }

    /// What was measured when it was trained.
    pub fn report(&self) -> &ClassifierReport {
        &self.report
    }

    /// The probe itself.
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// What it says of latents of its model.
    ///
    /// # Errors
    /// If they have other dimensions, or one is not finite.
    pub fn predict(&self, latents: &Latents) -> Result<Vec<Prediction<'_>>, Error> {
        let all = self.probe.probabilities(Matrix::new(latents.data(), latents.dim())?)?;
        let prediction = |probabilities: &[f64]| {
            let best =
                (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]).then(b.cmp(&a)));
            Prediction { label: &self.labels()[best.unwrap_or(0)], probabilities: probabilities.to_vec() }
        };
        Ok(all.chunks_exact(self.labels().len()).map(prediction).collect())
    }

    /// How its answers to labelled texts of a collection, not those it was trained on, compare with their labels. Labels
    /// that it does not know count as wrong answers.
    ///
    /// # Errors
    /// If there are no labels.
    pub fn measure(&self, collection: &Collection) -> Result<ClassifierReport, Error> {
        let (rows, labels) = collection.labelled()?;
        let chosen = collection.matrix()?.select(&rows)?;
        let predicted = self.probe.predict(chosen.view())?;
        let mut names = self.labels().to_vec();
        names.extend(labels.names().iter().filter(|n| !self.labels().contains(n)).cloned());
        let place = |name: &String| names.iter().position(|n| n == name).unwrap_or(0);
        let truth: Vec<usize> = labels.codes().iter().map(|&code| place(&labels.names()[code])).collect();
        let confusion = Confusion::new(&truth, &predicted, names.len())?;
        Ok(report(&confusion, &names, &[], None))
    }

    /// The classifier as JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        learned::to_bytes(self)
    }

    /// Reads a classifier for `model`.
    ///
    /// # Errors
    /// If the file is none, is damaged, or belongs to another model.
    pub fn open(path: &Path, model: &dyn TextEncoder) -> Result<Self, Error> {
        learned::open(path, model)
    }

    /// Reads a classifier for `model` from the bytes of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Classifier::open`].
    pub fn read(bytes: &[u8], path: &Path, model: &dyn TextEncoder) -> Result<Self, Error> {
        learned::read(bytes, path, model)
    }
}

impl Learned for Classifier {
    const NAME: &'static str = "a classifier";
    const MADE_BY: &'static str = "strait classify --train";
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.strait_classifier
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn takes(&self, dim: usize) -> bool {
        self.probe.dim() == dim
    }

    fn contradiction(&self) -> Option<&'static str> {
        let (report, n) = (&self.report, self.report.labels.len());
        let whole =
            report.each.len() == n && report.confusion.len() == n && report.confusion.iter().all(|r| r.len() == n);
        (!whole).then_some("the tables of its report differ in size")
    }
}

/// Rows of each label, spread evenly over all that have it: about [`SHUFFLED`], but at least `least` of each.
fn few_of_each(labels: &Labels, least: usize) -> Vec<usize> {
    let most = (SHUFFLED / labels.classes()).max(least);
    let of = |class: usize| {
        let all = labels.rows_of(class);
        let taken = all.len().min(most);
        (0..taken).map(|i| all[i * all.len() / taken]).collect::<Vec<_>>()
    };
    (0..labels.classes()).flat_map(of).collect()
}

fn report(confusion: &Confusion, names: &[String], accuracies: &[f64], p_value: Option<f64>) -> ClassifierReport {
    let n = accuracies.len() as f64;
    let mean = accuracies.iter().sum::<f64>() / n;
    let variance = accuracies.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let classes = 0..confusion.classes();
    ClassifierReport {
        labels: names.to_vec(),
        texts: confusion.total() as usize,
        accuracy: confusion.accuracy(),
        deviation: if variance.is_finite() { variance.sqrt() } else { 0.0 },
        majority: confusion.majority(),
        macro_f1: confusion.macro_f1(),
        each: classes
            .clone()
            .map(|c| LabelFigures {
                label: names[c].clone(),
                texts: confusion.support(c),
                precision: confusion.precision(c),
                recall: confusion.recall(c),
                f1: confusion.f1(c),
            })
            .collect(),
        confusion: classes.clone().map(|a| classes.clone().map(|b| confusion.count(a, b)).collect()).collect(),
        p_value,
    }
}

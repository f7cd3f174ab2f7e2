//! `strait classify`: labels learned from examples.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, value_parser};
use serde::Serialize;
use strait::{Classifier, ClassifierReport, ClassifierRequest, TextEncoder};

use super::train::beside;
use crate::{
    complaint::Usage,
    flags::{CHUNK, CorpusFlags, ModelFlag, WritingFlags, collection},
    output::Output,
    quote,
    talk::{count, say},
};

/// Learn labels from labelled texts, and label others
///
/// With --train FILE --label-column C: trains a linear classifier on the latents, measures it on texts left out in turn
/// (cross-validation), tells whether that is more than chance, and writes it as a file. With --by that file: prints the label of
/// each text; where the texts have labels (--label-column), also how well they agree.
#[derive(Args)]
pub struct Classify {
    #[command(flatten)]
    model: ModelFlag,
    /// Texts to label, or a folder that `strait index` made; `-` is standard input
    #[arg(required_unless_present = "train", requires = "by")]
    texts: Option<PathBuf>,
    /// Labelled texts to learn from; name their column with --label-column
    #[arg(long, value_name = "FILE", conflicts_with_all = ["texts", "by"])]
    train: Option<PathBuf>,
    /// The classifier to label by
    #[arg(long, value_name = "FILE")]
    by: Option<PathBuf>,
    /// Parts into which the texts are dealt to measure the classifier
    #[arg(long, value_name = "N", default_value = "5", value_parser = value_parser!(u32).range(2..))]
    folds: u32,
    /// Shuffles of the labels that tell what chance reaches; 0: none
    #[arg(long, value_name = "N", default_value = "100")]
    shuffles: usize,
    /// Deals the texts into the parts, and shuffles
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    corpus: CorpusFlags,
}

/// A text and what the classifier says.
#[derive(Serialize)]
struct Labelled<'a> {
    label: &'a str,
    probability: f64,
    text: &'a str,
}

impl Classify {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_encoder()?;
        match (&self.train, &self.texts, &self.by) {
            (Some(file), _, _) => self.learn(&*model, file),
            (None, Some(texts), Some(by)) => self.label(&*model, texts, by),
            _ => Err(Usage("give --train FILE to learn, or FILE and --by CLASSIFIER to label".into()).into()),
        }
    }

    fn learn(&self, model: &dyn TextEncoder, file: &std::path::Path) -> Result<()> {
        let place = self.writing.output.clone().unwrap_or_else(|| beside(file, ".classifier.json"));
        let texts = collection(model, file, &self.corpus)?;
        let request = ClassifierRequest { folds: self.folds as usize, shuffles: self.shuffles, seed: self.seed };
        let classifier = Classifier::train(&texts, model, &request)?;
        Output::write_whole(Some(&place), &classifier.to_bytes())?;
        let mut out = Output::open(None)?;
        match self.writing.json {
            true => out.json(classifier.report())?,
            false => table(classifier.report()).iter().try_for_each(|line| out.line(line))?,
        }
        out.finish()?;
        let (model, place) = (self.model.model.display().to_string(), place.display().to_string());
        say!(
            "The classifier: {place}. Now: {}",
            quote::command(&["strait", "classify", "-m", &model, "--by", &place, "FILE"])
        );
        Ok(())
    }

    fn label(&self, model: &dyn TextEncoder, texts: &std::path::Path, by: &std::path::Path) -> Result<()> {
        let classifier = Classifier::open(by, model)?;
        let texts = collection(model, texts, &self.corpus)?;
        let mut out = self.writing.open()?;
        let latents = texts.latents();
        for first in (0..texts.len()).step_by(CHUNK) {
            let part = first..(first + CHUNK).min(texts.len());
            let rows = latents.data()[part.start * latents.dim()..part.end * latents.dim()].to_vec();
            let predicted = classifier.predict(&strait::Latents::new(rows, latents.dim()))?;
            for (record, p) in texts.records()[part].iter().zip(predicted) {
                let probability = p.probabilities.iter().copied().fold(0.0, f64::max);
                let line = format!("{}\t{probability:.3}\t{}", p.label, record.text);
                self.writing.text(&mut out, &line, &Labelled { label: p.label, probability, text: &record.text })?;
            }
        }
        out.finish()?;
        if texts.labelled().is_ok() {
            table(&classifier.measure(&texts)?).iter().for_each(|line| say!("{line}"));
        }
        Ok(())
    }
}

/// A report for the eye.
fn table(report: &ClassifierReport) -> Vec<String> {
    let spread = if report.deviation > 0.0 { format!(" ± {:.1}", 100.0 * report.deviation) } else { String::new() };
    let chance = report.p_value.map_or(String::new(), |p| format!(", chance of that by luck {p:.3}"));
    let mut lines = vec![format!(
        "{}: accuracy {:.1} %{spread}, macro F1 {:.3}, always the most frequent label {:.1} %{chance}",
        count(report.texts, "text"),
        100.0 * report.accuracy,
        report.macro_f1,
        100.0 * report.majority
    )];
    let width = report.labels.iter().map(|l| l.chars().count()).max().unwrap_or(0).clamp(5, 24);
    let cut = |name: &str| quote::glimpse(name, width);
    lines.push(format!("{:<width$}  texts  precision  recall     F1   taken for", "label"));
    for (i, figures) in report.each.iter().enumerate() {
        let mut others: Vec<(u64, &String)> = report.confusion[i]
            .iter()
            .copied()
            .zip(&report.labels)
            .filter(|(n, name)| *n > 0 && **name != figures.label)
            .collect();
        others.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        let taken: Vec<String> = others.iter().take(4).map(|(n, name)| format!("{} {n}", cut(name))).collect();
        lines.push(format!(
            "{:<width$} {:>6} {:>10.3} {:>7.3} {:>6.3}   {}",
            cut(&figures.label),
            figures.texts,
            figures.precision,
            figures.recall,
            figures.f1,
            taken.join(", ")
        ));
    }
    lines
}

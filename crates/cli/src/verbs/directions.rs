//! `strait directions`: where in the latent space labels lie.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use strait::{Attribute, Collection, DirectionReport, Directions, DirectionsRequest, SideEffect, text::ReadOptions};

use super::train::beside;
use crate::{
    complaint::Usage,
    flags::{CorpusFlags, ModelFlag, Side, WritingFlags, collection, sides},
    input,
    output::Output,
    quote,
    talk::say,
};

/// Characters of a label that are shown at most.
const WIDTH: usize = 24;

/// Learn directions towards labels from labelled texts, for `strait steer`
///
/// Tells for each label how well the direction holds for texts left out (AUC; 0.5: chance), how far it goes, and what it
/// does to the other labels. The length of texts is left alone, and what else --remove names; what is left of its change is
/// told. About 20 examples a side are enough to begin with (--side).
#[derive(Args)]
pub struct LearnDirections {
    #[command(flatten)]
    model: ModelFlag,
    /// Labelled texts, or a folder that `strait index` made of them; name their column with --label-column
    #[arg(required_unless_present = "side")]
    texts: Option<PathBuf>,
    /// Instead: a file with examples of a label; once for each label
    #[arg(long, value_name = "LABEL=FILE", conflicts_with = "texts")]
    side: Vec<Side>,
    /// Let directions change the length of texts too
    #[arg(long)]
    with_length: bool,
    /// Columns of the same file, of numbers or labels, that directions leave alone
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',', conflicts_with = "side")]
    remove: Vec<String>,
    /// Decides which texts are left out together
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    corpus: CorpusFlags,
}

impl LearnDirections {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_autoencoder()?;
        let (place, texts) = match &self.texts {
            Some(file) => (beside(file, ".directions.json"), collection(&model, file, &self.corpus)?),
            None => ("sides.directions.json".into(), sides(&model, &self.side, &self.corpus)?),
        };
        let place = self.writing.output.clone().unwrap_or(place);
        let remove = match &self.texts {
            Some(file) => self.attributes(file, &texts)?,
            None => Vec::new(),
        };
        let request = DirectionsRequest { keep_length: !self.with_length, remove, seed: self.seed };
        let found = Directions::learn(&texts, &model, &request)?;
        Output::write_whole(Some(&place), &found.to_bytes())?;
        let mut out = Output::open(None)?;
        match self.writing.json {
            true => out.json(&found.reports())?,
            false => {
                let lines = table(found.reports()).into_iter().chain(side_effects(found.reports()));
                lines.into_iter().try_for_each(|line| out.line(&line))?;
            }
        }
        out.finish()?;
        let (model, place) = (self.model.model.display().to_string(), place.display().to_string());
        let label = found.labels().last().map_or("LABEL", |l| l);
        let next = ["strait", "steer", "-m", &model, "--by", &place, "--toward", label, "a text of yours"];
        say!("The directions: {place}. Now: {}", quote::command(&next));
        Ok(())
    }

    /// The columns to be left alone, read from the file of the texts with each in the place of the label.
    fn attributes(&self, file: &Path, texts: &Collection) -> Result<Vec<Attribute>> {
        if !self.remove.is_empty() && (Collection::is_at(file) || file == Path::new("-")) {
            let why = "--remove reads columns beside the texts and their labels: give the file of the texts itself";
            return Err(Usage(why.into()).into());
        }
        // Without a column named, the readers choose one, and may choose another where they take another for the label.
        let column = |name: &String| {
            let base = self.corpus.resolve(ReadOptions::default());
            let options = ReadOptions { label_column: Some(name.clone()), ..base };
            let read = input::corpus(file, &options).with_context(|| format!("--remove {name}"))?;
            if read.records.iter().map(|r| &r.label).eq(texts.records().iter().map(|r| &r.label)) {
                let why = "holds the labels themselves: without them no direction is left; drop it from --remove";
                return Err(Usage(format!("--remove {name}: the column {why}")).into());
            }
            let same = read.records.iter().map(|r| &r.text).eq(texts.records().iter().map(|r| &r.text));
            let why = || Usage("with --remove also say which column holds the texts (--column)".into());
            same.then_some(()).ok_or_else(why)?;
            Ok(Attribute { name: name.clone(), values: read.records.into_iter().map(|r| r.label).collect() })
        };
        self.remove.iter().map(column).collect()
    }
}

/// What each direction does to the attributes that it was to leave alone: of each, the class that changes most.
fn side_effects(reports: &[DirectionReport]) -> Vec<String> {
    let mut lines = Vec::new();
    for report in reports {
        for all in report.side_effects.chunk_by(|a, b| a.attribute == b.attribute) {
            let change = |e: &&SideEffect| (e.after - e.before).abs();
            let Some(most) = all.iter().max_by(|a, b| change(a).total_cmp(&change(b))) else { continue };
            lines.push(format!(
                "Towards {}, {} {}: {:.2} -> {:.2} of the texts; {:.2} unless removed.",
                quote::glimpse(&report.label, WIDTH),
                most.attribute,
                quote::glimpse(&most.class, WIDTH),
                most.before,
                most.after,
                most.unless_removed
            ));
        }
    }
    lines
}

fn table(reports: &[DirectionReport]) -> Vec<String> {
    let width = reports.iter().map(|r| r.label.chars().count()).max().unwrap_or(0).clamp(5, WIDTH);
    let mut lines =
        vec![format!("{:<width$}  texts    AUC  deviations  its share of the texts, before and after", "label")];
    for report in reports {
        let own = report.effects.iter().find(|e| e.0 == report.label);
        let shares = own.map_or(String::new(), |(_, before, after)| format!("{before:.2} -> {after:.2}"));
        let label = quote::glimpse(&report.label, width);
        lines.push(format!(
            "{label:<width$} {:>6}  {:.3}  {:>10.2}  {shares}",
            report.texts, report.auc, report.deviations
        ));
    }
    lines
}

//! `strait directions`: where in the latent space labels lie.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::{DirectionReport, Directions, DirectionsRequest};

use super::train::beside;
use crate::{
    flags::{CorpusFlags, ModelFlag, Side, WritingFlags, collection, sides},
    output::Output,
    quote,
    talk::say,
};

/// Learn directions towards labels from labelled texts, for `strait steer`
///
/// Tells for each label how well the direction holds for texts left out (AUC; 0.5: chance), how far it goes, and what it
/// does to the other labels. The length of texts is left alone. About 20 examples a side are enough to begin with (--side).
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
        let request = DirectionsRequest { keep_length: !self.with_length, seed: self.seed };
        let found = Directions::learn(&texts, &model, &request)?;
        let mut out = Output::open(Some(&place))?;
        out.bytes(&found.to_bytes())?;
        out.finish()?;
        let mut out = Output::open(None)?;
        match self.writing.json {
            true => out.json(&found.reports())?,
            false => table(found.reports()).iter().try_for_each(|line| out.line(line))?,
        }
        out.finish()?;
        let (model, place) = (self.model.model.display().to_string(), place.display().to_string());
        let label = found.labels().last().map_or("LABEL", |l| l);
        let next = ["strait", "steer", "-m", &model, "--by", &place, "--toward", label, "a text of yours"];
        say!("The directions: {place}. Now: {}", quote::command(&next));
        Ok(())
    }
}

fn table(reports: &[DirectionReport]) -> Vec<String> {
    let width = reports.iter().map(|r| r.label.chars().count()).max().unwrap_or(0).clamp(5, 24);
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

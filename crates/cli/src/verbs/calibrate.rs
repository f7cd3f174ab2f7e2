//! `strait calibrate`: measures how samples trade quality for variety.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::{Frontier, keep_frontier};

use crate::{
    flags::{ModelFlag, RecordsFlags},
    input,
    output::Output,
};

/// Measure the dial of `strait sample --quality` for a model, against texts of its corpus, and keep it in its folder
///
/// A training does so at its end; this is for models of earlier versions, or against other texts. Nothing else in the folder
/// changes.
#[derive(Args)]
pub struct Calibrate {
    #[command(flatten)]
    model: ModelFlag,
    /// Texts of the model's corpus, such as those that it was trained on; `-` is standard input
    file: PathBuf,
    /// Another seed, other samples
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Print the points as a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    records: RecordsFlags,
}

impl Calibrate {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let corpus = input::corpus(&self.file, &self.records.resolve(Default::default()))?;
        let frontier = model.measure_frontier(&corpus.records, self.seed).map_err(|e| self.model.refuse(e))?;
        keep_frontier(&self.model.model, &frontier)?;
        let mut out = Output::open(None)?;
        match self.json {
            true => out.json(&frontier)?,
            false => table(&frontier).iter().try_for_each(|line| out.line(line))?,
        }
        out.finish()
    }
}

/// The frontier, and where the dial stands on it.
pub fn table(frontier: &Frontier) -> Vec<String> {
    let along = frontier.along();
    let logs: Vec<f64> = along.iter().map(|point| point.figures.forward_perplexity.ln()).collect();
    let (sober, diverse) = (logs[0], logs[logs.len() - 1]);
    let head = "quality  temperature  top-p  min-p  forward ppl  self-BLEU-4  distinct-2  repeated".to_owned();
    let line = |(point, log): (&strait::FrontierPoint, &f64)| {
        let quality = if diverse > sober { (diverse - log) / (diverse - sober) } else { 1.0 };
        let (c, f) = (point.controls, point.figures);
        format!(
            "{quality:7.2}  {:11.2}  {:5.2}  {:5.2}  {:11.1}  {:11.3}  {:10.3}  {:8.3}",
            c.temperature, c.top_p, c.min_p, f.forward_perplexity, f.self_bleu4, f.distinct2, f.repeated
        )
    };
    std::iter::once(head).chain(along.iter().zip(&logs).map(line)).collect()
}

//! `strait document evaluate`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use strait::{DocumentEvaluation, DocumentEvaluationRequest, GivenUse, Model, text::sentences::documents};

use super::{ColumnFlags, DocumentModelFlag};
use crate::{
    flags::{WritingFlags, at_least_one},
    output::Output,
    talk::count,
    verbs::evaluate::Ticker,
};

/// Measure how well sentences are put in order, the next one is chosen and texts are continued, beside baselines
#[derive(Args)]
pub struct Evaluate {
    #[command(flatten)]
    model: DocumentModelFlag,
    /// Documents that the model was not trained on, as for `strait document train`
    file: PathBuf,
    #[command(flatten)]
    columns: ColumnFlags,
    /// Passages to order, and places to choose at
    #[arg(long, value_name = "N", default_value = "200", value_parser = at_least_one)]
    passages: usize,
    /// Sentences in a passage
    #[arg(long, value_name = "N", default_value = "5", value_parser = at_least_one)]
    length: usize,
    /// Sentences to choose from: the next one, and others from other documents
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one)]
    choices: usize,
    /// Most sentences that are read before a choice
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one)]
    context: usize,
    /// Passages (of --context sentences) that are continued; 0: none
    #[arg(long, value_name = "N", default_value = "20")]
    texts: usize,
    /// Sentences written after each
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one)]
    sentences: usize,
    /// A language model of the same documents as flat texts, best trained on a few sentences a record, to stand beside
    #[arg(long, value_name = "DIR")]
    beside: Option<PathBuf>,
    /// Seed of the passages, the choices and the writing
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
}

impl Evaluate {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let corpus = self.columns.read(&self.file)?;
        let &Evaluate { passages, length, choices, context, texts, sentences, seed, .. } = &self;
        let request = DocumentEvaluationRequest { passages, length, choices, context, texts, sentences, seed };
        let mut beside = self.beside.as_deref().map(Model::open).transpose()?;
        let mut ticker = Ticker::new();
        let found =
            model.evaluate(&documents(&corpus), beside.as_mut(), &request, &mut |progress| ticker.hear(progress));
        ticker.end();
        let found = found.with_context(|| self.file.display().to_string())?;
        let mut out = self.writing.open()?;
        if self.writing.json {
            out.json(&found)?
        } else {
            print(&mut out, &found)?
        }
        out.finish()
    }
}

fn print(out: &mut Output, found: &DocumentEvaluation) -> Result<()> {
    let DocumentEvaluation { passages, length, choices, .. } = found;
    out.line(&format!("{} of {}", count(found.documents, "document"), count(found.sentences, "sentence")))?;
    out.line(&format!("Order of {length} sentences, {}:", count(*passages, "passage")))?;
    out.line(&format!("  {:<24} {:>14} {:>9} {:>6}", "", "Kendall's tau", "pairwise", "exact"))?;
    for row in &found.ordering {
        let tau = format!("{:.3} ± {:.3}", row.tau, row.tau_error);
        out.line(&format!("  {:<24} {tau:>14} {:>9.3} {:>6.3}", row.method, row.pairwise, row.exact))?;
    }
    out.line(&format!("Next sentence among {choices}, {}:", count(*passages, "place")))?;
    for row in &found.next {
        out.line(&format!("  {:<24} {:>14}", row.method, format!("{:.3} ± {:.3}", row.accuracy, row.error)))?;
    }
    if !found.writing.is_empty() {
        out.line("Sentences written after passages:")?;
        out.line(&format!(
            "  {:<24} {:>9} {:>7} {:>16} {:>10} {:>7} {:>7}",
            "", "sentences", "words", "own passage", "neighbours", "rep-4", "twice"
        ))?;
    }
    if let Some(GivenUse { own, other, none }) = &found.given {
        let figures = format!("{own:.3} beside its own, {other:.3} beside another's, {none:.3} beside nothing");
        out.line(&format!("What is given beside a document, nats a sentence: {figures}"))?;
    }
    for row in &found.writing {
        let own = format!("{:.3} ± {:.3}", row.own, row.own_error);
        out.line(&format!(
            "  {:<24} {:>9.1} {:>7.1} {own:>16} {:>10.3} {:>7.3} {:>7.3}",
            row.method, row.sentences, row.words, row.neighbours, row.repeated, row.twice
        ))?;
    }
    Ok(())
}

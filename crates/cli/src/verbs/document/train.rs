//! `strait document train`.

use std::{path::PathBuf, sync::atomic::Ordering};

use anyhow::{Context as _, Result};
use clap::Args;
use strait::{
    DocumentConfig, DocumentKeep, DocumentModel, DocumentNetworkKind, DocumentReport, DocumentRequest, DocumentWatch,
    text::sentences::documents,
};

use super::ColumnFlags;
use crate::{
    complaint::Usage,
    flags::{at_least_one, positive, share},
    output::Output,
    stop,
    talk::{count, say, short},
};

/// Learn which sentence follows which, from documents
///
/// FILE has blank lines between its documents (txt), or a document in each record (csv, tsv, jsonl). Sentences are found by
/// their stops; the end of a line ends a sentence, too. Ctrl-C ends the training early, and the best weights so far are saved. A
/// training that was killed goes on with the same command.
#[derive(Args)]
pub struct Train {
    /// The documents (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    columns: ColumnFlags,
    /// The sentence model: a folder made by `strait train` from the documents' sentences
    #[arg(short, long, value_name = "DIR")]
    model: PathBuf,
    /// The document model's folder to make, with a copy of the sentence model
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Documents to validate on [default: every tenth of FILE]
    #[arg(long, value_name = "FILE")]
    valid: Option<PathBuf>,
    /// Updates
    #[arg(long, value_name = "N", default_value = "600", value_parser = at_least_one)]
    steps: usize,
    /// What reads the latents
    #[arg(long, value_name = "KIND", value_enum, default_value = "lstm")]
    kind: Kind,
    /// Hidden units of the LSTM, or width of the Transformer
    #[arg(long, value_name = "N", default_value = "256", value_parser = at_least_one)]
    hidden: usize,
    /// Blocks of the Transformer
    #[arg(long, value_name = "N", default_value = "2", value_parser = at_least_one)]
    layers: usize,
    /// Heads of each block; twice as many divide the width
    #[arg(long, value_name = "N", default_value = "4", value_parser = at_least_one)]
    heads: usize,
    /// Gaussians in the mixture over the next latent
    #[arg(long, value_name = "K", default_value = "4", value_parser = at_least_one)]
    components: usize,
    /// Dimensions of the plan, a latent of the whole document; 0: none
    #[arg(long, value_name = "N", default_value = "16")]
    plan: usize,
    /// Share of numbers that are dropped in training
    #[arg(long, value_name = "P", default_value = "0.3", value_parser = share)]
    dropout: f64,
    /// Most sentences learned from at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = at_least_one)]
    window: usize,
    /// Windows in a batch
    #[arg(long, value_name = "N", default_value = "16", value_parser = at_least_one)]
    batch: usize,
    /// Peak learning rate
    #[arg(long, value_name = "R", default_value = "1e-3", value_parser = positive)]
    lr: f64,
    /// Another seed, another model
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Replace a document model that is there
    #[arg(long)]
    force: bool,
    /// Print JSON: the losses on the way, an object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Lstm,
    Transformer,
}

impl Train {
    pub fn run(self) -> Result<()> {
        strait::check_place_of(&self.out, strait::DOCUMENT_MARKER, self.force)?;
        let corpus = self.columns.read(&self.file)?;
        let train = documents(&corpus);
        let valid =
            self.valid.as_deref().map(|file| self.columns.read(file)).transpose()?.map(|corpus| documents(&corpus));
        if train.len() == 1 {
            let name = &corpus.report.name;
            return Err(Usage(format!("{name}: one document; put blank lines between documents")).into());
        }
        let sentences: usize = train.iter().map(|d| d.sentences.len()).sum();
        say!("{} of {}.", count(train.len(), "document"), count(sentences, "sentence"));
        let mut json = self.json.then(|| Output::open(None)).transpose()?;
        let mut hear = |report: &DocumentReport| {
            // A closed pipe is no reason to stop.
            if json.as_mut().is_some_and(|out| out.json(report).and_then(|()| out.flush_part()).is_err()) {
                json = None;
            }
            say!("{}", line(report));
        };
        let request = DocumentRequest {
            sentences: self.model.clone(),
            config: self.config(),
            seed: self.seed,
            data: corpus.report.name.clone(),
            data_hash: corpus.report.hash.clone(),
        };
        let guard = stop::watch()?;
        if strait::unfinished_document(&self.out).exists() {
            say!("A training was broken off here; it goes on if it is this one.");
        }
        let keep = DocumentKeep { out: &self.out, replace: self.force };
        let watch = DocumentWatch { listener: &mut hear, stop: guard.asked(), keep: Some(keep) };
        let model = DocumentModel::train(&train, valid.as_deref(), &request, watch)
            .with_context(|| corpus.report.name.clone())?;
        model.save(&self.out, self.force)?;
        if let Some(out) = json {
            out.finish()?;
        }
        let header = model.header();
        if guard.asked().load(Ordering::Relaxed) {
            say!("Stopped before its end: the best weights so far were saved.");
        }
        say!(
            "{}: a document model of {} weights; step {} was best with {:.2} nats a sentence on {} put aside.",
            self.out.display(),
            short(model.weights() as f64),
            header.best_step,
            header.valid_nats,
            count(header.documents[1], "document")
        );
        Ok(())
    }

    fn config(&self) -> DocumentConfig {
        DocumentConfig {
            kind: match self.kind {
                Kind::Lstm => DocumentNetworkKind::Lstm,
                Kind::Transformer => DocumentNetworkKind::Transformer,
            },
            hidden: self.hidden,
            layers: self.layers,
            heads: self.heads,
            components: self.components,
            plan: self.plan,
            given: self.columns.given.is_some(),
            dropout: self.dropout as f32,
            window: self.window,
            batch: self.batch,
            steps: self.steps as u64,
            rate: self.lr as f32,
        }
    }
}

fn line(report: &DocumentReport) -> String {
    let DocumentReport { step, steps, train_nats, valid_nats, .. } = report;
    format!(
        "step {step} of {steps}: {train_nats:.2} nats a sentence in training, {valid_nats:.2} on documents put aside"
    )
}

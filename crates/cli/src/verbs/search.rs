//! `strait search`: the texts nearest to a text.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::{Hit, text::ReadOptions};

use crate::{
    complaint::Usage,
    flags::{CorpusFlags, ModelFlag, WritingFlags, at_least_one, collection},
    input,
    output::Output,
    quote::one_line,
};

/// Find the texts whose latents are nearest to that of a text
///
/// Prints distance, cosine, line and text of each, the nearest first. Many queries come from a file (--queries); texts
/// that are searched often are best encoded once (`strait index`).
#[derive(Args)]
pub struct Search {
    #[command(flatten)]
    model: ModelFlag,
    /// What to look for; `-` is standard input
    #[arg(required_unless_present = "queries")]
    query: Option<String>,
    /// Texts to look for, a query each (txt, csv, tsv, jsonl, also .gz or .zst)
    #[arg(long, value_name = "FILE", conflicts_with = "query")]
    queries: Option<PathBuf>,
    /// Where to look: a file of texts, or a folder that `strait index` made
    #[arg(long = "in", value_name = "FILE|DIR")]
    texts: PathBuf,
    /// How many to find
    #[arg(short, value_name = "N", default_value = "10", value_parser = at_least_one)]
    k: usize,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    corpus: CorpusFlags,
}

#[derive(Serialize)]
struct Found<'a> {
    query: &'a str,
    hits: &'a [Hit<'a>],
}

impl Search {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_encoder()?;
        let queries = self.queries()?;
        let texts = collection(&*model, &self.texts, &self.corpus)?;
        let mut out = self.writing.open()?;
        for part in queries.chunks(crate::flags::CHUNK) {
            let found = texts.nearest(&model.latents(&part.iter().map(String::as_str).collect::<Vec<_>>())?, self.k)?;
            for (query, hits) in part.iter().zip(&found) {
                self.write(&mut out, Found { query, hits }, queries.len() > 1)?;
            }
        }
        out.finish()
    }

    fn queries(&self) -> Result<Vec<String>> {
        match (&self.query, &self.queries) {
            (Some(query), _) => Ok(vec![input::text(query.clone())?]),
            (None, Some(file)) => {
                let corpus = input::corpus(file, &ReadOptions::one_to_one())?;
                Ok(corpus.records.into_iter().map(|r| r.text).collect())
            }
            (None, None) => Err(Usage("nothing to look for: give a text, or --queries FILE".into()).into()),
        }
    }

    fn write(&self, out: &mut Output, found: Found<'_>, several: bool) -> Result<()> {
        if self.writing.json {
            return out.json(&found);
        }
        if several {
            out.line(&format!("# {}", one_line(found.query)))?;
        }
        for hit in found.hits {
            let label = hit.label.map_or(String::new(), |l| format!("\t{}", one_line(l)));
            let text = one_line(hit.text);
            out.line(&format!("{:.4}\t{:.4}\t{}{label}\t{text}", hit.distance, hit.cosine, hit.row + 1))?;
        }
        Ok(())
    }
}

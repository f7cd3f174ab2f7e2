//! `strait reconstruct`: texts through the channel and back.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::text::ReadOptions;

use crate::{
    flags::{CHUNK, DecodingFlags, ModelFlag, RecordsFlags, VectorsFlag, WritingFlags},
    input,
};

/// Send texts through the model and write what comes back, one line a record, in order
#[derive(Args)]
pub struct Reconstruct {
    #[command(flatten)]
    model: ModelFlag,
    /// The texts (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input
    file: PathBuf,
    /// Seed of the draws, with --temperature and its kin
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    vectors: VectorsFlag,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    records: RecordsFlags,
    #[command(flatten)]
    decoding: DecodingFlags,
}

#[derive(Serialize)]
struct Pair<'a> {
    text: &'a str,
    reconstruction: &'a str,
}

impl Reconstruct {
    pub fn run(self) -> Result<()> {
        let corpus = input::corpus(&self.file, &self.records.resolve(ReadOptions::one_to_one()))?;
        let model = self.vectors.open(&self.model, &corpus.records)?;
        let decoding = self.decoding.resolve(&model.config().decoding);
        let mut out = self.writing.open()?;
        for (i, records) in corpus.records.chunks(CHUNK).enumerate() {
            let back = model.decode_part(&model.encode(records), i * CHUNK, &decoding, self.seed)?;
            for (record, reconstruction) in records.iter().zip(&back) {
                self.writing.text(&mut out, reconstruction, &Pair { text: &record.text, reconstruction })?;
            }
            out.flush_part()?;
        }
        out.finish()
    }
}

//! `strait encode`: texts to latents.

use std::{io::IsTerminal as _, path::PathBuf};

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, ValueEnum};
use serde::Serialize;
use strait::{
    Latents,
    text::{ReadOptions, Record},
};

use crate::{
    complaint::Usage,
    flags::{CHUNK, FormatFlag, ModelFlag, ReadingFlags},
    input,
    output::Output,
    talk::{count, say},
};

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LatentFormat {
    /// An object a line: {"text": ..., "latent": [...]}, with the label if there is one
    Jsonl,
    /// NumPy's format: a float32 matrix, a row a text
    Npy,
}

/// Turn texts into latents, one a record, in order
#[derive(Args)]
pub struct Encode {
    #[command(flatten)]
    model: ModelFlag,
    /// The texts (txt, csv, tsv, jsonl, also .gz or .zst); `-` is standard input
    file: PathBuf,
    /// The latents' format [default: by the output's name, or jsonl]
    #[arg(long, value_enum)]
    format: Option<LatentFormat>,
    /// Write to this file, which is complete or absent [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Report what was done as a JSON object on standard output
    #[arg(long, requires = "output")]
    json: bool,
    /// The texts' format [default: found out]
    #[arg(long, value_enum, help_heading = "Reading")]
    input_format: Option<FormatFlag>,
    #[command(flatten)]
    reading: ReadingFlags,
}

#[derive(Serialize)]
struct Row<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    latent: &'a [f32],
}

#[derive(Serialize)]
struct Report {
    records: usize,
    dimensions: usize,
    output: String,
}

impl Encode {
    pub fn run(self) -> Result<()> {
        let format = self.format();
        let model = self.model.open_encoder()?;
        let records = self.records()?;
        let mut out = self.open(format)?;
        let mut matrix = Vec::new();
        for part in records.chunks(CHUNK) {
            let texts: Vec<&str> = part.iter().map(|r| r.text.as_str()).collect();
            let latents = model.latents(&texts)?;
            match format {
                LatentFormat::Npy => matrix.extend_from_slice(latents.data()),
                LatentFormat::Jsonl => write_rows(&mut out, part, &latents)?,
            }
        }
        if format == LatentFormat::Npy {
            // The shape comes first, so the rows wait for the last one.
            let latents = Latents::new(matrix, model.latent_size());
            latents.write_npy(&mut out).with_context(|| format!("{}: cannot be written", out.name()))?;
        }
        let report = Report { records: records.len(), dimensions: model.latent_size(), output: out.name() };
        out.finish()?;
        self.report(&report)
    }

    fn format(&self) -> LatentFormat {
        let npy = self.output.as_ref().is_some_and(|o| o.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")));
        self.format.unwrap_or(if npy { LatentFormat::Npy } else { LatentFormat::Jsonl })
    }

    fn records(&self) -> Result<Vec<Record>> {
        let options = self.reading.resolve(ReadOptions::one_to_one(), self.input_format);
        match input::corpus(&self.file, &options) {
            Ok(corpus) => Ok(corpus.records),
            // This verb's --format is the latents'.
            Err(e) => Err(anyhow!(e.to_string().replace("--format", "--input-format"))),
        }
    }

    fn open(&self, format: LatentFormat) -> Result<Output> {
        let out = Output::open(self.output.as_deref())?;
        let bare = matches!(out, Output::Stdout(_));
        if bare && format == LatentFormat::Npy && std::io::stdout().is_terminal() {
            return Err(Usage("npy is not for the eye; name a file with -o, or take --format jsonl".into()).into());
        }
        if bare && self.json {
            return Err(Usage(
                "--json reports on standard output, which already takes the latents; name a file with -o".into(),
            )
            .into());
        }
        Ok(out)
    }

    fn report(&self, report: &Report) -> Result<()> {
        say!("Encoded {} into {} dimensions: {}.", count(report.records, "record"), report.dimensions, report.output);
        if !self.json {
            return Ok(());
        }
        let mut out = Output::open(None)?;
        out.json(report)?;
        out.finish()
    }
}

fn write_rows(out: &mut Output, records: &[Record], latents: &Latents) -> Result<()> {
    for (record, latent) in records.iter().zip(latents.rows()) {
        out.json(&Row { text: &record.text, label: record.label.as_deref(), latent })?;
    }
    out.flush_part()
}

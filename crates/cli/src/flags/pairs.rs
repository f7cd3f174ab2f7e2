//! How pairs of a source and a target are read.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use strait::text::read::{
    Pairs, ReadOptions,
    pairs::{Columns, open, read_pairs, read_parallel},
};

use crate::{complaint::Usage, input};

#[derive(Args)]
#[command(next_help_heading = "Reading")]
pub struct PairFlags {
    /// The column of the source, by name or number [default: `source`, else the first]
    #[arg(long, value_name = "COLUMN")]
    source_column: Option<String>,
    /// The column of the target, by name or number [default: `target`, else the second]
    #[arg(long, value_name = "COLUMN")]
    target_column: Option<String>,
    /// The targets, one for each line of FILE, which then holds the sources alone
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source_column", "target_column"])]
    targets: Option<PathBuf>,
}

impl PairFlags {
    /// Whether something was said that only makes sense of pairs.
    pub fn given(&self) -> bool {
        self.source_column.is_some() || self.target_column.is_some() || self.targets.is_some()
    }

    /// Reads the pairs of a file, or of a file and that of its targets: `targets` instead of the flag's.
    pub fn read(&self, file: &std::path::Path, targets: Option<&PathBuf>, options: &ReadOptions) -> Result<Pairs> {
        self.read_with((file, targets), &[], options)
    }

    /// The same with columns of further references.
    pub fn read_with(
        &self,
        (file, targets): (&std::path::Path, Option<&PathBuf>),
        references: &[String],
        options: &ReadOptions,
    ) -> Result<Pairs> {
        let name = file.display().to_string();
        if let Some(other) = targets {
            if !references.is_empty() {
                return Err(Usage("--references names columns of FILE; with --targets there are none".into()).into());
            }
            let sides = (open(file)?, open(other)?);
            return Ok(read_parallel((sides.0, &name), (sides.1, &other.display().to_string()), options)?);
        }
        let (source, target) = (self.source_column.clone(), self.target_column.clone());
        let columns = Columns { source, target, references: references.to_vec() };
        Ok(match input::is_stdin(file) {
            true => read_pairs(input::stdin(), input::STDIN, &columns, options)?,
            false => read_pairs(open(file)?, &name, &columns, options)?,
        })
    }

    /// The file of the targets, if they are in one of their own.
    pub fn targets(&self) -> Option<&PathBuf> {
        self.targets.as_ref()
    }
}

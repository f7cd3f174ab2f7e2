//! `strait man`: the manual pages.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};

use crate::talk::say;

/// Write the manual pages into a folder
#[derive(Args)]
pub struct ManPages {
    /// The folder; made if it is not there
    dir: PathBuf,
}

impl ManPages {
    pub fn run(self) -> Result<()> {
        let dir = self.dir.display();
        fs::create_dir_all(&self.dir).with_context(|| format!("{dir}: cannot be made"))?;
        clap_mangen::generate_to(crate::args::Args::command(), &self.dir)
            .with_context(|| format!("{dir}: cannot be written"))?;
        say!("The manual pages are in {dir}; read one with `man -l {dir}/strait.1`.");
        Ok(())
    }
}

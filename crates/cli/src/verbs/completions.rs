//! `strait completions`: what a shell needs to complete the command.

use anyhow::Result;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::output::Output;

/// Print a shell's completions; for bash: strait completions bash > ~/.local/share/bash-completion/completions/strait
#[derive(Args)]
pub struct Completions {
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::args::Args::command(), "strait", &mut script);
        Output::write_whole(None, &script)
    }
}

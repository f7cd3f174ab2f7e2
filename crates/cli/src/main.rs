//! The `strait` command: parse, set up, run one verb. Only in this crate is anything printed.

mod args;
mod complaint;
mod flags;
mod input;
mod output;
mod progress;
mod quote;
mod stop;
mod talk;
mod verbs;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match set_threads(args.threads).and_then(|()| args.verb.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complaint::report(&error),
    }
}

/// Fixes the number of threads before anything uses them; results are the same for any.
fn set_threads(threads: Option<usize>) -> anyhow::Result<()> {
    let Some(threads) = threads else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().with_context(|| format!("cannot start {threads} threads; try fewer --threads"))
}

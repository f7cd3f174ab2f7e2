//! Files to read, `-` for standard input.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read},
    path::Path,
};

use anyhow::{Context as _, Result};
use strait::{
    Latents,
    text::read::{self, Corpus, ReadError, ReadOptions},
};

use crate::talk::say;

pub const STDIN: &str = "standard input";

/// Whether it is standard input.
pub fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Standard input; says so to a person.
pub fn stdin() -> io::StdinLock<'static> {
    if io::stdin().is_terminal() {
        say!("Reading standard input; end it with Ctrl-D.");
    }
    io::stdin().lock()
}

/// Reads a corpus.
pub fn corpus(file: &Path, options: &ReadOptions) -> Result<Corpus, ReadError> {
    if is_stdin(file) { read::read_from(stdin(), STDIN, options) } else { read::read(file, options) }
}

/// Reads latents, npy or jsonl.
pub fn latents(file: &Path) -> Result<Latents> {
    if is_stdin(file) {
        return Ok(Latents::read(&mut stdin(), STDIN)?);
    }
    let name = file.display();
    let mut open = File::open(file).with_context(|| format!("{name}: cannot be opened; check the path"))?;
    Ok(Latents::read(&mut open, &name.to_string())?)
}

/// A text given as an argument; `-` reads it from standard input, without the end of its last line.
pub fn text(argument: String) -> Result<String> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut text = String::new();
    stdin().read_to_string(&mut text).context("standard input: cannot be read as UTF-8 text")?;
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    Ok(text)
}

//! `strait resume`: go on with a training, and what both trainings say at their end.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use strait::{Error, Outcome};

use crate::{
    complaint::{Stopped, Usage},
    progress::{Last, Progress},
    quote::{command, glimpse, shell},
    stop,
    talk::{number, say},
};

/// Go on with a training that was stopped or killed; the model is the same as if it had not been
#[derive(Args)]
pub struct Resume {
    /// The model's folder, as given to `strait train --out`
    dir: PathBuf,
    /// Print every event as a line of JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Resume {
    pub fn run(self) -> Result<()> {
        let name = self.dir.to_string_lossy();
        let name = name.trim_end_matches(['/', '\\']);
        let out = PathBuf::from(name.strip_suffix(".training").unwrap_or(name));
        if strait::unfinished_document(&out).exists() {
            let what = "an unfinished training of a document model; it goes on with the `strait document train` command that began it";
            return Err(Usage(format!("{}: {what}", out.display())).into());
        }
        listen(self.json, &out, None, |progress, stop| strait::resume(&out, progress, stop))
    }
}

/// Runs a training with progress and Ctrl-C, and says what comes next. `file` is the data, if it is a file.
pub fn listen(
    json: bool,
    out: &Path,
    file: Option<&Path>,
    training: impl FnOnce(&mut Progress, &std::sync::atomic::AtomicBool) -> Result<Outcome, Error>,
) -> Result<()> {
    let guard = stop::watch()?;
    let mut progress = Progress::new(json);
    let outcome = training(&mut progress, guard.asked());
    let last = progress.end();
    match outcome? {
        Outcome::Finished => {
            say_next(out, file, &last);
            Ok(())
        }
        Outcome::Stopped => {
            say!("Stopped after step {}; all is saved. Go on with:", number(last.step));
            say!("  {}", command(&["strait", "resume", &out.to_string_lossy()]));
            Err(Stopped.into())
        }
    }
}

/// Three commands to paste.
fn say_next(out: &Path, file: Option<&Path>, last: &Last) {
    let dir = out.to_string_lossy();
    let mut texts = last.texts.iter().filter(|t| !t.starts_with('-')).map(|t| phrase(t));
    let a = texts.next().unwrap_or("one text".into());
    let b = texts.next().unwrap_or("another text".into());
    say!("The model is complete: {dir} (its card: `{}`). Try:", command(&["strait", "info", "-m", &dir]));
    if let Some(source) = last.sources.first() {
        let file = file.map_or("SOURCES".into(), Path::to_string_lossy);
        say!("  printf '%s\\n' {} | strait generate -m {} -", shell(source), shell(&dir));
        say!("  {}", command(&["strait", "generate", "-m", &dir, "SOURCES", "-n", "3", "--explain", "attention.html"]));
        say!("  {}", command(&["strait", "evaluate", "-m", &dir, &file]));
        return;
    }
    say!("  {}", command(&["strait", "sample", "-m", &dir, "-n", "10"]));
    if last.texts.is_empty() {
        // A language model has no latents, so nothing was reconstructed.
        say!("  {}", command(&["strait", "sample", "-m", &dir, "--prefix", "How it begins"]));
        return;
    }
    match file {
        Some(file) => say!("  {}", command(&["strait", "reconstruct", "-m", &dir, &file.to_string_lossy()])),
        None => say!("  {}", command(&["strait", "vary", "-m", &dir, &a])),
    }
    say!("  {}", command(&["strait", "interpolate", "-m", &dir, &a, &b, "--steps", "5"]));
}

/// A text short enough for a command: its first words.
fn phrase(text: &str) -> String {
    const LONGEST: usize = 60;
    let text: String = glimpse(text, usize::MAX - 1);
    let Some((end, _)) = text.char_indices().nth(LONGEST) else { return text };
    let cut = &text[..end];
    cut.rsplit_once(' ').map_or(cut, |(words, _)| words).to_owned()
}

#[cfg(test)]
mod tests {
    use super::phrase;

    #[test]
    fn long_texts_end_with_a_word() {
        assert_eq!(phrase("short\ntext"), "short\\ntext");
        assert_eq!(phrase(&"word ".repeat(20)), "word ".repeat(12).trim_end());
        assert_eq!(phrase(&"长".repeat(80)), "长".repeat(60));
    }
}

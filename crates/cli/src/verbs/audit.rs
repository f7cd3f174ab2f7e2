//! `strait audit`: how much of its training text generated text gives back.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use strait::{
    Decoding, Model,
    eval::{Copying, Interner, Memorisation, NEAR_COPY, Passages, Unit},
    text::ReadOptions,
};

use crate::{
    complaint::Usage,
    flags::{CorpusFlags, WritingFlags, at_least_one},
    input,
    output::Output,
    quote::one_line,
};

/// Tell how much of its training text generated text gives back
///
/// Counts exact copies, near copies (one edit in five words) and the longest run of words copied, beside the rates of real
/// texts held out: real text repeats itself too, and only what lies above that is memorised. `strait sample --no-copies`
/// keeps runs of training text out of new texts.
#[derive(Args)]
pub struct Audit {
    /// The generated texts; instead of them, a model may draw some (-m)
    #[arg(required_unless_present = "model")]
    texts: Option<PathBuf>,
    /// A model that draws the texts
    #[arg(short, long, value_name = "DIR", conflicts_with = "texts")]
    model: Option<PathBuf>,
    /// How many it draws
    #[arg(short, value_name = "N", default_value = "1000", value_parser = at_least_one)]
    n: usize,
    /// Another seed, other texts
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// The training texts
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Real texts that were held out: the rate at which real text repeats the training text
    #[arg(long, value_name = "FILE")]
    held_out: Option<PathBuf>,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    corpus: CorpusFlags,
}

impl Audit {
    pub fn run(self) -> Result<()> {
        let train = self.read(&self.train)?;
        let held_out = self.held_out.as_deref().map(|file| self.read(file)).transpose()?.unwrap_or_default();
        let texts = self.generated()?;
        let (unit, mut interner) = (Unit::guess(&train), Interner::new());
        let passages = Passages::new(interner.encode_all(&train, unit));
        let (texts, real) = (interner.encode_all(&texts, unit), interner.encode_all(&held_out, unit));
        let found = Memorisation::new(&passages, &texts, &real, NEAR_COPY, &interner, unit);
        let mut out = self.writing.open()?;
        match self.writing.json {
            true => out.json(&found)?,
            false => print(&mut out, &found)?,
        }
        out.finish()
    }

    fn read(&self, file: &Path) -> Result<Vec<String>> {
        let corpus = input::corpus(file, &self.corpus.resolve(ReadOptions::default()))?;
        Ok(corpus.records.into_iter().map(|r| r.text).collect())
    }

    fn generated(&self) -> Result<Vec<String>> {
        match (&self.texts, &self.model) {
            (Some(file), _) => self.read(file),
            (None, Some(model)) => Ok(Model::open(model)?.sample(self.n, self.seed, &Decoding::default())?),
            (None, None) => Err(Usage("nothing to audit: name a file of texts, or a model with -m".into()).into()),
        }
    }
}

fn print(out: &mut Output, found: &Memorisation) -> Result<()> {
    let (texts, real) = (&found.copying.samples, &found.copying.real);
    let row = |name: &str, value: fn(&Copying) -> String| {
        let held_out = if real.n > 0 { value(real) } else { "-".into() };
        format!("{name:<34} {:>10} {held_out:>10}", value(texts))
    };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    out.line(&format!("{:<34} {:>10} {:>10}", "", "generated", "held out"))?;
    out.line(&row("texts", |c| c.n.to_string()))?;
    out.line(&row("exact copies", |c| format!("{:.1} %", 100.0 * c.copied)))?;
    out.line(&row("near copies, one edit in five", |c| format!("{:.1} %", 100.0 * c.near_copied)))?;
    out.line(&row("longest run copied, mean", |c| format!("{:.2}", c.longest_copy_mean)))?;
    out.line(&row("longest run copied, most", |c| c.longest_copy_max.to_string()))?;
    out.line(&row("its share of the text, mean", |c| format!("{:.1} %", 100.0 * c.longest_copy_share)))?;
    for copy in &found.worst {
        let times = if copy.times > 1 { format!(", {} times", copy.times) } else { String::new() };
        let how = if copy.edits == 0 { "exact".into() } else { format!("{} off", percent(copy.distance)) };
        out.line(&format!("{how}{times}: {}", one_line(&copy.text)))?;
        if copy.edits > 0 {
            out.line(&format!("   train: {}", one_line(&copy.nearest)))?;
        }
    }
    Ok(())
}

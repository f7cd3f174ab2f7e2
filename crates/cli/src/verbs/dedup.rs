//! `strait dedup`: texts that say the same.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::{Collection, Duplicates};

use crate::{
    flags::{ModelFlag, TextsFlags, WritingFlags, not_negative},
    output::Output,
    talk::{count, number, say},
};

/// Leave out near duplicates
///
/// Prints the texts that stay, the first of each group, or with --groups what was found. Texts whose latents are at most
/// --threshold apart count as duplicates; unless given, it is where chance alone would join one text in a thousand to
/// another. The curve told beside it shows what other thresholds would do.
#[derive(Args)]
pub struct Dedup {
    #[command(flatten)]
    model: ModelFlag,
    /// Latents at most so far apart are duplicates [default: read off the texts]
    #[arg(long, value_name = "D", value_parser = not_negative)]
    threshold: Option<f32>,
    /// Print the groups of duplicates instead of the texts that stay
    #[arg(long)]
    groups: bool,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    texts: TextsFlags,
}

/// A text of a group, or one that stays.
#[derive(Serialize)]
struct Line<'a> {
    row: usize,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

#[derive(Serialize)]
struct Report<'a> {
    threshold: f32,
    groups: Vec<Vec<Line<'a>>>,
    curve: &'a [strait::latent::dedup::Point],
}

impl Dedup {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_encoder()?;
        let texts = self.texts.open(&*model)?;
        let found = texts.duplicates(self.threshold)?;
        tell(&found, &texts, self.threshold.is_none());
        let mut out = self.writing.open()?;
        match self.groups {
            true => self.write_groups(&mut out, &found, &texts)?,
            false => self.write_kept(&mut out, &found, &texts)?,
        }
        out.finish()
    }

    fn write_groups(&self, out: &mut Output, found: &Duplicates, texts: &Collection) -> Result<()> {
        if self.writing.json {
            let groups = found.groups.iter().map(|g| g.iter().map(|&row| line(texts, row)).collect()).collect();
            return out.json(&Report { threshold: found.threshold, groups, curve: &found.curve });
        }
        for (i, group) in found.groups.iter().enumerate() {
            if i > 0 {
                out.line("")?;
            }
            for &row in group {
                out.line(&format!("{}\t{}", row + 1, texts.records()[row].text))?;
            }
        }
        Ok(())
    }

    fn write_kept(&self, out: &mut Output, found: &Duplicates, texts: &Collection) -> Result<()> {
        let mut stays = vec![true; texts.len()];
        found.groups.iter().flat_map(|g| g.iter().skip(1)).for_each(|&row| stays[row] = false);
        for row in (0..texts.len()).filter(|&row| stays[row]) {
            let line = line(texts, row);
            self.writing.text(out, line.text, &line)?;
        }
        Ok(())
    }
}

fn line(texts: &Collection, row: usize) -> Line<'_> {
    let record = &texts.records()[row];
    Line { row, text: &record.text, label: record.label.as_deref() }
}

fn tell(found: &Duplicates, texts: &Collection, chosen: bool) {
    let removed: usize = found.groups.iter().map(|g| g.len() - 1).sum();
    let how = if chosen { "chosen: chance alone would join one text in a thousand" } else { "as given" };
    say!(
        "{} in {}: {} of {} would go. Threshold {:.4}, {how}.",
        count(found.groups.iter().map(Vec::len).sum(), "text"),
        count(found.groups.len(), "group"),
        number(removed as u64),
        count(texts.len(), "text"),
        found.threshold
    );
    say!("  threshold   pairs  groups  would go");
    for point in &found.curve {
        say!("  {:>9.4} {:>7} {:>7} {:>9}", point.threshold, point.pairs, point.groups, point.removed);
    }
}

//! `strait cluster`: texts in groups.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::{Clustering, Collection, Grouping};

use crate::{
    flags::{ModelFlag, TextsFlags, WritingFlags, at_least_one},
    output::Output,
    quote::one_line,
    talk::{count, say},
};

/// Group texts by their latents, and say what each group is about
///
/// Each group is told by the words that tell it from the rest and by the texts in its middle. k-means chooses the number
/// of groups by the silhouette (-1 to 1; below about 0.25 there is hardly a structure), --density finds dense groups and
/// leaves the rest alone.
#[derive(Args)]
pub struct ClusterTexts {
    #[command(flatten)]
    model: ModelFlag,
    /// So many groups [default: of the highest silhouette]
    #[arg(short, value_name = "K", value_parser = at_least_one, conflicts_with = "density")]
    k: Option<usize>,
    /// Dense groups of at least so many texts (HDBSCAN; its time grows with the square of the texts)
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    density: Option<usize>,
    /// Words shown of each group
    #[arg(long, value_name = "N", default_value = "8")]
    words: usize,
    /// Texts shown of each group
    #[arg(long, value_name = "N", default_value = "3")]
    examples: usize,
    /// Print the group of each text, in order, instead of a description of the groups
    #[arg(long)]
    assign: bool,
    /// Another seed, other first centres
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    writing: WritingFlags,
    #[command(flatten)]
    texts: TextsFlags,
}

/// A text and its group.
#[derive(Serialize)]
struct Assigned<'a> {
    cluster: Option<u32>,
    text: &'a str,
}

impl ClusterTexts {
    pub fn run(self) -> Result<()> {
        let model = self.model.open_encoder()?;
        let texts = self.texts.open(&*model)?;
        let how = match self.density {
            Some(smallest) => Grouping::Density { smallest },
            None => Grouping::KMeans { clusters: self.k, seed: self.seed },
        };
        let found = texts.clusters(how, self.words, self.examples)?;
        let mut out = self.writing.open()?;
        match (self.assign, self.writing.json) {
            (true, _) => self.write_each(&mut out, &found, &texts)?,
            (false, true) => out.json(&found)?,
            (false, false) => describe(&mut out, &found, &texts)?,
        }
        tell(&found);
        out.finish()
    }

    fn write_each(&self, out: &mut Output, found: &Clustering, texts: &Collection) -> Result<()> {
        for (record, &cluster) in texts.records().iter().zip(&found.labels) {
            let name = cluster.map_or("-".into(), |c| c.to_string());
            let line = format!("{name}\t{}", record.text);
            self.writing.text(out, &line, &Assigned { cluster, text: &record.text })?;
        }
        Ok(())
    }
}

fn describe(out: &mut Output, found: &Clustering, texts: &Collection) -> Result<()> {
    for (i, cluster) in found.clusters.iter().enumerate() {
        out.line(&format!("{i}: {}: {}", count(cluster.size, "text"), cluster.words.join(", ")))?;
        for &row in &cluster.medoids {
            out.line(&format!("   {}", one_line(&texts.records()[row].text)))?;
        }
    }
    let alone = found.labels.iter().filter(|label| label.is_none()).count();
    if alone > 0 {
        out.line(&format!("-: {} in no group", count(alone, "text")))?;
    }
    Ok(())
}

fn tell(found: &Clustering) {
    let tried: Vec<String> = found.tried.iter().map(|t| format!("{} {:.3}", t.k, t.silhouette)).collect();
    if !tried.is_empty() {
        say!("Silhouettes by the number of groups: {}.", tried.join(", "));
    }
    if let Some(silhouette) = found.silhouette {
        say!("Silhouette {silhouette:.3}{}.", if silhouette < 0.25 { ": the groups run into each other" } else { "" });
    }
}

//! `strait map`: texts in the plane.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use strait::{Clustering, Collection, Colouring, Grouping, Layout, Projection, TextMap, latent::projector};

use super::train::beside;
use crate::{
    flags::{ModelFlag, TextsFlags, at_least_one},
    output::Output,
    quote::one_line,
    talk::{count, on_the_way, say},
};

/// Names of the thirds of texts by length.
const LENGTHS: [&str; 3] = ["short", "middling", "long"];
/// Groups that a label may have at most to be coloured by.
const MOST: usize = 200;

/// Draw a map of texts: a page to hover over, colour, search and choose from
///
/// Texts whose latents are near lie near. The page is complete in itself and asks nothing of the network.
#[derive(Args)]
pub struct DrawMap {
    #[command(flatten)]
    model: ModelFlag,
    /// The page [default: the texts' name with .map.html, in the current folder]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Lay out along the two widest principal axes instead of by neighbourhoods (t-SNE)
    #[arg(long)]
    pca: bool,
    /// Groups to colour by [default: the number of the highest silhouette]
    #[arg(short, value_name = "K", value_parser = at_least_one)]
    k: Option<usize>,
    /// Also write vectors.tsv and metadata.tsv for the Embedding Projector to this folder
    #[arg(long, value_name = "DIR")]
    projector: Option<PathBuf>,
    /// Print the places as JSON, an object a line: x, y, cluster, text
    #[arg(long)]
    json: bool,
    /// Another seed, another map
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    #[command(flatten)]
    texts: TextsFlags,
}

#[derive(Serialize)]
struct Spot<'a> {
    x: f32,
    y: f32,
    cluster: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    text: &'a str,
}

impl DrawMap {
    pub fn run(self) -> Result<()> {
        let place = self.output.clone().unwrap_or_else(|| beside(&self.texts.path, ".map.html"));
        let model = self.model.open_encoder()?;
        let texts = self.texts.open(&*model)?;
        let how = if self.pca { Projection::Principal } else { Projection::Neighbours };
        let layout = texts.layout_heard(how, self.seed, &mut on_the_way("Drawing the map:", "rounds"))?;
        let groups = texts.clusters(Grouping::KMeans { clusters: self.k, seed: self.seed }, 3, 1)?;
        Output::write_whole(Some(&place), strait::map_page(&page(&texts, &layout, &groups)).as_bytes())?;
        if let Some(dir) = &self.projector {
            write_projector(&texts, &groups, dir)?;
        }
        if self.json {
            let mut out = Output::open(None)?;
            for ((record, [x, y]), &cluster) in texts.records().iter().zip(&layout.places).zip(&groups.labels) {
                out.json(&Spot { x: *x, y: *y, cluster, label: record.label.as_deref(), text: &record.text })?;
            }
            out.finish()?;
        }
        let trust = layout.trustworthiness.map_or(String::new(), |t| format!(", trustworthiness {t:.3} of 1"));
        say!("A map of {}{trust}: {}", count(texts.len(), "text"), place.display());
        Ok(())
    }
}

fn page(texts: &Collection, layout: &Layout, groups: &Clustering) -> TextMap {
    let records = texts.records();
    let name = one_line(&texts.source().name).into_owned();
    let mut colourings: Vec<Colouring> = labels(texts).into_iter().collect();
    colourings.push(Colouring {
        name: "group".into(),
        names: groups.clusters.iter().map(|c| c.words.join(", ")).collect(),
        groups: groups.labels.clone(),
    });
    colourings.push(lengths(texts));
    let how = "Texts that lie near have near latents.";
    let trust = layout.trustworthiness.map_or(String::new(), |t| format!(" Trustworthiness {t:.3} of 1."));
    TextMap {
        title: name.rsplit(['/', '\\']).next().unwrap_or(&name).to_owned(),
        about: format!("{}. {how}{trust}", count(texts.len(), "text")),
        texts: records.iter().map(|r| r.text.clone()).collect(),
        rows: (1..=records.len()).collect(),
        x: layout.places.iter().map(|p| p[0]).collect(),
        y: layout.places.iter().map(|p| p[1]).collect(),
        colourings,
    }
}

fn labels(texts: &Collection) -> Option<Colouring> {
    let (rows, labels) = texts.labelled().ok().filter(|(_, labels)| labels.classes() <= MOST)?;
    let mut groups = vec![None; texts.len()];
    rows.iter().zip(labels.codes()).for_each(|(&row, &code)| groups[row] = Some(code as u32));
    Some(Colouring { name: "label".into(), names: labels.names().to_vec(), groups })
}

fn lengths(texts: &Collection) -> Colouring {
    let lengths: Vec<usize> = texts.records().iter().map(|r| r.text.chars().count()).collect();
    let mut sorted = lengths.clone();
    sorted.sort_unstable();
    let bound = |third: usize| sorted[third * sorted.len() / 3];
    let groups = lengths.iter().map(|&l| Some(u32::from(l >= bound(1)) + u32::from(l >= bound(2)))).collect();
    Colouring { name: "length".into(), names: LENGTHS.map(String::from).to_vec(), groups }
}

fn write_projector(texts: &Collection, groups: &Clustering, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut out = Output::open(Some(&dir.join("vectors.tsv")))?;
    projector::write_vectors(&mut out, texts.matrix()?)?;
    out.finish()?;
    let column = |f: &dyn Fn(usize) -> String| (0..texts.len()).map(f).collect::<Vec<String>>();
    let words = column(&|i| texts.records()[i].text.clone());
    let label = column(&|i| texts.records()[i].label.clone().unwrap_or_default());
    let group = column(&|i| groups.labels[i].map_or(String::new(), |g| g.to_string()));
    let mut out = Output::open(Some(&dir.join("metadata.tsv")))?;
    projector::write_metadata(&mut out, &[("text", &words[..]), ("label", &label[..]), ("group", &group[..])])?;
    out.finish()
}

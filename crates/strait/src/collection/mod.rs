//! A corpus under a model: its texts, their labels and latents. What searching, grouping and mapping work on.

mod clusters;
mod duplicates;
mod folder;
mod layout;

use strait_latent::{
    Labels, Matrix,
    direction::{Manifold, ManifoldOptions},
    search::{Exact, Index, Metric, Neighbour},
};
use strait_text::{Corpus, Record};

use crate::{Error, Latents, Model, TextEncoder};

pub use clusters::{Cluster, Clustering, Grouping};
pub use duplicates::Duplicates;
pub use folder::check_place;
pub use layout::{Filling, Layout, Projection};

/// Corpora of more texts are searched through an index.
pub const EXACT: usize = 20_000;
/// Texts among which a way is sought at most.
pub const WAY: usize = 5000;
/// Texts encoded between two calls of a listener.
const PART: usize = 4096;

/// Texts of a corpus with their latents under one model.
pub struct Collection {
    /// Name and SHA-256 of the file.
    source: Source,
    records: Vec<Record>,
    latents: Latents,
    index: Option<Index>,
}

/// Where texts came from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    /// SHA-256 of the file.
    pub hash: String,
}

/// A text that was found.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Hit<'a> {
    /// Its place in the corpus, from 0.
    pub row: usize,
    pub text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// Distance of the latents.
    pub distance: f32,
    /// Cosine of the angle between the latents, 1 for the same direction.
    pub cosine: f64,
}

impl Model {
    /// Encodes a corpus; `hear` is told how many texts are done, of how many.
    ///
    /// # Errors
    /// [`Error::NoLatents`] for a language model.
    pub fn collect(&self, corpus: Corpus, hear: &mut dyn FnMut(usize, usize)) -> Result<Collection, Error> {
        Collection::encode(self, corpus, hear)
    }
}

#[cfg(test)]
impl Source {
    pub(crate) fn made() -> Self {
        Source { name: "made".into(), hash: String::new() }
    }
}

impl Collection {
    /// Of texts that were encoded already, a row of `latents` each.
    ///
    /// # Errors
    /// Without texts, if there is not one latent for each, or if one is not finite, as those of a damaged model.
    pub fn new(source: Source, records: Vec<Record>, latents: Latents) -> Result<Self, Error> {
        Matrix::new(latents.data(), latents.dim())?.expect_len("texts", records.len())?;
        Ok(Collection { source, records, latents, index: None })
    }

    /// Encodes a corpus; `hear` is told how many texts are done, of how many.
    ///
    /// # Errors
    /// If the encoder does not turn texts into latents ([`TextEncoder::latents`]); as [`Collection::new`].
    pub fn encode(
        encoder: &dyn TextEncoder,
        corpus: Corpus,
        hear: &mut dyn FnMut(usize, usize),
    ) -> Result<Collection, Error> {
        let records = corpus.records;
        let mut data = Vec::with_capacity(records.len() * encoder.latent_size());
        for (i, part) in records.chunks(PART).enumerate() {
            hear(i * PART, records.len());
            let texts: Vec<&str> = part.iter().map(|r| r.text.as_str()).collect();
            data.extend_from_slice(encoder.latents(&texts)?.data());
        }
        hear(records.len(), records.len());
        let source = Source { name: corpus.report.name, hash: corpus.report.hash };
        Collection::new(source, records, Latents::new(data, encoder.latent_size()))
    }

    /// Number of texts, at least 1.
    pub fn len(&self) -> usize {
        self.records.len()
    }
    /// Never: a corpus has a text.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
    /// Where the texts came from.
    pub fn source(&self) -> &Source {
        &self.source
    }
    /// The texts with their labels, in the order of the file.
    pub fn records(&self) -> &[Record] {
        &self.records
    }
    /// Their latents, a row each.
    pub fn latents(&self) -> &Latents {
        &self.latents
    }
    /// The latents as the tools for matrices take them.
    ///
    /// # Errors
    /// If one is not finite, as those of a damaged model.
    pub fn matrix(&self) -> Result<Matrix<'_>, Error> {
        Ok(Matrix::new(self.latents.data(), self.latents.dim())?)
    }

    /// The rows that have a label, and their labels.
    ///
    /// # Errors
    /// [`Error::NoLabels`] if none has.
    pub fn labelled(&self) -> Result<(Vec<usize>, Labels), Error> {
        let (rows, names): (Vec<usize>, Vec<&str>) =
            self.records.iter().enumerate().filter_map(|(i, r)| Some((i, r.label.as_deref()?))).unzip();
        if rows.is_empty() {
            return Err(Error::NoLabels { name: self.source.name.clone() });
        }
        Ok((rows, Labels::from_texts(&names)))
    }

    /// Builds an index if there are more than 20,000 texts; then searches read a part of them only.
    ///
    /// # Errors
    /// As [`Collection::matrix`].
    pub fn index(&mut self) -> Result<(), Error> {
        if self.len() > EXACT && self.index.is_none() {
            self.index = Some(Index::build(self.matrix()?, &strait_latent::search::IndexOptions::default())?);
        }
        Ok(())
    }

    /// Share of the ten nearest texts that searches find: 1 without an index, otherwise measured when it was built.
    pub fn recall(&self) -> f32 {
        self.index.as_ref().map_or(1.0, Index::recall)
    }

    /// The `k` texts nearest to each latent (all, if there are fewer), nearest first.
    ///
    /// # Errors
    /// If latents have other dimensions, or one is not finite.
    pub fn nearest(&self, latents: &Latents, k: usize) -> Result<Vec<Vec<Hit<'_>>>, Error> {
        let queries = Matrix::new(latents.data(), latents.dim())?;
        let k = k.min(self.len());
        let lists = match &self.index {
            Some(index) => index.nearest_all(queries, k)?,
            None => Exact::new(self.matrix()?, Metric::Euclidean).nearest_all(queries, k)?,
        };
        Ok(lists.iter().zip(latents.rows()).map(|(list, query)| self.hits(list, query)).collect())
    }

    /// The latents of `steps` (2 or more) texts on the way from `a` to `b` that goes where the texts of the collection are,
    /// both ends included; of more than 5,000 texts, as many spread over all are looked at.
    ///
    /// # Errors
    /// With fewer than two steps, or so few texts that they show no way.
    pub fn way(&self, model: &Model, (a, b): (&str, &str), steps: usize) -> Result<Latents, Error> {
        self.between(&model.encode(&[a, b]), steps)
    }

    /// The same from row 0 of `ends` to row 1.
    ///
    /// # Errors
    /// As [`Collection::way`], or if the ends have other dimensions.
    ///
    /// # Panics
    /// If there are fewer than two rows.
    pub fn between(&self, ends: &Latents, steps: usize) -> Result<Latents, Error> {
        let taken = self.len().min(WAY);
        let rows: Vec<usize> = (0..taken).map(|i| i * self.len() / taken).collect();
        let rows = self.matrix()?.select(&rows)?;
        let way = Manifold::new(rows.view(), ManifoldOptions::default())?.way(ends.row(0), ends.row(1), steps)?;
        Ok(Latents::new(way.points.into_data(), ends.dim()))
    }

    fn hits(&self, list: &[Neighbour], query: &[f32]) -> Vec<Hit<'_>> {
        let hit = |n: &Neighbour| {
            let record = &self.records[n.row];
            let cosine = strait_latent::correlation::cosine(query, self.latents.row(n.row)).unwrap_or(0.0);
            Hit { row: n.row, text: &record.text, label: record.label.as_deref(), distance: n.distance, cosine }
        };
        list.iter().map(hit).collect()
    }

    /// The `k` nearest others of each text.
    fn neighbours(&self, k: usize) -> Result<Vec<Vec<Neighbour>>, Error> {
        let k = k.min(self.len().saturating_sub(1));
        Ok(match &self.index {
            Some(index) => index.neighbours(k)?,
            None => Exact::new(self.matrix()?, Metric::Euclidean).neighbours(k)?,
        })
    }
}

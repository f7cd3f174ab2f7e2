//! Shuffled sentences in order, and the sentences that say what a document is about.

use strait_document::{Given, Reader};

use super::DocumentModel;
use crate::{Decoding, Error, Latents};

/// Orders kept at each step of the search.
const BEAM: usize = 8;

/// What a document is about.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Summary {
    /// The sentences nearest to the document's mean latent, by their places from 0 in the document's order.
    pub sentences: Vec<usize>,
    /// The mean latent, decoded.
    pub centre: String,
}

/// A part of an order.
struct Partial<'a> {
    reader: Reader<'a>,
    order: Vec<usize>,
    nats: f64,
}

impl DocumentModel {
    /// The likeliest order of sentences, as indices into them; `whole`: they are a whole document, not a part of one; `given`
    /// are the sentences of documents beside it, for a model that was trained so.
    ///
    /// The order maximises the sum of `ln p(z_t | z_1 .. z_(t-1))` (and of the end after the last one, if whole) by a beam
    /// search: n^2 densities for n sentences.
    ///
    /// # Errors
    /// If documents are given to a model that attends to none.
    pub fn order<S: AsRef<str> + Sync>(
        &self,
        sentences: &[S],
        given: &[Vec<String>],
        whole: bool,
    ) -> Result<Vec<usize>, Error> {
        Ok(self.order_latents(&self.sentences.encode(sentences), self.given(given)?.as_ref(), whole))
    }

    pub(super) fn order_latents(&self, latents: &Latents, given: Option<&Given>, whole: bool) -> Vec<usize> {
        let first = self.reader(whole, latents, given);
        let mut beam = vec![Partial { reader: first, order: Vec::new(), nats: 0.0 }];
        for _ in 0..latents.len() {
            let mut next: Vec<(f64, usize, usize)> = Vec::new();
            for (b, partial) in beam.iter().enumerate() {
                let mut free = vec![true; latents.len()];
                partial.order.iter().for_each(|&i| free[i] = false);
                for i in (0..latents.len()).filter(|&i| free[i]) {
                    let mut nats = partial.nats + partial.reader.log_density(latents.row(i));
                    if whole {
                        nats += (1.0 - partial.reader.end()).max(f64::MIN_POSITIVE).ln();
                    }
                    next.push((nats, b, i));
                }
            }
            next.sort_by(|x, y| y.0.total_cmp(&x.0));
            next.truncate(BEAM);
            beam = next
                .into_iter()
                .map(|(nats, b, i)| {
                    let Partial { reader, order, .. } = &beam[b];
                    let (mut reader, mut order) = (reader.clone(), order.clone());
                    reader.read(latents.row(i));
                    order.push(i);
                    Partial { reader, order, nats }
                })
                .collect();
        }
        let total = |p: &Partial<'_>| p.nats + if whole { p.reader.end().max(f64::MIN_POSITIVE).ln() } else { 0.0 };
        beam.into_iter().max_by(|a, b| total(a).total_cmp(&total(b))).map(|p| p.order).unwrap_or_default()
    }

    /// The `k` sentences nearest to the mean latent of the document, in the document's order, and that latent decoded.
    ///
    /// # Errors
    /// If the controls of the decoding contradict each other, or there are no sentences.
    pub fn summarise<S: AsRef<str> + Sync>(
        &self,
        sentences: &[S],
        k: usize,
        decoding: &Decoding,
    ) -> Result<Summary, Error> {
        if sentences.is_empty() {
            return Err(Error::NoSentences);
        }
        let latents = self.sentences.encode(sentences);
        let centre = mean(&latents);
        let distance =
            |i: &usize| -> f64 { latents.row(*i).iter().zip(&centre).map(|(a, b)| f64::from(a - b).powi(2)).sum() };
        let mut nearest: Vec<usize> = (0..latents.len()).collect();
        nearest.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.truncate(k);
        nearest.sort_unstable();
        let decoded = self.sentences.decode(&Latents::new(centre, latents.dim()), decoding)?;
        Ok(Summary { sentences: nearest, centre: decoded.into_iter().next().unwrap_or_default() })
    }
}

/// The mean row.
pub(super) fn mean(latents: &Latents) -> Vec<f32> {
    let mut sum = vec![0f64; latents.dim()];
    for row in latents.rows() {
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x));
    }
    sum.iter().map(|s| (s / latents.len().max(1) as f64) as f32).collect()
}

//! What documents that are given beside are worth to a network that attends to them.

use serde::Serialize;
use strait_document::{Beside, Given, Reader};

use super::Corpus;
use crate::document::DocumentModel;

/// Nats a sentence of standardised latents, ends included, without a plan of the document: lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GivenUse {
    /// Beside what is given.
    pub own: f64,
    /// Beside what is given beside another document: half of them all further on.
    pub other: f64,
    /// Beside nothing.
    pub none: f64,
}

impl DocumentModel {
    pub(super) fn given_use(&self, corpus: &Corpus<'_>) -> GivenUse {
        let n = corpus.documents();
        let mean = |beside: &dyn Fn(usize) -> Option<usize>| {
            let given = |d: usize| beside(d).and_then(|other| corpus.given[other].as_ref());
            let sum: f64 = (0..n).map(|d| self.nats(corpus, d, given(d))).sum();
            sum / (corpus.latents.len() + n) as f64
        };
        // Neighbours in a file may have the same beside them.
        GivenUse { own: mean(&Some), other: mean(&|d| Some((d + n / 2) % n)), none: mean(&|_| None) }
    }

    /// `-ln p` of a document's latents and of its end.
    fn nats(&self, corpus: &Corpus<'_>, document: usize, given: Option<&Given>) -> f64 {
        let mut reader = Reader::new(&self.network, true, Beside { plan: None, given });
        let log = |p: f64| p.max(f64::MIN_POSITIVE).ln();
        let mut nats = 0.0;
        for i in corpus.starts[document]..corpus.starts[document + 1] {
            let row = corpus.latents.row(i);
            nats -= reader.log_density(row) + log(1.0 - reader.end());
            reader.read(row);
        }
        nats - log(reader.end())
    }
}

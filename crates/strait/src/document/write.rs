//! New sentences: after a text, in a gap of one, or of a new document.

use std::collections::HashSet;

use rand::{Rng as _, RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_document::{Beside, Reader};

use super::DocumentModel;
use crate::{Decoding, Error, Latents};

/// What stands in a text for a sentence that is missing.
pub const GAP: &str = "[...]";

/// Runs of so many tokens are what a sentence may share with those before it.
const RUN: usize = 4;
/// A sentence repeats if more than this share of its runs is in those before it.
const MOST_SHARED: f64 = 0.25;
/// Sentences after a gap that are asked how well the filling goes with them.
const AHEAD: usize = 3;

/// How sentences are written.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// Latents drawn for each sentence, of which one is kept.
    pub candidates: usize,
    /// Factor of the spread of the draws: 1 as the model is, below 1 safer.
    pub temperature: f32,
    pub decoding: Decoding,
    pub seed: u64,
    /// The sentences of documents that are given beside the text; for a model that was trained so.
    pub given: Vec<Vec<String>>,
}

impl Default for WriteRequest {
    fn default() -> Self {
        WriteRequest { candidates: 16, temperature: 1.0, decoding: Decoding::default(), seed: 1, given: Vec::new() }
    }
}

/// A sentence that was written.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Written {
    pub text: String,
    /// How much likelier what precedes (and, in a gap, follows) makes it, in nats: of the latent of its text.
    pub gain: f64,
    /// Whether every candidate repeated something before it.
    pub repeats: bool,
    /// The probability that the document ends after it.
    pub end: f64,
}

impl DocumentModel {
    /// `n` sentences after those of a text.
    ///
    /// For each, candidates are drawn from the mixture over the next latent and decoded; of those that repeat nothing said
    /// before, the one is kept whose text's own latent gains most by what precedes it.
    ///
    /// # Errors
    /// If the controls of the decoding contradict each other; if documents are given to a model that attends to none.
    pub fn continue_text<S: AsRef<str> + Sync>(
        &self,
        before: &[S],
        n: usize,
        request: &WriteRequest,
    ) -> Result<Vec<Written>, Error> {
        self.draft_after(before, request)?.take(n).collect()
    }

    /// The sentences of [`DocumentModel::continue_text`], without end, each written when it is asked for.
    ///
    /// # Errors
    /// If documents are given to a model that attends to none.
    pub fn draft_after<'a, S: AsRef<str> + Sync>(
        &'a self,
        before: &[S],
        request: &'a WriteRequest,
    ) -> Result<Draft<'a>, Error> {
        let latents = self.sentences.encode(before);
        let mut reader = self.reader(true, &latents, self.given(&request.given)?.as_ref());
        latents.rows().for_each(|row| reader.read(row));
        let (said, rng) = (Said::new(self, before), ChaCha8Rng::seed_from_u64(request.seed));
        Ok(Draft { model: self, reader, said, request, rng, ends: false, over: false })
    }

    /// A new document from a drawn plan: at most `most` sentences, fewer if it ends before.
    ///
    /// # Errors
    /// As [`DocumentModel::continue_text`].
    pub fn outline(&self, most: usize, request: &WriteRequest) -> Result<Vec<Written>, Error> {
        self.draft(request)?.take(most).collect()
    }

    /// The sentences of [`DocumentModel::outline`], until the document ends, each written when it is asked for.
    ///
    /// # Errors
    /// As [`DocumentModel::draft_after`].
    pub fn draft<'a>(&'a self, request: &'a WriteRequest) -> Result<Draft<'a>, Error> {
        let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
        let plan = self.network.draw_plan(&mut rng);
        let given = self.given(&request.given)?;
        let reader = Reader::new(&self.network, true, Beside { plan: Some(&plan), given: given.as_ref() });
        let said = Said::new::<&str>(self, &[]);
        Ok(Draft { model: self, reader, said, request, rng, ends: true, over: false })
    }

    /// A sentence between `before` and `after`: of the candidates, the one that makes itself and what follows likeliest.
    ///
    /// # Errors
    /// As [`DocumentModel::continue_text`].
    pub fn infill<S: AsRef<str> + Sync>(
        &self,
        before: &[S],
        after: &[S],
        request: &WriteRequest,
    ) -> Result<Written, Error> {
        let (known, following) = (self.sentences.encode(before), self.sentences.encode(after));
        let all = Latents::new([known.data(), following.data()].concat(), self.network.latent_size());
        let mut reader = self.reader(true, &all, self.given(&request.given)?.as_ref());
        known.rows().for_each(|row| reader.read(row));
        let around: Vec<&str> = before.iter().chain(after).map(AsRef::as_ref).collect();
        let ahead = |latent: Option<&[f32]>| {
            let mut after = reader.clone();
            latent.into_iter().for_each(|latent| after.read(latent));
            let follow = |row: &[f32]| {
                let nats = after.log_density(row);
                after.read(row);
                nats
            };
            following.rows().take(AHEAD).map(follow).sum::<f64>()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
        let without = ahead(None);
        let gain = |latent: &[f32]| ahead(Some(latent)) - without;
        let (mut written, latent) = self.best(&reader, &Said::new(self, &around), request, &mut rng, &gain)?;
        let mut after = reader.clone();
        after.read(&latent);
        written.end = after.end();
        Ok(written)
    }

    /// The best of the candidates with the latent of its text; `ahead` is how much likelier a latent makes what follows, in nats.
    fn best(
        &self,
        reader: &Reader<'_>,
        said: &Said,
        request: &WriteRequest,
        rng: &mut ChaCha8Rng,
        ahead: &dyn Fn(&[f32]) -> f64,
    ) -> Result<(Written, Vec<f32>), Error> {
        let draws: Vec<f32> =
            (0..request.candidates.max(1)).flat_map(|_| reader.draw(request.temperature, rng)).collect();
        let draws = Latents::new(draws, self.network.latent_size());
        let texts = self.sentences.decode_seeded(&draws, &request.decoding, rng.next_u64())?;
        let latents = self.sentences.encode(&texts);
        let background = self.background();
        let candidates = texts.into_iter().zip(latents.rows()).map(|(text, latent)| {
            let repeats = text.trim().is_empty() || said.has(&self.sentences.tokenizer().encode(&text));
            let gain = reader.log_density(latent) - background.log_density(latent) + ahead(latent);
            (Written { text, gain, repeats, end: 0.0 }, latent.to_vec())
        });
        let better = |a: &Written, b: &Written| b.repeats.cmp(&a.repeats).then(a.gain.total_cmp(&b.gain));
        candidates.max_by(|a, b| better(&a.0, &b.0)).ok_or(Error::NoSentences)
    }
}

/// A text in the making: its next sentences, one after the other.
pub struct Draft<'a> {
    model: &'a DocumentModel,
    reader: Reader<'a>,
    said: Said,
    request: &'a WriteRequest,
    rng: ChaCha8Rng,
    /// Whether the text may end.
    ends: bool,
    over: bool,
}

impl Draft<'_> {
    /// Writes the next sentence and reads it.
    fn write(&mut self) -> Result<Written, Error> {
        let Draft { model, reader, said, request, rng, .. } = self;
        let (mut written, latent) = model.best(reader, said, request, rng, &|_| 0.0)?;
        reader.read(&latent);
        said.add(&model.sentences.tokenizer().encode(&written.text));
        written.end = reader.end();
        self.over = self.ends && self.rng.random::<f64>() < written.end;
        Ok(written)
    }
}

impl Iterator for Draft<'_> {
    type Item = Result<Written, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.over).then(|| self.write())
    }
}

/// What was said so far, as runs of tokens and as whole sentences.
struct Said {
    runs: HashSet<Vec<u32>>,
    sentences: HashSet<Vec<u32>>,
}

impl Said {
    fn new<S: AsRef<str> + Sync>(model: &DocumentModel, sentences: &[S]) -> Self {
        let mut said = Said { runs: HashSet::new(), sentences: HashSet::new() };
        model.sentences.tokenizer().encode_batch(sentences).iter().for_each(|ids| said.add(ids));
        said
    }

    fn add(&mut self, ids: &[u32]) {
        self.runs.extend(ids.windows(RUN).map(<[u32]>::to_vec));
        self.sentences.insert(ids.to_vec());
    }

    /// Whether a sentence repeats what was said, or itself.
    fn has(&self, ids: &[u32]) -> bool {
        let mut own = HashSet::new();
        let shared = ids.windows(RUN).filter(|&run| !own.insert(run) || self.runs.contains(run)).count();
        let runs = (ids.len() + 1).saturating_sub(RUN);
        self.sentences.contains(ids) || shared as f64 > MOST_SHARED * runs as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_told() {
        let mut said = Said { runs: HashSet::new(), sentences: HashSet::new() };
        said.add(&[1, 2, 3, 4, 5, 6, 7, 8]);
        said.add(&[9]);
        assert!(said.has(&[9]) && !said.has(&[1]), "whole sentences, however short");
        assert!(said.has(&[1, 2, 3, 4, 5, 6, 20]) && !said.has(&[1, 2, 3, 20, 21, 22, 23, 24]));
        assert!(said.has(&[30, 31, 30, 31, 30, 31, 30, 31]) && said.has(&[40; 7]), "loops");
        assert!(!said.has(&[50, 51, 52, 53, 54, 55, 50, 51, 52]), "three tokens come again in any sentence");
    }
}

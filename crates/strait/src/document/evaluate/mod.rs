//! How well a document model knows what follows what: sentence ordering, the choice of the next sentence and what it writes,
//! beside baselines that know nothing of order and, if there is one, a language model that knows nothing of levels.

mod flat;
mod given;
mod ordering;
mod writing;

use rand::{RngExt as _, SeedableRng, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_document::Given;
use strait_eval::{TfIdf, Unit};
use strait_evaluate::Progress;
use strait_text::sentences::Document;

use super::{DocumentModel, WriteRequest};
use crate::{Error, Latents, Model};
use flat::Flat;
use ordering::{best_chain, nearest_chain};

pub use given::GivenUse;
pub use ordering::SentenceOrdering;
pub use writing::DocumentWriting;

/// Sentences of a passage at most whose orders are tried by a language model.
const MOST_ORDERED: usize = 12;

type Hear<'a> = &'a mut dyn FnMut(Progress<'_>);

/// What is measured.
#[derive(Debug, Clone)]
pub struct DocumentEvaluationRequest {
    /// Passages whose sentences are put in order, and places at which the next sentence is chosen.
    pub passages: usize,
    /// Sentences in a passage.
    pub length: usize,
    /// Sentences to choose from: the next one, and others from other documents.
    pub choices: usize,
    /// Most sentences before a choice that are read.
    pub context: usize,
    /// Passages after which is written; 0: nothing is.
    pub texts: usize,
    /// Sentences that are written after each.
    pub sentences: usize,
    pub seed: u64,
}

impl Default for DocumentEvaluationRequest {
    fn default() -> Self {
        DocumentEvaluationRequest {
            passages: 200,
            length: 5,
            choices: 10,
            context: 10,
            texts: 20,
            sentences: 10,
            seed: 1,
        }
    }
}

/// How a method chooses the next sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextChoice {
    pub method: &'static str,
    /// Share of the choices that are right, and its standard error.
    pub accuracy: f64,
    pub error: f64,
}

/// The figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentEvaluation {
    pub documents: usize,
    pub sentences: usize,
    pub passages: usize,
    pub length: usize,
    pub choices: usize,
    pub ordering: Vec<SentenceOrdering>,
    pub next: Vec<NextChoice>,
    /// Empty where nothing was written: no text goes on for so many sentences after so many.
    pub writing: Vec<DocumentWriting>,
    /// What documents that are given beside are worth, where there are some.
    pub given: Option<GivenUse>,
}

/// All sentences of the documents, side by side.
struct Corpus<'a> {
    texts: Vec<&'a str>,
    unit: Unit,
    latents: Latents,
    tfidf: TfIdf,
    /// First sentence of each document, and the end of the last.
    starts: Vec<usize>,
    /// What is given beside each document, for a network that attends to it.
    given: Vec<Option<Given>>,
}

impl Corpus<'_> {
    fn documents(&self) -> usize {
        self.starts.len() - 1
    }
    /// The document of a sentence.
    fn document(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at) - 1
    }
    /// The first sentences of all runs of so many within a document.
    fn runs(&self, length: usize) -> Vec<usize> {
        let of = |d: usize| self.starts[d]..(self.starts[d + 1] + 1).saturating_sub(length);
        (0..self.documents()).flat_map(of).collect()
    }
    fn cosine(&self, a: usize, b: usize) -> f64 {
        cosine(self.latents.row(a), self.latents.row(b))
    }
    fn part(&self, indices: &[usize]) -> Latents {
        Latents::new(indices.iter().flat_map(|&i| self.latents.row(i)).copied().collect(), self.latents.dim())
    }
}

impl DocumentModel {
    /// Measures the model on documents that it was not trained on, with a language model beside it if there is one;
    /// `listener` hears how far it is.
    ///
    /// # Errors
    /// If there are fewer than two documents, none with as many sentences as a passage has, or too few sentences to choose
    /// from; if `beside` is no language model, or is to order passages of more than 12 sentences; if documents are given
    /// beside some and the model attends to none.
    pub fn evaluate(
        &self,
        documents: &[Document],
        beside: Option<&mut Model>,
        request: &DocumentEvaluationRequest,
        listener: Hear<'_>,
    ) -> Result<DocumentEvaluation, Error> {
        let texts: Vec<&str> = documents.iter().flat_map(|d| &d.sentences).map(String::as_str).collect();
        let mut starts = vec![0];
        documents.iter().for_each(|d| starts.push(starts[starts.len() - 1] + d.sentences.len()));
        let largest = documents.iter().map(|d| d.sentences.len()).max().unwrap_or(0);
        let enough = documents.len() >= 2 && largest >= request.length && request.length >= 2;
        if !enough || texts.len() - largest + 1 < request.choices || request.choices < 2 || request.passages == 0 {
            return Err(Error::FewDocuments { length: request.length, choices: request.choices });
        }
        if beside.is_some() && request.length > MOST_ORDERED {
            return Err(Error::LongPassages { length: request.length, most: MOST_ORDERED });
        }
        let tfidf = TfIdf::new(&self.sentences.tokenizer().encode_batch(&texts));
        let (latents, unit) = (self.sentences.encode(&texts), Unit::guess(&texts));
        let given = documents.iter().map(|d| self.given(&d.given)).collect::<Result<Vec<_>, _>>()?;
        let corpus = Corpus { texts, unit, latents, tfidf, starts, given };
        let mut flat = beside.map(|model| Flat::new(model, unit)).transpose()?;
        let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
        let ordering = self.ordering(&corpus, flat.as_mut(), (request, &mut *listener), &mut rng)?;
        let next = self.next(&corpus, flat.as_mut(), (request, &mut *listener), &mut rng)?;
        let given = documents.iter().any(|d| !d.given.is_empty()).then(|| self.given_use(&corpus));
        let writing = self.writing((&corpus, documents), flat.as_ref(), (request, listener), &mut rng)?;
        Ok(DocumentEvaluation {
            documents: documents.len(),
            sentences: corpus.texts.len(),
            passages: request.passages,
            length: request.length,
            choices: request.choices,
            ordering,
            next,
            writing,
            given,
        })
    }

    fn ordering(
        &self,
        corpus: &Corpus<'_>,
        mut flat: Option<&mut Flat<'_>>,
        (request, listener): (&DocumentEvaluationRequest, Hear<'_>),
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<SentenceOrdering>, Error> {
        let places = corpus.runs(request.length);
        let methods = ["document model", "neighbouring latents", "neighbouring TF-IDF", "language model"];
        let mut orders: [Vec<Vec<usize>>; 4] = Default::default();
        for done in 0..request.passages {
            listener(Progress { part: "putting sentences in order", done, of: request.passages });
            let first = places[rng.random_range(0..places.len())];
            let mut shuffled: Vec<usize> = (first..first + request.length).collect();
            shuffled.shuffle(rng);
            let chain = |near: &dyn Fn(usize, usize) -> f64| nearest_chain(&shuffled, near);
            let mut found = vec![
                self.order_latents(&corpus.part(&shuffled), corpus.given[corpus.document(first)].as_ref(), false),
                chain(&|a, b| corpus.cosine(a, b)),
                chain(&|a, b| corpus.tfidf.cosine(a, b)),
            ];
            if let Some(flat) = flat.as_deref_mut() {
                let texts: Vec<&str> = shuffled.iter().map(|&i| corpus.texts[i]).collect();
                let gains = flat.gains(&texts)?;
                found.push(best_chain(request.length, &|a, b| gains[a][b]));
            }
            for (orders, order) in orders.iter_mut().zip(found) {
                orders.push(order.into_iter().map(|i| shuffled[i] - first).collect());
            }
        }
        let found = methods.iter().zip(&orders).filter(|(_, orders)| !orders.is_empty());
        let mut out: Vec<SentenceOrdering> =
            found.map(|(method, orders)| ordering::score(method, orders, request.length)).collect();
        out.push(ordering::chance(request.length));
        Ok(out)
    }

    fn next(
        &self,
        corpus: &Corpus<'_>,
        mut flat: Option<&mut Flat<'_>>,
        (request, listener): (&DocumentEvaluationRequest, Hear<'_>),
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<NextChoice>, Error> {
        // Every sentence but a document's first follows something.
        let places: Vec<(usize, usize)> = (0..corpus.documents())
            .flat_map(|d| (corpus.starts[d] + 1..corpus.starts[d + 1]).map(move |i| (d, i)))
            .collect();
        let background = self.background();
        let mut methods = vec!["document model, gain", "document model, density", "nearest latent", "nearest TF-IDF"];
        methods.extend(flat.is_some().then_some("language model, gain"));
        let mut right = vec![0usize; methods.len()];
        for done in 0..request.passages {
            listener(Progress { part: "choosing the next sentence", done, of: request.passages });
            let (document, at) = places[rng.random_range(0..places.len())];
            let own = corpus.starts[document]..corpus.starts[document + 1];
            let mut options = vec![at];
            while options.len() < request.choices {
                let other = rng.random_range(0..corpus.latents.len());
                if !own.contains(&other) && !options.contains(&other) {
                    options.push(other);
                }
            }
            let from = own.start.max(at.saturating_sub(request.context));
            let context: Vec<usize> = (from..at).collect();
            let known = corpus.part(&context);
            let mut reader = self.reader(from == own.start, &known, corpus.given[document].as_ref());
            known.rows().for_each(|row| reader.read(row));
            let row = |i: usize| corpus.latents.row(i);
            let mean = |near: &dyn Fn(usize) -> f64| context.iter().map(|&c| near(c)).sum::<f64>();
            let each = |score: &dyn Fn(usize) -> f64| options.iter().map(|&i| score(i)).collect::<Vec<f64>>();
            let mut scores = vec![
                each(&|i| reader.log_density(row(i)) - background.log_density(row(i))),
                each(&|i| reader.log_density(row(i))),
                each(&|i| mean(&|c| corpus.cosine(c, i))),
                each(&|i| mean(&|c| corpus.tfidf.cosine(c, i))),
            ];
            if let Some(flat) = flat.as_deref_mut() {
                let texts: Vec<&str> = options.iter().map(|&i| corpus.texts[i]).collect();
                scores.push(flat.gains_after(&corpus.texts[from..at], &texts)?);
            }
            for (right, scores) in right.iter_mut().zip(scores) {
                // A draw between equals counts as wrong.
                *right += usize::from(scores[1..].iter().all(|&other| other < scores[0]));
            }
        }
        let n = request.passages as f64;
        let row =
            |method, accuracy: f64| NextChoice { method, accuracy, error: (accuracy * (1.0 - accuracy) / n).sqrt() };
        let mut out: Vec<NextChoice> =
            methods.into_iter().zip(right).map(|(method, right)| row(method, right as f64 / n)).collect();
        out.push(NextChoice { method: "chance", accuracy: 1.0 / request.choices as f64, error: 0.0 });
        Ok(out)
    }

    /// Texts that go on after passages of `context` sentences, of different documents as far as there are such.
    fn writing(
        &self,
        (corpus, documents): (&Corpus<'_>, &[Document]),
        flat: Option<&Flat<'_>>,
        (request, listener): (&DocumentEvaluationRequest, Hear<'_>),
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<DocumentWriting>, Error> {
        let (context, n) = (request.context, request.sentences);
        let mut places = corpus.runs(context + n);
        if places.is_empty() || request.texts < 2 || n == 0 {
            return Ok(Vec::new());
        }
        places.shuffle(rng);
        let mut taken = vec![0; corpus.documents()];
        places.sort_by_cached_key(|&at| {
            let document = corpus.document(at);
            taken[document] += 1;
            taken[document]
        });
        places.truncate(request.texts);
        let of: Vec<usize> = places.iter().map(|&at| corpus.document(at)).collect();
        let part = |from: usize, n: usize| corpus.texts[from..from + n].to_vec();
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<String>>();
        let passages: Vec<Vec<String>> = places.iter().map(|&at| owned(part(at, context))).collect();
        let mut out = Vec::new();
        let mut measure = |method, written: &[Vec<String>]| {
            let texts =
                writing::Texts { passages: &passages, of: &of, written, unit: corpus.unit, choices: request.choices };
            out.push(writing::measure(method, &texts));
        };
        let seeds = (0..places.len() as u64).map(|i| request.seed.wrapping_add(i << 32));
        let mut written = Vec::new();
        for (done, ((passage, &document), seed)) in passages.iter().zip(&of).zip(seeds.clone()).enumerate() {
            listener(Progress { part: "writing after passages", done, of: passages.len() });
            let given = documents[document].given.clone();
            let request = WriteRequest { seed, given, ..WriteRequest::default() };
            written.push(self.continue_text(passage, n, &request)?.into_iter().map(|w| w.text).collect());
        }
        measure("document model", &written);
        if let Some(flat) = flat {
            written.clear();
            for (&at, seed) in places.iter().zip(seeds) {
                written.push(flat.continue_text(&part(at, context), n, seed)?);
            }
            measure("language model", &written);
        }
        measure("what stands there", &places.iter().map(|&at| owned(part(at + context, n))).collect::<Vec<_>>());
        Ok(out)
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f64::MIN_POSITIVE)
}

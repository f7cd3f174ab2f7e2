//! What the routes that write sentences have in common: how candidates are drawn, and how the sentences are awaited.

use std::{
    borrow::Cow,
    task::{Context, Poll, ready},
};

use axum::response::Response;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use strait::{Error, WriteRequest, Written};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

use super::passage::beside;
use crate::{
    app::App,
    models::ServingDocument,
    refusal::Refusal,
    request::{Body, DecodingFields, WithDecoding, check, join, take},
    routes::{
        answer::{ok, one},
        stream::{self, Source, Step, event},
    },
};

/// The events of sentences, for the description.
pub const SENTENCES: &str = "With `stream`: events `sentence` with {index, text, gain, repeats, end}, at the end `done` \
                             with {model, version, n}, or `error`.";

/// How new sentences are drawn.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DrawingFields {
    /// Latents drawn for each sentence, of which the best is kept.
    #[schemars(range(min = 1))]
    candidates: usize,
    /// How far latents are drawn from what is expected: 1 as the model is, below 1 safer, above 1 wilder.
    #[schemars(range(min = 0.0, max = 100.0))]
    spread: f32,
    /// Another seed, other sentences.
    seed: u64,
    /// Texts of documents beside it, for a model that was trained with such.
    given: Vec<String>,
}

impl Default for DrawingFields {
    fn default() -> Self {
        let WriteRequest { candidates, temperature, .. } = WriteRequest::default();
        DrawingFields { candidates, spread: temperature, seed: one(), given: Vec::new() }
    }
}

impl DrawingFields {
    const NAMES: [&str; 4] = ["candidates", "spread", "seed", "given"];
}

/// A request for new sentences: its own fields, and how they are drawn and decoded.
#[derive(Debug)]
pub struct ToWrite<T> {
    pub own: T,
    pub how: How,
}

/// How sentences are drawn and decoded.
#[derive(Debug)]
pub struct How {
    drawing: DrawingFields,
    decoding: DecodingFields,
}

impl<T: DeserializeOwned> Body for ToWrite<T> {
    fn from_fields(mut fields: Map<String, Value>) -> Result<Self, Refusal> {
        let drawing = take(&mut fields, &DrawingFields::NAMES)?;
        let WithDecoding { own, decoding } = WithDecoding::from_fields(fields)?;
        Ok(ToWrite { own, how: How { drawing, decoding } })
    }
}

impl<T: JsonSchema> JsonSchema for ToWrite<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schema = WithDecoding::<T>::json_schema(generator);
        join(schema, &DrawingFields::json_schema(generator))
    }
}

impl How {
    /// How `n` sentences are to be written.
    ///
    /// # Errors
    /// If a field is beyond a limit, or the controls do not go together or with the model.
    pub async fn resolve(self, app: &App, document: &ServingDocument, n: usize) -> Result<WriteRequest, Refusal> {
        let (DrawingFields { candidates, spread, seed, given }, limits) = (self.drawing, app.limits());
        check::count("/n", n, limits.n)?;
        check::count("/candidates", candidates, limits.n)?;
        if n.saturating_mul(candidates) > limits.n {
            let why = format!("{n} sentences of {candidates} candidates each; at most {} candidates in all", limits.n);
            return Err(Refusal::invalid("/n", why));
        }
        check::distance("/spread", spread)?;
        let sentences = document.model.sentence_model();
        let decoding = self.decoding.resolve(sentences, &sentences.config().decoding, limits)?;
        let given = beside(app, document, given).await?;
        Ok(WriteRequest { candidates, temperature: spread, decoding, seed, given })
    }
}

/// Sentences that were written.
#[derive(Serialize, JsonSchema)]
pub struct Sentences {
    model: String,
    version: String,
    sentences: Vec<Sentence>,
}

/// A sentence that was written.
#[derive(Serialize, JsonSchema)]
pub struct Sentence {
    text: String,
    /// How much likelier what precedes (and, in a gap, follows) makes it, in nats.
    gain: f64,
    /// Whether every candidate repeated something that was said.
    repeats: bool,
    /// The probability that the document ends after it.
    end: f64,
}

impl From<Written> for Sentence {
    fn from(Written { text, gain, repeats, end }: Written) -> Self {
        Sentence { text, gain, repeats, end }
    }
}

/// The way back of sentences, each as soon as it is written.
pub type Told = UnboundedSender<Written>;

/// Sentences that are being written on the lane of documents. Dropping it ends that after the sentence at hand.
pub struct Writing {
    model: String,
    version: String,
    written: UnboundedReceiver<Written>,
    finished: oneshot::Receiver<Result<(), Refusal>>,
    made: usize,
}

impl Writing {
    /// Has `work` done in turn.
    ///
    /// # Errors
    /// If too much waits.
    pub fn start(
        app: &App,
        document: &ServingDocument,
        work: impl FnOnce(&Told) -> Result<(), Error> + Send + 'static,
    ) -> Result<Self, Refusal> {
        let (tell, written) = unbounded_channel();
        let work = move || work(&tell).map_err(|e| Refusal::invalid("", e.to_string()));
        let finished = app.lanes.documents.start(work)?;
        let (model, version) = (document.name.clone(), document.version.clone());
        Ok(Writing { model, version, written, finished, made: 0 })
    }

    /// The answer: all sentences together, or with `stream` as events.
    ///
    /// # Errors
    /// If the work fails.
    pub async fn answer(mut self, app: &App, stream: bool) -> Result<Response, Refusal> {
        if stream {
            return Ok(stream::events(app, self));
        }
        let mut sentences = Vec::new();
        while let Some(written) = self.written.recv().await {
            sentences.push(written.into());
        }
        self.finished.await.unwrap_or(Err(Refusal::Stopped))?;
        Ok(ok(&Sentences { model: self.model, version: self.version, sentences }))
    }
}

/// Tells of the sentences of a draft for as long as somebody waits for them.
///
/// # Errors
/// If one cannot be written.
pub fn tell(draft: impl Iterator<Item = Result<Written, Error>>, told: &Told) -> Result<(), Error> {
    for written in draft {
        if told.send(written?).is_err() {
            break;
        }
    }
    Ok(())
}

/// The event of a sentence.
#[derive(Serialize)]
struct Made {
    index: usize,
    #[serde(flatten)]
    sentence: Sentence,
}

/// The last event.
#[derive(Serialize)]
struct Done<'a> {
    model: &'a str,
    version: &'a str,
    n: usize,
}

impl Source for Writing {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        if let Some(written) = ready!(self.written.poll_recv(context)) {
            self.made += 1;
            return Poll::Ready(Step::Made(event(
                "sentence",
                &Made { index: self.made - 1, sentence: written.into() },
            )));
        }
        let finished = ready!(std::pin::Pin::new(&mut self.finished).poll(context));
        Poll::Ready(match finished.unwrap_or(Err(Refusal::Stopped)) {
            Ok(()) => Step::Done(event("done", &Done { model: &self.model, version: &self.version, n: self.made })),
            Err(why) => Step::Failed(why),
        })
    }
}

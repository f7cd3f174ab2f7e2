//! `GET /info` and `GET /v1/models`: what is served.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response, routing::get};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Answer, Route, answer::ok, shape};
use crate::{
    app::App,
    models::{Entry, Serving, ServingDocument},
    texts::{self, Texts},
};

/// Labels told of; more are hardly labels.
const MOST_LABELS: usize = 1000;

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/info",
            method: "get",
            summary: "The models, their figures, and the limits",
            body: None,
            answer: Answer::Json(shape::<Info>),
            handler: || get(info),
        },
        Route {
            path: "/v1/models",
            method: "get",
            summary: "The models, in the common shape",
            body: None,
            answer: Answer::Json(shape::<ModelList>),
            handler: || get(models),
        },
    ]
}

/// The server.
#[derive(Serialize, JsonSchema)]
struct Info {
    /// The program's version.
    strait_version: &'static str,
    models: Vec<ModelInfo>,
    documents: Vec<DocumentInfo>,
    /// What a request may ask for.
    limits: Value,
    /// How requests are worked on together.
    batching: Value,
    /// Whether trainings are shown (see /v1/runs).
    runs: bool,
}

/// A model.
#[derive(Serialize, JsonSchema)]
struct ModelInfo {
    name: String,
    /// Whether it is ready; then `facts` are there.
    ready: bool,
    /// How often its folder was replaced by another model.
    reloads: u64,
    /// Why the folder's present contents are not served, if they are not.
    problem: Option<String>,
    facts: Option<Facts>,
    /// The texts it is served with, if there are some.
    texts: Option<TextsInfo>,
    /// Names of directions and classifiers that it is served with.
    directions: Vec<String>,
    classifiers: Vec<String>,
}

/// Texts of a model.
#[derive(Serialize, JsonSchema)]
struct TextsInfo {
    /// Of the file.
    name: String,
    texts: usize,
    /// How far they are: searching begins when they are encoded, the map comes after.
    state: texts::State,
    /// How many are encoded.
    encoded: usize,
    /// The labels that texts have, once they are encoded; at most a thousand are told.
    labels: Vec<String>,
    /// What went wrong, if something did.
    problem: Option<String>,
}

impl TextsInfo {
    fn of(texts: &Texts) -> Self {
        let labels = texts.collection().ok().and_then(|collection| collection.labelled().ok());
        TextsInfo {
            name: texts.source.name.clone(),
            texts: texts.count,
            state: texts.state(),
            encoded: texts.encoded(),
            labels: labels.map_or(Vec::new(), |(_, labels)| labels.names().iter().take(MOST_LABELS).cloned().collect()),
            problem: texts.problem().map(str::to_owned),
        }
    }
}

/// What a model is.
#[derive(Serialize, JsonSchema)]
struct Facts {
    version: String,
    /// The recipe's name.
    recipe: String,
    language_model: bool,
    /// Whether it writes targets for sources (/v1/generate) and nothing else.
    writes_targets: bool,
    /// Numbers in a latent.
    dimensions: usize,
    weights: usize,
    /// Tokens in the vocabulary.
    vocabulary: usize,
    prior: String,
    /// Records it was trained on, their mean and longest length in tokens.
    records: usize,
    mean_tokens: f64,
    longest_tokens: usize,
    steps: u64,
    /// What was measured after the training, by name.
    figures: BTreeMap<String, f64>,
    /// How it decodes a given latent, and one that was drawn, when nothing is asked.
    decoding: Value,
    sampling: Value,
    /// Where `quality` of /v1/sample runs, the sober end first: figures and controls of each point; null if it was not
    /// measured.
    frontier: Value,
}

impl Facts {
    fn of(serving: &Serving) -> Self {
        let model = &serving.model;
        let config = model.config();
        // Structures of plain numbers always serialise.
        let value = |options| serde_json::to_value(options).unwrap_or_default();
        Facts {
            version: serving.version.clone(),
            recipe: config.recipe.name.clone(),
            language_model: model.is_language_model(),
            writes_targets: model.is_seq2seq(),
            dimensions: model.latent_size(),
            weights: model.weights(),
            vocabulary: config.vocabulary,
            prior: model.prior().describe(),
            records: config.data.train,
            mean_tokens: config.data.mean_tokens,
            longest_tokens: config.data.longest_tokens,
            steps: config.training.steps,
            figures: config.training.figures.clone(),
            decoding: value(&config.decoding),
            sampling: value(&config.sampling),
            frontier: serde_json::to_value(model.frontier().map(|frontier| frontier.along())).unwrap_or_default(),
        }
    }
}

/// A document model.
#[derive(Serialize, JsonSchema)]
struct DocumentInfo {
    name: String,
    /// Whether it is ready; then `facts` are there.
    ready: bool,
    /// How often its folder was replaced by another model.
    reloads: u64,
    /// Why the folder's present contents are not served, if they are not.
    problem: Option<String>,
    facts: Option<DocumentFacts>,
}

/// What a document model is.
#[derive(Serialize, JsonSchema)]
struct DocumentFacts {
    version: String,
    /// Settings of its network, by name.
    settings: Value,
    /// Numbers in a sentence's latent.
    dimensions: usize,
    /// Of the document network, and of the sentence model.
    weights: usize,
    sentence_weights: usize,
    /// Documents and sentences it was trained on.
    documents: usize,
    sentences: usize,
    /// Nats of a sentence of the documents it was validated on.
    valid_nats: f64,
    /// How its sentence model decodes when nothing is asked.
    decoding: Value,
}

impl DocumentFacts {
    fn of(document: &ServingDocument) -> Self {
        let (model, header) = (&document.model, document.model.header());
        let sentences = model.sentence_model();
        DocumentFacts {
            version: document.version.clone(),
            settings: serde_json::to_value(&header.settings).unwrap_or_default(),
            dimensions: sentences.latent_size(),
            weights: model.weights(),
            sentence_weights: sentences.weights(),
            documents: header.documents[0],
            sentences: header.sentences[0],
            valid_nats: header.valid_nats,
            decoding: serde_json::to_value(&sentences.config().decoding).unwrap_or_default(),
        }
    }
}

async fn info(State(app): State<Arc<App>>) -> Response {
    let model = |entry: &Entry<Serving>| {
        let serving = entry.serving();
        ModelInfo {
            name: entry.name.clone(),
            ready: serving.is_some(),
            reloads: entry.meter.reloads.get(),
            problem: entry.problem(),
            facts: serving.as_deref().map(Facts::of),
            texts: serving.as_deref().and_then(|s| s.texts.as_ref()).map(TextsInfo::of),
            directions: serving.as_deref().map_or(Vec::new(), |s| s.directions.names()),
            classifiers: serving.as_deref().map_or(Vec::new(), |s| s.classifiers.names()),
        }
    };
    let document = |entry: &Entry<ServingDocument>| {
        let serving = entry.serving();
        DocumentInfo {
            name: entry.name.clone(),
            ready: serving.is_some(),
            reloads: entry.meter.reloads.get(),
            problem: entry.problem(),
            facts: serving.as_deref().map(DocumentFacts::of),
        }
    };
    ok(&Info {
        strait_version: env!("CARGO_PKG_VERSION"),
        models: app.shelf.entries().iter().map(model).collect(),
        documents: app.shelf.documents().iter().map(document).collect(),
        limits: serde_json::to_value(app.limits()).unwrap_or_default(),
        batching: serde_json::to_value(&app.options.batching).unwrap_or_default(),
        runs: app.options.runs.is_some(),
    })
}

/// A list.
#[derive(Serialize, JsonSchema)]
struct ModelList {
    /// `list`.
    object: &'static str,
    data: Vec<ModelItem>,
}

/// A model of the list.
#[derive(Serialize, JsonSchema)]
struct ModelItem {
    id: String,
    /// `model`.
    object: &'static str,
    /// Seconds since 1970.
    created: u64,
    owned_by: &'static str,
}

/// Models that are ready.
async fn models(State(app): State<Arc<App>>) -> Response {
    let ready = app.shelf.entries().iter().filter_map(Entry::serving);
    let item = |serving: Arc<Serving>| ModelItem {
        id: serving.name.clone(),
        object: "model",
        created: serving.created,
        owned_by: "strait",
    };
    ok(&ModelList { object: "list", data: ready.map(item).collect() })
}

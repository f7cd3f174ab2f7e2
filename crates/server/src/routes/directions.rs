//! `POST /v1/directions` and `POST /v1/directions/learn`: where labels lie.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strait::{Directions, DirectionsRequest};

use super::{
    Answer, Body, Route,
    answer::{ok, one},
    corpus::{Examples, Given, examples, refused},
    learned::Kind,
    shape,
};
use crate::{app::App, refusal::Refusal, request::Plain};

/// What other routes call directions.
pub const DIRECTIONS: Kind<Directions> = Kind { word: "directions", flag: "--directions", read: Directions::read };

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/v1/directions",
            method: "post",
            summary: "The directions that the server was started with",
            body: Some(Body { schema: shape::<ListRequest>, example: r#"{"model": null}"# }),
            answer: Answer::Json(shape::<Sets>),
            handler: || post(list),
        },
        Route {
            path: "/v1/directions/learn",
            method: "post",
            summary: "Directions towards labels, learned from examples of each",
            body: Some(Body {
                schema: shape::<LearnRequest>,
                example: r#"{"examples": {"one": ["one text", "one word", "one day", "one way", "one year"],
                              "two": ["two texts", "two words", "two days", "two ways", "two years"]}}"#,
            }),
            answer: Answer::Json(shape::<LearnedDirections>),
            handler: || post(learn),
        },
    ]
}

/// Of which model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
}

/// Directions.
#[derive(Serialize, JsonSchema)]
struct Sets {
    model: String,
    version: String,
    /// A file each.
    sets: Vec<Set>,
}

/// Directions of one file.
#[derive(Serialize, JsonSchema)]
struct Set {
    /// By which `by` calls it.
    name: String,
    labels: Vec<String>,
    /// What is known of each direction.
    reports: Vec<Report>,
}

/// What is known of a direction.
#[derive(Serialize, JsonSchema)]
struct Report {
    label: String,
    /// Examples of the label.
    texts: usize,
    /// Share of pairs of a text with the label and one without, not used for it, that it puts in the right order; 0.5 is
    /// chance.
    auc: f64,
    /// Standard deviations of the corpus that strength 1 moves by.
    deviations: f64,
    /// Share of its length left after the length of texts was taken out.
    kept: f64,
    /// For each label, its mean probability over the corpus, before and after strength 1.
    effects: Vec<(String, f64, f64)>,
}

fn reports(directions: &Directions) -> Vec<Report> {
    let report = |r: &strait::DirectionReport| Report {
        label: r.label.clone(),
        texts: r.texts,
        auc: r.auc,
        deviations: r.deviations,
        kept: r.kept,
        effects: r.effects.clone(),
    };
    directions.reports().iter().map(report).collect()
}

async fn list(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<ListRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    let set = |(name, directions): (&str, &Arc<Directions>)| Set {
        name: name.to_owned(),
        labels: directions.labels().to_vec(),
        reports: reports(directions),
    };
    let sets = serving.directions.iter().map(set).collect();
    Ok(ok(&Sets { model: serving.name.clone(), version: serving.version.clone(), sets }))
}

/// What directions are learned from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LearnRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Texts by their label, two or more labels, 20 or more texts of each (five at least).
    #[serde(default)]
    examples: Option<Examples>,
    /// Instead: texts, with `labels`; the server's labelled texts if neither is given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Labels of these texts.
    #[serde(default)]
    labels: Option<Vec<Option<String>>>,
    /// Let directions change the length of texts too.
    #[serde(default)]
    with_length: bool,
    /// Decides which texts are left out together.
    #[serde(default = "one")]
    seed: u64,
}

/// Directions that were learned. The server keeps nothing: send `directions` as `by` to use them.
#[derive(Serialize, JsonSchema)]
struct LearnedDirections {
    model: String,
    version: String,
    labels: Vec<String>,
    /// What is known of each direction.
    reports: Vec<Report>,
    /// The directions, as the file of `strait directions` holds them.
    directions: Map<String, Value>,
}

async fn learn(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<LearnRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    let given = Given { texts: asked.texts, labels: asked.labels };
    let (collection, pointer) = match (asked.examples, given.is_some()) {
        (Some(_), true) => return Err(Refusal::invalid("/examples", "there are texts too; send one of the two")),
        (Some(all), false) => (examples(&app, &serving, all).await?, "/examples"),
        (None, _) => (given.collection(&app, &serving).await?, "/texts"),
    };
    let how = DirectionsRequest { keep_length: !asked.with_length, seed: asked.seed, ..DirectionsRequest::default() };
    let work = move || {
        let found = Directions::learn(&collection, &serving.model, &how).map_err(refused(pointer))?;
        Ok(ok(&LearnedDirections {
            model: serving.name.clone(),
            version: serving.version.clone(),
            labels: found.labels().to_vec(),
            reports: reports(&found),
            directions: serde_json::from_slice(&found.to_bytes()).unwrap_or_default(), // it is JSON of ours
        }))
    };
    app.lanes.long.run(work).await
}

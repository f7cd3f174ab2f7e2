//! `POST /v1/dedup`: texts that say the same.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Answer, Body, Route,
    answer::ok,
    corpus::{Given, Row, refused},
    shape,
};
use crate::{app::App, refusal::Refusal, request::Plain};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/dedup",
        method: "post",
        summary: "Groups of near duplicates, and what each threshold would do",
        body: Some(Body {
            schema: shape::<DedupRequest>,
            example: r#"{"threshold": 0.5, "texts": ["one text", "one text", "another"]}"#,
        }),
        answer: Answer::Json(shape::<Duplicates>),
        handler: || post(dedup),
    }]
}

/// Which texts count as the same.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DedupRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Latents at most so far apart are duplicates; if not given, where chance alone would join one text in a thousand
    /// to another.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    threshold: Option<f32>,
    /// The texts; the server's if not given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Labels of these texts.
    #[serde(default)]
    labels: Option<Vec<Option<String>>>,
}

/// The groups.
#[derive(Serialize, JsonSchema)]
struct Duplicates {
    model: String,
    version: String,
    /// The threshold that was used.
    threshold: f32,
    /// The one that the latents speak for, if they tell any.
    suggested: Option<f32>,
    /// How many texts there are, and how many would go if the first of each group stayed.
    texts: usize,
    removed: usize,
    groups: Vec<Vec<Row>>,
    /// What other thresholds would do.
    curve: Vec<Point>,
}

/// What a threshold does.
#[derive(Serialize, JsonSchema)]
struct Point {
    threshold: f32,
    /// Pairs within it.
    pairs: usize,
    groups: usize,
    /// Texts that would go.
    removed: usize,
}

async fn dedup(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<DedupRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    if let Some(threshold) = asked.threshold.filter(|t| !(t.is_finite() && *t >= 0.0)) {
        return Err(Refusal::invalid("/threshold", format!("{threshold}; must be 0 or above")));
    }
    let collection = Given { texts: asked.texts, labels: asked.labels }.collection(&app, &serving).await?;
    let (model, version) = (serving.name.clone(), serving.version.clone());
    let work = move || {
        let found = collection.duplicates(asked.threshold).map_err(refused("/texts"))?;
        let point = |p: &strait::latent::dedup::Point| Point {
            threshold: p.threshold,
            pairs: p.pairs,
            groups: p.groups,
            removed: p.removed,
        };
        Ok(ok(&Duplicates {
            model,
            version,
            threshold: found.threshold,
            suggested: found.suggestion.map(|s| s.threshold),
            texts: collection.len(),
            removed: found.groups.iter().map(|group| group.len() - 1).sum(),
            groups: found.groups.iter().map(|g| g.iter().map(|&row| Row::new(&collection, row)).collect()).collect(),
            curve: found.curve.iter().map(point).collect(),
        }))
    };
    app.lanes.long.run(work).await
}

//! `POST /v1/reconstruct`: texts through the channel and back.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Answer, Body, Route,
    answer::{self, one},
    shape, stream,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{WithDecoding, check},
    work::{Input, Job, Writing},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/reconstruct",
        method: "post",
        summary: "Texts through the latent and back",
        body: Some(Body {
            schema: shape::<WithDecoding<ReconstructRequest>>,
            example: r#"{"texts": ["one text", "another"]}"#,
        }),
        answer: Answer::Stream(shape::<answer::Texts>, stream::TEXTS),
        handler: || post(reconstruct),
    }]
}

/// Texts to go through the channel and back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReconstructRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The texts.
    texts: Vec<String>,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
    /// Send each text as an event as soon as it is made.
    #[serde(default)]
    stream: bool,
}

async fn reconstruct(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<ReconstructRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::texts("/texts", &asked.texts, app.limits())?;
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let writing = Some(Writing { decoding, seed: asked.seed, stream: asked.stream });
    let job = Job { input: Input::Texts(asked.texts), turn: Box::new(Ok), writing };
    answer::texts(&app, &serving, job).await
}

//! `POST /v1/vary`: texts near a text.

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
    answer::{self, five, one},
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
        path: "/v1/vary",
        method: "post",
        summary: "Variations of a text",
        body: Some(Body {
            schema: shape::<WithDecoding<VaryRequest>>,
            example: r#"{"text": "one text", "n": 5, "distance": 0.3}"#,
        }),
        answer: Answer::Stream(shape::<answer::Texts>, stream::TEXTS),
        handler: || post(vary),
    }]
}

/// A text to be varied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VaryRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The text.
    text: String,
    /// How many variations.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    n: usize,
    /// How far to go: 0 is the text's reconstruction, 1 as far away as any other text.
    #[serde(default = "near")]
    #[schemars(range(min = 0.0, max = 100.0))]
    distance: f32,
    /// Another seed, other texts.
    #[serde(default = "one")]
    seed: u64,
    /// Send each text as an event as soon as it is made.
    #[serde(default)]
    stream: bool,
}

fn near() -> f32 {
    0.3
}

async fn vary(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<VaryRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::length("/text", &asked.text, app.limits())?;
    check::count("/n", asked.n, app.limits().n)?;
    let (n, distance, seed) = (asked.n, asked.distance, asked.seed);
    check::distance("/distance", distance)?;
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let writing = Some(Writing { decoding, seed, stream: asked.stream });
    let model = serving.model.clone();
    let turn = Box::new(move |start| model.around(&start, n, distance, seed));
    let job = Job { input: Input::Texts(vec![asked.text]), turn, writing };
    answer::texts(&app, &serving, job).await
}

//! `POST /v1/analogy`: A is to B as C is to what?

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
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{WithDecoding, check},
    work::{Input, Job, Writing},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/analogy",
        method: "post",
        summary: "The text that is to c as b is to a",
        body: Some(Body {
            schema: shape::<WithDecoding<AnalogyRequest>>,
            example: r#"{"a": "one text", "b": "two texts", "c": "one word"}"#,
        }),
        answer: Answer::Json(shape::<answer::Texts>),
        handler: || post(analogy),
    }]
}

/// Three texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AnalogyRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// A text.
    a: String,
    /// What became of it.
    b: String,
    /// The text to change in the same way.
    c: String,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

async fn analogy(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<AnalogyRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    for (pointer, text) in [("/a", &asked.a), ("/b", &asked.b), ("/c", &asked.c)] {
        check::length(pointer, text, app.limits())?;
    }
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let model = serving.model.clone();
    let turn = Box::new(move |rows| model.analogous(&rows));
    let writing = Some(Writing { decoding, seed: asked.seed, stream: false });
    answer::texts(&app, &serving, Job { input: Input::Texts(vec![asked.a, asked.b, asked.c]), turn, writing }).await
}

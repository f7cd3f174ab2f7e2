//! `POST /v1/document/outline`: a new document from a plan that is drawn.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::writing::{SENTENCES, Sentences, ToWrite, Writing, tell};
use crate::{
    app::App,
    refusal::Refusal,
    routes::{Answer, Body, Route, shape},
};

pub fn route() -> Route {
    Route {
        path: "/v1/document/outline",
        method: "post",
        summary: "A new document, from a plan that is drawn",
        body: Some(Body { schema: shape::<ToWrite<OutlineRequest>>, example: r#"{"n": 5, "seed": 3}"# }),
        answer: Answer::Stream(shape::<Sentences>, SENTENCES),
        handler: || post(outline),
    }
}

/// A document to be written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OutlineRequest {
    /// The document model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// At most so many sentences; the document may end before.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1))]
    n: usize,
    /// Send each sentence as an event as soon as it is written.
    #[serde(default)]
    stream: bool,
}

fn twenty() -> usize {
    20
}

async fn outline(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let ToWrite::<OutlineRequest> { own: asked, how } = app.read(request).await?;
    let document = app.shelf.find_document(asked.model.as_deref())?;
    let request = how.resolve(&app, &document, asked.n).await?;
    let served = document.clone();
    let work = move |told: &_| tell(served.model.draft(&request)?.take(asked.n), told);
    Writing::start(&app, &document, work)?.answer(&app, asked.stream).await
}

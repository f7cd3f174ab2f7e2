//! `POST /v1/document/continue`: the next sentences of a text.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    passage,
    writing::{SENTENCES, Sentences, ToWrite, Writing, tell},
};
use crate::{
    app::App,
    refusal::Refusal,
    routes::{Answer, Body, Route, answer::five, shape},
};

pub fn route() -> Route {
    Route {
        path: "/v1/document/continue",
        method: "post",
        summary: "The next sentences of a text",
        body: Some(Body {
            schema: shape::<ToWrite<ContinueRequest>>,
            example: r#"{"text": "It began. It went on for a while.", "n": 2, "seed": 1}"#,
        }),
        answer: Answer::Stream(shape::<Sentences>, SENTENCES),
        handler: || post(go_on),
    }
}

/// A text to be continued.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ContinueRequest {
    /// The document model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The text so far, which is cut into sentences; or `sentences`.
    #[serde(default)]
    text: Option<String>,
    /// Its sentences in order; or a `text`.
    #[serde(default)]
    sentences: Option<Vec<String>>,
    /// How many sentences.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    n: usize,
    /// Send each sentence as an event as soon as it is written.
    #[serde(default)]
    stream: bool,
}

async fn go_on(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let ToWrite::<ContinueRequest> { own: asked, how } = app.read(request).await?;
    let document = app.shelf.find_document(asked.model.as_deref())?;
    let before = passage::whole(&app, (asked.text, asked.sentences), app.limits().texts).await?;
    let request = how.resolve(&app, &document, asked.n).await?;
    let served = document.clone();
    let work = move |told: &_| tell(served.model.draft_after(&before, &request)?.take(asked.n), told);
    Writing::start(&app, &document, work)?.answer(&app, asked.stream).await
}

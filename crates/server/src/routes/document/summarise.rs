//! `POST /v1/document/summarise`: the sentences nearest to what a text is about on the whole.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::passage::{self, Place, places};
use crate::{
    app::App,
    refusal::Refusal,
    request::{WithDecoding, check},
    routes::{Answer, Body, Route, answer::ok, shape},
};

pub fn route() -> Route {
    Route {
        path: "/v1/document/summarise",
        method: "post",
        summary: "The sentences nearest to what a text is about on the whole, in its order",
        body: Some(Body {
            schema: shape::<WithDecoding<SummariseRequest>>,
            example: r#"{"text": "It began. It went on for a while. Then it ended.", "k": 1}"#,
        }),
        answer: Answer::Json(shape::<Summary>),
        handler: || post(summarise),
    }
}

/// A text to be summarised.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SummariseRequest {
    /// The document model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The text, which is cut into sentences; or `sentences`.
    #[serde(default)]
    text: Option<String>,
    /// Its sentences in order; or a `text`.
    #[serde(default)]
    sentences: Option<Vec<String>>,
    /// How many sentences.
    #[serde(default = "three")]
    #[schemars(range(min = 1))]
    k: usize,
}

fn three() -> usize {
    3
}

/// What a text is about.
#[derive(Serialize, JsonSchema)]
struct Summary {
    model: String,
    version: String,
    /// The sentences whose latents are nearest to the mean latent, in the text's order.
    sentences: Vec<Place>,
    /// That mean, decoded.
    centre: String,
}

async fn summarise(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<SummariseRequest> { own: asked, decoding } = app.read(request).await?;
    let document = app.shelf.find_document(asked.model.as_deref())?;
    let limits = app.limits();
    let text = passage::whole(&app, (asked.text, asked.sentences), limits.texts).await?;
    check::count("/k", asked.k, limits.texts)?;
    let model = document.model.sentence_model();
    let decoding = decoding.resolve(model, &model.config().decoding, limits)?;
    let served = document.clone();
    let work = move || {
        let found = served.model.summarise(&text, asked.k, &decoding);
        let found = found.map_err(|e| Refusal::invalid("", e.to_string()))?;
        Ok((places(&text, &found.sentences), found.centre))
    };
    let (sentences, centre) = app.lanes.documents.run(work).await?;
    Ok(ok(&Summary { model: document.name.clone(), version: document.version.clone(), sentences, centre }))
}

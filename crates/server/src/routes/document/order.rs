//! `POST /v1/document/order`: shuffled sentences in their likeliest order.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::passage::{self, Place, beside, places};
use crate::{
    app::App,
    refusal::Refusal,
    request::Plain,
    routes::{Answer, Body, Route, answer::ok, shape},
};

pub fn route() -> Route {
    Route {
        path: "/v1/document/order",
        method: "post",
        summary: "Shuffled sentences in their likeliest order",
        body: Some(Body {
            schema: shape::<OrderRequest>,
            example: r#"{"sentences": ["Then it ended.", "It began.", "It went on."]}"#,
        }),
        answer: Answer::Json(shape::<Ordered>),
        handler: || post(order),
    }
}

/// Sentences to be put in order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OrderRequest {
    /// The document model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The sentences as a text, which is cut into them; or `sentences`.
    #[serde(default)]
    text: Option<String>,
    /// The sentences; or a `text`.
    #[serde(default)]
    sentences: Option<Vec<String>>,
    /// They are a part of a document, not all of it.
    #[serde(default)]
    part: bool,
    /// Texts of documents beside them, for a model that was trained with such.
    #[serde(default)]
    given: Vec<String>,
}

/// Sentences in order.
#[derive(Serialize, JsonSchema)]
struct Ordered {
    model: String,
    version: String,
    /// The likeliest first one first; `index` is the place it was sent at.
    sentences: Vec<Place>,
}

async fn order(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<OrderRequest>(asked) = app.read(request).await?;
    let document = app.shelf.find_document(asked.model.as_deref())?;
    let most = app.limits().order.min(app.limits().texts);
    let sentences = passage::whole(&app, (asked.text, asked.sentences), most).await?;
    let given = beside(&app, &document, asked.given).await?;
    let served = document.clone();
    let work = move || {
        let order = served.model.order(&sentences, &given, !asked.part);
        Ok(places(&sentences, &order.map_err(|e| Refusal::invalid("", e.to_string()))?))
    };
    let sentences = app.lanes.documents.run(work).await?;
    Ok(ok(&Ordered { model: document.name.clone(), version: document.version.clone(), sentences }))
}

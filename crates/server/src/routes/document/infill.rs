//! `POST /v1/document/infill`: the sentence that a text misses.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::Deserialize;
use strait::GAP;

use super::{
    passage::Passage,
    writing::{Sentences, ToWrite, Writing, tell},
};
use crate::{
    app::App,
    refusal::Refusal,
    routes::{Answer, Body, Route, shape},
};

pub fn route() -> Route {
    Route {
        path: "/v1/document/infill",
        method: "post",
        summary: "The sentence that a text misses",
        body: Some(Body {
            schema: shape::<ToWrite<InfillRequest>>,
            example: r#"{"sentences": ["It began.", null, "Then it ended."], "seed": 1}"#,
        }),
        answer: Answer::Json(shape::<Sentences>),
        handler: || post(infill),
    }
}

/// A text with a gap.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InfillRequest {
    /// The document model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The text, which is cut into sentences, with a line `[...]` in the place of the missing one; or `sentences`.
    #[serde(default)]
    text: Option<String>,
    /// Its sentences in order, with one null in the place of the missing one; or a `text`.
    #[serde(default)]
    sentences: Option<Vec<Option<String>>>,
}

async fn infill(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let ToWrite::<InfillRequest> { own: asked, how } = app.read(request).await?;
    let document = app.shelf.find_document(asked.model.as_deref())?;
    let (before, after) = around(&app, (asked.text, asked.sentences)).await?;
    let request = how.resolve(&app, &document, 1).await?;
    let served = document.clone();
    let work = move |told: &_| tell(std::iter::once(served.model.infill(&before, &after, &request)), told);
    Writing::start(&app, &document, work)?.answer(&app, false).await
}

/// The sentences before and after the gap.
async fn around(
    app: &App,
    given: (Option<String>, Option<Vec<Option<String>>>),
) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let (gap, sign) = if given.0.is_some() { (GAP, "line") } else { ("null", "member") };
    let passage = Passage::of(app, given, |sentence| (sentence != GAP).then(|| sentence.to_owned())).await?;
    passage.check(app.limits().texts, app.limits(), |sentence| sentence.as_deref().unwrap_or_default())?;
    let found = passage.sentences.iter().filter(|sentence| sentence.is_none()).count();
    if found != 1 {
        let why = format!("one {sign} {gap} is wanted in the place of the missing sentence, not {found}");
        return Err(Refusal::invalid(passage.pointer, why));
    }
    let mut parts = passage.sentences.split(Option::is_none).map(|part| part.iter().flatten().cloned().collect());
    Ok((parts.next().unwrap_or_default(), parts.next().unwrap_or_default()))
}

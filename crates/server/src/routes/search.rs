//! `POST /v1/search`: the texts nearest to a text.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::Latents;

use super::{
    Answer, Body, Route,
    answer::{ok, ten},
    corpus::{Given, Hit, refused},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/search",
        method: "post",
        summary: "The texts nearest to each query",
        body: Some(Body {
            schema: shape::<SearchRequest>,
            example: r#"{"queries": ["one text"], "k": 2, "texts": ["a text", "another text", "something else"]}"#,
        }),
        answer: Answer::Json(shape::<Found>),
        handler: || post(search),
    }]
}

/// What is looked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Texts to look for.
    #[serde(default)]
    queries: Option<Vec<String>>,
    /// Instead: latents to look for, as /v1/encode gives them.
    #[serde(default)]
    latents: Option<Vec<Vec<f32>>>,
    /// How many to find for each.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    k: usize,
    /// Where to look; the server's texts if not given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Labels of these texts.
    #[serde(default)]
    labels: Option<Vec<Option<String>>>,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
struct Found {
    model: String,
    version: String,
    /// For each query, the nearest first.
    hits: Vec<Vec<Hit>>,
}

async fn search(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<SearchRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_latents()?;
    check::count("/k", asked.k, app.limits().n)?;
    let dim = serving.model.latent_size();
    let queries = match (asked.queries, asked.latents) {
        (Some(queries), None) => {
            serving.needs_encoder()?;
            check::texts("/queries", &queries, app.limits())?;
            Err(queries)
        }
        (None, Some(latents)) => {
            check::latents("/latents", &latents, dim, app.limits())?;
            Ok(Latents::new(latents.concat(), dim))
        }
        (Some(_), Some(_)) => return Err(Refusal::invalid("/latents", "there are queries too; send one of the two")),
        (None, None) => return Err(Refusal::invalid("/queries", "missing field `queries` (or `latents`)")),
    };
    let collection = Given { texts: asked.texts, labels: asked.labels }.collection(&app, &serving).await?;
    let queries = match queries {
        Ok(latents) => latents,
        Err(texts) => serving.desk.encode(texts).await?.into_latents()?,
    };
    let found = app.lanes.quick.run(move || Hit::nearest(&collection, &queries, asked.k).map_err(refused("")));
    let hits = found.await?;
    Ok(ok(&Found { model: serving.name.clone(), version: serving.version.clone(), hits }))
}

//! `POST /v1/similarity`: how alike two texts are.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::Similarity;

use super::{Answer, Body, Route, answer::ok, corpus::refused, shape};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/similarity",
        method: "post",
        summary: "How alike two texts are",
        body: Some(Body { schema: shape::<SimilarityRequest>, example: r#"{"a": "one text", "b": "another"}"# }),
        answer: Answer::Json(shape::<Alike>),
        handler: || post(similarity),
    }]
}

/// Two texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SimilarityRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// A text.
    a: String,
    /// Another one.
    b: String,
}

/// How alike they are.
#[derive(Serialize, JsonSchema)]
struct Alike {
    model: String,
    version: String,
    /// Of the angle between the latents, 1 for the same direction.
    cosine: f64,
    /// Euclidean, of the latents.
    distance: f64,
    /// The distance as a share of the mean distance of two texts that the model draws.
    of_usual: f64,
}

async fn similarity(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<SimilarityRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::length("/a", &asked.a, app.limits())?;
    check::length("/b", &asked.b, app.limits())?;
    let latents = serving.desk.encode(vec![asked.a, asked.b]).await?.into_latents()?;
    let found = Similarity::new(latents.row(0), latents.row(1), Some(serving.usual_distance())).map_err(refused(""))?;
    Ok(ok(&Alike {
        model: serving.name.clone(),
        version: serving.version.clone(),
        cosine: found.cosine,
        distance: found.distance,
        of_usual: found.of_usual.unwrap_or(0.0),
    }))
}

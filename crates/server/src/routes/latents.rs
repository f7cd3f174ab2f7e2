//! `POST /v1/encode` and `POST /v1/decode`: texts to latents, latents to texts.

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
    answer::{self, Usage, ok, one},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, WithDecoding, check},
    work::{Input, Job, Writing},
};

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/v1/encode",
            method: "post",
            summary: "Texts to latents",
            body: Some(Body { schema: shape::<EncodeRequest>, example: r#"{"texts": ["one text", "another"]}"# }),
            answer: Answer::Json(shape::<Encoded>),
            handler: || post(encode),
        },
        Route {
            path: "/v1/decode",
            method: "post",
            summary: "Latents to texts",
            // Latents of any one model are no example for others.
            body: Some(Body { schema: shape::<WithDecoding<DecodeRequest>>, example: r#"{"latents": []}"# }),
            answer: Answer::Json(shape::<answer::Texts>),
            handler: || post(decode),
        },
    ]
}

/// Texts to be encoded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EncodeRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The texts.
    texts: Vec<String>,
}

/// Their latents.
#[derive(Serialize, JsonSchema)]
struct Encoded {
    model: String,
    version: String,
    /// Numbers in a latent.
    dimensions: usize,
    /// A latent for each text, in order.
    latents: Vec<Vec<f32>>,
    usage: Usage,
}

async fn encode(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<EncodeRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::texts("/texts", &asked.texts, app.limits())?;
    let job = Job { input: Input::Texts(asked.texts), turn: Box::new(Ok), writing: None };
    let answer = serving.desk.answer(job).await?;
    let latents = answer.latents.iter().flat_map(Latents::rows).map(<[f32]>::to_vec).collect();
    Ok(ok(&Encoded {
        model: serving.name.clone(),
        version: serving.version.clone(),
        dimensions: serving.model.latent_size(),
        latents,
        usage: Usage { read: answer.read, written: 0 },
    }))
}

/// Latents to be decoded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DecodeRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The latents, as /v1/encode gives them.
    latents: Vec<Vec<f32>>,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

async fn decode(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<DecodeRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_latents()?;
    let dim = serving.model.latent_size();
    check::latents("/latents", &asked.latents, dim, app.limits())?;
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let latents = Latents::new(asked.latents.concat(), dim);
    let writing = Some(Writing { decoding, seed: asked.seed, stream: false });
    let job = Job { input: Input::Nothing, turn: Box::new(move |_| Ok(latents)), writing };
    answer::texts(&app, &serving, job).await
}

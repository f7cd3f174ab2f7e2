//! `POST /v1/complete`: new texts where the map is empty.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Answer, Body, Route,
    answer::{self, ok, one, ten},
    corpus::{Given, kept, refused},
    map::Projection,
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{WithDecoding, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/complete",
        method: "post",
        summary: "New texts for the places where the map is empty",
        body: Some(Body {
            schema: shape::<WithDecoding<CompleteRequest>>,
            example: r#"{"n": 2, "texts": ["one", "two", "three", "four", "five", "six", "seven"]}"#,
        }),
        answer: Answer::Json(shape::<Fillings>),
        handler: || post(complete),
    }]
}

/// What is to be filled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompleteRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// How many texts at most.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    n: usize,
    /// The map of the request's own texts; the server's is the one of /v1/map.
    #[serde(default)]
    projection: Projection,
    /// Another seed, another map of the request's own texts.
    #[serde(default = "one")]
    map_seed: u64,
    /// The texts; the server's if not given.
    #[serde(default)]
    texts: Option<Vec<String>>,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

/// New texts.
#[derive(Serialize, JsonSchema)]
struct Fillings {
    model: String,
    version: String,
    /// The emptiest place first; fewer than `n` where there are not so many, or a known text came out.
    fillings: Vec<Filling>,
    usage: answer::Usage,
}

/// A new text for an empty place.
#[derive(Serialize, JsonSchema)]
struct Filling {
    text: String,
    /// Its x and y on the map.
    place: [f32; 2],
    /// How far it is to the nearest text there, or to the edge.
    radius: f32,
}

async fn complete(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<CompleteRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::count("/n", asked.n, app.limits().n)?;
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let given = Given::texts(asked.texts);
    let drawn = if given.is_some() { None } else { Some(kept(&serving)?.map()?) };
    let collection = given.collection(&app, &serving).await?;
    let texts = collection.clone();
    let lane = if drawn.is_some() { &app.lanes.quick } else { &app.lanes.long };
    let work = move || match drawn {
        Some(drawn) => texts.empty_places(&drawn.layout, asked.n).map_err(refused("/texts")),
        None => {
            let layout = texts.layout(asked.projection.into(), asked.map_seed).map_err(refused("/texts"))?;
            texts.empty_places(&layout, asked.n).map_err(refused("/texts"))
        }
    };
    let (spots, latents) = lane.run(work).await?;
    let written = match latents.is_empty() {
        true => Default::default(),
        false => answer::written(&serving, latents, (decoding, asked.seed)).await?,
    };
    let usage = answer::Usage { read: 0, written: written.texts.iter().map(|t| t.tokens).sum() };
    let found = collection.fillings(&spots, written.texts.into_iter().map(|t| t.text).collect(), asked.n);
    let filling = |f: strait::Filling| Filling { text: f.text, place: f.place, radius: f.radius };
    Ok(ok(&Fillings {
        model: serving.name.clone(),
        version: serving.version.clone(),
        fillings: found.into_iter().map(filling).collect(),
        usage,
    }))
}

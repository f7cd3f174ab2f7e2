//! `POST /v1/sample`: new texts from the prior.

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
    answer::{self, one, ten},
    shape, stream,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{WithDecoding, check},
    work::{Input, Job, Writing},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/sample",
        method: "post",
        summary: "New texts like those of the corpus",
        body: Some(Body { schema: shape::<WithDecoding<SampleRequest>>, example: r#"{"n": 5, "seed": 1}"# }),
        answer: Answer::Stream(shape::<answer::Texts>, stream::TEXTS),
        handler: || post(sample),
    }]
}

/// New texts to be drawn.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SampleRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// How many.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    n: usize,
    /// Another seed, other texts.
    #[serde(default = "one")]
    seed: u64,
    /// From 0, diverse, to 1, sober: a position on the frontier that was measured for the model, in place of temperature and
    /// its kin.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    quality: Option<f64>,
    /// Send each text as an event as soon as it is made.
    #[serde(default)]
    stream: bool,
}

async fn sample(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<SampleRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_draws()?;
    check::count("/n", asked.n, app.limits().n)?;
    let own = match asked.quality {
        Some(quality) => serving.model.sampling_at(quality).map_err(|e| Refusal::invalid("/quality", e.to_string()))?,
        None => serving.model.config().sampling.clone(),
    };
    let decoding = decoding.resolve(&serving.model, &own, app.limits())?;
    let model = serving.model.clone();
    let wanted = decoding.clone();
    let turn = Box::new(move |_| {
        let seed = asked.seed;
        model.take_draws((&mut model.draws(seed), asked.n), (&wanted, 0, seed))
    });
    let writing = Some(Writing { decoding, seed: asked.seed, stream: asked.stream });
    answer::texts(&app, &serving, Job { input: Input::Nothing, turn, writing }).await
}

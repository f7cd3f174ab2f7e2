//! `POST /v1/interpolate`: the texts between two texts.

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
    answer::{self, five, ok, one},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{WithDecoding, check},
    work::{Input, Job, Writing},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/interpolate",
        method: "post",
        summary: "The texts on the way from one text to another",
        body: Some(Body {
            schema: shape::<WithDecoding<InterpolateRequest>>,
            example: r#"{"a": "one text", "b": "another", "steps": 5}"#,
        }),
        answer: Answer::Json(shape::<Way>),
        handler: || post(interpolate),
    }]
}

/// A way to be gone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InterpolateRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Where to begin.
    a: String,
    /// Where to end.
    b: String,
    /// Texts on the way, both ends included.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    steps: usize,
    /// Which way.
    #[serde(default)]
    path: Path,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
}

/// The way between two latents.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Path {
    /// (1 - t) a + t b.
    #[default]
    Straight,
    /// Along the great circle, which keeps the length on the way.
    Spherical,
}

/// The texts on the way.
#[derive(Serialize, JsonSchema)]
struct Way {
    /// Where each text is: 0 is the beginning, 1 the end.
    t: Vec<f64>,
    #[serde(flatten)]
    texts: answer::Texts,
}

async fn interpolate(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<InterpolateRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_encoder()?;
    check::length("/a", &asked.a, app.limits())?;
    check::length("/b", &asked.b, app.limits())?;
    check::count("/steps", asked.steps, app.limits().steps)?;
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    let writing = Some(Writing { decoding, seed: asked.seed, stream: false });
    let (model, steps) = (serving.model.clone(), asked.steps);
    let path = match asked.path {
        Path::Straight => strait::Path::Straight,
        Path::Spherical => strait::Path::Spherical,
    };
    let turn = Box::new(move |ends| model.between(&ends, steps, path));
    let job = Job { input: Input::Texts(vec![asked.a, asked.b]), turn, writing };
    let answer = serving.desk.answer(job).await?;
    let t = (0..steps).map(|i| i as f64 / (steps - 1).max(1) as f64).collect();
    Ok(ok(&Way { t, texts: answer::Texts::new(&serving, answer) }))
}

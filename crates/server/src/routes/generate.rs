//! `POST /v1/generate`: targets for sources.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::{Alignment, Decoding, Generated, Model};

use super::{
    Answer, Body, Route,
    answer::{Usage, ok, one},
    shape,
};
use crate::{
    app::App,
    options::Limits,
    refusal::Refusal,
    request::{WithDecoding, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/generate",
        method: "post",
        summary: "Targets for sources, by a model that was trained on pairs",
        body: Some(Body {
            schema: shape::<WithDecoding<GenerateRequest>>,
            example: r#"{"sources": ["one source", "another"], "n": 2, "explain": true}"#,
        }),
        answer: Answer::Json(shape::<Targets>),
        handler: || post(generate),
    }]
}

/// Sources for which something is to be written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GenerateRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The sources.
    sources: Vec<String>,
    /// How many targets for each: the best of a beam, or, with a temperature, as many draws.
    #[serde(default = "single")]
    #[schemars(range(min = 1))]
    n: usize,
    /// Seed of the draws, with a temperature.
    #[serde(default = "one")]
    seed: u64,
    /// Also tell where the model looked in the source for each token that it wrote.
    #[serde(default)]
    explain: bool,
}

fn single() -> usize {
    1
}

/// What was written.
#[derive(Serialize, JsonSchema)]
struct Targets {
    model: String,
    version: String,
    /// A list for each source, in order.
    targets: Vec<Vec<Target>>,
    usage: Usage,
}

/// A target.
#[derive(Serialize, JsonSchema)]
struct Target {
    text: String,
    /// Whether it ended by itself; false if it was cut at `max_len`.
    finished: bool,
    /// Log probability given the source, in nats, and by what a beam ranks.
    log_probability: f64,
    score: f64,
    /// Where the model looked; null unless that was asked.
    attention: Option<Attention>,
}

/// Where a model looked while it wrote.
#[derive(Serialize, JsonSchema)]
struct Attention {
    /// The source's tokens and its end, as they read.
    source: Vec<String>,
    /// The target's, and its end.
    written: Vec<String>,
    /// For each token of the target a weight for each of the source's; they sum to 1.
    weights: Vec<Vec<f32>>,
}

impl From<Alignment> for Attention {
    fn from(found: Alignment) -> Self {
        Attention { source: found.source, written: found.written, weights: found.weights }
    }
}

async fn generate(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let WithDecoding::<GenerateRequest> { own: asked, decoding } = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    serving.needs_sources()?;
    check::texts("/sources", &asked.sources, app.limits())?;
    let decoding = decoding.resolve(&serving.model, &serving.model.config().decoding, app.limits())?;
    check_number(&asked, &decoding, app.limits())?;
    let (model, sources) = (serving.model.clone(), asked.sources);
    let (n, seed, explain) = (asked.n, asked.seed, asked.explain);
    let work = move || written(&model, &sources, (n, &decoding, seed), explain);
    let (targets, usage) = app.lanes.quick.run(work).await?;
    Ok(ok(&Targets { model: serving.name.clone(), version: serving.version.clone(), targets, usage }))
}

/// Texts that are written at once, and hypotheses of a beam.
fn check_number(asked: &GenerateRequest, decoding: &Decoding, limits: &Limits) -> Result<(), Refusal> {
    check::count("/n", asked.n, limits.n)?;
    let all = asked.n.saturating_mul(asked.sources.len());
    if all > limits.n {
        let why = format!("{} for each of {} sources; at most {} in all", asked.n, asked.sources.len(), limits.n);
        return Err(Refusal::invalid("/n", why));
    }
    let draws = decoding.options.as_ref().is_some_and(|options| options.temperature > 0.0);
    if draws { Ok(()) } else { check::at_most("/n", asked.n, limits.beam) }
}

fn written(
    model: &Model,
    sources: &[String],
    (n, decoding, seed): (usize, &Decoding, u64),
    explain: bool,
) -> Result<(Vec<Vec<Target>>, Usage), Refusal> {
    let refused = |e: strait::Error| Refusal::invalid("", e.to_string());
    let all = model.generate((sources, 0), n, decoding, seed).map_err(refused)?;
    let read = model.source_tokenizer().encode_batch(sources).iter().map(Vec::len).sum();
    let usage = Usage { read, written: all.iter().flatten().map(|target| target.ids.len()).sum() };
    let target = |source: &str, made: Generated| {
        let attention = explain.then(|| model.alignment(source, &made.ids).map(Attention::from)).transpose();
        let Generated { text, finished, log_probability, score, .. } = made;
        Ok(Target { text, finished, log_probability, score, attention: attention.map_err(refused)? })
    };
    let of_one = |(source, made): (&String, Vec<Generated>)| made.into_iter().map(|m| target(source, m)).collect();
    let targets = sources.iter().zip(all).map(of_one).collect::<Result<_, Refusal>>()?;
    Ok((targets, usage))
}

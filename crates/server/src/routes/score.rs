//! `POST /v1/score`: how odd texts are.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strait::{Oddness, PValue, Usual};

use super::{
    Answer, Body, Route,
    answer::{Usage, ok},
    corpus::refused,
    shape,
};
use crate::{
    app::App,
    models::Serving,
    refusal::Refusal,
    request::{Plain, check},
    work::{self, Input, Job},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/score",
        method: "post",
        summary: "How odd texts are: p-values, and what each token costs",
        body: Some(Body { schema: shape::<ScoreRequest>, example: r#"{"texts": ["one text", "another"]}"# }),
        answer: Answer::Json(shape::<Scores>),
        handler: || post(score),
    }]
}

/// Texts to be scored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScoreRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// The texts.
    texts: Vec<String>,
    /// Usual texts that the model was not trained on, a few hundred or more; if not given, those it was validated on.
    #[serde(default)]
    usual: Option<Vec<String>>,
}

/// How odd texts are.
#[derive(Serialize, JsonSchema)]
struct Scores {
    model: String,
    version: String,
    /// Usual texts that the p-values rest on, n: none is below 1 / (n + 1). Null if there are none.
    usual: Option<usize>,
    scores: Vec<Score>,
    usage: Usage,
}

/// How odd a text is.
#[derive(Serialize, JsonSchema)]
struct Score {
    text: String,
    /// Share of usual texts that are as odd or odder, by tokens and latent together; null without usual texts.
    p: Option<f64>,
    /// By the nats of a token, and by the density of the latent.
    p_tokens: Option<f64>,
    p_latent: Option<f64>,
    /// What the text costs given its own latent (a language model: alone), the end included.
    nats: f64,
    nats_per_token: f64,
    /// Log density of its latent under the prior; null where that has none.
    log_density: Option<f64>,
    /// Its tokens as they read and what each costs in nats; empty where the model does not tell tokens apart.
    tokens: Vec<(String, f32)>,
    /// What its end costs.
    end: f32,
}

impl Score {
    fn new((text, odd): (String, Oddness), p: Option<PValue>) -> Self {
        Score {
            text,
            p: p.map(|p| p.p),
            p_tokens: p.map(|p| p.tokens),
            p_latent: p.and_then(|p| p.latent),
            nats: odd.nats,
            nats_per_token: odd.nats_per_token,
            log_density: odd.log_density,
            tokens: odd.tokens,
            end: odd.end,
        }
    }
}

async fn score(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<ScoreRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    if !serving.model.is_language_model() {
        serving.needs_encoder()?;
    }
    check::texts("/texts", &asked.texts, app.limits())?;
    let mut read = 0;
    let usual = match asked.usual {
        None => serving.model.usual().map_err(refused("/usual"))?,
        Some(usual) => {
            check::texts("/usual", &usual, app.limits())?;
            let scored = scored(&serving, usual).await?;
            read += scored.read;
            Some(Usual::new(&scored.odd).map_err(refused("/usual"))?)
        }
    };
    let answer = scored(&serving, asked.texts.clone()).await?;
    let p: Vec<Option<PValue>> = match &usual {
        Some(usual) => usual.p_values(&answer.odd).map_err(refused("/texts"))?.into_iter().map(Some).collect(),
        None => vec![None; answer.odd.len()],
    };
    let scores = asked.texts.into_iter().zip(answer.odd).zip(p).map(|(text, p)| Score::new(text, p)).collect();
    Ok(ok(&Scores {
        model: serving.name.clone(),
        version: serving.version.clone(),
        usual: usual.as_ref().map(Usual::texts),
        scores,
        usage: Usage { read: read + answer.read, written: 0 },
    }))
}

async fn scored(serving: &Serving, texts: Vec<String>) -> Result<work::Answer, Refusal> {
    serving.desk.answer(Job { input: Input::Scored(texts), turn: Box::new(Ok), writing: None }).await
}

//! `POST /v1/topics`: the topics of a model with a bag decoder.

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
    answer::ok,
    corpus::{Given, refused},
    shape,
};
use crate::{
    app::App,
    refusal::Refusal,
    request::{Plain, check},
};

pub fn routes() -> Vec<Route> {
    vec![Route {
        path: "/v1/topics",
        method: "post",
        summary: "The topics of a model with a bag decoder, the largest first",
        body: Some(Body { schema: shape::<TopicsRequest>, example: r#"{"words": 10}"# }),
        answer: Answer::Json(shape::<Topics>),
        handler: || post(topics),
    }]
}

/// What is told of topics.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TopicsRequest {
    /// The model; the first one served if not given.
    #[serde(default)]
    model: Option<String>,
    /// Words of each topic.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    words: usize,
    /// Texts to measure the topics on; the server's if not given. With neither, shares are those of what the model draws.
    #[serde(default)]
    texts: Option<Vec<String>>,
}

fn ten() -> usize {
    10
}

/// All topics, and how good they are together.
#[derive(Serialize, JsonSchema)]
struct Topics {
    model: String,
    version: String,
    /// The largest first.
    topics: Vec<Topic>,
    /// Mean over the topics; null without texts.
    npmi: Option<f64>,
    /// Share of different words among those of all topics.
    diversity: f64,
    /// Texts measured on.
    texts: usize,
}

/// A topic.
#[derive(Serialize, JsonSchema)]
struct Topic {
    /// The dimension of the latent, and its end if it has two.
    topic: String,
    /// Its share of the texts, 0 to 1.
    share: f64,
    /// How far its words belong together in the texts, -1 to 1, about 0 for words that meet by chance; null without texts.
    npmi: Option<f64>,
    /// The most relevant first.
    words: Vec<String>,
}

async fn topics(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let Plain::<TopicsRequest>(asked) = app.read(request).await?;
    let serving = app.shelf.find(asked.model.as_deref())?;
    check::count("/words", asked.words, app.limits().n)?;
    // Refuses a model without topics before texts are encoded.
    serving.model.topics(1).map_err(refused("/model"))?;
    let given = asked.texts.is_some() || serving.texts.is_some();
    let collection = if given { Some(Given::texts(asked.texts).collection(&app, &serving).await?) } else { None };
    let work = move || {
        let report = match &collection {
            Some(collection) => {
                let texts: Vec<String> = collection.records().iter().map(|r| r.text.clone()).collect();
                serving.model.topic_report(&texts, collection.latents(), asked.words)
            }
            None => serving.model.topic_report(&[], &serving.model.encode::<String>(&[]), asked.words),
        };
        let report = report.map_err(refused("/texts"))?;
        let topic = |t: strait::MeasuredTopic| Topic { topic: t.topic, share: t.share, npmi: t.npmi, words: t.words };
        Ok(ok(&Topics {
            model: serving.name.clone(),
            version: serving.version.clone(),
            topics: report.topics.into_iter().map(topic).collect(),
            npmi: report.npmi,
            diversity: report.diversity,
            texts: report.texts,
        }))
    };
    app.lanes.long.run(work).await
}

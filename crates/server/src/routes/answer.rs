//! What routes have in common in their answers.

use axum::{http::StatusCode, response::Response};
use schemars::JsonSchema;
use serde::Serialize;
use strait::{Decoding, Latents};

use super::stream;
use crate::{
    app::App,
    models::Serving,
    refusal::{Refusal, json},
    work::{self, Input, Job, Writing},
};

/// Tokens of a request.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Usage {
    /// Tokens read.
    pub read: usize,
    /// Tokens written.
    pub written: usize,
}

/// Texts that were made.
#[derive(Serialize, JsonSchema)]
pub struct Texts {
    /// The model.
    pub model: String,
    /// Its version: another one may give other texts for the same seed.
    pub version: String,
    /// The texts, in order.
    pub texts: Vec<String>,
    /// Whether each ended by itself; false if it was cut at `max_len`.
    pub finished: Vec<bool>,
    pub usage: Usage,
}

impl Texts {
    pub fn new(serving: &Serving, answer: work::Answer) -> Self {
        let usage = Usage { read: answer.read, written: answer.texts.iter().map(|t| t.tokens).sum() };
        let finished = answer.texts.iter().map(|t| t.finished).collect();
        Texts {
            model: serving.name.clone(),
            version: serving.version.clone(),
            texts: answer.texts.into_iter().map(|t| t.text).collect(),
            finished,
            usage,
        }
    }
}

/// Has the texts of a job made: all together, or as events if its writing streams.
pub async fn texts(app: &App, serving: &Serving, job: Job) -> Result<Response, Refusal> {
    if job.writing.as_ref().is_some_and(|w| w.stream) {
        return stream::texts(app, serving, job);
    }
    Ok(ok(&Texts::new(serving, serving.desk.answer(job).await?)))
}

/// Latents written as texts.
pub async fn written(
    serving: &Serving,
    latents: Latents,
    (decoding, seed): (Decoding, u64),
) -> Result<work::Answer, Refusal> {
    let writing = Some(Writing { decoding, seed, stream: false });
    serving.desk.answer(Job { input: Input::Nothing, turn: Box::new(move |_| Ok(latents)), writing }).await
}

/// A good answer.
pub fn ok(value: &impl Serialize) -> Response {
    json(StatusCode::OK, value)
}

/// The default of `n` where it is a sample.
pub fn ten() -> usize {
    10
}

/// The default of small numbers of texts.
pub fn five() -> usize {
    5
}

/// The default seed, as the command's.
pub fn one() -> u64 {
    1
}

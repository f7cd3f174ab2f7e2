//! `GET /v1/runs` and below: trainings as they go on.

use std::{path::Path, sync::Arc};

use axum::{
    extract::{Path as Place, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Answer, Route, answer::ok, run_stream, shape};
use crate::{
    app::App,
    refusal::Refusal,
    runs::{self, Run, Summary},
};

const HTML: &str = "text/html; charset=utf-8";
/// A report is a page by itself: its scripts may not act as this server's pages do.
const POLICY: &str = "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/v1/runs",
            method: "get",
            summary: "The trainings under the folder of --runs, finished or not",
            body: None,
            answer: Answer::Json(shape::<Runs>),
            handler: || get(list),
        },
        Route {
            path: "/v1/runs/{run}/events/{from}",
            method: "get",
            summary: "Events of a training from a byte on, at first 0; as server-sent events if the client accepts \
                      them, which go on until the training has ended",
            body: None,
            answer: Answer::Json(shape::<RunEvents>),
            handler: || get(events),
        },
        Route {
            path: "/v1/runs/{run}/report",
            method: "get",
            summary: "The page of a training, with its curves, samples and reconstructions so far",
            body: None,
            answer: Answer::Other(HTML),
            handler: || get(report),
        },
    ]
}

/// Trainings.
#[derive(Serialize, JsonSchema)]
struct Runs {
    /// By name.
    runs: Vec<Summary>,
}

async fn list(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let all = app.lanes.quick.run({
        let app = app.clone();
        move || Ok(all(&app)?.iter().map(Run::summary).collect())
    });
    Ok(ok(&Runs { runs: all.await? }))
}

/// Events of a training.
#[derive(Serialize, JsonSchema)]
pub struct RunEvents {
    pub state: runs::State,
    /// The byte at which they begin: 0 instead of what was asked for if the training was begun or taken up again since,
    /// so that what was heard before is void.
    pub from: u64,
    /// As in `metrics.jsonl`.
    pub events: Vec<Value>,
    /// The byte from which to ask on.
    pub next: u64,
    /// Whether more stands there already.
    pub more: bool,
}

impl RunEvents {
    /// Reads the events of a training from a byte on.
    ///
    /// # Errors
    /// If there is no such training, or its files cannot be read.
    pub fn read(app: &App, name: &str, from: u64) -> Result<Self, Refusal> {
        let run = find(app, name)?;
        let found = runs::events(&run.dir, from).map_err(|e| unreadable(&run.dir, &e))?;
        let runs::Events { from, events, next, more } = found;
        Ok(RunEvents { state: run.state, from, events, next, more })
    }
}

async fn events(
    State(app): State<Arc<App>>,
    place: Result<Place<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Place((name, from)) = place.map_err(|e| Refusal::UnknownRun { why: e.body_text() })?;
    let whole = |text: &str| text.parse::<u64>().ok();
    let from = whole(&from).ok_or_else(|| Refusal::invalid("/from", format!("`{from}` is no byte; begin with 0")))?;
    let given = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let streams = given(header::ACCEPT).is_some_and(|accept| accept.contains("text/event-stream"));
    // A browser that lost the stream says what it heard last.
    let from = given(HeaderName::from_static("last-event-id")).and_then(whole).unwrap_or(from);
    let held = app.clone();
    let first = {
        let name = name.clone();
        app.lanes.quick.run(move || RunEvents::read(&held, &name, from)).await?
    };
    Ok(match streams {
        true => run_stream::stream(app, name, first),
        false => ok(&first),
    })
}

async fn report(State(app): State<Arc<App>>, place: Result<Place<String>, PathRejection>) -> Result<Response, Refusal> {
    let Place(name) = place.map_err(|e| Refusal::UnknownRun { why: e.body_text() })?;
    let held = app.clone();
    let work = move || {
        let run = find(&held, &name)?;
        run.report().map_err(|e| unreadable(&run.dir, &e))
    };
    let page = app.lanes.quick.run(work).await?;
    Ok(([(header::CONTENT_TYPE, HTML), (header::CONTENT_SECURITY_POLICY, POLICY)], page).into_response())
}

fn all(app: &App) -> Result<Vec<Run>, Refusal> {
    let none = || Refusal::UnknownRun { why: "this server shows no trainings; start it with --runs DIR".into() };
    let dir = app.options.runs.as_ref().ok_or_else(none)?;
    runs::list(dir).map_err(|e| unreadable(dir, &e))
}

/// The training of a name; only names of the list lead to a folder.
fn find(app: &App, name: &str) -> Result<Run, Refusal> {
    let mut runs = all(app)?;
    let Some(at) = runs.iter().position(|run| run.name == name) else {
        let known: Vec<String> = runs.into_iter().map(|run| run.name).collect();
        let why = format!("there is no training `{name}`; there are: {}", known.join(", "));
        return Err(Refusal::UnknownRun { why });
    };
    Ok(runs.swap_remove(at))
}

/// The folder may be just about to be replaced.
fn unreadable(dir: &Path, e: &std::io::Error) -> Refusal {
    Refusal::UnknownRun { why: format!("{}: cannot be read: {e}; try again", dir.display()) }
}

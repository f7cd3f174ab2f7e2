//! `GET /health` and `GET /metrics`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Route, shape};
use crate::{app::App, metrics::render, models::Entry, refusal::json};

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/health",
            method: "get",
            summary: "Whether all models are ready: 200, or 503 while they load",
            body: None,
            answer: Answer::Json(shape::<Health>),
            handler: || get(health),
        },
        Route {
            path: "/metrics",
            method: "get",
            summary: "Counts for Prometheus",
            body: None,
            answer: Answer::Other(PROMETHEUS),
            handler: || get(metrics),
        },
    ]
}

/// The server's state.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// `ok` or `loading`.
    status: &'static str,
    models: Vec<ModelHealth>,
    /// Document models.
    documents: Vec<ModelHealth>,
}

/// A model's state.
#[derive(Serialize, JsonSchema)]
struct ModelHealth {
    name: String,
    ready: bool,
}

impl ModelHealth {
    fn of<T>(entry: &Entry<T>) -> Self {
        ModelHealth { name: entry.name.clone(), ready: entry.serving().is_some() }
    }
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let ready = app.shelf.is_ready();
    let models = app.shelf.entries().iter().map(ModelHealth::of).collect();
    let documents = app.shelf.documents().iter().map(ModelHealth::of).collect();
    let (status, word) = if ready { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "loading") };
    json(status, &Health { status: word, models, documents })
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let entries = app.shelf.entries().iter();
    let models: Vec<_> = entries.map(|e| (e.name.as_str(), e.serving().is_some(), &*e.meter)).collect();
    let lanes = &app.lanes;
    let lanes = [("quick", &lanes.quick), ("long", &lanes.long), ("documents", &lanes.documents)];
    let lanes = lanes.map(|(name, lane)| (name, &*lane.meter));
    ([(header::CONTENT_TYPE, PROMETHEUS)], render(&app.requests, &models, &lanes)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{ModelPlace, Options};

    #[tokio::test]
    async fn nothing_is_ready_before_the_models_are() {
        let options = Options::new(vec![ModelPlace { name: "late".into(), dir: "nowhere".into() }]);
        let app = App::new(options, Arc::new(|_: &crate::Event| {})).unwrap();
        for (method, path, body, code) in [
            ("GET", "/health", "", "\"status\":\"loading\""),
            ("POST", "/v1/sample", "{}", "model_loading"),
            ("POST", "/v1/encode", r#"{"texts":["a"]}"#, "model_loading"),
        ] {
            let request = axum::http::Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
            let response = app.router().unwrap().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            let retry = response.headers().contains_key(header::RETRY_AFTER);
            let text = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let text = String::from_utf8(text.to_vec()).unwrap();
            assert!(text.contains(code) && (retry || path == "/health"), "{path}: {text}");
        }
    }
}

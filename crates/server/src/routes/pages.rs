//! `GET /`, `GET /docs` and `GET /openapi.json`: for people, and for programs that write clients.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
    routing::get,
};

use super::{Answer, Route, answer::ok};
use crate::{app::App, page};

const HTML: &str = "text/html; charset=utf-8";
/// Pages ask nothing of the network but this server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            path: "/",
            method: "get",
            summary: "The page to work with models",
            body: None,
            answer: Answer::Other(HTML),
            handler: || get(async |headers: HeaderMap| page::INDEX.answer(&headers)),
        },
        Route {
            path: "/docs",
            method: "get",
            summary: "This documentation",
            body: None,
            answer: Answer::Other(HTML),
            handler: || get(docs),
        },
        Route {
            path: "/openapi.json",
            method: "get",
            summary: "All of this as OpenAPI 3.1",
            body: None,
            answer: Answer::Other("application/json"),
            handler: || get(openapi),
        },
    ]
}

fn html(page: String) -> Response {
    ([(header::CONTENT_TYPE, HTML), (header::CONTENT_SECURITY_POLICY, POLICY)], page).into_response()
}

async fn docs(State(app): State<Arc<App>>) -> Response {
    html(page::docs(&app.openapi))
}

async fn openapi(State(app): State<Arc<App>>) -> Response {
    ok(&app.openapi)
}

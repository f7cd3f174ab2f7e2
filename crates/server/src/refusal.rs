//! Every answer that is no success: its status, its code, and what to do.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

/// Why a request is refused or failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("the body is not JSON: {why}, at line {line}, column {column}")]
    Syntax { why: String, line: usize, column: usize },
    #[error("the body broke off: {0}; send it whole")]
    Broken(String),
    #[error("{}: {why}", if pointer.is_empty() { "the body" } else { pointer.as_str() })]
    Invalid { pointer: String, why: String },
    #[error("the body has more than {limit} bytes; send fewer texts in a request")]
    TooLarge { limit: usize },
    #[error("there is no {kind} `{name}`; there {}", if known.len() == 1 { format!("is {}", known[0]) } else { format!("are {}", known.join(", ")) })]
    UnknownModel { kind: &'static str, name: String, known: Vec<String> },
    #[error("the server has no {kind}; start it with {flag} DIR")]
    NoneServed { kind: &'static str, flag: &'static str },
    #[error("there is nothing at {path}; /docs lists what there is")]
    UnknownPath { path: String },
    #[error("{method} is not understood at {path}; use {allowed}")]
    Method { method: String, path: String, allowed: &'static str },
    #[error("an API key is needed; send it as `Authorization: Bearer KEY`")]
    NoKey,
    #[error("the API key is not the right one")]
    WrongKey,
    #[error("{queue} requests are waiting for this model already; try again after the time in Retry-After")]
    QueueFull { queue: usize },
    #[error("the model `{name}` is still loading; try again after the time in Retry-After")]
    Loading { name: String },
    #[error("the texts are being encoded, {encoded} of {of} are; try again after the time in Retry-After")]
    TextsLoading { encoded: usize, of: usize },
    #[error("the map of the texts is being drawn; try again after the time in Retry-After")]
    MapPending,
    #[error("{why}")]
    UnknownRun { why: String },
    #[error("it took longer than {seconds} seconds; ask for less at once, or raise --timeout")]
    Timeout { seconds: f64 },
    #[error("the model failed at this request and goes on with others; please report it with the request's id")]
    Panicked,
    #[error("the model has stopped; try again after the time in Retry-After")]
    Stopped,
}

/// How errors look: the same shape everywhere.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorDetail {
    /// What is wrong, where, and what to do.
    pub message: String,
    /// The kind: `invalid_request_error`, `authentication_error`, `not_found_error`, `rate_limit_error` or
    /// `server_error`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The field, as a JSON pointer into the request's body.
    pub param: Option<String>,
    /// The error's name, for programs.
    pub code: &'static str,
}

impl Refusal {
    /// A field that cannot be as it is.
    pub fn invalid(pointer: impl Into<String>, why: impl Into<String>) -> Self {
        Refusal::Invalid { pointer: pointer.into(), why: why.into() }
    }

    pub fn status(&self) -> StatusCode {
        self.class().0
    }

    pub fn body(&self) -> ErrorBody {
        let (_, kind, code) = self.class();
        let param = match self {
            Refusal::Invalid { pointer, .. } => Some(pointer.clone()),
            Refusal::UnknownModel { .. } | Refusal::NoneServed { .. } => Some("/model".into()),
            Refusal::UnknownRun { .. } => Some("/run".into()),
            _ => None,
        };
        ErrorBody { error: ErrorDetail { message: self.to_string(), kind, param, code } }
    }

    fn class(&self) -> (StatusCode, &'static str, &'static str) {
        const INVALID: &str = "invalid_request_error";
        const SERVER: &str = "server_error";
        match self {
            Refusal::Syntax { .. } => (StatusCode::BAD_REQUEST, INVALID, "malformed_json"),
            Refusal::Broken(_) => (StatusCode::BAD_REQUEST, INVALID, "broken_body"),
            Refusal::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, INVALID, "invalid_value"),
            Refusal::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, INVALID, "body_too_large"),
            Refusal::UnknownModel { .. } | Refusal::NoneServed { .. } => {
                (StatusCode::NOT_FOUND, "not_found_error", "model_not_found")
            }
            Refusal::UnknownPath { .. } => (StatusCode::NOT_FOUND, "not_found_error", "path_not_found"),
            Refusal::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, INVALID, "method_not_allowed"),
            Refusal::NoKey => (StatusCode::UNAUTHORIZED, "authentication_error", "missing_api_key"),
            Refusal::WrongKey => (StatusCode::UNAUTHORIZED, "authentication_error", "invalid_api_key"),
            Refusal::QueueFull { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "queue_full"),
            Refusal::Loading { .. } => (StatusCode::SERVICE_UNAVAILABLE, SERVER, "model_loading"),
            Refusal::TextsLoading { .. } => (StatusCode::SERVICE_UNAVAILABLE, SERVER, "texts_loading"),
            Refusal::MapPending => (StatusCode::SERVICE_UNAVAILABLE, SERVER, "map_pending"),
            Refusal::UnknownRun { .. } => (StatusCode::NOT_FOUND, "not_found_error", "run_not_found"),
            Refusal::Timeout { .. } => (StatusCode::SERVICE_UNAVAILABLE, SERVER, "timeout"),
            Refusal::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, SERVER, "internal_error"),
            Refusal::Stopped => (StatusCode::SERVICE_UNAVAILABLE, SERVER, "model_stopped"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(self.status(), &self.body());
        let headers = response.headers_mut();
        match self {
            Refusal::QueueFull { .. }
            | Refusal::Loading { .. }
            | Refusal::TextsLoading { .. }
            | Refusal::MapPending
            | Refusal::Timeout { .. }
            | Refusal::Stopped => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Refusal::NoKey | Refusal::WrongKey => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Refusal::Method { allowed, .. } => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        response
    }
}

/// A value as a JSON answer.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        // Plain structures of texts and numbers always serialise.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

//! The application: the router, and what every request goes through before and after its route.

use std::{
    future::poll_fn,
    hash::{BuildHasher as _, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use tokio::sync::watch;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    Event, Listener, Options, ServeError, event,
    metrics::Requests,
    models::Shelf,
    openapi,
    options::Limits,
    page,
    refusal::Refusal,
    request::{self, Body},
    routes::{self, Route},
    work::Lanes,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What counts and logs call paths that are no route.
const OTHER: &str = "other";
/// The status that is counted when the client went before the answer.
const CLIENT_GONE: u16 = 499;

/// What the routes share.
pub struct App {
    pub shelf: Arc<Shelf>,
    pub lanes: Arc<Lanes>,
    pub options: Options,
    pub requests: Requests,
    pub openapi: serde_json::Value,
    /// Whether the server is stopping: what would go on for ever ends then.
    pub ending: watch::Sender<bool>,
    listener: Arc<dyn Listener>,
    /// Begins the ids that are given to requests: differs between runs.
    run: u32,
    count: AtomicU64,
}

impl App {
    /// The application of these options; models are not loaded yet.
    ///
    /// # Errors
    /// If the models' names or the origins make no sense.
    pub fn new(options: Options, listener: Arc<dyn Listener>) -> Result<Arc<Self>, ServeError> {
        let lanes = Arc::new(Lanes::new(options.limits.queue).map_err(ServeError::Start)?);
        Ok(Arc::new(App {
            shelf: Arc::new(Shelf::new(&options, lanes.clone(), listener.clone())?),
            lanes,
            openapi: openapi::document(&routes::table()),
            requests: Requests::default(),
            ending: watch::Sender::new(false),
            run: RandomState::new().hash_one(0) as u32,
            count: AtomicU64::new(0),
            options,
            listener,
        }))
    }

    /// The router over it.
    ///
    /// # Errors
    /// If an origin makes no sense.
    pub fn router(self: &Arc<Self>) -> Result<Router, ServeError> {
        let mut router = Router::new();
        for Route { path, method, handler, .. } in routes::table() {
            let refuse = move |request: Request| async move { wrong_method(&request, method) };
            router = router.route(path, handler().fallback(refuse));
        }
        for asset in page::ASSETS {
            router = router.route(asset.path, get(async move |headers: HeaderMap| asset.answer(&headers)));
        }
        let router = router
            .fallback(|request: Request| async move { Refusal::UnknownPath { path: request.uri().path().into() } })
            .layer(middleware::from_fn_with_state(self.clone(), guard))
            .with_state(self.clone());
        Ok(match cors(&self.options.cors)? {
            Some(layer) => router.layer(layer),
            None => router,
        })
    }

    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Reads a request's body.
    ///
    /// # Errors
    /// As [`request::read`].
    pub async fn read<T: Body>(&self, request: Request) -> Result<T, Refusal> {
        request::read(request, self.limits().body_bytes).await
    }

    fn timeout(&self) -> Refusal {
        Refusal::Timeout { seconds: self.limits().seconds }
    }

    /// Requests to `/v1/*` bring the key, if one is asked for.
    fn check_key(&self, request: &Request) -> Result<(), Refusal> {
        let Some(key) = self.options.api_key.as_ref().filter(|_| request.uri().path().starts_with("/v1/")) else {
            return Ok(());
        };
        let header = request.headers().get(header::AUTHORIZATION).ok_or(Refusal::NoKey)?.as_bytes();
        let (scheme, given) = header.split_at_checked(7).ok_or(Refusal::NoKey)?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return Err(Refusal::NoKey);
        }
        if key.is(given.trim_ascii()) { Ok(()) } else { Err(Refusal::WrongKey) }
    }

    /// The client's id if it is a short plain word, or a new one.
    fn id(&self, request: &Request) -> String {
        let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let plain = |id: &&str| {
            (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
        };
        match given.filter(plain) {
            Some(id) => id.into(),
            None => format!("{:08x}-{}", self.run, self.count.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// Around every request: id, key, time limit, panics, counts and the line in the log.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut seen = Seen::new(&app, &request);
    let mut response = match app.check_key(&request) {
        Err(refusal) => refusal.into_response(),
        Ok(()) => match tokio::time::timeout(app.limits().time(), unpanicked(next.run(request))).await {
            Ok(Some(response)) => response,
            Ok(None) => Refusal::Panicked.into_response(),
            Err(_) => app.timeout().into_response(),
        },
    };
    if let Ok(id) = HeaderValue::from_str(&seen.request.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    seen.request.status = response.status().as_u16();
    response
}

/// A request between its arrival and its answer; tells of it at the end, also if the client has gone before.
struct Seen<'a> {
    app: &'a App,
    /// As in the table of routes.
    route: Option<MatchedPath>,
    began: Instant,
    request: event::Request,
}

impl<'a> Seen<'a> {
    fn new(app: &'a App, request: &Request) -> Self {
        let path = request.uri().path();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let request = event::Request {
            id: app.id(request),
            method: request.method().to_string(),
            path: path.into(),
            status: CLIENT_GONE,
            time: Default::default(),
        };
        Seen { app, route, began: Instant::now(), request }
    }
}

impl Drop for Seen<'_> {
    fn drop(&mut self) {
        self.request.time = self.began.elapsed();
        let route = self.route.as_ref().map_or(OTHER, MatchedPath::as_str);
        self.app.requests.answered(route, self.request.status, self.request.time);
        self.app.listener.hear(&Event::Request(self.request.clone()));
    }
}

/// The future's value; `None` if it panicked.
async fn unpanicked<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

fn wrong_method(request: &Request, method: &'static str) -> Refusal {
    let allowed = if method == "get" { "GET, HEAD" } else { "POST" };
    Refusal::Method { method: request.method().to_string(), path: request.uri().path().into(), allowed }
}

fn cors(origins: &[String]) -> Result<Option<CorsLayer>, ServeError> {
    if origins.is_empty() {
        return Ok(None);
    }
    let mut values = Vec::new();
    for origin in origins.iter().filter(|o| *o != "*") {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let plain = host.is_some_and(|h| !h.is_empty() && !h.contains(['/', '?', '#', '@', ' ']));
        let value = HeaderValue::from_str(origin).ok().filter(|_| plain);
        values.push(value.ok_or_else(|| ServeError::Origin(origin.clone()))?);
    }
    let allowed = if values.len() < origins.len() { AllowOrigin::any() } else { AllowOrigin::list(values) };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, REQUEST_ID])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER]);
    Ok(Some(layer))
}

//! What happens in a server, for whoever listens.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Connections are accepted; models may still be loading.
    Listening(SocketAddr),
    /// Others can reach the server, and no key is asked for.
    Open(SocketAddr),
    /// A model is ready.
    Loaded { name: String, dir: PathBuf, version: String },
    /// A replaced model is ready.
    Reloaded { name: String, version: String },
    /// A model's folder changed, but cannot be served; the model that was there still is.
    ReloadFailed { name: String, why: String },
    /// The texts of a model are encoded; they can be searched.
    TextsReady { name: String, texts: usize },
    /// The map of a model's texts is drawn.
    MapReady { name: String },
    /// The texts of a model cannot be encoded or mapped.
    TextsFailed { name: String, why: String },
    /// A request was answered (a stream: begun).
    Request(Request),
    /// The server was asked to stop and finishes what has begun.
    Stopping,
    /// It stopped; so many connections were cut.
    Stopped { cut: usize },
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub struct Request {
    /// As in the `x-request-id` header.
    pub id: String,
    pub method: String,
    /// Without its query.
    pub path: String,
    /// 499 if the client went before the answer.
    pub status: u16,
    /// To the answer, or to the beginning of a stream.
    pub time: Duration,
}

/// Hears what happens. Any thread may call it, so it should return soon.
pub trait Listener: Send + Sync {
    /// Something happened.
    fn hear(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Listener for F {
    fn hear(&self, event: &Event) {
        self(event);
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Listening(address) => write!(f, "Listening on http://{address}"),
            Event::Open(address) => write!(
                f,
                "Warning: others can reach {address}, and no API key is asked for; set one with --api-key-file or \
                 STRAIT_API_KEY"
            ),
            Event::Loaded { name, dir, version } => {
                write!(f, "Model {name} is ready ({}, version {version})", dir.display())
            }
            Event::Reloaded { name, version } => write!(f, "Model {name} was replaced by version {version}"),
            Event::ReloadFailed { name, why } => {
                write!(f, "Model {name} changed but cannot be read, the old one stays: {why}")
            }
            Event::TextsReady { name, texts } => write!(f, "The {texts} texts of model {name} can be searched"),
            Event::MapReady { name } => write!(f, "The texts of model {name} are mapped"),
            Event::TextsFailed { name, why } => write!(f, "The texts of model {name} are not ready: {why}"),
            Event::Request(r) => {
                let ms = r.time.as_secs_f64() * 1e3;
                write!(f, "{} {} {} {ms:.1} ms {}", r.method, r.path, r.status, r.id)
            }
            Event::Stopping => write!(f, "Stopping; what has begun is finished (once more: at once)"),
            Event::Stopped { cut: 0 } => write!(f, "Stopped"),
            Event::Stopped { cut } => write!(f, "Stopped; {cut} connections were cut before their end"),
        }
    }
}

//! Strait models over HTTP.
//!
//! ```no_run
//! use std::sync::Arc;
//! use strait_server::{ModelPlace, Options, Server};
//!
//! let mut options = Options::new(vec![ModelPlace::new("reviews.strait")]);
//! options.port = 0;
//! let server = Server::start(options, Arc::new(|event: &strait_server::Event| drop(event.to_string())))?;
//! let address = server.address();
//! server.stop();
//! server.wait()?;
//! # Ok::<(), strait_server::ServeError>(())
//! ```
//!
//! A request is read and checked in `request/`, answered by a file of `routes/` (one table of routes makes the router,
//! the OpenAPI document and the documentation page), and worked on in `work/`, where one thread for each model takes
//! rows of all clients together, and where lanes of their own take the work on plain matrices and on documents. `texts/`
//! holds the texts that are searched and mapped, `runs/` reads trainings. All state is files that were there before, so
//! that a server that was killed starts again as it was. Nothing here prints: a [`Listener`] hears what happens.

mod app;
mod base64;
mod connections;
mod error;
mod event;
mod metrics;
mod models;
mod openapi;
mod options;
mod page;
mod refusal;
mod request;
mod routes;
mod runs;
mod server;
mod texts;
mod work;

pub use error::ServeError;
pub use event::{Event, Listener};
pub use options::{ApiKey, Batching, LearnedPlace, Limits, ModelPlace, Options, TextsPlace};
pub use server::{Server, router, run};

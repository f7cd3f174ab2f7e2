//! Why a server does not start, or ends.

use std::{io, path::PathBuf};

/// An error of the server as a whole; errors of single requests are answers.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nothing to serve.
    #[error("no model to serve; name one with -m DIR, or a document model with --document DIR")]
    NoModels,
    /// Two models of one name.
    #[error("two models are called `{0}`; give one another name with -m NAME=DIR or --document NAME=DIR")]
    SameName(String),
    /// Something for a model that is not served.
    #[error("{}: there is no model `{model}` to use it with; name one of -m, as in {flag} NAME=FILE", file.display())]
    NoSuchModel { model: String, file: PathBuf, flag: &'static str },
    /// Something for a model where there are document models only.
    #[error("{}: there is no model to use it with ({flag} is not for document models); name one with -m DIR", file.display())]
    NoModelFor { file: PathBuf, flag: &'static str },
    /// A folder that is no document model.
    #[error("{}: not a document model (--document); make one with `strait document train`", .0.display())]
    NoDocumentModel(PathBuf),
    /// Two of a kind where there can be one, or two of one name.
    #[error("{}: {why}", file.display())]
    Twice { file: PathBuf, why: String },
    /// A model that cannot be read.
    #[error(transparent)]
    Model(#[from] strait::Error),
    /// The address is not to be had.
    #[error("cannot listen on {host}:{port}: {source}; choose others with --host and --port (0 takes any free port)")]
    Listen { host: String, port: u16, source: io::Error },
    /// No origin.
    #[error("`{0}` is not an origin; one is `*` or looks like `https://example.org`")]
    Origin(String),
    /// The system refused threads or timers.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// The key's file.
    #[error("{}: {why}; the API key is the first line of the file", file.display())]
    KeyFile { file: PathBuf, why: String },
    /// It panicked.
    #[error("the server ended unexpectedly; the line before says where")]
    Ended,
}

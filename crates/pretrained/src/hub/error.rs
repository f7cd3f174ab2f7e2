//! Why a model cannot be had by its name.

use std::{io, path::PathBuf};

/// Why a model cannot be had by its name; every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Not a name.
    #[error(
        "{name}: {why}; a model on the hub is hf:OWNER/NAME or hf:OWNER/NAME@REVISION, a folder is given by its path"
    )]
    Name {
        /// As it was given.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A build without the feature.
    #[error(
        "{0}: this names a model on the hub, and this program was built to read folders only; install it again with `cargo \
         install --path crates/cli --features hub`, or fetch the model's folder yourself and give its path"
    )]
    NotBuilt(String),
    /// A name on the hub where a trained model is wanted.
    #[error(
        "{0}: this names a published encoder or decoder, and a model made by `strait train` is wanted here; published encoders \
         only encode (encode, index, search, dedup, cluster, map, classify, similarity), published decoders sample and score"
    )]
    NotTrained(String),
    /// An encoder for a decoder, or the other way round.
    #[error("{name}: a published {} ({}), which is not what is wanted here", if family.is_encoder() { "encoder" } else { "language model" }, family.name())]
    OtherKind {
        /// The model.
        name: String,
        /// Its kind.
        family: crate::Family,
    },
    /// A variable of the environment.
    #[error("the variable {variable} is {value:?}, which is not {wanted}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What it should.
        wanted: &'static str,
    },
    /// 404, or 401 to everyone who may not know of it.
    #[error(
        "{name}: there is no such model at {server}, or it is private: check the name; for a private one set HF_TOKEN to a token \
         that may read it"
    )]
    NoModel {
        /// The model.
        name: String,
        /// Who says so.
        server: String,
    },
    /// No such branch, tag or commit.
    #[error("{name}: the model is at {server}, but not this revision of it")]
    NoRevision {
        /// The model.
        name: String,
        /// Who says so.
        server: String,
    },
    /// 401 or 403.
    #[error("{name}: {server} does not let us read it: {}", denied(*.gated, *.token))]
    Denied {
        /// The model.
        name: String,
        /// Who says so.
        server: String,
        /// Whether its owners ask for consent first.
        gated: bool,
        /// Whether a token was sent.
        token: bool,
    },
    /// A file that the model cannot be without.
    #[error("{name}: it has no file {file}, so it is not a model that is read here")]
    NoFile {
        /// The model.
        name: String,
        /// The file.
        file: String,
    },
    /// Weights as a program only.
    #[error(
        "{name}: its weights are a pickle only ({file}), which may run any program when it is opened and is never fetched or \
         opened here; take a model or a revision with model.safetensors, or make a folder of it where you trust the \
         pickle: `model.save_pretrained(DIR, safe_serialization=True)`"
    )]
    Pickle {
        /// The model.
        name: String,
        /// The file.
        file: String,
    },
    /// No answer.
    #[error(
        "{name}: {server} cannot be reached ({why}), and the model is not whole in {}; check the network (HF_ENDPOINT, HTTPS_PROXY), \
         or give the path of its folder",
        cache.display()
    )]
    Unreachable {
        /// The model.
        name: String,
        /// Who was asked.
        server: String,
        /// The network's word.
        why: String,
        /// Where it was looked for first.
        cache: PathBuf,
    },
    /// Nobody is to be asked.
    #[error("{name}: it is not whole in {}, and HF_HUB_OFFLINE says to fetch nothing; unset it once", cache.display())]
    Offline {
        /// The model.
        name: String,
        /// Where it was looked for.
        cache: PathBuf,
    },
    /// An answer that is none.
    #[error("{name}: {server} answered {what} when asked for {file}; try again later, or another HF_ENDPOINT")]
    Answer {
        /// The model.
        name: String,
        /// Who answered.
        server: String,
        /// What was asked for.
        file: String,
        /// What is wrong with the answer.
        what: String,
    },
    /// The connection ended too early.
    #[error("{name}: {file} broke off after {got} bytes{} ({why}); the same command goes on from there", in_all(*.of))]
    Cut {
        /// The model.
        name: String,
        /// The file.
        file: String,
        /// Bytes that are there.
        got: u64,
        /// Bytes that it has.
        of: Option<u64>,
        /// The network's word.
        why: String,
    },
    /// Other bytes than the server promised.
    #[error("{name}: {file} arrived damaged ({why}) and was thrown away; try again")]
    Damaged {
        /// The model.
        name: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The disk is full.
    #[error(
        "{}: no space is left on the disk for {file}{}; make room, or set HF_HOME to a folder on another disk",
        path.display(),
        in_all(*.of)
    )]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// The file.
        file: String,
        /// Bytes that it has.
        of: Option<u64>,
    },
    /// The system refused.
    #[error("{}: cannot {what}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The model is there and is none that is read.
    #[error("{name}: {source}")]
    Folder {
        /// The model.
        name: String,
        /// What is wrong in its folder.
        source: Box<crate::Error>,
    },
}

fn denied(gated: bool, token: bool) -> &'static str {
    match (gated, token) {
        (true, false) => {
            "its owners ask for consent; give it on the model's page, and set HF_TOKEN to a token of yours"
        }
        (true, true) => {
            "its owners ask for consent; give it on the model's page with the account that HF_TOKEN belongs to"
        }
        (false, false) => "set HF_TOKEN to a token that may read it",
        (false, true) => "the token in HF_TOKEN (or in the cache's file `token`) is not accepted or may not read it",
    }
}

fn in_all(bytes: Option<u64>) -> String {
    bytes.map_or(String::new(), |n| format!(" of {n}"))
}

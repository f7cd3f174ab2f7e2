//! What is served, where, and within which limits.

use std::{path::PathBuf, time::Duration};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use strait::text::ReadOptions;
use subtle::ConstantTimeEq as _;

/// Everything a server needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// The models; the first one answers requests that name none.
    pub models: Vec<ModelPlace>,
    /// Document models; the first one answers requests for documents that name none.
    pub documents: Vec<ModelPlace>,
    /// Texts that are searched, grouped and mapped: at most one file or index a model.
    pub texts: Vec<TextsPlace>,
    /// Directions that `strait directions` has learned.
    pub directions: Vec<LearnedPlace>,
    /// Classifiers that `strait classify` has learned.
    pub classifiers: Vec<LearnedPlace>,
    /// Where trainings are shown from: a folder of model folders and unfinished trainings.
    pub runs: Option<PathBuf>,
    /// Address to listen on, a name or a number.
    pub host: String,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// The key that requests to `/v1/*` must bring; `None` asks for none.
    pub api_key: Option<ApiKey>,
    /// Origins whose pages may read answers (`*` for all); none by default.
    pub cors: Vec<String>,
    /// What a request may ask for.
    pub limits: Limits,
    /// How requests are worked on together.
    pub batching: Batching,
    /// How long what has begun may go on after the server was asked to stop.
    pub grace: Duration,
    /// Time between two looks for replaced model folders.
    pub poll: Duration,
}

/// A model folder and the name under which it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPlace {
    /// As requests call it.
    pub name: String,
    /// As `strait train` (or `strait document train`) made it.
    pub dir: PathBuf,
}

/// Texts for a model.
#[derive(Debug, Clone, PartialEq)]
pub struct TextsPlace {
    /// The model's name; the first one if not given.
    pub model: Option<String>,
    /// A file of texts, or a folder that `strait index` made.
    pub path: PathBuf,
    /// How the file is read.
    pub read: ReadOptions,
}

/// A file of something learned for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedPlace {
    /// The model's name; the first one if not given.
    pub model: Option<String>,
    pub path: PathBuf,
}

/// What a request may ask for.
#[derive(Debug, Clone, Serialize)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Texts, latents or token lists in a request; sentences of a document.
    pub texts: usize,
    /// Characters of a text, a prefix or a banned phrase; tokens of a token list.
    pub chars: usize,
    /// Texts that may be asked for; candidates of all sentences to be written.
    pub n: usize,
    /// Steps of a way.
    pub steps: usize,
    /// Sentences that are put in order, which takes the square of them.
    pub order: usize,
    /// Hypotheses of a beam search.
    pub beam: usize,
    /// Tokens of a text that is made.
    pub max_len: usize,
    /// Banned phrases.
    pub ban: usize,
    /// Requests at work or waiting for one model, or on one lane of work on plain matrices.
    pub queue: usize,
    /// Open connections; more wait to be accepted.
    pub connections: usize,
    /// Seconds that a request may take.
    pub seconds: f64,
}

/// How the rows of several requests are worked on together.
#[derive(Debug, Clone, Serialize)]
pub struct Batching {
    /// Whether they are; if not, a request has the model to itself for its turn.
    pub merge: bool,
    /// Tokens worked on at once: those read, or the most that may be written.
    pub tokens: usize,
    /// Milliseconds to wait for as many requests as the last batch had; a single client never waits.
    pub window_ms: u64,
}

/// A key, kept as its SHA-256 and compared in constant time.
#[derive(Clone)]
pub struct ApiKey([u8; 32]);

impl Options {
    /// Listens on 127.0.0.1:8017, without a key.
    pub fn new(models: Vec<ModelPlace>) -> Self {
        Options {
            models,
            documents: Vec::new(),
            texts: Vec::new(),
            directions: Vec::new(),
            classifiers: Vec::new(),
            runs: None,
            host: "127.0.0.1".into(),
            port: 8017,
            api_key: None,
            cors: Vec::new(),
            limits: Limits::default(),
            batching: Batching::default(),
            grace: Duration::from_secs(20),
            poll: Duration::from_secs(1),
        }
    }
}

impl ModelPlace {
    /// A folder under its own name, without `.strait`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        // `.` and `..` have no name of their own.
        let whole = dir.canonicalize().unwrap_or_else(|_| dir.clone());
        let name = whole.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
        ModelPlace { name: name.strip_suffix(".strait").unwrap_or(&name).to_owned(), dir }
    }
}

impl LearnedPlace {
    /// As requests call it: the file's name without its endings.
    pub fn name(&self) -> String {
        let name = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let name = name.strip_suffix(".json").unwrap_or(&name);
        let ends = [".directions", ".classifier"];
        ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 8 << 20,
            texts: 1024,
            chars: 10_000,
            n: 1024,
            steps: 256,
            order: 256,
            beam: 32,
            max_len: 1024,
            ban: 64,
            queue: 256,
            connections: 1024,
            seconds: 60.0,
        }
    }
}

impl Limits {
    pub(crate) fn time(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::MAX)
    }
}

impl Default for Batching {
    fn default() -> Self {
        Batching { merge: true, tokens: 4096, window_ms: 2 }
    }
}

impl ApiKey {
    /// Keeps a key.
    pub fn new(key: &str) -> Self {
        ApiKey(Sha256::digest(key.as_bytes()).into())
    }

    /// Whether `key` is the same, in a time that does not tell how much of it is.
    pub fn is(&self, key: &[u8]) -> bool {
        let other: [u8; 32] = Sha256::digest(key).into();
        self.0.ct_eq(&other).into()
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_name() {
        assert_eq!(ModelPlace::new("a/reviews.strait").name, "reviews");
        assert_eq!(ModelPlace::new("model").name, "model");
        assert!(!ModelPlace::new(".").name.is_empty());
    }

    #[test]
    fn something_learned_is_called_by_its_file() {
        let name = |path: &str| LearnedPlace { model: None, path: path.into() }.name();
        assert_eq!(name("a/mood.directions.json"), "mood");
        assert_eq!(name("mood.classifier.json"), "mood");
        assert_eq!((name("mood.v2.json"), name("mood")), ("mood.v2".into(), "mood".into()));
    }

    #[test]
    fn a_key_is_itself_only_and_is_not_shown() {
        let key = ApiKey::new("secret");
        assert!(key.is(b"secret") && !key.is(b"secre") && !key.is(b"secret ") && !key.is(b""));
        assert_eq!(format!("{key:?}"), "ApiKey");
    }
}

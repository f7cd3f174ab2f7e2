//! The models that are served, and what becomes of them when their folders are replaced.

mod beside;
mod document;
mod entry;
mod stamp;
mod watch;

use std::{
    sync::{Arc, OnceLock},
    thread,
    time::UNIX_EPOCH,
};

use strait::{Classifier, Directions, Model};

use crate::{
    Event, Listener, Options, ServeError,
    options::Batching,
    refusal::Refusal,
    texts::{self, Axes, Texts},
    work::{Desk, Engines, Lanes},
};
use beside::Beside;
pub use beside::Learned;
pub use document::ServingDocument;
pub use entry::Entry;
use entry::Served;
use stamp::Stamp;
pub use watch::Watch;

/// All models, in the order given; the first one answers requests that name none.
pub struct Shelf {
    entries: Vec<Entry<Serving>>,
    documents: Vec<Entry<ServingDocument>>,
    batching: Batching,
    queue: usize,
    lanes: Arc<Lanes>,
    listener: Arc<dyn Listener>,
}

/// A model at work.
pub struct Serving {
    pub name: String,
    pub model: Arc<Model>,
    /// The beginning of the checksum of its config.json.
    pub version: String,
    /// When config.json was written, in seconds since 1970.
    pub created: u64,
    pub desk: Desk,
    /// Texts to search and map.
    pub texts: Option<Texts>,
    pub directions: Learned<Directions>,
    pub classifiers: Learned<Classifier>,
    usual_distance: OnceLock<f64>,
    /// The principal axes, once they were asked for.
    pub axes: OnceLock<Arc<Axes>>,
}

impl Served for Serving {
    const MARKER: &str = "config.json";

    fn version(&self) -> &str {
        &self.version
    }
}

impl Shelf {
    /// Places for models; nothing is read yet.
    ///
    /// # Errors
    /// If there are none, or two of one name, or something is meant for a model that is not there.
    pub fn new(options: &Options, lanes: Arc<Lanes>, listener: Arc<dyn Listener>) -> Result<Self, ServeError> {
        if options.models.is_empty() && options.documents.is_empty() {
            return Err(ServeError::NoModels);
        }
        entry::names_differ(options.models.iter().chain(&options.documents))?;
        let beside = Beside::deal(options)?;
        Ok(Shelf {
            entries: options.models.iter().zip(beside).map(|(place, beside)| Entry::new(place, beside)).collect(),
            documents: options.documents.iter().map(|place| Entry::new(place, Beside::default())).collect(),
            batching: options.batching.clone(),
            queue: options.limits.queue,
            lanes,
            listener,
        })
    }

    pub fn entries(&self) -> &[Entry<Serving>] {
        &self.entries
    }

    /// The document models.
    pub fn documents(&self) -> &[Entry<ServingDocument>] {
        &self.documents
    }

    /// The model of this name, or the first one.
    ///
    /// # Errors
    /// If there is none, or it is not ready.
    pub fn find(&self, name: Option<&str>) -> Result<Arc<Serving>, Refusal> {
        find(&self.entries, name, ("model", "-m"))
    }

    /// The document model of this name, or the first one.
    ///
    /// # Errors
    /// As [`Shelf::find`].
    pub fn find_document(&self, name: Option<&str>) -> Result<Arc<ServingDocument>, Refusal> {
        find(&self.documents, name, ("document model", "--document"))
    }

    /// Whether all are ready.
    pub fn is_ready(&self) -> bool {
        let documents = self.documents.iter().all(|e| e.serving().is_some());
        documents && self.entries.iter().all(|e| e.serving().is_some())
    }

    /// Reads all models, one after the other.
    ///
    /// # Errors
    /// At the first one that cannot be read.
    pub fn load(&self) -> Result<(), ServeError> {
        for entry in &self.entries {
            self.loaded(entry, self.read(entry)?);
        }
        for entry in &self.documents {
            self.loaded(entry, Arc::new(ServingDocument::read(entry)?));
        }
        Ok(())
    }

    fn loaded<T: Served>(&self, entry: &Entry<T>, served: Arc<T>) {
        let (name, dir, version) = (entry.name.clone(), entry.dir.clone(), served.version().to_owned());
        entry.put(served);
        self.listener.hear(&Event::Loaded { name, dir, version });
    }

    /// Reads what is in a model's folder beside what is served. Requests that have begun end with the model they began
    /// with.
    fn read(&self, entry: &Entry<Serving>) -> Result<Arc<Serving>, ServeError> {
        let written = std::fs::metadata(entry.dir.join(Serving::MARKER)).and_then(|m| m.modified());
        let created = written.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs());
        let model = Arc::new(Model::open(&entry.dir)?);
        let (texts, corpus) = entry.beside.texts(&model)?;
        let (directions, classifiers) = (entry.beside.directions(&model)?, entry.beside.classifiers(&model)?);
        let engines = Arc::new(Engines::new(model.clone()));
        let desk = Desk::open(engines, self.batching.clone(), self.queue, entry.meter.clone());
        let serving = Arc::new(Serving {
            name: entry.name.clone(),
            version: version_of(&model.config().checksum),
            created,
            desk: desk.map_err(ServeError::Start)?,
            model,
            texts,
            directions,
            classifiers,
            usual_distance: OnceLock::new(),
            axes: OnceLock::new(),
        });
        if serving.texts.is_some() {
            let (weak, lanes, listener) = (Arc::downgrade(&serving), self.lanes.clone(), self.listener.clone());
            let prepare = move || texts::prepare(&weak, corpus, &lanes, &*listener);
            thread::Builder::new().name("strait-texts".into()).spawn(prepare).map_err(ServeError::Start)?;
        }
        Ok(serving)
    }

    /// A folder was replaced: takes over what was read from it, or says why not.
    fn reloaded<T: Served>(&self, entry: &Entry<T>, read: Result<Arc<T>, ServeError>) {
        let name = entry.name.clone();
        match read {
            Ok(served) => {
                let version = served.version().to_owned();
                entry.put(served);
                entry.set_problem(None);
                entry.meter.reloads.add(1);
                self.listener.hear(&Event::Reloaded { name, version });
            }
            Err(e) => {
                let why = e.to_string();
                entry.set_problem(Some(why.clone()));
                entry.meter.failed_reloads.add(1);
                self.listener.hear(&Event::ReloadFailed { name, why });
            }
        }
    }
}

/// What is served under a name, or the first one, of a kind that is served with a flag.
fn find<T>(
    entries: &[Entry<T>],
    name: Option<&str>,
    (kind, flag): (&'static str, &'static str),
) -> Result<Arc<T>, Refusal> {
    let first = entries.first().ok_or(Refusal::NoneServed { kind, flag })?;
    let entry = match name {
        None => first,
        Some(name) => entries.iter().find(|e| e.name == name).ok_or_else(|| Refusal::UnknownModel {
            kind,
            name: name.into(),
            known: entries.iter().map(|e| e.name.clone()).collect(),
        })?,
    };
    entry.serving().ok_or_else(|| Refusal::Loading { name: entry.name.clone() })
}

/// The beginning of a checksum.
fn version_of(checksum: &str) -> String {
    checksum.chars().take(12).collect()
}

impl Serving {
    /// The mean distance of two texts that the model draws.
    pub fn usual_distance(&self) -> f64 {
        *self.usual_distance.get_or_init(|| self.model.usual_distance())
    }

    /// Refuses what a language model cannot do.
    ///
    /// # Errors
    /// If it is one.
    pub fn needs_latents(&self) -> Result<(), Refusal> {
        if self.model.is_seq2seq() {
            return Err(self.writes_targets());
        }
        if self.model.is_language_model() {
            let why = format!("`{}` is a language model: it has no latents, only /v1/sample works with it", self.name);
            return Err(Refusal::invalid("/model", why));
        }
        Ok(())
    }

    /// Refuses sources where the model knows none.
    ///
    /// # Errors
    /// Unless it writes targets for sources.
    pub fn needs_sources(&self) -> Result<(), Refusal> {
        match self.model.is_seq2seq() {
            true => Ok(()),
            false => {
                let why = format!("`{}` was not trained on pairs: it writes no targets for sources", self.name);
                Err(Refusal::invalid("/model", why))
            }
        }
    }

    /// Refuses draws where the model writes for sources only.
    ///
    /// # Errors
    /// If it does.
    pub fn needs_draws(&self) -> Result<(), Refusal> {
        if self.model.is_seq2seq() { Err(self.writes_targets()) } else { Ok(()) }
    }

    fn writes_targets(&self) -> Refusal {
        let why =
            format!("`{}` writes targets for sources: it has no latents, only /v1/generate works with it", self.name);
        Refusal::invalid("/model", why)
    }

    /// Refuses texts where the model cannot encode them.
    ///
    /// # Errors
    /// If it is a language model or was trained on vectors.
    pub fn needs_encoder(&self) -> Result<(), Refusal> {
        self.needs_latents()?;
        if !self.model.reads_texts() {
            let why = format!("`{}` was trained on vectors: it cannot encode texts, only decode and sample", self.name);
            return Err(Refusal::invalid("/model", why));
        }
        Ok(())
    }
}

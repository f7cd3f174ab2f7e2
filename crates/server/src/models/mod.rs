//! The models that are served, and what becomes of them when their folders are replaced.

mod beside;
mod stamp;
mod watch;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    thread,
    time::UNIX_EPOCH,
};

use strait::{Classifier, Directions, Model};

use crate::{
    Event, Listener, Options, ServeError,
    metrics::ModelMeter,
    options::Batching,
    refusal::Refusal,
    texts::{self, Axes, Texts},
    work::{Desk, Engines, Lanes},
};
use beside::Beside;
pub use beside::Learned;
use stamp::Stamp;
pub use watch::Watch;

/// All models, in the order given; the first one answers requests that name none.
pub struct Shelf {
    entries: Vec<Entry>,
    batching: Batching,
    queue: usize,
    lanes: Arc<Lanes>,
    listener: Arc<dyn Listener>,
}

/// A place on the shelf: a name, a folder, and the model that was last read from it.
pub struct Entry {
    pub name: String,
    pub dir: PathBuf,
    pub meter: Arc<ModelMeter>,
    beside: Beside,
    serving: RwLock<Option<Arc<Serving>>>,
    /// Why what is in the folder now is not what is served.
    problem: Mutex<Option<String>>,
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

impl Shelf {
    /// Places for models; nothing is read yet.
    ///
    /// # Errors
    /// If there are none, or two of one name, or something is meant for a model that is not there.
    pub fn new(options: &Options, lanes: Arc<Lanes>, listener: Arc<dyn Listener>) -> Result<Self, ServeError> {
        let mut beside = Beside::deal(options)?.into_iter();
        let mut entries: Vec<Entry> = Vec::new();
        for place in &options.models {
            if entries.iter().any(|e| e.name == place.name) {
                return Err(ServeError::SameName(place.name.clone()));
            }
            entries.push(Entry {
                name: place.name.clone(),
                dir: place.dir.clone(),
                meter: Arc::default(),
                beside: beside.next().unwrap_or_default(),
                serving: RwLock::default(),
                problem: Mutex::default(),
            });
        }
        if entries.is_empty() {
            return Err(ServeError::NoModels);
        }
        Ok(Shelf { entries, batching: options.batching.clone(), queue: options.limits.queue, lanes, listener })
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The model of this name, or the first one.
    ///
    /// # Errors
    /// If there is none, or it is not ready.
    pub fn find(&self, name: Option<&str>) -> Result<Arc<Serving>, Refusal> {
        let entry = match name {
            None => self.entries.first(),
            Some(name) => self.entries.iter().find(|e| e.name == name),
        };
        let entry = entry.ok_or_else(|| Refusal::UnknownModel {
            name: name.unwrap_or_default().into(),
            known: self.entries.iter().map(|e| e.name.clone()).collect(),
        })?;
        entry.serving().ok_or_else(|| Refusal::Loading { name: entry.name.clone() })
    }

    /// Whether all are ready.
    pub fn is_ready(&self) -> bool {
        self.entries.iter().all(|e| e.serving().is_some())
    }

    /// Reads all models, one after the other.
    ///
    /// # Errors
    /// At the first one that cannot be read.
    pub fn load(&self) -> Result<(), ServeError> {
        for entry in &self.entries {
            let version = self.read(entry)?;
            self.listener.hear(&Event::Loaded { name: entry.name.clone(), dir: entry.dir.clone(), version });
        }
        Ok(())
    }

    /// Reads what is in the folder beside what is served, then puts it in its place. Requests that have begun end with
    /// the model they began with. Returns the version.
    fn read(&self, entry: &Entry) -> Result<String, ServeError> {
        let written = std::fs::metadata(entry.dir.join("config.json")).and_then(|m| m.modified());
        let created = written.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs());
        let model = Arc::new(Model::open(&entry.dir)?);
        let version: String = model.config().checksum.chars().take(12).collect();
        let (texts, corpus) = entry.beside.texts(&model)?;
        let (directions, classifiers) = (entry.beside.directions(&model)?, entry.beside.classifiers(&model)?);
        let engines = Arc::new(Engines::new(model.clone()));
        let desk = Desk::open(engines, self.batching.clone(), self.queue, entry.meter.clone());
        let serving = Arc::new(Serving {
            name: entry.name.clone(),
            version: version.clone(),
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
        *entry.serving.write().unwrap_or_else(PoisonError::into_inner) = Some(serving);
        Ok(version)
    }

    /// The folder was replaced: takes the new model over, or says why not.
    fn reload(&self, entry: &Entry) {
        let name = entry.name.clone();
        match self.read(entry) {
            Ok(version) => {
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

impl Entry {
    /// The model, once it is ready.
    pub fn serving(&self) -> Option<Arc<Serving>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why what is in the folder now is not what is served.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_problem(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    fn stamp(&self) -> Option<Stamp> {
        Stamp::of(&self.dir, &self.beside.files())
    }
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

//! The models that are served, and what becomes of them when their folders are replaced.

mod stamp;
mod watch;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::UNIX_EPOCH,
};

use strait::Model;

use crate::{
    Event, Listener, Options, ServeError, metrics::ModelMeter, options::Batching, refusal::Refusal, work::Desk,
};
use stamp::Stamp;
pub use watch::Watch;

/// All models, in the order given; the first one answers requests that name none.
pub struct Shelf {
    entries: Vec<Entry>,
    batching: Batching,
    queue: usize,
    listener: Arc<dyn Listener>,
}

/// A place on the shelf: a name, a folder, and the model that was last read from it.
pub struct Entry {
    pub name: String,
    pub dir: PathBuf,
    pub meter: Arc<ModelMeter>,
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
}

impl Shelf {
    /// Places for models; nothing is read yet.
    ///
    /// # Errors
    /// If there are none, or two of one name.
    pub fn new(options: &Options, listener: Arc<dyn Listener>) -> Result<Self, ServeError> {
        let mut entries: Vec<Entry> = Vec::new();
        for place in &options.models {
            if entries.iter().any(|e| e.name == place.name) {
                return Err(ServeError::SameName(place.name.clone()));
            }
            entries.push(Entry {
                name: place.name.clone(),
                dir: place.dir.clone(),
                meter: Arc::default(),
                serving: RwLock::default(),
                problem: Mutex::default(),
            });
        }
        if entries.is_empty() {
            return Err(ServeError::NoModels);
        }
        Ok(Shelf { entries, batching: options.batching.clone(), queue: options.limits.queue, listener })
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
        let desk = Desk::open(model.clone(), self.batching.clone(), self.queue, entry.meter.clone());
        let desk = desk.map_err(ServeError::Start)?;
        let serving = Serving { name: entry.name.clone(), model, version: version.clone(), created, desk };
        *entry.serving.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(serving));
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
        Stamp::of(&self.dir)
    }
}

impl Serving {
    /// Refuses what a language model cannot do.
    ///
    /// # Errors
    /// If it is one.
    pub fn needs_latents(&self) -> Result<(), Refusal> {
        if self.model.is_language_model() {
            let why = format!("`{}` is a language model: it has no latents, only /v1/sample works with it", self.name);
            return Err(Refusal::invalid("/model", why));
        }
        Ok(())
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

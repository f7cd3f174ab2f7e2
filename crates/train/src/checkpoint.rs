//! The state of an unfinished training, in `OUT.training/`: enough to go on to the same bits.
//!
//! Batches, noise and learning rate are functions of (seed, step), so a checkpoint holds the step, weights,
//! optimiser moments, the best weights so far, and how long they have been the best. It is one file, written under
//! another name on a thread of its own and renamed, so that there is always a whole one.

use std::{
    path::{Path, PathBuf},
    thread::JoinHandle,
};

use serde::{Deserialize, Serialize};
use strait_engine::Params;
use strait_model::{
    Trainer,
    folder::{FolderError, write_flushed},
    weights,
};

use crate::TrainError;

/// Name of the checkpoint in the training's folder.
pub const FILE: &str = "checkpoint.safetensors";

/// Where a training stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Updates made.
    pub step: u64,
    /// Updates of each optimiser.
    pub updates: Vec<u64>,
    /// Seconds of training so far, over all sittings.
    pub seconds: f64,
    /// The best look so far.
    pub best: Best,
    /// Looks since.
    pub waited: u32,
    /// Whether a latent that carries nothing was warned of.
    #[serde(default)]
    pub warned: bool,
}

/// The best look so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    pub step: u64,
    /// Validation loss as the final objective counts it, bits per byte.
    pub bits_per_byte: f64,
}

/// A whole state, in memory.
pub struct Checkpoint {
    pub position: Position,
    /// (name, shape, values): `weight/`, `first/`, `second/` and `best/` followed by the parameter's name.
    tensors: Vec<(String, (usize, usize), Vec<f32>)>,
}

impl Checkpoint {
    /// Copies the state.
    pub fn take(position: Position, params: &Params, trainer: &Trainer, best: Option<&[Vec<f32>]>) -> Self {
        let mut tensors = Vec::new();
        for (i, (_, p)) in params.iter().enumerate() {
            tensors.push((format!("weight/{}", p.name()), p.shape(), p.value().to_vec()));
            if let Some(best) = best {
                tensors.push((format!("best/{}", p.name()), p.shape(), best[i].clone()));
            }
        }
        for (id, first, second) in trainer.moments() {
            let p = params.get(id);
            tensors.push((format!("first/{}", p.name()), p.shape(), first.to_vec()));
            tensors.push((format!("second/{}", p.name()), p.shape(), second.to_vec()));
        }
        Checkpoint { position, tensors }
    }

    /// Puts the state back; returns the best weights, if any were kept.
    pub fn restore(mut self, params: &mut Params, trainer: &mut Trainer) -> Result<Option<Vec<Vec<f32>>>, String> {
        let mut values = |kind: &str, name: &str| -> Option<Vec<f32>> {
            let wanted = format!("{kind}/{name}");
            let at = self.tensors.iter().position(|t| t.0 == wanted)?;
            Some(self.tensors.swap_remove(at).2)
        };
        let described: Vec<(String, (usize, usize))> =
            params.iter().map(|(_, p)| (p.name().to_string(), p.shape())).collect();
        let mut best = Vec::new();
        for (name, shape) in &described {
            let weight = values("weight", name).ok_or_else(|| format!("weight/{name} is missing"))?;
            params.set(name, *shape, &weight).map_err(|e| e.to_string())?;
            best.extend(values("best", name).filter(|b| b.len() == weight.len()));
        }
        let mut missing = None;
        let updates = std::mem::take(&mut self.position.updates);
        trainer.restore(&updates, |id, first, second| {
            let name = params.get(id).name();
            for (kind, to) in [("first", first), ("second", second)] {
                match values(kind, name).filter(|v| v.len() == to.len()) {
                    Some(v) => to.copy_from_slice(&v),
                    None => missing = Some(format!("{kind}/{name} is missing")),
                }
            }
        });
        match missing {
            Some(why) => Err(why),
            None => Ok((best.len() == described.len()).then_some(best)),
        }
    }

    /// Writes the file; it replaces the old one only when it is whole.
    pub fn write(&self, dir: &Path) -> Result<(), TrainError> {
        let position = serde_json::to_string(&self.position).map_err(|e| damaged(dir, e.to_string()))?;
        let tensors = self.tensors.iter().map(|(name, shape, values)| (name.clone(), *shape, &values[..]));
        let bytes = weights::tensors_to_bytes(tensors, &[("position", position)])?;
        let temporary = dir.join("checkpoint.new");
        write_flushed(&temporary, &bytes)?;
        let file = dir.join(FILE);
        std::fs::rename(&temporary, &file).map_err(|source| FolderError::Io {
            path: file,
            what: "put the checkpoint in place",
            source,
        })?;
        Ok(())
    }

    /// Reads the file, if there is one.
    pub fn read(dir: &Path) -> Result<Option<Checkpoint>, TrainError> {
        let file = dir.join(FILE);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FolderError::Io { path: file, what: "read the checkpoint", source }.into()),
        };
        let (_, metadata) =
            safetensors::SafeTensors::read_metadata(&bytes).map_err(|e| damaged(&file, e.to_string()))?;
        let position = metadata.metadata().as_ref().and_then(|m| m.get("position"));
        let position = position.ok_or_else(|| damaged(&file, "it does not say where the training stood".into()))?;
        let position = serde_json::from_str(position).map_err(|e| damaged(&file, e.to_string()))?;
        let mut tensors = Vec::new();
        weights::read(&bytes, |name, values| {
            tensors.push((name.to_string(), (0, 0), values));
            Ok(())
        })
        .map_err(|e| damaged(&file, e.to_string()))?;
        Ok(Some(Checkpoint { position, tensors }))
    }
}

fn damaged(file: &Path, why: String) -> TrainError {
    TrainError::Damaged { file: file.into(), why }
}

/// Writes checkpoints on a thread of its own, one at a time.
pub struct Writer {
    dir: PathBuf,
    busy: Option<JoinHandle<Result<(), TrainError>>>,
}

impl Writer {
    /// Writes into `dir`.
    pub fn new(dir: &Path) -> Self {
        Writer { dir: dir.into(), busy: None }
    }

    /// Whether the last one is still being written.
    pub fn is_busy(&self) -> bool {
        self.busy.as_ref().is_some_and(|b| !b.is_finished())
    }

    /// Begins to write; first waits for the one before.
    pub fn write(&mut self, checkpoint: Checkpoint) -> Result<(), TrainError> {
        self.wait()?;
        let dir = self.dir.clone();
        self.busy = Some(std::thread::spawn(move || checkpoint.write(&dir)));
        Ok(())
    }

    /// Waits until everything is on the disk.
    pub fn wait(&mut self) -> Result<(), TrainError> {
        match self.busy.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(damaged(&self.dir, "the thread that writes checkpoints ended unexpectedly".into())),
        }
    }
}

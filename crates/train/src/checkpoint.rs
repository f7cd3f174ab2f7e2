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
use strait_model::Snapshot;

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
pub type Checkpoint = Snapshot<Position>;

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
        self.busy = Some(std::thread::spawn(move || Ok(checkpoint.write(&dir, FILE)?)));
        Ok(())
    }

    /// Waits until everything is on the disk.
    pub fn wait(&mut self) -> Result<(), TrainError> {
        match self.busy.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => {
                let why = "the thread that writes checkpoints ended unexpectedly".into();
                Err(TrainError::Damaged { file: self.dir.clone(), why })
            }
        }
    }
}

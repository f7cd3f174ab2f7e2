//! The state of an unfinished training, kept in `OUT.training/` at each look, so that the same training goes on to the same bits.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use strait_engine::optim::Optimiser;
use strait_model::{
    Snapshot,
    folder::{FolderError, sha256, training_dir},
};

use crate::{
    DocumentConfig, DocumentNetwork,
    train::{Documents, Keep, Report, TrainError},
};

/// Name of the file in the training's folder.
const FILE: &str = "documents.safetensors";

/// The file that holds the state of the unfinished training of `out`, whether there is one or not.
pub fn unfinished(out: &Path) -> PathBuf {
    training_dir(out).join(FILE)
}

/// Removes the state of the training of `out`, if there is one, and its folder, if nothing else is in it.
///
/// # Errors
/// If it cannot be removed.
pub fn forget(out: &Path) -> Result<(), FolderError> {
    let file = unfinished(out);
    match fs::remove_file(&file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FolderError::Io { path: file, what: "remove the state of the training", source }),
        Ok(()) => {}
    }
    // What another training has there stays.
    let _ = fs::remove_dir(training_dir(out));
    Ok(())
}

/// Where a training stands.
#[derive(Serialize, Deserialize)]
struct Position {
    /// Of what is trained on and how.
    fingerprint: String,
    report: Report,
    /// Words drawn from the generator of random numbers.
    draws: u64,
}

/// Where a training stood, and its best weights.
pub(crate) type Kept = (Report, Vec<Vec<f32>>);

/// Keeps the state of one training.
pub(crate) struct Checkpoints<'a> {
    keep: Keep<'a>,
    fingerprint: String,
}

impl<'a> Checkpoints<'a> {
    pub(crate) fn new(keep: Keep<'a>, parts: [Documents<'_>; 2], config: &DocumentConfig, seed: u64) -> Self {
        let mut bytes = format!("{config:?} {seed}").into_bytes();
        for part in parts {
            for latents in part.latents.iter().chain(part.given.iter().flatten()) {
                bytes.extend((latents.len() as u64).to_le_bytes());
                bytes.extend(latents.iter().flat_map(|x| x.to_le_bytes()));
            }
            bytes.extend((part.latents.len() as u64).to_le_bytes());
        }
        Checkpoints { keep, fingerprint: sha256(&bytes) }
    }

    /// Writes the state.
    pub(crate) fn keep(
        &self,
        report: Report,
        (network, optimiser): (&DocumentNetwork, &Optimiser),
        best: &[Vec<f32>],
        rng: &ChaCha8Rng,
    ) -> Result<(), FolderError> {
        let dir = training_dir(self.keep.out);
        let io = |source| FolderError::Io { path: dir.clone(), what: "make the folder", source };
        fs::create_dir_all(&dir).map_err(io)?;
        let draws = rng.get_word_pos() as u64;
        let position = Position { fingerprint: self.fingerprint.clone(), report, draws };
        Snapshot::take(position, &network.params, optimiser.moments(), Some(best)).write(&dir, FILE)
    }

    /// Puts the state back, if one was kept.
    pub(crate) fn restore(
        &self,
        network: &mut DocumentNetwork,
        optimiser: &mut Optimiser,
        rng: &mut ChaCha8Rng,
    ) -> Result<Option<Kept>, TrainError> {
        let file = unfinished(self.keep.out);
        let found = match Snapshot::<Position>::read(&file) {
            Err(FolderError::State { .. }) if self.keep.replace => None,
            found => found?,
        };
        let snapshot = match found {
            Some(own) if own.position.fingerprint == self.fingerprint => own,
            Some(_) if !self.keep.replace => return Err(TrainError::Another(training_dir(self.keep.out))),
            _ => return Ok(None),
        };
        let (report, draws) = (snapshot.position.report, snapshot.position.draws);
        rng.set_word_pos(draws.into());
        let best = snapshot.restore(&mut network.params, |each| optimiser.restore(report.step, each));
        match best {
            Ok(Some(best)) => Ok(Some((report, best))),
            Ok(None) => Err(FolderError::State { file, why: "the best weights are missing".into() }.into()),
            Err(why) => Err(FolderError::State { file, why }.into()),
        }
    }
}

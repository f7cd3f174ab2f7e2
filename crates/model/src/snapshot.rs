//! The state of an unfinished training as one safetensors file: where it stands, the weights, the moments of the optimisers, and the
//! best weights so far.

use std::{fs, io, path::Path};

use serde::{Serialize, de::DeserializeOwned};
use strait_engine::{ParamId, Params};

use crate::{
    folder::{FolderError, write_flushed},
    weights::{self, WeightsError},
};

/// Key of the position in the file's metadata.
const POSITION: &str = "position";

/// A whole state, in memory. `P` says where the training stands.
pub struct Snapshot<P> {
    pub position: P,
    /// (name, shape, values): `weight/`, `first/`, `second/` and `best/` followed by the parameter's name.
    tensors: Vec<(String, (usize, usize), Vec<f32>)>,
}

impl<P: Serialize + DeserializeOwned> Snapshot<P> {
    /// Copies the state; `moments` are (parameter, first, second), `best` in the order of the parameters.
    pub fn take<'a>(
        position: P,
        params: &Params,
        moments: impl Iterator<Item = (ParamId, &'a [f32], &'a [f32])>,
        best: Option<&[Vec<f32>]>,
    ) -> Self {
        let mut tensors = Vec::new();
        for (i, (_, p)) in params.iter().enumerate() {
            tensors.push((format!("weight/{}", p.name()), p.shape(), p.value().to_vec()));
            if let Some(best) = best {
                tensors.push((format!("best/{}", p.name()), p.shape(), best[i].clone()));
            }
        }
        for (id, first, second) in moments {
            let p = params.get(id);
            tensors.push((format!("first/{}", p.name()), p.shape(), first.to_vec()));
            tensors.push((format!("second/{}", p.name()), p.shape(), second.to_vec()));
        }
        Snapshot { position, tensors }
    }

    /// Puts the state back; returns the best weights, if any were kept. `moments` calls what it is given for each parameter that has
    /// moments, with the places to put them.
    ///
    /// # Errors
    /// What is missing.
    pub fn restore(
        mut self,
        params: &mut Params,
        moments: impl FnOnce(&mut dyn FnMut(ParamId, &mut [f32], &mut [f32])),
    ) -> Result<Option<Vec<Vec<f32>>>, String> {
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
        moments(&mut |id, first, second| {
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

    /// Writes the file `name` in `dir`; it replaces the old one only when it is whole.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, dir: &Path, name: &str) -> Result<(), FolderError> {
        let file = dir.join(name);
        let state = |why: String| FolderError::State { file: file.clone(), why };
        let position = serde_json::to_string(&self.position).map_err(|e| state(e.to_string()))?;
        let tensors = self.tensors.iter().map(|(name, shape, values)| (name.clone(), *shape, &values[..]));
        let bytes = weights::tensors_to_bytes(tensors, &[(POSITION, position)]).map_err(|e| state(e.to_string()))?;
        let temporary = file.with_extension("new");
        write_flushed(&temporary, &bytes)?;
        fs::rename(&temporary, &file).map_err(|source| FolderError::Io {
            path: file.clone(),
            what: "put the state of the training in place",
            source,
        })
    }

    /// Reads such a file; none if it is not there.
    ///
    /// # Errors
    /// If it cannot be read or is damaged.
    pub fn read(file: &Path) -> Result<Option<Self>, FolderError> {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FolderError::Io { path: file.into(), what: "read the file", source }),
        };
        let snapshot = Self::from_bytes(&bytes).map_err(|why| FolderError::State { file: file.into(), why })?;
        Ok(Some(snapshot))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (_, metadata) = safetensors::SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
        let position = metadata.metadata().as_ref().and_then(|m| m.get(POSITION));
        let position = position.ok_or("it does not say where the training stood")?;
        let position = serde_json::from_str(position).map_err(|e| e.to_string())?;
        let mut tensors = Vec::new();
        let each = |name: &str, values| -> Result<(), WeightsError> {
            tensors.push((name.to_string(), (0, 0), values));
            Ok(())
        };
        weights::read(bytes, each).map_err(|e| e.to_string())?;
        Ok(Snapshot { position, tensors })
    }
}

//! Weights by name from `model.safetensors`, or from the shards that `model.safetensors.index.json` lists.
//!
//! The `safetensors` crate checks the header: its length against the file's (and 100 MB), that tensors lie side by side
//! without holes, and that they end where the file does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use safetensors::{
    Dtype, SafeTensors,
    tensor::{Metadata, TensorInfo},
};
use serde::Deserialize;

use crate::{Error, half};

pub(crate) const SINGLE: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";

/// The tensors of a folder.
pub(crate) struct Tensors {
    files: Vec<File>,
}

/// A safetensors file in memory.
struct File {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Where the tensors' bytes begin.
    start: usize,
    metadata: Metadata,
}

/// `model.safetensors.index.json`: the file of each tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Tensors {
    /// Reads the files of `dir`.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let names = file_names(dir)?;
        let files = names.iter().map(|name| File::open(dir.join(name))).collect::<Result<_, _>>()?;
        Ok(Tensors { files })
    }

    /// No file: every tensor is there, and zero.
    pub(crate) fn zero() -> Self {
        Tensors { files: Vec::new() }
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.metadata.info(name).is_some())
    }

    /// The values of a tensor of a known shape, row-major.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        if self.files.is_empty() {
            return Ok(vec![0.0; shape.iter().product()]);
        }
        let found = self.files.iter().find_map(|file| Some((file, file.metadata.info(name)?)));
        let (file, info) =
            found.ok_or_else(|| Error::NoTensor { file: self.files[0].path.clone(), name: name.into() })?;
        file.values(name, info, shape)
    }
}

/// The files that hold the weights of `dir`.
pub(crate) fn file_names(dir: &Path) -> Result<Vec<String>, Error> {
    if dir.join(SINGLE).is_file() {
        return Ok(vec![SINGLE.into()]);
    }
    let path = dir.join(INDEX);
    if !path.is_file() {
        let pickle =
            fs::read_dir(dir).into_iter().flatten().flatten().any(|e| is_pickle(&e.file_name().to_string_lossy()));
        return Err(if pickle { Error::Pickle(dir.into()) } else { Error::Missing(dir.join(SINGLE)) });
    }
    shards(dir)
}

/// The files that the index of `dir` names.
pub(crate) fn shards(dir: &Path) -> Result<Vec<String>, Error> {
    let path = dir.join(INDEX);
    let index: Index =
        serde_json::from_slice(&read(&path)?).map_err(|e| Error::Json { file: path.clone(), why: e.to_string() })?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    // A shard lies beside its index, whatever a stranger's index says.
    if let Some(name) = names.iter().find(|n| Path::new(n).file_name() != Some(n.as_ref())) {
        let why = format!("names the file {name:?}, which is not a plain name");
        return Err(Error::Key { file: path, key: "weight_map".into(), why });
    }
    match names.is_empty() {
        true => Err(Error::Key { file: path, key: "weight_map".into(), why: "is empty".into() }),
        false => Ok(names.into_iter().collect()),
    }
}

fn is_pickle(name: &str) -> bool {
    name.starts_with("pytorch_model") && name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".ckpt")
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => Error::Missing(path.into()),
        _ => Error::Io { path: path.into(), source },
    })
}

impl File {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let bytes = read(&path)?;
        match SafeTensors::read_metadata(&bytes) {
            Ok((header, metadata)) => Ok(File { start: header + 8, metadata, path, bytes }),
            Err(e) => Err(Error::Weights { file: path, why: e.to_string() }),
        }
    }

    fn values(&self, name: &str, info: &TensorInfo, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let (file, name) = (self.path.clone(), name.to_string());
        if info.shape != shape {
            return Err(Error::Shape { file, name, found: info.shape.clone(), expected: shape.to_vec() });
        }
        let bytes = &self.bytes[self.start + info.data_offsets.0..self.start + info.data_offsets.1];
        let pairs = || bytes.as_chunks::<2>().0.iter().map(|&b| u16::from_le_bytes(b));
        let values: Vec<f32> = match info.dtype {
            Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
            Dtype::F16 => pairs().map(half::from_f16).collect(),
            Dtype::BF16 => pairs().map(half::from_bf16).collect(),
            other => return Err(Error::Type { file, name, found: format!("{other:?}") }),
        };
        match values.iter().all(|v| v.is_finite()) {
            true => Ok(values),
            false => Err(Error::NotFinite { file, name }),
        }
    }
}

//! The document model's folder, complete or absent.
//!
//! | file | what |
//! |---|---|
//! | `document.json` | the settings, the figures, and a SHA-256 of the other files |
//! | `document.safetensors` | the weights, and the moments of latents and plans |
//! | `sentences/` | a copy of the sentence model |

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use strait_model::{
    folder::{FolderError, Place, files_of, sha256},
    weights::{self, WeightsError},
};

use crate::{DocumentConfig, DocumentNetwork};

/// The file by which a document model is known.
pub const MARKER: &str = "document.json";
/// The folder of the sentence model.
pub const SENTENCES: &str = "sentences";

const WEIGHTS: &str = "document.safetensors";
/// The file of the sentence model that says what its others are.
const SENTENCE_CONFIG: &str = "config.json";
/// The version of the folder's layout.
pub const FORMAT: u32 = 2;

/// `document.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The layout's version.
    pub document_format: u32,
    /// The program's version.
    pub strait_version: String,
    pub settings: DocumentConfig,
    /// Numbers in a latent, Z.
    pub latent: usize,
    /// Seed of the weights and of the training's draws.
    pub seed: u64,
    /// Name and SHA-256 of the file it was trained on.
    pub data: String,
    pub data_hash: String,
    /// Documents and sentences that trained, and that validated.
    pub documents: [usize; 2],
    pub sentences: [usize; 2],
    /// Step whose weights were kept, and its nats a sentence on the validation documents.
    pub best_step: u64,
    pub valid_nats: f64,
    /// SHA-256 of the other files, by name (of the sentence model: of its list of files).
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// SHA-256 of this file with this field empty.
    #[serde(default)]
    pub checksum: String,
}

fn damaged(file: PathBuf) -> impl Fn(String) -> FolderError {
    move |why| FolderError::Damaged { file: file.clone(), why }
}

fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => FolderError::Missing(path.into()),
        _ => FolderError::Io { path: path.into(), what: "read", source },
    })
}

/// Writes a document model; `sentences` is the folder of the sentence model, which is copied.
///
/// # Errors
/// [`FolderError::Exists`] if `dir` is there and `replace` is false; nothing is changed if anything fails.
pub fn save(
    dir: &Path,
    header: &Header,
    network: &DocumentNetwork,
    sentences: &Path,
    replace: bool,
) -> Result<(), FolderError> {
    let internal = damaged(dir.join(WEIGHTS));
    let moments = moments(network).map(|(name, values)| (name.to_owned(), (1, values.len()), values.as_slice()));
    let weights = network.params.iter().map(|(_, p)| (p.name().to_owned(), p.shape(), p.value()));
    let tensors = weights.chain(moments.into_iter().filter(|(_, _, values)| !values.is_empty()));
    let bytes = weights::tensors_to_bytes(tensors, &[]).map_err(|e| internal(e.to_string()))?;
    // Before there is a place, which may lie in the folder of the sentence model itself.
    let copied = files_of(sentences, &format!("{SENTENCES}/"))?;
    let place = Place::new(dir, MARKER, replace)?;
    place.write(WEIGHTS, &bytes)?;
    place.copy(&copied)?;
    let files =
        [(WEIGHTS.to_owned(), sha256(&bytes)), (sentence_config(), sha256(&read(&sentences.join(SENTENCE_CONFIG))?))];
    let header = Header { files: files.into(), checksum: String::new(), ..header.clone() };
    let to_json = |header: &Header| serde_json::to_vec_pretty(header).map_err(|e| internal(e.to_string()));
    let header = Header { checksum: sha256(&to_json(&header)?), ..header };
    place.write(MARKER, &to_json(&header)?)?;
    place.finish()
}

fn sentence_config() -> String {
    format!("{SENTENCES}/{SENTENCE_CONFIG}")
}

fn moments(network: &DocumentNetwork) -> [(&'static str, &Vec<f32>); 4] {
    [
        ("latent.mean", &network.mean),
        ("latent.deviation", &network.deviation),
        ("plan.mean", &network.plan_mean),
        ("plan.deviation", &network.plan_deviation),
    ]
}

/// Reads and checks a document model but for its sentence model, which lies in [`SENTENCES`].
///
/// # Errors
/// If a file is missing or damaged; the message names it.
pub fn open(dir: &Path) -> Result<(Header, DocumentNetwork), FolderError> {
    if !dir.is_dir() || !dir.join(MARKER).exists() {
        return Err(if dir.is_dir() { FolderError::NotAModel(dir.into()) } else { FolderError::Absent(dir.into()) });
    }
    let file = dir.join(MARKER);
    let (bytes, bad) = (read(&file)?, damaged(file.clone()));
    let header: Header = serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))?;
    if header.document_format > FORMAT {
        return Err(FolderError::Version { file, found: header.document_format.into() });
    }
    let own = format!("\"checksum\": \"{}\"", header.checksum);
    let blank = String::from_utf8_lossy(&bytes).replacen(&own, "\"checksum\": \"\"", 1);
    if sha256(blank.as_bytes()) != header.checksum {
        return Err(bad("its contents do not match its checksum".into()));
    }
    header.settings.check().map_err(|e| bad(e.to_string()))?;
    for name in [WEIGHTS.to_owned(), sentence_config()] {
        let path = dir.join(&name);
        if header.files.get(&name) != Some(&sha256(&read(&path)?)) {
            return Err(damaged(path)(format!("its SHA-256 is not the one in {MARKER}")));
        }
    }
    let (z, weights) = (header.latent, dir.join(WEIGHTS));
    let mut network = DocumentNetwork::new(&header.settings, vec![0.0; z], vec![1.0; z], header.seed);
    load(&mut network, &read(&weights)?).map_err(|e| damaged(weights)(e.to_string()))?;
    Ok((header, network))
}

fn load(network: &mut DocumentNetwork, bytes: &[u8]) -> Result<(), WeightsError> {
    let mut missing: Vec<String> = network.params.iter().map(|(_, p)| p.name().to_owned()).collect();
    missing.extend(moments(network).iter().filter(|(_, v)| !v.is_empty()).map(|(name, _)| (*name).to_owned()));
    weights::read(bytes, |name, values| {
        let at = missing.iter().position(|m| m == name).ok_or_else(|| WeightsError::Unknown(name.into()))?;
        missing.swap_remove(at);
        let place = match name {
            "latent.mean" => &mut network.mean,
            "latent.deviation" => &mut network.deviation,
            "plan.mean" => &mut network.plan_mean,
            "plan.deviation" => &mut network.plan_deviation,
            _ => {
                let found = network.params.find(name).map(|id| network.params.shape(id));
                return Ok(network.params.set(name, found.unwrap_or((1, values.len())), &values)?);
            }
        };
        if place.len() != values.len() {
            return Err(WeightsError::Format(format!("{name} has {} numbers, not {}", values.len(), place.len())));
        }
        *place = values;
        Ok(())
    })?;
    match missing.into_iter().next() {
        Some(name) => Err(strait_engine::Error::Missing { name }.into()),
        None => Ok(()),
    }
}

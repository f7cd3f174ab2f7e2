//! A collection as a folder: encoded once, searched often.
//!
//! | file | what |
//! |---|---|
//! | `collection.json` | which model and texts, and a SHA-256 of the other files but the index, which holds its own |
//! | `records.jsonl` | `{"text": ..., "label": ...}`, a line each |
//! | `latents.npy` | the latents, a row each |
//! | `latents.index` | for more than [`EXACT`](super::EXACT) texts: the index, mapped into memory when it is searched |

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};
use strait_latent::search::Index;
use strait_model::folder::{self, FolderError, Place, sha256};
use strait_text::Record;

use super::{Collection, Source};
use crate::{Error, Latents, TextEncoder};

const HEAD: &str = "collection.json";
const RECORDS: &str = "records.jsonl";
const LATENTS: &str = "latents.npy";
const INDEX: &str = "latents.index";
/// The version of the folder's layout.
const FORMAT: u32 = 1;

/// `collection.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    strait_collection: u32,
    /// Checksum of the model that encoded the texts.
    model: String,
    source: Source,
    texts: usize,
    files: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl Collection {
    /// Whether a folder holds a collection.
    pub fn is_at(dir: &Path) -> bool {
        dir.join(HEAD).is_file()
    }

    /// Writes the collection of `model` as a folder, complete or absent.
    ///
    /// # Errors
    /// If something else is there, or a collection and not `replace`; nothing is changed if anything fails.
    pub fn save(&self, dir: &Path, model: &dyn TextEncoder, replace: bool) -> Result<(), Error> {
        let mut records = Vec::new();
        for record in &self.records {
            let line = Line { text: record.text.clone(), label: record.label.clone() };
            serde_json::to_writer(&mut records, &line).map_err(|e| damaged(dir, RECORDS, e.to_string()))?;
            records.push(b'\n');
        }
        let mut latents = Vec::new();
        self.latents.write_npy(&mut latents).map_err(|e| damaged(dir, LATENTS, e.to_string()))?;
        let mut files = vec![(RECORDS, records), (LATENTS, latents)];
        let head = Head {
            strait_collection: FORMAT,
            model: model.checksum().into(),
            source: self.source.clone(),
            texts: self.len(),
            files: files.iter().map(|(name, bytes)| (name.to_string(), sha256(bytes))).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&head).map_err(|e| damaged(dir, HEAD, e.to_string()))?;
        bytes.push(b'\n');
        files.push((HEAD, bytes));
        let place = Place::new(dir, HEAD, replace)?;
        for (name, bytes) in &files {
            place.write(name, bytes)?;
        }
        if let Some(index) = &self.index {
            index.write(&place.path(INDEX))?;
        }
        Ok(place.finish()?)
    }

    /// Reads a collection of `model`.
    ///
    /// # Errors
    /// If it is none, damaged, or was encoded by another model.
    pub fn open(dir: &Path, model: &dyn TextEncoder) -> Result<Self, Error> {
        let read = |name: &str| {
            fs::read(dir.join(name)).map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => Error::Folder(FolderError::Missing(dir.join(name))),
                _ => damaged(dir, name, e.to_string()),
            })
        };
        let head: Head = serde_json::from_slice(&read(HEAD)?).map_err(|e| damaged(dir, HEAD, e.to_string()))?;
        if head.strait_collection > FORMAT {
            let found = u64::from(head.strait_collection);
            return Err(FolderError::Version { file: dir.join(HEAD), found }.into());
        }
        if head.model != model.checksum() {
            return Err(Error::OtherModel(dir.into()));
        }
        let checked = |name: &str| {
            let bytes = read(name)?;
            match head.files.get(name) == Some(&sha256(&bytes)) {
                true => Ok(bytes),
                false => Err(damaged(dir, name, format!("its SHA-256 is not the one in {HEAD}"))),
            }
        };
        let mut records = Vec::with_capacity(head.texts);
        for line in checked(RECORDS)?.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let Line { text, label } =
                serde_json::from_slice(line).map_err(|e| damaged(dir, RECORDS, e.to_string()))?;
            records.push(Record { text, label });
        }
        let latents = Latents::read(&mut &checked(LATENTS)?[..], &dir.join(LATENTS).display().to_string())?;
        if records.len() != head.texts || latents.len() != head.texts || latents.dim() != model.latent_size() {
            return Err(damaged(dir, HEAD, "it does not agree with the other files".into()));
        }
        let mut collection = Collection { source: head.source, records, latents, index: None };
        if dir.join(INDEX).is_file() {
            let index = Index::open(&dir.join(INDEX))?;
            index.expect(collection.matrix()?)?;
            collection.index = Some(index);
        }
        Ok(collection)
    }
}

fn damaged(dir: &Path, name: &str, why: String) -> Error {
    FolderError::Damaged { file: dir.join(name), why }.into()
}

/// Whether the folder at `dir` may be written.
///
/// # Errors
/// If something is there that must not be replaced.
pub fn check_place(dir: &Path, replace: bool) -> Result<(), Error> {
    Ok(folder::check_place_of(dir, HEAD, replace)?)
}

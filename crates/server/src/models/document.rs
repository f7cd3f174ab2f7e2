//! Document models, each with the sentence model of its own folder.

use strait::{DOCUMENT_MARKER, DocumentModel};

use super::{Entry, entry::Served, version_of};
use crate::ServeError;

/// A document model at work.
pub struct ServingDocument {
    pub name: String,
    pub model: DocumentModel,
    /// The beginning of the checksum of its document.json.
    pub version: String,
}

impl Served for ServingDocument {
    const MARKER: &str = DOCUMENT_MARKER;

    fn version(&self) -> &str {
        &self.version
    }
}

impl ServingDocument {
    /// Reads what is in the folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read(entry: &Entry<Self>) -> Result<Self, ServeError> {
        let model = DocumentModel::open(&entry.dir).map_err(|e| match e {
            strait::Error::Folder(strait::FolderError::NotAModel(dir)) => ServeError::NoDocumentModel(dir),
            e => e.into(),
        })?;
        let version = version_of(&model.header().checksum);
        Ok(ServingDocument { name: entry.name.clone(), model, version })
    }
}

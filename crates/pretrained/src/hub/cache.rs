//! The cache of the hub's programs, as far as it is used here.
//!
//! | path in `models--OWNER--NAME/` | what |
//! |---|---|
//! | `blobs/ETAG` | the bytes of a file |
//! | `snapshots/COMMIT/FILE` | a link to them |
//! | `.no_exist/COMMIT/FILE` | empty: the commit has no such file |
//! | `refs/REVISION` | the commit of a branch or tag when it was fetched |
//! | `blobs/ETAG.strait` | our own: what has arrived of a blob |
//! | `../.locks/models--OWNER--NAME/strait.lock` | our own: locked by who fetches |

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::{HubError, HubName};

/// The part of the cache that belongs to a model.
pub(super) struct Cache {
    folder: PathBuf,
    lock: PathBuf,
}

/// What is known of a file of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Here,
    /// The commit has no such file.
    Absent,
    Nothing,
}

impl Cache {
    pub(super) fn new(root: &Path, name: &HubName) -> Self {
        let own = format!("models--{}", name.repository.replace('/', "--"));
        Cache { lock: root.join(".locks").join(&own).join("strait.lock"), folder: root.join(own) }
    }

    /// The commit that a revision was when it was fetched, or is by itself.
    pub(super) fn commit_of(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.into());
        }
        let commit = fs::read_to_string(self.folder.join("refs").join(revision)).ok()?;
        let commit = commit.trim();
        is_commit(commit).then(|| commit.into())
    }

    /// The folder of a commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    pub(super) fn known(&self, commit: &str, file: &str) -> Known {
        if self.snapshot(commit).join(file).is_file() {
            return Known::Here;
        }
        if self.mark(commit, file).is_file() { Known::Absent } else { Known::Nothing }
    }

    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Where a blob is written until it is whole.
    pub(super) fn part(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.strait"))
    }

    /// Makes a blob a file of a commit.
    pub(super) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(file);
        make_folder_of(&path)?;
        // A link whose blob was deleted is in the way.
        if path.symlink_metadata().is_ok() {
            fs::remove_file(&path).map_err(io_at(&path, "replace the link"))?;
        }
        let up = "../".repeat(2 + file.matches('/').count());
        link(&self.blob(etag), &format!("{up}blobs/{etag}"), &path).map_err(io_at(&path, "write the link"))
    }

    /// Remembers that a commit has no such file.
    pub(super) fn mark_absent(&self, commit: &str, file: &str) -> Result<(), HubError> {
        let path = self.mark(commit, file);
        make_folder_of(&path)?;
        fs::write(&path, "").map_err(io_at(&path, "write the file"))
    }

    /// Remembers which commit a branch or tag is.
    pub(super) fn set_commit(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if is_commit(revision) {
            return Ok(());
        }
        let path = self.folder.join("refs").join(revision);
        make_folder_of(&path)?;
        let other = self.folder.join("refs.strait");
        let write = || fs::write(&other, commit).and_then(|()| fs::rename(&other, &path));
        write().map_err(io_at(&path, "write the file"))
    }

    /// Locks the model's part of the cache until the result is dropped; says before it must wait.
    pub(super) fn lock(&self, wait: impl FnOnce()) -> Result<File, HubError> {
        make_folder_of(&self.lock)?;
        let file = File::create(&self.lock).map_err(io_at(&self.lock, "write the file"))?;
        // A file system without locks is no reason to stop: what arrives is checked and renamed at any rate.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            wait();
            let _ = file.lock();
        }
        Ok(file)
    }

    fn mark(&self, commit: &str, file: &str) -> PathBuf {
        self.folder.join(".no_exist").join(commit).join(file)
    }
}

/// Whether a revision is a whole commit hash.
pub(super) fn is_commit(revision: &str) -> bool {
    matches!(revision.len(), 40 | 64) && revision.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

pub(super) fn make_folder_of(path: &Path) -> Result<(), HubError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(io_at(folder, "make the folder"))
}

/// The error of an action on a path.
pub(super) fn io_at(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> HubError {
    move |source| HubError::Io { path: path.into(), what, source }
}

#[cfg(unix)]
fn link(_: &Path, relative: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(relative, path)
}

/// Where links need rights that users seldom have.
#[cfg(not(unix))]
fn link(blob: &Path, _: &str, path: &Path) -> io::Result<()> {
    fs::hard_link(blob, path).or_else(|_| fs::copy(blob, path).map(|_| ()))
}

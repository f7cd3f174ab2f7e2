//! Folders that are complete or absent, and what may be replaced by one.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::{FolderError, io_error, read_file};

/// A folder under another name beside its place, until it is complete.
pub struct Place {
    dir: PathBuf,
    temporary: tempfile::TempDir,
}

impl Place {
    /// Begins the folder `dir`; `marker` is the file by which one of its kind is known.
    ///
    /// # Errors
    /// As [`check_place_of`], or if the file system says no.
    pub fn new(dir: &Path, marker: &str, replace: bool) -> Result<Self, FolderError> {
        check_place_of(dir, marker, replace)?;
        let parent = parent(dir);
        fs::create_dir_all(parent).map_err(io_error(parent, "make the folder"))?;
        let builder = tempfile::Builder::new().prefix(".strait-").tempdir_in(parent);
        Ok(Place { dir: dir.into(), temporary: builder.map_err(io_error(parent, "make a folder in it"))? })
    }

    /// Where a file lies until the folder is finished.
    pub fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }

    /// Writes a file and waits until it is on the disk.
    ///
    /// # Errors
    /// If the file system says no.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.path(name);
        let parent = parent(&path);
        fs::create_dir_all(parent).map_err(io_error(parent, "make the folder"))?;
        write_flushed(&path, bytes)
    }

    /// Copies files, by their names in this folder.
    ///
    /// # Errors
    /// If the file system says no.
    pub fn copy(&self, files: &[(String, PathBuf)]) -> Result<(), FolderError> {
        files.iter().try_for_each(|(name, path)| self.write(name, &read_file(path)?))
    }

    /// Puts the folder in its place.
    ///
    /// # Errors
    /// If the file system says no; then what was there is there still.
    pub fn finish(self) -> Result<(), FolderError> {
        sync_dir(self.temporary.path());
        place(self.temporary, &self.dir)?;
        sync_dir(parent(&self.dir));
        Ok(())
    }
}

/// The files of a folder and of the folders in it, with their names from there after `to`.
///
/// # Errors
/// If the folder cannot be read.
pub fn files_of(from: &Path, to: &str) -> Result<Vec<(String, PathBuf)>, FolderError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(from).map_err(io_error(from, "read the folder"))? {
        let path = entry.map_err(io_error(from, "read the folder"))?.path();
        let name = format!("{to}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() { files.extend(files_of(&path, &format!("{name}/"))?) } else { files.push((name, path)) }
    }
    Ok(files)
}

/// The folder that `dir` lies in.
fn parent(dir: &Path) -> &Path {
    dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a model may be written to `dir`: see [`check_place_of`].
///
/// # Errors
/// If something is there that must stay.
pub fn check_place(dir: &Path, replace: bool) -> Result<(), FolderError> {
    check_place_of(dir, "config.json", replace)
}

/// Whether a folder with a file `marker` may be written to `dir`: nothing is there, or, to `replace`, a folder of the same
/// kind or an empty one.
///
/// # Errors
/// If something is there that must stay.
pub fn check_place_of(dir: &Path, marker: &str, replace: bool) -> Result<(), FolderError> {
    if !dir.exists() {
        return Ok(());
    }
    if !replace {
        return Err(FolderError::Exists(dir.into()));
    }
    let empty = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    match empty || dir.join(marker).is_file() {
        true => Ok(()),
        false => Err(FolderError::Foreign(dir.into())),
    }
}

/// Renames the finished folder to its place; an old one goes aside first and is removed at the end.
fn place(temporary: tempfile::TempDir, dir: &Path) -> Result<(), FolderError> {
    make_readable(temporary.path());
    let aside = temporary.path().with_extension("old");
    let had_old = dir.exists();
    if had_old {
        fs::rename(dir, &aside).map_err(io_error(dir, "move the old folder aside"))?;
    }
    if let Err(e) = fs::rename(temporary.path(), dir) {
        if had_old {
            let _ = fs::rename(&aside, dir);
        }
        return Err(io_error(dir, "put the folder in its place")(e));
    }
    let _ = temporary.keep(); // it is the model now
    if had_old {
        let _ = fs::remove_dir_all(&aside);
    }
    Ok(())
}

/// Temporary folders are private; a model gets the usual permissions.
fn make_readable(dir: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = fs::set_permissions(dir, fs::Permissions::from_mode(0o755));
    }
    #[cfg(not(unix))]
    let _ = dir;
}

/// Writes a file and waits until it is on the disk.
pub fn write_flushed(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let mut file = fs::File::create(path).map_err(io_error(path, "make the file"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error(path, "write the file"))
}

/// Best effort: some systems cannot flush a directory.
fn sync_dir(dir: &Path) {
    if let Ok(d) = fs::File::open(dir) {
        let _ = d.sync_all();
    }
}

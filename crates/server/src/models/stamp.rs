//! Whether a folder is still what it was: names, sizes and times of its files, without reading them.

use std::{
    ffi::OsString,
    fs::{self, Metadata},
    path::Path,
    time::SystemTime,
};

/// What a folder, and files that belong to it, look like from outside. The card, README.md, does not count: it is the
/// user's to edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Vec<(OsString, u64, Option<SystemTime>, u64)>);

impl Stamp {
    /// `None` if there is no model, which is known by the file `marker`.
    pub fn of(dir: &Path, marker: &str, beside: &[&Path]) -> Option<Self> {
        fs::metadata(dir.join(marker)).ok()?;
        let mut files = Vec::new();
        for entry in fs::read_dir(dir).ok()? {
            let entry = entry.ok()?;
            let data = entry.metadata().ok()?;
            if entry.file_name() != "README.md" {
                files.push((entry.file_name(), data.len(), data.modified().ok(), number(&data)));
            }
        }
        for file in beside {
            if let Ok(data) = fs::metadata(file) {
                files.push((file.as_os_str().to_owned(), data.len(), data.modified().ok(), number(&data)));
            }
        }
        files.sort();
        Some(Stamp(files))
    }
}

/// The file's own number, which differs between files of one name, size and time.
#[cfg(unix)]
fn number(data: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}
#[cfg(not(unix))]
fn number(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_but_the_card_counts() {
        let dir = tempfile::tempdir().unwrap();
        let now = || Stamp::of(dir.path(), "config.json", &[]);
        assert_eq!(now(), None);
        fs::write(dir.path().join("config.json"), "{}").unwrap();
        let first = now();
        fs::write(dir.path().join("README.md"), "mine").unwrap();
        assert!(first.is_some() && now() == first);
        fs::write(dir.path().join("model.safetensors"), "weights").unwrap();
        assert_ne!(now(), first);
        let beside = dir.path().join("more").join("mood.directions.json");
        let with = || Stamp::of(dir.path(), "config.json", &[&beside]);
        let before = with();
        fs::create_dir(dir.path().join("more")).unwrap();
        fs::write(&beside, "{}").unwrap();
        assert_ne!(with(), before);
    }
}

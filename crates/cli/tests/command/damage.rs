//! Damaged model folders.

use std::fs;

use super::{failed, fixture, folder, text};

/// A copy of the model.
fn copy(name: &str) -> std::path::PathBuf {
    let copy = folder(name);
    for entry in fs::read_dir(&fixture().model).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn a_file_cut_short_or_changed_or_gone_is_named() {
    let model = copy("damaged");
    let files: Vec<_> = fs::read_dir(&model).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(files.len() >= 6);
    for file in files.iter().filter(|f| *f != "README.md") {
        let (path, file) = (model.join(file), file.to_str().unwrap());
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for (what, bytes) in [("cut", &whole[..middle]), ("empty", &[]), ("changed", &changed)] {
            fs::write(&path, bytes).unwrap();
            let said = failed(&["sample", "-m", text(&model)], 1);
            assert!(said.contains(file) && said.contains("damaged"), "{file} {what}: {said}");
        }
        fs::remove_file(&path).unwrap();
        let said = failed(&["sample", "-m", text(&model)], 1);
        assert!(said.contains(file), "{file} gone: {said}");
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn a_newer_format_is_refused() {
    let model = copy("newer");
    let path = model.join("config.json");
    let config = fs::read_to_string(&path).unwrap().replace("\"strait_format\": 1", "\"strait_format\": 99");
    fs::write(&path, config).unwrap();
    let said = failed(&["info", "-m", text(&model)], 1);
    assert!(said.contains("format 99") && said.contains("newer strait"), "{said}");
}

//! `metrics.jsonl`: every event of a training, a line each, over all its sittings.

use std::{fs, io::Write, path::Path};

use strait_model::folder::{FolderError, write_flushed};

use crate::{Event, Listener, TrainError};

/// Passes events on and appends them to `metrics.jsonl`.
pub(crate) struct Log<'a> {
    file: fs::File,
    listener: &'a mut dyn Listener,
    failed: bool,
}

impl<'a> Log<'a> {
    /// Opens the log; lines of steps after `step` (made, but lost with the checkpoint) are dropped.
    pub(crate) fn open(dir: &Path, step: u64, listener: &'a mut dyn Listener) -> Result<Self, TrainError> {
        let path = dir.join("metrics.jsonl");
        let old = fs::read_to_string(&path).unwrap_or_default();
        let kept: String = old
            .lines()
            .filter(|line| {
                let value: Option<serde_json::Value> = serde_json::from_str(line).ok();
                value.is_some_and(|v| v.get("step").and_then(serde_json::Value::as_u64).is_none_or(|s| s <= step))
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        write_flushed(&path, kept.as_bytes())?;
        let open = fs::OpenOptions::new().append(true).open(&path);
        let file = open.map_err(|source| FolderError::Io { path, what: "open the file", source })?;
        Ok(Log { file, listener, failed: false })
    }

    /// The contents so far.
    pub(crate) fn contents(&self, dir: &Path) -> Vec<u8> {
        fs::read(dir.join("metrics.jsonl")).unwrap_or_default()
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        if let Ok(mut line) = serde_json::to_vec(event) {
            line.push(b'\n');
            if self.file.write_all(&line).is_err() && !std::mem::replace(&mut self.failed, true) {
                let message = "metrics.jsonl cannot be written (is the disk full?); training goes on".to_string();
                self.listener.hear(&Event::Warning { message });
            }
        }
        self.listener.hear(event);
    }
}

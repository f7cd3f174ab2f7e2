//! The events of a training from a place on: lines of `metrics.jsonl`, whole ones only.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use serde_json::Value;

/// The file of the events.
pub const METRICS: &str = "metrics.jsonl";
/// Bytes read at once.
const MOST: u64 = 1 << 20;

/// Events of a training.
#[derive(Debug, PartialEq)]
pub struct Events {
    /// The byte at which they begin: another than was asked for if the file was written anew since.
    pub from: u64,
    pub events: Vec<Value>,
    /// The byte at which the next ones begin.
    pub next: u64,
    /// Whether more stands there already.
    pub more: bool,
}

/// The events from byte `from` on, or from the beginning if no line begins there: a training that goes on writes its file
/// anew, without what it lost. At most about a megabyte of them.
///
/// # Errors
/// If the file cannot be read.
pub fn events(dir: &Path, from: u64) -> std::io::Result<Events> {
    let mut file = File::open(dir.join(METRICS))?;
    let length = file.metadata()?.len();
    let from = if begins_line(&mut file, from, length)? { from } else { 0 };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    let (mut most, mut whole) = (MOST, 0);
    // A single line may be longer than what is read at once.
    while whole == 0 && from + (bytes.len() as u64) < length {
        (&mut file).take(most).read_to_end(&mut bytes)?;
        whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        most = length;
    }
    let lines = bytes[..whole].split(|&b| b == b'\n');
    let events = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let next = from + whole as u64;
    Ok(Events { from, events, next, more: bytes.len() as u64 >= MOST && next < length })
}

fn begins_line(file: &mut File, at: u64, length: u64) -> std::io::Result<bool> {
    if at == 0 || at > length {
        return Ok(at == 0);
    }
    let mut before = [0];
    file.seek(SeekFrom::Start(at - 1))?;
    file.read_exact(&mut before)?;
    Ok(before == *b"\n")
}

/// The step of the last event that has one, among the last `tail` bytes.
pub fn last_step(dir: &Path, tail: u64) -> Option<u64> {
    let mut file = File::open(dir.join(METRICS)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(tail))).ok()?;
    let mut bytes = Vec::new();
    file.take(tail).read_to_end(&mut bytes).ok()?;
    let step = |line: &[u8]| serde_json::from_slice::<Value>(line).ok()?["step"].as_u64();
    bytes.rsplit(|&b| b == b'\n').find_map(step)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn events_go_on_where_they_ended_and_begin_anew_when_the_file_did() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(dir.path().join(METRICS), text).unwrap();
        write("{\"step\":1}\n{\"step\":2}\n{\"ste");
        let first = events(dir.path(), 0).unwrap();
        assert_eq!(
            first,
            Events { from: 0, events: vec![json!({"step": 1}), json!({"step": 2})], next: 22, more: false }
        );
        assert_eq!(events(dir.path(), 22).unwrap(), Events { from: 22, events: vec![], next: 22, more: false });
        write("{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
        assert_eq!(events(dir.path(), 22).unwrap().events, [json!({"step": 3})]);
        assert_eq!(last_step(dir.path(), 20), Some(3));
        // Shorter than before, or no line begins there.
        write("{\"step\":1}\n");
        for from in [33, 5] {
            let again = events(dir.path(), from).unwrap();
            assert_eq!((again.from, again.events.len(), again.next), (0, 1, 11));
        }
        assert!(events(&dir.path().join("nowhere"), 0).is_err());
    }

    #[test]
    fn many_events_come_in_parts_and_a_long_line_whole() {
        let dir = tempfile::tempdir().unwrap();
        let long = format!("{{\"text\":\"{}\"}}\n", "x".repeat(2 * MOST as usize));
        let text = "{\"step\":1}\n".repeat(100_000) + &long + "{\"step\":2}\n";
        fs::write(dir.path().join(METRICS), &text).unwrap();
        let (mut from, mut all, mut parts) = (0, 0, 0);
        loop {
            let part = events(dir.path(), from).unwrap();
            (from, all, parts) = (part.next, all + part.events.len(), parts + 1);
            if !part.more {
                break;
            }
        }
        assert_eq!((all, from), (100_002, text.len() as u64));
        assert!(parts > 1);
    }
}

//! Pipes that close early.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use super::{fixture, folder, stderr, text, train_args};

fn spawn(args: &[&str]) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strait"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let model = text(&fixture().model);
    for json in [&[][..], &["--json"]] {
        let mut child = spawn(&[&["sample", "-m", model, "-n", "1000000", "--max-len", "4"], json].concat());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        assert!(!line.is_empty());
    }
}

#[test]
fn a_training_goes_on_when_nobody_reads_its_events_or_its_talk() {
    let out = folder("unread").join("model");
    let mut child = spawn(&[&train_args(&fixture().corpus, &out)[..], &["--json"]].concat());
    drop(child.stdout.take());
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
    assert!(out.join("model.safetensors").is_file());
}

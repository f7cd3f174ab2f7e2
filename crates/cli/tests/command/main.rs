//! The command as a user meets it: what it prints where, its exit status, the files it leaves.

mod damage;
mod document;
mod evaluate;
mod gan;
mod help;
mod hub;
mod language_model;
mod metrics;
mod pipes;
mod pretrained;
mod seq2seq;
mod stopping;
mod text_gan;
mod toolbox;
mod training;
mod variety;
mod verbs;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::OnceLock,
};

use assert_cmd::Command;
use strait::text::grammar::{Grammar, Language};

/// Steps of the small trainings.
const STEPS: &str = "12";

/// The command, in a folder of its own if it writes.
fn strait() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strait"));
    command.timeout(std::time::Duration::from_secs(120));
    command
}

/// Runs it with arguments.
fn run(args: &[&str]) -> Output {
    strait().args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What it printed, after it did what was asked.
fn done(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// What it complained of, with this exit status and nothing on standard output.
fn failed(args: &[&str], status: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {}", stderr(&output));
    assert_eq!(stdout(&output), "", "{args:?}");
    stderr(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A small corpus and a model of it, made once.
struct Fixture {
    dir: PathBuf,
    corpus: PathBuf,
    model: PathBuf,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let (corpus, model) = (dir.join("corpus.txt"), dir.join("model"));
        let sentences = Grammar::default().corpus(200, Some(Language::English), 7);
        let lines: String = sentences.iter().map(|s| format!("{}\n", s.text)).collect();
        fs::write(&corpus, lines).unwrap();
        train(&corpus, &model);
        Fixture { dir, corpus, model }
    })
}

fn train_args<'a>(corpus: &'a Path, out: &'a Path) -> Vec<&'a str> {
    vec!["train", text(corpus), "--out", text(out), "--steps", STEPS, "--size", "tiny", "--vocab", "400"]
}

fn train(corpus: &Path, out: &Path) {
    done(&train_args(corpus, out));
}

/// A new folder beside the fixture.
fn folder(name: &str) -> PathBuf {
    let dir = fixture().dir.join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

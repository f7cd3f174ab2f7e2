//! Trainings that are stopped, killed and resumed.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use super::{done, failed, fixture, folder, stderr, text};

/// Long enough to be caught in the middle.
const STEPS: &str = "40";

fn args(out: &Path) -> Vec<&str> {
    vec![
        "train",
        text(&fixture().corpus),
        "--out",
        text(out),
        "--steps",
        STEPS,
        "--size",
        "tiny",
        "--vocab",
        "300",
        "--json",
    ]
}

/// Trains until some steps were told of, does something to the program and waits for its end.
fn interrupted(args: &[&str], act: impl FnOnce(&mut Child)) -> Output {
    interrupted_at("\"look\"", args, act)
}

/// The same when a line of what it writes has `mark`.
fn interrupted_at(mark: &str, args: &[&str], act: impl FnOnce(&mut Child)) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_strait"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut events = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(mark) {
        line.clear();
        assert!(events.read_line(&mut line).unwrap() > 0, "it ended before {mark}");
    }
    act(&mut child);
    drop(events);
    child.wait_with_output().unwrap()
}

fn uninterrupted() -> Vec<u8> {
    static MODEL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let train = || {
        let out = folder("uninterrupted").join("model");
        done(&args(&out));
        fs::read(out.join("model.safetensors")).unwrap()
    };
    MODEL.get_or_init(train).clone()
}

#[test]
fn a_killed_training_resumes_to_the_same_bytes() {
    let out = folder("killed").join("model");
    let output = interrupted(&args(&out), |child| child.kill().unwrap());
    assert!(!output.status.success() && !out.exists());
    done(&["resume", text(&out)]);
    assert!(fs::read(out.join("model.safetensors")).unwrap() == uninterrupted());
    assert!(!out.with_file_name("model.training").exists());
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_says_how_to_go_on_and_resumes_to_the_same_bytes() {
    let out = folder("stopped").join("model");
    let output = interrupted(&args(&out), |child| {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    });
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let resume = format!("strait resume {}", text(&out));
    assert!(said.contains("all is saved") && said.contains(&resume) && !said.contains("error:"), "{said}");

    // Until then every other verb says how to go on, and a new training does not destroy the old one.
    for verb in [&["info", "-m", text(&out)][..], &["sample", "-m", text(&out)], &args(&out)] {
        let said = failed(verb, 1);
        assert!(said.contains(&resume), "{said}");
    }
    let events = done(&["resume", text(&out), "--json"]);
    assert!(events.starts_with("{\"event\":\"resumed\",\"step\":"), "{events}");
    assert!(fs::read(out.join("model.safetensors")).unwrap() == uninterrupted());
    let said = failed(&["resume", text(&out)], 1);
    assert!(said.contains("no unfinished training"), "{said}");
}

/// A training of documents, into the folder `model` beside them.
struct DocumentTraining {
    file: PathBuf,
    model: PathBuf,
}

impl DocumentTraining {
    fn new(name: &str) -> Self {
        let dir = folder(name);
        let (file, model) = (dir.join("documents.txt"), dir.join("model"));
        let corpus = fs::read_to_string(&fixture().corpus).unwrap();
        let documents: Vec<String> = corpus.lines().collect::<Vec<_>>().chunks(8).map(|d| d.join("\n")).collect();
        fs::write(&file, documents.join("\n\n")).unwrap();
        DocumentTraining { file, model }
    }

    fn args<'a>(&'a self, steps: &'a str) -> Vec<&'a str> {
        let paths = ["document", "train", text(&self.file), "-m", text(&fixture().model), "-o", text(&self.model)];
        let sizes = ["--hidden", "8", "--plan", "0", "--window", "8", "--batch", "2", "--json", "--steps", steps];
        [&paths[..], &sizes].concat()
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_document_training_with_its_best_weights() {
    let training = DocumentTraining::new("stopped-document");
    let output = interrupted_at("\"step\":", &training.args("20000"), |child| {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    });
    let said = stderr(&output);
    assert!(output.status.success() && said.contains("best weights so far"), "{said}");
    done(&["document", "outline", "-m", text(&training.model), "-n", "2"]);
}

#[test]
fn a_killed_document_training_goes_on_to_the_same_bytes() {
    let training = DocumentTraining::new("killed-document");
    let model = &training.model;
    let weights = || fs::read(model.join("document.safetensors")).unwrap();
    let args = training.args("400");
    done(&args);
    let whole = weights();
    fs::remove_dir_all(model).unwrap();
    interrupted_at("\"step\":40,", &args, |child| child.kill().unwrap());
    assert!(!model.exists());
    assert!(failed(&["resume", text(model)], 2).contains("strait document train"));
    assert!(failed(&training.args("401"), 1).contains("--force"));
    let events = done(&args);
    assert!(!events.contains("\"step\":20,"), "{events}");
    assert!(weights() == whole && !model.with_file_name("model.training").exists());
}

#[test]
fn damaged_training_files_are_named() {
    let out = folder("damaged-training").join("model");
    interrupted(&args(&out), |child| child.kill().unwrap());
    let dir = out.with_file_name("model.training");
    for file in ["job.json", "texts.json", "tokenizer.json"] {
        let path = dir.join(file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(failed(&["resume", text(&out)], 1).contains(file), "{file}");
        fs::write(&path, whole).unwrap();
    }
}

//! `strait train`: what it says, what it refuses, what it makes.

use std::fs;

use super::{done, failed, fixture, folder, run, stderr, stdout, strait, text, train_args};

#[test]
fn it_says_what_it_found_and_decided_and_what_comes_next() {
    let out = folder("says").join("it's a model");
    let output = run(&train_args(&fixture().corpus, &out));
    let said = stderr(&output);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""), "{said}");
    for part in ["corpus.txt: 200 records", "(--format to override)", "Recipe dae", "size tiny", "bits per byte"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let next: Vec<&str> = said.lines().filter(|l| l.starts_with("  strait ")).collect();
    assert_eq!(next.len(), 3, "{said}");
    // They can be pasted into a shell, whatever the model's name.
    let path = std::env::join_paths([std::path::Path::new(env!("CARGO_BIN_EXE_strait")).parent().unwrap()]).unwrap();
    for line in next {
        let ran = std::process::Command::new("/bin/sh").args(["-c", line]).env("PATH", &path).output().unwrap();
        assert!(ran.status.success() && !ran.stdout.is_empty(), "{line}: {}", stderr(&ran));
    }
}

#[test]
fn the_default_folder_is_named_after_the_file() {
    let dir = folder("default");
    let (corpus, model) = (&fixture().corpus, dir.join("corpus.strait"));
    let mut args = train_args(corpus, &model);
    args.retain(|a| *a != "--out" && *a != text(&model));
    let output = strait().current_dir(&dir).args(args).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(model.join("model.safetensors").is_file());
}

#[test]
fn events_are_lines_of_json() {
    let out = folder("events").join("model");
    let events = done(&[&train_args(&fixture().corpus, &out)[..], &["--json"]].concat());
    let names: Vec<String> = events
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names[0], "planned");
    assert_eq!(names[names.len() - 1], "finished");
    for name in ["step", "look", "ended", "prior"] {
        assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_model_on_any_number_of_threads() {
    let out = folder("again").join("model");
    done(&[&train_args(&fixture().corpus, &out)[..], &["--threads", "1"]].concat());
    for file in ["model.safetensors", "tokenizer.json", "prior.safetensors"] {
        assert!(fs::read(out.join(file)).unwrap() == fs::read(fixture().model.join(file)).unwrap(), "{file}");
    }
}

#[test]
fn standard_input_with_its_own_validation_and_overrides() {
    let out = folder("stdin").join("model");
    let corpus = &fixture().corpus;
    let args = ["train", "-", "--out", text(&out), "--epochs", "1", "--size", "tiny", "--recipe", "ae", "--seed", "5"];
    let more = ["--valid", text(corpus), "--lr", "0.001", "--drop-duplicates"];
    let output = strait().args(args).args(more).write_stdin(fs::read(corpus).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let facts: serde_json::Value = serde_json::from_str(&done(&["info", "-m", text(&out), "--json"])).unwrap();
    assert_eq!(facts["recipe"]["name"], "ae");
    assert_eq!(facts["seed"], 5);
    assert_eq!(facts["data"]["valid"], 200);
    assert!((facts["recipe"]["training"]["rate"].as_f64().unwrap() - 0.001).abs() < 1e-8);
}

#[test]
fn what_is_there_is_replaced_only_on_demand_and_only_if_it_is_a_model() {
    let dir = folder("force");
    let out = dir.join("model");
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("photo.jpg"), "precious").unwrap();
    let args = train_args(&fixture().corpus, &out);
    assert!(failed(&args, 1).contains("already there"));
    assert!(failed(&[&args[..], &["--force"]].concat(), 1).contains("not replaced even with --force"));
    assert_eq!(fs::read_to_string(out.join("photo.jpg")).unwrap(), "precious");
    fs::remove_dir_all(&out).unwrap();
    done(&args);
    assert!(failed(&args, 1).contains("--force"));
    done(&[&args[..], &["--force"]].concat());
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing is left beside the model");
}

#[test]
fn bad_corpora_are_refused_with_the_place() {
    let dir = folder("bad");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    for (path, parts) in [
        (dir.join("missing.txt"), &["missing.txt", "no such file"][..]),
        (file("latin.txt", b"good\nbad \xe9\n"), &["latin.txt:2", "invalid UTF-8", "--lossy"]),
        (file("empty.txt", b""), &["empty.txt", "empty"]),
        (file("two.txt", b"one\ntwo\n"), &["two.txt", "at least", "hint: "]),
        (file("zip.txt", b"PK\x03\x04\x00\x00\x00\x00"), &["zip.txt", "not a text file"]),
        (dir.clone(), &["directory"]),
    ] {
        let out = dir.join("model");
        let said = failed(&["train", text(&path), "--out", text(&out), "--steps", "2"], 1);
        let complaint = said.lines().find(|l| l.starts_with("error: ")).unwrap_or_default();
        let complaint = complaint.to_owned() + said.lines().last().unwrap();
        assert!(parts.iter().all(|p| complaint.contains(p)), "{parts:?}: {said}");
        assert!(!out.exists() && !dir.join("model.training").exists(), "{path:?}");
    }
    let said = failed(&["train", text(&fixture().corpus), "--out", text(&dir.join("m")), "--column", "x"], 1);
    assert!(said.contains("--column"), "{said}");
}

#[test]
fn the_demo_shows_every_command_and_leaves_a_model() {
    let dir = folder("demo");
    let output = strait().current_dir(&dir).args(["demo", "--minutes", "0.02"]).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    for verb in ["train", "reconstruct", "sample", "interpolate", "vary", "encode"] {
        assert!(said.contains(&format!("\n$ strait {verb} ")), "{verb}: {said}");
    }
    // Reconstructions, samples, a way, variations.
    assert_eq!(stdout(&output).lines().count(), 6 + 6 + 6 + 4);
    assert!(dir.join("strait-demo/sentences.csv").is_file() && dir.join("strait-demo/latents.npy").is_file());
    done(&["info", "-m", text(&dir.join("strait-demo/model"))]);
    let again = strait().current_dir(&dir).arg("demo").output().unwrap();
    assert!(again.status.code() == Some(1) && stderr(&again).contains("--force"));
}

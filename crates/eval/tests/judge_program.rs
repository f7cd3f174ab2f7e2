//! The example program: its output, and what it says to wrong calls and bad files.

#[allow(dead_code)] // main is the program's own
#[path = "../examples/judge.rs"]
mod judge;

use std::fs;
use std::path::Path;

use judge::Stop;

const TRAIN: &str = "a dog runs .\na cat runs .\nthe cat sleeps .\n";
const TEST: &str = "the dog sleeps .\n\na cat sleeps .\n";

/// Runs the program on words split at blanks, in which `@` stands for the folder; its lines.
fn call(folder: &Path, line: &str) -> Result<Vec<String>, Stop> {
    let place = format!("{}/", folder.display());
    let mut printed = Vec::new();
    let options = judge::parse(line.split(' ').map(|word| word.replace('@', &place)))?;
    judge::run(&options, |line| printed.push(line))?;
    Ok(printed)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files.iter().chain(&[("train.txt", TRAIN), ("test.txt", TEST)]) {
        fs::write(folder.path().join(name), text).expect("a file in it");
    }
    folder
}

#[test]
fn a_table_has_a_row_for_each_set() {
    let folder = folder(&[("mine.txt", "a dog runs .\nthe dog\n")]);
    let lines = call(folder.path(), "@train.txt @test.txt @mine.txt --real --kn --words").expect("a good call");
    let names: Vec<&str> = lines.iter().map(|l| l.split(' ').next().unwrap_or("")).collect();
    assert_eq!(names, ["samples", "real", "kn5", "mine.txt"]);
    assert!(lines.iter().all(|l| l.len() == lines[0].len()), "{lines:#?}");
}

#[test]
fn json_lines_hold_every_field() {
    let folder = folder(&[("mine.txt", "a dog runs .\n"), ("none.txt", "\n")]);
    let lines = call(folder.path(), "@train.txt @test.txt @mine.txt @none.txt --json").expect("a good call");
    let rows: Vec<serde_json::Value> = lines.iter().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!((rows[0]["name"].as_str(), rows[0]["copied"].as_f64()), (Some("mine.txt"), Some(1.0)));
    assert_eq!(rows[0].as_object().map(|o| o.len()), Some(14));
    assert!(rows[1]["forward_ppl"].is_null());
}

#[test]
fn a_column_of_a_tsv_is_the_same_corpus() {
    let rows: String = TRAIN.lines().map(|l| format!("label\t{l}\n")).collect();
    let folder = folder(&[("train.tsv", &rows)]);
    let plain = call(folder.path(), "@train.txt @test.txt --real --words").expect("a good call");
    assert_eq!(call(folder.path(), "@train.tsv @test.txt --real --words --column 2").expect("a good call"), plain);
}

#[test]
fn reconstruction_keeps_empty_lines_in_their_pairs() {
    let folder = folder(&[("decoded.txt", "the dog sleeps .\n\na cat .\n")]);
    let lines = call(folder.path(), "--reconstruction @decoded.txt @test.txt --json").expect("a good call");
    let report: serde_json::Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!((report["n"].as_u64(), report["exact"].as_f64()), (Some(3), Some(2.0 / 3.0)));
    let table = call(folder.path(), "--reconstruction @decoded.txt @test.txt --words").expect("a good call");
    assert!(table[1].starts_with("all ") && table[2].starts_with("0-5 "), "{table:#?}");
}

#[test]
fn wrong_calls_are_told_what_to_do() {
    let folder = folder(&[("train.tsv", "a\tb\n")]);
    for (line, said) in [
        ("@train.txt", "TRAIN and TEST are needed, 1 of them given"),
        ("@train.txt @test.txt", "nothing to judge: give SAMPLES, --real or --kn"),
        ("@train.txt @test.txt --raal", "unknown option --raal"),
        ("@train.txt @test.txt --kn --seed x", "--seed takes a whole number from 0 on, not \"x\""),
        ("@train.tsv @test.txt --real --column 0", "--column takes a whole number from 1 on, not \"0\""),
        ("@train.tsv @test.txt --real --column", "--column needs a number behind it"),
        ("@train.tsv @test.txt --real", "say which one holds the text: --column N"),
        ("--reconstruction @test.txt", "takes two files, DECODED ORIGINALS, not 1"),
    ] {
        match call(folder.path(), line) {
            Err(Stop::Usage(message)) => assert!(message.contains(said), "{line}: {message}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn bad_files_are_named() {
    let folder = folder(&[("train.tsv", "a\tb\nc\n"), ("blank.txt", "\n \n"), ("decoded.txt", "a\n")]);
    for (line, said) in [
        ("@train.txt @gone.txt --real", "gone.txt: cannot be read"),
        ("@train.txt @test.txt @gone.txt", "gone.txt: cannot be read"),
        ("@train.tsv @test.txt --real --column 2", "train.tsv:2: no column 2, the line has 1"),
        ("@blank.txt @test.txt --real", "the training text has no sentence"),
        ("--reconstruction @decoded.txt @test.txt", "decoded.txt has 1 lines but"),
    ] {
        match call(folder.path(), line) {
            Err(Stop::Input(message)) => assert!(message.contains(said), "{line}: {message}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

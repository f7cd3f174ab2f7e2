//! Against repetition and sameness: searches, lengths, reranking, the dial.

use std::{fs, path::Path};

use super::{done, failed, fixture, folder, stderr, strait, text, train_args};

fn model() -> &'static str {
    text(&fixture().model)
}

fn sample<'a>(n: &'a str, flags: &[&'a str]) -> Vec<String> {
    let args = [&["sample", "-m", model(), "-n", n][..], flags].concat();
    done(&args).lines().map(str::to_owned).collect()
}

/// Every new way to write.
const WAYS: [&[&str]; 6] = [
    &["--contrastive", "0.6", "--max-len", "8"],
    &["--beam-groups", "3", "--max-len", "8"],
    &["--beam", "4", "--beam-groups", "2", "--diversity", "1.5", "--max-len", "8"],
    &["--words", "5"],
    &["--rerank", "3"],
    &["--rerank", "3", "--verify", "--temperature", "1"],
];

#[test]
fn a_text_is_the_same_alone_and_by_any_number_of_threads() {
    for way in WAYS {
        let texts = sample("7", way);
        assert_eq!(texts.len(), 7, "{way:?}");
        assert_eq!(sample("2", way), texts[..2], "{way:?}");
        let other = [&["--threads", "1"], way].concat();
        assert_eq!(sample("7", &other), texts, "{way:?}");
    }
}

#[test]
fn lengths_gather() {
    for words in [4_usize, 9] {
        let texts = sample("30", &["--words", &words.to_string(), "--max-len", "60"]);
        let mean = texts.iter().map(|t| t.split_whitespace().count()).sum::<usize>() as f64 / 30.0;
        assert!((mean - words as f64).abs() < 2.0, "{mean} for {words}");
    }
}

#[test]
fn one_candidate_is_no_choice_and_more_are() {
    assert_eq!(sample("5", &["--rerank", "1"]), sample("5", &[]));
    assert_ne!(sample("5", &["--rerank", "4"]), sample("5", &[]));
    assert_ne!(sample("5", &["--rerank", "4", "--verify"]), sample("5", &[]));
}

#[test]
fn what_cannot_be_is_refused_by_the_flags_name() {
    let refused = |flags: &[&str], status, word: &str| {
        let said = failed(&[&["sample", "-m", model()], flags].concat(), status);
        assert!(said.contains(word), "{flags:?}: {said}");
    };
    refused(&["--contrastive", "0.6", "--temperature", "0.5"], 2, "--contrastive");
    refused(&["--contrastive", "0.6", "--beam", "3"], 2, "--beam");
    refused(&["--contrastive", "1.5"], 2, "--contrastive = 1.5");
    refused(&["--beam", "5", "--beam-groups", "2"], 2, "--beam-groups");
    refused(&["--diversity", "1"], 2, "--diversity");
    refused(&["--words", "0"], 2, "--words");
    refused(&["--rerank", "3", "--greedy"], 2, "--greedy");
    refused(&["--rerank", "3", "--temperature", "0"], 1, "temperature");
    refused(&["--verify"], 2, "--rerank");
    refused(&["--rerank", "2", "--against", model()], 1, "lm-lstm");
    refused(&["--quality", "1.5"], 2, "--quality");
    refused(&["--quality", "0.5", "--temperature", "1"], 2, "--temperature");
    refused(&["--quality", "0.5"], 1, "strait calibrate");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn the_dial_is_measured_and_kept() {
    let dir = folder("dial").join("model");
    copy(&fixture().model, &dir);
    let (m, corpus) = (text(&dir), text(&fixture().corpus));
    let table = done(&["calibrate", "-m", m, corpus]);
    assert!(table.starts_with("quality"), "{table}");
    assert!(done(&["info", "-m", m]).contains("the dial of `strait sample --quality`"));
    let at = |quality: &str| done(&["sample", "-m", m, "-n", "100", "--quality", quality]);
    // From the sober end to the diverse one fluency falls; a network of a few steps is not more varied for it.
    let column = |line: &str, at: usize| line.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    let rows: Vec<[f64; 2]> = table.lines().skip(1).map(|line| [column(line, 0), column(line, 4)]).collect();
    assert_eq!((rows[0][0], rows[rows.len() - 1][0]), (1.0, 0.0), "{table}");
    assert!(rows.windows(2).all(|pair| pair[0][1] <= pair[1][1]), "{table}");
    assert_ne!(at("0"), at("1"));
    assert_eq!(at("0.4"), done(&["sample", "-m", m, "-n", "100", "--quality", "0.4", "--threads", "1"]));
    let kept = fs::read(dir.join("frontier.json")).unwrap();
    done(&["calibrate", "-m", m, corpus, "--threads", "1", "--json"]);
    assert_eq!(fs::read(dir.join("frontier.json")).unwrap(), kept);
    for file in ["model.safetensors", "prior.safetensors", "README.md"] {
        assert_eq!(fs::read(dir.join(file)).unwrap(), fs::read(fixture().model.join(file)).unwrap());
    }
    let few = strait().args(["calibrate", "-m", m, "-"]).write_stdin("one\ntwo\n").output().unwrap();
    assert!(!few.status.success() && stderr(&few).contains("at least 100"), "{}", stderr(&few));
}

#[test]
fn a_language_model_has_cures_of_its_own() {
    let lm = folder("cured-language-model").join("model");
    let cures = ["--recipe", "lm-lstm", "--set", "objective.unlikelihood=1", "--set", "decoder.scheduled_sampling=0.5"];
    done(&[train_args(&fixture().corpus, &lm), cures.to_vec()].concat());
    let said = failed(&["sample", "-m", text(&lm), "--rerank", "2"], 1);
    assert!(said.contains("--against"), "{said}");
    let against = done(&["sample", "-m", model(), "-n", "4", "--rerank", "3", "--against", text(&lm)]);
    assert_eq!(against.lines().count(), 4);
    assert_eq!(done(&["sample", "-m", text(&lm), "-n", "3", "--words", "6"]).lines().count(), 3);
    let window = ["--recipe", "window", "--force", "--set", "objective.unlikelihood=1"];
    let said = failed(&[train_args(&fixture().corpus, &lm), window.to_vec()].concat(), 1);
    assert!(said.contains("objective.unlikelihood"), "{said}");
}

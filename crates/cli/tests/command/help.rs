//! Help, usage and everything that needs no model.

use std::fs;

use super::{done, failed, folder, run, stderr, text};

const VERBS: [&str; 34] = [
    "demo",
    "train",
    "resume",
    "encode",
    "decode",
    "reconstruct",
    "sample",
    "generate",
    "interpolate",
    "vary",
    "topics",
    "evaluate",
    "info",
    "recipes",
    "completions",
    "index",
    "search",
    "dedup",
    "cluster",
    "map",
    "complete",
    "classify",
    "directions",
    "document",
    "steer",
    "analogy",
    "similarity",
    "score",
    "audit",
    "augment",
    "compare",
    "metrics",
    "gan",
    "serve",
];

#[test]
fn help_names_every_verb_and_the_exit_status() {
    let help = done(&["--help"]);
    for verb in VERBS {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb}: {help}");
    }
    assert!(help.contains("Exit status: 0 done, 1 failed or stopped, 2 wrong usage"), "{help}");
}

#[test]
fn every_flag_of_every_verb_is_explained() {
    for verb in VERBS {
        let help = done(&[verb, "-h"]);
        // Flags stand at most six blanks in; what is farther is an explanation that goes on.
        let is_flag = |l: &str| l.trim_start().starts_with('-') && l.len() - l.trim_start().len() <= 6;
        for (i, line) in help.lines().enumerate().filter(|(_, l)| is_flag(l)) {
            let explained = line.split("  ").filter(|part| !part.trim().is_empty()).count() > 1
                || help.lines().nth(i + 1).is_some_and(|next| next.starts_with("          "));
            assert!(explained, "{verb}: {line}");
        }
    }
}

#[test]
fn the_decoding_flags_are_the_same_everywhere() {
    let section = |verb: &str| {
        let help = done(&[verb, "-h"]);
        let (_, from) = help.split_once("Decoding:").unwrap();
        from.split_once("\n\n").map_or(from, |(section, _)| section).trim().to_owned()
    };
    let all = section("sample");
    for flag in ["greedy", "temperature", "top-k", "top-p", "min-p", "typical", "beam", "length-penalty"] {
        assert!(all.contains(&format!("--{flag} ")), "{flag}: {all}");
    }
    for verb in ["decode", "reconstruct", "interpolate", "vary", "steer", "analogy", "augment", "complete"] {
        assert_eq!(section(verb), all, "{verb}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &[][..],
        &["no-such-verb"],
        &["train"],
        &["train", "x.txt", "--minutes", "1", "--steps", "3"],
        &["train", "x.txt", "--minutes", "0"],
        &["train", "x.txt", "--size", "huge"],
        &["train", "x.txt", "--recipe", "daf"],
        &["sample"],
        &["sample", "-m", "x", "-n", "0"],
        &["sample", "-m", "x", "--greedy", "--top-k", "3"],
        &["encode", "-m", "x", "y.txt", "--json"],
        &["interpolate", "-m", "x", "-", "-"],
        &["sample", "-m", "x", "--threads", "0"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty(), "{args:?}");
    }
}

#[test]
fn a_mistyped_verb_or_recipe_is_answered_with_the_nearest() {
    assert!(failed(&["trian", "x"], 2).contains("'train'"));
    let said = failed(&["train", "x.txt", "--recipe", "daf"], 2);
    assert!(said.starts_with("error: no recipe `daf`") && said.contains("did you mean `dae`"), "{said}");
}

#[test]
fn recipes_are_listed_and_printed_as_files_that_train_reads() {
    assert!(done(&["recipes"]).starts_with("dae "));
    for line in done(&["recipes", "--json"]).lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].is_string());
    }
    let file = folder("recipes").join("mine.toml");
    fs::write(&file, done(&["recipes", "ae"])).unwrap();
    assert_eq!(done(&["recipes", text(&file)]), done(&["recipes", "ae"]));
    fs::write(&file, "[latent]\nsiez = 3\n").unwrap();
    let said = failed(&["train", "x.txt", "--recipe", text(&file)], 1);
    assert!(said.contains("mine.toml") && said.contains("siez"), "{said}");
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(done(&["completions", shell]).contains("interpolate"), "{shell}");
    }
    let dir = folder("help").join("man");
    done(&["man", text(&dir)]);
    for page in ["strait.1", "strait-train.1", "strait-sample.1"] {
        let page = fs::read_to_string(dir.join(page)).unwrap();
        assert!(page.contains(".TH") && page.contains("seed") | page.contains("demo"), "{page}");
    }
}

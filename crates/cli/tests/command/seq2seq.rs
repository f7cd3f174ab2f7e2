//! Pairs: trained on, written from, measured; what other verbs say of such a model.

use std::{fs, path::PathBuf, sync::OnceLock};

use super::{done, failed, fixture, folder, run, stderr, text};

/// Pairs of a small language and its mirror, and a model of them.
struct Pairs {
    file: PathBuf,
    model: PathBuf,
}

fn pairs() -> &'static Pairs {
    static PAIRS: OnceLock<Pairs> = OnceLock::new();
    PAIRS.get_or_init(|| {
        let dir = folder("seq2seq");
        let (file, model) = (dir.join("pairs.tsv"), dir.join("model"));
        let words = ["red", "blue", "old", "new", "fox", "hen", "runs", "sits"];
        let line = |i: usize| {
            let chosen = [words[i % 4], words[4 + i / 4 % 2], words[6 + i / 8 % 2], words[i / 16 % 8]];
            let mut mirrored = chosen;
            mirrored.reverse();
            format!("{}\t{}\n", chosen.join(" "), mirrored.join(" "))
        };
        fs::write(&file, (0..128).map(line).collect::<String>()).unwrap();
        let args =
            ["train", text(&file), "--task", "seq2seq", "--out", text(&model), "--steps", "12", "--size", "tiny"];
        done(&args);
        Pairs { file, model }
    })
}

#[test]
fn it_writes_a_line_for_each_source_and_the_best_of_a_beam() {
    let Pairs { model, .. } = pairs();
    let (m, sources) = (text(model), folder("seq2seq-sources").join("sources.txt"));
    fs::write(&sources, "red fox runs old\n\nblue hen sits new\n").unwrap();
    let s = text(&sources);
    let plain = done(&["generate", "-m", m, s]);
    assert_eq!(plain.lines().count(), 3);
    let json = done(&["generate", "-m", m, s, "-n", "2", "--json"]);
    let lines: Vec<serde_json::Value> = json.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(
        (&lines[0]["source"], &lines[0]["rank"], &lines[1]["rank"]),
        (&"red fox runs old".into(), &1.into(), &2.into())
    );
    assert!(lines[0]["score"].as_f64() >= lines[1]["score"].as_f64());
    let draws = |seed: &str| done(&["generate", "-m", m, s, "-n", "3", "--temperature", "1", "--seed", seed]);
    assert_eq!(draws("1"), draws("1"));
    assert_ne!(draws("1"), draws("2"));
    assert!(done(&["generate", "-m", m, s, "--greedy", "--prefix", "old"]).lines().all(|l| l.starts_with("old")));
    let page = folder("seq2seq-page").join("attention.html");
    done(&["generate", "-m", m, s, "--explain", text(&page)]);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Pair 3") && page.contains("fox") && page.contains("--w:"));
}

#[test]
fn it_is_measured_on_pairs() {
    let Pairs { file, model } = pairs();
    let m = text(model);
    let seen = done(&["evaluate", "-m", m, text(file), "--quick"]);
    assert!(seen.contains("nats per token") && seen.contains("another source"), "{seen}");
    assert!(seen.contains("nrefs:1|case:mixed") && seen.contains("TER") && seen.contains("SARI"), "{seen}");
    let page = folder("seq2seq-measured").join("page.html");
    let args = ["evaluate", "-m", m, text(file), "--json", "--references", "1", "--html", text(&page)];
    let json: serde_json::Value = serde_json::from_str(&done(&args)).unwrap();
    assert_eq!((&json["pairs"], &json["references"][0]), (&128.into(), &2.into()));
    assert!(json["scores"][0]["low"].as_f64() <= json["scores"][0]["value"].as_f64());
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Written for sources") && page.contains("nrefs:2"));
    assert!(done(&["info", "-m", m]).contains("writes a target for each source"));
    assert!(fs::read_to_string(model.join("README.md")).unwrap().contains("strait generate"));
}

#[test]
fn other_verbs_say_which_work() {
    let m = text(&pairs().model);
    let corpus = text(&fixture().corpus);
    for args in [
        vec!["encode", "-m", m, corpus],
        vec!["reconstruct", "-m", m, corpus],
        vec!["sample", "-m", m],
        vec!["score", "-m", m, corpus],
        vec!["vary", "-m", m, "red"],
    ] {
        let said = failed(&args, 1);
        assert!(said.contains("strait generate"), "{args:?}: {said}");
    }
    let said = failed(&["generate", "-m", text(&fixture().model), corpus], 1);
    assert!(said.contains("--task seq2seq"), "{said}");
}

#[test]
fn flags_that_contradict_each_other_are_wrong_usage() {
    let file = text(&pairs().file);
    let out = folder("seq2seq-usage").join("model");
    for extra in [
        vec!["--recipe", "dae", "--source-column", "1"],
        vec!["--recipe", "dae", "--task", "seq2seq"],
        vec!["--recipe", "seq2seq-lstm", "--task", "autoencode"],
    ] {
        let said = failed(&[vec!["train", file, "--out", text(&out)], extra].concat(), 2);
        assert!(said.contains("the recipe"), "{said}");
    }
    let plain = text(&fixture().corpus);
    let output = run(&["train", plain, "--task", "seq2seq", "--out", text(&out)]);
    assert!(stderr(&output).contains("--source-column"), "{}", stderr(&output));
}

#[test]
fn recipes_of_pairs_are_compared_and_their_differences_tested() {
    let (file, out) = (text(&pairs().file).to_owned(), folder("seq2seq-compare").join("out"));
    let args = [
        "compare",
        &file,
        "--task",
        "seq2seq",
        "--minutes",
        "0.02",
        "--size",
        "tiny",
        "--texts",
        "20",
        "--out",
        text(&out),
    ];
    let said = done(&args);
    assert!(said.contains("BLEU, seq2seq-lstm less seq2seq-transformer"), "{said}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Paired bootstrap") && page.contains("0.02 minutes for each recipe"));
    let again = done(&args);
    assert_eq!(said, again);
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("trained before: seq2seq-lstm (") && !page.contains("0.02 minutes for each"));
    let said = failed(&["compare", &file, "--recipes", "dae,seq2seq-lstm", "--out", text(&out)], 2);
    assert!(said.contains("recipes of one task"), "{said}");
}

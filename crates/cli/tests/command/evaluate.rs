//! `strait evaluate` on the small model: the report, the object, what is refused.

use std::fs;

use serde_json::Value;

use super::{done, failed, fixture, folder, run, stderr, stdout, text};

const LIGHT: [&str; 7] = ["--seeds", "2", "--no-lstm-judge", "--samples", "30", "--temperatures", "0.5,1"];

fn evaluate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let fixture = fixture();
    [&["evaluate", "-m", text(&fixture.model), text(&fixture.corpus)], more].concat()
}

fn with_train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    evaluate(&[&["--train", text(&fixture().corpus)], &LIGHT[..], more].concat())
}

#[test]
fn the_report_has_every_part_that_applies() {
    let page = folder("evaluate").join("page.html");
    let report = done(&with_train(&["--html", text(&page)]));
    for part in ["LIKELIHOOD", "USE OF THE LATENT", "RECONSTRUCTION", "PRIOR", "NEIGHBOURS", "SAMPLES", "LEFT OUT"] {
        assert!(report.contains(&format!("\n{part}")), "{part}: {report}");
    }
    // The model of the fixture is deterministic.
    let words = report.split_whitespace().collect::<Vec<_>>().join(" "); // prose is broken into lines
    assert!(words.contains("the latent is a point") && words.contains("not a likelihood"), "{report}");
    assert!(report.contains("forward perplexity, KN-5") && report.contains("real text"), "{report}");
    assert!(report.lines().all(|l| l.chars().count() <= 150), "{report}");
    assert!(fs::read_to_string(page).unwrap().starts_with("<!DOCTYPE html>"));
}

#[test]
fn json_is_one_object_and_the_same_for_any_threads() {
    let json = done(&with_train(&["--json"]));
    assert_eq!(json.lines().count(), 1);
    assert_eq!(done(&with_train(&["--json", "--threads", "1"])), json);
    let figures: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(figures["likelihood"]["kind"], "none");
    assert_eq!(figures["samples"]["n"], 30);
    assert_eq!(figures["samples"]["seeds"], serde_json::json!([1, 2]));
    let rows = figures["samples"]["rows"].as_array().unwrap();
    assert_eq!(
        rows.iter().map(|r| r["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["model", "KN-5 samples", "real text"]
    );
    assert_eq!(rows[0]["figures"]["kn5_reverse_perplexity"]["n"], 2);
    // The held-out texts are the training texts here.
    assert_eq!(rows[2]["figures"]["copied"]["mean"], 1.0);
    assert_eq!(figures["samples"]["temperatures"].as_array().unwrap().len(), 2);
    // Samples are those of `strait sample`.
    let model = text(&fixture().model);
    let drawn = done(&["sample", "-m", model, "-n", "8", "--seed", "1", "--json"]);
    let drawn: Vec<Value> = drawn.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["text"].clone()).collect();
    assert_eq!(figures["samples"]["examples"].as_array().unwrap()[..], drawn[..]);
}

#[test]
fn without_the_training_text_it_says_how_to_get_the_rest() {
    let report = done(&evaluate(&["--quick", "--seeds", "1", "--samples", "20"]));
    assert!(report.contains("--train FILE"), "{report}");
    assert!(!report.contains("KN-5") && report.contains("self-BLEU-4"), "{report}");
}

#[test]
fn an_lstm_judges_for_the_minutes_given() {
    let args = evaluate(&["--train", text(&fixture().corpus), "--seeds", "1", "--judge-minutes", "0.002"]);
    let output = run(&[&args[..], &["--json"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let figures: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let lstm = &figures["samples"]["judged_by"]["lstm"];
    assert!(lstm["perplexity"].as_f64().unwrap() > 1.0 && lstm["vocabulary"].as_u64().unwrap() > 10, "{lstm}");
    for row in figures["samples"]["rows"].as_array().unwrap() {
        assert!(row["figures"]["lstm_reverse_perplexity"]["mean"].as_f64().unwrap() > 1.0, "{row}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused_by_name() {
    let few = folder("evaluate").join("few.txt");
    fs::write(&few, "one\ntwo\n").unwrap();
    let model = text(&fixture().model);
    assert!(failed(&["evaluate", "-m", model, text(&few)], 1).contains("only 2 texts"));
    assert!(failed(&["evaluate", "-m", model, "nowhere.txt"], 1).contains("nowhere.txt"));
    assert!(failed(&evaluate(&["--train", "nowhere.txt"]), 1).contains("nowhere.txt"));
    assert!(failed(&evaluate(&["--beside", "nowhere"]), 1).contains("nowhere"));
    for wrong in [
        &["--importance", "0"][..],
        &["--temperatures", "0.5,-1"],
        &["--judge-minutes", "1", "--no-lstm-judge"],
        &["--seeds", "0"],
    ] {
        failed(&evaluate(wrong), 2);
    }
    failed(&["evaluate", "-m", model, "-", "--train", "-"], 2);
}

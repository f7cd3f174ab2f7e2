//! `strait metrics`.

use std::{fs, path::PathBuf};

use serde_json::Value;

use super::{done, failed, folder, run, stderr, stdout, strait, text};

const REFERENCES: &str = "the old boat sails home today .\nit rains on the pier .\nnobody waits there .\n";

/// A file of its own for a test.
fn file(name: &str, contents: &str) -> PathBuf {
    let path = folder("metrics").join(name);
    fs::write(&path, contents).unwrap();
    path
}

/// The metrics of a JSON report.
fn metrics(json: &str) -> Vec<Value> {
    let report: Value = serde_json::from_str(json).unwrap();
    report["metrics"].as_array().unwrap().clone()
}

#[test]
fn scores_stand_beside_their_interval_and_signature() {
    let (right, references) = (file("right.txt", REFERENCES), file("references.txt", REFERENCES));
    let printed = done(&["metrics", text(&right), text(&references), "--metric", "bleu,ter"]);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines[1],
        "BLEU        100.00  100.00 to 100.00        3  nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
    );
    assert_eq!(lines[2], "  brevity penalty 1.00, length ratio 1.00");
    assert!(lines[3].starts_with("TER           0.00") && lines[3].contains("tok:tercom"), "{printed}");
    let json = done(&["metrics", text(&right), text(&references), "--json"]);
    let names: Vec<Value> = metrics(&json).iter().map(|m| m["metric"].clone()).collect();
    assert_eq!(names, ["BLEU", "chrF2", "chrF2++", "TER"]);
}

#[test]
fn two_systems_are_compared() {
    let references = file("many.txt", &REFERENCES.repeat(10));
    let good = file("good.txt", &REFERENCES.replace("today ", "").repeat(10));
    let bad = file("bad.txt", &"a boat goes .\nthe pier is wet .\nsome wait there .\n".repeat(10));
    let args = ["metrics", text(&good), text(&references), "--against", text(&bad), "--metric", "chrf,ter"];
    let printed = done(&args);
    for line in printed.lines().skip(1) {
        assert!(line.contains(" 100 %  0.0010  nrefs:1"), "{printed}");
    }
    let args = [&args[..], &["--json"]].concat();
    assert!(metrics(&done(&args))[0]["against"]["p_value"].as_f64().unwrap() < 0.01);
    let mut one_thread = args.clone();
    one_thread.extend(["--threads", "1"]);
    assert_eq!(done(&args), done(&one_thread));
}

#[test]
fn columns_of_one_table_serve_as_all() {
    let table =
        file("table.tsv", "source\tone\ttwo\nhe was very glad\the was glad\the was happy\nit is so\tso it is\tit is\n");
    let table = text(&table);
    let args = ["metrics", table, table, "--column", "source", "--reference-column", "one,two", "--source", table];
    let args = [&args[..], &["--source-column", "1", "--task", "simplification", "--json"]].concat();
    let found = metrics(&done(&args));
    assert_eq!((&found[0]["metric"], &found[0]["parts"][0]["value"]), (&"SARI".into(), &0.0.into())); // a copy adds nothing
    assert!(found[0]["signature"].as_str().unwrap().starts_with("nrefs:2|"));
    let said = failed(&["metrics", table, table, "--reference-column", "three"], 1);
    assert!(said.contains("--reference-column") && said.contains("three"), "{said}");
}

#[test]
fn records_of_one_source_are_joined() {
    let table = "name[Lark], food[Thai]\tLark serves Thai food .\nname[Lark], food[Thai]\tThai food at Lark .\nname[Owl]\tThis is Owl .\n";
    let table = file("slots.tsv", table);
    let table = text(&table);
    let args = ["metrics", table, table, "--column", "2", "--reference-column", "2", "--source", table];
    let args = [&args[..], &["--source-column", "1", "--group", "--json"]].concat();
    let output = run(&args);
    assert!(stderr(&output).contains("3 records have 2 sources"), "{}", stderr(&output));
    let found = metrics(&stdout(&output));
    assert!(found[0]["signature"].as_str().unwrap().starts_with("nrefs:var|"));
    assert_eq!(
        (&found[3]["metric"], &found[3]["value"], &found[3]["n"]),
        (&"slot error".into(), &0.0.into(), &2.into())
    );
}

#[test]
fn chinese_is_cut_into_characters() {
    let file = file("chinese.txt", "今天下雨。\n他有三本书。\n");
    let output = run(&["metrics", text(&file), text(&file)]);
    assert!(stderr(&output).contains("--tokenize to override"), "{}", stderr(&output));
    assert!(stdout(&output).contains("tok:zh"), "{}", stdout(&output));
    let none = done(&["metrics", text(&file), text(&file), "--tokenize", "none", "--smooth", "floor=0.01"]);
    assert!(none.contains("tok:none|smooth:floor[0.01]"), "{none}");
}

#[test]
fn what_does_not_fit_is_named() {
    let (three, two) = (file("three.txt", REFERENCES), file("two.txt", "a\nb\n"));
    let said = failed(&["metrics", text(&three), text(&two)], 2);
    assert!(said.contains("three.txt has 3 records, but") && said.contains("two.txt has 2 records"), "{said}");
    let said = failed(&["metrics", text(&three), text(&three), "--metric", "sari"], 2);
    assert!(said.contains("SARI needs the sources: give --source"), "{said}");
    let said = failed(&["metrics", text(&three), text(&three), "--metric", "meteor"], 2);
    assert!(said.contains("bleu, chrf"), "{said}");
    let said = failed(&["metrics", text(&three), text(&three), "--source", text(&three), "--metric", "slots"], 1);
    assert!(said.contains("record 1") && said.contains("is no meaning"), "{said}");
    assert!(failed(&["metrics", "-", "-"], 2).contains("standard input can be read once"));
    assert!(failed(&["metrics", text(&three), text(&three), "--group"], 2).contains("--source"));
}

#[test]
fn texts_come_from_standard_input() {
    let references = file("for_stdin.txt", REFERENCES);
    let output =
        strait().args(["metrics", "-", text(&references), "--metric", "bleu"]).write_stdin(REFERENCES).output();
    assert!(stdout(&output.unwrap()).contains("BLEU        100.00"));
}

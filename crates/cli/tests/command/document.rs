//! Documents: trained on, ordered, continued, filled, summarised and measured.

use std::{fs, path::PathBuf, sync::OnceLock};

use super::{done, failed, fixture, folder, run, stderr, stdout, text};

/// Documents of the fixture's sentences in turn, and a document model of them.
struct Documents {
    file: PathBuf,
    model: PathBuf,
}

fn documents() -> &'static Documents {
    static DOCUMENTS: OnceLock<Documents> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let (fixture, dir) = (fixture(), folder("document"));
        let corpus = fs::read_to_string(&fixture.corpus).unwrap();
        let lines: Vec<&str> = corpus.lines().collect();
        let (file, model) = (dir.join("documents.txt"), dir.join("model"));
        fs::write(&file, lines.chunks(8).map(|d| d.join("\n")).collect::<Vec<_>>().join("\n\n")).unwrap();
        let small = ["--steps", "20", "--hidden", "16", "--components", "2", "--plan", "4", "--json"];
        let paths = ["document", "train", text(&file), "-m", text(&fixture.model), "-o", text(&model)];
        let losses = done(&[&paths[..], &small].concat());
        let last: serde_json::Value = serde_json::from_str(losses.lines().last().unwrap()).unwrap();
        assert!(last["step"] == 20 && last["valid_nats"].is_f64(), "{last}");
        Documents { file, model }
    })
}

/// `strait document VERB -m MODEL` with more arguments.
fn verb<'a>(verb: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["document", verb, "-m", text(&documents().model)][..], more].concat()
}

fn part(name: &str, lines: usize, gap: bool) -> PathBuf {
    let whole = fs::read_to_string(&documents().file).unwrap();
    let mut lines: Vec<&str> = whole.lines().filter(|l| !l.is_empty()).take(lines).collect();
    if gap {
        lines[1] = "[...]";
    }
    let file = folder("document").join(name);
    fs::write(&file, lines.join("\n")).unwrap();
    file
}

#[test]
fn sentences_are_written_and_the_same_again() {
    let text_file = part("start.txt", 4, false);
    let args = verb("continue", &[text(&text_file), "-n", "3", "--json"]);
    let written = done(&args);
    let lines: Vec<serde_json::Value> = written.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines.len() == 3 && lines.iter().all(|l| l["text"].is_string() && l["gain"].is_f64()), "{written}");
    assert_eq!(done(&args), written);
    assert!((1..=4).contains(&done(&verb("outline", &["-n", "4"])).lines().count()));
    let gap = part("gap.txt", 5, true);
    assert_eq!(done(&verb("infill", &[text(&gap)])).lines().count(), 1);
    assert!(failed(&verb("infill", &[text(&text_file)]), 2).contains("[...]"));
}

#[test]
fn sentences_are_ordered_and_chosen() {
    let text_file = part("whole.txt", 6, false);
    let ordered = done(&verb("order", &[text(&text_file)]));
    let original = fs::read_to_string(&text_file).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&ordered), sorted(&original));
    let summary: serde_json::Value =
        serde_json::from_str(&done(&verb("summarise", &[text(&text_file), "-k", "2", "--json"]))).unwrap();
    assert!(summary["sentences"].as_array().unwrap().len() == 2 && summary["centre"].is_string(), "{summary}");
}

#[test]
fn a_model_is_measured() {
    let file = &documents().file;
    let report = done(&verb("evaluate", &[text(file), "--passages", "20", "--length", "4", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["ordering"].as_array().unwrap().len(), 4);
    assert_eq!(report["next"].as_array().unwrap().len(), 5);
    // A language model reads them as flat texts.
    let language = folder("document").join("language");
    let small = ["--recipe", "lm-lstm", "--size", "tiny", "--steps", "10", "--out", text(&language)];
    done(&[&["train", text(file)][..], &small].concat());
    let beside = ["--passages", "5", "--context", "3", "--sentences", "2", "--texts", "3", "--beside", text(&language)];
    let table = done(&verb("evaluate", &[&[text(file)][..], &beside].concat()));
    assert!(table.contains("Kendall") && table.contains("chance") && table.contains("what stands there"), "{table}");
    assert_eq!(table.matches("language model").count(), 3, "{table}");
    let most = ["--passages", "2", "--context", "3", "--sentences", "2", "--seed", "18446744073709551615"];
    done(&verb("evaluate", &[&[text(file)][..], &most].concat()));
    let model = text(&fixture().model);
    assert!(failed(&verb("evaluate", &[text(file), "--beside", model]), 1).contains("no language model"));
    let short = part("short.txt", 4, false);
    assert!(failed(&verb("evaluate", &[text(&short)]), 1).contains("at least two documents"));
}

#[test]
fn documents_beside_are_attended_to() {
    let (dir, plain) = (folder("document-given"), documents());
    let corpus = fs::read_to_string(&plain.file).unwrap();
    let all: Vec<&str> = corpus.split("\n\n").collect();
    let record = |i: usize| {
        let beside = format!("{}\n\n{}", all[(i + 1) % all.len()], all[(i + 2) % all.len()]);
        serde_json::json!({ "body": all[i], "beside": beside }).to_string()
    };
    let (file, model, beside) = (dir.join("documents.jsonl"), dir.join("model"), dir.join("beside.txt"));
    fs::write(&file, (0..all.len()).map(record).collect::<Vec<_>>().join("\n")).unwrap();
    fs::write(&beside, all[..2].join("\n\n")).unwrap();
    let columns = ["--column", "body", "--given", "beside"];
    let train = |file: &str, more: &[&str]| {
        let small = ["--steps", "8", "--hidden", "16", "--components", "2", "--plan", "4"];
        let paths = ["document", "train", file, "-m", text(&fixture().model), "-o", text(&model)];
        run(&[&paths[..], &small, more].concat())
    };
    let said = |output| stderr(&output);
    assert!(said(train(text(&file), &columns)).contains("given"), "an LSTM attends to nothing");
    let transformer = [&columns[..], &["--kind", "transformer"]].concat();
    let columnless = train(text(&plain.file), &["--kind", "transformer", "--given", "beside"]);
    assert!(said(columnless).contains("--given"), "a text file has no columns");
    let none = ["--kind", "transformer", "--column", "body", "--given", "nowhere"];
    assert!(said(train(text(&file), &none)).contains("--given"));
    assert!(!model.exists());
    let trained = train(text(&file), &transformer);
    assert!(trained.status.success(), "{}", stderr(&trained));
    let start = part("given.txt", 3, false);
    let verb = |name: &str, model: &PathBuf, more: &[&str]| {
        run(&[&["document", name, "-m", text(model), text(&start)][..], more].concat())
    };
    let given = ["--given", text(&beside)];
    for name in ["continue", "order"] {
        let output = verb(name, &model, &given);
        assert!(output.status.success() && !stdout(&output).is_empty(), "{}", stderr(&output));
        assert_ne!(verb(name, &model, &[&given[..], &["--json"]].concat()).stdout, Vec::<u8>::new());
        assert!(said(verb(name, &plain.model, &given)).contains("--given COLUMN"), "a model that attends to nothing");
    }
    let gain = |more: &[&str]| stdout(&verb("continue", &model, &[&["-n", "1", "--json"], more].concat()));
    assert_ne!(gain(&given), gain(&[]));
    let few = ["--passages", "5", "--texts", "2", "--sentences", "1", "--context", "2", "--json"];
    let report = verb("evaluate", &model, &[&["--column", "body"][..], &few].concat());
    assert!(!report.status.success(), "the text has no columns");
    let evaluate = ["document", "evaluate", "-m", text(&model), text(&file)];
    let report: serde_json::Value = serde_json::from_str(&done(&[&evaluate[..], &columns, &few].concat())).unwrap();
    assert!(["own", "other", "none"].iter().all(|name| report["given"][name].is_f64()), "{report}");
    assert!(done(&[&evaluate[..], &columns, &few[..8]].concat()).contains("beside nothing"));
}

#[test]
fn what_cannot_be_done_is_said() {
    let (fixture, dir) = (fixture(), folder("document"));
    let [one, out] = [part("one.txt", 5, false), dir.join("none")];
    let train = |file: &str, model: &str| {
        let args = ["document", "train", file, "-m", model, "-o", text(&out)];
        let output = run(&args);
        assert!(!output.status.success() && stdout(&output).is_empty() && !out.exists());
        stderr(&output)
    };
    assert!(train(text(&one), text(&fixture.model)).contains("blank lines"));
    assert!(train(text(&documents().file), "no-model").contains("no-model"));
    assert!(failed(&["document", "order", "-m", text(&fixture.model), text(&one)], 2).contains("document train"));
    assert!(failed(&["document", "order", "-m", "nowhere", text(&one)], 2).contains("document train"));
    // A damaged sentence model inside is found, too.
    let copy = dir.join("damaged");
    fs::create_dir_all(copy.join("sentences")).unwrap();
    for name in ["document.json", "document.safetensors"] {
        fs::copy(documents().model.join(name), copy.join(name)).unwrap();
    }
    for entry in fs::read_dir(documents().model.join("sentences")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join("sentences").join(path.file_name().unwrap())).unwrap();
    }
    done(&["document", "order", "-m", text(&copy), text(&one)]);
    fs::write(copy.join("sentences/tokenizer.json"), "{}").unwrap();
    assert!(failed(&["document", "order", "-m", text(&copy), text(&one)], 1).contains("tokenizer.json"));
}

/// Stories of six stages in their order, each with its own words, names and things that vary.
fn stories(n: usize) -> String {
    let pick = |words: &[&'static str], seed: usize| words[seed % words.len()];
    let story = |i: usize| {
        let name = pick(&["anna", "ben", "clara", "dan", "eva"], i * 7 / 3);
        let food = pick(&["bread", "soup", "rice", "fish"], i * 5 / 2);
        let place = pick(&["market", "harbour", "mill"], i * 11 / 4);
        let thing = pick(&["kite", "lamp", "drum", "boat"], i * 13 / 5);
        [
            format!("{name} woke up and opened the window ."),
            format!("{name} ate some {food} in the kitchen ."),
            format!("then {name} walked to the {place} ."),
            format!("at the {place} there was a {thing} for sale ."),
            format!("{name} carried the {thing} home again ."),
            format!("at night {name} slept very well ."),
        ]
        .join("\n")
    };
    (0..n).map(story).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn the_order_of_made_stories_is_learned() {
    let dir = folder("stories");
    let [train, test] = ["train.txt", "test.txt"].map(|name| dir.join(name));
    let all = stories(240);
    let documents: Vec<&str> = all.split("\n\n").collect();
    fs::write(&train, documents[..200].join("\n\n")).unwrap();
    fs::write(&test, documents[200..].join("\n\n")).unwrap();
    let [sentences, model] = ["sentences", "model"].map(|name| dir.join(name));
    let learn =
        ["train", text(&train), "--out", text(&sentences), "--steps", "120", "--size", "tiny", "--vocab", "300"];
    done(&learn);
    let paths = ["document", "train", text(&train), "-m", text(&sentences), "-o", text(&model)];
    done(&[&paths[..], &["--steps", "150", "--hidden", "32", "--lr", "5e-3", "--plan", "4"]].concat());
    let report = done(&["document", "evaluate", "-m", text(&model), text(&test), "--passages", "100", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let tau = report["ordering"][0]["tau"].as_f64().unwrap();
    let right = report["next"][0]["accuracy"].as_f64().unwrap();
    assert!(tau > 0.8, "{report}");
    assert!(right > 0.3, "chance is a tenth: {report}");
    let neighbours = report["ordering"][1]["tau"].as_f64().unwrap();
    assert!(tau > neighbours + 0.3, "{report}");
}

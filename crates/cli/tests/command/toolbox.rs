//! The verbs on latents: search, duplicates, groups, labels, steering, oddness.

use std::fs;

use serde_json::Value;
use strait::text::{
    grammar::{Grammar, Language},
    read::Format,
};

use super::{done, failed, fixture, folder, run, stderr, strait, text};

fn model() -> &'static str {
    text(&fixture().model)
}

fn corpus() -> &'static str {
    text(&fixture().corpus)
}

fn object(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// A csv of sentences in two languages, labelled by the language.
fn labelled(name: &str) -> std::path::PathBuf {
    let file = folder(name).join("labelled.csv");
    let mut rows = String::from("text,language\n");
    for (language, label) in [(Language::English, "english"), (Language::Chinese, "chinese")] {
        for sentence in Grammar::default().corpus(60, Some(language), 3) {
            rows += &format!("\"{}\",{label}\n", sentence.text.replace('"', "\"\""));
        }
    }
    fs::write(&file, rows).unwrap();
    file
}

#[test]
fn a_text_finds_itself_and_an_index_finds_the_same() {
    let line = fs::read_to_string(corpus()).unwrap().lines().nth(41).unwrap().to_owned();
    let found = done(&["search", "-m", model(), "--in", corpus(), &line, "-k", "3"]);
    let fields: Vec<Vec<&str>> = found.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!(fields.len(), 3);
    assert_eq!((fields[0][0], fields[0][1], fields[0][2], fields[0][3]), ("0.0000", "1.0000", "42", &line[..]));
    assert!(fields[1][0] <= fields[2][0], "{found}");

    let index = folder("search").join("corpus.index");
    let report = done(&["index", "-m", model(), corpus(), "-o", text(&index), "--json"]);
    assert_eq!((&object(&report)["texts"], &object(&report)["recall"]), (&200.into(), &1.0.into()));
    assert_eq!(done(&["search", "-m", model(), "--in", text(&index), &line, "-k", "3"]), found);
    let json = done(&["search", "-m", model(), "--in", text(&index), "--queries", corpus(), "-k", "1", "--json"]);
    for (i, line) in json.lines().enumerate() {
        let hit = &object(line)["hits"][0];
        assert!(hit["row"] == i || hit["distance"] == 0.0, "{line}"); // the corpus may hold a text twice
    }
    // It is not replaced unasked, and a damaged one is named.
    assert!(failed(&["index", "-m", model(), corpus(), "-o", text(&index)], 1).contains("already there"));
    done(&["index", "-m", model(), corpus(), "-o", text(&index), "--force"]);
    let records = index.join("records.jsonl");
    fs::write(&records, "{\"text\": \"x\"}\n").unwrap();
    let said = failed(&["search", "-m", model(), "--in", text(&index), "x"], 1);
    assert!(said.contains("records.jsonl") && said.contains("damaged"), "{said}");
}

#[test]
fn what_stands_twice_is_left_out() {
    let lines = fs::read_to_string(corpus()).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let file = folder("dedup").join("twice.txt");
    fs::write(&file, [&lines[..30], &lines[10..15]].concat().join("\n")).unwrap();
    let output = run(&["dedup", "-m", model(), text(&file), "--threshold", "0"]);
    let kept = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(kept.lines().collect::<Vec<_>>(), lines[..30]);
    assert!(stderr(&output).contains("5 of 35 texts would go"), "{}", stderr(&output));
    let groups = object(&done(&["dedup", "-m", model(), text(&file), "--threshold", "0", "--groups", "--json"]));
    let groups = groups["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 5);
    assert!(groups.iter().all(|g| g[0]["text"] == g[1]["text"] && g[0]["row"].as_u64() < Some(30)));
}

#[test]
fn groups_hold_every_text() {
    let report = object(&done(&["cluster", "-m", model(), corpus(), "-k", "4", "--json"]));
    let clusters = report["clusters"].as_array().unwrap();
    assert_eq!(clusters.iter().map(|c| c["size"].as_u64().unwrap()).sum::<u64>(), 200);
    assert!(clusters.iter().all(|c| !c["words"].as_array().unwrap().is_empty() && c["medoids"][0].is_u64()));
    assert_eq!(done(&["cluster", "-m", model(), corpus(), "-k", "4", "--assign"]).lines().count(), 200);
    // Two languages are two groups.
    let file = labelled("cluster");
    let assigned = done(&["cluster", "-m", model(), text(&file), "-k", "2", "--assign"]);
    let of: Vec<&str> = assigned.lines().map(|l| l.split('\t').next().unwrap()).collect();
    let same = |part: &[&str]| part.iter().filter(|c| **c == part[0]).count();
    assert!(same(&of[..60]) > 50 && same(&of[60..]) > 50 && of[0] != of[60], "{of:?}");
    assert!(failed(&["cluster", "-m", model(), corpus(), "-k", "1000"], 1).contains("1000"));
}

#[test]
fn labels_are_learned_and_told() {
    let file = labelled("classify");
    let classifier = folder("classify").join("language.json");
    let learn = ["classify", "-m", model(), "--train", text(&file), "--label-column", "language"];
    let report = object(&done(&[&learn[..], &["-o", text(&classifier), "--json", "--shuffles", "19"]].concat()));
    assert!(report["accuracy"].as_f64() > Some(0.9) && report["p_value"].as_f64() < Some(0.06), "{report}");
    let output =
        run(&["classify", "-m", model(), text(&file), "--by", text(&classifier), "--label-column", "language"]);
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(told.lines().count(), 120);
    assert!(told.lines().take(60).filter(|l| l.starts_with("english\t")).count() > 55, "{told}");
    assert!(stderr(&output).contains("accuracy"), "{}", stderr(&output));
    // Without labels there is nothing to learn; another file is no classifier.
    assert!(failed(&["classify", "-m", model(), "--train", corpus()], 1).contains("--label-column"));
    assert!(failed(&["classify", "-m", model(), corpus(), "--by", corpus()], 1).contains("does not hold a classifier"));
    assert!(failed(&["classify", "-m", model(), corpus()], 2).contains("--by"));
}

#[test]
fn texts_are_steered_and_checked() {
    let file = labelled("steer");
    let by = folder("steer").join("directions.json");
    // Sentences of one language are longer: the length may change with it.
    let learn = ["directions", "-m", model(), text(&file), "--label-column", "language", "--with-length"];
    let reports = done(&[&learn[..], &["-o", text(&by), "--json"]].concat());
    let reports = object(&reports);
    assert!(reports.as_array().unwrap().iter().all(|r| r["auc"].as_f64() > Some(0.9)), "{reports}");
    // The same from two files of a few examples.
    let rows = fs::read_to_string(&file).unwrap();
    let (english, chinese) = (folder("steer").join("en.txt"), folder("steer").join("zh.txt"));
    let part = |from: usize| rows.lines().skip(1 + from).take(20).collect::<Vec<_>>().join("\n");
    fs::write(&english, part(0)).unwrap();
    fs::write(&chinese, part(60)).unwrap();
    let sides = ["english", "chinese"].into_iter().zip([&english, &chinese]).map(|(l, f)| format!("{l}={}", text(f)));
    let sides: Vec<String> = sides.collect();
    let few = folder("steer").join("few.json");
    done(&["directions", "-m", model(), "--side", &sides[0], "--side", &sides[1], "--with-length", "-o", text(&few)]);
    let few = ["steer", "-m", model(), "--by", text(&few), "--toward", "chinese", "We like it.", "--json"];
    assert!(object(&done(&few))["before"].as_f64() < Some(0.5));
    let steer = ["steer", "-m", model(), "--by", text(&by), "--toward", "chinese"];
    let edit = object(&done(&[&steer[..], &["We like the old town.", "--json"]].concat()));
    let before = edit["before"].as_f64().unwrap();
    assert!(
        before < 0.5 && edit["probability"].as_f64() >= Some(0.0) && edit["strength"].as_f64() > Some(0.0),
        "{edit}"
    );
    // A text that is there already stays as it is.
    let there = [&steer[..5], &["--toward", "english", "We like the old town."]].concat();
    assert_eq!(done(&there), "We like the old town.\n");
    // Strength 0 is the reconstruction.
    let still = done(&[&steer[..], &["We like the old town.", "--strength", "0"]].concat());
    let one = folder("steer").join("one.txt");
    fs::write(&one, "We like the old town.\n").unwrap();
    assert_eq!(still, done(&["reconstruct", "-m", model(), text(&one)]));
    // What cannot be verified comes back as it was: no outcome holds all of these words.
    let kept = [&steer[..], &["We like the old town.", "--verify", "--content", "1.01"]].concat();
    assert_eq!(done(&kept), "We like the old town.\n");
    let said = failed(&["steer", "-m", model(), "--by", text(&by), "--toward", "latin", "a"], 1);
    assert!(said.contains("latin") && said.contains("chinese"), "{said}");
    assert_eq!(done(&["analogy", "-m", model(), "a", "a", "We like the old town."]), still);
}

#[test]
fn further_columns_are_left_alone() {
    let dir = folder("remove");
    let (file, by) = (dir.join("sentences.csv"), dir.join("directions.json"));
    let mut bytes = Vec::new();
    strait::text::grammar::write(&Grammar::default().corpus(240, None, 4), Format::Csv, &mut bytes).unwrap();
    fs::write(&file, bytes).unwrap();
    let learn = ["directions", "-m", model(), text(&file), "--label-column", "language", "-o", text(&by)];
    let reports = object(&done(&[&learn[..], &["--remove", "topic,tense", "--json"]].concat()));
    for report in reports.as_array().unwrap() {
        let effects = report["side_effects"].as_array().unwrap();
        let of = |name: &str| effects.iter().filter(|e| e["attribute"] == name).count();
        assert!(of("topic") > 2 && of("tense") > 2, "{report}");
        assert!(effects.iter().all(|e| e["after"].as_f64() <= Some(1.0)), "{report}");
    }
    let told = done(&[&learn[..], &["--remove", "topic"]].concat());
    assert_eq!(told.lines().filter(|l| l.contains(", topic ") && l.contains("unless removed")).count(), 2, "{told}");
    done(&["steer", "-m", model(), "--by", text(&by), "--toward", "zh", "We like the old town."]);
    // What the labels are themselves leaves nothing; columns that are not there are named, and indices have none.
    assert!(failed(&[&learn[..], &["--remove", "language"]].concat(), 2).contains("without"));
    let said = failed(&[&learn[..], &["--remove", "mood"]].concat(), 1);
    assert!(said.contains("--remove mood") && said.contains("topic"), "{said}");
    let index = dir.join("index");
    done(&["index", "-m", model(), text(&file), "--label-column", "language", "-o", text(&index), "--force"]);
    let said = failed(&["directions", "-m", model(), text(&index), "--remove", "topic"], 2);
    assert!(said.contains("the file of the texts"), "{said}");
}

#[test]
fn odd_texts_are_told_from_usual_ones_and_streams_are_answered() {
    let dir = folder("score");
    let (usual, mixed) = (dir.join("usual.txt"), dir.join("mixed.txt"));
    let texts = |n, seed| Grammar::default().corpus(n, Some(Language::English), seed).into_iter().map(|s| s.text);
    fs::write(&usual, texts(150, 21).collect::<Vec<_>>().join("\n")).unwrap();
    let odd = ["zzzz qqqq 1234 %%%% zzzz", "ЖЖЖЖ ШШШШ ЖЖЖЖ"];
    fs::write(&mixed, texts(20, 22).chain(odd.map(String::from)).collect::<Vec<_>>().join("\n")).unwrap();
    let score = ["score", "-m", model(), text(&mixed), "--usual", text(&usual), "--json"];
    let p: Vec<f64> = done(&score).lines().map(|l| object(l)["p"].as_f64().unwrap()).collect();
    assert_eq!(p.len(), 22);
    assert!(p[20..].iter().all(|&p| p < 0.02), "{p:?}");
    assert!(p[..20].iter().filter(|&&p| p < 0.05).count() <= 5, "{p:?}");
    // The validation texts of the model's own will do too.
    let own: Vec<Value> = done(&["score", "-m", model(), text(&mixed), "--json"]).lines().map(object).collect();
    assert!(own[20]["p"].as_f64() < Some(0.2) && own[20]["p_latent"].is_number(), "{}", own[20]);
    let few = done(&["score", "-m", model(), text(&mixed), "--usual", text(&usual), "--below", "0.02"]);
    assert!(few.contains("zzzz") && few.lines().count() < 10, "{few}");
    // A stream gives the same lines; tokens spell the text, and cost what it costs with its end.
    let bytes = fs::read(&mixed).unwrap();
    let args = ["score", "-m", model(), "-", "--usual", text(&usual), "--json"];
    let streamed = strait().args(args).write_stdin(bytes).output().unwrap();
    assert_eq!(String::from_utf8(streamed.stdout).unwrap(), done(&score));
    let first = object(done(&score).lines().next().unwrap());
    let tokens = first["tokens"].as_array().unwrap();
    let spelled: String = tokens.iter().map(|t| t[0].as_str().unwrap()).collect();
    assert_eq!(spelled.trim_start(), first["text"].as_str().unwrap());
    let sum: f64 = tokens.iter().chain([&serde_json::json!(["", first["end"]])]).map(|t| t[1].as_f64().unwrap()).sum();
    assert!((sum - first["nats"].as_f64().unwrap()).abs() < 1e-3);
}

#[test]
fn a_text_is_like_itself() {
    let same = object(&done(&["similarity", "-m", model(), "We like it.", "We like it.", "--json"]));
    assert_eq!((&same["distance"], &same["of_usual"]), (&0.0.into(), &0.0.into()));
    let other = object(&done(&["similarity", "-m", model(), "We like it.", "Tom visits a town.", "--json"]));
    assert!(other["distance"].as_f64() > Some(0.0) && other["cosine"].as_f64() < Some(1.0));
}

#[test]
fn copies_are_found_and_kept_out() {
    let lines = fs::read_to_string(corpus()).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let file = folder("audit").join("generated.txt");
    fs::write(&file, [lines[3], lines[3], "nothing of the kind at all here"].join("\n")).unwrap();
    let report = object(&done(&["audit", text(&file), "--train", corpus(), "--json"]));
    let copied = report["copying"]["samples"]["copied"].as_f64().unwrap();
    assert!((copied - 2.0 / 3.0).abs() < 1e-9, "{report}");
    assert_eq!((&report["worst"][0]["text"], &report["worst"][0]["times"]), (&lines[3].into(), &2.into()));
    let told = done(&["audit", "-m", model(), "-n", "20", "--train", corpus(), "--held-out", corpus()]);
    assert!(told.contains("exact copies") && told.contains("100.0 %"), "{told}"); // held-out texts that were none
    assert!(failed(&["audit", "--train", corpus()], 2).contains("TEXTS"));
    // With every token of the corpus forbidden, its words are gone.
    let sample = ["sample", "-m", model(), "-n", "4", "--greedy"];
    let blocked = done(&[&sample[..], &["--no-copies", corpus(), "--copy-run", "1"]].concat());
    assert!(done(&sample).contains("the") && !blocked.contains("the"), "{blocked}");
}

#[test]
fn synthetic_texts_keep_their_label_and_copy_nothing() {
    let file = labelled("augment");
    let args = ["augment", "-m", model(), text(&file), "--label-column", "language", "-n", "3", "--sure", "0"];
    let made = done(&args);
    for line in made.lines().map(object) {
        assert!(line["synthetic"] == true && line["from"][0].is_u64() && line["text"].is_string(), "{line}");
        let half = if line["label"] == "english" { 0..60 } else { 60..120 };
        assert!(half.contains(&(line["from"][1].as_u64().unwrap() as i32)), "{line}");
    }
    assert!(made.lines().count() <= 6 && done(&args) == made, "the same seed, the same texts");
    assert!(stderr(&run(&args)).contains("thrown away"));
}

#[test]
fn a_map_is_a_page_and_its_gaps_are_filled() {
    let (file, dir) = (labelled("map"), folder("map"));
    let page = dir.join("map.html");
    let map = ["map", "-m", model(), text(&file), "--label-column", "language", "-o", text(&page)];
    let spots = done(&[&map[..], &["--json", "--projector", text(&dir.join("projector"))]].concat());
    assert_eq!(spots.lines().count(), 120);
    let first = object(spots.lines().next().unwrap());
    assert!(first["x"].is_number() && first["cluster"].is_u64() && first["label"] == "english", "{first}");
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("english") && html.contains("id=\"data\"") && !html.contains("http://"));
    let vectors = fs::read_to_string(dir.join("projector/vectors.tsv")).unwrap();
    let metadata = fs::read_to_string(dir.join("projector/metadata.tsv")).unwrap();
    assert_eq!((vectors.lines().count(), metadata.lines().count()), (120, 121));
    for how in [&["-n", "3", "--json"][..], &["-n", "3", "--json", "--pca"]] {
        let filled = done(&[&["complete", "-m", model(), text(&file)], how].concat());
        assert!(filled.lines().count() <= 3);
        assert!(filled.lines().map(object).all(|f| f["radius"].as_f64() > Some(0.0) && f["place"][1].is_number()));
    }
}

#[test]
fn a_way_through_texts_keeps_its_ends() {
    let ends = ["We like the old town.", "Tom visits a temple."];
    let straight = done(&["interpolate", "-m", model(), ends[0], ends[1], "--steps", "5"]);
    let through = done(&["interpolate", "-m", model(), ends[0], ends[1], "--steps", "5", "--through", corpus()]);
    let (straight, through): (Vec<&str>, Vec<&str>) = (straight.lines().collect(), through.lines().collect());
    assert_eq!((through.len(), through[0], through[4]), (5, straight[0], straight[4]));
}

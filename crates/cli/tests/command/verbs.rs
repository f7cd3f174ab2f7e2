//! Every verb on a finished model.

use std::fs;

use serde_json::Value;

use super::{STEPS, done, failed, fixture, folder, run, stderr, strait, text};

fn model() -> &'static str {
    text(&fixture().model)
}

fn corpus() -> &'static str {
    text(&fixture().corpus)
}

fn records() -> usize {
    fs::read_to_string(corpus()).unwrap().lines().count()
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn reconstruct_writes_a_line_a_record_in_order() {
    let all = done(&["reconstruct", "-m", model(), corpus()]);
    assert_eq!(all.lines().count(), records());
    // A record's reconstruction does not depend on its neighbours: the last ten alone give the last ten lines.
    let lines: Vec<String> = fs::read_to_string(corpus()).unwrap().lines().map(String::from).collect();
    let tail = folder("reconstruct").join("tail.txt");
    fs::write(&tail, lines[lines.len() - 10..].join("\n")).unwrap();
    let tail = done(&["reconstruct", "-m", model(), text(&tail)]);
    assert_eq!(all.lines().rev().take(10).collect::<Vec<_>>(), tail.lines().rev().collect::<Vec<_>>());
}

#[test]
fn json_keeps_the_text_beside_its_reconstruction() {
    let file = folder("json").join("two.jsonl");
    fs::write(&file, "{\"text\": \"one\\ntwo\"}\n{\"text\": \"three\"}\n").unwrap();
    let pairs = json_lines(&done(&["reconstruct", "-m", model(), text(&file), "--json"]));
    assert_eq!(pairs.len(), 2);
    assert_eq!(pairs[0]["text"], "one\ntwo");
    assert!(pairs.iter().all(|p| p["reconstruction"].is_string()));
}

#[test]
fn empty_records_keep_their_place() {
    let file = folder("gaps").join("gaps.txt");
    fs::write(&file, "first\n\nthird\n").unwrap();
    assert_eq!(done(&["reconstruct", "-m", model(), text(&file)]).lines().count(), 3);
    assert_eq!(done(&["encode", "-m", model(), text(&file)]).lines().count(), 3);
}

#[test]
fn encode_then_decode_equals_reconstruct_in_both_formats() {
    let dir = folder("encode");
    let expected = done(&["reconstruct", "-m", model(), corpus()]);
    for name in ["latents.npy", "latents.jsonl"] {
        let file = dir.join(name);
        done(&["encode", "-m", model(), corpus(), "-o", text(&file)]);
        assert_eq!(done(&["decode", "-m", model(), text(&file)]), expected, "{name}");
    }
    let piped = strait().args(["encode", "-m", model(), corpus(), "--format", "npy"]).output().unwrap().stdout;
    assert_eq!(piped, fs::read(dir.join("latents.npy")).unwrap());
    let decoded = strait().args(["decode", "-m", model(), "-"]).write_stdin(piped).output().unwrap();
    assert_eq!(String::from_utf8(decoded.stdout).unwrap(), expected);
    // No temporary file is left.
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
}

#[test]
fn npy_has_the_header_that_numpy_reads() {
    let file = folder("npy").join("x.npy");
    let report = done(&["encode", "-m", model(), corpus(), "-o", text(&file), "--json"]);
    let report = &json_lines(&report)[0];
    let (n, z) = (report["records"].as_u64().unwrap(), report["dimensions"].as_u64().unwrap());
    let bytes = fs::read(&file).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let header = String::from_utf8(bytes[10..].iter().copied().take_while(|&b| b != b'\n').collect()).unwrap();
    assert!(
        header.starts_with(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {z}), }}")),
        "{header}"
    );
    let head = 10 + header.len() + 1;
    assert_eq!((head % 64, bytes.len() - head), (0, (n * z * 4) as usize));
}

#[test]
fn labels_go_along_with_latents() {
    let file = folder("labels").join("labelled.csv");
    fs::write(&file, "text,mood\nI like soup.,good\nThe rain was bad.,bad\n").unwrap();
    let rows = done(&["encode", "-m", model(), text(&file), "--column", "text", "--label-column", "mood"]);
    let rows = json_lines(&rows);
    assert_eq!(rows.iter().map(|r| r["label"].as_str().unwrap()).collect::<Vec<_>>(), ["good", "bad"]);
    assert!(rows[0]["latent"].as_array().unwrap().len() > 1);
}

#[test]
fn sample_writes_n_lines_the_same_for_the_same_seed_and_any_threads() {
    for drawn in [&["--greedy"][..], &["--temperature", "0.8", "--top-p", "0.9"]] {
        let sample = |seed: &str, n: &str, threads: &str| {
            let base = ["sample", "-m", model(), "-n", n, "--seed", seed, "--threads", threads];
            done(&[&base[..], drawn].concat())
        };
        let ten = sample("3", "10", "2");
        assert_eq!(ten.lines().count(), 10);
        assert_eq!(sample("3", "10", "1"), ten);
        assert!(ten.starts_with(&sample("3", "4", "2")), "fewer are the first of more");
        assert_ne!(sample("4", "10", "2"), ten);
    }
}

#[test]
fn more_samples_than_a_part_continue_the_first_part() {
    let many = done(&["sample", "-m", model(), "-n", "1030", "--temperature", "1", "--max-len", "3"]);
    let few = done(&["sample", "-m", model(), "-n", "20", "--temperature", "1", "--max-len", "3"]);
    assert_eq!(many.lines().count(), 1030);
    assert!(many.starts_with(&few));
    let texts: Vec<&str> = many.lines().collect();
    assert_ne!(texts[..6], texts[1024..], "a new part must not begin the draws again");
}

#[test]
fn interpolate_goes_from_end_to_end() {
    let (a, b) = ("I like the soup.", "The storms were bad.");
    let ends = folder("ends").join("ends.txt");
    fs::write(&ends, format!("{a}\n{b}\n")).unwrap();
    let ends = done(&["reconstruct", "-m", model(), text(&ends)]);
    let ends: Vec<&str> = ends.lines().collect();
    for (steps, path) in [("2", "straight"), ("7", "straight"), ("7", "spherical")] {
        let way = done(&["interpolate", "-m", model(), a, b, "--steps", steps, "--path", path]);
        let way: Vec<&str> = way.lines().collect();
        assert_eq!(way.len().to_string(), steps);
        assert_eq!([way[0], way[way.len() - 1]], [ends[0], ends[1]], "{path}");
    }
    let way = json_lines(&done(&["interpolate", "-m", model(), a, b, "--steps", "3", "--json"]));
    assert_eq!(way.iter().map(|s| s["t"].as_f64().unwrap()).collect::<Vec<_>>(), [0.0, 0.5, 1.0]);
}

#[test]
fn vary_by_nothing_is_the_reconstruction() {
    let a = "I like the soup.";
    let back = strait().args(["reconstruct", "-m", model(), "-"]).write_stdin(a).output().unwrap();
    let back = String::from_utf8(back.stdout).unwrap();
    assert_eq!(done(&["vary", "-m", model(), a, "-n", "3", "--distance", "0"]), back.repeat(3));
    assert_eq!(done(&["vary", "-m", model(), a, "-n", "4"]).lines().count(), 4);
    let piped =
        strait().args(["vary", "-m", model(), "-", "-n", "3"]).write_stdin("I like the soup.\n").output().unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), done(&["vary", "-m", model(), a, "-n", "3"]));
}

#[test]
fn info_tells_what_the_model_is() {
    let card = done(&["info", "-m", model()]);
    for word in ["recipe", "dae", "weights", "corpus.txt", "bits per byte", "prior", "seed"] {
        assert!(card.contains(word), "{word}: {card}");
    }
    let facts = &json_lines(&done(&["info", "-m", model(), "--json"]))[0];
    assert_eq!(facts["training"]["steps"].to_string(), STEPS);
    assert_eq!(facts["data"]["train"].as_u64().unwrap() + facts["data"]["valid"].as_u64().unwrap(), records() as u64);
    assert!(facts["weights"].as_u64().unwrap() > 1000 && facts["prior"]["name"].is_string());
}

#[test]
fn every_decoding_flag_is_understood() {
    for flags in [
        &["--temperature", "0.7"][..],
        &["--top-k", "5"],
        &["--top-p", "0.9"],
        &["--min-p", "0.1"],
        &["--typical", "0.9"],
        &["--beam", "3", "--length-penalty", "0.6"],
        &["--repetition-penalty", "1.2"],
        &["--no-repeat-ngram", "2"],
        &["--ban", "the", "--ban", "soup"],
        &["--max-len", "5"],
        &["--min-len", "3"],
    ] {
        assert_eq!(done(&[&["sample", "-m", model(), "-n", "3"], flags].concat()).lines().count(), 3, "{flags:?}");
    }
    let context = ["sample", "-m", model(), "-n", "3", "--context", "We like the small song"];
    let gone_on = done(&context);
    assert!(
        gone_on.lines().count() == 3 && gone_on.lines().all(|line| line.starts_with("the small song")),
        "{gone_on}"
    );
    assert_eq!(gone_on, done(&context));
    let otherwise = done(&[&context[..], &["--prefix", "My"]].concat());
    assert!(otherwise.lines().all(|line| line.starts_with("My")), "{otherwise}");
    let started = done(&["sample", "-m", model(), "-n", "5", "--prefix", "My sister"]);
    assert!(started.lines().all(|l| l.starts_with("My sister")), "{started}");
}

#[test]
fn contradicting_decoding_flags_are_named_as_flags() {
    let said = failed(&["sample", "-m", model(), "--beam", "3", "--top-k", "4"], 2);
    assert!(said.starts_with("error: ") && said.contains("--beam") && said.contains("--top-k"), "{said}");
    assert!(said.contains("hint: "), "{said}");
    let said = failed(&["sample", "-m", model(), "--top-p", "1.5"], 2);
    assert!(said.contains("--top-p = 1.5"), "{said}");
    let said = failed(&["sample", "-m", model(), "--length-penalty", "1"], 2);
    assert!(said.contains("--beam"), "{said}");
}

#[test]
fn line_ends_inside_a_text_are_escaped_in_lines_and_kept_in_json() {
    // A prefix puts a line end into the output whatever the model knows.
    let plain = done(&["sample", "-m", model(), "-n", "2", "--prefix", "a\nb"]);
    assert_eq!(plain.lines().count(), 2);
    assert!(plain.lines().all(|l| l.contains("\\n")), "{plain}");
    let kept = json_lines(&done(&["sample", "-m", model(), "-n", "2", "--prefix", "a\nb", "--json"]));
    assert!(kept.iter().all(|l| l["text"].as_str().unwrap().contains('\n')));
}

#[test]
fn latents_of_another_model_are_refused() {
    let file = folder("other").join("other.jsonl");
    fs::write(&file, "[1, 2, 3]\n").unwrap();
    let said = failed(&["decode", "-m", model(), text(&file)], 1);
    assert!(said.contains("3 dimensions") && said.contains("hint: "), "{said}");
    fs::write(&file, "[1, 2\n").unwrap();
    assert!(failed(&["decode", "-m", model(), text(&file)], 1).contains("other.jsonl, line 1"));
}

#[test]
fn a_failure_leaves_no_part_of_an_output_file() {
    let dir = folder("partial");
    let file = dir.join("out.txt");
    failed(&["sample", "-m", model(), "-o", text(&file), "--beam", "2", "--top-k", "2"], 2);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    fs::write(&file, "old").unwrap();
    done(&["sample", "-m", model(), "-n", "2", "-o", text(&file)]);
    assert_eq!(fs::read_to_string(&file).unwrap(), done(&["sample", "-m", model(), "-n", "2"]));
    let said = failed(&["sample", "-m", model(), "-o", text(&dir.join("no-such-folder/out.txt"))], 1);
    assert!(said.contains("no-such-folder") && said.contains("because: "), "{said}");
}

#[test]
fn missing_inputs_are_named() {
    assert!(failed(&["reconstruct", "-m", model(), "nowhere.txt"], 1).contains("nowhere.txt: there is no such file"));
    assert!(failed(&["decode", "-m", model(), "nowhere.npy"], 1).contains("nowhere.npy"));
    for verb in [&["sample", "-m", "nowhere"][..], &["info", "-m", "nowhere"], &["encode", "-m", "nowhere", corpus()]] {
        let said = failed(verb, 1);
        assert!(said.contains("nowhere: there is no such folder") && said.contains("strait train"), "{said}");
    }
    assert!(failed(&["info", "-m", text(&folder("empty"))], 1).contains("not a Strait model"));
}

#[test]
fn encode_speaks_of_its_own_flag_for_the_input() {
    let file = folder("ragged").join("ragged.csv");
    fs::write(&file, "a,b\n1,2\n1,2,3\n").unwrap();
    assert!(failed(&["reconstruct", "-m", model(), text(&file)], 1).contains(" --format txt"));
    assert!(failed(&["encode", "-m", model(), text(&file)], 1).contains("--input-format txt"));
    let output = run(&["encode", "-m", model(), text(&file), "--input-format", "txt"]);
    assert!(output.status.success() && stderr(&output).contains("Encoded 3 records"));
}

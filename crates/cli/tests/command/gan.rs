//! Vectors learned and drawn by a network.

use std::fs;

use super::{done, failed, fixture, folder, run, stderr, stdout, text};

/// A small network, for speed.
const SMALL: [&str; 8] = ["--noise", "4", "--generator", "16", "--discriminator", "16", "--lr", "1e-3"];

#[test]
fn a_generator_is_trained_kept_and_drawn_from() {
    let (fixture, dir) = (fixture(), folder("gan"));
    let [latents, generator, drawn, again] = ["z.npy", "g.safetensors", "a.npy", "b.npy"].map(|name| dir.join(name));
    done(&["encode", "-m", text(&fixture.model), text(&fixture.corpus), "-o", text(&latents)]);
    let files = ["--out", text(&generator), "--sample", text(&drawn), "-n", "7", "--steps", "30", "--json"];
    let output = run(&[&["gan", text(&latents)][..], &SMALL, &files].concat());
    assert!(output.status.success() && stderr(&output).contains("AUC"), "{}", stderr(&output));
    let lines: Vec<serde_json::Value> = stdout(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let (result, reports) = lines.split_last().unwrap();
    assert!(reports.len() == 30 && reports.iter().all(|r| r["discriminator_accuracy"].is_f64()), "{lines:?}");
    assert!(result["auc"].is_f64() && result["vectors"].as_u64() == Some(180), "{result}");
    // The same seed draws the same vectors from the file, and they decode.
    done(&["gan", text(&generator), "--sample", text(&again), "-n", "7"]);
    assert!(fs::read(&drawn).unwrap() == fs::read(&again).unwrap());
    assert_eq!(done(&["decode", "-m", text(&fixture.model), text(&drawn)]).lines().count(), 7);
}

#[test]
fn what_cannot_be_learned_is_said() {
    let dir = folder("gan-bad");
    let few = dir.join("few.jsonl");
    fs::write(&few, "[1, 2]\n[3, 4]\n").unwrap();
    assert!(failed(&["gan", text(&few)], 2).contains("--out"));
    let out = dir.join("g.safetensors");
    assert!(failed(&["gan", text(&few), "--out", text(&out)], 1).contains("at least 16"));
    fs::write(&out, "nothing").unwrap();
    assert!(failed(&["gan", text(&out), "--sample", "x.npy"], 1).contains("g.safetensors"));
    assert!(failed(&["gan", text(&out), "--out", "x"], 2).contains("--sample"));
}

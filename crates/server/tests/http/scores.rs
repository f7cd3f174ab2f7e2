//! How odd texts are, and what they copy.

use serde_json::{Value, json};
use strait::{
    Decoding, Model, Usual,
    eval::{Interner, Memorisation, NEAR_COPY, Passages, Unit},
};

use super::{Running, first, fixture, told};

#[test]
fn texts_are_as_odd_as_the_library_finds_them() {
    let running = Running::usual();
    let texts = &fixture().texts[..5];
    for (name, dir) in [("first", &fixture().first), ("language", &fixture().language)] {
        let mut model = Model::open(dir).unwrap();
        let odd = model.oddness(texts).unwrap();
        let p = model.usual().unwrap().map(|usual| (usual.texts(), usual.p_values(&odd).unwrap()));
        let answer = running.done("/v1/score", &json!({"texts": texts, "model": name}));
        assert_eq!(answer["usual"], json!(p.as_ref().map(|p| p.0)));
        for (i, score) in answer["scores"].as_array().unwrap().iter().enumerate() {
            assert_eq!(score["text"], texts[i]);
            for (field, value) in [
                ("nats", json!(odd[i].nats)),
                ("nats_per_token", json!(odd[i].nats_per_token)),
                ("log_density", json!(odd[i].log_density)),
                ("tokens", told(&odd[i].tokens)),
                ("p", json!(p.as_ref().map(|p| p.1[i].p))),
                ("p_latent", json!(p.as_ref().and_then(|p| p.1[i].latent))),
            ] {
                assert_eq!(score[field], value, "{name}: {field}");
            }
        }
    }
    let mut model = Model::open(&fixture().first).unwrap();
    let usual = Usual::new(&model.oddness(&fixture().texts[5..25]).unwrap()).unwrap();
    let expected = usual.p_values(&model.oddness(texts).unwrap()).unwrap();
    let own = running.done("/v1/score", &json!({"texts": texts, "usual": fixture().texts[5..25]}));
    assert_eq!(own["usual"], 20);
    let p: Vec<&Value> = own["scores"].as_array().unwrap().iter().map(|s| &s["p_tokens"]).collect();
    assert_eq!(json!(p), json!(expected.iter().map(|p| p.tokens).collect::<Vec<_>>()));
}

#[test]
fn copies_are_counted_as_the_command_counts_them() {
    let running = Running::full();
    let (train, held_out) = (&fixture().texts[..100], &fixture().texts[100..]);
    let texts = [&train[3], &train[3], &held_out[0]];
    let found = running.done("/v1/audit", &json!({"texts": texts, "train": train, "held_out": held_out}));
    let (unit, mut interner) = (Unit::guess(train), Interner::new());
    let passages = Passages::new(interner.encode_all(train, unit));
    let (own, real) = (interner.encode_all(&texts, unit), interner.encode_all(held_out, unit));
    let expected = Memorisation::new(&passages, &own, &real, NEAR_COPY, &interner, unit);
    assert_eq!(found["generated"]["copied"], expected.copying.samples.copied);
    assert_eq!(found["held_out"]["longest_mean"], expected.copying.real.longest_copy_mean);
    assert_eq!((&found["worst"][0]["times"], &found["worst"][0]["edits"]), (&json!(2), &json!(0)));
    // Drawn by the model, against the server's texts.
    let drawn = running.done("/v1/audit", &json!({"n": 20, "seed": 3}));
    assert_eq!((&drawn["train"], &drawn["held_out"]), (&json!(fixture().texts.len()), &Value::Null));
    let n = first().sample(20, 3, &Decoding::default()).unwrap().iter().filter(|t| !t.trim().is_empty()).count();
    assert_eq!(drawn["generated"]["n"], n);
}

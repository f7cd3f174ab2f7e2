//! Directions, classifiers and axes: learned from examples or read from files, and used, as the library does it.

use serde_json::{Value, json};
use strait::{
    AugmentRequest, Classifier, ClassifierRequest, Decoding, DecodingOptions, Directions, DirectionsRequest, Latents,
    Model, SteerRequest, latent::Principal,
};

use super::{Running, collection, first, fixture, floats, strings, told};

/// The fixture's texts by their label.
fn examples() -> Value {
    let mut examples = json!({});
    for (text, label) in fixture().texts.iter().zip(&fixture().labels) {
        let list = examples.as_object_mut().unwrap().entry(label).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(json!(text));
    }
    examples
}

fn directions() -> Directions {
    Directions::learn(collection(), first(), &DirectionsRequest::default()).unwrap()
}

#[test]
fn directions_are_learned_listed_and_sent_back() {
    let running = Running::full();
    let listed = running.done("/v1/directions", &json!({}));
    let expected = directions();
    assert_eq!(
        (&listed["sets"][0]["name"], strings(&listed["sets"][0]["labels"])),
        (&json!("tense"), expected.labels().to_vec())
    );
    let learned = running.done("/v1/directions/learn", &json!({}));
    let file: Value = serde_json::from_slice(&expected.to_bytes()).unwrap();
    assert_eq!(learned["directions"], file);
    assert_eq!(learned["reports"], json!(expected.reports()));
    // The same texts as examples come in another order.
    let own = running.done("/v1/directions/learn", &json!({"examples": examples(), "with_length": true}));
    assert_eq!(strings(&own["labels"]).len(), expected.labels().len());
    let toward = &expected.labels()[0];
    let named = json!({"texts": fixture().texts[..2], "toward": toward, "by": "tense"});
    let whole = json!({"texts": fixture().texts[..2], "toward": toward, "by": learned["directions"]});
    assert_eq!(running.done("/v1/steer", &named), running.done("/v1/steer", &whole));
    let response = running.post("/v1/steer", &json!({"texts": ["a"], "toward": "nothing"}).to_string());
    assert_eq!((response.status, &response.json()["error"]["param"]), (422, &json!("/toward")));
}

#[test]
fn texts_are_steered_as_the_library_steers_them() {
    let running = Running::full();
    let directions = directions();
    let texts = &fixture().texts[..6];
    let mut model = Model::open(&fixture().first).unwrap();
    for (label, strength, content) in [(0, None, 0.0), (1, Some(2.0), 0.0), (0, Some(-1.0), 0.9)] {
        let toward = directions.labels()[label].clone();
        let mut body = json!({"texts": texts, "toward": toward, "content": content, "keep": ["the"]});
        if let Some(strength) = strength {
            body["strength"] = json!(strength);
        }
        let answer = running.done("/v1/steer", &body);
        let request = SteerRequest { toward, strength, keep: vec!["the".into()], content };
        let expected = model.steer(&directions, texts, &request, &Decoding::default()).unwrap();
        for ((edit, wanted), source) in answer["edits"].as_array().unwrap().iter().zip(&expected).zip(texts) {
            let mut plain = edit.clone();
            assert_eq!(plain.as_object_mut().unwrap().remove("source"), Some(json!(source)));
            assert_eq!(plain, json!(wanted));
        }
        // What does not pass the checks comes back unchanged, if that is asked.
        body["verify"] = json!(true);
        let verified = running.done("/v1/steer", &body);
        for (edit, source) in verified["edits"].as_array().unwrap().iter().zip(texts) {
            assert!(edit["verified"] == true || edit["text"] == json!(source), "{edit}");
        }
    }
    let (a, b, c) = (&*texts[0], &*texts[1], &*texts[2]);
    let answer = running.done("/v1/analogy", &json!({"a": a, "b": b, "c": c}));
    assert_eq!(strings(&answer["texts"]), [first().analogy((a, b), c, &Decoding::default()).unwrap()]);
}

#[test]
fn classifiers_are_learned_and_label() {
    let running = Running::full();
    let learned = running.done("/v1/classify/learn", &json!({"folds": 3, "shuffles": 5, "seed": 2}));
    let how = ClassifierRequest { folds: 3, shuffles: 5, seed: 2 };
    let expected = Classifier::train(collection(), first(), &how).unwrap();
    let file: Value = serde_json::from_slice(&expected.to_bytes()).unwrap();
    assert_eq!(learned["classifier"], file);
    assert_eq!(learned["report"], json!(expected.report()));
    let texts = &fixture().texts[..4];
    let latents = first().encode(texts);
    let wanted = expected.predict(&latents).unwrap();
    let told = running.done("/v1/classify", &json!({"texts": texts, "by": learned["classifier"]}));
    for (prediction, wanted) in told["predictions"].as_array().unwrap().iter().zip(&wanted) {
        assert_eq!(prediction["label"], wanted.label);
        assert_eq!(prediction["probabilities"], json!(wanted.probabilities));
    }
    assert_eq!(strings(&told["labels"]), expected.labels());
    let by_file = running.done("/v1/classify", &json!({"texts": texts}));
    assert_eq!(strings(&by_file["labels"]), expected.labels());
    let at_once = running.done("/v1/classify", &json!({"texts": texts, "examples": examples()}));
    assert_eq!(at_once["predictions"].as_array().unwrap().len(), 4);
    assert_eq!(at_once["report"]["texts"], fixture().texts.len());
}

#[test]
fn labelled_texts_are_made_as_the_library_makes_them() {
    let running = Running::full();
    let made = running.done("/v1/augment", &json!({"n": 2, "seed": 4, "sure": 0.3, "max_len": 12}));
    let options = DecodingOptions { max_len: 12, ..first().config().sampling.clone() };
    let decoding = Decoding { options: Some(options), ..Decoding::default() };
    let request = AugmentRequest { each: 2, seed: 4, sure: 0.3, ..AugmentRequest::default() };
    let expected = first().augment(collection(), &request, &decoding).unwrap();
    assert_eq!(made["texts"], told(&expected.texts));
    assert_eq!((&made["made"], &made["copies"]), (&json!(expected.made), &json!(expected.copies)));
}

#[test]
fn a_text_moves_along_axes_and_directions_by_what_is_asked() {
    let running = Running::full();
    let text = &*fixture().texts[5];
    let latent = first().encode(&[text]).row(0).to_vec();
    let axes = running.done("/v1/axes", &json!({"text": text}));
    assert_eq!((&axes["of"], floats(&axes["latent"])), (&json!("texts"), latent.clone()));
    let principal = Principal::fit(collection().matrix().unwrap(), 16).unwrap();
    assert_eq!(axes["principal"].as_array().unwrap().len(), principal.directions.len());
    assert_eq!(axes["principal"][0]["deviation"], principal.variances[0].sqrt());
    assert_eq!(axes["principal"][0]["low"].as_array().unwrap().len(), 3);
    assert_eq!(axes["labels"].as_array().unwrap().len(), directions().labels().len());
    let label = axes["labels"][0]["label"].as_str().unwrap().to_owned();

    let still = running.done("/v1/move", &json!({"text": text}));
    assert_eq!(strings(&still["texts"]), first().reconstruct(&[text], &Decoding::default()).unwrap());
    assert_eq!((floats(&still["latent"]), &still["distance"]), (latent.clone(), &json!(0.0)));
    let body = json!({"latent": latent, "principal": [0.0, 1.5], "labels": {&label: 0.5}});
    let moved = running.done("/v1/move", &body);
    let after = running.done("/v1/axes", &json!({"latent": moved["latent"]}));
    // Along the second axis it went 1.5 deviations, and what the direction adds to that.
    let directions = directions();
    let (_, direction) = directions.toward(&label).unwrap();
    let along: f64 = direction.vector.iter().zip(&principal.directions[1]).map(|(a, b)| a * b).sum();
    let expected = 1.5 + 0.5 * along / principal.variances[1].sqrt();
    let position = |axes: &Value| axes["principal"][1]["position"].as_f64().unwrap();
    assert!((position(&after) - position(&axes) - expected).abs() < 1e-3, "{after}");
    let decoded = first().decode_seeded(&Latents::new(floats(&moved["latent"]), latent.len()), &Decoding::default(), 1);
    assert_eq!(strings(&moved["texts"]), decoded.unwrap());
    // Without texts the axes are those of the prior.
    let bare = Running::usual();
    let axes = bare.done("/v1/axes", &json!({}));
    assert_eq!((&axes["of"], &axes["labels"], &axes["latent"]), (&json!("prior"), &json!([]), &Value::Null));
    assert!(axes["principal"][0]["position"].is_null() && axes["principal"][0]["share"].as_f64().unwrap() > 0.0);
}

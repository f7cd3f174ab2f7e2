//! Many clients at once: everyone gets what he would get alone.

use std::sync::Barrier;

use serde_json::{Value, json};
use strait_server::{Batching, Options};

use super::{Running, fixture, usual};

/// Requests of every kind; each is another one.
fn requests() -> Vec<(&'static str, Value)> {
    let texts = &fixture().texts;
    let mut requests = Vec::new();
    for i in 0..5 {
        // More tokens than the vocabulary has are read in another way than few.
        let part = if i == 0 { &texts[..] } else { &texts[i..i + i] };
        requests.extend([
            ("/v1/encode", json!({"texts": part})),
            ("/v1/embeddings", json!({"input": texts[i], "encoding_format": "base64"})),
            ("/v1/reconstruct", json!({"texts": texts[3 * i..3 * i + 3], "max_len": 10})),
            ("/v1/sample", json!({"n": 3, "seed": i, "temperature": 0.9, "max_len": 10})),
            ("/v1/sample", json!({"n": 1 + i, "seed": i, "beam": 2, "max_len": 8})),
            ("/v1/sample", json!({"n": 2, "seed": i, "model": "language", "max_len": 10})),
            ("/v1/vary", json!({"text": texts[i], "n": 2, "seed": i, "top_k": 3, "max_len": 10})),
            ("/v1/interpolate", json!({"a": texts[i], "b": texts[i + 1], "steps": 3, "max_len": 10})),
            ("/v1/score", json!({"texts": texts[i..3 * i + 1]})),
            ("/v1/score", json!({"texts": texts[i..i + 2], "model": "language"})),
            ("/v1/search", json!({"queries": texts[i..i + 2], "k": 3, "texts": texts[20..40]})),
            ("/v1/move", json!({"text": texts[i], "principal": [1.0, -1.0], "max_len": 10})),
        ]);
    }
    requests
}

#[test]
fn answers_under_load_are_those_alone() {
    let requests = requests();
    let alone = Running::new(Options { batching: Batching { merge: false, ..Batching::default() }, ..usual() });
    let mut client = alone.client();
    let mut ask = |path: &str, body: &Value| client.ask("POST", path, &[], body.to_string().as_bytes()).unwrap();
    let expected: Vec<Value> = requests.iter().map(|(path, body)| ask(path, body).json()).collect();
    assert!(expected.iter().all(|answer| answer["error"].is_null()), "{expected:?}");

    let running = Running::usual();
    let clients = 8;
    let together = Barrier::new(clients);
    std::thread::scope(|scope| {
        for i in 0..clients {
            let (requests, expected, running, together) = (&requests, &expected, &running, &together);
            scope.spawn(move || {
                let mut client = running.client();
                together.wait();
                // Everyone asks in another order.
                for j in (0..requests.len()).map(|j| (j * (2 * i + 1) + i) % requests.len()) {
                    let (path, body) = &requests[j];
                    let answer = client.ask("POST", path, &[], body.to_string().as_bytes()).unwrap();
                    assert_eq!(answer.json(), expected[j], "{path} {body}");
                }
            });
        }
    });
    for kind in ["encode", "decode"] {
        let of =
            |what: &str| running.metric(&format!("strait_batch_requests_{what}{{model=\"first\",kind=\"{kind}\"}}"));
        assert!(of("sum") > of("count"), "{kind}: nothing was worked on together");
    }
}

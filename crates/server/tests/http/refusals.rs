//! What is refused: with which status, at which field, and what it says.

use serde_json::json;
use strait_server::{ApiKey, Limits, Options};

use super::{Running, first, usual};

#[test]
fn fields_that_cannot_be_are_named() {
    let limits = Limits { texts: 3, chars: 20, n: 10, steps: 4, beam: 2, max_len: 50, ban: 1, ..Limits::default() };
    let running = Running::new(Options { limits, ..usual() });
    let long = "x".repeat(21);
    let vocabulary = first().config().vocabulary;
    for (path, body, status, param) in [
        ("encode", json!({"texts": ["a", "b", "c", "d"]}), 422, "/texts"),
        ("encode", json!({"texts": []}), 422, "/texts"),
        ("encode", json!({"texts": ["a", long]}), 422, "/texts/1"),
        ("encode", json!({"texts": ["a", 3]}), 422, "/texts/1"),
        ("encode", json!({}), 422, "/texts"),
        ("encode", json!({"texts": ["a"], "txet": 1}), 422, "/txet"),
        ("encode", json!({"texts": ["a"], "temperature": 1}), 422, "/temperature"),
        ("encode", json!({"texts": ["a"], "model": "x"}), 404, "/model"),
        ("encode", json!(["a"]), 422, ""),
        ("decode", json!({"latents": [[1.0]]}), 422, "/latents/0"),
        ("decode", json!({"latents": vec![vec![1e39; first().latent_size()]]}), 422, "/latents/0/0"),
        ("sample", json!({"n": 0}), 422, "/n"),
        ("sample", json!({"n": 11}), 422, "/n"),
        ("sample", json!({"n": -1}), 422, "/n"),
        ("sample", json!({"seed": 1.5}), 422, "/seed"),
        ("sample", json!({"top_p": 1.5}), 422, "/top_p"),
        ("sample", json!({"temperature": -1}), 422, "/temperature"),
        ("sample", json!({"beam": 3}), 422, "/beam"),
        ("sample", json!({"beam": 2, "top_k": 4}), 422, "/beam"),
        ("sample", json!({"max_len": 51}), 422, "/max_len"),
        ("sample", json!({"min_len": 9, "max_len": 3}), 422, "/min_len"),
        ("sample", json!({"ban": ["a", "b"]}), 422, "/ban"),
        ("sample", json!({"ban": [long]}), 422, "/ban/0"),
        ("sample", json!({"prefix": long}), 422, "/prefix"),
        ("interpolate", json!({"a": "a", "b": "b", "steps": 5}), 422, "/steps"),
        ("interpolate", json!({"a": "a", "b": "b", "path": "round"}), 422, "/path"),
        ("vary", json!({"text": "a", "distance": -0.1}), 422, "/distance"),
        ("vary", json!({"text": long}), 422, "/text"),
        ("embeddings", json!({"input": []}), 422, "/input"),
        ("embeddings", json!({"input": {}}), 422, "/input"),
        ("embeddings", json!({"input": ["a", 1]}), 422, "/input/1"),
        ("embeddings", json!({"input": [[1], [vocabulary]]}), 422, "/input/1/0"),
        ("embeddings", json!({"input": [-1]}), 422, "/input/0"),
        ("embeddings", json!({"input": "a", "dimensions": 1}), 422, "/dimensions"),
        ("embeddings", json!({"input": "a", "encoding_format": "hex"}), 422, "/encoding_format"),
        ("interpolate", json!({"a": "a"}), 422, "/b"),
        ("interpolate", json!({"from": [1.0], "b": "b"}), 422, "/from"),
        ("interpolate", json!({"a": "a", "from": [1.0], "b": "b"}), 422, "/from"),
        ("interpolate", json!({"a": "a", "b": "b", "steps": 2, "texts": ["c"]}), 422, "/texts"),
        ("interpolate", json!({"a": "a", "b": "b", "steps": 2, "path": "manifold"}), 422, "/texts"),
        ("interpolate", json!({"a": "a", "b": "b", "path": "manifold", "texts": ["c"], "steps": 1}), 422, "/steps"),
        ("search", json!({"queries": ["a"]}), 422, "/texts"),
        ("search", json!({"texts": ["a"]}), 422, "/queries"),
        ("search", json!({"queries": ["a"], "latents": [[1.0]], "texts": ["a"]}), 422, "/latents"),
        ("search", json!({"queries": ["a"], "texts": ["a"], "labels": []}), 422, "/labels"),
        ("search", json!({"queries": ["a"], "labels": ["a"]}), 422, "/labels"),
        ("search", json!({"queries": ["a"], "texts": ["a"], "k": 11}), 422, "/k"),
        ("similarity", json!({"a": "a", "b": long}), 422, "/b"),
        ("dedup", json!({"texts": ["a", "b"], "threshold": -1}), 422, "/threshold"),
        ("dedup", json!({"texts": ["a", "b"]}), 422, "/threshold"),
        ("cluster", json!({"texts": ["a", "b"], "k": 3}), 422, "/k"),
        ("cluster", json!({"texts": ["a", "b"], "k": 1, "density": 2}), 422, "/density"),
        ("map", json!({"texts": ["a", "b", "c"]}), 422, "/texts"),
        ("map", json!({}), 422, "/texts"),
        ("map/place", json!({"texts": ["a"]}), 422, "/texts"),
        ("map/at", json!({"places": [[1.0, 2.0, 3.0]]}), 422, "/places/0"),
        ("map/at", json!({"places": [[1.0, 1e300]]}), 422, "/places/0"),
        ("complete", json!({"n": 11}), 422, "/n"),
        ("directions/learn", json!({"examples": {"a": ["a", "b"]}}), 422, "/examples"),
        ("directions/learn", json!({"examples": {"a/b": ["a", long]}}), 422, "/examples/a~1b/1"),
        ("directions/learn", json!({"texts": ["a", "b"]}), 422, "/labels"),
        ("directions/learn", json!({"texts": ["a"], "labels": ["a"], "examples": {}}), 422, "/examples"),
        ("steer", json!({"texts": ["a"], "toward": "x"}), 422, "/by"),
        ("steer", json!({"texts": ["a"], "toward": "x", "by": "none"}), 422, "/by"),
        ("steer", json!({"texts": ["a"], "toward": "x", "by": {"strait_directions": 1}}), 422, "/by"),
        ("steer", json!({"texts": ["a"], "toward": "x", "content": 2}), 422, "/content"),
        ("steer", json!({"texts": ["a"], "toward": "x", "strength": 1e9}), 422, "/strength"),
        ("analogy", json!({"a": "a", "b": "b"}), 422, "/c"),
        ("axes", json!({"text": "a", "latent": [1.0]}), 422, "/latent"),
        ("axes", json!({"latent": [1.0]}), 422, "/latent"),
        ("move", json!({"principal": [1.0]}), 422, "/text"),
        ("move", json!({"text": "a", "principal": vec![0.0; 99]}), 422, "/principal"),
        ("move", json!({"text": "a", "principal": [0.0, 1e9]}), 422, "/principal/1"),
        ("move", json!({"text": "a", "labels": {"x": 1.0}}), 422, "/by"),
        ("score", json!({"texts": []}), 422, "/texts"),
        ("classify", json!({"texts": ["a"]}), 422, "/by"),
        ("classify", json!({"texts": ["a"], "by": {"strait_classifier": 1}}), 422, "/by"),
        ("classify", json!({"texts": ["a"], "by": "a", "examples": {}}), 422, "/examples"),
        ("classify/learn", json!({"texts": ["a", "b"], "labels": ["a", "b"], "folds": 1}), 422, "/folds"),
        ("classify/learn", json!({"texts": ["a", "b"], "labels": ["a", "b"]}), 422, "/texts"),
        ("audit", json!({"texts": ["a"]}), 422, "/train"),
        ("augment", json!({"texts": ["a"], "labels": ["a"]}), 422, "/texts"),
        ("augment", json!({"texts": ["a"], "sure": 2}), 422, "/sure"),
        ("augment", json!({"texts": ["a"], "distance": -1}), 422, "/distance"),
    ] {
        let response = running.post(&format!("/v1/{path}"), &body.to_string());
        let error = &response.json()["error"];
        assert_eq!((response.status, error["param"].as_str()), (status, Some(param)), "{path} {body}: {error}");
        assert!(error["message"].as_str().unwrap().len() > 10 && error["code"].is_string(), "{error}");
    }
    let said = running.post("/v1/steer", r#"{"texts": ["a"], "toward": "x", "by": {"strait_directions": 1}}"#).json();
    assert!(said["error"]["message"].as_str().unwrap().contains("does not hold directions"), "{said}");
    let unknown = running.post("/v1/sample", r#"{"model": "frist"}"#).json();
    assert!(unknown["error"]["message"].as_str().unwrap().contains("first, language"), "{unknown}");
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let running = Running::usual();
    for (body, place) in
        [("{\"n\": 1,\n \"seed\" 2}", "line 2, column 9"), ("", "line 1"), ("{\"n\": 1", "line 1, column 7")]
    {
        let response = running.post("/v1/sample", body);
        let error = &response.json()["error"];
        assert_eq!((response.status, &error["code"]), (400, &json!("malformed_json")));
        assert!(error["message"].as_str().unwrap().contains(place), "{body}: {error}");
    }
    let deep = running.post("/v1/sample", &"[".repeat(100_000));
    assert_eq!(deep.status, 400);
}

#[test]
fn other_paths_and_methods_say_where_to_look() {
    let running = Running::usual();
    let response = running.get("/v1/nothing");
    assert_eq!(response.status, 404);
    assert!(response.json()["error"]["message"].as_str().unwrap().contains("/docs"));
    let response = running.get("/v1/sample");
    assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
    assert_eq!(response.json()["error"]["code"], "method_not_allowed");
    let response = running.post("/health", "{}");
    assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn bodies_are_limited_announced_or_not() {
    let running = Running::new(Options { limits: Limits { body_bytes: 1000, ..Limits::default() }, ..usual() });
    let long = format!("{{\"texts\": [\"{}\"]}}", "x".repeat(3000));
    let response = running.post("/v1/encode", &long);
    assert_eq!((response.status, response.json()["error"]["code"].as_str()), (413, Some("body_too_large")));
    let mut client = running.client();
    let head = "POST /v1/encode HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
    client.write(format!("{head}{:x}\r\n{long}\r\n0\r\n\r\n", long.len()).as_bytes()).unwrap();
    assert_eq!(client.read(true).unwrap().status, 413);
    // A client that asks first need not send anything.
    let mut client = running.client();
    let head = "POST /v1/encode HTTP/1.1\r\nhost: test\r\ncontent-length: 99999\r\nexpect: 100-continue\r\n\r\n";
    client.write(head.as_bytes()).unwrap();
    assert_eq!(client.read(true).unwrap().status, 413);
}

#[test]
fn a_key_guards_what_is_under_v1() {
    let running = Running::new(Options { api_key: Some(ApiKey::new("secret")), ..usual() });
    for (headers, status, code) in [
        (&[][..], 401, "missing_api_key"),
        (&["authorization: secret"], 401, "missing_api_key"),
        (&["authorization: Bearer wrong"], 401, "invalid_api_key"),
        (&["authorization: Bearer secret2"], 401, "invalid_api_key"),
        (&["authorization: bearer secret"], 200, ""),
    ] {
        let response = running.client().ask("GET", "/v1/models", headers, b"").unwrap();
        assert_eq!(response.status, status, "{headers:?}");
        if status == 401 {
            assert_eq!(response.json()["error"]["code"], code, "{headers:?}");
            assert_eq!(response.header("www-authenticate"), Some("Bearer"));
        }
    }
    assert_eq!(running.client().ask("POST", "/v1/sample", &[], b"{}").unwrap().status, 401);
    assert_eq!(running.get("/health").status, 200);
}

#[test]
fn pages_of_other_origins_read_answers_only_if_allowed() {
    let origin = "origin: https://example.org";
    let closed = Running::usual();
    let response = closed.client().ask("GET", "/health", &[origin], b"").unwrap();
    assert_eq!(response.header("access-control-allow-origin"), None);
    let open = Running::new(Options { cors: vec!["https://example.org".into()], ..usual() });
    let response = open.client().ask("GET", "/health", &[origin], b"").unwrap();
    assert_eq!(response.header("access-control-allow-origin"), Some("https://example.org"));
    let response = open.client().ask("GET", "/health", &["origin: https://other.org"], b"").unwrap();
    assert_eq!(response.header("access-control-allow-origin"), None);
    let asks = [origin, "access-control-request-method: POST", "access-control-request-headers: content-type"];
    let response = open.client().ask("OPTIONS", "/v1/sample", &asks, b"").unwrap();
    assert!(response.status == 200 && response.header("access-control-allow-methods").unwrap().contains("POST"));
}

#[test]
fn requests_have_ids() {
    let running = Running::usual();
    let id = |headers: &[&str]| {
        running.client().ask("GET", "/health", headers, b"").unwrap().header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(id(&["x-request-id: mine-1"]), "mine-1");
    let (one, two) = (id(&["x-request-id: a b"]), id(&[]));
    assert!(one != two && one != "a b");
}

#[test]
fn too_many_and_too_slow_are_told_to_come_again() {
    let full = Running::new(Options { limits: Limits { queue: 0, ..Limits::default() }, ..usual() });
    let response = full.post("/v1/sample", "{}");
    assert_eq!((response.status, response.header("retry-after")), (429, Some("1")));
    assert_eq!(response.json()["error"]["type"], "rate_limit_error");
    let limits = Limits { seconds: 0.3, ..Limits::default() };
    let slow = Running::new(Options { limits, ..usual() });
    let response = slow.post("/v1/sample", "{\"n\": 1024, \"min_len\": 1000, \"max_len\": 1000}");
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert_eq!(response.json()["error"]["code"], "timeout");
    slow.until("free", || slow.metric("strait_queue_length{model=\"first\"}") == 0.0);
    assert_eq!(slow.metric("strait_abandoned_total{model=\"first\"}"), 1.0);
}

//! Two thousand requests that are wrong in one way or several, made from the description: each is answered with what is
//! wrong, none brings anything down.

use std::collections::BTreeSet;

use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::{Running, fixture, full};

const REQUESTS: usize = 2000;

struct Maker<'a> {
    document: &'a Value,
    rng: ChaCha8Rng,
}

impl Maker<'_> {
    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.rng.random_range(0..all.len())].clone()
    }

    fn resolve(&self, schema: &Value) -> Value {
        match schema["$ref"].as_str() {
            Some(place) => self.document.pointer(place.trim_start_matches('#')).unwrap().clone(),
            None => schema.clone(),
        }
    }

    /// A value that a schema allows.
    fn good(&mut self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        for several in ["oneOf", "anyOf"] {
            if let Some(all) = schema[several].as_array() {
                let one = self.one_of(all);
                return self.good(&one);
            }
        }
        if let Some(words) = schema["enum"].as_array() {
            return self.one_of(words);
        }
        if !schema["const"].is_null() {
            return schema["const"].clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.one_of(kinds),
            kind => kind.clone(),
        };
        match kind.as_str().unwrap_or("null") {
            "string" => self.one_of(&[json!("The soup"), json!(""), json!(fixture().texts[0]), json!("\u{0}💧")]),
            "integer" => json!(self.rng.random_range(1..5)),
            "number" => json!(f64::from(self.rng.random_range(1..10)) / 10.0),
            "boolean" => json!(self.rng.random_bool(0.2)),
            "array" => {
                let n = self.rng.random_range(0..4);
                (0..n).map(|_| self.good(&schema["items"])).collect()
            }
            _ => Value::Null,
        }
    }

    fn body(&mut self, schema: &Value) -> Map<String, Value> {
        let schema = self.resolve(schema);
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut body = Map::new();
        for (name, property) in schema["properties"].as_object().unwrap() {
            if required.iter().any(|r| r == name) || self.rng.random_bool(0.15) {
                let value = self.good(property);
                body.insert(name.clone(), value);
            }
        }
        body
    }

    /// A value that is rarely what is wanted.
    fn bad(&mut self) -> Value {
        let deep = (0..self.rng.random_range(1..100)).fold(json!(1), |inner, _| json!([inner]));
        let long = "x".repeat(self.rng.random_range(1..20_000));
        self.one_of(&[
            Value::Null,
            json!(-1),
            json!(0),
            json!(1.5),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(true),
            json!("\u{202e}\u{0}"),
            json!(long),
            json!([]),
            json!([[]]),
            json!({}),
            json!({"a": [1, {"b": null}]}),
            json!([null, "a", 1]),
            json!([["a"], 1]),
            json!([4_294_967_296u64]),
            json!([99999]),
            deep,
        ])
    }

    /// Makes a body wrong, mostly.
    fn spoil(&mut self, mut body: Map<String, Value>, names: &[String]) -> Vec<u8> {
        for _ in 0..self.rng.random_range(0..3) {
            let name = self.one_of(names);
            match self.rng.random_range(0..4) {
                0 => drop(body.remove(&name)),
                1 => drop(body.insert(format!("{name}~/x"), json!(1))),
                _ => {
                    let bad = self.bad();
                    body.insert(name, bad);
                }
            }
        }
        let mut bytes = serde_json::to_vec(&body).unwrap();
        match self.rng.random_range(0..10) {
            0 => bytes.truncate(self.rng.random_range(0..bytes.len())),
            1 => {
                let at = self.rng.random_range(0..bytes.len());
                bytes[at] = self.rng.next_u32() as u8;
            }
            2 => bytes.extend_from_slice(b"\xff\x00{}"),
            _ => {}
        }
        bytes
    }
}

#[test]
fn two_thousand_wrong_requests_are_answered_with_what_is_wrong() {
    // Without labels nothing is learned, which would take long.
    let mut options = full();
    options.texts[0].read.label_column = None;
    let running = Running::new(options);
    running.until("mapped", || running.get("/info").json()["models"][0]["texts"]["state"] == "ready");
    let document = running.get("/openapi.json").json();
    let mut routes: Vec<(String, Value)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let schema = &methods["post"]["requestBody"]["content"]["application/json"]["schema"];
        if !schema.is_null() {
            routes.push((path.clone(), schema.clone()));
        }
    }
    let mut maker = Maker { document: &document, rng: ChaCha8Rng::seed_from_u64(11) };
    let mut client = running.client();
    let (mut refused, mut done, mut asked) = (0, 0, BTreeSet::new());
    for i in 0..REQUESTS {
        let (path, schema) = maker.one_of(&routes);
        asked.insert(path.clone());
        let names: Vec<String> = maker.resolve(&schema)["properties"].as_object().unwrap().keys().cloned().collect();
        let body = maker.body(&schema);
        let bytes = maker.spoil(body, &names);
        let said = || format!("{i}: {path} {}", String::from_utf8_lossy(&bytes[..bytes.len().min(600)]));
        let response = client.ask("POST", &path, &[], &bytes).unwrap_or_else(|e| panic!("{e}: {}", said()));
        match response.status {
            200 => done += 1,
            400 | 404 | 422 => {
                let error = &response.json()["error"];
                assert!(
                    error["message"].is_string() && error["code"].is_string() && error["type"].is_string(),
                    "{}",
                    said()
                );
                assert_eq!(error["param"].is_string(), response.status != 400, "{}", said());
                refused += 1;
            }
            status => panic!("{status} {}: {}", response.text(), said()),
        }
    }
    assert!(refused > REQUESTS / 2 && done > 40, "{refused} refused, {done} done");
    assert_eq!(asked.len(), routes.len(), "not every route was asked");
    assert_eq!(running.metric("strait_panics_total{model=\"first\"}"), 0.0);
    assert_eq!(running.get("/health").status, 200);
}

//! Every route gives what the library gives.

use serde_json::{Value, json};
use strait::{Decoding, DecodingOptions, Model, Path};

use super::{Running, first, fixture, floats, strings};

fn drawn() -> (Value, Decoding) {
    let own = &first().config().sampling;
    let options = DecodingOptions { temperature: 0.8, top_p: 0.9, max_len: 12, ..own.clone() };
    let fields = json!({"temperature": 0.8, "top_p": 0.9, "max_len": 12, "ban": ["the"], "seed": 5});
    (fields, Decoding { options: Some(options), banned: vec!["the".into()], ..Decoding::default() })
}

fn with(mut body: Value, fields: &Value) -> Value {
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

#[test]
fn texts_go_to_latents_and_back() {
    let running = Running::usual();
    let texts = &fixture().texts[..7];
    let encoded = running.done("/v1/encode", &json!({"texts": texts}));
    let latents: Vec<Vec<f32>> = encoded["latents"].as_array().unwrap().iter().map(floats).collect();
    assert_eq!(latents.concat(), first().encode(texts).data());
    assert_eq!(encoded["dimensions"], first().latent_size());
    let back = running.done("/v1/decode", &json!({"latents": encoded["latents"]}));
    let straight = running.done("/v1/reconstruct", &json!({"texts": texts}));
    let expected = first().decode_seeded(&first().encode(texts), &Decoding::default(), 1).unwrap();
    assert_eq!(strings(&back["texts"]), expected);
    assert_eq!(strings(&straight["texts"]), expected);
    assert!(straight["usage"]["read"].as_u64().unwrap() >= 7 && back["usage"]["read"] == 0);
    assert_eq!(straight["finished"].as_array().unwrap().len(), 7);
}

#[test]
fn draws_are_those_of_the_library_for_the_same_seed() {
    let running = Running::usual();
    let (fields, decoding) = drawn();
    let sampled = running.done("/v1/sample", &with(json!({"n": 6}), &fields));
    assert_eq!(strings(&sampled["texts"]), first().sample(6, 5, &decoding).unwrap());
    let plain = running.done("/v1/sample", &json!({}));
    assert_eq!(strings(&plain["texts"]), first().sample(10, 1, &Decoding::default()).unwrap());
    let text = &fixture().texts[0];
    let decoding = Decoding {
        options: Some(DecodingOptions {
            temperature: 0.8,
            top_p: 0.9,
            max_len: 12,
            ..first().config().decoding.clone()
        }),
        ..decoding
    };
    let varied = running.done("/v1/vary", &with(json!({"text": text, "n": 4, "distance": 0.5}), &fields));
    assert_eq!(strings(&varied["texts"]), first().vary(text, 4, 0.5, 5, &decoding).unwrap());
}

#[test]
fn ways_go_from_end_to_end() {
    let running = Running::usual();
    let (a, b) = (&*fixture().texts[0], &*fixture().texts[1]);
    let ends = first().encode(&[a, b]);
    for (name, path) in [("straight", Path::Straight), ("spherical", Path::Spherical)] {
        let way = running.done("/v1/interpolate", &json!({"a": a, "b": b, "steps": 3, "path": name}));
        let latents = first().way((a, b), 3, path).unwrap();
        assert_eq!(strings(&way["texts"]), first().decode_seeded(&latents, &Decoding::default(), 1).unwrap());
        assert_eq!(way["t"], json!([0.0, 0.5, 1.0]));
        // Latents in the place of texts.
        for body in [
            json!({"from": ends.row(0), "to": ends.row(1), "steps": 3, "path": name}),
            json!({"a": a, "to": ends.row(1), "steps": 3, "path": name}),
            json!({"from": ends.row(0), "b": b, "steps": 3, "path": name}),
        ] {
            assert_eq!(running.done("/v1/interpolate", &body)["texts"], way["texts"], "{body}");
        }
    }
    let one = running.done("/v1/interpolate", &json!({"a": a, "b": b, "steps": 1}));
    assert_eq!(one["t"], json!([0.0]));
}

#[test]
fn embeddings_take_texts_and_tokens_and_give_numbers_or_bytes() {
    let running = Running::usual();
    let texts = &fixture().texts[..2];
    let ids: Vec<Vec<u32>> = first().tokenizer().encode_batch(texts);
    let expected = first().encode(texts);
    for (input, rows) in [(json!(texts[0]), 1), (json!(texts), 2), (json!(ids[0]), 1), (json!(ids), 2)] {
        let answer = running.done("/v1/embeddings", &json!({"input": input, "model": "first", "user": "me"}));
        let data = answer["data"].as_array().unwrap();
        assert_eq!(data.len(), rows, "{input}");
        for (i, item) in data.iter().enumerate() {
            assert_eq!(floats(&item["embedding"]), expected.row(i), "{input}");
            assert_eq!((&item["index"], &item["object"]), (&json!(i), &json!("embedding")));
        }
        let tokens: usize = ids[..rows].iter().map(Vec::len).sum();
        assert_eq!(answer["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}));
    }
    let size = first().latent_size();
    let body = json!({"input": texts[0], "encoding_format": "base64", "dimensions": size});
    let bytes = running.done("/v1/embeddings", &body)["data"][0]["embedding"].as_str().unwrap().to_owned();
    assert_eq!(from_base64(&bytes), expected.row(0).iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
}

fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String =
        text.trim_end_matches('=').chars().map(|c| format!("{:06b}", ALPHABET.find(c).unwrap())).collect();
    let bytes =
        bits.as_bytes().chunks_exact(8).map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap());
    bytes.collect()
}

#[test]
fn a_language_model_samples_and_says_what_it_cannot_do() {
    let running = Running::usual();
    let sampled = running.done("/v1/sample", &json!({"model": "language", "n": 3, "prefix": "The"}));
    assert!(strings(&sampled["texts"]).iter().all(|t| t.starts_with("The")), "{sampled}");
    for (path, body) in [
        ("/v1/encode", json!({"texts": ["a"]})),
        ("/v1/decode", json!({"latents": [[1.0]]})),
        ("/v1/vary", json!({"text": "a"})),
        ("/v1/embeddings", json!({"input": "a"})),
        ("/v1/search", json!({"queries": ["a"], "texts": ["b"]})),
        ("/v1/similarity", json!({"a": "a", "b": "b"})),
        ("/v1/dedup", json!({"texts": ["a", "b"]})),
        ("/v1/cluster", json!({"texts": ["a", "b"]})),
        ("/v1/map", json!({"texts": ["a", "b"]})),
        ("/v1/complete", json!({"texts": ["a", "b"]})),
        ("/v1/steer", json!({"texts": ["a"], "toward": "b"})),
        ("/v1/analogy", json!({"a": "a", "b": "b", "c": "c"})),
        ("/v1/axes", json!({})),
        ("/v1/augment", json!({"texts": ["a"], "labels": ["b"]})),
        ("/v1/topics", json!({})),
        ("/v1/move", json!({"text": "a"})),
        ("/v1/classify", json!({"texts": ["a"], "by": "b"})),
        ("/v1/directions/learn", json!({"examples": {"a": ["a", "b"], "b": ["c", "d"]}})),
    ] {
        let response = running.post(path, &with(body, &json!({"model": "language"})).to_string());
        assert_eq!(response.status, 422, "{path}");
        assert_eq!(response.json()["error"]["param"], "/model", "{path}");
    }
}

#[test]
fn a_model_of_pairs_writes_for_sources_and_nothing_else() {
    let running = Running::usual();
    let sources = ["tea the drinks she", "rain the likes he"];
    let model = Model::open(&fixture().pairs).unwrap();
    let asked = json!({"model": "pairs", "sources": sources, "n": 2, "explain": true, "max_len": 9, "beam": 3});
    let answer = running.done("/v1/generate", &asked);
    let options = DecodingOptions { beam: 3, max_len: 9, ..model.config().decoding.clone() };
    let own = model.generate((&sources, 0), 2, &Decoding { options: Some(options), ..Decoding::default() }, 1).unwrap();
    for (found, own) in answer["targets"].as_array().unwrap().iter().zip(&own) {
        let texts: Vec<&str> = found.as_array().unwrap().iter().map(|t| t["text"].as_str().unwrap()).collect();
        assert_eq!(texts, own.iter().map(|t| &t.text[..]).collect::<Vec<_>>());
        let attention = &found[0]["attention"];
        let rows = attention["weights"].as_array().unwrap();
        assert_eq!(rows.len(), attention["written"].as_array().unwrap().len());
        assert_eq!(rows[0].as_array().unwrap().len(), attention["source"].as_array().unwrap().len());
        assert!(found[0]["log_probability"].as_f64() < Some(0.0) && found[0]["score"].is_f64());
    }
    assert!(answer["usage"]["read"].as_u64() > Some(2));
    let draw = |seed: u64| {
        let asked = json!({"model": "pairs", "sources": ["a b"], "n": 40, "temperature": 1.0, "seed": seed});
        running.done("/v1/generate", &asked)
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert!(draw(1)["targets"][0][39]["attention"].is_null());
    for (path, body, pointer) in [
        ("/v1/generate", json!({"model": "first", "sources": ["a"]}), "/model"),
        ("/v1/generate", json!({"model": "pairs", "sources": []}), "/sources"),
        ("/v1/generate", json!({"model": "pairs", "sources": ["a"], "n": 0}), "/n"),
        ("/v1/generate", json!({"model": "pairs", "sources": ["a"], "n": 500}), "/n"),
        ("/v1/generate", json!({"model": "pairs", "sources": ["a", "b"], "n": 1000, "temperature": 1.0}), "/n"),
        ("/v1/sample", json!({"model": "pairs"}), "/model"),
        ("/v1/encode", json!({"model": "pairs", "texts": ["a"]}), "/model"),
    ] {
        let response = running.post(path, &body.to_string());
        assert_eq!((response.status, &response.json()["error"]["param"]), (422, &json!(pointer)), "{path} {body}");
    }
}

#[test]
fn every_example_of_the_description_is_answered() {
    let running = Running::full();
    let document = running.get("/openapi.json").json();
    let latent = running.done("/v1/encode", &json!({"texts": ["a"]}))["latents"].clone();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if methods["get"].is_object() {
            let path = path.replace("{run}", "first").replace("{from}", "0");
            assert_eq!(running.get(&path).status, 200, "{path}");
        }
        let mut example = methods["post"]["requestBody"]["content"]["application/json"]["example"].clone();
        if example.is_object() {
            match path.as_str() {
                "/v1/decode" => example["latents"] = latent.clone(),
                "/v1/generate" => example["model"] = json!("pairs"),
                "/v1/topics" => example["model"] = json!("topics"),
                "/v1/steer" => example["toward"] = json!(fixture().labels[0]),
                _ => {}
            }
            let answer = running.done(path, &example);
            let reference = &methods["post"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
            let schema = document.pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap();
            let required = strings(&schema["required"]);
            assert!(required.iter().all(|field| !answer[field].is_null()), "{path}: {answer}");
            asked += 1;
        }
    }
    assert_eq!(asked, 33);
}

#[test]
fn what_is_served_is_told() {
    let running = Running::usual();
    let info = running.get("/info").json();
    assert_eq!(info["models"][0]["facts"]["dimensions"], first().latent_size());
    assert_eq!(info["models"][1]["facts"]["language_model"], true);
    assert_eq!(info["limits"]["n"], 1024);
    let models = running.get("/v1/models").json();
    assert_eq!((&models["data"][0]["id"], &models["data"][1]["id"]), (&json!("first"), &json!("language")));
    assert!(models["data"][0]["created"].as_u64().unwrap() > 1_500_000_000);
    for page in ["/", "/docs"] {
        let response = running.get(page);
        assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(response.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert!(!response.text().contains("http"), "{page}");
    }
    let head = running.client().ask("HEAD", "/health", &[], b"").unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(running.metric("strait_requests_total{route=\"/docs\",status=\"200\"}"), 1.0);
    assert_eq!(running.metric("strait_model_loaded{model=\"language\"}"), 1.0);
    assert_eq!(running.metric("strait_request_seconds_count{route=\"/info\"}"), 1.0);
}

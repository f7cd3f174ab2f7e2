//! Documents: every route gives what the library gives, and says what it cannot do.

use std::{fs, path::Path, sync::Arc, time::Duration};

use serde_json::{Value, json};
use strait::{Decoding, DecodingOptions, DocumentModel, WriteRequest, Written};
use strait_server::{Event, LearnedPlace, Limits, ModelPlace, Options, ServeError, Server};

use super::{Running, fixture, streams::events, told, usual};

fn only_documents() -> Options {
    Options { documents: vec![ModelPlace::new(&fixture().documents)], ..Options::new(vec![]) }
}

fn model() -> DocumentModel {
    DocumentModel::open(&fixture().documents).unwrap()
}

/// Fields of a request for sentences, and the same for the library.
fn drawn() -> (Value, WriteRequest) {
    let own = model().sentence_model().config().decoding.clone();
    let options = DecodingOptions { temperature: 0.7, max_len: 14, ..own };
    let decoding = Decoding { options: Some(options), banned: vec!["the".into()], ..Decoding::default() };
    let fields =
        json!({"temperature": 0.7, "max_len": 14, "ban": ["the"], "candidates": 4, "spread": 0.8, "seed": 5, "n": 3});
    (fields, WriteRequest { candidates: 4, temperature: 0.8, decoding, seed: 5, given: Vec::new() })
}

fn with(mut fields: Value, name: &str, value: impl Into<Value>) -> Value {
    fields[name] = value.into();
    fields
}

fn written(sentences: &[Written]) -> Value {
    told(&sentences)
}

#[test]
fn sentences_are_written_as_the_library_writes_them() {
    let (running, model) = (Running::new(only_documents()), model());
    let (fields, request) = drawn();
    let before = &fixture().texts[..6];
    let continued = running.done("/v1/document/continue", &with(fields.clone(), "sentences", before));
    assert_eq!(continued["sentences"], written(&model.continue_text(before, 3, &request).unwrap()));
    assert_eq!(continued["model"], "documents");
    assert!(model.header().checksum.starts_with(continued["version"].as_str().unwrap()));
    let plain = running.done("/v1/document/continue", &json!({"sentences": before}));
    assert_eq!(plain["sentences"], written(&model.continue_text(before, 5, &WriteRequest::default()).unwrap()));

    let outlined = running.done("/v1/document/outline", &fields);
    assert_eq!(outlined["sentences"], written(&model.outline(3, &request).unwrap()));
    let plain = running.done("/v1/document/outline", &json!({"seed": 2}));
    let expected = model.outline(20, &WriteRequest { seed: 2, ..WriteRequest::default() }).unwrap();
    assert_eq!(plain["sentences"], written(&expected));

    let mut gap = fields;
    gap.as_object_mut().unwrap().remove("n");
    let list = json!([before[0], before[1], null, before[3]]);
    let filled = running.done("/v1/document/infill", &with(gap.clone(), "sentences", list));
    let expected = model.infill(&before[..2], &before[3..4], &request).unwrap();
    assert_eq!(filled["sentences"], written(&[expected]));
    let alone = running.done("/v1/document/infill", &with(gap, "sentences", json!([null])));
    assert_eq!(alone["sentences"], written(&[model.infill::<&str>(&[], &[], &request).unwrap()]));
}

#[test]
fn sentences_are_ordered_and_chosen_as_the_library_does_it() {
    let (running, model) = (Running::new(only_documents()), model());
    let text = &fixture().texts[..9];
    let places = |indices: Vec<usize>| -> Value {
        indices.into_iter().map(|index| json!({"index": index, "text": text[index]})).collect()
    };
    for part in [false, true] {
        let ordered = running.done("/v1/document/order", &json!({"sentences": text, "part": part}));
        assert_eq!(ordered["sentences"], places(model.order(text, &[], !part).unwrap()));
    }
    for k in [2, 20] {
        let asked = json!({"sentences": text, "k": k, "beam": 3});
        let summary = running.done("/v1/document/summarise", &asked);
        let options = DecodingOptions { beam: 3, ..model.sentence_model().config().decoding.clone() };
        let decoding = Decoding { options: Some(options), ..Decoding::default() };
        let expected = model.summarise(text, k, &decoding).unwrap();
        assert_eq!(summary["sentences"], places(expected.sentences));
        assert_eq!(summary["centre"], expected.centre);
    }
}

#[test]
fn documents_given_beside_are_attended_to() {
    let documents = vec![ModelPlace::new(&fixture().beside)];
    let limits = Limits { texts: 9, chars: 200, ..Limits::default() };
    let running = Running::new(Options { documents, limits, ..Options::new(vec![]) });
    let model = DocumentModel::open(&fixture().beside).unwrap();
    let (text, given) = (&fixture().texts[..4], &fixture().texts[8..12]);
    let told = json!([given[..2].join("\n"), " ", given[2..].join("\n")]);
    let given = vec![given[..2].to_vec(), given[2..].to_vec()];
    let ordered = running.done("/v1/document/order", &json!({"sentences": text, "given": told}));
    let order: Vec<u64> = model.order(text, &given, true).unwrap().into_iter().map(|i| i as u64).collect();
    let found = ordered["sentences"].as_array().unwrap().iter().map(|place| place["index"].as_u64().unwrap());
    assert_eq!(found.collect::<Vec<_>>(), order);
    let (fields, request) = drawn();
    let request = WriteRequest { given, ..request };
    let outlined = running.done("/v1/document/outline", &with(fields.clone(), "given", told));
    assert_eq!(outlined["sentences"], written(&model.outline(3, &request).unwrap()));
    assert_ne!(outlined["sentences"], running.done("/v1/document/outline", &fields)["sentences"]);
    for given in [json!(vec!["A."; 10]), json!(["It is. ".repeat(10)]), json!(["A.", "x".repeat(201)])] {
        let response = running.post("/v1/document/outline", &json!({"given": given}).to_string());
        assert_eq!((response.status, &response.json()["error"]["param"]), (422, &json!("/given")), "{given}");
    }
}

#[test]
fn a_text_is_cut_into_the_sentences_of_a_list() {
    let running = Running::new(only_documents());
    let list = ["Dr. Fox ran.", "He fell!", "Then it rained", "All slept."];
    let text = "Dr. Fox ran. He fell!\nThen it rained\n\nAll slept.";
    for (path, fields) in [("order", json!({})), ("continue", json!({"n": 1})), ("summarise", json!({"k": 2}))] {
        let path = format!("/v1/document/{path}");
        let listed = running.done(&path, &with(fields.clone(), "sentences", &list[..]));
        assert_eq!(running.done(&path, &with(fields, "text", text)), listed, "{path}");
    }
    let listed = running.done("/v1/document/infill", &json!({"sentences": [list[0], list[1], null, list[3]]}));
    let gap = text.replace("Then it rained", " [...]");
    assert_eq!(running.done("/v1/document/infill", &json!({"text": gap})), listed);
}

#[test]
fn events_are_the_sentences_of_the_plain_answer_and_a_client_that_goes_ends_the_work() {
    let running = Running::new(only_documents());
    let (fields, _) = drawn();
    for (path, body) in [("continue", with(fields.clone(), "text", "It began.")), ("outline", fields)] {
        let path = format!("/v1/document/{path}");
        let plain = running.done(&path, &body);
        let response = running.post(&path, &with(body, "stream", true).to_string());
        assert_eq!((response.status, response.header("content-type")), (200, Some("text/event-stream")));
        let events = events(&response.text());
        let (last, made) = events.split_last().unwrap();
        let expected = plain["sentences"].as_array().unwrap();
        assert_eq!(made.len(), expected.len());
        for (i, ((name, data), sentence)) in made.iter().zip(expected).enumerate() {
            assert_eq!((name.as_str(), data), ("sentence", &with(sentence.clone(), "index", i)));
        }
        let done = json!({"model": plain["model"], "version": plain["version"], "n": expected.len()});
        assert_eq!(last, &("done".to_owned(), done));
    }
    // 1024 sentences of a thousand tokens would take minutes.
    let long = json!({"text": "It began.", "n": 1024, "candidates": 1, "min_len": 1000, "max_len": 1000});
    for body in [long.clone(), with(long, "stream", true)] {
        let waiting = || running.metric("strait_lane_length{lane=\"documents\"}");
        let mut client = running.client();
        client.send("POST", "/v1/document/continue", &[], body.to_string().as_bytes()).unwrap();
        running.until("begun", || waiting() == 1.0);
        drop(client);
        running.until("given up", || waiting() == 0.0);
    }
    let refused = running.post("/v1/document/continue", r#"{"stream": true, "text": ""}"#);
    assert_eq!((refused.status, &refused.json()["error"]["param"]), (422, &json!("/text")));
}

#[test]
fn fields_that_cannot_be_are_named() {
    let limits = Limits { texts: 6, order: 3, chars: 20, n: 40, max_len: 50, ..Limits::default() };
    let running = Running::new(Options { limits, ..only_documents() });
    let (long, four) = ("x".repeat(21), "One. Two. Three. Four.");
    for (path, body, status, param) in [
        ("order", json!({}), 422, "/text"),
        ("order", json!({"text": "A.", "sentences": ["A."]}), 422, "/sentences"),
        ("order", json!({"text": " \n"}), 422, "/text"),
        ("order", json!({"sentences": []}), 422, "/sentences"),
        ("order", json!({"sentences": ["a", 3]}), 422, "/sentences/1"),
        ("order", json!({"sentences": ["a", null]}), 422, "/sentences/1"),
        ("order", json!({"sentences": ["a", long]}), 422, "/sentences/1"),
        ("order", json!({"text": format!("A. {long}")}), 422, "/text"),
        ("order", json!({"text": four}), 422, "/text"),
        ("order", json!({"sentences": ["a", "b", "c", "d"]}), 422, "/sentences"),
        ("order", json!({"text": "A.", "temperature": 1.0}), 422, "/temperature"),
        ("order", json!({"text": "A.", "model": "first"}), 404, "/model"),
        ("continue", json!({}), 422, "/text"),
        ("continue", json!({"text": four.repeat(2)}), 422, "/text"),
        ("continue", json!({"text": "A.", "sentences": ["A."]}), 422, "/sentences"),
        ("continue", json!({"text": "A.", "n": 0}), 422, "/n"),
        ("continue", json!({"text": "A.", "n": 41, "candidates": 1}), 422, "/n"),
        ("continue", json!({"text": "A.", "n": 3, "candidates": 16}), 422, "/n"),
        ("continue", json!({"text": "A.", "n": 1, "candidates": 0}), 422, "/candidates"),
        ("continue", json!({"text": "A.", "n": 1, "candidates": 41}), 422, "/candidates"),
        ("continue", json!({"text": "A.", "n": 1, "candidates": -1}), 422, "/candidates"),
        ("continue", json!({"text": "A.", "n": 1, "spread": -0.5}), 422, "/spread"),
        ("continue", json!({"text": "A.", "n": 1, "spread": 1e300}), 422, "/spread"),
        ("continue", json!({"text": "A.", "n": 1, "seed": 1.5}), 422, "/seed"),
        ("continue", json!({"text": "A.", "n": 1, "max_len": 51}), 422, "/max_len"),
        ("continue", json!({"text": "A.", "n": 1, "top_p": 2.0}), 422, "/top_p"),
        ("continue", json!({"text": "A.", "k": 1}), 422, "/k"),
        ("infill", json!({}), 422, "/text"),
        ("infill", json!({"text": "A.\nB."}), 422, "/text"),
        ("infill", json!({"text": "A.\n[...]\nB.\n[...]"}), 422, "/text"),
        ("infill", json!({"sentences": ["A.", "[...]"]}), 422, "/sentences"),
        ("infill", json!({"sentences": [null, null]}), 422, "/sentences"),
        ("infill", json!({"sentences": [null, long]}), 422, "/sentences/1"),
        ("infill", json!({"sentences": [null], "n": 1}), 422, "/n"),
        ("infill", json!({"sentences": [null], "stream": true}), 422, "/stream"),
        ("outline", json!({"n": 1, "given": ["A."]}), 422, "/given"),
        ("order", json!({"text": "A.", "given": ["A."]}), 422, "/given"),
        ("outline", json!({"n": 0}), 422, "/n"),
        ("outline", json!({"n": 3}), 422, "/n"),
        ("outline", json!({"text": "A."}), 422, "/text"),
        ("summarise", json!({"text": "A.", "k": 0}), 422, "/k"),
        ("summarise", json!({"text": "A.", "k": 7}), 422, "/k"),
        ("summarise", json!({"text": "A.", "seed": 1}), 422, "/seed"),
        ("summarise", json!({"k": 1}), 422, "/text"),
    ] {
        let response = running.post(&format!("/v1/document/{path}"), &body.to_string());
        let error = &response.json()["error"];
        assert_eq!((response.status, error["param"].as_str()), (status, Some(param)), "{path} {body}: {error}");
        assert!(error["message"].as_str().unwrap().len() > 10, "{error}");
    }
    let said = |path: &str, body: Value| running.post(path, &body.to_string()).json()["error"]["message"].to_string();
    assert!(said("/v1/document/order", json!({"text": four})).contains("4 sentences; at most 3"));
    assert!(said("/v1/document/order", json!({"text": "A.", "model": "x"})).contains("document model `x`"));
    assert!(said("/v1/document/infill", json!({"text": "A."})).contains("one line [...]"));
    assert!(said("/v1/document/outline", json!({"n": 3})).contains("16 candidates each; at most 40"));
}

#[test]
fn too_many_and_too_slow_are_told_to_come_again() {
    let full = Running::new(Options { limits: Limits { queue: 0, ..Limits::default() }, ..only_documents() });
    for (path, body) in [("order", r#"{"text": "A."}"#), ("outline", "{}"), ("outline", r#"{"stream": true}"#)] {
        let response = full.post(&format!("/v1/document/{path}"), body);
        assert_eq!((response.status, response.header("retry-after")), (429, Some("1")), "{path}");
    }
    let limits = Limits { seconds: 0.3, ..Limits::default() };
    let slow = Running::new(Options { limits, ..only_documents() });
    let mut body = json!({"text": "A.", "n": 1024, "candidates": 1, "min_len": 1000, "max_len": 1000});
    let response = slow.post("/v1/document/continue", &body.to_string());
    assert_eq!((response.status, response.json()["error"]["code"].as_str()), (503, Some("timeout")));
    slow.until("free", || slow.metric("strait_lane_length{lane=\"documents\"}") == 0.0);
    body["stream"] = true.into();
    let events = events(&slow.post("/v1/document/continue", &body.to_string()).text());
    let (name, data) = events.last().unwrap();
    assert_eq!((name.as_str(), &data["error"]["code"]), ("error", &json!("timeout")));
}

#[test]
fn what_is_served_is_told_and_what_is_not() {
    let running = Running::new(only_documents());
    let info = running.get("/info").json();
    assert_eq!(info["models"], json!([]));
    let (told, model) = (&info["documents"][0], model());
    assert_eq!((&told["name"], &told["ready"], &told["reloads"]), (&json!("documents"), &json!(true), &json!(0)));
    assert_eq!(told["facts"]["weights"], model.weights());
    assert_eq!(told["facts"]["sentences"], model.header().sentences[0]);
    let settings = &told["facts"]["settings"];
    assert_eq!((&settings["hidden"], &settings["plan"], &settings["given"]), (&json!(16), &json!(4), &json!(false)));
    assert_eq!(running.get("/health").json()["documents"], json!([{"name": "documents", "ready": true}]));
    assert_eq!(running.get("/v1/models").json()["data"], json!([]));
    for (running, path, flag) in
        [(&running, "/v1/sample", "-m DIR"), (&Running::usual(), "/v1/document/outline", "--document DIR")]
    {
        let response = running.post(path, "{}");
        let error = &response.json()["error"];
        assert_eq!((response.status, &error["code"]), (404, &json!("model_not_found")));
        assert!(error["message"].as_str().unwrap().contains(flag), "{error}");
    }
}

#[test]
fn what_cannot_be_served_is_said() {
    let start = |options: Options| match Server::start(Options { port: 0, ..options }, Arc::new(|_: &Event| {})) {
        Ok(server) => server.wait().unwrap_err(),
        Err(e) => e,
    };
    let place = |dir: &Path| vec![ModelPlace::new(dir)];
    let no_document = Options { documents: place(&fixture().first), ..Options::new(vec![]) };
    let said = start(no_document).to_string();
    assert!(said.contains("first") && said.contains("strait document train"), "{said}");
    let twice =
        Options { documents: vec![ModelPlace { name: "first".into(), dir: fixture().documents.clone() }], ..usual() };
    assert!(matches!(start(twice), ServeError::SameName(name) if name == "first"));
    let learned = vec![LearnedPlace { model: None, path: "mood.json".into() }];
    let said = start(Options { directions: learned, ..only_documents() }).to_string();
    assert!(said.contains("mood.json") && said.contains("-m DIR"), "{said}");
    let absent = Options { documents: place(Path::new("nowhere")), ..Options::new(vec![]) };
    assert!(start(absent).to_string().contains("nowhere"));
}

#[test]
fn a_replaced_document_model_is_taken_over() {
    let dir = fixture().dir.join("moving");
    let copy = |from: &Path| {
        let new = dir.with_extension("new");
        for part in ["", "sentences"] {
            fs::create_dir_all(new.join(part)).unwrap();
            for file in fs::read_dir(from.join(part)).unwrap().map(Result::unwrap) {
                if file.file_type().unwrap().is_file() {
                    fs::copy(file.path(), new.join(part).join(file.file_name())).unwrap();
                }
            }
        }
        let _ = fs::remove_dir_all(&dir);
        fs::rename(&new, &dir).unwrap();
    };
    copy(&fixture().documents);
    let documents = vec![ModelPlace::new(&dir)];
    let running = Running::new(Options { documents, poll: Duration::from_millis(20), ..Options::new(vec![]) });
    let told = || running.get("/info").json()["documents"][0].clone();
    let ask = || running.done("/v1/document/outline", &json!({"n": 3}))["sentences"].clone();
    let old = ask();
    fs::write(dir.join("document.safetensors"), "broken").unwrap();
    running.until("told", || told()["problem"].as_str().is_some_and(|p| p.contains("document.safetensors")));
    assert_eq!(ask(), old);
    copy(&fixture().beside);
    running.until("replaced", || told()["reloads"] == 1);
    assert!(told()["problem"].is_null());
    let expected = DocumentModel::open(&fixture().beside).unwrap().outline(3, &WriteRequest::default());
    assert_eq!(ask(), written(&expected.unwrap()));
    assert_ne!(ask(), old);
}

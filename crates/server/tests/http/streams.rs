//! Texts as events.

use serde_json::{Value, json};

use super::{Running, fixture, strings};

/// The events of a stream: names and data.
pub fn events(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter(|block| !block.is_empty());
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("{text}"));
        (field("event: ").to_owned(), serde_json::from_str(field("data: ")).unwrap())
    };
    blocks.map(event).collect()
}

#[test]
fn events_are_the_texts_of_the_plain_answer_in_order() {
    let running = Running::usual();
    let texts = &fixture().texts;
    for (path, body) in [
        ("/v1/sample", json!({"n": 9, "temperature": 0.8, "seed": 3, "max_len": 12})),
        ("/v1/reconstruct", json!({"texts": texts[..5], "max_len": 12})),
        ("/v1/vary", json!({"text": texts[0], "n": 4, "max_len": 12})),
    ] {
        let plain = running.done(path, &body);
        let mut streamed = body.clone();
        streamed["stream"] = true.into();
        let response = running.post(path, &streamed.to_string());
        assert_eq!((response.status, response.header("content-type")), (200, Some("text/event-stream")));
        let events = events(&response.text());
        let (last, made) = events.split_last().unwrap();
        let expected = strings(&plain["texts"]);
        assert_eq!(made.len(), expected.len(), "{path}");
        for (i, ((name, data), text)) in made.iter().zip(&expected).enumerate() {
            assert_eq!((name.as_str(), &data["index"], &data["text"]), ("text", &json!(i), &json!(text)), "{path}");
        }
        assert_eq!(last.0, "done");
        assert_eq!((&last.1["n"], &last.1["usage"]), (&json!(expected.len()), &plain["usage"]), "{path}");
    }
}

#[test]
fn a_text_comes_before_the_last_one_is_made_and_a_client_that_goes_ends_the_work() {
    let running = Running::usual();
    let written = || running.metric("strait_tokens_written_total{model=\"first\"}");
    let mut client = running.client();
    let body = json!({"n": 1024, "min_len": 200, "max_len": 200, "temperature": 1, "stream": true}).to_string();
    client.send("POST", "/v1/sample", &[], body.as_bytes()).unwrap();
    assert_eq!(client.head().unwrap().status, 200);
    let first = String::from_utf8(client.chunk().unwrap()).unwrap();
    assert!(first.starts_with("event: text\ndata: {\"index\":0"), "{first}");
    drop(client);
    running.until("given up", || running.metric("strait_abandoned_total{model=\"first\"}") == 1.0);
    assert!(written() < 100.0 * 200.0, "{}", written());
    assert_eq!(running.metric("strait_queue_length{model=\"first\"}"), 0.0);
    // The same without events.
    let mut client = running.client();
    let body = json!({"n": 1024, "min_len": 200, "max_len": 200, "temperature": 1}).to_string();
    client.send("POST", "/v1/sample", &[], body.as_bytes()).unwrap();
    running.until("begun", || running.metric("strait_queue_length{model=\"first\"}") == 1.0);
    drop(client);
    running.until("given up", || running.metric("strait_abandoned_total{model=\"first\"}") == 2.0);
}

#[test]
fn mistakes_are_plain_answers_before_a_stream() {
    let running = Running::usual();
    let response = running.post("/v1/sample", r#"{"stream": true, "n": 0}"#);
    assert_eq!((response.status, &response.json()["error"]["param"]), (422, &json!("/n")));
}

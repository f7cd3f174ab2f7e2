//! Beginnings, ends and replaced models.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use strait::{Decoding, Model};
use strait_server::{Event, ModelPlace, Options, ServeError, Server};

use super::{Running, fixture, strings, usual};

/// Puts a model's copy in the place of another one, as a training does.
fn put(model: &Path, place: &Path) {
    let new = place.with_extension("new");
    fs::create_dir_all(&new).unwrap();
    for entry in fs::read_dir(model).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), new.join(entry.file_name())).unwrap();
    }
    if place.exists() {
        fs::remove_dir_all(place).unwrap();
    }
    fs::rename(&new, place).unwrap();
}

fn replaceable(name: &str) -> (PathBuf, Options) {
    let place = fixture().dir.join(name);
    put(&fixture().first, &place);
    let options = Options { poll: Duration::from_millis(20), ..Options::new(vec![ModelPlace::new(&place)]) };
    (place, options)
}

fn samples(dir: &Path) -> Vec<String> {
    Model::open(dir).unwrap().sample(3, 1, &Decoding::default()).unwrap()
}

#[test]
fn a_replaced_model_is_taken_over_while_requests_go_on() {
    let (place, options) = replaceable("replaced");
    let running = Running::new(options);
    let ask = || strings(&running.done("/v1/sample", &json!({"n": 3}))["texts"]);
    let (old, new) = (samples(&fixture().first), samples(&fixture().second));
    assert_ne!(old, new);
    assert_eq!(ask(), old);
    put(&fixture().second, &place);
    running.until("replaced", || {
        let texts = ask();
        assert!(texts == old || texts == new, "{texts:?}");
        texts == new
    });
    running.until("counted", || running.get("/info").json()["models"][0]["reloads"] == 1);
    assert!(running.stop().iter().any(|e| matches!(e, Event::Reloaded { name, .. } if name == "replaced")));
}

#[test]
fn a_damaged_new_model_is_told_of_and_the_old_one_stays() {
    let (place, options) = replaceable("spoilt");
    let running = Running::new(options);
    let problem = || running.get("/info").json()["models"][0]["problem"].clone();
    let whole = fs::read(place.join("prior.safetensors")).unwrap();
    fs::write(place.join("prior.safetensors"), &whole[..whole.len() / 2]).unwrap();
    running.until("told", || problem().as_str().is_some_and(|p| p.contains("prior.safetensors")));
    assert_eq!(running.metric("strait_failed_reloads_total{model=\"spoilt\"}"), 1.0);
    let ask = || strings(&running.done("/v1/sample", &json!({"n": 3}))["texts"]);
    assert_eq!(ask(), samples(&fixture().first));
    fs::remove_dir_all(&place).unwrap();
    running.until("missed", || problem().as_str().is_some_and(|p| p.contains("gone")));
    assert_eq!(ask(), samples(&fixture().first));
    put(&fixture().second, &place);
    running.until("well again", || problem().is_null());
    assert_eq!(ask(), samples(&fixture().second));
}

#[test]
fn what_has_begun_is_finished_and_nothing_else_is_taken() {
    let running = Running::usual();
    let mut client = running.client();
    let mut idle = running.client();
    assert_eq!(idle.ask("GET", "/health", &[], b"").unwrap().status, 200);
    let body = json!({"n": 100, "min_len": 60, "max_len": 60, "temperature": 1}).to_string();
    client.send("POST", "/v1/sample", &[], body.as_bytes()).unwrap();
    running.until("begun", || running.metric("strait_queue_length{model=\"first\"}") == 1.0);
    let address = running.address;
    let answer = std::thread::spawn(move || client.read(true).unwrap());
    let heard = running.stop();
    let answer = answer.join().unwrap();
    assert_eq!((answer.status, answer.json()["texts"].as_array().unwrap().len()), (200, 100));
    assert!(matches!(heard.last(), Some(Event::Stopped { cut: 0 })), "{heard:?}");
    assert!(std::net::TcpStream::connect(address).is_err());
    assert!(idle.ask("GET", "/health", &[], b"").is_err());
}

#[test]
fn what_takes_too_long_at_the_end_is_cut() {
    let running = Running::new(Options { grace: Duration::from_millis(50), ..usual() });
    let mut client = running.client();
    let body = json!({"n": 1024, "min_len": 500, "max_len": 500, "temperature": 1}).to_string();
    client.send("POST", "/v1/sample", &[], body.as_bytes()).unwrap();
    running.until("begun", || running.metric("strait_queue_length{model=\"first\"}") == 1.0);
    assert!(matches!(running.stop().last(), Some(Event::Stopped { cut: 1 })));
    assert!(client.read(true).is_err());
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let start = |options: Options| match Server::start(Options { port: 0, ..options }, Arc::new(|_: &Event| {})) {
        Ok(server) => server.wait().unwrap_err(),
        Err(e) => e,
    };
    assert!(matches!(start(Options::new(vec![])), ServeError::NoModels));
    let first = ModelPlace::new(&fixture().first);
    assert!(matches!(start(Options::new(vec![first.clone(), first.clone()])), ServeError::SameName(n) if n == "first"));
    let (place, options) = replaceable("broken");
    fs::write(place.join("tokenizer.json"), "{}").unwrap();
    let said = start(options).to_string();
    assert!(said.contains("tokenizer.json") && said.contains("damaged"), "{said}");
    let running = Running::usual();
    let taken = Options { port: running.address.port(), ..usual() };
    let said = Server::start(taken, Arc::new(|_: &Event| {})).err().unwrap().to_string();
    assert!(said.contains("--port"), "{said}");
    let origin = Options { cors: vec!["example.org".into()], ..usual() };
    assert!(start(origin).to_string().contains("https://"));
}

#[test]
fn others_can_reach_an_open_address_and_are_warned_of() {
    let running = Running::new(Options { host: "0.0.0.0".into(), ..usual() });
    assert!(running.stop().iter().any(|event| matches!(event, Event::Open(_))));
    assert!(!Running::usual().stop().iter().any(|event| matches!(event, Event::Open(_))));
}

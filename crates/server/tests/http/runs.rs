//! Trainings, finished and going on.

use std::{fs, io::Write as _, path::PathBuf};

use serde_json::{Value, json};
use strait_server::Options;

use super::{Running, fixture, usual};

/// A folder of trainings with one that is going on.
fn unfinished(name: &str) -> PathBuf {
    let dir = fixture().dir.join(name);
    let _ = fs::remove_dir_all(&dir);
    let run = dir.join("new.strait.training");
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("job.json"), r#"{"plan": {"recipe": {"name": "dae"}, "steps": 50}}"#).unwrap();
    fs::write(run.join("metrics.jsonl"), "{\"event\":\"step\",\"step\":1}\n{\"event\":\"step\",\"step\":2}\n").unwrap();
    dir
}

#[test]
fn finished_trainings_are_listed_with_their_events_and_report() {
    let running = Running::full();
    let runs = running.get("/v1/runs").json();
    let first = runs["runs"].as_array().unwrap().iter().find(|run| run["name"] == "first").unwrap();
    assert_eq!((&first["state"], &first["recipe"], &first["step"]), (&json!("finished"), &json!("dae"), &json!(4)));
    let metrics = fs::read_to_string(fixture().first.join("metrics.jsonl")).unwrap();
    let expected: Vec<Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = running.get("/v1/runs/first/events/0").json();
    assert_eq!((&told["events"], &told["next"]), (&json!(expected), &json!(metrics.len())));
    let nothing_new = running.get(&format!("/v1/runs/first/events/{}", metrics.len())).json();
    assert_eq!((&nothing_new["events"], &nothing_new["state"]), (&json!([]), &json!("finished")));
    let report = running.get("/v1/runs/first/report");
    assert_eq!(report.text(), fs::read_to_string(fixture().first.join("report.html")).unwrap());
    assert!(report.header("content-security-policy").unwrap().starts_with("sandbox"));
    let streamed = running.client().ask("GET", "/v1/runs/first/events/0", &["accept: text/event-stream"], b"").unwrap();
    assert_eq!(streamed.header("content-type"), Some("text/event-stream"));
    let text = streamed.text();
    assert_eq!(text.matches("event: metrics").count(), expected.len());
    assert!(text.contains(&format!("id: {}", metrics.len())) && text.trim_end().ends_with("event: done\ndata: {}"));
    assert_eq!(running.metric("strait_requests_total{route=\"/v1/runs/{run}/report\",status=\"200\"}"), 1.0);
}

#[test]
fn a_training_is_heard_as_it_goes_on_until_it_has_ended() {
    let dir = unfinished("runs");
    let run = dir.join("new.strait.training");
    let running = Running::new(Options { runs: Some(dir.clone()), ..usual() });
    let listed = running.get("/v1/runs").json()["runs"][0].clone();
    assert_eq!((&listed["name"], &listed["state"]), (&json!("new.strait"), &json!("training")));
    assert_eq!((&listed["step"], &listed["steps"]), (&json!(2), &json!(50)));
    assert!(running.get("/v1/runs/new.strait/report").text().contains("Training of new.strait"));
    let mut client = running.client();
    client
        .send("GET", "/v1/runs/new.strait/events/0", &["accept: text/event-stream", "last-event-id: 26"], b"")
        .unwrap();
    assert_eq!(client.head().unwrap().status, 200);
    let mut next = || String::from_utf8(client.chunk().unwrap()).unwrap();
    assert!(next().contains("\"step\":2"));
    let mut file = fs::OpenOptions::new().append(true).open(run.join("metrics.jsonl")).unwrap();
    file.write_all(b"{\"event\":\"step\",\"step\":3}\n{\"half").unwrap();
    assert!(next().contains("\"step\":3"));
    // Taken up again from an earlier step, then finished.
    fs::write(run.join("metrics.jsonl"), "{\"event\":\"step\",\"step\":1}\n").unwrap();
    assert!(next().contains("event: reset"));
    assert!(next().contains("\"step\":1"));
    fs::write(run.join("config.json"), "{}").unwrap();
    fs::rename(&run, dir.join("new.strait")).unwrap();
    assert_eq!(next(), "event: done\ndata: {}\n\n");
}

#[test]
fn a_stopping_server_does_not_wait_for_trainings() {
    let running = Running::new(Options { runs: Some(unfinished("stopped-runs")), ..usual() });
    let mut client = running.client();
    client.send("GET", "/v1/runs/new.strait/events/0", &["accept: text/event-stream"], b"").unwrap();
    assert_eq!(client.head().unwrap().status, 200);
    let heard = running.stop();
    assert!(matches!(heard.last(), Some(strait_server::Event::Stopped { cut: 0 })), "{heard:?}");
}

#[test]
fn what_is_no_training_is_refused() {
    let running = Running::full();
    for (path, status, param) in [
        ("/v1/runs/nothing/events/0", 404, "/run"),
        ("/v1/runs/..%2Fhttp%2Ffirst/report", 404, "/run"),
        ("/v1/runs/%ff/report", 404, "/run"),
        ("/v1/runs/first/events/x", 422, "/from"),
        ("/v1/runs/first/events/-1", 422, "/from"),
    ] {
        let response = running.get(path);
        assert_eq!((response.status, &response.json()["error"]["param"]), (status, &json!(param)), "{path}");
    }
    let none = Running::usual().get("/v1/runs");
    assert_eq!(none.status, 404);
    assert!(none.json()["error"]["message"].as_str().unwrap().contains("--runs"));
}

//! `strait serve` as a process: it prints its address, answers as the command does, stops when asked, and is there
//! again after it was killed.
#![cfg(unix)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::OnceLock,
};

use strait::text::grammar::{Factor, Grammar, Language, Sentence};

fn strait(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_strait")).args(args).env_remove("STRAIT_API_KEY").output().unwrap()
}

fn model() -> &'static str {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let (corpus, model) = (dir.join("corpus.txt"), dir.join("little.strait"));
        let sentences = Grammar::default().corpus(120, Some(Language::English), 7);
        fs::write(&corpus, sentences.iter().map(|s| format!("{}\n", s.text)).collect::<String>()).unwrap();
        let [corpus, out] = [&corpus, &model].map(|path| path.to_str().unwrap());
        let train = strait(&["train", corpus, "--out", out, "--steps", "4", "--size", "tiny", "--vocab", "300"]);
        assert!(train.status.success(), "{}", String::from_utf8_lossy(&train.stderr));
        model
    };
    MODEL.get_or_init(make).to_str().unwrap()
}

struct Serving {
    child: Child,
    said: BufReader<ChildStderr>,
    port: u16,
}

impl Serving {
    /// Starts it and waits until its model is ready.
    fn new(args: &[&str], key: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strait"));
        command.args(["serve", "-m", model()]).args(args).env_remove("STRAIT_API_KEY");
        command.envs(key.map(|key| ("STRAIT_API_KEY", key)));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let (mut port, mut line) = (0, String::new());
        while !line.contains("is ready") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
            if let Some((_, at)) = line.trim().split_once("Listening on http://127.0.0.1:") {
                port = at.parse().unwrap();
            }
        }
        Serving { child, said, port }
    }

    /// The answer to a request, head and body.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The body of a good answer.
    fn done(&self, path: &str, body: &str) -> serde_json::Value {
        let answer = self.ask("POST", path, "", body);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Waits until the texts are encoded and mapped.
    fn mapped(&self) {
        while !self.ask("GET", "/info", "", "").contains("\"state\":\"ready\"") {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn texts(&self) -> Vec<String> {
        let answer = self.ask("POST", "/v1/sample", "", r#"{"n": 4, "seed": 3, "temperature": 0.9}"#);
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        value["texts"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .iter()
            .map(|t| t.as_str().unwrap().into())
            .collect()
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_answers_as_the_command_does_and_stops_when_asked() {
    let args = ["sample", "-m", model(), "-n", "4", "--seed", "3", "--temperature", "0.9", "--json"];
    let printed = String::from_utf8(strait(&args).stdout).unwrap();
    let expected: Vec<String> = printed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().to_owned())
        .collect();
    for signal in ["-TERM", "-INT"] {
        let mut serving = Serving::new(&["--port", "0"], None);
        assert_eq!(serving.texts(), expected);
        serving.signal(signal);
        let mut rest = String::new();
        serving.said.read_to_string(&mut rest).unwrap();
        assert!(serving.child.wait().unwrap().success(), "{rest}");
        assert!(rest.contains(" POST /v1/sample 200 ") && rest.trim_end().ends_with("Stopped"), "{rest}");
    }
}

#[test]
fn after_a_kill_it_is_there_again_on_the_same_port() {
    let mut first = Serving::new(&["--port", "0", "--quiet"], None);
    let texts = first.texts();
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let again = Serving::new(&["--port", &first.port.to_string()], None);
    assert_eq!(again.texts(), texts);
}

#[test]
fn texts_and_what_was_learned_are_served_and_there_again_after_a_kill() {
    let folder = Path::new(model()).parent().unwrap();
    let labelled = folder.join("labelled.csv");
    let sentences = Grammar::default().corpus(120, Some(Language::English), 7);
    let line = |s: &Sentence| format!("\"{}\",{}\n", s.text, s.label(Factor::Tense));
    fs::write(&labelled, format!("text,tense\n{}", sentences.iter().map(line).collect::<String>())).unwrap();
    let [labelled, learned] = [labelled, folder.join("tense.directions.json")].map(|p| p.to_str().unwrap().to_owned());
    let column = ["--column", "text", "--label-column", "tense"];
    let learn = strait(&[&["directions", "-m", model(), &labelled, "-o", &learned], &column[..]].concat());
    assert!(learn.status.success(), "{}", String::from_utf8_lossy(&learn.stderr));
    let runs = folder.to_str().unwrap();
    let named = format!("little={learned}");
    let args = [&["--port", "0", "--texts", &labelled, "--directions", &named, "--runs", runs], &column[..]].concat();
    let label = sentences[0].label(Factor::Tense);
    let steer = serde_json::json!({"texts": [sentences[1].text], "toward": label, "by": "tense"}).to_string();
    let ask = |serving: &Serving| {
        serving.mapped();
        let asked = [("/v1/map", "{}"), ("/v1/directions/learn", "{}"), ("/v1/steer", &steer)];
        let mut answers: Vec<_> = asked.iter().map(|(path, body)| serving.done(path, body)).collect();
        let events = serving.ask("GET", "/v1/runs/little.strait/events/0", "", "");
        answers.push(serde_json::from_str(events.split_once("\r\n\r\n").unwrap().1).unwrap());
        answers
    };
    let mut first = Serving::new(&args, None);
    let answers = ask(&first);
    assert!(answers[3]["events"].as_array().unwrap().len() > 2, "{}", answers[3]);
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    assert_eq!(ask(&Serving::new(&args, None)), answers);
}

#[test]
fn documents_are_answered_as_the_command_answers() {
    let folder = Path::new(model()).parent().unwrap();
    let sentences = Grammar::default().corpus(120, Some(Language::English), 7);
    let texts: Vec<&str> = sentences.iter().map(|s| s.text.as_str()).collect();
    let text = texts[..5].join("\n");
    let [all, start, out] = ["documents.txt", "start.txt", "documents"].map(|name| folder.join(name));
    fs::write(&all, texts.chunks(8).map(|d| d.join("\n")).collect::<Vec<_>>().join("\n\n")).unwrap();
    fs::write(&start, &text).unwrap();
    let [all, start, out] = [&all, &start, &out].map(|path| path.to_str().unwrap());
    let small = ["--steps", "5", "--hidden", "8", "--components", "2"];
    let train = strait(&[&["document", "train", all, "-m", model(), "-o", out], &small[..]].concat());
    assert!(train.status.success(), "{}", String::from_utf8_lossy(&train.stderr));
    let named = format!("stories={out}");
    let serving = Serving::new(&["--port", "0", "--document", &named], None);
    while !serving.ask("GET", "/health", "", "").starts_with("HTTP/1.1 200 ") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for (verb, flags, fields) in [
        ("order", &["--part"][..], serde_json::json!({"part": true})),
        (
            "continue",
            &["-n", "2", "--spread", "0.5", "--seed", "3"],
            serde_json::json!({"n": 2, "spread": 0.5, "seed": 3}),
        ),
    ] {
        let printed = strait(&[&["document", verb, "-m", out, start, "--json"], flags].concat());
        let lines = String::from_utf8(printed.stdout).unwrap();
        let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut body = fields;
        (body["text"], body["model"]) = (text.as_str().into(), "stories".into());
        let answer = serving.done(&format!("/v1/document/{verb}"), &body.to_string());
        assert_eq!(answer["sentences"], serde_json::Value::from(lines));
    }
    let failed = |args: &[&str]| {
        let output = strait(&[&["serve", "--port", "0"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(failed(&["--document", model()]).contains("strait document train"));
    assert!(failed(&["--document", out, "--texts", start]).contains("-m DIR"));
    assert!(failed(&["-m", model(), "--document", &format!("little={out}")]).contains("--document NAME=DIR"));
}

#[test]
fn keys_come_from_a_file_or_the_environment() {
    let file = Path::new(model()).with_extension("key");
    fs::write(&file, "from-file\nmore\n").unwrap();
    let file = file.to_str().unwrap();
    for (args, variable, key) in [
        (&["--port", "0", "--api-key-file", file][..], None, "from-file"),
        (&["--port", "0"], Some("from-there"), "from-there"),
    ] {
        let serving = Serving::new(args, variable);
        assert!(serving.ask("GET", "/v1/models", "", "").starts_with("HTTP/1.1 401 "));
        let header = format!("authorization: Bearer {key}\r\n");
        let answer = serving.ask("GET", "/v1/models", &header, "");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"little\""), "{answer}");
    }
    fs::write(file, "\n").unwrap();
    let failed = strait(&["serve", "-m", model(), "--port", "0", "--api-key-file", file]);
    assert!(failed.status.code() == Some(1) && String::from_utf8_lossy(&failed.stderr).contains("first line"));
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let failed = |args: &[&str], status: i32| {
        let output = strait(&[&["serve", "--port", "0"], args].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        said
    };
    assert!(failed(&["-m", "nowhere"], 1).contains("nowhere: there is no such folder"));
    assert!(failed(&["-m", model(), "-m", model()], 2).contains("NAME=DIR"));
    assert!(failed(&["-m", model(), "--cors", "nonsense"], 2).contains("origin"));
    assert!(failed(&["-m", model(), "--texts", "nowhere.csv"], 1).contains("nowhere.csv"));
    assert!(failed(&["-m", model(), "--texts", "other=nowhere.csv"], 2).contains("no model `other`"));
    assert!(failed(&["-m", model(), "--texts", "a.csv", "--texts", "b.csv"], 2).contains("join the files"));
    assert!(failed(&["-m", model(), "--directions", "nowhere.json"], 1).contains("nowhere.json"));
    assert!(failed(&["-m", model(), "--runs", "nowhere"], 2).contains("--runs"));
    failed(&[], 2);
}

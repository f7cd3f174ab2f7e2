//! The server as its clients meet it, over real sockets, with small models that are trained here.

mod answers;
mod client;
mod collections;
mod documents;
mod learned;
mod lifecycle;
mod load;
mod malformed;
mod refusals;
mod runs;
mod scores;
mod streams;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, atomic::AtomicBool},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use strait::{
    Budget, Classifier, ClassifierRequest, Collection, Directions, DirectionsRequest, DocumentConfig, DocumentModel,
    DocumentNetworkKind, DocumentRequest, DocumentWatch, Model, Recipe, Size, Training,
    text::{
        grammar::{Factor, Grammar, Language},
        read::{self, ReadOptions, read_from},
        sentences::Document,
    },
};
use strait_server::{Event, LearnedPlace, ModelPlace, Options, Server, TextsPlace};

use client::{Client, Response};

/// Models trained once: an autoencoder, another one of the same shape, a language model, one of pairs.
struct Fixture {
    dir: PathBuf,
    first: PathBuf,
    second: PathBuf,
    language: PathBuf,
    pairs: PathBuf,
    topics: PathBuf,
    /// Document models over the first one; the second attends to documents beside.
    documents: PathBuf,
    beside: PathBuf,
    texts: Vec<String>,
    /// The tense of each text.
    labels: Vec<String>,
    /// Both as a file.
    labelled: PathBuf,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let sentences = Grammar::default().corpus(120, Some(Language::English), 7);
        let texts: Vec<String> = sentences.iter().map(|s| s.text.clone()).collect();
        let reversed = |text: &String| text.split(' ').rev().collect::<Vec<_>>().join(" ");
        let train = |name: &str, recipe: &str, seed: u64| {
            let corpus = read_from(texts.join("\n").as_bytes(), "corpus.txt", &ReadOptions::default()).unwrap();
            let out = dir.join(name);
            let mut training = Training::new(&out, corpus);
            training.recipe = Recipe::find(recipe).unwrap();
            if training.recipe.is_seq2seq() {
                training.sources = texts.iter().map(reversed).collect();
            }
            training.recipe.tokenizer.vocabulary = Some(300);
            (training.size, training.budget, training.seed) = (Some(Size::Tiny), Budget::Steps(4), seed);
            training.run(&mut (), &AtomicBool::new(false)).unwrap();
            out
        };
        let labels: Vec<String> = sentences.iter().map(|s| s.label(Factor::Tense).to_owned()).collect();
        let labelled = dir.join("labelled.jsonl");
        let line = |(text, label): (&String, &String)| format!("{}\n", json!({"text": text, "tense": label}));
        fs::write(&labelled, texts.iter().zip(&labels).map(line).collect::<String>()).unwrap();
        let (first, second) = (train("first", "dae", 1), train("second", "dae", 2));
        let (language, pairs) = (train("language", "lm-lstm", 1), train("pairs", "seq2seq-lstm", 1));
        let topics = train("topics", "topics", 1);
        let documents = document_model(&dir.join("documents"), &first, &texts, DocumentNetworkKind::Lstm);
        let beside = document_model(&dir.join("beside"), &first, &texts, DocumentNetworkKind::Transformer);
        Fixture { dir, first, second, language, pairs, topics, documents, beside, texts, labels, labelled }
    })
}

/// Trains a document model on documents of eight of the texts each, each beside the one before if the kind attends to such.
fn document_model(out: &Path, sentences: &Path, texts: &[String], kind: DocumentNetworkKind) -> PathBuf {
    let given = kind == DocumentNetworkKind::Transformer;
    let parts: Vec<Vec<String>> = texts.chunks(8).map(<[String]>::to_vec).collect();
    let document = |i: usize| Document {
        sentences: parts[i].clone(),
        given: if given && i > 0 { vec![parts[i - 1].clone()] } else { vec![] },
    };
    let documents: Vec<Document> = (0..parts.len()).map(document).collect();
    let small = DocumentConfig { hidden: 16, heads: 2, components: 2, plan: 4, steps: 20, ..DocumentConfig::default() };
    let (data, data_hash) = ("texts".into(), String::new());
    let config = DocumentConfig { kind, given, ..small };
    let request = DocumentRequest { sentences: sentences.into(), config, seed: 1, data, data_hash };
    let watch = DocumentWatch { listener: &mut |_| {}, stop: &AtomicBool::new(false), keep: None };
    DocumentModel::train(&documents, None, &request, watch).unwrap().save(out, false).unwrap();
    out.into()
}

/// A server that is stopped at the end of the test.
struct Running {
    server: Option<Server>,
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Event>>>,
}

impl Running {
    fn new(options: Options) -> Self {
        let heard: Arc<Mutex<Vec<Event>>> = Arc::default();
        let listener = {
            let heard = heard.clone();
            move |event: &Event| heard.lock().unwrap().push(event.clone())
        };
        let server = Server::start(Options { port: 0, ..options }, Arc::new(listener)).unwrap();
        let running = Running { address: server.address(), server: Some(server), heard };
        running.until("ready", || running.get("/health").status == 200);
        running
    }

    /// With the first model under its name, and the language model.
    fn usual() -> Self {
        Running::new(usual())
    }

    /// The same with labelled texts, directions, a classifier and trainings, once the map is drawn.
    fn full() -> Self {
        let running = Running::new(full());
        running.until("mapped", || running.get("/info").json()["models"][0]["texts"]["state"] == "ready");
        running
    }

    fn client(&self) -> Client {
        Client::new(self.address).unwrap()
    }

    fn get(&self, path: &str) -> Response {
        self.client().ask("GET", path, &[], b"").unwrap()
    }

    fn post(&self, path: &str, body: &str) -> Response {
        self.client().ask("POST", path, &[], body.as_bytes()).unwrap()
    }

    /// The answer to a good request.
    fn done(&self, path: &str, body: &Value) -> Value {
        let response = self.post(path, &body.to_string());
        assert_eq!(response.status, 200, "{path} {body}: {}", response.text());
        response.json()
    }

    /// A value of the metrics.
    fn metric(&self, line: &str) -> f64 {
        let text = self.get("/metrics").text();
        let value = text.lines().find_map(|l| l.strip_prefix(line).and_then(|rest| rest.trim().parse().ok()));
        value.unwrap_or_else(|| panic!("{line}: {text}"))
    }

    fn until(&self, what: &str, is: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !is() {
            assert!(Instant::now() < end, "not {what} in time; heard {:?}", self.heard.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn stop(mut self) -> Vec<Event> {
        let server = self.server.take().unwrap();
        server.stop();
        server.wait().unwrap();
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
            server.stop();
            let _ = server.wait();
        }
    }
}

fn usual() -> Options {
    let Fixture { first, language, pairs, .. } = fixture();
    Options::new([first, language, pairs].map(ModelPlace::new).into())
}

/// Everything that there is to serve.
fn full() -> Options {
    static LEARNED: OnceLock<[PathBuf; 2]> = OnceLock::new();
    let [directions, classifier] = LEARNED.get_or_init(|| {
        let [directions, classifier] =
            ["tense.directions.json", "tense.classifier.json"].map(|f| fixture().dir.join(f));
        let found = Directions::learn(collection(), first(), &DirectionsRequest::default()).unwrap();
        fs::write(&directions, found.to_bytes()).unwrap();
        let how = ClassifierRequest { shuffles: 0, ..ClassifierRequest::default() };
        fs::write(&classifier, Classifier::train(collection(), first(), &how).unwrap().to_bytes()).unwrap();
        [directions, classifier]
    });
    let learned = |path: &PathBuf| vec![LearnedPlace { model: None, path: path.clone() }];
    let mut options = usual();
    options.models.push(ModelPlace::new(&fixture().topics));
    Options {
        documents: vec![ModelPlace::new(&fixture().documents)],
        texts: vec![TextsPlace { model: Some("first".into()), path: fixture().labelled.clone(), read: reading() }],
        directions: learned(directions),
        classifiers: learned(classifier),
        runs: Some(fixture().dir.clone()),
        ..options
    }
}

fn reading() -> ReadOptions {
    ReadOptions { column: Some("text".into()), label_column: Some("tense".into()), ..ReadOptions::default() }
}

/// The labelled texts under the first model.
fn collection() -> &'static Collection {
    static COLLECTION: OnceLock<Collection> = OnceLock::new();
    let make = || first().collect(read::read(&fixture().labelled, &reading()).unwrap(), &mut |_, _| {}).unwrap();
    COLLECTION.get_or_init(make)
}

fn first() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| Model::open(&fixture().first).unwrap())
}

/// A value as it looks when it has been sent: 32-bit numbers in few digits.
fn told(value: &impl serde::Serialize) -> Value {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap_or_else(|| panic!("{value}")).iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap_or_else(|| panic!("{value}")).iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

//! Models by name, from a server on this machine that answers as the hub does.

mod stand_in;
mod troubles;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use stand_in::{COMMIT, MODEL, StandIn, copy_of, fixture, nobody};
use strait_pretrained::{
    Family, LanguageModel, SentenceEncoder,
    hub::{Fetching, Hub, HubError, HubName, HubSettings, Located},
};

/// A user with a cache of their own.
struct User {
    settings: HubSettings,
    home: tempfile::TempDir,
}

impl User {
    fn of(server: &StandIn) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (endpoint, cache) = (server.address.clone(), home.path().join("hub"));
        User { settings: HubSettings { endpoint, cache, token: None, offline: false }, home }
    }

    fn fetch(&self, name: &str) -> Result<Located, HubError> {
        self.fetch_kind(name, |_| true)
    }

    fn fetch_kind(&self, name: &str, fits: fn(Family) -> bool) -> Result<Located, HubError> {
        let name = HubName::of(name.as_ref()).unwrap().unwrap();
        Hub::new(self.settings.clone()).fetch(&name, &fits, &mut |_| {})
    }

    /// What is said, with all these words in it.
    fn refused(&self, name: &str, words: &[&str]) -> HubError {
        let error = self.fetch(name).expect_err(name);
        let said = error.to_string();
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
        error
    }

    fn model(&self) -> PathBuf {
        self.settings.cache.join("models--someone--tiny")
    }

    /// The names of all files of its cache.
    fn files(&self) -> Vec<String> {
        fn walk(dir: &Path, out: &mut Vec<String>) {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => walk(&entry.path(), out),
                    false => out.push(entry.path().display().to_string()),
                }
            }
        }
        let mut out = Vec::new();
        walk(self.home.path(), &mut out);
        out
    }
}

fn name() -> String {
    format!("hf:{MODEL}")
}

const TEXTS: [&str; 2] = ["the red fox", "We waited an hour."];

#[test]
fn a_model_is_fetched_once_and_then_read_without_a_server() {
    let server = StandIn::of(fixture("bert"));
    let mut user = User::of(&server);
    let found = user.fetch(&name()).unwrap();
    assert_eq!(found.source, format!("hf:{MODEL}@{COMMIT}"));
    let vectors = |dir: &Path| SentenceEncoder::open(dir).unwrap().encode(&TEXTS);
    assert_eq!(vectors(&found.dir), vectors(&fixture("bert")));
    let asked = server.asked();
    assert!(asked.contains(&"1_Pooling/config.json".to_string()), "{asked:?}");
    assert!(asked.iter().all(|file| file != "expected.safetensors" && !file.contains("pytorch")), "{asked:?}");
    // Laid out as the hub's other programs have it.
    assert_eq!(fs::read_to_string(user.model().join("refs/main")).unwrap(), COMMIT);
    assert_eq!(found.dir, user.model().join("snapshots").join(COMMIT));
    let config = found.dir.join("1_Pooling/config.json");
    assert_eq!(
        fs::canonicalize(&config).unwrap().parent(),
        Some(&*fs::canonicalize(user.model().join("blobs")).unwrap())
    );
    assert!(user.model().join(".no_exist").join(COMMIT).join("tokenizer.json").is_file());
    assert!(user.files().iter().all(|file| !file.ends_with(".strait")));

    assert_eq!(user.fetch(&name()).unwrap(), found);
    assert_eq!(user.fetch(&found.source).unwrap(), found);
    assert_eq!(server.asked(), Vec::<String>::new());
    (user.settings.endpoint, user.settings.offline) = (nobody(), true);
    assert_eq!(user.fetch(&name()).unwrap(), found);
}

#[test]
fn shards_and_decoders_come_whole() {
    let server = StandIn::of(fixture("roberta"));
    let found = User::of(&server).fetch(&name()).unwrap();
    assert_eq!(server.asked().iter().filter(|file| file.starts_with("model-0000")).count(), 2);
    drop(found);
    let user = User::of(&server);
    let dir = user.fetch(&name()).unwrap().dir;
    let vectors = |dir: &Path| SentenceEncoder::open(dir).unwrap().encode(&TEXTS);
    assert_eq!(vectors(&dir), vectors(&fixture("roberta")));

    let server = StandIn::of(fixture("gpt2"));
    let user = User::of(&server);
    let found = user.fetch(&format!("{}@refs/pr/1", name())).unwrap();
    let nats = |dir: &Path| {
        let model = LanguageModel::open(dir).unwrap();
        model.nats(&model.ids(&["the red fox"])[0])
    };
    assert_eq!(nats(&found.dir), nats(&fixture("gpt2")));
    assert!(server.asked().iter().all(|file| !file.contains("modules")));
    assert_eq!(fs::read_to_string(user.model().join("refs/refs/pr/1")).unwrap(), COMMIT);
}

#[test]
fn a_branch_that_moves_on_is_kept_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let server = StandIn::of(copy_of("bert", dir.path()));
    let user = User::of(&server);
    let before = user.fetch(&name()).unwrap();
    let newer = "fedcba9876543210fedcba9876543210fedcba98";
    server.now().commit = newer.into();
    fs::write(dir.path().join("sentence_bert_config.json"), "{\"max_seq_length\": 5}").unwrap();
    assert_eq!(user.fetch(&name()).unwrap(), before);
    server.asked();
    let after = user.fetch(&format!("{}@v1.0", name())).unwrap();
    assert_eq!(after.source, format!("hf:{MODEL}@{newer}"));
    // What is the same in both lies there once.
    let real = |found: &Located| fs::canonicalize(found.dir.join("model.safetensors")).unwrap();
    assert_eq!(real(&after), real(&before));
    let limits = |found: &Located| fs::read(found.dir.join("sentence_bert_config.json")).unwrap();
    assert_ne!(limits(&after), limits(&before));
}

#[test]
fn what_another_program_fetched_is_completed() {
    let server = StandIn::of(fixture("bert"));
    let mut user = User::of(&server);
    // A program that has no use for how vectors are pooled.
    let whole = user.fetch(&name()).unwrap();
    fs::remove_file(whole.dir.join("modules.json")).unwrap();
    fs::remove_dir_all(whole.dir.join("1_Pooling")).unwrap();
    server.asked();
    user.settings.offline = true;
    user.refused(&name(), &["not whole", "HF_HUB_OFFLINE", "unset"]);
    user.settings.offline = false;
    assert_eq!(user.fetch(&name()).unwrap(), whole);
    assert_eq!(server.asked(), ["config.json", "modules.json", "1_Pooling/config.json"]);
}

#[test]
fn two_at_once_fetch_it_once() {
    let server = StandIn::of(fixture("bert"));
    let user = User::of(&server);
    thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| user.fetch(&name()).unwrap()));
        let [a, b] = both.map(|thread| thread.join().unwrap());
        assert_eq!(a, b);
    });
    assert_eq!(server.asked().iter().filter(|file| *file == "model.safetensors").count(), 1);
}

#[test]
fn how_far_it_is_is_told() {
    let server = StandIn::of(fixture("bert"));
    let user = User::of(&server);
    let mut heard = Vec::new();
    let name = HubName::of(name().as_ref()).unwrap().unwrap();
    let listener = &mut |event: Fetching<'_>| {
        if let Fetching::File { file, done, of } = event {
            heard.push((file.to_string(), done, of));
        }
    };
    Hub::new(user.settings.clone()).fetch(&name, &|_| true, listener).unwrap();
    let size = fs::metadata(fixture("bert").join("model.safetensors")).unwrap().len();
    assert!(heard.contains(&("model.safetensors".into(), 0, Some(size))), "{heard:?}");
}

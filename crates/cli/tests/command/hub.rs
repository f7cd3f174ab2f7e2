//! Published models by their name on the hub: with the feature from a server on this machine, without it refused.

use super::{failed, fixture, folder, text};

#[test]
fn what_cannot_be_a_name_is_wrong_usage() {
    let corpus = text(&fixture().corpus);
    for name in ["hf:", "hf:../x", "hf:someone/tiny@", "hf:a/b/c"] {
        let said = failed(&["encode", "-m", name, corpus], 2);
        assert!(said.contains(name) && said.contains("hf:OWNER/NAME@REVISION"), "{said}");
    }
    let out = folder("hub").join("never");
    let said = failed(&["train", corpus, "--out", text(&out), "--steps", "3", "--decoder", "hf:../x"], 2);
    assert!(said.contains("hf:../x"), "{said}");
    assert!(!out.exists());
}

#[test]
fn a_verb_that_wants_a_trained_model_says_so() {
    for args in [vec!["vary", "-m", "hf:someone/tiny", "x"], vec!["info", "-m", "hf:someone/tiny"]] {
        let said = failed(&args, 2);
        assert!(said.contains("hf:someone/tiny") && said.contains("`strait train`"), "{said}");
    }
}

#[cfg(not(feature = "hub"))]
#[test]
fn without_the_feature_names_are_refused_with_what_to_do() {
    let corpus = text(&fixture().corpus);
    let out = folder("hub").join("never");
    let train = |flag| vec!["train", corpus, "--out", text(&out), "--steps", "3", flag, "hf:someone/tiny"];
    let (encode, sample) = (vec!["encode", "-m", "hf:someone/tiny", corpus], vec!["sample", "-m", "hf:someone/tiny"]);
    for args in [encode, sample, train("--encoder"), train("--decoder")] {
        let said = failed(&args, 2);
        assert!(said.contains("hf:someone/tiny") && said.contains("--features hub") && said.contains("path"), "{said}");
    }
    assert!(!out.exists());
}

#[cfg(feature = "hub")]
#[path = "../../../pretrained/tests/hub/stand_in.rs"]
mod stand_in;

#[cfg(feature = "hub")]
mod fetched {
    use std::{
        fs,
        path::{Path, PathBuf},
        process::Output,
    };

    use super::{
        super::{fixture, folder, stderr, stdout, strait, text, train_args},
        stand_in::{self, COMMIT, MODEL, StandIn, nobody},
    };

    /// A user with a cache of their own.
    struct User {
        endpoint: String,
        home: PathBuf,
    }

    impl User {
        fn of(server: &StandIn, name: &str) -> Self {
            User { endpoint: server.address.clone(), home: folder("hub").join(name) }
        }

        fn run(&self, args: &[&str]) -> Output {
            let mut command = strait();
            for variable in ["HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"] {
                command.env_remove(variable);
            }
            command.env("HF_HOME", &self.home).env("HF_ENDPOINT", &self.endpoint).args(args).output().unwrap()
        }

        /// What it printed to both sides.
        fn done(&self, args: &[&str]) -> [String; 2] {
            let output = self.run(args);
            assert!(output.status.success(), "{args:?}: {}", stderr(&output));
            [stdout(&output), stderr(&output)]
        }

        fn failed(&self, args: &[&str], status: i32) -> String {
            let output = self.run(args);
            assert_eq!(output.status.code(), Some(status), "{args:?}: {}", stderr(&output));
            stderr(&output)
        }
    }

    fn name() -> String {
        format!("hf:{MODEL}")
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn an_encoder_is_fetched_once() {
        let server = StandIn::of(stand_in::fixture("bert"));
        let mut user = User::of(&server, "encoder");
        let (corpus, name) = (text(&fixture().corpus), name());
        let [vectors, said] = user.done(&["encode", "-m", &name, corpus]);
        assert!(said.contains("Fetching model.safetensors"), "{said}");
        user.endpoint = nobody();
        let [again, said] = user.done(&["encode", "-m", &name, corpus]);
        assert!(again == vectors && !said.contains("Fetching"), "{said}");
        assert_eq!(user.done(&["encode", "-m", text(&stand_in::fixture("bert")), corpus])[0], vectors);
        let said = user.failed(&["sample", "-m", &name], 2);
        assert!(said.contains("no decoder") && said.contains(&format!("--encoder {name}")), "{said}");
        let said = user.failed(&["encode", "-m", "hf:someone/else", corpus], 1);
        assert!(said.contains("cannot be reached"), "{said}");
    }

    #[test]
    fn a_decoder_writes_and_scores() {
        let server = StandIn::of(stand_in::fixture("gpt2"));
        let user = User::of(&server, "decoder");
        let name = name();
        assert!(!user.done(&["sample", "-m", &name, "-n", "2", "--max-len", "6"])[0].is_empty());
        assert!(!user.done(&["score", "-m", &name, text(&fixture().corpus)])[0].is_empty());
        let said = user.failed(&["encode", "-m", &name, text(&fixture().corpus)], 2);
        assert!(said.contains("published language model"), "{said}");
    }

    #[test]
    fn a_trained_model_knows_where_its_encoder_came_from() {
        let server = StandIn::of(stand_in::fixture("bert"));
        let mut user = User::of(&server, "train");
        let (model, name) = (folder("hub").join("model"), name());
        let args = [train_args(&fixture().corpus, &model), vec!["--encoder", &name]].concat();
        let [_, said] = user.done(&args);
        assert!(said.contains("Fetching model.safetensors"), "{said}");
        let source = format!("hf:{MODEL}@{COMMIT}");
        assert!(read(&model.join("README.md")).contains(&format!("Published encoder: `{source}`, as it is.")));
        user.endpoint = nobody();
        assert!(user.done(&["info", "-m", text(&model)])[0].contains(&source));
        fs::remove_dir_all(&user.home).unwrap();
        user.done(&["reconstruct", "-m", text(&model), text(&fixture().corpus)]);
        // It goes on from its own copy, and still says where that came from.
        let on = folder("hub").join("on");
        let corpus = text(&fixture().corpus);
        user.done(&["train", corpus, "--from", text(&model), "--out", text(&on), "--steps", "3"]);
        assert!(read(&on.join("config.json")).contains(&source));
    }

    #[test]
    fn a_model_that_cannot_be_had_leaves_nothing() {
        let server = StandIn::of(stand_in::fixture("bert"));
        server.now().gated = Some("GatedRepo");
        let user = User::of(&server, "gated");
        let (model, name) = (folder("hub").join("gated-model"), name());
        let said = user.failed(&[train_args(&fixture().corpus, &model), vec!["--encoder", &name]].concat(), 1);
        assert!(said.contains("consent") && said.contains("HF_TOKEN"), "{said}");
        assert!(!model.exists() && !folder("hub").join("gated-model.training").exists());
    }
}

//! What can go wrong: each is said with what to do, and nothing that is not whole is taken for a model.

use std::fs;

use strait_pretrained::{Family, SentenceEncoder, hub::HubError};

use crate::{
    User, name,
    stand_in::{MODEL, StandIn, TOKEN, copy_of, fixture, nobody},
};

/// A server of a changed copy of a tiny model.
fn changed(name: &str, change: impl FnOnce(&std::path::Path)) -> (tempfile::TempDir, StandIn) {
    let dir = tempfile::tempdir().unwrap();
    change(&copy_of(name, dir.path()));
    let server = StandIn::of(dir.path());
    (dir, server)
}

#[test]
fn what_is_not_there() {
    let server = StandIn::of(fixture("bert"));
    let user = User::of(&server);
    for terse in [false, true] {
        server.now().terse = terse;
        user.refused("hf:someone/else", &["hf:someone/else", "no such model", "HF_TOKEN", &server.address]);
    }
    assert!(!user.settings.cache.join("models--someone--else").exists());
    server.now().terse = false;
    user.refused(&format!("hf:{MODEL}@v9"), &["@v9", "not this revision"]);
    let (_dir, server) = changed("bert", |dir| fs::remove_file(dir.join("config.json")).unwrap());
    User::of(&server).refused(&name(), &["no file config.json"]);
    let (_dir, server) = changed("bert", |dir| fs::remove_file(dir.join("vocab.txt")).unwrap());
    User::of(&server).refused(&name(), &["no file tokenizer.json, vocab.txt or vocab.json"]);
    let (_dir, server) =
        changed("roberta", |dir| fs::remove_file(dir.join("model-00002-of-00002.safetensors")).unwrap());
    let user = User::of(&server);
    user.refused(&name(), &["no file model-00002-of-00002.safetensors"]);
    assert!(!user.model().join("refs/main").exists());
    let (_dir, server) = changed("bert", |dir| fs::remove_file(dir.join("model.safetensors")).unwrap());
    User::of(&server).refused(&name(), &["no file model.safetensors"]);
}

#[test]
fn pickles_are_never_fetched() {
    let (_dir, server) = changed("bert", |dir| {
        fs::rename(dir.join("model.safetensors"), dir.join("pytorch_model.bin")).unwrap();
    });
    let user = User::of(&server);
    for _ in 0..2 {
        user.refused(&name(), &["pytorch_model.bin", "pickle", "safe_serialization=True"]);
    }
    assert!(user.files().iter().all(|file| !file.contains("pytorch")));
    // Nor under the name of a shard.
    let (_dir, server) = changed("roberta", |dir| {
        fs::write(dir.join("evil.bin"), "").unwrap();
        fs::write(dir.join("model.safetensors.index.json"), r#"{"weight_map": {"a": "evil.bin"}}"#).unwrap();
    });
    User::of(&server).refused(&name(), &["evil.bin", "pickle"]);
    assert!(!server.asked().contains(&"evil.bin".to_string()));
}

#[test]
fn who_may_not_read_it_hears_how_to() {
    let server = StandIn::of(fixture("bert"));
    server.now().gated = Some("GatedRepo");
    let mut user = User::of(&server);
    user.refused(&name(), &["consent", "set HF_TOKEN"]);
    user.settings.token = Some("another".into());
    user.refused(&name(), &["consent", "HF_TOKEN belongs"]);
    server.now().gated = Some("Unauthorized");
    user.refused(&name(), &["not accepted"]);
    // As the hub answers about models that it does not let one know of.
    server.now().gated = Some("RepoNotFound");
    user.refused(&name(), &["no such model", "private"]);
    server.now().gated = Some("GatedRepo");
    user.settings.token = Some(TOKEN.into());
    user.fetch(&name()).unwrap();
    assert!(!server.now().leaked, "storage at another address was shown the token");
}

#[test]
fn a_connection_that_breaks_off_is_taken_up_again() {
    let server = StandIn::of(fixture("bert"));
    let user = User::of(&server);
    server.now().cuts = 2;
    let found = user.fetch(&name()).unwrap();
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|file| file.starts_with("model.safetensors from ")).count(), 2, "{asked:?}");
    let vectors = |dir: &std::path::Path| SentenceEncoder::open(dir).unwrap().encode(&["the red fox"]);
    assert_eq!(vectors(&found.dir), vectors(&fixture("bert")));
}

#[test]
fn what_broke_off_for_good_is_no_model_and_goes_on_the_next_time() {
    let server = StandIn::of(fixture("bert"));
    let user = User::of(&server);
    server.now().cuts = usize::MAX;
    let error = user.refused(&name(), &["model.safetensors broke off", "goes on from there"]);
    let HubError::Cut { got, of: Some(of), .. } = error else { panic!("{error}") };
    assert!(got > of / 2 && got < of);
    assert!(!user.model().join("refs/main").exists());
    let snapshot = user.model().join("snapshots").join(crate::COMMIT);
    assert!(!snapshot.join("model.safetensors").exists());
    server.now().cuts = 0;
    server.asked();
    user.fetch(&name()).unwrap();
    assert!(server.asked().contains(&format!("model.safetensors from {got}")));

    // From a server that gives no parts it comes from its beginning.
    let user = User::of(&server);
    (server.now().cuts, server.now().no_ranges) = (1, true);
    user.fetch(&name()).unwrap();
}

#[test]
fn other_bytes_than_promised_are_thrown_away() {
    for (larger, damaged, word) in [(0, true, "SHA-256"), (7, false, "broke off")] {
        let server = StandIn::of(fixture("bert"));
        let user = User::of(&server);
        (server.now().larger, server.now().damaged) = (larger, damaged);
        user.refused(&name(), &["model.safetensors", word]);
        assert!(!user.model().join("refs/main").exists());
        (server.now().larger, server.now().damaged) = (0, false);
        user.fetch(&name()).unwrap();
    }
    // More than was promised, of a size that was reached on the way.
    let server = StandIn::of(fixture("bert"));
    let user = User::of(&server);
    server.now().larger = -7;
    user.refused(&name(), &["model.safetensors", "bytes instead of"]);
}

#[test]
fn servers_that_do_not_answer_or_answer_oddly() {
    let server = StandIn::of(fixture("bert"));
    let mut user = User::of(&server);
    server.now().status = Some(503);
    user.refused(&name(), &["status 503", "config.json", "HF_ENDPOINT"]);
    server.now().status = Some(302);
    user.refused(&name(), &["without a place"]);
    server.now().status = None;
    for odd in ["\"../../../evil\"", "", "\"a/b\"", "\".hidden\""] {
        server.now().etag = Some(odd);
        user.refused(&name(), &["without an etag"]);
    }
    server.now().etag = None;
    server.now().commit = "../../evil".into();
    user.refused(&name(), &["without saying of which commit"]);
    user.settings.endpoint = nobody();
    user.refused(&name(), &[&name(), "cannot be reached", "not whole in", "HF_ENDPOINT"]);
}

#[test]
fn what_a_strangers_files_name_stays_in_the_folder() {
    let (_dir, server) = changed("roberta", |dir| {
        fs::write(dir.join("model.safetensors.index.json"), r#"{"weight_map": {"a": "../../x.safetensors"}}"#).unwrap();
    });
    User::of(&server).refused(&name(), &["weight_map", "not a plain name"]);
    let (_dir, server) = changed("bert", |dir| {
        let modules = r#"[{"path": "../..", "type": "sentence_transformers.models.Pooling"}]"#;
        fs::write(dir.join("modules.json"), modules).unwrap();
    });
    User::of(&server).refused(&name(), &["modules.json", "not a plain name"]);
}

#[test]
fn another_kind_is_refused_before_its_weights_come() {
    let server = StandIn::of(fixture("gpt2"));
    let user = User::of(&server);
    let error = user.fetch_kind(&name(), Family::is_encoder).unwrap_err();
    assert!(matches!(error, HubError::OtherKind { family: Family::Gpt2, .. }), "{error}");
    assert!(error.to_string().contains("published language model (gpt2)"));
    assert_eq!(server.asked(), ["config.json"]);
    let (_dir, server) =
        changed("bert", |dir| fs::write(dir.join("config.json"), r#"{"model_type": "llama"}"#).unwrap());
    User::of(&server).refused(&name(), &[&name(), "llama", "are read"]);
    assert_eq!(server.asked(), ["config.json"]);
}

/// A device that is always full stands in for a disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let server = StandIn::of(fixture("bert"));
    let user = User::of(&server);
    user.fetch(&name()).unwrap();
    let snapshot = user.model().join("snapshots").join(crate::COMMIT).join("model.safetensors");
    let blob = fs::canonicalize(&snapshot).unwrap();
    fs::remove_file(&blob).unwrap();
    std::os::unix::fs::symlink("/dev/full", format!("{}.strait", blob.display())).unwrap();
    user.refused(&name(), &["no space is left", "model.safetensors of ", "HF_HOME"]);
}

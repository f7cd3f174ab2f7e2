//! The server's page in a real browser, a headless Chromium driven by playwright-core: every control, the keyboard, both
//! languages, light and dark, the width of a telephone.
//!
//! Needs `node` and Chromium on the path (or its place in `STRAIT_CHROMIUM`), and in `STRAIT_PLAYWRIGHT` a folder in
//! which `npm install playwright-core` was run; skipped with a line where one of them is missing.
#![cfg(unix)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use strait::text::{
    grammar::{Grammar, Language, write},
    read::Format,
};

/// Where the corpus has its texts and labels.
const LABELLED: [&str; 4] = ["--column", "text", "--label-column", "sentiment"];

fn strait(args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_strait")).args(args).env_remove("STRAIT_API_KEY").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What a server serves: models trained in seconds, texts, directions, and trainings.
struct Things {
    dir: PathBuf,
}

impl Things {
    fn make() -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("runs")).unwrap();
        let things = Things { dir };
        let mut corpus = Vec::new();
        write(&Grammar::default().corpus(240, Some(Language::English), 7), Format::Csv, &mut corpus).unwrap();
        fs::write(things.at("corpus.csv"), corpus).unwrap();
        let (corpus, model, language) = (things.at("corpus.csv"), things.at("runs/little"), things.at("language"));
        let small = ["--size", "tiny", "--vocab", "300", "--column", "text", "--steps"];
        strait(&[&["train", &corpus, "--out", &model][..], &small, &["200"]].concat());
        strait(&[&["train", &corpus, "--out", &language, "--recipe", "lm-lstm"][..], &small, &["4"]].concat());
        let (lines, pairs) = (things.at("pairs.tsv"), things.at("pairs"));
        let line = |i: usize| {
            let words = [
                ["old", "new"][i % 2],
                ["fox", "hen"][i / 2 % 2],
                ["sits", "runs"][i / 4 % 2],
                ["here", "there"][i / 8 % 2],
            ];
            let turned = words.iter().rev().copied().collect::<Vec<_>>().join(" ");
            format!("{}\t{turned}\n", words.join(" "))
        };
        fs::write(&lines, (0..96).map(line).collect::<String>()).unwrap();
        strait(&["train", &lines, "--task", "seq2seq", "--out", &pairs, "--size", "tiny", "--steps", "30"]);
        things.documents(&model);
        let mood = things.at("mood.json");
        strait(&[&["directions", "-m", &model, &corpus, "-o", &mood][..], &LABELLED].concat());
        // A training that goes on: the first half of another one's events.
        let going = things.dir.join("runs/going.training");
        fs::create_dir_all(&going).unwrap();
        let events = fs::read_to_string(things.dir.join("runs/little/metrics.jsonl")).unwrap();
        let steps = events.lines().filter(|line| !line.contains("\"ended\"") && !line.contains("\"finished\""));
        let half: String = steps.take(events.lines().count() / 2).map(|line| format!("{line}\n")).collect();
        fs::write(going.join("metrics.jsonl"), half).unwrap();
        fs::write(going.join("job.json"), r#"{"plan": {"recipe": {"name": "dae"}}}"#).unwrap();
        things
    }

    /// Document models over a sentence model: one with a plan, one that attends to documents beside.
    fn documents(&self, sentences: &str) {
        let file = self.at("documents.tsv");
        let texts: Vec<String> = Grammar::default()
            .corpus(240, Some(Language::English), 8)
            .chunks(6)
            .map(|part| part.iter().map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join(" "))
            .collect();
        let lines = texts.windows(2).map(|two| format!("{}\t{}\n", two[1], two[0]));
        fs::write(&file, format!("text\tbefore\n{}", lines.collect::<String>())).unwrap();
        for (name, how) in [
            ("documents", &["--plan", "4"][..]),
            ("beside", &["--plan", "0", "--kind", "transformer", "--heads", "2", "--given", "before"]),
        ] {
            let out = self.at(name);
            let small = ["-m", sentences, "-o", &out, "--column", "text", "--hidden", "16", "--steps", "20"];
            strait(&[&["document", "train", &file][..], &small, how].concat());
        }
    }

    fn at(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }
}

/// A server, until the end of the test.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn new(args: &[&str], key: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strait"));
        command.args(["serve", "--port", "0", "--quiet"]).args(args).env_remove("STRAIT_API_KEY");
        command.envs(key.map(|key| ("STRAIT_API_KEY", key)));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
            if let Some((_, at)) = line.trim().split_once("Listening on ") {
                break at.to_owned();
            }
        };
        // What it says later is read, so that it can go on saying it.
        thread::spawn(move || said.read_to_end(&mut Vec::new()));
        Serving { child, address }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program's place on the path.
fn found(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|place| place.is_file())
}

/// Node, Chromium, and the folder with playwright-core; or what is missing.
fn browser() -> Result<[PathBuf; 3], &'static str> {
    let node = found("node").ok_or("there is no node on the path")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let named = env::var_os("STRAIT_CHROMIUM").map(PathBuf::from).filter(|place| place.is_file());
    let chromium = named.or_else(|| names.iter().find_map(|name| found(name)));
    let chromium = chromium.ok_or("there is no Chromium on the path, and none at STRAIT_CHROMIUM")?;
    let folder = env::var_os("STRAIT_PLAYWRIGHT").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join("node_modules/playwright-core").is_dir());
    let folder =
        folder.ok_or("STRAIT_PLAYWRIGHT names no folder with playwright-core (npm install playwright-core)")?;
    Ok([node, chromium, folder])
}

#[test]
fn modules_that_need_no_browser_do_what_they_say() {
    let Some(node) = found("node") else {
        return eprintln!("SKIPPED: the page's modules are not tested: there is no node on the path");
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/modules.test.mjs");
    let output = Command::new(node).arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_control_of_the_page_works_in_a_browser() {
    let [node, chromium, playwright] = match browser() {
        Ok(places) => places,
        Err(why) => return eprintln!("SKIPPED: the page is not driven in a browser: {why}"),
    };
    let things = Things::make();
    let (model, corpus, language) = (things.at("runs/little"), things.at("corpus.csv"), things.at("language"));
    let (mood, runs) = (things.at("mood.json"), things.at("runs"));
    let (documents, beside) = (things.at("documents"), things.at("beside"));
    let models = ["-m", &model, "--document", &documents, "--document", &beside];
    let besides = ["--texts", &corpus, "--directions", &mood, "--runs", &runs];
    let whole = Serving::new(&[&models[..], &besides, &LABELLED].concat(), None);
    let plain = Serving::new(&["-m", &model, "-m", &language, "-m", &things.at("pairs")], None);
    let alone = Serving::new(&["--document", &documents], None);
    let locked = Serving::new(&["-m", &model], Some("secret"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/page.test.mjs");
    let output = Command::new(node)
        .arg(script)
        .env("STRAIT_CHROMIUM", chromium)
        .env("STRAIT_PLAYWRIGHT", playwright)
        .env("STRAIT_PAGE_WHOLE", &whole.address)
        .env("STRAIT_PAGE_PLAIN", &plain.address)
        .env("STRAIT_PAGE_DOCUMENTS", &alone.address)
        .env("STRAIT_PAGE_LOCKED", &locked.address)
        .env("STRAIT_PAGE_EVENTS", things.dir.join("runs/going.training/metrics.jsonl"))
        .output()
        .unwrap();
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{said}{complained}");
    println!("{said}");
}

//! Trainings under a folder, read from their files as they stand: finished ones are model folders, unfinished ones are
//! folders `NAME.training` beside the place of the model.

mod events;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use strait::{ReportCard, ReportFact, read_training_events, training_report};

pub use events::{Events, METRICS, events};

const UNFINISHED: &str = ".training";
/// A training that has written nothing for so long, in seconds, has stopped.
const SILENT: u64 = 120;
/// Bytes at the end of the events in which the last step is looked for.
const TAIL: u64 = 1 << 16;

/// A training.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Of its model folder, without what is before it.
    pub name: String,
    pub dir: PathBuf,
    pub state: State,
}

/// How far a training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It wrote something in the last two minutes.
    Training,
    /// It is unfinished; `strait resume` goes on with it.
    Stopped,
    Finished,
}

/// What is known of a training.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// Of its model folder.
    pub name: String,
    pub state: State,
    /// The recipe's name.
    pub recipe: Option<String>,
    /// Updates made, and planned.
    pub step: Option<u64>,
    pub steps: Option<u64>,
    /// When something was last written, in seconds since 1970.
    pub updated: Option<u64>,
    /// What was measured after the training, by name.
    pub figures: BTreeMap<String, f64>,
}

/// The trainings directly under a folder, by name. An unfinished one hides a model of the same name, which it will
/// replace.
///
/// # Errors
/// If the folder cannot be read.
pub fn list(dir: &Path) -> std::io::Result<Vec<Run>> {
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let dir = entry?.path();
        let Some(name) = dir.file_name().and_then(|name| name.to_str()) else { continue };
        if let Some(name) = name.strip_suffix(UNFINISHED).filter(|_| dir.join("job.json").is_file()) {
            let silent = age(&dir.join(METRICS)).is_none_or(|seconds| seconds > SILENT);
            let state = if silent { State::Stopped } else { State::Training };
            runs.insert(name.into(), Run { name: name.into(), state, dir: dir.clone() });
        } else if dir.join("config.json").is_file() && dir.join(METRICS).is_file() {
            let finished = Run { name: name.into(), state: State::Finished, dir: dir.clone() };
            runs.entry(name.into()).or_insert(finished);
        }
    }
    Ok(runs.into_values().collect())
}

fn age(file: &Path) -> Option<u64> {
    let written = fs::metadata(file).and_then(|data| data.modified()).ok()?;
    Some(SystemTime::now().duration_since(written).map_or(0, |age| age.as_secs()))
}

impl Run {
    /// What is known of it; what its files do not tell is left out.
    pub fn summary(&self) -> Summary {
        let read = |name: &str| -> Value {
            let bytes = fs::read(self.dir.join(name)).unwrap_or_default();
            serde_json::from_slice(&bytes).unwrap_or_default()
        };
        let written = fs::metadata(self.dir.join(METRICS)).and_then(|data| data.modified()).ok();
        let updated = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|time| time.as_secs());
        let (name, state) = (self.name.clone(), self.state);
        let word = |value: &Value| value.as_str().map(str::to_owned);
        if state == State::Finished {
            let config = read("config.json");
            let (recipe, step) = (word(&config["recipe"]["name"]), config["training"]["steps"].as_u64());
            let figures = serde_json::from_value(config["training"]["figures"].clone()).unwrap_or_default();
            return Summary { name, state, recipe, step, steps: step, updated, figures };
        }
        let job = read("job.json");
        Summary {
            name,
            state,
            recipe: word(&job["plan"]["recipe"]["name"]),
            step: events::last_step(&self.dir, TAIL),
            steps: job["plan"]["steps"].as_u64(),
            updated,
            figures: BTreeMap::new(),
        }
    }

    /// The page of the training: the one in its folder, or, of one that goes on, one made of its events so far.
    ///
    /// # Errors
    /// If its files cannot be read.
    pub fn report(&self) -> std::io::Result<String> {
        if self.state == State::Finished {
            return fs::read_to_string(self.dir.join("report.html"));
        }
        let metrics = fs::read_to_string(self.dir.join(METRICS))?;
        let summary = self.summary();
        let fact = |name: &str, value: Option<String>| value.map(|value| ReportFact { name: name.into(), value });
        let facts = [
            fact("recipe", summary.recipe),
            fact("updates made", summary.step.map(|n| n.to_string())),
            fact("updates planned", summary.steps.map(|n| n.to_string())),
        ];
        let card = ReportCard {
            title: format!("Training of {}", self.name),
            about: "Unfinished: this is what it has told so far.".into(),
            facts: facts.into_iter().flatten().collect(),
        };
        Ok(training_report(&read_training_events(&metrics), &card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_training_is_told_from_a_model_and_hides_it() {
        let dir = tempfile::tempdir().unwrap();
        let make = |folder: &str, files: &[(&str, &str)]| {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
            for (name, text) in files {
                fs::write(dir.path().join(folder).join(name), text).unwrap();
            }
        };
        let config = r#"{"recipe": {"name": "dae"}, "training": {"steps": 9, "figures": {"bleu": 1.5}}}"#;
        make("a.strait", &[("config.json", config), (METRICS, "{}\n"), ("report.html", "<p>")]);
        make("b.strait", &[("config.json", config), (METRICS, "{}\n")]);
        let job = r#"{"plan": {"recipe": {"name": "vae"}, "steps": 50}}"#;
        let lines = "{\"event\":\"step\",\"step\":3}\n{\"event\":\"step\",\"step\":4}\n{\"event\":\"st";
        make("b.strait.training", &[("job.json", job), (METRICS, lines)]);
        make("other", &[("notes.txt", "")]);
        let runs = list(dir.path()).unwrap();
        let states: Vec<(&str, State)> = runs.iter().map(|r| (r.name.as_str(), r.state)).collect();
        assert_eq!(states, [("a.strait", State::Finished), ("b.strait", State::Training)]);
        let (a, b) = (runs[0].summary(), runs[1].summary());
        assert_eq!((a.recipe.as_deref(), a.step, a.figures["bleu"]), (Some("dae"), Some(9), 1.5));
        assert_eq!((b.recipe.as_deref(), b.step, b.steps), (Some("vae"), Some(4), Some(50)));
        assert_eq!(runs[0].report().unwrap(), "<p>");
        assert!(runs[1].report().unwrap().contains("Training of b.strait"));
    }
}

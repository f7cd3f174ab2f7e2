//! Recipes side by side: each is trained on the same texts for the same time and measured on the same held-out texts.

mod pairs;
mod table;

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use strait_evaluate::{Evaluation, EvaluationRequest, Progress};
use strait_model::{Recipe, folder};
use strait_report::{Comparison, Row, read_events};
use strait_text::{Corpus, split::split};
use strait_train::{Budget, Event, Outcome, Size};

pub use pairs::{PairComparisonRequest, compare_pairs};

use crate::{Decoding, Error, Model, Path as Way, Training, resume};

/// Share of the texts that are held out to measure on, where no test texts are given.
const HELD_OUT: f64 = 0.1;
/// Texts whose reconstructions are shown, samples shown, texts on the way from one text to another.
const SHOWN: usize = 8;
const SAMPLES: usize = 20;
const WAY: usize = 6;

/// What to compare.
pub struct ComparisonRequest {
    /// The folder for the models, one for each recipe.
    pub dir: PathBuf,
    pub train: Corpus,
    /// As for [`Training`].
    pub valid: Option<Corpus>,
    /// What to measure on; without it a tenth of `train` is put aside by a hash of each text.
    pub test: Option<Corpus>,
    pub recipes: Vec<Recipe>,
    /// For each recipe.
    pub budget: Budget,
    pub size: Option<Size>,
    pub seed: u64,
    /// What to measure: the request that [`EvaluationRequest::new`] gives, changed.
    pub effort: Box<dyn Fn(EvaluationRequest) -> EvaluationRequest>,
}

/// How far a comparison is.
pub enum Heard<'a> {
    /// A recipe is begun, the `at`-th (from 1) of `of`; `kept` if its model is there already.
    Recipe {
        name: &'a str,
        at: usize,
        of: usize,
        kept: bool,
    },
    Training(&'a Event),
    Evaluating(Progress<'a>),
}

/// Trains and measures each recipe. Models that `dir` already holds, of the same texts, recipe and seed, are kept, and
/// unfinished trainings gone on with: a comparison that was stopped can be begun again. `None` if `stop` was set.
///
/// # Errors
/// Whatever is wrong with the data, a recipe or a folder; a model in `dir` of other texts or settings is not replaced.
pub fn compare(
    request: ComparisonRequest,
    hear: &mut dyn FnMut(Heard<'_>),
    stop: &AtomicBool,
) -> Result<Option<Comparison>, Error> {
    let (train, test) = held_out(&request);
    let train_texts: Vec<String> = train.records.iter().map(|r| r.text.clone()).collect();
    let name = request.test.as_ref().unwrap_or(&request.train).report.name.clone();
    let effort = (request.effort)(EvaluationRequest {
        train: Some(train_texts),
        seed: request.seed,
        temperatures: vec![0.4, 0.7, 1.0],
        ..EvaluationRequest::new(name, test)
    });
    let mut rows = Vec::new();
    for (i, recipe) in request.recipes.iter().enumerate() {
        let dir = request.dir.join(&recipe.name);
        let kept = dir.join("config.json").is_file();
        hear(Heard::Recipe { name: &recipe.name, at: i + 1, of: request.recipes.len(), kept });
        let training = Training {
            valid: request.valid.clone(),
            recipe: recipe.clone(),
            size: request.size,
            budget: request.budget,
            seed: request.seed,
            ..Training::new(&dir, train.clone())
        };
        if trained(training, hear, stop)? == Outcome::Stopped {
            return Ok(None);
        }
        let mut model = Model::open(&dir)?;
        let evaluation = model.evaluate(&effort, &mut |p| hear(Heard::Evaluating(p)))?;
        let kept = kept.then(|| trained_for(&model));
        rows.push(Entrant { row: row(&model, &evaluation, &effort)?, kept, evaluation, events: events(&dir) });
    }
    Ok(Some(table::comparison(&request, &rows)))
}

/// A recipe that was trained and measured.
struct Entrant {
    row: Row,
    /// If its model was there already: how long it was trained.
    kept: Option<String>,
    evaluation: Evaluation,
    events: Vec<serde_json::Value>,
}

/// The texts to train on, and those to measure on.
fn held_out(request: &ComparisonRequest) -> (Corpus, Vec<String>) {
    let texts = |corpus: &Corpus| corpus.records.iter().map(|r| r.text.clone()).collect::<Vec<_>>();
    if let Some(test) = &request.test {
        return (request.train.clone(), texts(test));
    }
    let all = texts(&request.train);
    let (train, test) = split(&all, HELD_OUT, request.seed.wrapping_add(1));
    let records = train.iter().map(|&i| request.train.records[i].clone()).collect();
    let train = Corpus { records, report: request.train.report.clone() };
    (train, test.iter().map(|&i| all[i].clone()).collect())
}

/// Sees to it that the folder of a training holds its model.
fn trained(training: Training, hear: &mut dyn FnMut(Heard<'_>), stop: &AtomicBool) -> Result<Outcome, Error> {
    let mut listener = |event: &Event| hear(Heard::Training(event));
    let dir = training.out.clone();
    if dir.join("config.json").is_file() {
        let found = folder::read_config(&dir)?;
        let same = found.data.hash == training.train.report.hash
            && found.data.train <= training.train.records.len()
            && found.recipe.name == training.recipe.name
            && found.seed == training.seed;
        return if same { Ok(Outcome::Finished) } else { Err(Error::OtherComparison(dir)) };
    }
    if folder::training_dir(&dir).is_dir() {
        return resume(dir, &mut listener, stop);
    }
    training.run(&mut listener, stop)
}

/// How long a model was trained: "1234 steps in 1.9 minutes".
fn trained_for(model: &Model) -> String {
    let training = &model.config().training;
    let minutes = training.figures.get("seconds").map(|s| format!(" in {:.1} minutes", s / 60.0));
    format!("{} steps{}", training.steps, minutes.unwrap_or_default())
}

/// What a row of the comparison shows of a model besides its figures.
fn row(model: &Model, evaluation: &Evaluation, effort: &EvaluationRequest) -> Result<Row, Error> {
    let mut row = Row {
        name: model.config().recipe.name.clone(),
        about: model.config().recipe.about.clone(),
        figures: table::figures(model, evaluation),
        samples: evaluation.samples.examples.iter().take(SAMPLES).cloned().collect(),
        ..Row::default()
    };
    if !model.is_language_model() {
        let step = (effort.texts.len() / SHOWN).max(1);
        let texts: Vec<&String> = effort.texts.iter().step_by(step).take(SHOWN).collect();
        let back = model.reconstruct(&texts, &Decoding::default())?;
        row.reconstructions = texts.iter().map(|t| t.to_string()).zip(back).collect();
        if let [a, b, ..] = texts[..] {
            row.way = model.interpolate((a, b), WAY, Way::Straight, &Decoding::default())?;
        }
    }
    Ok(row)
}

fn events(dir: &Path) -> Vec<serde_json::Value> {
    read_events(&std::fs::read_to_string(dir.join("metrics.jsonl")).unwrap_or_default())
}

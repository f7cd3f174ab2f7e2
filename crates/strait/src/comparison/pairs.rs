//! Recipes that write targets for sources, side by side: trained on the same pairs, measured on the same held-out sources,
//! their differences tested on them (paired bootstrap).

use std::{path::PathBuf, sync::atomic::AtomicBool};

use strait_eval::{Bootstrap, generation::TestSet};
use strait_evaluate::{Outputs, PairEvaluation, PairRequest};
use strait_model::Recipe;
use strait_report::{Comparison, Curve, Curves, Difference, Fact, Figure, Row, Writing};
use strait_text::{Pairs, split::split};
use strait_train::{Budget, Outcome, Size};

use super::{HELD_OUT, Heard, events, table, trained, trained_for};
use crate::{Decoding, Error, Model, Training};

/// The seed of the draws behind intervals and tests.
const SEED: u64 = 1;

/// What to compare.
pub struct PairComparisonRequest {
    /// The folder for the models, one for each recipe.
    pub dir: PathBuf,
    pub train: Pairs,
    /// As for [`Training::with_valid_pairs`].
    pub valid: Option<Pairs>,
    /// What to measure on; without it the pairs of a tenth of the sources are put aside by a hash of each.
    pub test: Option<Pairs>,
    pub recipes: Vec<Recipe>,
    /// For each recipe.
    pub budget: Budget,
    pub size: Option<Size>,
    pub seed: u64,
    /// Write for so many different sources at most.
    pub written: usize,
}

/// A recipe that was trained and measured.
struct Entrant {
    name: String,
    about: String,
    kept: Option<String>,
    evaluation: PairEvaluation,
    outputs: Outputs,
    figures: Vec<(String, Figure)>,
    events: Vec<serde_json::Value>,
}

/// As [`compare`](super::compare) for pairs.
///
/// # Errors
/// As there; if a recipe knows no sources.
pub fn compare_pairs(
    request: PairComparisonRequest,
    hear: &mut dyn FnMut(Heard<'_>),
    stop: &AtomicBool,
) -> Result<Option<Comparison>, Error> {
    let (train, test) = held_out(&request);
    let held_out = PairRequest {
        name: test.found.name.clone(),
        sources: test.sources,
        targets: test.targets,
        references: test.references,
        written: request.written,
    };
    let mut entrants = Vec::new();
    for (i, recipe) in request.recipes.iter().enumerate() {
        let dir = request.dir.join(&recipe.name);
        let kept = dir.join("config.json").is_file();
        hear(Heard::Recipe { name: &recipe.name, at: i + 1, of: request.recipes.len(), kept });
        let mut training = Training::of_pairs(&dir, train.clone());
        if let Some(valid) = &request.valid {
            training = training.with_valid_pairs(valid.clone());
        }
        let (recipe, size, budget, seed) = (recipe.clone(), request.size, request.budget, request.seed);
        if trained(Training { recipe, size, budget, seed, ..training }, hear, stop)? == Outcome::Stopped {
            return Ok(None);
        }
        let mut model = Model::open(&dir)?;
        let (evaluation, outputs) =
            model.evaluate_pairs(&held_out, &Decoding::default(), &mut |p| hear(Heard::Evaluating(p)))?;
        let kept = kept.then(|| trained_for(&model));
        entrants.push(entrant(&model, kept, (evaluation, outputs), events(&dir)));
    }
    let set = held_out.test_set()?;
    let differences = differences(&set, &entrants)?;
    Ok(Some(Comparison { differences, ..comparison(&request, &entrants) }))
}

/// The pairs to train on, and those to measure on.
fn held_out(request: &PairComparisonRequest) -> (Pairs, Pairs) {
    if let Some(test) = &request.test {
        return (request.train.clone(), test.clone());
    }
    let all = &request.train;
    let (train, test) = split(&all.sources, HELD_OUT, request.seed.wrapping_add(1));
    let pick = |which: &[usize]| {
        let of = |texts: &[String]| which.iter().map(|&i| texts[i].clone()).collect::<Vec<_>>();
        let references = which.iter().map(|&i| all.references[i].clone()).collect();
        Pairs { sources: of(&all.sources), targets: of(&all.targets), references, ..all.clone() }
    };
    (pick(&train), pick(&test))
}

fn entrant(
    model: &Model,
    kept: Option<String>,
    (evaluation, outputs): (PairEvaluation, Outputs),
    events: Vec<serde_json::Value>,
) -> Entrant {
    let recipe = &model.config().recipe;
    let training = &model.config().training;
    let mut figures = evaluation.table().1;
    let mut put = |name: &str, value: f64| figures.push((name.to_string(), Figure::new(value)));
    put("weights", model.weights() as f64 * 1e-6);
    put("steps", training.steps as f64);
    if let Some(seconds) = training.figures.get("seconds") {
        put("minutes", seconds / 60.0);
    }
    Entrant { name: recipe.name.clone(), about: recipe.about.clone(), kept, evaluation, outputs, figures, events }
}

/// A paired test of every metric between any two recipes.
fn differences(set: &TestSet, entrants: &[Entrant]) -> Result<Vec<Difference>, Error> {
    let (metrics, bootstrap) = (set.applicable(), Bootstrap::default());
    let mut all = Vec::new();
    for (i, first) in entrants.iter().enumerate() {
        for second in &entrants[i + 1..] {
            let texts = (&first.outputs.texts, &second.outputs.texts);
            let reports = set
                .compare(&metrics, texts.0, texts.1, &bootstrap, SEED)
                .map_err(strait_evaluate::EvaluateError::from)?;
            let difference = |report: &strait_eval::generation::MetricReport| {
                let against = report.against?;
                Some(Difference {
                    metric: report.metric.clone(),
                    first: first.name.clone(),
                    second: second.name.clone(),
                    value: against.difference.value,
                    low: against.difference.low,
                    high: against.difference.high,
                    p_value: against.p_value,
                    lower_is_better: report.lower_is_better,
                })
            };
            all.extend(reports.iter().filter_map(difference));
        }
    }
    Ok(all)
}

fn comparison(request: &PairComparisonRequest, entrants: &[Entrant]) -> Comparison {
    let Some(first) = entrants.first().map(|e| &e.evaluation) else { return Comparison::default() };
    let mut columns = first.table().0;
    columns.extend(table::effort_columns());
    let row = |e: &Entrant| Row {
        name: e.name.clone(),
        about: e.about.clone(),
        figures: e.figures.iter().cloned().collect(),
        ..Row::default()
    };
    Comparison {
        title: format!("Recipes compared on {}", table::file_name(&request.train.found.name)),
        about: format!("{} wrote for the same held-out sources.", table::TRAINED),
        facts: facts(request, first, entrants),
        spread: PairEvaluation::SPREAD.into(),
        columns,
        rows: entrants.iter().map(row).collect(),
        curves: vec![losses(entrants)],
        writings: writings(first, entrants),
        ..Comparison::default()
    }
}

fn facts(request: &PairComparisonRequest, first: &PairEvaluation, entrants: &[Entrant]) -> Vec<Fact> {
    let kept = entrants.iter().map(|e| (&e.name[..], e.kept.as_deref()));
    let report = &request.train.report;
    let mut facts = vec![
        Fact::new("training pairs", format!("{}, SHA-256 {}", report.name, report.hash)),
        Fact::new("budget", table::budget(request.budget, kept)),
        Fact::new("seed of the trainings", request.seed.to_string()),
    ];
    // How many were cut is each model's own.
    facts.extend(first.facts().into_iter().filter(|fact| fact.name != PairEvaluation::CUT));
    facts
}

/// The examples with what every recipe wrote.
fn writings(first: &PairEvaluation, entrants: &[Entrant]) -> Vec<Writing> {
    let mut writings = first.writings();
    for (i, writing) in writings.iter_mut().enumerate() {
        writing.written = entrants.iter().map(|e| e.outputs.texts[i].clone()).collect();
    }
    writings
}

/// Validation loss over the passes.
fn losses(entrants: &[Entrant]) -> Curves {
    let all = entrants.iter().map(|e| (&e.name[..], &e.events[..]));
    let lines = all.filter_map(|(name, events)| table::curve(name, events, |look| look["bits_per_byte"].as_f64()));
    Curves {
        title: "Validation loss".into(),
        x: "passes over the data".into(),
        y: "bits per byte of the targets".into(),
        lines: lines.collect::<Vec<Curve>>(),
        ..Curves::default()
    }
}

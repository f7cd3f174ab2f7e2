//! The figures of a comparison: columns, reference rows, curves.

use std::collections::BTreeMap;

use strait_eval::Spread;
use strait_evaluate::{Evaluation, Likelihood, SampleRow};
use strait_report::{Column, Comparison, Curve, Curves, Direction, Fact, Figure, Row, Scatter};

use strait_train::Budget;

use super::{ComparisonRequest, Entrant};
use crate::Model;

/// Names of columns that are referred to twice.
const FORWARD: &str = "forward perplexity";
const REVERSE: &str = "reverse perplexity";
const SELF_BLEU: &str = "self-BLEU-4";
const RATE: &str = "KL";
const RECONSTRUCTION: &str = "reconstruction";

/// What holds of the recipes of any comparison.
pub(super) const TRAINED: &str = "Each recipe was trained on the same texts, as long as `budget` says, and";

/// Columns: name, unit, which is better, digits, what it is.
const COLUMNS: [(&str, &str, Direction, usize, &str); 16] = [
    (
        "likelihood",
        "nats a text",
        Direction::Lower,
        1,
        "Importance-weighted negative log-likelihood of held-out texts; a language model's is exact. Deterministic models have none.",
    ),
    (
        RECONSTRUCTION,
        "nats a text",
        Direction::Lower,
        1,
        "Cost of a held-out text given its own latent: not a likelihood.",
    ),
    (
        RATE,
        "nats a text",
        Direction::Neither,
        2,
        "Divergence of the posterior from N(0, I): what the latent may carry.",
    ),
    ("active units", "", Direction::Neither, 0, "Dimensions whose posterior mean has a variance above 0.01."),
    ("BLEU-4", "", Direction::Higher, 1, "Greedy reconstructions of held-out texts."),
    ("exact", "%", Direction::Higher, 1, "Reconstructions that are the very text."),
    (
        "prior AUC",
        "",
        Direction::Lower,
        2,
        "How well a classifier tells draws of the prior from latents of held-out texts; 0.5: not at all.",
    ),
    (FORWARD, "", Direction::Lower, 1, "A 5-gram of the training texts reads the samples."),
    (
        REVERSE,
        "",
        Direction::Lower,
        1,
        "A 5-gram of the samples reads the held-out texts: low only if samples are good and varied.",
    ),
    (SELF_BLEU, "", Direction::Lower, 3, "Likeness of samples to each other."),
    ("distinct-2", "", Direction::Higher, 3, "Share of different pairs of neighbouring words among all pairs."),
    ("unique", "%", Direction::Higher, 1, "Different samples among all."),
    ("copied", "%", Direction::Lower, 1, "Samples that stand in the training texts."),
    ("weights", "M", Direction::Neither, 1, "Size of the network."),
    ("steps", "", Direction::Neither, 0, "Updates made."),
    ("minutes", "", Direction::Neither, 1, "Time of the training."),
];

/// Figures of samples: their names in an evaluation and here, and a factor.
const SAMPLES: [(&str, &str, f64); 6] = [
    ("kn5_forward_perplexity", FORWARD, 1.0),
    ("kn5_reverse_perplexity", REVERSE, 1.0),
    ("self_bleu4", SELF_BLEU, 1.0),
    ("distinct2", "distinct-2", 1.0),
    ("unique", "unique", 100.0),
    ("copied", "copied", 100.0),
];

/// The figures of a model.
pub(super) fn figures(model: &Model, evaluation: &Evaluation) -> BTreeMap<String, Figure> {
    let mut figures = BTreeMap::new();
    let mut put = |name: &str, figure: Figure| figures.insert(name.to_string(), figure);
    match &evaluation.likelihood {
        Likelihood::Exact { rate, .. } => {
            put("likelihood", Figure { note: "exact".into(), ..Figure::new(rate.nats_per_text) });
        }
        Likelihood::ImportanceWeighted(weighted) => {
            let last = weighted.priors.first().and_then(|p| p.bounds.last());
            last.map(|b| {
                let note = format!("{} draws, {} texts", b.draws, weighted.counts.texts);
                put("likelihood", Figure { note, ..Figure::new(b.rate.nats_per_text) })
            });
        }
        Likelihood::None { .. } => {}
    }
    if let Some(r) = &evaluation.reconstruction {
        r.loss.as_ref().map(|loss| put(RECONSTRUCTION, Figure::new(loss.nats_per_text)));
        put("BLEU-4", Figure::new(r.greedy.bleu4));
        put("exact", Figure::new(100.0 * r.greedy.exact));
    }
    if let Some(latents) = evaluation.latents.first() {
        put("active units", Figure::new(latents.active_units as f64));
        latents.posterior.as_ref().map(|p| put(RATE, Figure::new(p.divergence)));
    }
    evaluation.prior.first().map(|p| put("prior AUC", spread(&p.auc, 1.0)));
    let training = &model.config().training;
    put("weights", Figure::new(model.weights() as f64 * 1e-6));
    put("steps", Figure::new(training.steps as f64));
    training.figures.get("seconds").map(|s| put("minutes", Figure::new(s / 60.0)));
    figures.extend(of_samples(evaluation.samples.rows.iter().find(|r| r.name == "model")));
    figures
}

fn of_samples(row: Option<&SampleRow>) -> BTreeMap<String, Figure> {
    let Some(row) = row else { return BTreeMap::new() };
    let known = SAMPLES
        .iter()
        .filter_map(|&(name, column, factor)| Some((column.to_string(), spread(row.figures.get(name)?, factor))));
    known.collect()
}

fn spread(spread: &Spread, factor: f64) -> Figure {
    Figure { spread: spread.std.map(|s| s * factor), ..Figure::new(spread.mean * factor) }
}

fn column(&(name, unit, better, digits, about): &(&str, &str, Direction, usize, &str)) -> Column {
    Column { name: name.into(), unit: unit.into(), better, about: about.into(), digits: Some(digits) }
}

/// The columns of what a training took: weights, steps, minutes.
pub(super) fn effort_columns() -> impl Iterator<Item = Column> {
    COLUMNS.iter().filter(|c| ["weights", "steps", "minutes"].contains(&c.0)).map(column)
}

/// The whole comparison.
pub(super) fn comparison(request: &ComparisonRequest, entrants: &[Entrant]) -> Comparison {
    let scatter =
        |x: &str, y: &str, title: &str| Scatter { title: title.into(), x: x.into(), y: y.into(), ..Scatter::default() };
    let mut rows: Vec<Row> = entrants.iter().map(|e| e.row.clone()).collect();
    rows.extend(entrants.first().map(references).unwrap_or_default());
    Comparison {
        title: format!("Recipes compared on {}", file_name(&request.train.report.name)),
        about: format!("{TRAINED} measured on the same held-out texts."),
        facts: facts(request, entrants),
        spread: "standard deviation over the seeds of the samples".into(),
        columns: COLUMNS.iter().map(column).collect(),
        rows,
        scatters: vec![
            scatter(FORWARD, REVERSE, "Quality and coverage of samples"),
            scatter(RATE, RECONSTRUCTION, "Rate and distortion"),
        ],
        curves: vec![frontier(entrants), diversity(entrants), losses(entrants), rates(entrants)],
        notes: vec![
            "Likelihoods are upper bounds unless exact; the cost of a reconstruction is not a likelihood.".into(),
            "The 5-gram's own samples and real training text stand below the recipes: what is worse than the first is \
             beaten by counting words."
                .into(),
        ],
        ..Comparison::default()
    }
}

/// Samples of the Kneser-Ney model and real text, which are the same for every recipe.
fn references(entrant: &Entrant) -> Vec<Row> {
    let reference = |row: &SampleRow| Row {
        name: row.name.clone(),
        reference: true,
        figures: of_samples(Some(row)),
        ..Row::default()
    };
    entrant.evaluation.samples.rows.iter().filter(|r| r.name != "model").map(reference).collect()
}

fn facts(request: &ComparisonRequest, entrants: &[Entrant]) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let mut facts = vec![
        fact("training texts", format!("{}, SHA-256 {}", request.train.report.name, request.train.report.hash)),
        fact("budget", budget(request.budget, entrants.iter().map(|e| (&e.row.name[..], e.kept.as_deref())))),
        fact("seed of the trainings", request.seed.to_string()),
    ];
    if let Some(e) = entrants.first().map(|e| &e.evaluation) {
        facts.push(fact("held-out texts", format!("{} of {}", e.counts.texts, e.data)));
        facts.push(fact("samples", format!("{} for each of {} seeds", e.samples.n, e.samples.seeds.len())));
        facts.push(fact("decoding of samples", "each model's own temperature, see its card".into()));
    }
    facts
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What recipes, by name, were trained for: as asked, or, where a model was kept from before, for as long as it says.
pub(super) fn budget<'a>(budget: Budget, recipes: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let (kept, now): (Vec<_>, Vec<_>) = recipes.partition(|(_, kept)| kept.is_some());
    let asked = match budget {
        Budget::Minutes(m) => format!("{m} minutes"),
        Budget::Epochs(n) => format!("{n} passes over the data"),
        Budget::Steps(n) => format!("{n} steps"),
    };
    let each = match (now.is_empty(), kept.is_empty()) {
        (false, true) => return format!("{asked} for each recipe"),
        (false, false) => format!("{asked} for {}; ", now.iter().map(|n| n.0).collect::<Vec<_>>().join(", ")),
        (true, _) => String::new(),
    };
    let kept: Vec<String> = kept.iter().map(|(name, how)| format!("{name} ({})", how.unwrap_or_default())).collect();
    format!("{each}trained before: {}", kept.join(", "))
}

/// Forward against reverse perplexity over temperatures.
fn frontier(entrants: &[Entrant]) -> Curves {
    let reverse = ("kn5_reverse_perplexity", REVERSE);
    Curves { log_y: true, ..over_temperature(entrants, "Samples over temperature: quality and coverage", reverse) }
}

/// Forward perplexity against likeness over temperatures.
fn diversity(entrants: &[Entrant]) -> Curves {
    over_temperature(entrants, "Samples over temperature: quality and sameness", ("self_bleu4", SELF_BLEU))
}

/// Forward perplexity, and another figure of samples by its name and label, over temperatures.
fn over_temperature(entrants: &[Entrant], title: &str, (name, label): (&str, &str)) -> Curves {
    let points = |e: &Entrant| {
        let rows = e.evaluation.samples.temperatures.iter();
        rows.filter_map(|row| {
            let figure = |name| row.figures.get(name).map(|s: &Spread| s.mean);
            Some((figure("kn5_forward_perplexity")?, figure(name)?))
        })
        .collect()
    };
    Curves {
        title: title.into(),
        x: FORWARD.into(),
        y: label.into(),
        log_x: true,
        lines: entrants.iter().map(|e| Curve { name: e.row.name.clone(), points: points(e) }).collect(),
        ..Curves::default()
    }
}

/// Validation loss over the passes.
fn losses(entrants: &[Entrant]) -> Curves {
    let loss = |look: &serde_json::Value| look["bits_per_byte"].as_f64();
    over_passes(entrants, "Validation loss (bound or reconstruction)", "bits per byte", loss)
}

/// What Gaussian posteriors carry, over the passes: where it falls to nothing, the latent has collapsed.
fn rates(entrants: &[Entrant]) -> Curves {
    over_passes(entrants, "What the latent carries", "KL, nats a text", |look| look["figures"]["kl"].as_f64())
}

/// A figure of the looks at the validation texts; recipes without it are left out.
fn over_passes(
    entrants: &[Entrant],
    title: &str,
    y: &str,
    value: impl Fn(&serde_json::Value) -> Option<f64>,
) -> Curves {
    let line = |e: &Entrant| curve(&e.row.name, &e.events, &value);
    Curves {
        title: title.into(),
        x: "passes over the data".into(),
        y: y.into(),
        lines: entrants.iter().filter_map(line).collect(),
        ..Curves::default()
    }
}

/// A figure of the looks among a training's events, over the passes; none if there is none.
pub(super) fn curve(
    name: &str,
    events: &[serde_json::Value],
    value: impl Fn(&serde_json::Value) -> Option<f64>,
) -> Option<Curve> {
    let looks = events.iter().filter(|event| event["event"] == "look");
    let points: Vec<(f64, f64)> = looks.filter_map(|l| Some((l["epoch"].as_f64()?, value(l)?))).collect();
    (!points.is_empty()).then(|| Curve { name: name.into(), points })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_models_are_told_with_what_they_were_trained_for() {
        let said = |kept: [Option<&str>; 2]| budget(Budget::Minutes(2.0), ["dae", "vae"].into_iter().zip(kept));
        assert_eq!(said([None, None]), "2 minutes for each recipe");
        assert_eq!(said([Some("9 steps"), None]), "2 minutes for vae; trained before: dae (9 steps)");
        assert_eq!(said([Some("9 steps"), Some("8 steps")]), "trained before: dae (9 steps), vae (8 steps)");
    }
}

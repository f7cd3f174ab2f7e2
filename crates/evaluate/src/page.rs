//! The same as a page.

use std::collections::BTreeMap;

use strait_eval::Spread;
use strait_report::{Column, Comparison, Curve, Curves, Fact, Figure, Row, Scatter, comparison_report};

use crate::{
    Evaluation, Likelihood, Rate,
    text::{FIGURES, title},
};

/// A whole HTML page: headline figures, the samples beside real text, the curve over temperatures as a plot.
pub fn page(evaluation: &Evaluation) -> String {
    let samples = &evaluation.samples;
    let has = |key: &str| samples.rows.iter().any(|r| r.figures.contains_key(key));
    let columns = FIGURES.iter().filter(|named| has(named.key)).map(|named| Column {
        name: named.label.into(),
        about: format!("Good: {}.", named.good),
        digits: Some(named.digits),
        ..Column::default()
    });
    let mut rows: Vec<Row> = samples.rows.iter().map(|r| row(&r.name, &r.figures, r.name != "model")).collect();
    if let Some(model) = rows.first_mut() {
        model.samples = samples.examples.clone();
    }
    let curve = samples.temperatures.iter();
    rows.extend(curve.map(|p| row(&format!("model at temperature {}", p.temperature), &p.figures, false)));
    let [x, y] = ["kn5_forward_perplexity", "kn5_reverse_perplexity"].map(label);
    let curves = curve_over_temperatures(evaluation, [&x, &y]).into_iter().collect();
    let figures = Comparison {
        title: format!("Evaluation on {}", evaluation.data),
        about: title(evaluation),
        facts: facts(evaluation),
        spread: format!("standard deviation over {} seeds", samples.seeds.len()),
        columns: columns.collect(),
        rows,
        scatters: vec![Scatter { title: "Good samples lie near real text".into(), x, y, ..Scatter::default() }],
        notes: evaluation.left_out.iter().map(|line| format!("Left out: {line}.")).collect(),
        ..Comparison::default()
    };
    comparison_report(&Comparison { curves, ..figures })
}

/// Reverse against forward perplexity, from the coolest temperature to the hottest.
fn curve_over_temperatures(evaluation: &Evaluation, [x, y]: [&str; 2]) -> Option<Curves> {
    let mut points: Vec<_> = evaluation.samples.temperatures.iter().collect();
    points.sort_by(|a, b| a.temperature.total_cmp(&b.temperature));
    let place = |figures: &BTreeMap<&'static str, Spread>| {
        Some((figures.get("kn5_forward_perplexity")?.mean, figures.get("kn5_reverse_perplexity")?.mean))
    };
    let points: Vec<(f64, f64)> = points.iter().filter_map(|p| place(&p.figures)).collect();
    (points.len() > 1).then(|| Curves {
        title: "Samples from the coolest temperature to the hottest".into(),
        x: x.into(),
        y: y.into(),
        lines: vec![Curve { name: evaluation.model.recipe.clone(), points }],
        ..Curves::default()
    })
}

fn label(key: &str) -> String {
    FIGURES.iter().find(|named| named.key == key).map_or(key, |named| named.label).to_owned()
}

fn row(name: &str, figures: &BTreeMap<&'static str, Spread>, reference: bool) -> Row {
    let shown = |key: &str, value: &Spread| {
        let named = FIGURES.iter().find(|named| named.key == key)?;
        let factor = if named.percent { 100.0 } else { 1.0 };
        let mean = value.mean * factor;
        let figure = value.std.map_or(Figure::new(mean), |std| Figure::with_spread(mean, std * factor));
        Some((named.label.to_owned(), figure))
    };
    let figures = figures.iter().filter_map(|(key, value)| shown(key, value)).collect();
    Row { name: name.into(), figures, reference, ..Row::default() }
}

/// The headline figures.
fn facts(evaluation: &Evaluation) -> Vec<Fact> {
    let counts = &evaluation.counts;
    let seeds: Vec<String> = evaluation.samples.seeds.iter().map(u64::to_string).collect();
    let mut facts = vec![
        Fact::new("trained on", format!("{}, {} texts", evaluation.model.trained_on, evaluation.model.training_texts)),
        Fact::new("measured on", format!("{}, {} texts", evaluation.data, counts.texts)),
        Fact::new("samples", format!("{} for each of the seeds {}", evaluation.samples.n, seeds.join(", "))),
        Fact::new("temperature", evaluation.samples.decoding.temperature.to_string()),
        Fact::new("likelihood", likelihood(&evaluation.likelihood)),
    ];
    if let Some(beside) = &evaluation.beside {
        facts.push(Fact::new(format!("likelihood, {}", beside.name), likelihood(&beside.likelihood)));
    }
    for seen in &evaluation.latents {
        let active = format!("{} of {} units active", seen.active_units, seen.dimensions);
        let carried = seen.posterior.map_or(active.clone(), |p| {
            format!(
                "KL {:.2} nats, I(x; z) {:.2} nats of at most {:.2}; {active}",
                p.divergence, p.mutual_information.mean, p.cap
            )
        });
        facts.push(Fact::new(format!("latent, {} {}", seen.n, seen.texts), carried));
    }
    if let Some(report) = &evaluation.reconstruction {
        let greedy = &report.greedy;
        let said = format!("BLEU-4 {:.1}, exact {:.1} %, {} texts", greedy.bleu4, 100.0 * greedy.exact, greedy.n);
        facts.push(Fact::new("greedy reconstruction", said));
    }
    facts.extend(
        evaluation
            .prior
            .iter()
            .map(|fit| Fact::new("prior AUC", format!("{:.3}, {} of each: {}", fit.auc.mean, fit.n, fit.compared))),
    );
    facts
}

fn likelihood(likelihood: &Likelihood) -> String {
    let said = |rate: &Rate| {
        format!(
            "{:.2} nats/text, word perplexity {:.2}, {:.4} bits/byte",
            rate.nats_per_text, rate.word_perplexity, rate.bits_per_byte
        )
    };
    match likelihood {
        Likelihood::None { reason } => format!("none: {reason}"),
        Likelihood::Exact { counts, rate } => format!("{} (exact, {} texts)", said(rate), counts.texts),
        Likelihood::ImportanceWeighted(bounds) => {
            let last = bounds.priors.iter().flat_map(|p| p.bounds.last()).next();
            last.map_or_else(String::new, |b| {
                format!("{} (S = {}, N(0, I), {} texts)", said(&b.rate), b.draws, bounds.counts.texts)
            })
        }
    }
}

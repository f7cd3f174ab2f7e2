//! The samples' part of the report.

use std::{collections::BTreeMap, fmt};

use strait_eval::Spread;

use super::{FIGURES, figures::Named, prose, spread, table::Table};
use crate::SampleEvaluation;

/// Columns of a text that is shown.
const SHOWN: usize = 96;

pub(super) fn samples(f: &mut fmt::Formatter<'_>, report: &SampleEvaluation) -> fmt::Result {
    let seeds: Vec<String> = report.seeds.iter().map(u64::to_string).collect();
    writeln!(f, "\nSAMPLES: {} for each of the seeds {}", report.n, seeds.join(", "))?;
    prose(
        f,
        &format!(
            "Temperature {}, top-k {}, top-p {}. ± is the standard deviation over seeds. BLEU-4 has {} references, \
             self-BLEU-4 {}.",
            report.decoding.temperature,
            report.decoding.top_k,
            report.decoding.top_p,
            report.bleu_references,
            report.self_bleu_references
        ),
    )?;
    if let Some(by) = &report.judged_by {
        let mut said = format!("Judged by {} training texts: KN-5 over {} words", by.training_texts, by.vocabulary);
        if let Some(lstm) = &by.lstm {
            said += &format!(
                "; LSTM ({:.2} M weights) over {} words, {} of {} steps until it got no better, itself at perplexity \
                 {:.1} on the held-out texts ({:.2} % of their words unknown)",
                lstm.weights as f64 * 1e-6,
                lstm.vocabulary,
                lstm.steps,
                lstm.budget_steps,
                lstm.perplexity,
                100.0 * lstm.unknown
            );
        }
        prose(f, &(said + "."))?;
    }
    let names: Vec<&str> = report.rows.iter().map(|r| r.name.as_str()).collect();
    let mut table = Table::new(&[&[""], &names[..], &["good"]].concat());
    for figure in &FIGURES {
        if report.rows.iter().any(|r| r.figures.contains_key(figure.key)) {
            let cells = report.rows.iter().map(|r| cell(&r.figures, figure)).collect();
            table.row([vec![figure.label.to_owned()], cells, vec![figure.good.to_owned()]].concat());
        }
    }
    write!(f, "{table}")?;
    if report.judged_by.is_some() {
        prose(
            f,
            "Real text: held-out texts; its reverse perplexities and BLEU-4 are those of as many training texts. Baselines \
             have one seed where no ± is shown.",
        )?;
    }
    temperatures(f, report)?;
    shown(f, report)
}

fn cell(figures: &BTreeMap<&'static str, Spread>, figure: &Named) -> String {
    let factor = if figure.percent { 100.0 } else { 1.0 };
    figures.get(figure.key).map_or("—".into(), |s| spread(s, figure.digits, factor))
}

/// The curve over temperatures, with what stands beside the model last.
fn temperatures(f: &mut fmt::Formatter<'_>, report: &SampleEvaluation) -> fmt::Result {
    const CURVE: [&str; 6] =
        ["kn5_forward_perplexity", "kn5_reverse_perplexity", "bleu4", "self_bleu4", "distinct2", "copied"];
    if report.temperatures.is_empty() {
        return Ok(());
    }
    let has = |key: &str| report.temperatures.iter().any(|p| p.figures.contains_key(key));
    let shown: Vec<&Named> = FIGURES.iter().filter(|n| CURVE.contains(&n.key) && has(n.key)).collect();
    let labels: Vec<&str> = shown.iter().map(|n| n.label).collect();
    let mut table = Table::new(&[&["temperature"], &labels[..]].concat());
    for point in &report.temperatures {
        let cells: Vec<String> = shown.iter().map(|n| cell(&point.figures, n)).collect();
        table.row([vec![point.temperature.to_string()], cells].concat());
    }
    for row in report.rows.iter().skip(1) {
        table.row([vec![row.name.clone()], shown.iter().map(|n| cell(&row.figures, n)).collect()].concat());
    }
    write!(f, "{table}")?;
    prose(f, "Compare whole curves: a system is better where it has both perplexities lower than another.")
}

fn shown(f: &mut fmt::Formatter<'_>, report: &SampleEvaluation) -> fmt::Result {
    if !report.examples.is_empty() {
        prose(f, &format!("The first of seed {}, as they came:", report.seeds.first().copied().unwrap_or(0)))?;
    }
    for text in &report.examples {
        writeln!(f, "    {}", one_line(text))?;
    }
    if !report.worst_copies.is_empty() {
        prose(f, "Those that give back most of a training text (edits, sample, training text):")?;
    }
    for copy in &report.worst_copies {
        writeln!(f, "    {}  {}", copy.edits, one_line(&copy.text))?;
        if copy.edits > 0 {
            writeln!(f, "       {}", one_line(&copy.nearest))?;
        }
    }
    Ok(())
}

/// A text on one line, without control characters, cut.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match clean.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &clean[..at]),
        None => clean,
    }
}

//! The looks of a training: what came back, what was drawn, what was measured.

use super::{LISTED, curves::named};
use crate::{
    history::{History, Look},
    html::{Element, element},
    number,
    page::{
        column, marked_pair, marks_explained, note, number_cell, number_column, row_heading, spread_out, table, text,
        text_list, unseen,
    },
};

/// Looks shown at most.
const LOOKS: usize = 30;
/// Looks at which one text is followed through the training.
const FOLLOWED: usize = 8;
/// Columns of further figures at most.
const FURTHER: usize = 6;

/// The look whose weights were kept, one text through the training, the other looks folded away, all their figures.
pub fn looks(history: &History) -> Vec<Element> {
    let shown = shown_looks(history);
    let Some(kept) = history.kept_look() else { return vec![] };
    let has_texts = |l: &&&Look| !l.reconstructions.is_empty() || !l.samples.is_empty();
    let others: Vec<Element> =
        shown.iter().filter(|l| l.step != kept.step).filter(has_texts).map(|l| look(l, None)).collect();
    let heading = (!others.is_empty()).then(|| element("h3").put("The other looks"));
    let some = match history.looks.len() > LOOKS {
        true => format!("{LOOKS} of {} looks are shown.", number::count(history.looks.len() as u64)),
        false => String::new(),
    };
    let explained = if shown.iter().any(|l| !l.reconstructions.is_empty()) { marks_explained(true) } else { note("") };
    vec![
        explained,
        look(kept, Some(badge(history))),
        followed(history),
        element("div").put(heading),
        note(some),
        element("div").put(others),
        figures(history, &shown),
    ]
}

/// Looks to show: all or some, with the first, the last and the kept one.
fn shown_looks(history: &History) -> Vec<&Look> {
    let kept = history.kept_look().map(|l| l.step);
    let kept = history.looks.iter().position(|l| Some(l.step) == kept);
    spread_out(history.looks.len(), LOOKS, kept).into_iter().map(|i| &history.looks[i]).collect()
}

/// What distinguishes the look that the page shows first.
fn badge(history: &History) -> &'static str {
    match (history.best_step, history.kept_look()) {
        (Some(best), Some(look)) if look.step == best => "kept",
        (_, Some(look)) if look.best => "best so far",
        _ => "last",
    }
}

/// The first text of the last look, as it came back at several looks.
fn followed(history: &History) -> Element {
    let Some((source, _)) = history.looks.last().and_then(|l| l.reconstructions.first()) else { return element("p") };
    let back = |l: &Look| l.reconstructions.iter().find(|r| r.0 == *source).map(|r| (l.step, r.1.clone()));
    let all: Vec<(f64, String)> = history.looks.iter().filter_map(back).collect();
    if all.len() < 2 {
        return element("p");
    }
    let row = |i: usize| {
        let (_, marked) = marked_pair(source, &all[i].1);
        vec![row_heading(number::plain(all[i].0)).class("number"), element("td").put(marked)]
    };
    let rows = spread_out(all.len(), FOLLOWED, None).into_iter().map(row).collect();
    let head = vec![number_column("step"), column("came back as")];
    element("div").put(element("h3").put("One text through the training")).put(table(
        "scroll followed",
        element("span").put("The text: ").put(text(source)),
        "One text through the training",
        head,
        rows,
    ))
}

/// One look: reconstructions and samples; open if it has a badge.
fn look(look: &Look, badge: Option<&'static str>) -> Element {
    let step = number::plain(look.step);
    let mut told = Vec::new();
    told.extend(look.bits_per_byte.map(|v| format!("{} bits per byte", number::fixed(v, 3))));
    told.extend(look.bleu4.map(|v| format!("BLEU-4 {}", number::fixed(v, 1))));
    told.extend(look.exact.map(|v| format!("{} exact", number::percent(v))));
    let summary = element("summary")
        .put(element("b").put(format!("Step {step}")))
        .put(badge.map(|b| element("span").class("badge").put(b)))
        .put(element("span").class("told").put(told.join(" · ")));
    let paired = !look.sources.is_empty();
    let pair = |(i, (wanted, back)): (usize, &(String, String))| {
        let (a, b) = marked_pair(wanted, back);
        let source = look.sources.get(i).map(|source| element("td").put(text(source)));
        source.into_iter().chain([element("td").put(a), element("td").put(b)]).collect()
    };
    let rows: Vec<Vec<Element>> = look.reconstructions.iter().take(LISTED).enumerate().map(pair).collect();
    let (name, head) = match paired {
        true => ("Targets", vec![column("source"), column("wanted"), column("written")]),
        false => ("Reconstructions", vec![column("text"), column("came back as")]),
    };
    let label = format!("{name} at step {step}");
    let pairs = (!rows.is_empty()).then(|| table("scroll pairs", unseen(name), &label, head, rows));
    let samples = (!look.samples.is_empty())
        .then(|| element("div").put(element("h4").put("Samples")).put(text_list(&look.samples, LISTED)));
    let details = element("details").class("look").put(summary).put(pairs).put(samples);
    if badge.is_some() { details.set("open", "") } else { details }
}

/// A table of what the looks measured, folded away.
fn figures(history: &History, shown: &[&Look]) -> Element {
    let fixed = |v: Option<f64>, digits| number::fixed(v.unwrap_or(f64::NAN), digits);
    let share = |v: Option<f64>| number::percent(v.unwrap_or(f64::NAN));
    let mut head: Vec<Element> =
        ["step", "passes", "bits per byte", "nats per token", "next token right", "BLEU-4", "exact"]
            .map(number_column)
            .into();
    let mut rows: Vec<Vec<Element>> = Vec::new();
    let kept = history.kept_look().map(|l| l.step);
    for l in shown {
        let badge = (kept == Some(l.step)).then(|| element("span").class("badge").put(badge(history)));
        let measured = [
            fixed(l.epoch, 1),
            fixed(l.bits_per_byte, 3),
            fixed(l.nats_per_token, 3),
            share(l.token_accuracy),
            fixed(l.bleu4, 1),
            share(l.exact),
        ];
        let heading = element("th").set("scope", "row").put(badge).put(number::plain(l.step)).class("number");
        rows.push([heading].into_iter().chain(measured.map(number_cell)).collect());
    }
    for (name, points) in history.look_figures.iter().take(FURTHER) {
        let values = shown.iter().map(|l| points.iter().rfind(|p| p.0 == l.step).map_or(f64::NAN, |p| p.1));
        let digits = number::shared_digits(values.clone());
        head.push(number_column(named(name).2));
        rows.iter_mut().zip(values).for_each(|(row, v)| row.push(number_cell(number::fixed(v, digits))));
    }
    let n = shown.iter().rev().find_map(|l| l.n);
    let n = n.map(|n| note(format!("BLEU-4 and exact are of {} texts, decoded greedily.", number::plain(n))));
    element("details")
        .class("look unfold")
        .put(element("summary").put(element("b").put("All looks in figures")))
        .put(n)
        .put(table("scroll", unseen("What each look at the validation texts measured"), "Looks in figures", head, rows))
}

//! The curves of a training.

use crate::{
    history::{Curves, History, Look},
    html::{Element, element},
    number,
    page::note,
    plot::{Axis, LinePlot, Point, Rule, Scale, Series, Stroke},
};

/// Plots of further figures at most.
const FURTHER: usize = 40;

/// The plots.
pub fn curves(history: &History) -> Vec<Element> {
    let step = || x_axis(history);
    let taken = |name: &str| history.steps.get(name).cloned().unwrap_or_default();
    let looks = |value: fn(&Look) -> Option<f64>, factor: f64| -> Vec<Point> {
        history.looks.iter().map(|l| (l.step, factor * value(l).unwrap_or(f64::NAN))).collect()
    };
    let line = |name: &str, points| Series { name: name.into(), points, stroke: Stroke::Line };
    let dotted = |name: &str, points| Series { name: name.into(), points, stroke: Stroke::Dotted };
    let plot =
        |title: &str, y: Axis, series: Vec<Series>| LinePlot { title: title.into(), x: step(), y, series, rule: None };
    let loss = [line("training", taken("bits_per_byte")), dotted("validation", looks(|l| l.bits_per_byte, 1.0))];
    let kept = history.best_step.map(|x| Rule { x, label: "kept".into() });
    let back = [dotted("BLEU-4", looks(|l| l.bleu4, 1.0)), dotted("exact, %", looks(|l| l.exact, 100.0))];
    let mut plots = vec![
        LinePlot { rule: kept, ..plot("Loss", Axis::new("bits per byte").scale(Scale::Automatic), loss.into()) },
        plot("Reconstruction of validation texts", Axis::new("BLEU-4; %").from_zero(), back.into()),
        plot("Learning rate", Axis::new("learning rate").from_zero(), vec![line("rate", taken("rate"))]),
        plot(
            "Gradient norm",
            Axis::new("before clipping").scale(Scale::Automatic),
            vec![line("norm", taken("gradient_norm"))],
        ),
        plot("Speed", Axis::new("tokens per second").from_zero(), vec![line("speed", taken("tokens_per_second"))]),
    ];
    let names = further_names(history);
    for name in names.iter().take(FURTHER) {
        let (title, unit, _) = named(name);
        let of = |curves: &Curves| curves.get(name).cloned().unwrap_or_default();
        let series = vec![line("training", of(&history.step_figures)), dotted("validation", of(&history.look_figures))];
        plots.push(plot(&title, Axis::new(unit).scale(Scale::Automatic), series));
    }
    let figures: Vec<Element> =
        plots.iter().enumerate().filter_map(|(i, plot)| plot.figure(&format!("plot{i}"))).collect();
    if figures.is_empty() {
        return vec![];
    }
    let noise = !history.looks.is_empty() && !history.steps.is_empty();
    let noise = noise.then(|| {
        note("Training loss is measured with noise and dropout, validation loss without; so validation may lie below.")
    });
    let means = plots.iter().any(LinePlot::has_noise);
    let means = means.then(|| note("A noisy curve is drawn faint, with the means of its stretches over it."));
    let more = names.len().saturating_sub(FURTHER);
    let more =
        (more > 0).then(|| note(format!("{} are not drawn.", number::of(more, "further figure", "further figures"))));
    vec![element("div").class("plots").put(figures), element("div").put(noise).put(means).put(more)]
}

/// Steps, from zero unless the events begin late.
fn x_axis(history: &History) -> Axis {
    let first = history.steps.values().flatten().map(|p| p.0).chain(history.looks.iter().map(|l| l.step));
    let first = first.fold(f64::INFINITY, f64::min);
    let late = history.last_step.is_some_and(|last| first > 0.3 * last && first < last);
    if late { Axis::new("step") } else { Axis::new("step").from_zero() }
}

/// Names of the further figures, each once.
fn further_names(history: &History) -> Vec<String> {
    let mut names: Vec<String> = history.step_figures.keys().chain(history.look_figures.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A title, a unit and words for a figure's name: `active_units` gives ("Active units", "active units", "active
/// units"), `kl_nats` ("KL", "nats", "KL, nats").
pub fn named(name: &str) -> (String, String, String) {
    const UNITS: [(&str, &str); 5] = [
        ("_nats", "nats"),
        ("_bits", "bits"),
        ("_seconds", "seconds"),
        ("_share", "share"),
        ("_per_second", "per second"),
    ];
    const CAPITALS: [&str; 6] = ["kl", "mmd", "vq", "auc", "mi", "bleu4"];
    let unit = UNITS.iter().find_map(|(end, unit)| Some((name.strip_suffix(end).filter(|s| !s.is_empty())?, *unit)));
    let (stem, unit) = unit.unwrap_or((name, ""));
    let words: Vec<String> = stem
        .split('_')
        .map(|w| if CAPITALS.contains(&w) { w.to_uppercase().replace("BLEU4", "BLEU-4") } else { w.to_string() })
        .collect();
    let words = words.join(" ");
    let mut letters = words.chars();
    let title = letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect());
    match unit.is_empty() {
        true => (title, words.clone(), words),
        false => (title, unit.to_string(), format!("{words}, {unit}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_figures() {
        assert_eq!(named("kl_nats"), ("KL".into(), "nats".into(), "KL, nats".into()));
        assert_eq!(named("active_units"), ("Active units".into(), "active units".into(), "active units".into()));
        assert_eq!(named(""), Default::default());
    }
}

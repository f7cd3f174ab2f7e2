//! The page of a training.

mod curves;
mod looks;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    history::History,
    html::{Element, element},
    number,
    page::{Fact, Page, Tile, column, note, number_cell, number_column, row_heading, table, text, tiles, unseen},
};

/// Texts of a look, samples of a look, reasons and warnings shown at most.
const LISTED: usize = 100;

/// What a page says of a model beside its events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// Heading of the page.
    pub title: String,
    /// A sentence or two under it.
    pub about: String,
    /// What to know of the model: recipe, sizes, corpus, seed.
    pub facts: Vec<Fact>,
}

/// The page of a training, from the events of its `metrics.jsonl` in their order. Whatever the events lack, the page
/// lacks. Numbers under `figures` of steps and looks get curves of their own.
pub fn training_report(events: &[Value], card: &Card) -> String {
    let history = History::new(events);
    let title = if card.title.is_empty() { "A training" } else { &card.title };
    let mut page = Page::new(title, &card.about, &card.facts);
    page.section("warnings", "Warnings", warnings(&history));
    page.section("result", "Result", result(&history));
    page.section("curves", "Curves", curves::curves(&history));
    page.section("looks", "Looks at validation texts", looks::looks(&history));
    page.section("priors", "Priors tried", priors(&history));
    page.section("plan", "What was decided", plan(&history));
    if events.is_empty() {
        page.section("result", "Result", vec![note("No event of this training was recorded.")]);
    }
    page.markup()
}

fn warnings(history: &History) -> Vec<Element> {
    let item = |(message, times): &(String, usize)| {
        let times = (*times > 1).then(|| element("small").put(format!(" ({times} times)")));
        element("li").put(text(message)).put(times)
    };
    let items: Vec<Element> = history.warnings.iter().take(LISTED).map(item).collect();
    if items.is_empty() { vec![] } else { vec![element("ul").class("warnings").put(items)] }
}

/// Headline figures and how it ended.
fn result(history: &History) -> Vec<Element> {
    let kept = history.kept_look();
    let mut list = Vec::new();
    let mut tile = |name: &'static str, value: Option<String>, note: String| {
        list.extend(value.map(|value| Tile { name, value, note }));
    };
    let loss = history.finished.or_else(|| kept?.bits_per_byte);
    tile("Validation loss", loss.map(|v| number::fixed(v, 3)), "bits per byte".into());
    let of = kept.and_then(|k| k.n).map_or_else(String::new, |n| format!("of {} texts", number::plain(n)));
    tile("BLEU-4", kept.and_then(|k| k.bleu4).map(|v| number::fixed(v, 1)), joined("reconstruction", &of));
    tile("Exact", kept.and_then(|k| k.exact).map(number::percent), joined("came back whole", &of));
    let accuracy = kept.and_then(|k| k.token_accuracy).map(number::percent);
    tile("Next token right", accuracy, "given the true ones before".into());
    tile("Steps", history.last_step.map(number::plain), steps_note(history));
    tile("Time", history.seconds.map(number::duration), speed_note(history));
    vec![tiles(list), ending(history)]
}

fn joined(a: &str, b: &str) -> String {
    if b.is_empty() { a.to_string() } else { format!("{a}, {b}") }
}

fn steps_note(history: &History) -> String {
    let passes = history.epoch.map_or_else(String::new, |e| format!("{} passes", number::fixed(e, 1)));
    match (history.planned_steps, history.last_step) {
        (Some(planned), Some(made)) if planned > made => {
            joined(&format!("of {} planned", number::plain(planned)), &passes)
        }
        _ => passes,
    }
}

fn speed_note(history: &History) -> String {
    let speeds = history.steps.get("tokens_per_second").into_iter().flatten().map(|p| p.1);
    let mut speeds: Vec<f64> = speeds.filter(|v| v.is_finite()).collect();
    speeds.sort_unstable_by(f64::total_cmp);
    let median = speeds.get(speeds.len() / 2);
    median.map_or_else(String::new, |v| format!("{} tokens per second", number::short(*v)))
}

/// A sentence on how it ended and what was kept.
fn ending(history: &History) -> Element {
    let mut said = match &history.why_ended {
        Some(why) => format!("It ended because {}. ", why.trim_end_matches('.')),
        None if history.last_step.is_some() => "It has not ended, or its end was not recorded. ".into(),
        None => String::new(),
    };
    if let Some(step) = history.best_step {
        said += &format!("The weights of step {} were kept. ", number::plain(step));
    }
    let resumed: Vec<String> = history.resumed.iter().take(LISTED).map(|s| number::plain(*s)).collect();
    if !resumed.is_empty() {
        said += &format!("It was gone on with after step {}.", resumed.join(", "));
    }
    element("p").put(said.trim_end())
}

fn priors(history: &History) -> Vec<Element> {
    if history.priors.is_empty() {
        return vec![];
    }
    let rows = history.priors.iter().take(LISTED).map(|p| {
        let badge = p.chosen.then(|| element("span").class("badge").put("chosen"));
        let value = number::fixed(p.held_out_nats.unwrap_or(f64::NAN), 2);
        vec![row_heading(text(&p.name)).put(badge), number_cell(value)]
    });
    let head = vec![column("prior"), number_column("nats per latent")];
    vec![
        note("Log density of held-out latents; higher is better, and the simplest of those near the best is chosen."),
        table("scroll", unseen("Priors tried"), "Priors tried", head, rows.collect()),
    ]
}

fn plan(history: &History) -> Vec<Element> {
    let Some(plan) = &history.plan else { return vec![] };
    let mut told = Vec::new();
    told.extend(plan.size.as_ref().map(|s| format!("size {s}")));
    told.extend(plan.weights.map(|w| format!("{} weights", number::short(w))));
    told.extend(plan.vocabulary.map(|v| format!("{} tokens in the vocabulary", number::plain(v))));
    told.extend(plan.steps.map(|s| format!("{} steps planned", number::plain(s))));
    let reasons: Vec<Element> = plan.reasons.iter().take(LISTED).map(|r| element("li").put(text(r))).collect();
    vec![element("p").put(sentence(&told.join(", "))), element("ul").put(reasons)]
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next();
    first.map_or_else(String::new, |c| c.to_uppercase().chain(letters).chain(['.']).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::balance;

    fn step(step: usize) -> Value {
        json!({"event": "step", "step": step, "steps": 1000, "bits_per_byte": 8.0 / step as f64, "rate": 0.001,
            "gradient_norm": null, "tokens_per_second": 10_000.0, "seconds": step, "figures": {"kl_nats": step}})
    }

    fn look(step: usize) -> Value {
        json!({"event": "look", "step": step, "epoch": 0.5, "bits_per_byte": 1.25, "nats_per_token": 2.5, "token_accuracy": 0.5,
            "bleu4": 27.5, "exact": 0.02, "n": 100, "best": true, "figures": {"active_units": 12, "kl_nats": 3.0},
            "reconstructions": [["a red kite", "a blue kite"]], "samples": ["a boat ."]})
    }

    fn report(events: &[Value]) -> String {
        let page = training_report(events, &Card::default());
        assert_eq!(balance::check(&page), Ok(()));
        page
    }

    #[test]
    fn a_whole_training() {
        let mut events = vec![
            json!({"event": "planned", "steps": 20, "weights": 837430, "vocabulary": 3862, "size": "tiny", "reasons": ["size tiny"]}),
        ];
        events.extend((1..10).map(step));
        events.push(look(9));
        events.extend((10..20).map(step));
        events.push(look(19));
        events.push(json!({"event": "warning", "message": "the disk is slow"}));
        events.push(json!({"event": "warning", "message": "the disk is slow"}));
        events.push(
            json!({"event": "ended", "step": 20, "best_step": 19, "why": "all steps were made", "seconds": 61.0}),
        );
        events.push(json!({"event": "prior", "name": "standard normal", "held_out_nats": -87.35, "chosen": true}));
        events.push(json!({"event": "finished", "bits_per_byte": 1.2, "seconds": 62.0}));
        let page = report(&events);
        for expected in [
            "the disk is slow",
            "(2 times)",
            "1.200",
            "27.5",
            "all steps were made",
            "−87.35",
            "837\u{a0}k",
            "size tiny",
            "<mark>blue</mark>",
            "a boat .",
            "1\u{a0}min 2\u{a0}s",
            ">KL<",
            ">Active units<",
            "One text through the training",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
        // Loss, reconstruction, rate, speed, KL, active units; the gradient norm has no value.
        assert_eq!(page.matches("<figure>").count(), 6);
        // Two looks and the table of both.
        assert_eq!(page.matches("<details").count(), 3);
        assert_eq!(page.matches("open=\"\"").count(), 1);
    }

    #[test]
    fn nothing_or_a_single_event() {
        assert!(report(&[]).contains("No event of this training was recorded."));
        let odd = [json!(null), json!([]), json!({"event": 3}), json!({"event": "new kind"}), json!({"event": "step"})];
        let alone =
            ["planned", "resumed", "look", "ended", "prior", "finished", "warning"].map(|e| json!({"event": e}));
        for event in odd.iter().chain(&alone).chain([&step(1), &look(1)]) {
            report(std::slice::from_ref(event));
        }
        report(&alone);
    }

    #[test]
    fn hostile_text_everywhere_is_harmless() {
        let evil = "</td><script>alert(1)</script>\u{202e}\0\x1b\" onload='x' 火车👩\u{200d}🚀";
        let mut l = look(2);
        l["reconstructions"] = json!([[evil, evil], [evil, "x"], ["x", evil]]);
        l["samples"] = json!([evil, ""]);
        l["figures"] = json!({evil: 1.0});
        let events = [
            json!({"event": "planned", "size": evil, "reasons": [evil]}),
            l,
            json!({"event": "warning", "message": evil}),
            json!({"event": "ended", "why": evil}),
            json!({"event": "prior", "name": evil, "held_out_nats": "x"}),
        ];
        let fact = Fact::new(evil, evil);
        let card = Card { title: evil.into(), about: evil.into(), facts: vec![fact] };
        let page = training_report(&events, &card);
        assert_eq!(balance::check(&page), Ok(()));
        assert!(
            !page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\0') && !page.contains('\x1b')
        );
        assert!(page.contains("火") && page.contains("👩\u{200d}🚀"));
    }

    #[test]
    fn a_long_training_stays_a_small_page() {
        let mut events: Vec<Value> = (1..=100_000).map(step).collect();
        events.extend((1..200).map(|i| look(500 * i)));
        let page = report(&events);
        assert!(page.len() < 600_000, "{}", page.len());
        assert!(page.contains("30 of 199 looks are shown."));
    }

    #[test]
    fn nothing_is_fetched_and_nothing_runs() {
        let page = report(&[step(1), look(2)]);
        for banned in ["http:", "https:", "<script", "url(", "@import", " src=", "javascript:"] {
            assert!(!page.contains(banned), "{banned}");
        }
        assert!(page.contains("default-src &#39;none&#39;"));
    }
}

//! Events read back: what a training told, as far as it can be understood.
//!
//! Every field may be missing, null or of another type; such a field is skipped, never an error. Steps and looks may
//! carry further numbers under `figures`, `{name: number}`, which are kept by name.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::plot::Point;

/// The lines of a `metrics.jsonl` as values; lines that are not JSON (the last one of a killed training) are skipped.
pub fn read_events(lines: &str) -> Vec<Value> {
    lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Curves by name, points sorted by step.
pub type Curves = BTreeMap<String, Vec<Point>>;

/// What was decided before the first step.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub steps: Option<f64>,
    pub weights: Option<f64>,
    pub vocabulary: Option<f64>,
    pub size: Option<String>,
    pub reasons: Vec<String>,
}

/// A look at the validation texts.
#[derive(Debug, Clone, Default)]
pub struct Look {
    pub step: f64,
    pub epoch: Option<f64>,
    pub bits_per_byte: Option<f64>,
    pub nats_per_token: Option<f64>,
    pub token_accuracy: Option<f64>,
    pub bleu4: Option<f64>,
    pub exact: Option<f64>,
    pub n: Option<f64>,
    pub best: bool,
    /// Pairs (text, what came back).
    pub reconstructions: Vec<(String, String)>,
    pub samples: Vec<String>,
    /// Of pairs: the sources; then the pairs above are what was wanted and what was written.
    pub sources: Vec<String>,
}

/// A prior that was tried.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    pub name: String,
    pub held_out_nats: Option<f64>,
    pub chosen: bool,
}

/// A training, as told by its events.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub plan: Option<Plan>,
    /// Curves of the steps: `bits_per_byte`, `rate`, `gradient_norm`, `tokens_per_second`.
    pub steps: Curves,
    /// Curves of what the steps carried under `figures`.
    pub step_figures: Curves,
    /// Looks by step; the last one of each step.
    pub looks: Vec<Look>,
    /// Curves of what the looks carried under `figures`.
    pub look_figures: Curves,
    pub last_step: Option<f64>,
    pub planned_steps: Option<f64>,
    pub epoch: Option<f64>,
    pub seconds: Option<f64>,
    pub best_step: Option<f64>,
    pub why_ended: Option<String>,
    pub priors: Vec<Tried>,
    /// Validation loss of the finished model, bits per byte.
    pub finished: Option<f64>,
    /// Steps after which it was gone on with.
    pub resumed: Vec<f64>,
    /// Warnings in their order, each with how often it came.
    pub warnings: Vec<(String, usize)>,
}

/// The fields of a step that become curves.
pub const STEP_CURVES: [&str; 4] = ["bits_per_byte", "rate", "gradient_norm", "tokens_per_second"];

impl History {
    /// Reads all events.
    pub fn new(events: &[Value]) -> Self {
        let mut history = History::default();
        events.iter().for_each(|event| history.hear(event));
        let curves = [&mut history.steps, &mut history.step_figures, &mut history.look_figures];
        for points in curves.into_iter().flat_map(|c| c.values_mut()) {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        history.looks.sort_by(|a, b| a.step.total_cmp(&b.step));
        history.looks.dedup_by(|later, earlier| {
            let twice = later.step == earlier.step;
            if twice {
                std::mem::swap(later, earlier);
            }
            twice
        });
        history
    }

    /// The look whose weights were kept: the one at the best step, else the last that was best, else the last.
    pub fn kept_look(&self) -> Option<&Look> {
        let at_best = self.looks.iter().find(|l| Some(l.step) == self.best_step);
        at_best.or_else(|| self.looks.iter().rfind(|l| l.best)).or(self.looks.last())
    }

    fn hear(&mut self, event: &Value) {
        match string(event, "event").as_deref() {
            Some("planned") => self.planned(event),
            Some("resumed") => self.resumed(event),
            Some("step") => self.step(event),
            Some("look") => self.look(event),
            Some("warning") => self.warning(event),
            Some("ended") => {
                self.best_step = number(event, "best_step");
                self.why_ended = string(event, "why");
                self.passed(event);
            }
            Some("prior") => self.priors.push(Tried {
                name: string(event, "name").unwrap_or_default(),
                held_out_nats: number(event, "held_out_nats"),
                chosen: flag(event, "chosen"),
            }),
            Some("finished") => {
                self.finished = number(event, "bits_per_byte");
                self.passed(event);
            }
            _ => {}
        }
    }

    /// Takes up how far it is: steps, passes, time.
    fn passed(&mut self, event: &Value) {
        let fields = [
            ("step", &mut self.last_step),
            ("steps", &mut self.planned_steps),
            ("epoch", &mut self.epoch),
            ("seconds", &mut self.seconds),
        ];
        for (name, field) in fields {
            *field = number(event, name).or(*field);
        }
    }

    fn planned(&mut self, event: &Value) {
        self.planned_steps = number(event, "steps");
        self.plan = Some(Plan {
            steps: number(event, "steps"),
            weights: number(event, "weights"),
            vocabulary: number(event, "vocabulary"),
            size: string(event, "size"),
            reasons: texts(event, "reasons"),
        });
    }

    /// Steps after the one that is gone on from were made but lost; they will be made again.
    fn resumed(&mut self, event: &Value) {
        let Some(step) = number(event, "step") else { return };
        for curves in [&mut self.steps, &mut self.step_figures, &mut self.look_figures] {
            curves.values_mut().for_each(|points| points.retain(|p| p.0 <= step));
        }
        self.looks.retain(|l| l.step <= step);
        self.resumed.push(step);
        self.last_step = Some(step);
    }

    fn step(&mut self, event: &Value) {
        let Some(step) = number(event, "step") else { return };
        self.passed(event);
        for name in STEP_CURVES {
            push(&mut self.steps, name, (step, number(event, name).unwrap_or(f64::NAN)));
        }
        push_figures(&mut self.step_figures, event, step);
    }

    fn look(&mut self, event: &Value) {
        let Some(step) = number(event, "step") else { return };
        self.passed(event);
        push_figures(&mut self.look_figures, event, step);
        self.looks.push(Look {
            step,
            epoch: number(event, "epoch"),
            bits_per_byte: number(event, "bits_per_byte"),
            nats_per_token: number(event, "nats_per_token"),
            token_accuracy: number(event, "token_accuracy"),
            bleu4: number(event, "bleu4"),
            exact: number(event, "exact"),
            n: number(event, "n"),
            best: flag(event, "best"),
            reconstructions: list(event, "reconstructions").iter().filter_map(pair).collect(),
            samples: texts(event, "samples"),
            sources: texts(event, "sources"),
        });
    }

    fn warning(&mut self, event: &Value) {
        let Some(message) = string(event, "message") else { return };
        match self.warnings.iter_mut().find(|w| w.0 == message) {
            Some(known) => known.1 += 1,
            None => self.warnings.push((message, 1)),
        }
    }
}

fn push(curves: &mut Curves, name: &str, point: Point) {
    match curves.get_mut(name) {
        Some(points) => points.push(point),
        None => drop(curves.insert(name.to_string(), vec![point])),
    }
}

fn push_figures(curves: &mut Curves, event: &Value, step: f64) {
    let figures = event.get("figures").and_then(Value::as_object);
    for (name, value) in figures.into_iter().flatten() {
        if value.is_number() || value.is_null() {
            push(curves, name, (step, value.as_f64().unwrap_or(f64::NAN)));
        }
    }
}

fn number(event: &Value, name: &str) -> Option<f64> {
    event.get(name)?.as_f64().filter(|v| v.is_finite())
}

fn string(event: &Value, name: &str) -> Option<String> {
    event.get(name)?.as_str().map(str::to_string)
}

fn flag(event: &Value, name: &str) -> bool {
    event.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn list<'a>(event: &'a Value, name: &str) -> &'a [Value] {
    event.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn texts(event: &Value, name: &str) -> Vec<String> {
    list(event, name).iter().filter_map(|v| v.as_str().map(str::to_string)).collect()
}

fn pair(value: &Value) -> Option<(String, String)> {
    match value.as_array()?.as_slice() {
        [text, back] => Some((text.as_str()?.to_string(), back.as_str()?.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn broken_lines_and_fields_are_skipped() {
        let events =
            read_events("{\"event\":\"step\",\"step\":1,\"bits_per_byte\":null}\nnot json\n[1]\n{\"event\":\"st");
        assert_eq!(events.len(), 2);
        let history = History::new(&events);
        assert!(history.steps["bits_per_byte"][0].1.is_nan());
        let odd = [
            json!({"event": "look", "step": "3"}),
            json!({"event": "look", "step": 3, "reconstructions": [["a"], 1, ["b", "c"]], "samples": "x"}),
        ];
        let history = History::new(&odd);
        assert_eq!(history.looks.len(), 1);
        assert_eq!(history.looks[0].reconstructions, [("b".to_string(), "c".to_string())]);
    }

    #[test]
    fn steps_lost_with_a_checkpoint_are_dropped() {
        let step = |s: u64, v: f64| json!({"event": "step", "step": s, "bits_per_byte": v});
        let events = [step(1, 3.0), step(2, 2.0), step(3, 9.0), json!({"event": "resumed", "step": 2}), step(3, 1.0)];
        assert_eq!(History::new(&events).steps["bits_per_byte"], [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]);
    }

    #[test]
    fn figures_are_kept_apart_from_fields_of_the_same_name() {
        let events =
            [json!({"event": "step", "step": 1, "rate": 0.1, "figures": {"rate": 5.0, "active units": 3, "x": "no"}})];
        let history = History::new(&events);
        assert_eq!(history.steps["rate"], [(1.0, 0.1)]);
        assert_eq!(history.step_figures.keys().collect::<Vec<_>>(), ["active units", "rate"]);
    }

    #[test]
    fn of_two_looks_at_a_step_the_last_counts() {
        let look = |s: u64, bleu: f64| json!({"event": "look", "step": s, "bleu4": bleu});
        let history = History::new(&[look(5, 1.0), look(3, 2.0), look(5, 3.0)]);
        assert_eq!(
            history.looks.iter().map(|l| (l.step, l.bleu4)).collect::<Vec<_>>(),
            [(3.0, Some(2.0)), (5.0, Some(3.0))]
        );
    }

    #[test]
    fn the_kept_look() {
        let look = |s: u64, best: bool| json!({"event": "look", "step": s, "best": best});
        let mut events = vec![look(1, true), look(2, true), look(3, false)];
        assert_eq!(History::new(&events).kept_look().map(|l| l.step), Some(2.0));
        events.push(json!({"event": "ended", "best_step": 1}));
        assert_eq!(History::new(&events).kept_look().map(|l| l.step), Some(1.0));
        assert!(History::new(&[]).kept_look().is_none());
    }
}

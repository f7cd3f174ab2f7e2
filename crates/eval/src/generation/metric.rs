//! The metrics by name, and those that belong to a task.

use std::fmt;

use super::signature::signature;
use super::{Bleu, Chrf, Rouge, Sari, Shared, Ter, Tokenisation};
use crate::bleu::Smoothing;

/// A metric with its options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// [`Bleu`]
    Bleu(Bleu),
    /// [`Chrf`]
    Chrf(Chrf),
    /// [`Ter`]
    Ter(Ter),
    /// [`Rouge`]
    Rouge(Rouge),
    /// [`Sari`]; needs sources.
    Sari(Sari),
    /// Slot error, see [`slots`](super::slots); needs sources that are meanings.
    Slots,
}

/// What several metrics have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MetricOptions {
    /// How texts are cut into words, where a metric leaves it open. TER and ROUGE cut Chinese into characters where this
    /// does.
    pub tokenisation: Tokenisation,
    /// Upper and lower case are one in BLEU and chrF; in TER, ROUGE and SARI they always are.
    pub lowercase: bool,
    /// Of BLEU.
    pub smoothing: Smoothing,
}

/// What a system is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Say the same in another language: BLEU, chrF2, chrF2++, TER.
    Translation,
    /// Say what a list of slots holds: BLEU, chrF2, ROUGE-L, slot error.
    DataToText,
    /// Say the same in simpler words: SARI, BLEU, chrF2.
    Simplification,
    /// Anything else: BLEU, chrF2, ROUGE-1, ROUGE-2, ROUGE-L.
    Writing,
}

impl Task {
    /// Its metrics, the one first by which systems are usually ranked.
    pub fn metrics(self, options: &MetricOptions) -> Vec<Metric> {
        let names: &[&str] = match self {
            Task::Translation => &["bleu", "chrf", "chrf++", "ter"],
            Task::DataToText => &["bleu", "chrf", "rouge-l", "slots"],
            Task::Simplification => &["sari", "bleu", "chrf"],
            Task::Writing => &["bleu", "chrf", "rouge"],
        };
        names.iter().flat_map(|name| Metric::named(name, options)).collect()
    }
}

impl Metric {
    /// The names that [`Metric::named`] knows.
    pub const NAMES: [&str; 10] =
        ["bleu", "chrf", "chrf++", "ter", "rouge", "rouge-1", "rouge-2", "rouge-l", "sari", "slots"];

    /// The metrics of a name: one, three for `rouge`, none for an unknown name.
    pub fn named(name: &str, options: &MetricOptions) -> Vec<Metric> {
        let &MetricOptions { tokenisation, lowercase, smoothing } = options;
        let unspaced = tokenisation.cuts_unspaced();
        let rouge = |shared| Metric::Rouge(Rouge { shared, chinese: unspaced });
        match name {
            "bleu" => vec![Metric::Bleu(Bleu { tokenisation, lowercase, smoothing, effective_order: false })],
            "chrf" => vec![Metric::Chrf(Chrf { words: false, lowercase })],
            "chrf++" => vec![Metric::Chrf(Chrf { words: true, lowercase })],
            "ter" => vec![Metric::Ter(if unspaced { Ter::of_characters() } else { Ter::default() })],
            "rouge" => vec![rouge(Shared::Grams(1)), rouge(Shared::Grams(2)), rouge(Shared::Subsequence)],
            "rouge-1" => vec![rouge(Shared::Grams(1))],
            "rouge-2" => vec![rouge(Shared::Grams(2))],
            "rouge-l" => vec![rouge(Shared::Subsequence)],
            "sari" => vec![Metric::Sari(Sari { tokenisation, lowercase: true })],
            "slots" => vec![Metric::Slots],
            _ => Vec::new(),
        }
    }

    /// Whether a lower score is a better one.
    pub fn lower_is_better(&self) -> bool {
        matches!(self, Metric::Ter(_) | Metric::Slots)
    }

    /// What must be equal for figures to be comparable, as sacreBLEU writes it; `references` is their number or `var`.
    pub fn signature(&self, references: &str) -> String {
        match self {
            Metric::Bleu(metric) => metric.signature(references),
            Metric::Chrf(metric) => metric.signature(references),
            Metric::Ter(metric) => metric.signature(references),
            Metric::Rouge(metric) => metric.signature(references),
            Metric::Sari(metric) => metric.signature(references),
            Metric::Slots => signature("0", &[("case", "lc"), ("lexicon", "e2e")]),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Bleu(_) => f.write_str("BLEU"),
            Metric::Chrf(metric) => f.write_str(metric.name()),
            Metric::Ter(_) => f.write_str("TER"),
            Metric::Rouge(metric) => f.write_str(&metric.name()),
            Metric::Sari(_) => f.write_str("SARI"),
            Metric::Slots => f.write_str("slot error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_no_other() {
        let options = MetricOptions::default();
        for name in Metric::NAMES {
            assert_eq!(Metric::named(name, &options).len(), if name == "rouge" { 3 } else { 1 }, "{name}");
        }
        assert!(Metric::named("meteor", &options).is_empty());
    }

    #[test]
    fn every_task_has_its_metrics() {
        let names = |task: Task| {
            let metrics = task.metrics(&MetricOptions::default());
            metrics.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Task::Translation), "BLEU chrF2 chrF2++ TER");
        assert_eq!(names(Task::DataToText), "BLEU chrF2 ROUGE-L slot error");
        assert_eq!(names(Task::Simplification), "SARI BLEU chrF2");
        assert_eq!(names(Task::Writing), "BLEU chrF2 ROUGE-1 ROUGE-2 ROUGE-L");
    }

    #[test]
    fn chinese_is_cut_into_characters_by_all() {
        let options = MetricOptions { tokenisation: Tokenisation::Zh, ..MetricOptions::default() };
        let signatures: Vec<String> =
            ["bleu", "ter", "rouge-l"].iter().map(|n| Metric::named(n, &options)[0].signature("1")).collect();
        assert!(signatures[0].contains("tok:zh") && signatures[1].contains("asian:yes"), "{signatures:?}");
        assert!(signatures[2].contains("tok:zh"), "{signatures:?}");
    }
}

//! A test set of sources and references, and every metric of the outputs of systems on it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;
use thiserror::Error;

use super::{Meaning, MeaningError, Metric, SariCounts, SlotCounts, Slots};
use crate::bleu::BleuCounts;
use crate::bootstrap::{Bootstrap, Comparison, Counts, Interval};
use crate::spread::Spread;

/// What outputs are held against: a record has one or more references and may have a source.
#[derive(Debug, Clone)]
pub struct TestSet {
    sources: Option<Vec<String>>,
    references: Vec<Vec<String>>,
}

/// One metric of a system's outputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricReport {
    /// Name of the metric.
    pub metric: String,
    /// The score, 0..100 (TER and slot error may exceed it), with its interval and the number of records.
    #[serde(flatten)]
    pub interval: Interval,
    /// Whether a lower score is a better one.
    pub lower_is_better: bool,
    /// What must be equal for figures to be comparable.
    pub signature: String,
    /// Figures that the score is made of, or that explain it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The system, called first, beside the other; where a lower score is better, few wins are good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Comparison>,
}

/// A figure that a score is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// What it is.
    pub name: &'static str,
    /// The figure.
    pub value: f64,
}

/// Why outputs cannot be measured.
#[derive(Debug, Error)]
pub enum TestSetError {
    /// Nothing is to be measured.
    #[error("there are no records to measure")]
    Empty,
    /// Lists of different lengths.
    #[error("{what}: {n} for {records} records; each record needs one")]
    Length {
        /// What the list holds.
        what: &'static str,
        /// Its length.
        n: usize,
        /// The number of records.
        records: usize,
    },
    /// A record without a reference.
    #[error("record {0} has no reference")]
    NoReference(usize),
    /// A metric needs what the test set lacks.
    #[error("{0} needs the sources; give them beside the references")]
    NoSources(String),
    /// A source that is no list of slots.
    #[error("the source of record {0}: {1}; slot error is for sources that list slots")]
    Meaning(usize, MeaningError),
}

impl TestSet {
    /// Takes up the references, a list for each record.
    pub fn new(references: Vec<Vec<String>>) -> Result<Self, TestSetError> {
        if references.is_empty() {
            return Err(TestSetError::Empty);
        }
        match references.iter().position(Vec::is_empty) {
            Some(record) => Err(TestSetError::NoReference(record + 1)),
            None => Ok(Self { sources: None, references }),
        }
    }

    /// With the sources, one for each record.
    pub fn with_sources(self, sources: Vec<String>) -> Result<Self, TestSetError> {
        check("sources", sources.len(), self.len())?;
        Ok(Self { sources: Some(sources), ..self })
    }

    /// Joins records of one source to one record with all their references, in order of first sight; without sources
    /// nothing changes. Beside it stands the row that each record had first.
    ///
    /// ```
    /// use strait_eval::generation::TestSet;
    /// let rows = [("a b", "x"), ("c", "y"), ("a b", "z")].map(|(s, r)| (s.to_string(), vec![r.to_string()]));
    /// let (sources, references) = rows.into_iter().unzip();
    /// let (set, rows) = TestSet::new(references)?.with_sources(sources)?.grouped();
    /// assert_eq!((set.sources().unwrap(), rows), (&["a b".to_string(), "c".into()][..], vec![0, 1]));
    /// assert_eq!(set.references()[0], ["x", "z"]);
    /// # Ok::<(), strait_eval::generation::TestSetError>(())
    /// ```
    pub fn grouped(self) -> (Self, Vec<usize>) {
        let Some(all) = self.sources else {
            let rows = (0..self.references.len()).collect();
            return (self, rows);
        };
        let (mut at, mut rows) = (FxHashMap::<&str, usize>::default(), Vec::new());
        let mut references: Vec<Vec<String>> = Vec::new();
        for (row, (source, more)) in all.iter().zip(self.references).enumerate() {
            let record = *at.entry(source).or_insert(references.len());
            if record == references.len() {
                references.push(Vec::new());
                rows.push(row);
            }
            references[record].extend(more);
        }
        let sources = Some(rows.iter().map(|&row| all[row].clone()).collect());
        (Self { sources, references }, rows)
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.references.len()
    }

    /// Whether there is no record; never of one that was made.
    pub fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    /// The sources, if there are any.
    pub fn sources(&self) -> Option<&[String]> {
        self.sources.as_deref()
    }

    /// The references of each record.
    pub fn references(&self) -> &[Vec<String>] {
        &self.references
    }

    /// Whether every source is a list of slots.
    pub fn has_meanings(&self) -> bool {
        self.sources.as_ref().is_some_and(|sources| sources.iter().all(|source| Meaning::parse(source).is_ok()))
    }

    /// Measures a system's outputs, one for each record. Each metric is drawn anew with the same `seed`.
    ///
    /// ```
    /// use strait_eval::Bootstrap;
    /// use strait_eval::generation::{MetricOptions, Task, TestSet};
    /// let set = TestSet::new(vec![vec!["the boat sails home".into()], vec!["it rains".into(), "rain falls".into()]])?;
    /// let metrics = Task::Writing.metrics(&MetricOptions::default());
    /// let report = set.report(&metrics, &["the boat sails home", "rain falls"], &Bootstrap::default(), 1)?;
    /// assert_eq!((report[0].metric.as_str(), report[0].interval.value, report[0].interval.n), ("BLEU", 100.0, 2));
    /// # Ok::<(), strait_eval::generation::TestSetError>(())
    /// ```
    pub fn report<S: AsRef<str> + Sync>(
        &self,
        metrics: &[Metric],
        outputs: &[S],
        bootstrap: &Bootstrap,
        seed: u64,
    ) -> Result<Vec<MetricReport>, TestSetError> {
        self.measured(metrics, outputs, None, (bootstrap, seed))
    }

    /// Measures a system's outputs and holds them against another's, by the paired bootstrap.
    pub fn compare<S: AsRef<str> + Sync>(
        &self,
        metrics: &[Metric],
        outputs: &[S],
        others: &[S],
        bootstrap: &Bootstrap,
        seed: u64,
    ) -> Result<Vec<MetricReport>, TestSetError> {
        self.measured(metrics, outputs, Some(others), (bootstrap, seed))
    }

    /// Each metric over the outputs of several runs of a system, such as of several seeds.
    pub fn spread<S: AsRef<str> + Sync>(
        &self,
        metrics: &[Metric],
        runs: &[Vec<S>],
    ) -> Result<Vec<(String, Spread)>, TestSetError> {
        let once = Bootstrap { resamples: 0, ..Bootstrap::default() };
        let reports: Vec<Vec<MetricReport>> =
            runs.iter().map(|outputs| self.report(metrics, outputs, &once, 0)).collect::<Result<_, _>>()?;
        let values = |i: usize| reports.iter().map(|report| report[i].interval.value).collect::<Vec<_>>();
        Ok(metrics.iter().enumerate().map(|(i, metric)| (metric.to_string(), Spread::new(&values(i)))).collect())
    }

    fn measured<S: AsRef<str> + Sync>(
        &self,
        metrics: &[Metric],
        outputs: &[S],
        others: Option<&[S]>,
        (bootstrap, seed): (&Bootstrap, u64),
    ) -> Result<Vec<MetricReport>, TestSetError> {
        check("outputs", outputs.len(), self.len())?;
        check("outputs of the other system", others.map_or(self.len(), <[S]>::len), self.len())?;
        let judge = |metric: &Metric| {
            let Judged { interval, against, parts } = Judge { bootstrap, seed, outputs, others }.judge(self, metric)?;
            Ok(MetricReport {
                metric: metric.to_string(),
                interval,
                lower_is_better: metric.lower_is_better(),
                signature: metric.signature(&self.reference_count()),
                parts,
                against,
            })
        };
        metrics.par_iter().map(judge).collect()
    }

    /// How many references the records have: a number, or `var`.
    fn reference_count(&self) -> String {
        let first = self.references[0].len();
        if self.references.iter().all(|r| r.len() == first) { first.to_string() } else { "var".into() }
    }

    fn meanings(&self, sources: &[String]) -> Result<Vec<Meaning>, TestSetError> {
        let parse = |(i, source): (usize, &String)| Meaning::parse(source).map_err(|e| TestSetError::Meaning(i + 1, e));
        sources.iter().enumerate().map(parse).collect()
    }
}

/// Outputs to be measured.
struct Judge<'a, S> {
    bootstrap: &'a Bootstrap,
    seed: u64,
    outputs: &'a [S],
    others: Option<&'a [S]>,
}

struct Judged {
    interval: Interval,
    against: Option<Comparison>,
    parts: Vec<Part>,
}

impl<S: AsRef<str> + Sync> Judge<'_, S> {
    fn judge(&self, set: &TestSet, metric: &Metric) -> Result<Judged, TestSetError> {
        let references = &set.references;
        let sources = || set.sources().ok_or_else(|| TestSetError::NoSources(metric.to_string()));
        Ok(match metric {
            Metric::Bleu(m) => {
                let parts = |c: &BleuCounts| {
                    parts(["brevity penalty", "length ratio"], [c.brevity_penalty(), c.length_ratio()])
                };
                self.figures(|i, text| m.counts(text, &references[i]), |c| m.score(c), parts)
            }
            Metric::Chrf(m) => self.figures(|i, text| m.counts(text, &references[i]), |c| m.score(c), no_parts),
            Metric::Ter(m) => self.figures(|i, text| m.counts(text, &references[i]), |c| m.score(c), no_parts),
            Metric::Rouge(m) => self.figures(|i, text| m.counts(text, &references[i]), |c| m.score(c), no_parts),
            Metric::Sari(m) => {
                let sources = sources()?;
                let parts = |c: &SariCounts| parts(["add", "keep", "delete"], m.parts(c));
                self.figures(|i, text| m.counts(&sources[i], text, &references[i]), |c| m.score(c), parts)
            }
            Metric::Slots => {
                let meanings = set.meanings(sources()?)?;
                let slots = Slots::new(&meanings);
                let parts = |c: &SlotCounts| {
                    let figures = [c.missing, c.wrong, c.surplus, c.slots].map(|n| n as f64);
                    parts(["missing", "wrong", "surplus", "slots"], figures)
                };
                self.figures(|i, text| slots.counts(&meanings[i], text), |c| c.score(), parts)
            }
        })
    }

    fn figures<C: Counts + Send>(
        &self,
        counts: impl Fn(usize, &str) -> C + Sync,
        score: impl Fn(&C) -> f64,
        parts: impl Fn(&C) -> Vec<Part>,
    ) -> Judged {
        let count = |texts: &[S]| -> Vec<C> {
            texts.par_iter().enumerate().map(|(i, text)| counts(i, text.as_ref())).collect()
        };
        let mine = count(self.outputs);
        let mut sum = C::default();
        mine.iter().for_each(|c| sum.merge(c));
        let parts = parts(&sum);
        let interval = self.bootstrap.corpus(&mine, &score, &mut ChaCha8Rng::seed_from_u64(self.seed));
        let against = self.others.map(|others| {
            let pairs: Vec<(C, C)> = mine.into_iter().zip(count(others)).collect();
            self.bootstrap.compare_corpora(&pairs, &score, &mut ChaCha8Rng::seed_from_u64(self.seed))
        });
        Judged { interval, against, parts }
    }
}

fn parts<const N: usize>(names: [&'static str; N], values: [f64; N]) -> Vec<Part> {
    names.into_iter().zip(values).map(|(name, value)| Part { name, value }).collect()
}

fn no_parts<C>(_: &C) -> Vec<Part> {
    Vec::new()
}

fn check(what: &'static str, n: usize, records: usize) -> Result<(), TestSetError> {
    if n == records { Ok(()) } else { Err(TestSetError::Length { what, n, records }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::{MetricOptions, Task};

    const REFERENCES: [&str; 3] = ["the old boat sails home today .", "it rains on the pier .", "nobody waits there ."];
    const GOOD: [&str; 3] = ["the old boat sails home .", "it rains on the pier .", "nobody waits here ."];
    const BAD: [&str; 3] = ["a boat goes .", "the pier is wet .", "some wait there ."];

    fn set() -> TestSet {
        let references = thirty(REFERENCES).iter().map(|r| vec![r.to_string()]).collect();
        TestSet::new(references).unwrap()
    }

    fn thirty(texts: [&str; 3]) -> Vec<&str> {
        texts.repeat(10)
    }

    #[test]
    fn the_better_system_is_ahead_by_every_metric() {
        let set = set().with_sources(thirty(BAD).iter().map(ToString::to_string).collect()).unwrap();
        let mut metrics = Task::Translation.metrics(&MetricOptions::default());
        metrics.extend(Task::Writing.metrics(&MetricOptions::default()));
        metrics.extend(Task::Simplification.metrics(&MetricOptions::default()));
        let reports = set.compare(&metrics, &thirty(GOOD), &thirty(BAD), &Bootstrap::default(), 1).unwrap();
        for report in reports {
            let against = report.against.unwrap();
            let wins = if report.lower_is_better { 1.0 - against.wins } else { against.wins };
            assert_eq!((report.interval.value, against.first, wins), (against.first, report.interval.value, 1.0));
            assert!(against.p_value < 0.01, "{}: {against:?}", report.metric);
            assert!(report.interval.low <= against.first && against.first <= report.interval.high);
            assert_eq!(report.interval.n, 30);
        }
    }

    #[test]
    fn equal_systems_do_not_differ() {
        let metrics = Task::Translation.metrics(&MetricOptions::default());
        for report in set().compare(&metrics, &thirty(GOOD), &thirty(GOOD), &Bootstrap::default(), 1).unwrap() {
            assert_eq!(report.against.unwrap().p_value, 1.0, "{}", report.metric);
        }
    }

    #[test]
    fn several_runs_have_a_spread() {
        let metrics = Task::Translation.metrics(&MetricOptions::default());
        let runs = [thirty(GOOD), thirty(BAD)];
        let alone = |run| set().report(&metrics, run, &Bootstrap::default(), 1).unwrap()[1].interval.value;
        let spread = set().spread(&metrics, &runs).unwrap();
        assert_eq!(spread[1], ("chrF2".into(), Spread::new(&[alone(&runs[0]), alone(&runs[1])])));
    }

    #[test]
    fn slots_need_meanings() {
        let set =
            |source: &str| TestSet::new(vec![vec!["x".into()]]).unwrap().with_sources(vec![source.into()]).unwrap();
        let report = |set: &TestSet| set.report(&[Metric::Slots], &["an Italian pub"], &Bootstrap::default(), 1);
        let right = set("eatType[pub], food[Italian], area[riverside]");
        assert!(right.has_meanings());
        let report_of = report(&right).unwrap().remove(0);
        assert!((report_of.interval.value - 100.0 / 3.0).abs() < 1e-9);
        assert_eq!(report_of.parts.iter().map(|part| part.value).collect::<Vec<_>>(), [1.0, 0.0, 0.0, 3.0]);
        let wrong = set("a pub");
        assert!(!wrong.has_meanings());
        let said = report(&wrong).unwrap_err().to_string();
        assert!(said.contains("record 1") && said.contains("`a pub` is no meaning"), "{said}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = |result: Result<Vec<MetricReport>, TestSetError>| result.unwrap_err().to_string();
        let (sari, bootstrap) = (Task::Simplification.metrics(&MetricOptions::default()), Bootstrap::default());
        assert!(said(set().report(&sari, &thirty(GOOD), &bootstrap, 1)).contains("SARI needs the sources"));
        assert!(said(set().report(&sari, &GOOD, &bootstrap, 1)).contains("outputs: 3 for 30 records"));
        assert!(said(set().compare(&sari, &thirty(GOOD), &GOOD, &bootstrap, 1)).contains("other system: 3 for 30"));
        assert!(matches!(TestSet::new(vec![vec!["x".into()], vec![]]), Err(TestSetError::NoReference(2))));
        assert!(matches!(TestSet::new(vec![]), Err(TestSetError::Empty)));
    }
}

//! The measurements on pairs, as a page.

use strait_report::{Column, Comparison, Direction, Fact, Figure, Row, Writing, comparison_report};

use super::{PairEvaluation, Written};

/// A whole HTML page of a model, called `name`: its scores with their intervals, what it wrote.
pub fn page(name: &str, evaluation: &PairEvaluation) -> String {
    let (columns, figures) = evaluation.table();
    let row = Row { name: name.into(), figures: figures.into_iter().collect(), ..Row::default() };
    comparison_report(&Comparison {
        title: format!("Targets written for the sources of {}", evaluation.data),
        about: "Each text was written by the model for a source and held against its references.".into(),
        facts: evaluation.facts(),
        spread: PairEvaluation::SPREAD.into(),
        columns,
        rows: vec![row],
        writings: evaluation.writings(),
        ..Comparison::default()
    })
}

impl PairEvaluation {
    /// What stands behind a score's ±.
    pub const SPREAD: &'static str = "half of the 95 % interval (bootstrap over the sources)";

    /// The name of the fact that says how many texts were cut.
    pub const CUT: &'static str = "cut before the end";

    /// The scores as columns, and the figures under them by the columns' names.
    pub fn table(&self) -> (Vec<Column>, Vec<(String, Figure)>) {
        let mut columns = Vec::new();
        let mut figures = Vec::new();
        for score in &self.scores {
            let i = &score.interval;
            columns.push(Column {
                name: score.metric.clone(),
                better: if score.lower_is_better { Direction::Lower } else { Direction::Higher },
                about: format!("Signature {}.", score.signature),
                digits: Some(2),
                ..Column::default()
            });
            figures.push((score.metric.clone(), Figure::with_spread(i.value, (i.high - i.low) / 2.0)));
        }
        let mut plain = |name: &str, unit: &str, better, about: &str, value: f64| {
            let column = Column { name: name.into(), unit: unit.into(), better, about: about.into(), digits: Some(2) };
            columns.push(column);
            figures.push((name.to_string(), Figure::new(value)));
        };
        plain("exact", "%", Direction::Higher, "Texts that are one of their references.", 100.0 * self.exact);
        let kind = if self.exact_likelihood { "exact" } else { "an upper bound" };
        let about = &format!("Cost of the references given their sources, {kind}.");
        plain("loss", "nats a token", Direction::Lower, about, self.nats_per_token);
        let about = "By how much the references cost more given the sources of other pairs: what the sources tell.";
        let told = self.nats_per_token_of_other_sources - self.nats_per_token;
        plain("told by the source", "nats a token", Direction::Neither, about, told);
        (columns, figures)
    }

    /// What holds for every figure.
    pub fn facts(&self) -> Vec<Fact> {
        vec![
            Fact::new("measured on", format!("{}, {} different sources", self.data, self.written)),
            Fact::new("references", self.against()),
            Fact::new("written with", self.how()),
            Fact::new("likelihood", format!("of {} pairs, {} tokens", self.pairs, self.tokens)),
            Fact::new(Self::CUT, self.cut.to_string()),
        ]
    }

    /// The examples, with what this model wrote.
    pub fn writings(&self) -> Vec<Writing> {
        let writing = |e: &Written| Writing {
            source: e.source.clone(),
            references: e.references.clone(),
            written: vec![e.text.clone()],
        };
        self.examples.iter().map(writing).collect()
    }
}

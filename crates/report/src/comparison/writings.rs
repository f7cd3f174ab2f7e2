//! Texts written for sources: examples, and tests of the differences between those who wrote them.

use serde::{Deserialize, Serialize};

use super::{Comparison, SENTENCES};
use crate::{
    html::{Element, element},
    number,
    page::{column, marked_pair, marks_explained, note, number_cell, number_column, row_heading, table, text, unseen},
};

/// A difference is told from chance below this p.
const SIGNIFICANT: f64 = 0.05;

/// A source, its references, and what each row of a comparison wrote for it, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Writing {
    pub source: String,
    pub references: Vec<String>,
    pub written: Vec<String>,
}

/// A metric of two rows on the same records, and a paired test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    pub metric: String,
    /// Names of the rows.
    pub first: String,
    pub second: String,
    /// First less second, with the ends of its 95 % interval.
    pub value: f64,
    pub low: f64,
    pub high: f64,
    /// How often so large a difference is chance.
    pub p_value: f64,
    pub lower_is_better: bool,
}

impl Difference {
    /// Who is better, if that is more than chance.
    pub fn better(&self) -> Option<&str> {
        let first = (self.value > 0.0) != self.lower_is_better;
        (self.p_value < SIGNIFICANT).then_some(if first { &self.first } else { &self.second })
    }
}

/// The table of the tests.
pub(super) fn differences(all: &[Difference]) -> Vec<Element> {
    if all.is_empty() {
        return Vec::new();
    }
    let row = |d: &Difference| {
        let between = format!("{} less {}", d.first, d.second);
        let interval = format!("{} to {}", number::fixed(d.low, 2), number::fixed(d.high, 2));
        vec![
            row_heading(text(&d.metric)),
            element("td").put(text(&between)),
            number_cell(number::fixed(d.value, 2)),
            number_cell(interval),
            number_cell(format!("{:.4}", d.p_value)),
            element("td").put(text(d.better().unwrap_or("not told"))),
        ]
    };
    let head = vec![
        column("metric"),
        column("between"),
        number_column("difference"),
        number_column("95 % interval"),
        number_column("p"),
        column("better"),
    ];
    let told = "Paired bootstrap over the sources: both wrote for the same ones. p: how often so large a difference is \
                chance; from 0.05 on, nobody is called better.";
    let caption = "Differences between recipes";
    vec![note(told), table("scroll figures", unseen(caption), caption, head, all.iter().map(row).collect())]
}

/// Each source with its references and what every row wrote.
pub(super) fn writings(comparison: &Comparison) -> Vec<Element> {
    let one = |writing: &Writing| {
        let reference = writing.references.first().map_or("", String::as_str);
        let cell = |content: Element| element("td").put(content);
        let references = writing.references.iter().map(|r| vec![row_heading(text("reference")), cell(text(r))]);
        let rows = comparison.rows.iter().zip(&writing.written);
        let rows = rows.map(|(row, written)| {
            vec![row_heading(text(&row.name)), element("td").put(marked_pair(reference, written).1)]
        });
        let all = references.chain(rows).collect();
        table("scroll side", text(&writing.source), "A source, its references and what was written", vec![], all)
    };
    let tables: Vec<Element> = comparison.writings.iter().take(SENTENCES).map(one).collect();
    if tables.is_empty() {
        return Vec::new();
    }
    let told = "The first sources, not selected. Words that the first reference lacks are marked.";
    vec![note(told), marks_explained(false), element("div").put(tables)]
}

#[cfg(test)]
mod tests {
    use super::{super::example::*, *};
    use crate::{balance, comparison_report};

    #[test]
    fn the_better_one_is_named_only_if_told_from_chance() {
        let d = |value, p_value, lower_is_better| Difference {
            metric: "TER".into(),
            first: "a".into(),
            second: "b".into(),
            value,
            p_value,
            lower_is_better,
            ..Difference::default()
        };
        assert_eq!(d(2.0, 0.01, false).better(), Some("a"));
        assert_eq!(d(2.0, 0.01, true).better(), Some("b"));
        assert_eq!(d(2.0, 0.05, true).better(), None);
        let writing = Writing {
            source: "ein <b>Hund</b>".into(),
            references: vec!["a dog".into(), "one dog".into()],
            written: vec!["a cat".into(), "a dog".into()],
        };
        let c = Comparison { writings: vec![writing], differences: vec![d(2.0, 0.01, true)], ..comparison() };
        let page = comparison_report(&c);
        assert_eq!(balance::check(&page), Ok(()));
        assert!(page.contains("a less b") && page.contains("0.0100") && page.contains("ein &lt;b&gt;Hund"));
        assert!(page.contains("one dog") && page.contains("<mark>cat</mark>"));
    }
}

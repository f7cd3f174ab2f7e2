//! The page that compares recipes, and what it is made from.

mod figures;
mod writings;

pub use writings::{Difference, Writing};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    html::{Element, element},
    page::{Fact, Page, marked_pair, marks_explained, note, row_heading, table, text, text_list},
    plot::{Axis, Drawing, LinePlot, Mark, Scale, ScatterPlot, Series, Stroke},
};

/// Sentences whose reconstructions are shown at most.
const SENTENCES: usize = 50;
/// Samples of a recipe shown at most.
const SAMPLES: usize = 100;

/// Recipes side by side. All of it is plain data for JSON; whatever is empty is left out of the page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Comparison {
    /// Heading of the page.
    pub title: String,
    /// A sentence or two under it.
    pub about: String,
    /// What holds for every figure: data and split, N, seeds, tokenizer, decoding settings.
    pub facts: Vec<Fact>,
    /// What the spreads are: "standard deviation over 3 seeds".
    pub spread: String,
    /// The figures, in the order of their columns.
    pub columns: Vec<Column>,
    /// What is compared, in its order.
    pub rows: Vec<Row>,
    /// Plots of two columns each.
    pub scatters: Vec<Scatter>,
    /// Plots of curves: of the trainings, or along temperatures.
    pub curves: Vec<Curves>,
    /// Sources and what every row wrote for them.
    pub writings: Vec<Writing>,
    /// Whether differences between rows are more than chance.
    pub differences: Vec<Difference>,
    /// Sentences to know when reading the figures.
    pub notes: Vec<String>,
}

/// A figure that every recipe may have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// Name, by which [`Row::figures`] and [`Scatter`] refer to it.
    pub name: String,
    /// Unit, or empty.
    pub unit: String,
    /// Which values are better.
    pub better: Direction,
    /// What it measures, one sentence.
    pub about: String,
    /// Digits behind the point; by the size of the values if none.
    pub digits: Option<usize>,
}

/// Which values of a figure are better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Higher,
    Lower,
    /// Neither; no best is marked.
    #[default]
    Neither,
}

/// A recipe, or something to compare recipes with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    pub name: String,
    /// What it is, in one line.
    pub about: String,
    /// Whether this is a bound or a baseline (real text, a language model) that cannot be the best.
    pub reference: bool,
    /// Values by the names of columns; those that are missing show as a dash.
    pub figures: BTreeMap<String, Figure>,
    /// Pairs (text, what came back), of the same texts in every row.
    pub reconstructions: Vec<(String, String)>,
    /// Texts on the way from one text to another, the same two in every row.
    pub way: Vec<String>,
    /// Samples as they were drawn, not selected.
    pub samples: Vec<String>,
}

/// A measured value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figure {
    /// The value; none (null in JSON) if it could not be measured.
    pub value: Option<f64>,
    /// Its spread, in the same unit; see [`Comparison::spread`].
    pub spread: Option<f64>,
    /// Something to know about this value alone; becomes a footnote.
    pub note: String,
}

impl Figure {
    /// A value without spread.
    pub fn new(value: f64) -> Self {
        Self { value: Some(value), ..Self::default() }
    }

    /// A value with its spread.
    pub fn with_spread(value: f64, spread: f64) -> Self {
        Self { spread: Some(spread), ..Self::new(value) }
    }

    /// The value, if it is a number to show.
    fn shown(&self) -> Option<f64> {
        self.value.filter(|v| v.is_finite())
    }

    fn shown_spread(&self) -> Option<f64> {
        self.spread.filter(|v| v.is_finite())
    }
}

/// Two columns as a plot, a point for each row that has both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scatter {
    /// Title; "y against x" if empty.
    pub title: String,
    /// Column on the horizontal axis.
    pub x: String,
    /// Column on the vertical axis.
    pub y: String,
    /// Whether the horizontal axis is logarithmic.
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic.
    pub log_y: bool,
}

/// A plot of curves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Curves {
    pub title: String,
    /// Labels of the axes.
    pub x: String,
    pub y: String,
    /// Whether the axes are logarithmic.
    pub log_x: bool,
    pub log_y: bool,
    pub lines: Vec<Curve>,
}

/// One curve, its points in the order in which they are joined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// The page of a comparison.
pub fn comparison_report(comparison: &Comparison) -> String {
    let title = if comparison.title.is_empty() { "Recipes compared" } else { &comparison.title };
    let mut page = Page::new(title, &comparison.about, &comparison.facts);
    page.section("figures", "Figures", figures::figures(comparison));
    page.section("differences", "Differences", writings::differences(&comparison.differences));
    page.section("plots", "Plots", vec![plots(comparison)]);
    page.section("reconstructions", "Reconstructions", reconstructions(comparison));
    page.section("written", "Written for sources", writings::writings(comparison));
    page.section("ways", "From one text to another", ways(comparison));
    page.section("samples", "Samples", samples(comparison));
    page.markup()
}

/// The plots of a comparison as SVG files: (name, markup), in the order of the page.
pub fn comparison_plots(comparison: &Comparison) -> Vec<(String, String)> {
    drawings(comparison).enumerate().map(|(i, d)| (file_name(i + 1, d.title()), d.file())).collect()
}

/// A number, and letters and digits of a title in lower case, joined by hyphens.
fn file_name(number: usize, title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let parts: Vec<String> = std::iter::once(format!("{number:02}")).chain(words.map(str::to_lowercase)).collect();
    format!("{}.svg", parts.join("-"))
}

fn plots(comparison: &Comparison) -> Element {
    let plots: Vec<Element> = drawings(comparison).map(Drawing::figure).collect();
    if plots.is_empty() { element("div") } else { element("div").class("plots").put(plots) }
}

fn drawings(comparison: &Comparison) -> impl Iterator<Item = Drawing> {
    let scatters =
        comparison.scatters.iter().enumerate().filter_map(|(i, s)| scatter(comparison, s, &format!("plot{i}")));
    scatters.chain(comparison.curves.iter().enumerate().filter_map(|(i, c)| curves(c, &format!("curves{i}"))))
}

/// A plot of curves, or none if there is nothing to draw.
fn curves(curves: &Curves, id: &str) -> Option<Drawing> {
    let axis = |label: &str, logarithmic: bool| {
        Axis::new(label).scale(if logarithmic { Scale::Logarithmic } else { Scale::Linear })
    };
    let line = |c: &Curve| Series { name: c.name.clone(), points: c.points.clone(), stroke: Stroke::Dotted };
    let plot = LinePlot {
        title: curves.title.clone(),
        x: axis(&curves.x, curves.log_x),
        y: axis(&curves.y, curves.log_y),
        series: curves.lines.iter().map(line).collect(),
        rule: None,
    };
    plot.drawing(id)
}

fn scatter(comparison: &Comparison, scatter: &Scatter, id: &str) -> Option<Drawing> {
    let axis = |name: &str, logarithmic: bool| {
        let column = comparison.columns.iter().find(|c| c.name == name)?;
        let unit = if column.unit.is_empty() { String::new() } else { format!(", {}", column.unit) };
        let better = match column.better {
            Direction::Higher => " ↑",
            Direction::Lower => " ↓",
            Direction::Neither => "",
        };
        let scale = if logarithmic { Scale::Logarithmic } else { Scale::Linear };
        Some(Axis::new(format!("{name}{unit}{better}")).scale(scale))
    };
    let value = |row: &Row, name: &str| {
        let figure = row.figures.get(name)?;
        Some((figure.shown()?, figure.shown_spread()))
    };
    let mark = |row: &Row| {
        let (x, y) = (value(row, &scatter.x)?, value(row, &scatter.y)?);
        Some(Mark { name: row.name.clone(), x, y, reference: row.reference })
    };
    let title =
        if scatter.title.is_empty() { format!("{} against {}", scatter.y, scatter.x) } else { scatter.title.clone() };
    let plot = ScatterPlot {
        title,
        x: axis(&scatter.x, scatter.log_x)?,
        y: axis(&scatter.y, scatter.log_y)?,
        marks: comparison.rows.iter().filter_map(mark).collect(),
    };
    plot.drawing(id)
}

/// Each sentence with what every recipe made of it.
fn reconstructions(comparison: &Comparison) -> Vec<Element> {
    let mut sources: Vec<&str> = Vec::new();
    for (source, _) in comparison.rows.iter().flat_map(|r| &r.reconstructions) {
        if sources.len() <= SENTENCES && !sources.contains(&&source[..]) {
            sources.push(source);
        }
    }
    let back = |row: &Row, source: &str| {
        let (_, back) = row.reconstructions.iter().find(|r| r.0 == source)?;
        Some(vec![row_heading(text(&row.name)), element("td").put(marked_pair(source, back).1)])
    };
    let tables: Vec<Element> = sources
        .iter()
        .take(SENTENCES)
        .map(|source| {
            let rows = comparison.rows.iter().filter_map(|row| back(row, source)).collect();
            table("scroll side", text(source), "A text and what each recipe made of it", vec![], rows)
        })
        .collect();
    if tables.is_empty() {
        return vec![];
    }
    let cut = sources.len() > SENTENCES;
    let cut = if cut { format!("The first {SENTENCES} texts are shown.") } else { String::new() };
    vec![marks_explained(false), note(cut), element("div").put(tables)]
}

/// The way from one text to another as every recipe goes it.
fn ways(comparison: &Comparison) -> Vec<Element> {
    let lists = lists(comparison, |row| &row.way);
    let told = "Texts of latents on a straight line between those of two texts, the ends' reconstructions included.";
    if lists.is_empty() { lists } else { vec![note(told), element("div").class("samples").put(lists)] }
}

/// Samples of every recipe in columns.
fn samples(comparison: &Comparison) -> Vec<Element> {
    let lists = lists(comparison, |row| &row.samples);
    let told = "As they were drawn, not selected.";
    if lists.is_empty() { lists } else { vec![note(told), element("div").class("samples").put(lists)] }
}

/// A list of texts for each row that has any, under its name.
fn lists(comparison: &Comparison, texts: impl Fn(&Row) -> &Vec<String>) -> Vec<Element> {
    let rows = comparison.rows.iter().filter(|r| !texts(r).is_empty());
    let list = |row: &Row| element("div").put(element("h3").put(text(&row.name))).put(text_list(texts(row), SAMPLES));
    rows.map(list).collect()
}

/// A small comparison for tests.
#[cfg(test)]
mod example;

#[cfg(test)]
mod tests {
    use super::{example::*, *};
    use crate::balance;

    fn report(comparison: &Comparison) -> String {
        let page = comparison_report(comparison);
        assert_eq!(balance::check(&page), Ok(()));
        page
    }

    #[test]
    fn a_whole_comparison() {
        let page = report(&comparison());
        for expected in [
            "<mark>dae</mark>",
            "a sample of vae",
            "standard deviation over 3 seeds",
            "± 1.0",
            "aria-label=\"lower is better\"",
            "What ppl is.",
            "bleu against ppl",
            "(best)",
            "≈",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
        assert_eq!(page.matches("<figure>").count(), 2);
        assert!(page.contains("half-way of vae") && page.contains("reverse over T"));
    }

    #[test]
    fn its_plots_are_files() {
        let files = comparison_plots(&comparison());
        let names: Vec<&str> = files.iter().map(|f| &f.0[..]).collect();
        assert_eq!(names, ["01-bleu-against-ppl.svg", "02-reverse-over-t.svg"]);
        for (_, markup) in &files {
            let (declaration, svg) = markup.split_once('\n').unwrap();
            assert!(declaration.starts_with("<?xml") && svg.starts_with("<svg xmlns="));
            assert_eq!(balance::check(svg), Ok(()));
            assert!(!svg.contains("var("), "other programs know no variables");
        }
        assert!(files[0].1.contains(">bleu against ppl</text>"), "{}", files[0].1);
        assert_eq!(comparison_plots(&Comparison::default()), []);
    }

    #[test]
    fn an_empty_comparison_and_json() {
        assert!(report(&Comparison::default()).contains("Nothing was compared."));
        let c = comparison();
        let back: Comparison = serde_json::from_str(&serde_json::to_string(&c).unwrap()).unwrap();
        assert_eq!(back, c);
        let few: Comparison =
            serde_json::from_str(r#"{"rows": [{"name": "a", "figures": {"x": {"value": null}}}], "columns": [{"name": "x", "better": "higher"}]}"#).unwrap();
        report(&few);
    }

    #[test]
    fn hostile_names_are_harmless() {
        let evil = "\"><script>alert(1)</script>\u{202e}\0";
        let mut c = comparison();
        c.title = evil.into();
        c.notes = vec![evil.into()];
        c.columns[0] = column_of(evil, Direction::Higher);
        c.columns[0].unit = evil.into();
        c.scatters[0].x = evil.into();
        for row in &mut c.rows {
            *row = Row { name: evil.into(), about: evil.into(), ..row.clone() };
            row.figures.insert(evil.into(), Figure { note: evil.into(), ..Figure::with_spread(1.0, 0.5) });
            row.reconstructions.push((evil.into(), evil.into()));
        }
        let page = report(&c);
        assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\0'));
        assert_eq!(page.matches("<figure>").count(), 2);
    }
}

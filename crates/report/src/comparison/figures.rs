//! The table of figures: how values are written, which are marked.

use super::{Column, Comparison, Direction, Figure, Row};
use crate::{
    html::{Element, element},
    number,
    page::{column, note, number_cell, number_column, row_heading, table, text, unseen},
};

/// How a value stands among those of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Best,
    /// Not told from the best: nearer to it than the larger of the two spreads.
    Close,
    Other,
}

/// The standing of every row in a column.
fn standings(column: &Column, digits: usize, rows: &[Row]) -> Vec<Standing> {
    let figure = |row: &Row| row.figures.get(&column.name).cloned().filter(|_| !row.reference);
    let ahead = |a: f64, b: f64| if column.better == Direction::Higher { a > b } else { a < b };
    let rivals: Vec<Figure> = rows.iter().filter_map(figure).filter(|f| f.shown().is_some()).collect();
    let best = rivals.iter().fold(None::<&Figure>, |best, f| match (best.and_then(Figure::shown), f.shown()) {
        (Some(b), Some(v)) if !ahead(v, b) => best,
        _ => Some(f),
    });
    let (Some(best), true) = (best, rivals.len() > 1 && column.better != Direction::Neither) else {
        return vec![Standing::Other; rows.len()];
    };
    let at = best.shown().unwrap_or(f64::NAN);
    let standing = |row: &Row| {
        let Some((figure, value)) = figure(row).and_then(|f| Some((f.clone(), f.shown()?))) else {
            return Standing::Other;
        };
        let spread = figure.shown_spread().unwrap_or(0.0).max(best.shown_spread().unwrap_or(0.0));
        match () {
            () if number::fixed(value, digits) == number::fixed(at, digits) => Standing::Best,
            () if (value - at).abs() <= spread => Standing::Close,
            () => Standing::Other,
        }
    };
    rows.iter().map(standing).collect()
}

/// Digits behind the point for a column.
fn digits(column: &Column, rows: &[Row]) -> usize {
    let values = rows.iter().filter_map(|r| r.figures.get(&column.name)?.shown());
    column.digits.unwrap_or_else(|| number::shared_digits(values))
}

/// The table of all figures with what is needed to read it.
pub fn figures(comparison: &Comparison) -> Vec<Element> {
    let Comparison { columns, rows, .. } = comparison;
    if rows.is_empty() {
        return vec![note("Nothing was compared.")];
    }
    let styles: Vec<Style> = columns.iter().map(|c| Style::of(c, rows)).collect();
    let mut footnotes = Vec::new();
    let mut body = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let about = (!row.about.is_empty()).then(|| element("small").put(text(&row.about)));
        let name = if row.reference { element("i") } else { element("span") };
        let mut cells = vec![row_heading(name.put(text(&row.name))).put(about)];
        for (column, style) in columns.iter().zip(&styles) {
            let figure = row.figures.get(&column.name).cloned().unwrap_or_default();
            cells.push(cell(&figure, style, i, &mut footnotes));
        }
        body.push(cells);
    }
    let mut head = vec![column("recipe")];
    head.extend(columns.iter().map(heading));
    let footnotes: Vec<Element> = footnotes.iter().map(|n| element("li").put(text(n))).collect();
    let notes: Vec<Element> = comparison.notes.iter().map(note).collect();
    vec![
        note(legend(comparison, &styles)),
        table("scroll figures", unseen("Figures of all recipes"), "Figures of all recipes", head, body),
        element("ol").class("footnotes").put(footnotes),
        element("div").put(notes),
        meanings(columns),
    ]
}

/// How the values of a column are written.
struct Style {
    /// Digits behind the point.
    digits: usize,
    /// Standing of each row.
    standings: Vec<Standing>,
    /// Characters of the widest spread, so that values stay one below the other.
    spread: usize,
}

impl Style {
    fn of(column: &Column, rows: &[Row]) -> Self {
        let digits = digits(column, rows);
        let spreads = rows.iter().filter_map(|r| r.figures.get(&column.name)?.shown_spread());
        let spread = spreads.map(|s| number::fixed(s, digits).chars().count() + 3).max().unwrap_or(0);
        Style { digits, standings: standings(column, digits, rows), spread }
    }
}

/// What the signs in the table mean, those that occur.
fn legend(comparison: &Comparison, styles: &[Style]) -> String {
    let Comparison { columns, rows, spread, .. } = comparison;
    let seen = |standing| styles.iter().flat_map(|s| &s.standings).any(|s| *s == standing);
    let has_spread = styles.iter().any(|s| s.spread > 0);
    let signs = [
        (columns.iter().any(|c| c.better != Direction::Neither), "↑ higher is better, ↓ lower is better.".to_string()),
        (seen(Standing::Best), "The best of a column is shaded.".into()),
        (seen(Standing::Close), "≈ is no further from the best than the spread.".into()),
        (has_spread && !spread.is_empty(), format!("± is the {spread}.")),
        (rows.iter().any(|r| r.reference), "Rows in italics are there to compare with and are not ranked.".into()),
    ];
    signs.into_iter().filter(|s| s.0).map(|s| s.1).collect::<Vec<_>>().join(" ")
}

fn heading(column: &Column) -> Element {
    let arrow = |sign: &'static str, says: &'static str| {
        element("span").set("role", "img").set("aria-label", says).set("title", says).put(sign)
    };
    let arrow = match column.better {
        Direction::Higher => Some(arrow("\u{a0}↑", "higher is better")),
        Direction::Lower => Some(arrow("\u{a0}↓", "lower is better")),
        Direction::Neither => None,
    };
    let unit = (!column.unit.is_empty()).then(|| element("small").put(&column.unit));
    number_column(&column.name).put(arrow).put(unit)
}

fn cell(figure: &Figure, style: &Style, row: usize, footnotes: &mut Vec<String>) -> Element {
    let spread = figure.shown_spread().filter(|_| figure.shown().is_some());
    let spread = spread.map_or_else(String::new, |s| format!(" ± {}", number::fixed(s, style.digits)));
    let width = format!("min-width:{}ch", style.spread);
    let spread = (style.spread > 0).then(|| element("small").set("style", width).put(spread));
    let value = figure.shown().unwrap_or(f64::NAN);
    let value = element("span").put(number::fixed(value, style.digits));
    let (close, value, best) = match style.standings.get(row) {
        Some(Standing::Best) => (None, value.class("best"), Some(unseen(" (best)"))),
        Some(Standing::Close) => (Some(element("span").set("title", "not told from the best").put("≈ ")), value, None),
        _ => (None, value, None),
    };
    number_cell(close).put(value).put(best).put(spread).put(footnote(figure, footnotes))
}

/// The number of a figure's footnote; the same note has the same number.
fn footnote(figure: &Figure, footnotes: &mut Vec<String>) -> Option<Element> {
    if figure.note.is_empty() {
        return None;
    }
    let known = footnotes.iter().position(|n| *n == figure.note);
    let at = known.unwrap_or_else(|| {
        footnotes.push(figure.note.clone());
        footnotes.len() - 1
    });
    Some(element("sup").put((at + 1).to_string()))
}

/// What the columns mean.
fn meanings(columns: &[Column]) -> Element {
    let row = |c: &Column| element("div").put(element("dt").put(&c.name)).put(element("dd").put(text(&c.about)));
    let rows: Vec<Element> = columns.iter().filter(|c| !c.about.is_empty()).map(row).collect();
    match rows.is_empty() {
        true => element("details"),
        false => element("details")
            .class("look")
            .set("open", "")
            .put(element("summary").put(element("b").put("What the columns mean")))
            .put(element("dl").class("meanings").put(rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::example::*, *};
    use crate::{balance, comparison_report};

    fn report(comparison: &Comparison) -> String {
        let page = comparison_report(comparison);
        assert_eq!(balance::check(&page), Ok(()));
        page
    }

    #[test]
    fn best_close_and_reference() {
        use Standing::{Best, Close, Other};
        let c = comparison();
        assert_eq!(standings(&c.columns[0], 1, &c.rows), [Other, Best, Close, Other]);
        assert_eq!(standings(&c.columns[1], 1, &c.rows), [Other, Best, Other, Other]);
        assert_eq!(standings(&c.columns[2], 1, &c.rows), [Other; 4]);
        // Written alike, both are the best; alone, nothing is.
        assert_eq!(standings(&c.columns[1], 0, &[row("a", 30.1, 0.0), row("b", 29.9, 0.0)]), [Best, Best]);
        assert_eq!(standings(&c.columns[0], 1, &[row("a", 30.1, 0.0)]), [Other]);
    }

    #[test]
    fn values_that_are_no_numbers_are_dashes_and_never_best() {
        let mut c = comparison();
        for (value, row) in [Some(f64::NAN), None, Some(f64::NEG_INFINITY)].into_iter().zip(&mut c.rows) {
            row.figures.insert("ppl".into(), Figure { value, spread: Some(f64::NAN), note: "did not end".into() });
        }
        assert_eq!(standings(&c.columns[0], 1, &c.rows), [Standing::Other; 4]);
        let page = report(&c);
        assert!(page.matches("<sup>1</sup>").count() == 3 && page.matches("did not end").count() == 1);
    }
}

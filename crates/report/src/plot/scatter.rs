//! Named points in a plane.

use super::{
    Axis, Point, drawable,
    drawing::Drawing,
    frame::{Frame, text},
    labels::{Area, place_labels},
    place,
    range::Range,
    text_width,
};
use crate::{
    html::{Element, cut, element},
    number,
};

/// Height of a scatter plot.
const HEIGHT: f64 = 320.0;
/// Characters of a name shown beside its point at most.
const NAME: usize = 22;
/// More points than this are drawn without names.
const NAMED: usize = 60;

/// A named point.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    pub name: String,
    /// Value and half-width of its error bar on the horizontal axis.
    pub x: (f64, Option<f64>),
    /// The same on the vertical axis.
    pub y: (f64, Option<f64>),
    /// Drawn hollow: something to compare with, not a competitor.
    pub reference: bool,
}

/// Named points in a plane.
#[derive(Debug, Clone, Default)]
pub struct ScatterPlot {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub marks: Vec<Mark>,
}

impl ScatterPlot {
    /// The plot with its title; `id` is unique on the page. None if there is nothing to draw.
    pub fn drawing(&self, id: &str) -> Option<Drawing> {
        let x = Range::of(&self.x, self.marks.iter().map(|m| m.x.0)).padded(0.08);
        let y = Range::of(&self.y, self.marks.iter().map(|m| m.y.0)).padded(0.08);
        let frame = Frame::new(HEIGHT, (&self.x, &self.y), x, y);
        let seen: Vec<(&Mark, Point)> =
            self.marks.iter().filter_map(|m| Some((m, frame.at((m.x.0, m.y.0))?))).collect();
        if seen.is_empty() {
            return None;
        }
        let mut svg = frame.svg(id, &self.title, &self.description(&seen)).class("plot").put(frame.draw());
        for (mark, _) in &seen {
            svg = svg.put(bars(&frame, mark));
        }
        if seen.len() <= NAMED {
            svg = svg.put(names(&frame, &seen));
        }
        for (mark, at) in &seen {
            svg = svg.put(self.dot(mark, *at));
        }
        Some(Drawing { title: self.title.clone(), legend: Vec::new(), svg, height: HEIGHT })
    }

    /// The same as a figure of a page.
    pub fn figure(&self, id: &str) -> Option<Element> {
        self.drawing(id).map(Drawing::figure)
    }

    /// The points in words.
    fn description(&self, seen: &[(&Mark, Point)]) -> String {
        let told: Vec<String> = seen.iter().map(|(mark, _)| self.told(mark)).collect();
        format!("{} over {}. {}.", self.y.label, self.x.label, told.join("; "))
    }

    fn told(&self, mark: &Mark) -> String {
        let value = |(value, spread): (f64, Option<f64>)| match spread {
            Some(spread) => format!("{} ± {}", number::figure(value), number::figure(spread)),
            None => number::figure(value),
        };
        format!("{}: {} {}, {} {}", mark.name, self.x.label, value(mark.x), self.y.label, value(mark.y))
    }

    fn dot(&self, mark: &Mark, (x, y): Point) -> Element {
        let circle = element("circle").set("cx", place(x)).set("cy", place(y)).set("r", 4.5);
        element("g")
            .class(if mark.reference { "mark reference" } else { "mark" })
            .put(element("title").put(self.told(mark)))
            .put(circle)
    }
}

/// Error bars, kept within the frame.
fn bars(frame: &Frame, mark: &Mark) -> Element {
    let mut path = String::new();
    let ends = |(value, spread): (f64, Option<f64>)| {
        let spread = spread.filter(|s| drawable(*s) && *s > 0.0)?;
        Some((value - spread, value + spread))
    };
    let inside = |at: Option<f64>, low: f64, high: f64, missing: f64| at.unwrap_or(missing).clamp(low, high);
    if let Some(((from, to), y)) = ends(mark.x).zip(frame.down(mark.y.0)) {
        let end = |v, missing| inside(frame.across(v), frame.left, frame.right(), missing);
        path += &format!("M{} {}H{}", place(end(from, frame.left)), place(y), place(end(to, frame.right())));
    }
    if let Some(((from, to), x)) = ends(mark.y).zip(frame.across(mark.x.0)) {
        let end = |v, missing| inside(frame.down(v), frame.top(), frame.bottom(), missing);
        path += &format!("M{} {}V{}", place(x), place(end(from, frame.bottom())), place(end(to, frame.top())));
    }
    element("path").class("bars").set("d", path)
}

/// Names beside the points, with a thin line to those that stand further off.
fn names(frame: &Frame, seen: &[(&Mark, Point)]) -> Element {
    let shown: Vec<String> = seen
        .iter()
        .map(|(mark, _)| match cut(&mark.name, NAME) {
            (_, 0) => mark.name.clone(),
            (start, _) => format!("{}…", cut(start, NAME - 1).0),
        })
        .collect();
    let points: Vec<Point> = seen.iter().map(|s| s.1).collect();
    let widths: Vec<f64> = shown.iter().map(|n| text_width(n)).collect();
    let area = Area { left: frame.left, top: frame.top(), right: frame.right(), bottom: frame.bottom() };
    let mut group = element("g");
    for ((b, name), (x, y)) in place_labels(&points, &widths, area).iter().zip(&shown).zip(points) {
        let near = (x.clamp(b.left, b.right), y.clamp(b.top, b.bottom));
        if (near.0 - x).hypot(near.1 - y) > 8.5 {
            let path = format!("M{} {}L{} {}", place(x), place(y), place(near.0), place(near.1));
            group = group.put(element("path").class("leader").set("d", path));
        }
        group = group.put(text(name, ((b.left + b.right) / 2.0, b.bottom - 2.0), "middle").class("name"));
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance;

    fn mark(name: &str, x: f64, y: f64) -> Mark {
        Mark { name: name.into(), x: (x, Some(0.5)), y: (y, None), reference: name == "real" }
    }

    #[test]
    fn marks_are_named_and_told() {
        let marks = vec![mark("ae", 1.0, 2.0), mark("real", 2.0, 1.0), mark("broken", f64::NAN, 1.0)];
        let plot = ScatterPlot { title: "t".into(), x: Axis::new("forward"), y: Axis::new("reverse"), marks };
        let markup = plot.figure("p").unwrap().markup();
        assert_eq!(balance::check(&markup), Ok(()));
        assert!(markup.contains("ae: forward 1.000 ± 0.5000, reverse 2.000"), "{markup}");
        assert!(markup.contains("class=\"mark reference\"") && !markup.contains("broken"));
    }

    #[test]
    fn no_marks_no_figure() {
        assert!(ScatterPlot::default().figure("p").is_none());
        let marks = vec![mark("a", f64::NAN, f64::NAN)];
        assert!(ScatterPlot { marks, ..ScatterPlot::default() }.figure("p").is_none());
    }
}

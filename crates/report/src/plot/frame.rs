//! The frame of a plot: margins, grid, tick labels, names of the axes.

use super::{Axis, FONT, Point, WIDTH, place, range::Range, text_width, tick_labels};
use crate::html::{Element, element};

/// Room above the plotting area, for the name of the vertical axis.
const TOP: f64 = 24.0;
/// Room below it, for the tick labels and the name of the horizontal axis.
const BOTTOM: f64 = 36.0;
/// Room to its right.
const RIGHT: f64 = 12.0;

/// Where things go. `x` and `y` are what the axes span.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub height: f64,
    pub left: f64,
    pub x: Range,
    pub y: Range,
    names: (String, String),
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
}

impl Frame {
    /// A frame `height` high for these axes.
    pub fn new(height: f64, axes: (&Axis, &Axis), x: Range, y: Range) -> Self {
        let labelled = |ticks: Vec<f64>| {
            let labels = tick_labels(&ticks);
            ticks.into_iter().zip(labels).collect::<Vec<_>>()
        };
        let y_ticks = labelled(y.ticks((height / 45.0) as usize));
        let widest = y_ticks.iter().map(|(_, l)| text_width(l)).fold(0.0, f64::max);
        let name = |axis: &Axis, range: Range| match range.logarithmic {
            true => format!("{} (log scale)", axis.label).trim_start().to_string(),
            false => axis.label.clone(),
        };
        Frame {
            height,
            left: widest + 10.0,
            names: (name(axes.0, x), name(axes.1, y)),
            x_ticks: labelled(x.ticks(5)),
            y_ticks,
            x,
            y,
        }
    }

    pub fn right(&self) -> f64 {
        WIDTH - RIGHT
    }

    pub fn top(&self) -> f64 {
        TOP
    }

    pub fn bottom(&self) -> f64 {
        self.height - BOTTOM
    }

    /// The horizontal place of a value.
    pub fn across(&self, value: f64) -> Option<f64> {
        self.x.share(value).map(|s| self.left + s * (self.right() - self.left))
    }

    /// The vertical place of a value.
    pub fn down(&self, value: f64) -> Option<f64> {
        self.y.share(value).map(|s| self.bottom() - s * (self.bottom() - self.top()))
    }

    /// The place of a point.
    pub fn at(&self, point: Point) -> Option<Point> {
        Some((self.across(point.0)?, self.down(point.1)?))
    }

    /// The drawing's root, described for those who do not see it; `id` is unique on the page.
    pub fn svg(&self, id: &str, title: &str, description: &str) -> Element {
        element("svg")
            .set("viewBox", format!("0 0 {} {}", place(WIDTH), place(self.height)))
            .set("role", "img")
            .set("aria-labelledby", format!("{id}-title {id}-desc"))
            .put(element("title").set("id", format!("{id}-title")).put(title))
            .put(element("desc").set("id", format!("{id}-desc")).put(description))
    }

    /// Grid, ticks and names.
    pub fn draw(&self) -> Element {
        let mut grid = String::new();
        let mut group = element("g");
        for (value, label) in &self.y_ticks {
            let Some(y) = self.down(*value) else { continue };
            grid += &format!("M{} {}H{}", place(self.left), place(y), place(self.right()));
            group = group.put(text(label, (self.left - 6.0, y + 0.35 * FONT), "end"));
        }
        for (value, label) in &self.x_ticks {
            let Some(x) = self.across(*value) else { continue };
            grid += &format!("M{} {}v4", place(x), place(self.bottom()));
            // The outermost labels keep within the drawing.
            let half = text_width(label) / 2.0;
            let x = x.clamp(half, WIDTH - half);
            group = group.put(text(label, (x, self.bottom() + 1.4 * FONT), "middle"));
        }
        let base = format!("M{} {}H{}", place(self.left), place(self.bottom()), place(self.right()));
        element("g")
            .put(element("path").class("grid").set("d", grid))
            .put(element("path").class("axis").set("d", base))
            .put(group)
            .put(text(&self.names.1, (0.0, FONT), "start").class("unit"))
            .put(text(&self.names.0, (self.right(), self.height - 4.0), "end"))
    }
}

/// A text at a place; `anchor` is `start`, `middle` or `end`.
pub(super) fn text(text: &str, (x, y): Point, anchor: &'static str) -> Element {
    let plain = element("text").set("x", place(x)).set("y", place(y)).put(text);
    if anchor == "start" { plain } else { plain.set("text-anchor", anchor) }
}

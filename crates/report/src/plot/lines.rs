//! Curves.

use super::{
    Axis, Point, WIDTH, drawable,
    drawing::{Drawing, Key},
    frame::{Frame, text},
    place,
    range::Range,
    text_width, thin,
    thin::{is_noisy, means},
};
use crate::{
    html::{Element, element},
    number,
};

/// Height of a line plot.
const HEIGHT: f64 = 220.0;
/// Points of a series drawn at most.
const DRAWN: usize = 500;
/// Places along the horizontal axis that tell their values under the pointer, at most.
const STOPS: usize = 60;
/// Points of a series that each get a dot, at most.
const DOTTED: usize = 50;
/// Stretches whose means are drawn over a noisy series.
const MEANS: usize = 70;
/// The looks of series in the style sheet: four colours, then the same dashed, then dotted.
const STYLES: [&str; 12] = [
    "s0",
    "s1",
    "s2",
    "s3",
    "s0 dashed",
    "s1 dashed",
    "s2 dashed",
    "s3 dashed",
    "s0 dots",
    "s1 dots",
    "s2 dots",
    "s3 dots",
];

/// How a series is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stroke {
    /// A line.
    #[default]
    Line,
    /// A line with a dot at each point.
    Dotted,
}

/// A curve: points sorted by x.
#[derive(Debug, Clone, Default)]
pub struct Series {
    pub name: String,
    pub points: Vec<Point>,
    pub stroke: Stroke,
}

/// A vertical line at `x` with a word.
#[derive(Debug, Clone)]
pub struct Rule {
    pub x: f64,
    pub label: String,
}

/// Curves over one horizontal axis.
#[derive(Debug, Clone, Default)]
pub struct LinePlot {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    pub rule: Option<Rule>,
}

/// Colour class of the i-th series.
fn class(i: usize) -> &'static str {
    STYLES[i % STYLES.len()]
}

impl LinePlot {
    /// The plot with its title and, for several series, a legend; `id` is unique on the page. None if there is
    /// nothing to draw.
    pub fn drawing(&self, id: &str) -> Option<Drawing> {
        let has_points = |s: &Series| s.points.iter().any(|p| drawable(p.0) && drawable(p.1));
        // The i-th series looks the same whether or not there are others.
        let series: Vec<(usize, Series)> = self
            .series
            .iter()
            .enumerate()
            .filter(|(_, s)| has_points(s))
            .map(|(i, s)| (i, Series { points: thin(&s.points, DRAWN), ..s.clone() }))
            .collect();
        if series.is_empty() {
            return None;
        }
        let key = |(i, s): &(usize, Series)| Key {
            class: class(*i),
            name: s.name.clone(),
            dotted: s.stroke == Stroke::Dotted,
        };
        Some(Drawing {
            title: self.title.clone(),
            legend: if self.series.len() > 1 { series.iter().map(key).collect() } else { Vec::new() },
            svg: self.svg(id, &series),
            height: HEIGHT,
        })
    }

    /// The same as a figure of a page.
    pub fn figure(&self, id: &str) -> Option<Element> {
        self.drawing(id).map(Drawing::figure)
    }

    /// Whether a series is drawn faint with its mean over it.
    pub fn has_noise(&self) -> bool {
        self.series.iter().any(|s| is_noisy(&thin(&s.points, DRAWN)))
    }

    fn svg(&self, id: &str, series: &[(usize, Series)]) -> Element {
        let points = || series.iter().flat_map(|(_, s)| s.points.iter()).filter(|p| drawable(p.0) && drawable(p.1));
        let x = Range::of(&self.x, points().map(|p| p.0));
        let y = Range::of(&self.y, points().map(|p| p.1)).rounded((HEIGHT / 45.0) as usize);
        // A unit that only repeats the title is not written.
        let unit = if self.y.label.to_lowercase() == self.title.to_lowercase() { "" } else { &self.y.label };
        let frame = Frame::new(HEIGHT, (&self.x, &Axis { label: unit.into(), ..self.y.clone() }), x, y);
        let mut svg = frame.svg(id, &self.title, &self.description(series)).class("plot").put(frame.draw());
        if let Some((rule, x)) = self.rule.as_ref().and_then(|r| Some((r, frame.across(r.x)?))) {
            let side = if x + text_width(&rule.label) + 8.0 > WIDTH { (x - 4.0, "end") } else { (x + 4.0, "start") };
            svg =
                svg.put(upright(&frame, x).class("rule")).put(text(&rule.label, (side.0, frame.top() + 10.0), side.1));
        }
        for (i, s) in series {
            svg = svg.put(curve(&frame, s, &self.series[*i]).class(class(*i)));
        }
        svg.put(self.stops(&frame, series))
    }

    /// The curves in words.
    fn description(&self, series: &[(usize, Series)]) -> String {
        let mut said = format!("{} over {}.", self.y.label, self.x.label);
        for (_, s) in series {
            let mut seen = s.points.iter().filter(|p| drawable(p.1));
            let (Some(first), last) = (seen.next(), seen.next_back()) else { continue };
            let last = last.unwrap_or(first);
            let values = || s.points.iter().map(|p| p.1).filter(|v| drawable(*v));
            said += &format!(
                " {}: {} at {} {}, {} at {} {}, lowest {}, highest {}.",
                s.name,
                number::figure(first.1),
                self.x.label,
                number::plain(first.0),
                number::figure(last.1),
                self.x.label,
                number::plain(last.0),
                number::figure(values().fold(f64::INFINITY, f64::min)),
                number::figure(values().fold(f64::NEG_INFINITY, f64::max)),
            );
        }
        said
    }

    /// Upright strips that tell the values at a place when the pointer is over it.
    fn stops(&self, frame: &Frame, series: &[(usize, Series)]) -> Element {
        let stops = stops(frame, series);
        let places: Vec<f64> = stops.iter().filter_map(|x| frame.across(*x)).collect();
        let mut group = element("g");
        for (i, (&value, &x)) in stops.iter().zip(&places).enumerate() {
            let from = if i == 0 { frame.left } else { (places[i - 1] + x) / 2.0 };
            let to = if i + 1 == places.len() { frame.right() } else { (x + places[i + 1]) / 2.0 };
            let mut told = format!("{} {}", self.x.label, number::plain(value));
            let mut dots = element("g");
            for (k, s) in series {
                let Some((point, (px, py))) = nearest(frame, s, x, (from, to)) else { continue };
                told += &match self.series.len() {
                    1 => format!(": {}", number::figure(point.1)),
                    _ => format!(" · {} {}", s.name, number::figure(point.1)),
                };
                dots = dots.put(dot((px, py), 3.5).class(class(*k)));
            }
            let strip = element("rect").set("x", place(from)).set("width", place(to - from));
            let stop = element("g")
                .class("stop")
                .put(element("title").put(&told))
                .put(strip.set("y", 0).set("height", place(frame.bottom())))
                .put(upright(frame, x))
                .put(dots)
                .put(text(&told, (frame.right(), super::FONT), "end"));
            group = group.put(stop);
        }
        group
    }
}

/// Values of x at which the plot tells its values: all points of sparse series, then those of dense ones that are not
/// too near to others.
fn stops(frame: &Frame, series: &[(usize, Series)]) -> Vec<f64> {
    let mut by_size: Vec<&Series> = series.iter().map(|s| &s.1).collect();
    by_size.sort_by_key(|s| s.points.len());
    let apart = (frame.right() - frame.left) / STOPS as f64;
    let mut kept: Vec<(f64, f64)> = Vec::new(); // place, value
    for s in by_size {
        for &point in &s.points {
            let Some((x, _)) = frame.at(point) else { continue };
            let i = kept.partition_point(|k| k.0 < x);
            let far = |k: Option<&(f64, f64)>| k.is_none_or(|k| (k.0 - x).abs() >= apart);
            if far(kept.get(i)) && far(i.checked_sub(1).and_then(|i| kept.get(i))) {
                kept.insert(i, (x, point.0));
            }
        }
    }
    kept.into_iter().map(|k| k.1).collect()
}

/// The point of a series nearest to `x` among those drawn between `from` and `to`, and its place.
fn nearest(frame: &Frame, series: &Series, x: f64, (from, to): (f64, f64)) -> Option<(Point, Point)> {
    let places = series.points.iter().filter_map(|&p| Some((p, frame.at(p)?)));
    places.filter(|(_, at)| at.0 >= from && at.0 <= to).min_by(|a, b| (a.1.0 - x).abs().total_cmp(&(b.1.0 - x).abs()))
}

/// A series: its path with dots, or, if it is noisy, faint with the means of `whole`, all its points, over it.
fn curve(frame: &Frame, series: &Series, whole: &Series) -> Element {
    if is_noisy(&series.points) {
        let faint = element("path").class("line faint").set("d", path(frame, &series.points));
        return element("g").put(faint).put(line(frame, &means(&whole.points, MEANS)));
    }
    let dotted = series.stroke == Stroke::Dotted && series.points.len() <= DOTTED;
    let mut drawn = line(frame, &series.points);
    let places: Vec<Option<Point>> = series.points.iter().map(|p| frame.at(*p)).collect();
    for (i, at) in places.iter().enumerate() {
        let alone = (i == 0 || places[i - 1].is_none()) && places.get(i + 1).copied().flatten().is_none();
        if let Some(at) = at.filter(|_| dotted || alone) {
            drawn = drawn.put(dot(at, 2.5));
        }
    }
    drawn
}

fn line(frame: &Frame, points: &[Point]) -> Element {
    element("g").put(element("path").class("line").set("d", path(frame, points)))
}

/// A path through points, broken at gaps.
fn path(frame: &Frame, points: &[Point]) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for &point in points {
        let at = frame.at(point);
        if let Some((x, y)) = at {
            path += &format!("{}{} {}", if pen_down { "L" } else { "M" }, place(x), place(y));
        }
        pen_down = at.is_some();
    }
    path
}

/// A vertical line through the plotting area.
fn upright(frame: &Frame, x: f64) -> Element {
    element("path").set("d", format!("M{} {}V{}", place(x), place(frame.top()), place(frame.bottom())))
}

fn dot((x, y): Point, radius: f64) -> Element {
    element("circle").set("cx", place(x)).set("cy", place(y)).set("r", place(radius))
}

/// The stroke of a series beside its name in the legend, 22 x 12.
pub(super) fn key_sample(key: &Key) -> Element {
    let sample = element("g").class(key.class).put(element("path").class("line").set("d", "M1 6h20"));
    if key.dotted { sample.put(dot((11.0, 6.0), 2.5)) } else { sample }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance;

    fn plot(points: Vec<Point>) -> LinePlot {
        let series = vec![Series { name: "a<b".into(), points, stroke: Stroke::Dotted }];
        LinePlot { title: "t".into(), x: Axis::new("step"), y: Axis::new("bits"), series, rule: None }
    }

    #[test]
    fn nothing_to_draw_is_no_figure() {
        assert!(plot(vec![]).figure("p").is_none());
        assert!(plot(vec![(1.0, f64::NAN), (f64::INFINITY, 1.0)]).figure("p").is_none());
    }

    #[test]
    fn one_point_and_gaps_are_drawn() {
        let one = plot(vec![(5.0, 0.5)]).figure("p").unwrap().markup();
        assert_eq!(balance::check(&one), Ok(()));
        assert!(one.contains("r=\"2.5\""), "{one}");
        let gap = plot(vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)]).figure("p").unwrap().markup();
        let path = gap.split("class=\"line\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 1));
    }

    #[test]
    fn the_highest_value_is_drawn_highest() {
        let p = plot(vec![(0.0, 1.0), (1.0, 9.0), (2.0, 4.0)]);
        let frame = |p: &LinePlot| {
            let x = Range::of(&p.x, [0.0, 2.0].into_iter());
            Frame::new(HEIGHT, (&p.x, &p.y), x, Range::of(&p.y, [0.0, 10.0].into_iter()))
        };
        let f = frame(&p);
        assert_eq!(f.down(10.0), Some(f.top()));
        assert_eq!(f.down(0.0), Some(f.bottom()));
        assert!(f.at((1.0, 9.0)).unwrap().1 < f.at((2.0, 4.0)).unwrap().1);
    }

    #[test]
    fn many_points_stay_few_stops_and_coordinates() {
        let many = (0..100_000).map(|i| (i as f64, (i as f64 * 0.01).sin())).collect();
        let markup = plot(many).figure("p").unwrap().markup();
        assert!(markup.len() < 60_000, "{}", markup.len());
        assert!((STOPS / 2..=STOPS + 1).contains(&markup.matches("class=\"stop\"").count()));
        assert_eq!(balance::check(&markup), Ok(()));
    }

    #[test]
    fn stops_tell_each_series() {
        let mut p = plot(vec![(1.0, 0.25), (2.0, 0.75)]);
        p.series.push(Series { name: "c".into(), points: vec![(2.0, 0.5)], stroke: Stroke::Line });
        let markup = p.figure("p").unwrap().markup();
        assert!(markup.contains("<title>step 2 · a&lt;b 0.7500 · c 0.5000</title>"), "{markup}");
        assert!(markup.contains("<title>step 1 · a&lt;b 0.2500</title>"));
    }
}

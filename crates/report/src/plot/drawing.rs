//! A plot that is drawn, with what is written around it: as a figure of a page, or as a file of its own.

use super::{FONT, WIDTH, lines::key_sample, place, text_width};
use crate::{
    html::{Element, Raw, element},
    plot::frame::text,
};

/// Units of a file's plot for each unit drawn, as its size in pixels.
const PIXELS: f64 = 2.0;
/// Height of a line of the title or the legend, in units of the plot.
const LINE: f64 = 1.6 * FONT;
/// Width of the sample stroke before a name in the legend.
const SAMPLE: f64 = 27.0;

/// A drawn plot.
pub struct Drawing {
    pub(super) title: String,
    /// Style class and name of each series that the legend tells.
    pub(super) legend: Vec<Key>,
    /// The drawing itself, [`WIDTH`] wide.
    pub(super) svg: Element,
    pub(super) height: f64,
}

/// A series in the legend.
pub(super) struct Key {
    pub class: &'static str,
    pub name: String,
    pub dotted: bool,
}

impl Drawing {
    /// The plot's title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// A figure of a page: title and legend in letters of the page above the drawing.
    pub fn figure(self) -> Element {
        let mut caption = element("figcaption").put(element("b").put(&self.title));
        for key in &self.legend {
            let sample = element("svg").set("viewBox", "0 0 22 12").set("aria-hidden", "true").put(key_sample(key));
            caption = caption.put(element("span").class("key").put(sample).put(&key.name));
        }
        element("figure").put(caption).put(self.svg)
    }

    /// The markup of an SVG file: light, with title and legend inside, complete in itself.
    pub fn file(self) -> String {
        let mut head = element("g").put(text(&self.title, (0.0, FONT), "start").class("title"));
        let (mut x, mut line) = (0.0, 1.0);
        for key in &self.legend {
            let width = SAMPLE + text_width(&key.name);
            if x > 0.0 && x + width > WIDTH {
                (x, line) = (0.0, line + 1.0);
            }
            let at = element("g").set("transform", format!("translate({} {})", place(x), place(line * LINE)));
            head = head.put(at.put(key_sample(key)).put(text(&key.name, (SAMPLE, 10.0), "start")));
            x += width + FONT;
        }
        let above = LINE * if self.legend.is_empty() { 1.0 } else { line + 1.0 } + 4.0;
        let (margin, height) = (8.0, above + self.height);
        let (width, height) = (WIDTH + 2.0 * margin, height + 2.0 * margin);
        let inside = element("g").set("transform", format!("translate({} {})", place(margin), place(margin)));
        let plot = element("svg")
            .set("y", place(above))
            .set("width", place(WIDTH))
            .set("height", place(self.height))
            .put(self.svg);
        let file = element("svg")
            .set("xmlns", "http://www.w3.org/2000/svg")
            .set("viewBox", format!("0 0 {} {}", place(width), place(height)))
            .set("width", place(PIXELS * width))
            .set("height", place(PIXELS * height))
            .put(element("style").put(Raw(include_str!("file.css"))))
            .put(element("rect").class("paper").set("width", "100%").set("height", "100%"))
            .put(inside.put(head).put(plot));
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", file.markup())
    }
}

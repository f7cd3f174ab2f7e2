//! Reports: one HTML file that shows a training, or a comparison of recipes.
//!
//! [`training_report`] draws the events of a training (the lines of `metrics.jsonl`), [`comparison_report`] a
//! [`Comparison`] that the caller has measured. Both give a whole page as text: no script, no font, picture or style
//! from elsewhere, and a content policy inside the page that forbids them, so that it can be mailed, kept and opened
//! years later. Light and dark as the reader's system is set, down to the width of a telephone, and on paper.
//!
//! [`map_page`] draws a map of texts, the one page with a script. The others are made of the same parts: [`html`] builds elements and escapes every text, [`plot`] draws lines and
//! points as SVG, and `page` holds the shell, the tables and the style sheet. Nothing here knows of models, and nothing
//! here can fail: what is missing in the input is missing on the page.
//!
//! ```
//! use strait_report::{Card, read_events, training_report};
//! let log = r#"{"event":"look","step":10,"bits_per_byte":1.25,"samples":["a dog runs ."]}"#;
//! let page = training_report(&read_events(log), &Card { title: "A small model".into(), ..Card::default() });
//! assert!(page.contains("1.250") && page.contains("a dog runs ."));
//! ```

mod attention;
#[cfg(test)]
mod balance;
mod comparison;
mod history;
pub mod html;
mod map;
pub mod number;
mod page;
pub mod plot;
mod training;
mod words;

pub use attention::{AttentionMatrix, attention_page};
pub use comparison::{
    Column, Comparison, Curve, Curves, Difference, Direction, Figure, Row, Scatter, Writing, comparison_plots,
    comparison_report,
};
pub use history::read_events;
pub use map::{Colouring, TextMap, map_page};
pub use page::Fact;
pub use training::{Card, training_report};

/// The colours of every page, light and dark, as custom properties of CSS.
pub const COLOURS: &str = include_str!("colours.css");

//! Plots as SVG: curves over steps ([`LinePlot`]) and recipes as points ([`ScatterPlot`]).
//!
//! A plot is drawn in units of its own ([`WIDTH`] wide) and scaled by the page, so that its letters are of one size on
//! a telephone and in a column of a desk screen. Colours and strokes are classes that the style sheet fills in, which
//! is how one drawing serves light, dark and paper; kinds of series also differ in form (a line, a line with dots),
//! never in colour alone. A [`Drawing`] is also a file of its own, in the light colours. Values that are not finite, absurdly large or, on a logarithmic axis, not positive are gaps.

mod drawing;
mod frame;
mod labels;
mod lines;
mod range;
mod scatter;
mod thin;
mod ticks;

pub use drawing::Drawing;
pub use lines::{LinePlot, Rule, Series, Stroke};
pub use range::Scale;
pub use scatter::{Mark, ScatterPlot};
pub use thin::thin;
pub use ticks::{linear_ticks, logarithmic_ticks, tick_labels};

/// Width of a plot in its own units.
pub const WIDTH: f64 = 400.0;

/// Height of a letter's line in the plot's units.
const FONT: f64 = 12.0;

/// A point (x, y).
pub type Point = (f64, f64);

/// An axis.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// How values become places.
    pub scale: Scale,
    /// Whether a linear axis begins at zero though no value is there.
    pub from_zero: bool,
}

impl Axis {
    /// A linear axis.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// The same axis from zero.
    #[must_use]
    pub fn from_zero(self) -> Self {
        Self { from_zero: true, ..self }
    }

    /// The same axis on another scale.
    #[must_use]
    pub fn scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }
}

/// Whether a value can be drawn.
fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() < 1e30
}

/// A coordinate to a tenth of a unit.
fn place(value: f64) -> String {
    let tenths = (10.0 * value).round() / 10.0 + 0.0;
    format!("{tenths}")
}

/// About how wide a text is set; East Asian characters and emoji are square.
fn text_width(text: &str) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'I' | '.' | ',' | ':' | '\'' | '|' | ' ' | '(' | ')' => 0.34,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.9,
        c if c.is_uppercase() => 0.68,
        c if u32::from(c) >= 0x1100 => 1.0,
        _ => 0.58,
    };
    text.chars().map(em).sum::<f64>() * FONT
}

//! Figures over several seeds.

use std::fmt;

use serde::Serialize;

/// A figure measured with several seeds.
///
/// ```
/// use strait_eval::Spread;
/// assert_eq!(Spread::new(&[45.0, 46.0, 46.1]).to_string(), "45.7 ± 0.6 (3 seeds)");
/// assert_eq!(format!("{:.3}", Spread::new(&[0.25])), "0.250 (1 seed)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Mean; NaN (null in JSON) without a value.
    pub mean: f64,
    /// Standard deviation with `n - 1` in the denominator; none for fewer than two values.
    pub std: Option<f64>,
    /// Number of values, one for each seed.
    pub n: usize,
}

impl Spread {
    /// Mean and standard deviation of `values`, one for each seed.
    pub fn new(values: &[f64]) -> Self {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Self { mean, std: (n > 1).then(|| (squares / (n as f64 - 1.0)).sqrt()), n }
    }
}

/// `45.7 ± 0.6 (3 seeds)`, with one digit behind the point unless a precision is asked for.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(1);
        write!(f, "{:.digits$}", self.mean)?;
        if let Some(std) = self.std {
            write!(f, " ± {std:.digits$}")?;
        }
        write!(f, " ({} seed{})", self.n, if self.n == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_worked_by_hand() {
        let spread = Spread::new(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((spread.mean, spread.n), (5.0, 8));
        assert_eq!(spread.std, Some((32.0f64 / 7.0).sqrt()));
        assert_eq!(Spread::new(&[3.0, 3.0]).std, Some(0.0));
    }

    #[test]
    fn one_value_has_no_deviation_and_none_has_no_mean() {
        assert_eq!(Spread::new(&[2.0]), Spread { mean: 2.0, std: None, n: 1 });
        assert!(Spread::new(&[]).mean.is_nan());
    }
}

//! What an axis spans, and where on it a value lies.

use super::{Axis, drawable, linear_ticks, logarithmic_ticks, ticks::round_step};

/// How values become places along an axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps for equal differences.
    #[default]
    Linear,
    /// Equal steps for equal ratios; values that are not positive are gaps.
    Logarithmic,
    /// Logarithmic when all values are positive and half of them would crowd into the lowest sixth of a linear axis.
    Automatic,
}

/// The span of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
    pub logarithmic: bool,
}

impl Range {
    /// The range that holds all values that can be drawn; 0..1 if there is none.
    pub fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.filter(|v| drawable(*v)).collect();
        let logarithmic = match axis.scale {
            Scale::Linear => false,
            Scale::Logarithmic => values.iter().any(|v| *v > 0.0),
            Scale::Automatic => crowded(&mut values),
        };
        if logarithmic {
            values.retain(|v| *v > 0.0);
        }
        let (mut low, mut high) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if axis.from_zero && !logarithmic {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        Range { low, high, logarithmic }.widened()
    }

    /// The same, made wide enough to divide by.
    fn widened(self) -> Self {
        let Range { low, high, logarithmic } = self;
        match (logarithmic, high - low > 1e-9 * low.abs().max(high.abs())) {
            (_, true) => self,
            (true, false) => Range { low: low / 2.0, high: high * 2.0, ..self },
            (false, false) if low == 0.0 => Range { high: 1.0, ..self },
            (false, false) => Range { low: low - 0.1 * low.abs(), high: high + 0.1 * high.abs(), ..self },
        }
    }

    /// The same with a margin, as a share of its length, at both ends.
    pub fn padded(self, share: f64) -> Self {
        if self.logarithmic {
            let by = (self.high / self.low).powf(share);
            return Range { low: self.low / by, high: self.high * by, ..self };
        }
        let by = share * (self.high - self.low);
        // Nothing measured is below zero unless a value is.
        let low = if self.low >= 0.0 { (self.low - by).max(0.0) } else { self.low - by };
        Range { low, high: self.high + by, ..self }
    }

    /// The same, let out to the next round number at both ends of a linear range.
    pub fn rounded(self, wanted: usize) -> Self {
        if self.logarithmic {
            return self.padded(0.04);
        }
        let step = round_step((self.high - self.low) / wanted.max(1) as f64);
        let (low, high) = ((self.low / step + 1e-9).floor() * step, (self.high / step - 1e-9).ceil() * step);
        if low < high { Range { low, high, ..self } } else { self }
    }

    /// Where a value lies, 0 at the low end and 1 at the high; none if it cannot be drawn.
    pub fn share(&self, value: f64) -> Option<f64> {
        if !drawable(value) || (self.logarithmic && value <= 0.0) {
            return None;
        }
        let share = match self.logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        Some(share)
    }

    /// Round numbers inside.
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        match self.logarithmic {
            true => logarithmic_ticks(self.low, self.high, wanted),
            false => linear_ticks(self.low, self.high, wanted),
        }
    }
}

/// Whether all values are positive and the median is less than a sixth of the largest. Sorts the values.
fn crowded(values: &mut [f64]) -> bool {
    values.sort_unstable_by(f64::total_cmp);
    match (values.first(), values.get(values.len() / 2), values.last()) {
        (Some(&least), Some(&median), Some(&most)) => least > 0.0 && median < most / 6.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(scale: Scale, values: &[f64]) -> Range {
        Range::of(&Axis::new("x").scale(scale), values.iter().copied())
    }

    #[test]
    fn any_values_give_a_range_to_divide_by() {
        for values in [&[][..], &[f64::NAN], &[0.0], &[5.0, 5.0], &[-3.0], &[1e300, 1.0], &[1e-300, 1e-300]] {
            for scale in [Scale::Linear, Scale::Logarithmic, Scale::Automatic] {
                for r in [range(scale, values), range(scale, values).rounded(4), range(scale, values).padded(0.1)] {
                    assert!(r.low < r.high && (!r.logarithmic || r.low > 0.0), "{values:?} {scale:?} {r:?}");
                }
            }
        }
    }

    #[test]
    fn shares_run_from_nothing_to_one() {
        let r = range(Scale::Linear, &[2.0, 6.0]);
        assert_eq!(
            (r.share(2.0), r.share(3.0), r.share(6.0), r.share(f64::NAN)),
            (Some(0.0), Some(0.25), Some(1.0), None)
        );
        let r = range(Scale::Logarithmic, &[1.0, 100.0, -4.0]);
        assert_eq!((r.share(10.0), r.share(0.0)), (Some(0.5), None));
    }

    #[test]
    fn automatic_is_logarithmic_only_where_it_helps() {
        assert!(range(Scale::Automatic, &[8.0, 2.0, 1.0, 0.9, 0.8]).logarithmic);
        assert!(!range(Scale::Automatic, &[0.0001, 0.5, 0.8, 0.9]).logarithmic);
        assert!(!range(Scale::Automatic, &[0.0, 0.0, 0.0, 9.0]).logarithmic);
    }

    #[test]
    fn rounding_lets_out_to_ticks() {
        let r = range(Scale::Linear, &[0.76, 2.89]).rounded(4);
        assert_eq!((r.low, r.high), (0.5, 3.0));
    }
}

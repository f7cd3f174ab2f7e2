//! Round numbers along an axis.

use crate::number;

/// Multiples of 1, 2 or 5 times a power of ten within `low..=high`, about `wanted` of them.
///
/// ```
/// use strait_report::plot::linear_ticks;
/// assert_eq!(linear_ticks(0.0, 1832.0, 5), [0.0, 500.0, 1000.0, 1500.0]);
/// ```
pub fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let step = round_step((high - low) / wanted.max(1) as f64);
    if !step.is_finite() || step <= 0.0 {
        return Vec::new();
    }
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    let n = (last - first).clamp(-1.0, 4.0 * wanted as f64 + 4.0) as i64;
    (0..=n).map(|i| (first + i as f64) * step).collect()
}

/// The step 1, 2 or 5 times a power of ten nearest to `raw` on a logarithmic scale.
pub(super) fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let factor = match raw / power {
        f if f < 1.5 => 1.0,
        f if f < 3.2 => 2.0,
        f if f < 7.1 => 5.0,
        _ => 10.0,
    };
    factor * power
}

/// Ticks of a logarithmic axis within `low..=high`, both positive: powers of ten, with round multiples between them or
/// evenly thinned, so that about `wanted` are left; linear ticks where the axis spans too little for that.
pub fn logarithmic_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let decades = (high / low).log10();
    if !decades.is_finite() || decades <= 0.0 {
        return Vec::new();
    }
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let inside = |v: &f64| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9);
    if decades >= wanted as f64 * 0.6 {
        let every = (decades / wanted.max(1) as f64).ceil().max(1.0) as i32;
        return powers.filter(|p| p % every == 0).map(power_of_ten).filter(inside).collect();
    }
    let multiples = |factors: &[f64]| -> Vec<f64> {
        powers.clone().flat_map(|p| factors.iter().map(move |f| f * power_of_ten(p))).filter(inside).collect()
    };
    let (coarse, fine) = (multiples(&[1.0, 2.0, 5.0]), multiples(&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]));
    match () {
        () if coarse.len() >= 3 => coarse,
        () if fine.len() >= 3 => fine,
        () => linear_ticks(low, high, wanted),
    }
}

/// Ten to the `p`, exactly rounded (a power computed by multiplication is not).
fn power_of_ten(p: i32) -> f64 {
    format!("1e{p}").parse().unwrap_or(f64::NAN)
}

/// What to write at ticks: as many digits as tell them apart, `k`, `M` or `G` for large ones, powers of ten for small.
pub fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0.0, |m: f64, t| m.max(t.abs()));
    if largest >= 1e13 || (largest < 1e-3 && largest > 0.0) {
        return ticks.iter().map(|&t| if t == 0.0 { "0".into() } else { number::scientific(t, 3) }).collect();
    }
    // Ticks of a logarithmic axis differ in size; each has a unit and digits of its own.
    let apart = ticks.iter().any(|&t| t > 0.0 && t < largest / 15.0);
    let gap = ticks.windows(2).map(|w| (w[1] - w[0]).abs()).fold(f64::INFINITY, f64::min).min(largest);
    let label = |&t: &f64| {
        let (unit, name) = unit(if apart { t } else { largest });
        let step = if apart { t } else { gap };
        if t == 0.0 { "0".into() } else { number::fixed(t / unit, decimals(step / unit)) + name }
    };
    ticks.iter().map(label).collect()
}

/// The unit in which numbers of a size are written, and its sign.
fn unit(size: f64) -> (f64, &'static str) {
    match size.abs() {
        size if size >= 1e9 => (1e9, "\u{a0}G"),
        size if size >= 1e6 => (1e6, "\u{a0}M"),
        size if size >= 1e4 => (1e3, "\u{a0}k"),
        _ => (1.0, ""),
    }
}

/// Digits behind the point that a step needs.
fn decimals(step: f64) -> usize {
    (0..9).find(|&d| (step * 10f64.powi(d) - (step * 10f64.powi(d)).round()).abs() < 1e-6).unwrap_or(9) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_inside() {
        assert_eq!(linear_ticks(0.7, 2.9, 5), [1.0, 1.5, 2.0, 2.5]);
        assert_eq!(linear_ticks(-0.3, 0.3, 3).len(), 3);
        assert_eq!(linear_ticks(1e15, 1e15, 5), [] as [f64; 0]);
        assert_eq!(linear_ticks(f64::NAN, 1.0, 5), [] as [f64; 0]);
        for (low, high) in [(0.0, 1e-12), (-5e20, 3e22), (99.0, 101.0), (3.0, 3.0001)] {
            let ticks = linear_ticks(low, high, 5);
            assert!((2..=11).contains(&ticks.len()), "{ticks:?}");
            assert!(ticks.iter().all(|t| *t >= low - 1e-9 * high && *t <= high * (1.0 + 1e-9)), "{ticks:?}");
        }
    }

    #[test]
    fn logarithmic_ticks_follow_the_span() {
        assert_eq!(logarithmic_ticks(0.5, 20.0, 5), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(logarithmic_ticks(1e-4, 1e4, 4), [1e-4, 1e-2, 1.0, 1e2, 1e4]);
        assert_eq!(logarithmic_ticks(149.0, 555.0, 5), [150.0, 200.0, 300.0, 500.0]);
        assert_eq!(logarithmic_ticks(3.0, 4.0, 5), linear_ticks(3.0, 4.0, 5));
        assert_eq!(logarithmic_ticks(0.0, 4.0, 5), [] as [f64; 0]);
    }

    #[test]
    fn labels_have_the_digits_they_need() {
        assert_eq!(tick_labels(&[0.0, 0.5, 1.0]), ["0", "0.5", "1.0"]);
        assert_eq!(tick_labels(&[0.0, 20_000.0, 40_000.0]), ["0", "20\u{a0}k", "40\u{a0}k"]);
        assert_eq!(tick_labels(&[0.0, 500_000.0, 1_000_000.0]), ["0", "0.5\u{a0}M", "1.0\u{a0}M"]);
        assert_eq!(tick_labels(&[0.0, 2e-5, 4e-5]), ["0", "2×10⁻⁵", "4×10⁻⁵"]);
        assert_eq!(tick_labels(&[-2.5, 0.0]), ["−2.5", "0"]);
        assert_eq!(tick_labels(&[0.01, 1.0, 100.0]), ["0.01", "1", "100"]);
        assert_eq!(tick_labels(&[1.0, 10.0, 1e3, 1e5]), ["1", "10", "1,000", "100\u{a0}k"]);
        assert_eq!(tick_labels(&[7.0]), ["7"]);
    }
}

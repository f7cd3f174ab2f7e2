//! Numbers for the eye: grouped digits, durations, four significant digits.

/// The typographic minus sign, as wide as a digit.
const MINUS: &str = "−";
/// A space that holds a number and its unit together.
const SPACE: char = '\u{a0}';

/// A whole number with its digits in groups: `1,832`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number with so many digits behind the point, grouped, with a true minus sign; `–` if it is not finite.
pub fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let plain = format!("{:.*}", digits, value.abs());
    let (whole, fraction) = plain.split_once('.').map_or((&plain[..], None), |(w, f)| (w, Some(f)));
    let grouped = whole.parse().map_or_else(|_| whole.to_string(), count);
    let negative = value < 0.0 && plain.contains(|c: char| c.is_ascii_digit() && c != '0');
    let sign = if negative { MINUS } else { "" };
    fraction.map_or_else(|| format!("{sign}{grouped}"), |f| format!("{sign}{grouped}.{f}"))
}

/// A number with about four significant digits; `–` if it is not finite.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => "–".into(),
        0.0 => "0".into(),
        1e-3..1e12 => fixed(value, decimals(size)),
        _ => scientific(value, 2),
    }
}

/// A whole number as [`count`], another as [`figure`].
pub fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e12 { fixed(value, 0) } else { figure(value) }
}

/// Digits behind the point that leave about four significant ones.
pub fn decimals(size: f64) -> usize {
    match size {
        _ if size >= 1000.0 => 0,
        _ if size >= 100.0 => 1,
        _ if size >= 10.0 => 2,
        _ if size >= 1.0 => 3,
        _ => 4,
    }
}

/// Digits behind the point for a column of values: none for whole numbers, else about three significant ones for the
/// largest.
pub fn shared_digits(values: impl Iterator<Item = f64> + Clone) -> usize {
    let finite = || values.clone().filter(|v| v.is_finite());
    match finite().fold(0.0, |m: f64, v| m.max(v.abs())) {
        _ if finite().all(|v| v.fract() == 0.0) => 0,
        largest if largest >= 1.0 => decimals(largest).saturating_sub(1),
        _ => 3,
    }
}

/// `1.5×10⁻⁵`; without the factor when it is 1.
pub fn scientific(value: f64, digits: usize) -> String {
    let written = format!("{:.*e}", digits, value.abs());
    let (factor, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let factor = if factor.contains('.') { factor.trim_end_matches('0').trim_end_matches('.') } else { factor };
    let sign = if value < 0.0 { MINUS } else { "" };
    let times = if factor == "1" { String::new() } else { format!("{factor}×") };
    let raised: String = exponent
        .chars()
        .map(|c| c.to_digit(10).and_then(|d| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(d as usize)).unwrap_or('⁻'))
        .collect();
    format!("{sign}{times}10{raised}")
}

/// A share, 0 to 1, as a percentage.
pub fn percent(share: f64) -> String {
    let value = 100.0 * share;
    match value.is_finite() {
        true => format!("{}{SPACE}%", fixed(value, if value.abs() < 10.0 { 1 } else { 0 })),
        false => "–".into(),
    }
}

/// With `k`, `M` or `G`: `837 k`.
pub fn short(value: f64) -> String {
    let (unit, name) = match value.abs() {
        size if size >= 1e9 => (1e9, "G"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 => (1e3, "k"),
        _ => return figure(value),
    };
    let scaled = value / unit;
    format!("{}{SPACE}{name}", fixed(scaled, decimals(scaled.abs()).saturating_sub(1)))
}

/// `1 min 10 s`, `2 h 5 min`; `–` if it is not a duration.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".into();
    }
    let s = seconds.round() as u64;
    let (hours, minutes, s) = (s / 3600, s / 60 % 60, s % 60);
    match (hours, minutes) {
        (0, 0) => format!("{s}{SPACE}s"),
        (0, _) => format!("{minutes}{SPACE}min {s}{SPACE}s"),
        _ => format!("{}{SPACE}h {minutes}{SPACE}min", count(hours)),
    }
}

/// "1 look", "2 looks".
pub fn of(n: usize, one: &str, many: &str) -> String {
    format!("{}{SPACE}{}", count(n as u64), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_signs() {
        assert_eq!(
            (count(0), count(999), count(1832), count(1_000_000)),
            ("0".into(), "999".into(), "1,832".into(), "1,000,000".into())
        );
        assert_eq!(fixed(-40.209, 2), "−40.21");
        assert_eq!(fixed(-0.001, 1), "0.0");
        assert_eq!(fixed(12345.678, 1), "12,345.7");
        assert_eq!(fixed(f64::NAN, 1), "–");
    }

    #[test]
    fn about_four_digits() {
        for (value, written) in [
            (0.75853, "0.7585"),
            (2.8932, "2.893"),
            (27.4968, "27.50"),
            (18786.29, "18,786"),
            (0.0, "0"),
            (2.5e-5, "2.5×10⁻⁵"),
            (-1e-9, "−10⁻⁹"),
            (1e30, "10³⁰"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(figure(value), written);
        }
    }

    #[test]
    fn columns_share_their_digits() {
        let digits = |values: &[f64]| shared_digits(values.iter().copied());
        assert_eq!((digits(&[64.0, f64::NAN, 8.0]), digits(&[0.98, 1.0]), digits(&[182.4, 9.5])), (0, 2, 0));
        assert_eq!((digits(&[0.031, 0.0]), digits(&[11.69]), digits(&[])), (3, 1, 0));
    }

    #[test]
    fn shares_durations_and_short_numbers() {
        assert_eq!((percent(0.0139), percent(0.577)), ("1.4\u{a0}%".into(), "58\u{a0}%".into()));
        assert_eq!(duration(77.5), "1\u{a0}min 18\u{a0}s");
        assert_eq!((duration(7500.0), duration(-1.0)), ("2\u{a0}h 5\u{a0}min".into(), "–".into()));
        assert_eq!((short(837_430.0), short(14_123.0)), ("837\u{a0}k".into(), "14.1\u{a0}k".into()));
    }
}

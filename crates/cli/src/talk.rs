//! Talk for people, on standard error: a closed one is no reason to stop.

use std::time::{Duration, Instant};

use strait::Fetching;

/// A word on the way is given after this long, and again after as long.
const PATIENCE: Duration = Duration::from_secs(3);

/// Prints a line to standard error, if anyone still listens.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
pub(crate) use say;

/// "20,000".
pub fn number(n: impl Into<u128>) -> String {
    let digits = n.into().to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 record", "2,000 records".
pub fn count(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(n as u64), if n == 1 { "" } else { "s" })
}

/// "3.1 M", "12.4 k".
pub fn short(n: f64) -> String {
    match n {
        n if n >= 999_950.0 => format!("{:.1} M", n / 1e6),
        n if n >= 1000.0 => format!("{:.1} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// "4 min 58 s", "2 h 05 min".
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

/// A listener for what may take long: says every few seconds how much is done, "Encoded 4,096 of 20,000 texts ...".
pub fn on_the_way(done_so: &'static str, things: &'static str) -> impl FnMut(usize, usize) {
    let mut said = Instant::now();
    move |done, of| {
        if said.elapsed() > PATIENCE && done < of {
            say!("{done_so} {} of {} {things} ...", number(done as u64), number(of as u64));
            said = Instant::now();
        }
    }
}

/// A file that is being fetched: "model.safetensors (90.9 MB)" as it begins, then "model.safetensors: 12.3 of 90.9 MB"; of small
/// files the name.
pub fn fetched(file: &str, done: u64, of: Option<u64>) -> String {
    let mb = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    match (done, of) {
        (_, Some(..1_000_000)) | (0, None) => file.into(),
        (0, Some(of)) => format!("{file} ({} MB)", mb(of)),
        (done, Some(of)) => format!("{file}: {} of {} MB", mb(done), mb(of)),
        (done, None) => format!("{file}: {} MB", mb(done)),
    }
}

/// A listener for published models that are fetched: says each file as it begins, and then how far it is.
pub fn fetching() -> impl FnMut(Fetching<'_>) {
    let (mut said, mut last) = (Instant::now(), String::new());
    move |event| match event {
        Fetching::Waiting => say!("Another program is fetching the same model; waiting for it ..."),
        Fetching::File { file, done, of } if file != last || said.elapsed() > PATIENCE => {
            say!("Fetching {}", fetched(file, done, of));
            (said, last) = (Instant::now(), file.to_owned());
        }
        Fetching::File { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_people() {
        assert_eq!(fetched("w", 0, Some(90_900_000)), "w (90.9 MB)");
        assert_eq!(fetched("w", 1_300_000, Some(90_900_000)), "w: 1.3 of 90.9 MB");
        assert_eq!(
            [fetched("w", 1_300_000, None), fetched("w", 0, None), fetched("w", 0, Some(300))],
            ["w: 1.3 MB", "w", "w"]
        );
        assert_eq!(
            [number(0u64), number(999u64), number(1000u64), number(1234567u64)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([count(1, "record"), count(2000, "record")], ["1 record", "2,000 records"]);
        assert_eq!([short(7.0), short(12_400.0), short(999_960.0)], ["7", "12.4 k", "1.0 M"]);
        assert_eq!([duration(59.6), duration(298.0), duration(7500.0)], ["1 min 00 s", "4 min 58 s", "2 h 05 min"]);
    }
}

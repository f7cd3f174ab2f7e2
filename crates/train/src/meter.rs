//! Speed and loss of a training as its events tell them.

use std::time::{Duration, Instant};

use crate::look;

/// Time between two [`Event::Step`](crate::Event::Step)s.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Speed and loss since the last report.
pub(crate) struct Meter {
    since: Instant,
    paused: Duration,
    steps: u64,
    nats: f64,
    bytes: usize,
    tokens: usize,
    /// Smoothed seconds of a step.
    pace: Option<f64>,
    /// Smoothed nats and bytes of a report.
    smoothed: Option<(f64, f64)>,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let (since, paused) = (Instant::now(), Duration::ZERO);
        Meter { since, paused, steps: 0, nats: 0.0, bytes: 0, tokens: 0, pace: None, smoothed: None }
    }
    pub(crate) fn add(&mut self, nats: f64, bytes: usize, tokens: usize) {
        (self.nats, self.bytes, self.tokens) = (self.nats + nats, self.bytes + bytes, self.tokens + tokens);
        self.steps += 1;
    }
    pub(crate) fn elapsed(&self) -> f64 {
        (self.since.elapsed().saturating_sub(self.paused)).as_secs_f64().max(1e-9)
    }
    pub(crate) fn due(&self) -> bool {
        self.since.elapsed() >= REPORT_EVERY
    }
    pub(crate) fn speed(&self) -> f64 {
        self.tokens as f64 / self.elapsed()
    }
    pub(crate) fn seconds_a_step(&mut self) -> f64 {
        let now = self.elapsed() / self.steps.max(1) as f64;
        let pace = self.pace.map_or(now, |p| 0.9 * p + 0.1 * now);
        self.pace = Some(pace);
        pace
    }
    /// Bits per byte, smoothed over the last reports: batches of long texts lose more than those of short ones.
    pub(crate) fn loss(&mut self) -> f64 {
        let now = (self.nats, self.bytes as f64);
        let (nats, bytes) = self.smoothed.map_or(now, |(n, b)| (0.9 * n + 0.1 * now.0, 0.9 * b + 0.1 * now.1));
        self.smoothed = Some((nats, bytes));
        look::bits_per_byte(nats, bytes.max(1.0) as usize)
    }
    pub(crate) fn next(&mut self) {
        *self = Meter { pace: self.pace, smoothed: self.smoothed, ..Meter::new() };
    }
    pub(crate) fn skip(&mut self, pause: Duration) {
        self.paused += pause;
    }
}

//! The pass over one row of logits (V): maximum, its place, and log-sum-exp, all in one read.
//!
//! lse = log sum_x exp(logit_x), so that -log p(x) = lse - logit_x. NaN counts as -inf, +inf as the largest f32.

/// Elements per block: small enough to be read twice from the first-level cache.
const BLOCK: usize = 1024;
/// Independent accumulators, for the compiler to lay out in vector registers.
const LANES: usize = 16;

/// What one pass over a row (V) finds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scan {
    /// The most likely token and its logit, the lowest id among equals; none if every logit is -inf.
    pub best: Option<(u32, f32)>,
    /// log sum exp of the row.
    pub mass: LogSumExp,
}

/// log sum exp, kept as its maximum and the sum relative to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogSumExp {
    max: f32,
    sum: f64,
}

impl Default for LogSumExp {
    fn default() -> Self {
        LogSumExp { max: f32::NEG_INFINITY, sum: 0.0 }
    }
}

impl LogSumExp {
    /// Adds one term.
    pub fn add(&mut self, logit: f32) {
        if logit == f32::NEG_INFINITY {
            return;
        }
        self.raise(logit);
        self.sum += f64::from(logit - self.max).exp();
    }

    /// log sum exp; -inf if nothing was added.
    pub fn value(&self) -> f64 {
        f64::from(self.max) + self.sum.ln()
    }

    /// -log p in nats of a token with this logit; infinite for a token without probability.
    pub fn surprise(&self, logit: f32) -> f64 {
        if logit == f32::NEG_INFINITY { f64::INFINITY } else { (self.value() - f64::from(logit)).max(0.0) }
    }

    fn raise(&mut self, max: f32) {
        if max > self.max {
            self.sum *= f64::from(self.max - max).exp();
            self.max = max;
        }
    }
}

/// One pass over a row of logits (V).
pub(super) fn scan(row: &[f32]) -> Scan {
    let mut scan = Scan::default();
    for (index, block) in row.chunks(BLOCK).enumerate() {
        let top = max(block);
        if top == f32::NEG_INFINITY {
            continue;
        }
        if scan.best.is_none_or(|(_, value)| clean(top) > value) {
            let place = block.iter().position(|&logit| logit == top).unwrap_or(0);
            scan.best = Some(((index * BLOCK + place) as u32, clean(top)));
        }
        scan.mass.raise(clean(top));
        let max = scan.mass.max;
        scan.mass.sum += sum(block, |logit| exp(logit - max));
    }
    scan
}

/// A logit as the decoder counts it: NaN as -inf, +inf as the largest f32, -0 as 0 (they tie).
pub(super) fn clean(logit: f32) -> f32 {
    let number = if logit.is_nan() { f32::NEG_INFINITY } else { logit };
    number.min(f32::MAX) + 0.0
}

/// The largest value of a slice, NaN left out; -inf if there is none.
pub(super) fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            // A comparison with NaN is false: the lane stays.
            lanes[lane] = if chunk[lane] > lanes[lane] { chunk[lane] } else { lanes[lane] };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &value| if value > max { value } else { max })
}

/// Sum of f(x) over a block, in f32 lanes that end in f64.
pub(super) fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f64 {
    let mut lanes = [0.0f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|&value| f64::from(f(value))).sum();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += f(chunk[lane]);
        }
    }
    rest + lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>()
}

/// exp(x) for x <= 0 (above it, 1), without a branch so that it vectorises; 0 for NaN and below the normal numbers.
///
/// exp(x) = 2^n exp(r), n = round(x / log 2), |r| <= log 2 / 2: r in two steps (Cody and Waite), exp(r) by the
/// polynomial of Cephes' expf. Relative error below 2e-7.
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    const LOG2_HIGH: f32 = 0.693_359_4;
    const LOG2_LOW: f32 = -2.121_944_4e-4;
    const LEAST: f32 = -87.0;
    let bounded = if x >= LEAST { x.min(0.0) } else { LEAST };
    let shifted = bounded * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = bounded - n * LOG2_HIGH - n * LOG2_LOW;
    let mut p = 1.987_569_1e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + coefficient;
    }
    let power = f32::from_bits((shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127)) << 23);
    let value = (p * r * r + r + 1.0) * power;
    if x >= LEAST { value } else { 0.0 }
}

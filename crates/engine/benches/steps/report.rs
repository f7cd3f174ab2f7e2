//! Timing, and results as lines or as one JSON object.

use std::time::Instant;

use strait_engine::simd;

/// Seconds of several runs of the same work.
#[derive(Clone, Copy)]
pub struct Timing {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// Processor time a run, all threads together: what is left to compare when other programs disturb.
    pub processor: f64,
}

impl Timing {
    pub fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Timing {
            median: seconds[seconds.len() / 2],
            min: seconds[0],
            max: seconds[seconds.len() - 1],
            processor: f64::NAN,
        }
    }
}

/// Seconds that one call takes.
pub fn seconds(f: impl FnOnce()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_secs_f64()
}

/// Times `runs` calls after `warmup` untimed ones.
pub fn measure(runs: usize, warmup: usize, mut f: impl FnMut()) -> Timing {
    (0..warmup).for_each(|_| f());
    let before = processor_seconds();
    let all = Timing::of((0..runs).map(|_| seconds(&mut f)).collect());
    Timing { processor: (processor_seconds() - before) / runs as f64, ..all }
}

/// Processor time that the process has used (Linux; a tick is a hundredth of a second).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time are the 14th and 15th fields; the 2nd, a name in brackets, may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).filter_map(|f| f.parse().ok()).collect();
    if ticks.len() == 2 { (ticks[0] + ticks[1]) / 100.0 } else { f64::NAN }
}

/// Times several pieces of work in turn, so that a disturbance hits all of them; each turn lasts about `budget`
/// seconds. Seconds are per call.
pub fn alternate(rounds: usize, budget: f64, work: &mut [&mut dyn FnMut()]) -> Vec<Timing> {
    let calls: Vec<usize> = work
        .iter_mut()
        .map(|f| {
            f();
            let one = seconds(&mut *f);
            (budget / one.max(1e-7)).clamp(1.0, 1e5) as usize
        })
        .collect();
    let mut all = vec![Vec::new(); work.len()];
    for _ in 0..rounds {
        for (i, f) in work.iter_mut().enumerate() {
            all[i].push(seconds(|| (0..calls[i]).for_each(|_| f())) / calls[i] as f64);
        }
    }
    all.into_iter().map(Timing::of).collect()
}

/// Most memory that the process has held, in units of 2^20 bytes.
pub fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

/// What the parts of a workload cost.
pub struct Parts {
    since: Instant,
    totals: Vec<(&'static str, f64)>,
}

impl Parts {
    pub fn new() -> Self {
        Parts { since: Instant::now(), totals: Vec::new() }
    }

    /// The next part begins now.
    pub fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// A part ends and the next one begins.
    pub fn add(&mut self, name: &'static str) {
        let spent = self.since.elapsed().as_secs_f64();
        self.begin();
        match self.totals.iter_mut().find(|(n, _)| *n == name) {
            Some((_, total)) => *total += spent,
            None => self.totals.push((name, spent)),
        }
    }

    /// The mean of each part over `runs` runs.
    pub fn print(&self, report: &mut Report, runs: usize) {
        for (name, total) in &self.totals {
            report.figure(&format!("  {name}"), total / runs as f64 * 1e3, "ms");
        }
    }
}

/// Collects rows and prints them.
pub struct Report {
    json: bool,
    threads: usize,
    rows: Vec<String>,
}

impl Report {
    pub fn new(json: bool, threads: usize) -> Self {
        if !json {
            println!("{} threads, {}", threads, simd::level().name());
        }
        Report { json, threads, rows: Vec::new() }
    }

    /// A line for a reader.
    pub fn say(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    /// A row of the JSON object.
    pub fn row(&mut self, json: &str) {
        self.rows.push(json.to_string());
    }

    /// A plain figure.
    pub fn figure(&mut self, name: &str, value: f64, unit: &str) {
        self.say(&format!("{name:44} {value:9.1} {unit}"));
        self.rows.push(format!(r#"{{"name":"{name}","value":{value:.4},"unit":"{unit}"}}"#));
    }

    /// A timed workload that handles `items` of `unit` a run.
    pub fn workload(&mut self, name: &str, t: Timing, items: usize, unit: &str) {
        let (rate, memory) = (items as f64 / t.median, peak_memory());
        let Timing { median, min, max, processor } = t;
        let [median, min, max, processor] = [median, min, max, processor].map(|s| s * 1e3);
        self.say(&format!(
            "{name:34} {median:9.2} ms (min {min:.2} max {max:.2}, processor {processor:.1}) {rate:10.0} {unit}/s  rss {memory:.0} MB"
        ));
        self.rows.push(format!(
            r#"{{"name":"{name}","median_ms":{median:.4},"min_ms":{min:.4},"max_ms":{max:.4},"processor_ms":{processor:.2},"per_second":{rate:.2},"unit":"{unit}","peak_rss_mb":{memory:.1}}}"#
        ));
    }

    pub fn finish(&self) {
        if self.json {
            let (threads, level, rows) = (self.threads, simd::level().name(), self.rows.join(","));
            println!(r#"{{"threads":{threads},"simd":"{level}","rows":[{rows}]}}"#);
        }
    }
}

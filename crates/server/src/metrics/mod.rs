//! What is counted, and how Prometheus reads it (text format 0.0.4).

mod histogram;
mod memory;
mod text;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub use histogram::Histogram;
pub use memory::resident_bytes;
pub use text::render;

/// Bounds of request and batch times, in seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Bounds of batch sizes.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is counted of one model, across its reloads.
pub struct ModelMeter {
    /// Requests at work or waiting.
    pub waiting: Arc<AtomicUsize>,
    /// Tokens read and written.
    pub read: Counter,
    pub written: Counter,
    /// Requests whose clients went before the end.
    pub abandoned: Counter,
    pub panics: Counter,
    pub reloads: Counter,
    pub failed_reloads: Counter,
    /// Requests and rows in a batch, and its seconds; index 0 for reading, 1 for writing.
    jobs: [Histogram; 2],
    rows: [Histogram; 2],
    seconds: [Histogram; 2],
}

/// What is counted of a lane.
pub struct LaneMeter {
    /// Requests at work or waiting.
    pub waiting: Arc<AtomicUsize>,
    /// Time of a piece of work.
    pub seconds: Histogram,
}

impl Default for LaneMeter {
    fn default() -> Self {
        LaneMeter { waiting: Arc::default(), seconds: Histogram::new(SECONDS) }
    }
}

impl Default for ModelMeter {
    fn default() -> Self {
        let two = |bounds| [Histogram::new(bounds), Histogram::new(bounds)];
        ModelMeter {
            waiting: Arc::default(),
            read: Counter::default(),
            written: Counter::default(),
            abandoned: Counter::default(),
            panics: Counter::default(),
            reloads: Counter::default(),
            failed_reloads: Counter::default(),
            jobs: two(SIZES),
            rows: two(SIZES),
            seconds: two(SECONDS),
        }
    }
}

impl ModelMeter {
    /// A batch of one turn of the worker.
    pub fn batch(&self, reads: bool, jobs: usize, rows: usize, time: Duration) {
        let kind = usize::from(!reads);
        self.jobs[kind].observe(jobs as f64);
        self.rows[kind].observe(rows as f64);
        self.seconds[kind].observe(time.as_secs_f64());
    }
}

/// What is counted of the requests.
#[derive(Default)]
pub struct Requests {
    /// By route.
    routes: Mutex<BTreeMap<String, Route>>,
}

struct Route {
    by_status: BTreeMap<u16, u64>,
    seconds: Histogram,
}

impl Requests {
    /// A request to a route of the table (or `other`) was answered.
    pub fn answered(&self, route: &str, status: u16, time: Duration) {
        let mut routes = self.lock();
        if !routes.contains_key(route) {
            routes.insert(route.into(), Route { by_status: BTreeMap::new(), seconds: Histogram::new(SECONDS) });
        }
        let Some(route) = routes.get_mut(route) else { return };
        *route.by_status.entry(status).or_default() += 1;
        route.seconds.observe(time.as_secs_f64());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Route>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

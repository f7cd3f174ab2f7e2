//! Work off the models' threads: on plain matrices a lane for what is soon done, and one for what takes long; a lane for
//! documents.
//!
//! Each lane has threads of its own, so that a map that is drawn for minutes holds up neither the models nor searches.
//! The number of threads does not change what comes out.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread::available_parallelism,
    time::Instant,
};

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use super::Ticket;
use crate::{metrics::LaneMeter, refusal::Refusal};

/// The lanes of a server.
pub struct Lanes {
    /// For what takes moments, such as a search.
    pub quick: Lane,
    /// For what may take minutes, such as a map.
    pub long: Lane,
    /// For document models, whose sentences come one after the other.
    pub documents: Lane,
}

/// A bounded queue and the threads that work it off.
pub struct Lane {
    pool: ThreadPool,
    queue: usize,
    pub meter: Arc<LaneMeter>,
}

impl Lanes {
    /// Lanes on which at most `queue` requests wait.
    ///
    /// # Errors
    /// If the system has no threads to give.
    pub fn new(queue: usize) -> std::io::Result<Self> {
        let lane = |name| Lane::new(name, queue);
        Ok(Lanes { quick: lane("quick")?, long: lane("long")?, documents: lane("documents")? })
    }
}

impl Lane {
    fn new(name: &'static str, queue: usize) -> std::io::Result<Self> {
        let threads = available_parallelism().map_or(1, |n| n.get().div_ceil(2));
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(move |i| format!("strait-{name}-{i}"));
        Ok(Lane { pool: pool.build().map_err(std::io::Error::other)?, queue, meter: Arc::default() })
    }

    /// Has something worked out, in turn. If the request is given up before its turn, it is not begun.
    ///
    /// # Errors
    /// [`Refusal::QueueFull`] if too many wait, or what `work` says.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.start(work)?.await.unwrap_or(Err(Refusal::Stopped))
    }

    /// The same without waiting: what comes out is received. Dropping the receiver gives the work up.
    ///
    /// # Errors
    /// [`Refusal::QueueFull`] if too many wait.
    pub fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, Refusal>>, Refusal> {
        let waiting = &self.meter.waiting;
        let room = |n: usize| (n < self.queue).then_some(n + 1);
        if waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
            return Err(Refusal::QueueFull { queue: self.queue });
        }
        let (ticket, meter) = (Ticket::new(waiting), self.meter.clone());
        let (answer, answered) = oneshot::channel();
        self.pool.spawn_fifo(move || {
            if answer.is_closed() {
                return;
            }
            let began = Instant::now();
            let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Refusal::Panicked));
            meter.seconds.observe(began.elapsed().as_secs_f64());
            drop(ticket); // before the answer: whoever has it finds the place free
            let _ = answer.send(done);
        });
        Ok(answered)
    }

    /// Does something on the lane's threads while the caller, no thread of theirs, waits.
    pub fn wait_for<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Mutex, atomic::AtomicUsize, mpsc},
        time::Duration,
    };

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn what_takes_long_does_not_hold_up_what_is_short() {
        let lanes = Lanes::new(8).unwrap();
        let (go, gone) = mpsc::channel::<()>();
        let gone = Mutex::new(gone);
        runtime().block_on(async {
            let long = lanes.long.run(move || gone.lock().unwrap().recv().map_err(|_| Refusal::Stopped));
            let short = async {
                assert_eq!(lanes.quick.run(|| Ok(1)).await, Ok(1));
                go.send(()).unwrap();
            };
            let (long, ()) = tokio::join!(long, short);
            assert_eq!(long, Ok(()));
        });
        assert_eq!(lanes.long.meter.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn too_many_are_refused_and_a_panic_is_one_request_s_end() {
        let none = Lanes::new(0).unwrap();
        let lanes = Lanes::new(8).unwrap();
        runtime().block_on(async {
            assert_eq!(none.quick.run(|| Ok(())).await, Err(Refusal::QueueFull { queue: 0 }));
            let panics = lanes.quick.run::<()>(|| panic!("as a test")).await;
            assert_eq!(panics, Err(Refusal::Panicked));
            assert_eq!(lanes.quick.run(|| Ok(2)).await, Ok(2));
        });
    }

    #[test]
    fn what_nobody_waits_for_is_not_begun() {
        let lanes = Lanes::new(8).unwrap();
        let (go, gone) = mpsc::channel::<()>();
        let gone = Mutex::new(gone);
        let begun = Arc::new(AtomicUsize::new(0));
        runtime().block_on(async {
            let threads = lanes.long.pool.current_num_threads();
            let gone = Arc::new(gone);
            let mut held: Vec<_> = (0..threads)
                .map(|_| {
                    let gone = gone.clone();
                    Box::pin(lanes.long.run(move || {
                        let _ = gone.lock().unwrap().recv();
                        Ok(())
                    }))
                })
                .collect();
            for held in &mut held {
                assert!(tokio::time::timeout(Duration::from_millis(1), held).await.is_err());
            }
            let begun = begun.clone();
            let given_up = lanes.long.run(move || {
                begun.fetch_add(1, Ordering::Relaxed);
                Ok(())
            });
            assert!(tokio::time::timeout(Duration::from_millis(5), given_up).await.is_err());
            drop(go);
            for held in held {
                held.await.unwrap();
            }
        });
        assert_eq!(begun.load(Ordering::Relaxed), 0);
    }
}

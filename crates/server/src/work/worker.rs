//! The worker: one thread for each model, a batch of rows a turn.

use std::{
    collections::VecDeque,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use strait::{Latents, Oddness};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Engine, Input, Job, Reply, Ticket,
    job::{Active, Stage},
};
use crate::{metrics::ModelMeter, options::Batching, refusal::Refusal};

type Inbox = Receiver<(Job, UnboundedSender<Reply>, Ticket)>;

pub(super) struct Worker<E> {
    engine: Arc<E>,
    inbox: Inbox,
    batching: Batching,
    meter: Arc<ModelMeter>,
    /// The next turn is the first one's.
    active: VecDeque<Active>,
    /// Whether the first one had the last turn, and goes behind all that have come meanwhile.
    had_turn: bool,
    /// Jobs of the last turn: if there were several, as many are probably on their way.
    expected: usize,
}

/// Rows of one turn: the places of the jobs, and which of their rows.
type Batch = Vec<(usize, Range<usize>)>;

/// Works until nobody can hand in jobs any more and all are done.
pub(super) fn run<E: Engine>(mut worker: Worker<E>) {
    while worker.gather() {
        worker.forget();
        worker.turn();
    }
}

impl<E: Engine> Worker<E> {
    pub fn new(engine: Arc<E>, inbox: Inbox, batching: Batching, meter: Arc<ModelMeter>) -> Self {
        Worker { engine, inbox, batching, meter, active: VecDeque::new(), had_turn: false, expected: 1 }
    }

    /// Takes in what has come; waits if there is nothing to do, and a moment if more is likely. False at the end.
    /// Clients that were served together mostly ask again together: waiting for them costs less than serving the first
    /// one of them alone.
    fn gather(&mut self) -> bool {
        if self.active.is_empty() {
            match self.inbox.recv() {
                Ok(job) => self.admit(job),
                Err(_) => return false,
            }
        }
        while let Ok(job) = self.inbox.try_recv() {
            self.admit(job);
        }
        if std::mem::take(&mut self.had_turn) {
            self.active.rotate_left(1);
        }
        if self.batching.merge {
            let end = Instant::now() + Duration::from_millis(self.batching.window_ms);
            while self.active.len() < self.expected && self.tokens_waiting() < self.batching.tokens {
                match self.inbox.recv_timeout(end.saturating_duration_since(Instant::now())) {
                    Ok(job) => self.admit(job),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
        }
        true
    }

    fn tokens_waiting(&self) -> usize {
        self.active.iter().map(|job| job.tokens_left(self.batching.tokens)).sum()
    }

    /// Reads the tokens of a new job.
    fn admit(&mut self, (mut job, reply, ticket): (Job, UnboundedSender<Reply>, Ticket)) {
        let scored = matches!(job.input, Input::Scored(_));
        let ids = match std::mem::replace(&mut job.input, Input::Nothing) {
            Input::Texts(texts) | Input::Scored(texts) => catch_unwind(AssertUnwindSafe(|| self.engine.tokens(&texts))),
            Input::Tokens(ids) => Ok(ids),
            Input::Nothing => Ok(Vec::new()),
        };
        let failed = ids.is_err();
        let ids = ids.unwrap_or_default();
        let nothing_to_read = ids.is_empty();
        let mut active = Active::new(job, (ids, scored), reply, ticket);
        if failed {
            panicked(&self.meter, &mut active);
        } else if nothing_to_read {
            guarded(&self.meter, &mut active, Active::turn);
        }
        if !active.is_over() {
            self.active.push_back(active);
        }
    }

    /// Drops jobs whose clients have gone.
    fn forget(&mut self) {
        let before = self.active.len();
        self.active.retain(|job| !job.is_abandoned());
        self.meter.abandoned.add((before - self.active.len()) as u64);
    }

    /// One batch.
    fn turn(&mut self) {
        let batch = self.pick();
        let Some(first) = batch.first() else { return };
        let (jobs, rows) = (batch.len(), batch.iter().map(|(_, rows)| rows.len()).sum::<usize>());
        let reads = matches!(self.active[first.0].stage, Stage::Read(_));
        let began = Instant::now();
        if !self.work(&batch) {
            // One of them is to blame; alone, the others succeed.
            for part in &batch {
                if jobs == 1 || !self.work(std::slice::from_ref(part)) {
                    panicked(&self.meter, &mut self.active[part.0]);
                }
            }
        }
        self.meter.batch(reads, jobs, rows, began.elapsed());
        self.expected = jobs;
        self.had_turn = !self.active.front().is_none_or(Active::is_over);
        self.active.retain(|job| !job.is_over());
    }

    /// Rows of the first job, and of those that go with it, up to the budget.
    fn pick(&self) -> Batch {
        let Some(first) = self.active.front() else { return Vec::new() };
        let mut batch = Vec::new();
        let mut budget = self.batching.tokens;
        for (i, job) in self.active.iter().enumerate() {
            if i > 0 && (!self.batching.merge || budget == 0 || !first.goes_with(job)) {
                continue;
            }
            let (rows, cost) = job.next_rows(budget, i == 0);
            budget = budget.saturating_sub(cost);
            if !rows.is_empty() {
                batch.push((i, rows));
            }
        }
        batch
    }

    /// Works on rows and hands them out; false if that panicked, or failed otherwise, before anything was handed out.
    fn work(&mut self, batch: &[(usize, Range<usize>)]) -> bool {
        let done = catch_unwind(AssertUnwindSafe(|| match &self.active[batch[0].0].stage {
            Stage::Read(_) => self.read(batch),
            Stage::Write { .. } => self.write(batch),
            Stage::Over => None,
        }));
        let Ok(Some(done)) = done else { return false };
        match done {
            Rows::Read(latents, odd) => {
                let (mut at, mut odd) = (0, odd.into_iter());
                for (i, rows) in batch {
                    let part = &latents.data()[at * latents.dim()..][..rows.len() * latents.dim()];
                    at += rows.len();
                    let part = (part, latents.dim());
                    guarded(&self.meter, &mut self.active[*i], |job| job.was_read(rows.len(), part, &mut odd));
                }
            }
            Rows::Written(texts) => {
                self.meter.written.add(texts.iter().map(|t| t.tokens as u64).sum());
                let mut texts = texts.into_iter();
                for (i, rows) in batch {
                    self.active[*i].was_written(texts.by_ref().take(rows.len()));
                }
            }
        }
        true
    }

    fn read(&self, batch: &[(usize, Range<usize>)]) -> Option<Rows> {
        let (mut all, mut scored): (Vec<&[u32]>, bool) = (Vec::new(), false);
        for (i, rows) in batch {
            let Stage::Read(reading) = &self.active[*i].stage else { return None };
            scored = reading.odd.is_some();
            all.extend(reading.ids[rows.clone()].iter().map(Vec::as_slice));
        }
        self.meter.read.add(all.iter().map(|ids| ids.len() as u64).sum());
        match scored {
            true => self.engine.score(&all).ok().map(|(latents, odd)| Rows::Read(latents, odd)),
            false => self.engine.encode(&all).ok().map(|latents| Rows::Read(latents, Vec::new())),
        }
    }

    fn write(&self, batch: &[(usize, Range<usize>)]) -> Option<Rows> {
        let (mut values, mut seeds, mut dim) = (Vec::new(), Vec::new(), 0);
        for (i, rows) in batch {
            let Stage::Write { latents, seeds: own, .. } = &self.active[*i].stage else { return None };
            dim = latents.dim();
            values.extend_from_slice(&latents.data()[rows.start * dim..rows.end * dim]);
            seeds.extend_from_slice(&own[rows.clone()]);
        }
        let latents = match dim {
            0 => Latents::without_values(seeds.len()),
            _ => Latents::new(values, dim),
        };
        let writing = self.active[batch[0].0].writing.as_ref()?;
        self.engine.decode(&latents, &writing.decoding, &seeds).ok().map(Rows::Written)
    }
}

/// What a batch gave, in its order.
enum Rows {
    Read(Latents, Vec<Oddness>),
    Written(Vec<strait::Decoded>),
}

/// Does something to a job that runs what its request brought; a panic there is the job's end.
fn guarded(meter: &ModelMeter, job: &mut Active, act: impl FnOnce(&mut Active)) {
    if catch_unwind(AssertUnwindSafe(|| act(job))).is_err() {
        panicked(meter, job);
    }
}

fn panicked(meter: &ModelMeter, job: &mut Active) {
    meter.panics.add(1);
    job.fail(Refusal::Panicked);
}

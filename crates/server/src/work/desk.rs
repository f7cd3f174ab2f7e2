//! Where jobs are handed in: a bounded queue before the worker's thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use strait::{Decoded, Latents, Oddness};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Engine, Input, Job, Reply,
    worker::{self, Worker},
};
use crate::{metrics::ModelMeter, options::Batching, refusal::Refusal};

/// The way to a worker. When the last desk is gone, the worker finishes what it has and ends.
pub struct Desk {
    jobs: mpsc::Sender<(Job, UnboundedSender<Reply>, Ticket)>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
}

/// A place in a queue, free again when it is dropped.
pub struct Ticket(Arc<AtomicUsize>);

impl Ticket {
    /// A place that has been counted in `waiting`.
    pub fn new(waiting: &Arc<AtomicUsize>) -> Self {
        Ticket(waiting.clone())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Everything a job sent back.
#[derive(Debug, Default)]
pub struct Answer {
    /// Tokens read.
    pub read: usize,
    /// How odd what was read is, if that was asked.
    pub odd: Vec<Oddness>,
    pub latents: Option<Latents>,
    pub texts: Vec<Decoded>,
}

impl Desk {
    /// Starts the worker's thread.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub fn open(
        engine: Arc<impl Engine>,
        batching: Batching,
        queue: usize,
        meter: Arc<ModelMeter>,
    ) -> std::io::Result<Self> {
        let (jobs, inbox) = mpsc::channel();
        let worker = Worker::new(engine, inbox, batching, meter.clone());
        thread::Builder::new().name("strait-worker".into()).spawn(move || worker::run(worker))?;
        Ok(Desk { jobs, waiting: meter.waiting.clone(), queue })
    }

    /// Hands in a job; replies come from the receiver. Dropping that gives the job up.
    ///
    /// # Errors
    /// [`Refusal::QueueFull`] if too many wait, [`Refusal::Stopped`] if the worker has ended.
    pub fn submit(&self, job: Job) -> Result<UnboundedReceiver<Reply>, Refusal> {
        let room = |waiting: usize| (waiting < self.queue).then_some(waiting + 1);
        if self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
            return Err(Refusal::QueueFull { queue: self.queue });
        }
        let ticket = Ticket::new(&self.waiting);
        let (reply, replies) = unbounded_channel();
        self.jobs.send((job, reply, ticket)).map_err(|_| Refusal::Stopped)?;
        Ok(replies)
    }

    /// Hands in a job and waits for all of its answer.
    ///
    /// # Errors
    /// As [`Desk::submit`], or if the job failed.
    pub async fn answer(&self, job: Job) -> Result<Answer, Refusal> {
        let mut replies = self.submit(job)?;
        let mut answer = Answer::default();
        while let Some(reply) = replies.recv().await {
            if answer.take(reply)? {
                return Ok(answer);
            }
        }
        Err(Refusal::Stopped)
    }

    /// The same on a thread that may wait.
    ///
    /// # Errors
    /// As [`Desk::answer`].
    ///
    /// # Panics
    /// On a thread of an asynchronous runtime.
    pub fn answer_blocking(&self, job: Job) -> Result<Answer, Refusal> {
        let mut replies = self.submit(job)?;
        let mut answer = Answer::default();
        while let Some(reply) = replies.blocking_recv() {
            if answer.take(reply)? {
                return Ok(answer);
            }
        }
        Err(Refusal::Stopped)
    }

    /// The latents of texts, a row each.
    ///
    /// # Errors
    /// As [`Desk::answer`].
    pub async fn encode(&self, texts: Vec<String>) -> Result<Answer, Refusal> {
        self.answer(Job { input: Input::Texts(texts), turn: Box::new(Ok), writing: None }).await
    }
}

impl Answer {
    /// Takes in a reply; true at the last one.
    fn take(&mut self, reply: Reply) -> Result<bool, Refusal> {
        match reply {
            Reply::Read(tokens) => self.read = tokens,
            Reply::Odd(odd) => self.odd = odd,
            Reply::Latents(latents) => self.latents = Some(latents),
            Reply::Text(text) => self.texts.push(text),
            Reply::Failed(why) => return Err(why),
            Reply::Done => return Ok(true),
        }
        Ok(false)
    }

    /// The latents of a job without writing.
    ///
    /// # Errors
    /// If it had none.
    pub fn into_latents(self) -> Result<Latents, Refusal> {
        self.latents.ok_or(Refusal::Stopped)
    }
}

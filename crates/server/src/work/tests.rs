//! The worker with an engine whose every step can be seen and held.

use std::{
    sync::{
        Arc, Mutex,
        atomic::Ordering,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use strait::{Decoded, Decoding, DecodingOptions, Error, Latents, Oddness};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Answer, Desk, Engine, Input, Job, Reply, Writing};
use crate::{metrics::ModelMeter, options::Batching, refusal::Refusal};

/// A token at which it panics.
const BAD: u32 = 99;

/// Writes each latent and its seed. Each batch is told of, then waits for a word to go on.
struct Fake {
    batches: Mutex<Sender<usize>>,
    go: Mutex<Receiver<()>>,
}

impl Engine for Fake {
    fn tokens(&self, texts: &[String]) -> Vec<Vec<u32>> {
        texts.iter().map(|text| text.bytes().map(u32::from).collect()).collect()
    }
    fn encode(&self, ids: &[&[u32]]) -> Result<Latents, Error> {
        assert!(!ids.iter().any(|ids| ids.contains(&BAD)), "a bad token, as the test wants it");
        Ok(Latents::new(ids.iter().map(|ids| ids.iter().sum::<u32>() as f32).collect(), 1))
    }
    fn score(&self, ids: &[&[u32]]) -> Result<(Latents, Vec<Oddness>), Error> {
        let odd = |ids: &&[u32]| Oddness {
            nats: ids.len() as f64,
            nats_per_token: 1.0,
            log_density: None,
            tokens: Vec::new(),
            end: 0.0,
        };
        Ok((self.encode(ids)?, ids.iter().map(odd).collect()))
    }
    fn decode(&self, latents: &Latents, _: &Decoding, seeds: &[u64]) -> Result<Vec<Decoded>, Error> {
        let _ = self.batches.lock().unwrap().send(seeds.len());
        let _ = self.go.lock().unwrap().recv();
        let row = |(z, seed): (&[f32], &u64)| Decoded { text: format!("{} {seed}", z[0]), tokens: 1, finished: true };
        Ok(latents.rows().zip(seeds).map(row).collect())
    }
}

struct Held {
    desk: Desk,
    meter: Arc<ModelMeter>,
    batches: Receiver<usize>,
    go: Sender<()>,
}

impl Held {
    fn new(batching: Batching, queue: usize) -> Self {
        let ((told, batches), (go, may)) = (channel(), channel());
        let meter = Arc::<ModelMeter>::default();
        let fake = Arc::new(Fake { batches: Mutex::new(told), go: Mutex::new(may) });
        let desk = Desk::open(fake, batching, queue, meter.clone()).unwrap();
        Held { desk, meter, batches, go }
    }

    fn submit(&self, job: Job) -> UnboundedReceiver<Reply> {
        self.desk.submit(job).unwrap()
    }

    /// Lets every batch pass from now on.
    fn release(self) -> Receiver<usize> {
        drop(self.go);
        drop(self.desk);
        self.batches
    }
}

fn writing(seed: u64, stream: bool) -> Option<Writing> {
    let options = DecodingOptions { max_len: 4, ..DecodingOptions::default() };
    Some(Writing { decoding: Decoding { options: Some(options), ..Decoding::default() }, seed, stream })
}

/// Writes `n` latents.
fn rows(n: usize, seed: u64, stream: bool) -> Job {
    let latents = Latents::new((0..n).map(|i| i as f32).collect(), 1);
    Job { input: Input::Nothing, turn: Box::new(move |_| Ok(latents)), writing: writing(seed, stream) }
}

fn through(ids: Vec<Vec<u32>>) -> Job {
    Job { input: Input::Tokens(ids), turn: Box::new(Ok), writing: writing(1, false) }
}

fn answer(mut replies: UnboundedReceiver<Reply>) -> Result<Answer, Refusal> {
    let mut answer = Answer::default();
    loop {
        match replies.blocking_recv().expect("a last word") {
            Reply::Text(text) => answer.texts.push(text),
            Reply::Failed(why) => return Err(why),
            Reply::Done => return Ok(answer),
            Reply::Read(_) | Reply::Odd(_) | Reply::Latents(_) => {}
        }
    }
}

fn texts(replies: UnboundedReceiver<Reply>) -> Vec<String> {
    answer(replies).unwrap().texts.into_iter().map(|t| t.text).collect()
}

#[test]
fn what_waits_is_worked_on_together_and_has_the_same_answers() {
    let held = Held::new(Batching { window_ms: 0, ..Batching::default() }, 9);
    let first = held.submit(rows(1, 7, false));
    assert_eq!(held.batches.recv().unwrap(), 1);
    let others: Vec<_> = (0..3).map(|seed| held.submit(rows(2, seed, false))).collect();
    let batches = held.release();
    assert_eq!(batches.iter().collect::<Vec<_>>(), [6]);
    let together: Vec<_> = others.into_iter().map(texts).collect();
    texts(first);

    let alone = Held::new(Batching { merge: false, ..Batching::default() }, 9);
    let first = alone.submit(rows(1, 7, false));
    let others: Vec<_> = (0..3).map(|seed| alone.submit(rows(2, seed, false))).collect();
    assert_eq!(alone.release().iter().collect::<Vec<_>>(), [1, 2, 2, 2]);
    assert_eq!(together, others.into_iter().map(texts).collect::<Vec<_>>());
    texts(first);
}

#[test]
fn a_batch_keeps_to_its_tokens_and_jobs_take_turns() {
    let held = Held::new(Batching { tokens: 12, window_ms: 0, merge: false }, 9);
    let long = held.submit(rows(7, 1, false));
    assert_eq!(held.batches.recv().unwrap(), 3);
    let short = held.submit(rows(1, 2, false));
    // The short one has its turn before the long one goes on.
    assert_eq!(held.release().iter().collect::<Vec<_>>(), [1, 3, 1]);
    assert_eq!((texts(long).len(), texts(short).len()), (7, 1));
}

#[test]
fn a_stream_begins_with_one_text() {
    let held = Held::new(Batching::default(), 9);
    let stream = held.submit(rows(40, 1, true));
    assert_eq!(held.release().iter().collect::<Vec<_>>(), [1, 2, 4, 8, 16, 9]);
    assert_eq!(texts(stream).len(), 40);
}

#[test]
fn a_panic_is_the_end_of_one_request_only() {
    let held = Held::new(Batching { window_ms: 0, ..Batching::default() }, 9);
    let first = held.submit(rows(1, 1, false));
    held.batches.recv().unwrap();
    let good = held.submit(through(vec![vec![1, 2]]));
    let bad = held.submit(through(vec![vec![1], vec![BAD]]));
    let mut broken = through(vec![vec![3]]);
    broken.turn = Box::new(|_| panic!("a bad turn, as the test wants it"));
    let broken = held.submit(broken);
    let after = held.submit(rows(1, 1, false));
    let meter = held.meter.clone();
    held.release();
    assert_eq!(texts(good).len(), 1);
    assert_eq!(answer(bad).unwrap_err(), Refusal::Panicked);
    assert_eq!(answer(broken).unwrap_err(), Refusal::Panicked);
    assert_eq!(texts(first), texts(after));
    assert_eq!(meter.panics.get(), 2);
}

#[test]
fn what_nobody_waits_for_is_not_done() {
    let held = Held::new(Batching { tokens: 4, ..Batching::default() }, 9);
    let gone = held.submit(rows(1000, 1, false));
    held.batches.recv().unwrap();
    drop(gone);
    let meter = held.meter.clone();
    assert_eq!(meter.waiting.load(Ordering::Relaxed), 1);
    assert_eq!(held.release().iter().count(), 0);
    let end = Instant::now() + Duration::from_secs(5);
    while meter.waiting.load(Ordering::Relaxed) > 0 {
        assert!(Instant::now() < end);
        std::thread::yield_now();
    }
    assert_eq!(meter.abandoned.get(), 1);
}

#[test]
fn a_full_queue_refuses_and_has_room_again() {
    let held = Held::new(Batching::default(), 2);
    let waiting: Vec<_> = (0..2).map(|_| held.submit(rows(1, 1, false))).collect();
    assert_eq!(held.desk.submit(rows(1, 1, false)).err(), Some(Refusal::QueueFull { queue: 2 }));
    for _ in 0..3 {
        held.go.send(()).unwrap();
    }
    waiting.into_iter().for_each(|w| drop(texts(w)));
    assert_eq!(held.meter.waiting.load(Ordering::Relaxed), 0);
    assert_eq!(texts(held.submit(rows(1, 1, false))).len(), 1);
}

#[test]
fn nothing_to_write_is_an_answer_too() {
    let held = Held::new(Batching::default(), 2);
    let none = Job { input: Input::Nothing, turn: Box::new(Ok), writing: writing(1, false) };
    assert_eq!(texts(held.submit(none)).len(), 0);
}

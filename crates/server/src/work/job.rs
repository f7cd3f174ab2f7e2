//! A request as the worker sees it.

use std::ops::Range;

use strait::{Decoded, Decoding, Latents, Model, Oddness};
use tokio::sync::mpsc::UnboundedSender;

use super::Ticket;
use crate::refusal::Refusal;

/// Rows of the first slice of a job that streams; each slice has twice the rows of the one before.
const FIRST_SLICE: usize = 1;
/// Most rows of a slice of a job that streams.
const LAST_SLICE: usize = 16;

/// What a request asks of a model.
pub struct Job {
    /// What is read.
    pub input: Input,
    /// What becomes of the latents that were read (or of none).
    pub turn: Turn,
    /// How the latents are written as texts; without it, they are the answer.
    pub writing: Option<Writing>,
}

/// What is read.
#[derive(Debug)]
pub enum Input {
    Texts(Vec<String>),
    /// Texts whose oddness is part of the answer.
    Scored(Vec<String>),
    Tokens(Vec<Vec<u32>>),
    /// Nothing: the turn brings the latents.
    Nothing,
}

/// Latents to latents.
pub type Turn = Box<dyn FnOnce(Latents) -> Result<Latents, strait::Error> + Send>;

/// How latents are written.
#[derive(Debug, Clone)]
pub struct Writing {
    pub decoding: Decoding,
    pub seed: u64,
    /// Whether texts are awaited one by one.
    pub stream: bool,
}

/// What the worker sends back.
#[derive(Debug)]
pub enum Reply {
    /// So many tokens were read.
    Read(usize),
    /// How odd the texts are that were read, if that was asked.
    Odd(Vec<Oddness>),
    /// The latents, the answer of a job without writing.
    Latents(Latents),
    /// A text; they come in order.
    Text(Decoded),
    /// It failed; nothing follows.
    Failed(Refusal),
    /// All was sent.
    Done,
}

/// A job at work.
pub(super) struct Active {
    pub stage: Stage,
    pub writing: Option<Writing>,
    turn: Option<Turn>,
    reply: UnboundedSender<Reply>,
    /// The job's place in the queue until the last reply.
    ticket: Option<Ticket>,
    slice: usize,
}

pub(super) enum Stage {
    /// Rows `next..` are still to be read.
    Read(Reading),
    /// Rows `next..` are still to be written.
    Write { latents: Latents, seeds: Vec<u64>, next: usize },
    /// Nothing is left.
    Over,
}

pub(super) struct Reading {
    pub ids: Vec<Vec<u32>>,
    next: usize,
    /// Latents of the rows before, (next, dim).
    values: Vec<f32>,
    dim: usize,
    /// How odd they are, if that is asked.
    pub odd: Option<Vec<Oddness>>,
}

impl Active {
    /// A job whose texts are these token ids; `scored` if their oddness is asked.
    pub fn new(job: Job, (ids, scored): (Vec<Vec<u32>>, bool), reply: UnboundedSender<Reply>, ticket: Ticket) -> Self {
        let slice = if job.writing.as_ref().is_some_and(|w| w.stream) { FIRST_SLICE } else { usize::MAX };
        let stage = Stage::Read(Reading { ids, next: 0, values: Vec::new(), dim: 0, odd: scored.then(Vec::new) });
        Active { stage, writing: job.writing, turn: Some(job.turn), reply, ticket: Some(ticket), slice }
    }

    /// Whether nobody waits for it any more.
    pub fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Whether both are in the same stage and their rows can be worked on together.
    pub fn goes_with(&self, other: &Active) -> bool {
        match (&self.stage, &other.stage) {
            (Stage::Read(own), Stage::Read(others)) => own.odd.is_some() == others.odd.is_some(),
            (Stage::Write { .. }, Stage::Write { .. }) => {
                self.writing.as_ref().map(|w| &w.decoding) == other.writing.as_ref().map(|w| &w.decoding)
            }
            _ => false,
        }
    }

    /// Tokens of row `next + i` at most; `None` beyond the last row.
    fn cost(&self, i: usize) -> Option<usize> {
        match &self.stage {
            Stage::Read(reading) => reading.ids.get(reading.next + i).map(|ids| ids.len() + 1),
            Stage::Write { latents, next, .. } => (next + i < latents.len()).then(|| {
                let options = self.writing.as_ref().and_then(|w| w.decoding.options.as_ref());
                options.map_or(1, |o| o.max_len.saturating_mul(o.beam).max(1))
            }),
            Stage::Over => None,
        }
    }

    /// The next rows, of at most `budget` tokens, and their cost; at least one row if `some`.
    pub fn next_rows(&self, budget: usize, some: bool) -> (Range<usize>, usize) {
        let start = match self.stage {
            Stage::Read(Reading { next, .. }) | Stage::Write { next, .. } => next,
            Stage::Over => 0,
        };
        let (mut rows, mut total) = (0, 0usize);
        while rows < self.slice
            && let Some(cost) = self.cost(rows)
            && (total.saturating_add(cost) <= budget || (some && rows == 0))
        {
            rows += 1;
            total += cost;
        }
        (start..start + rows, total)
    }

    /// Tokens of all rows that are left, at most `limit`.
    pub fn tokens_left(&self, limit: usize) -> usize {
        let mut total = 0usize;
        for cost in (0..).map_while(|i| self.cost(i)) {
            total = total.saturating_add(cost);
            if total >= limit {
                return limit;
            }
        }
        total
    }

    /// Rows were read: latents (rows, `dim`) and how odd they are. After the last one comes the turn.
    pub fn was_read(&mut self, rows: usize, (part, width): (&[f32], usize), odd: &mut impl Iterator<Item = Oddness>) {
        let Stage::Read(reading) = &mut self.stage else { return };
        reading.values.extend_from_slice(part);
        if let Some(all) = &mut reading.odd {
            all.extend(odd.take(rows));
        }
        reading.dim = width;
        reading.next += rows;
        if reading.next == reading.ids.len() {
            self.turn();
        }
    }

    /// From latents that were read to those that are written, or to the answer.
    pub fn turn(&mut self) {
        let Stage::Read(reading) = std::mem::replace(&mut self.stage, Stage::Over) else { return };
        let latents = match reading.dim {
            0 => Latents::without_values(reading.ids.len()),
            _ => Latents::new(reading.values, reading.dim),
        };
        self.send(Reply::Read(reading.ids.iter().map(Vec::len).sum()));
        if let Some(odd) = reading.odd {
            self.send(Reply::Odd(odd));
        }
        let Some(turn) = self.turn.take() else { return };
        match (turn(latents), &self.writing) {
            (Err(e), _) => self.fail(Refusal::invalid("", e.to_string())),
            (Ok(latents), Some(writing)) if !latents.is_empty() => {
                let seeds = Model::row_seeds(writing.seed, 0, latents.len());
                self.stage = Stage::Write { latents, seeds, next: 0 };
            }
            (Ok(_), Some(_)) => self.end(Reply::Done),
            (Ok(latents), None) => {
                self.send(Reply::Latents(latents));
                self.end(Reply::Done);
            }
        }
    }

    /// Rows were written.
    pub fn was_written(&mut self, texts: impl Iterator<Item = Decoded>) {
        for text in texts {
            let Stage::Write { next, .. } = &mut self.stage else { return };
            *next += 1;
            self.send(Reply::Text(text));
        }
        if self.slice < LAST_SLICE {
            self.slice *= 2;
        }
        if let Stage::Write { latents, next, .. } = &self.stage
            && *next == latents.len()
        {
            self.stage = Stage::Over;
            self.end(Reply::Done);
        }
    }

    /// Gives it up.
    pub fn fail(&mut self, why: Refusal) {
        self.stage = Stage::Over;
        self.end(Reply::Failed(why));
    }

    /// Sends the last reply; whoever has it finds the job's place in the queue free.
    fn end(&mut self, last: Reply) {
        self.ticket = None;
        self.send(last);
    }

    /// Whoever waited may be gone.
    fn send(&self, reply: Reply) {
        let _ = self.reply.send(reply);
    }
}

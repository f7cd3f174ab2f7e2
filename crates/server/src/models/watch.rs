//! Looks at the model folders every moment or so, and has replaced ones read again.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use super::{Entry, Shelf, Stamp};

/// What the folders were when they were last looked at.
pub struct Watch {
    shelf: Arc<Shelf>,
    seen: Vec<Seen>,
}

/// What is known of one folder.
struct Seen {
    /// What the folder was when it was last read.
    read: Option<Stamp>,
    /// What it was at the last look.
    last: Option<Stamp>,
    /// What was wrong before the folder went, if it has gone.
    gone: Option<Option<String>>,
}

impl Watch {
    /// Takes a first look; begin before the folders are read, so that no change is missed.
    pub fn new(shelf: Arc<Shelf>) -> Self {
        let seen = shelf.entries().iter().map(Entry::stamp).map(|s| Seen { read: s.clone(), last: s, gone: None });
        let seen = seen.collect();
        Watch { shelf, seen }
    }

    /// Looks again and again, until the other end of `stopped` is dropped.
    pub fn run(mut self, stopped: &Receiver<()>, every: Duration) {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            for (entry, seen) in self.shelf.entries().iter().zip(&mut self.seen) {
                look_at(&self.shelf, entry, seen);
            }
        }
    }
}

fn look_at(shelf: &Shelf, entry: &Entry, seen: &mut Seen) {
    let now = entry.stamp();
    // A folder that is still being written looks different every time: it is read once it holds still.
    let still = now == seen.last;
    seen.last = now.clone();
    if !still {
        return;
    }
    match now {
        None if seen.gone.is_none() => {
            seen.gone = Some(entry.problem());
            entry.set_problem(Some(format!("{}: the model is gone; the one in memory stays", entry.dir.display())));
        }
        None => {}
        Some(_) if now == seen.read => {
            if let Some(before) = seen.gone.take() {
                entry.set_problem(before);
            }
        }
        Some(_) => {
            (seen.read, seen.gone) = (now, None);
            shelf.reload(entry);
        }
    }
}

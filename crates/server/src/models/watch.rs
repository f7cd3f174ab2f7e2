//! Looks at the model folders every moment or so, and has replaced ones read again.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use super::{Entry, Served, ServingDocument, Shelf, Stamp};

/// What the folders were when they were last looked at.
pub struct Watch {
    shelf: Arc<Shelf>,
    models: Vec<Seen>,
    documents: Vec<Seen>,
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
        let models = shelf.entries().iter().map(Seen::first).collect();
        let documents = shelf.documents().iter().map(Seen::first).collect();
        Watch { shelf, models, documents }
    }

    /// Looks again and again, until the other end of `stopped` is dropped.
    pub fn run(mut self, stopped: &Receiver<()>, every: Duration) {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            let shelf = &self.shelf;
            for (entry, seen) in shelf.entries().iter().zip(&mut self.models) {
                if seen.is_replaced(entry) {
                    shelf.reloaded(entry, shelf.read(entry));
                }
            }
            for (entry, seen) in shelf.documents().iter().zip(&mut self.documents) {
                if seen.is_replaced(entry) {
                    shelf.reloaded(entry, ServingDocument::read(entry).map(Arc::new));
                }
            }
        }
    }
}

impl Seen {
    fn first<T: Served>(entry: &Entry<T>) -> Self {
        let stamp = entry.stamp();
        Seen { read: stamp.clone(), last: stamp, gone: None }
    }

    /// Looks again; whether something else is there that holds still.
    fn is_replaced<T: Served>(&mut self, entry: &Entry<T>) -> bool {
        let now = entry.stamp();
        // A folder that is still being written looks different every time: it is read once it holds still.
        let still = now == self.last;
        self.last = now.clone();
        if !still {
            return false;
        }
        match now {
            None if self.gone.is_none() => {
                self.gone = Some(entry.problem());
                entry.set_problem(Some(format!("{}: the model is gone; the one in memory stays", entry.dir.display())));
            }
            None => {}
            Some(_) if now == self.read => {
                if let Some(before) = self.gone.take() {
                    entry.set_problem(before);
                }
            }
            Some(_) => {
                (self.read, self.gone) = (now, None);
                return true;
            }
        }
        false
    }
}

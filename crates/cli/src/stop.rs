//! Ctrl-C: in a training the first one asks it to save and stop, the second one ends the program.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;

use crate::talk::say;

static ASKED: AtomicBool = AtomicBool::new(false);
static TRAINING: AtomicBool = AtomicBool::new(false);

/// While this lives, a first Ctrl-C sets [`Guard::asked`] instead of ending the program.
pub struct Guard(());

/// Begins to watch for Ctrl-C.
pub fn watch() -> anyhow::Result<Guard> {
    static HANDLER: OnceLock<()> = OnceLock::new();
    ASKED.store(false, Ordering::SeqCst);
    TRAINING.store(true, Ordering::SeqCst);
    if HANDLER.set(()).is_ok() {
        ctrlc::set_handler(interrupted).context("cannot watch for Ctrl-C")?;
    }
    Ok(Guard(()))
}

fn interrupted() {
    if !TRAINING.load(Ordering::SeqCst) || ASKED.swap(true, Ordering::SeqCst) {
        std::process::exit(1);
    }
    say!("\nSaving, a moment (Ctrl-C again to end at once; what was not saved yet would be lost) ...");
}

impl Guard {
    /// Set when the training is to stop.
    pub fn asked(&self) -> &AtomicBool {
        &ASKED
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        TRAINING.store(false, Ordering::SeqCst);
    }
}

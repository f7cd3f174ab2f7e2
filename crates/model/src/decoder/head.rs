//! Where a decoder that writes token by token ends.

use super::{manager::Manager, output::Output};

/// The output layer, and the manager that leads to it, if one does.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) output: Output,
    pub(super) manager: Option<Manager>,
}

impl Head {
    pub(super) fn new(output: Output) -> Self {
        Head { output, manager: None }
    }
}

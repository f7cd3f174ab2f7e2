//! The work on one model: requests become jobs, a thread takes rows of all jobs together.
//!
//! Work on plain matrices, which may take long, and on documents goes to lanes of its own.
//!
//! A job may read texts (to latents), turn latents into others, and write texts. Every row depends on its own input and
//! its own seed only, so that a request has the same answer whatever it is worked on with.

mod desk;
mod engine;
mod job;
mod lanes;
#[cfg(test)]
mod tests;
mod worker;

pub use desk::{Answer, Desk, Ticket};
pub use engine::{Engine, Engines};
pub use job::{Input, Job, Reply, Writing};
pub use lanes::Lanes;

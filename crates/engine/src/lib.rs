//! The numeric core of Strait: matrices, layers with gradients, optimisers. It knows nothing of text.
//!
//! Everything is a row-major `f32` matrix (rows, columns). Sequences are *packed*: sorted by length, time-major, no
//! padding (see [`Packing`]). Layers are recorded on a [`Tape`] and played backward; weights live in [`Params`].
//! Results are bit-identical for any number of threads: work is split over outputs, never over a sum.

pub mod error;
pub mod gemm;
pub mod init;
pub mod ops;
pub mod optim;
pub mod packing;
pub mod params;
pub mod pool;
pub mod schedule;
pub mod simd;
pub mod tape;
pub mod threads;

pub use error::Error;
pub use packing::Packing;
pub use params::{Param, ParamId, Params};
pub use tape::{Tape, Var};

//! One file a verb: its arguments, and what it does.

pub mod compare;
pub mod completions;
pub mod decode;
pub mod demo;
pub mod encode;
pub mod evaluate;
pub mod gan;
pub mod info;
pub mod interpolate;
pub mod man;
pub mod recipes;
pub mod reconstruct;
pub mod resume;
pub mod sample;
pub mod topics;
pub mod train;
pub mod vary;

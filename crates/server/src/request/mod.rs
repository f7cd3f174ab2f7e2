//! What a request asks: read from its body, checked against the limits, refused with the place of the mistake.

mod body;
pub mod check;
mod decoding;

pub use body::{Body, Plain, WithDecoding, join, read, take};
pub use decoding::DecodingFields;

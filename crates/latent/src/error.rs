//! What can be wrong with the input, one sentence each.

/// Why a matrix, or something said about it, cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LatentError {
    /// Without values there is nothing to compute.
    #[error("there are no latents; give at least one row with at least one value")]
    Empty,
    /// The values do not fill whole rows.
    #[error("{values} values do not fill rows of {dim}; give a whole number of rows")]
    Ragged { values: usize, dim: usize },
    /// A value is not a number, infinite, or so large that a squared distance would be.
    #[error("row {row}, column {column} holds {value}; latents are finite numbers below 1e15 in size")]
    NotFinite { row: usize, column: usize, value: f32 },
    /// Rows of two matrices that are compared differ in length.
    #[error("the latents have {found} values a row where {expected} are expected; were they made by another model?")]
    Dim { expected: usize, found: usize },
    /// Something is given for each row, but not as many times as there are rows.
    #[error("{found} {what} are given for {expected} rows; give one for each row")]
    Length { what: &'static str, expected: usize, found: usize },
    /// A setting lies outside of what makes sense.
    #[error("{what} is {value}; it must be {expected}")]
    Setting { what: &'static str, value: f64, expected: String },
}

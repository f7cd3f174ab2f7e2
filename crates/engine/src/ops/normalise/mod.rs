//! Normalisation: of each row over its columns (layer), of each column over the rows (batch).

mod batch;
mod layer;

pub use batch::BatchStatistics;
pub use layer::reference;

//! How likely latents are: under a Gaussian or a mixture of them, or by the distance to their nearest neighbours.
//!
//! The densities are made of plain parameters (or a single Gaussian is fitted); all are in nats over all dimensions.
//! [`Neighbourhood`] needs no shape at all and is the more robust where the latents lie on something curved.

mod gaussian;
mod mixture;
mod neighbourhood;
mod shrinkage;

pub use gaussian::Gaussian;
pub(crate) use gaussian::column_means;
pub use mixture::Mixture;
pub use neighbourhood::Neighbourhood;
pub(crate) use shrinkage::{scatter, shrunken_covariance};

use crate::error::LatentError;

/// Why a density cannot be made or asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DensityError {
    /// What is wrong with the latents.
    #[error(transparent)]
    Latents(#[from] LatentError),
    /// Parameters of the wrong number.
    #[error(
        "{what}: {found} values where {expected} are needed for {dim} dimensions; give the parameters of one model"
    )]
    Parameters { what: &'static str, expected: usize, found: usize, dim: usize },
    /// A parameter that is not a finite number.
    #[error("{what}: value {at} is {value}; the parameters are damaged, fit them again")]
    NotFinite { what: &'static str, at: usize, value: f64 },
    /// A covariance that is none.
    #[error("the covariance is not positive definite; give one of more rows, or a shrunken one")]
    NotPositive,
    /// Rows without any spread.
    #[error("all {rows} rows are equal, so they have no covariance; give rows that differ")]
    NoSpread { rows: usize },
    /// Weights that do not make a mixture.
    #[error("the weights of a mixture sum to {sum}; they must be non-negative, one for each component, and sum to 1")]
    Weights { sum: f64 },
}

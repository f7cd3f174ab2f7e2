//! Latents: what can be done with a matrix of latent vectors, one row for each text.
//!
//! | question | answer |
//! |---|---|
//! | which texts are like this one? | [`search::Exact`], and [`search::Index`] where there are many |
//! | which are near copies of each other? | [`dedup`] |
//! | which groups are there, and what tells them apart? | [`cluster`], [`telling`] |
//! | what does it look like, where is nothing? | [`project`], [`principal`], [`projector`] |
//! | do the latents know a label? | [`probe`], [`permutation`], [`classification`] |
//! | how is one attribute changed and the rest left? | [`direction`] |
//! | how likely, how odd is a text? | [`density`], [`anomaly`] |
//! | do two lists of numbers go together? | [`correlation`] |
//!
//! A [`Matrix`] borrows rows that someone else holds and has checked them once: at least one, all finite. Nothing here
//! knows of texts or networks; words and labels come as numbers. Results depend on the input and on a seed where one is
//! asked for, never on the number of threads.
//!
//! ```
//! use strait_latent::cluster::{KMeansOptions, choose_k};
//! use strait_latent::search::{Exact, Metric};
//! use strait_latent::Matrix;
//! let latents = [0.0, 0.1, 0.3, 0.0, 8.0, 8.1, 7.9, 8.3, 0.2, 9.0, 0.0, 9.1]; // six texts, two values each
//! let latents = Matrix::new(&latents, 2)?;
//! let choice = choose_k(latents, &[2, 3, 4], &KMeansOptions::default())?;
//! assert_eq!(choice.clusters.labels, [0, 0, 1, 1, 2, 2]);
//! assert_eq!(Exact::new(latents, Metric::Euclidean).nearest(&[1.0, 0.0], 1)?[0].row, 1);
//! # Ok::<(), strait_latent::LatentError>(())
//! ```

pub mod anomaly;
pub mod classification;
pub mod cluster;
pub mod correlation;
pub mod dedup;
pub mod density;
pub mod direction;
pub mod error;
pub mod labels;
pub mod matrix;
pub mod permutation;
pub mod principal;
pub mod probe;
pub mod project;
pub mod projector;
pub mod search;
pub mod telling;
#[cfg(test)]
mod testing;

pub use anomaly::{Calibration, Combination};
pub use classification::Confusion;
pub use density::{DensityError, Gaussian, Mixture, Neighbourhood};
pub use direction::{Direction, DirectionError, DirectionOptions};
pub use error::LatentError;
pub use labels::{LabelError, Labels};
pub use matrix::{Matrix, MatrixBuf};
pub use permutation::{PermutationTest, permutation_test};
pub use principal::Principal;
pub use probe::{CrossValidation, Probe, ProbeError};

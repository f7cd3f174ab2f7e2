//! Everything that can be wrong with what a prior is given, one sentence each: what, where, what to do.

/// Why a prior could not be fitted, compared, written or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PriorError {
    /// The latent has no dimensions, or absurdly many.
    #[error("a prior over {dim} dimensions is not possible; a latent has 1 to {most} dimensions")]
    Dim {
        /// The dimension asked for.
        dim: usize,
        /// The largest dimension supported.
        most: usize,
    },
    /// A matrix of latents whose length is not rows x dimensions.
    #[error("{what}: {len} values are not whole rows of {dim} dimensions; pass a row-major (N, {dim}) slice")]
    Ragged {
        /// Which argument.
        what: &'static str,
        /// Its length.
        len: usize,
        /// The latent dimension.
        dim: usize,
    },
    /// Fewer vectors than the work needs.
    #[error("{what}: {rows} vectors, at least {least} are needed; encode more records or enlarge that split")]
    TooFew {
        /// Which argument.
        what: &'static str,
        /// How many vectors it holds.
        rows: usize,
        /// How many it must hold.
        least: usize,
    },
    /// A NaN or an infinity among the latents.
    #[error(
        "{what}: vector {row}, dimension {column} is {value}; the encoder has diverged or its record is damaged: \
         drop that record, or train again with a lower learning rate"
    )]
    NotFinite {
        /// Which argument.
        what: &'static str,
        /// Row of the first bad value, from 0.
        row: usize,
        /// Column of the first bad value, from 0.
        column: usize,
        /// The value, `NaN`, `inf` or `-inf`.
        value: f32,
    },
    /// Two vectors that should have the same length do not.
    #[error("vectors of {left} and {right} dimensions cannot be combined; both must come from the same model")]
    Lengths {
        /// Length of the first vector.
        left: usize,
        /// Length of the second vector.
        right: usize,
    },
    /// A codebook that cannot be one.
    #[error("codebook: {0}; pass K vectors, or K for each slot, of one length, and the numbers of codes and slots")]
    Codebook(String),
    /// Nothing to choose from.
    #[error("there is no prior to choose from; pass at least one")]
    NoPriors,
    /// The bytes are not a safetensors buffer.
    #[error("not a prior file: {0}; the file is damaged or of another kind, fit the prior again")]
    NotSafetensors(String),
    /// The safetensors buffer does not describe a prior.
    #[error("metadata `strait.prior`: {0}; the file was not written by strait, fit the prior again")]
    Metadata(String),
    /// A prior written by another version of the format.
    #[error("prior format version {found}, this program reads version {known}; update strait or fit the prior again")]
    Version {
        /// The version in the file.
        found: u64,
        /// The version that this program writes and reads.
        known: u64,
    },
    /// A tensor is missing, of the wrong shape or type, or holds impossible values.
    #[error("tensor `{name}`: {problem}; the file is damaged, fit the prior again")]
    Tensor {
        /// The tensor's name in the file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

//! Priors `p(z)` fitted after training to the encoded corpus, so that sampling draws from what was learned rather
//! than from what the objective hoped for (ex-post density estimation: Ghosh, Sajjadi, Vergari, Black and Schoelkopf,
//! "From variational to deterministic autoencoders", 2020).
//!
//! `fit` tries the standard normal, one full-covariance Gaussian, mixtures of Gaussians and a flow, and keeps the simplest
//! that is within one standard error of the best on held-out vectors: by likelihood, or by how well a classifier tells
//! draws from encoded texts. `rank` does the same with priors that were fitted elsewhere. Quantised latents have a prior
//! over their codes instead. Latents are row-major `(N, Z)` slices of f32; every log density is in nats per vector. Sums run in an order that no thread count changes, so a fit is
//! bit-identical on any number of threads. What is fitted is what is given: pass posterior means to sample near
//! means, or posterior draws to sample the aggregate posterior.

mod codes;
mod couplings;
mod em;
mod error;
mod file;
mod flow;
mod flow_fit;
mod gaussian;
mod generator;
mod interpolate;
mod kernel;
pub(crate) mod kmeans;
mod mixture;
pub(crate) mod rows;
mod search;
mod standard_normal;
mod two_sample;

#[cfg(test)]
mod tests;

use rand::Rng;

pub use codes::Codes;
pub use error::PriorError;
pub use flow::RealNvp;
pub use gaussian::Gaussian;
pub use generator::Generator;
pub use interpolate::{lerp, slerp};
pub use mixture::Mixture;
pub use search::{Budget, Candidate, Choice, Fit, fit, rank};
pub use standard_normal::StandardNormal;
pub use two_sample::two_sample_auc;

use rows::Rows;

/// Whether `values` are at least `least` whole rows (N, `dim`) of finite numbers; `what` names them in the error.
pub(crate) fn check_rows(what: &'static str, values: &[f32], dim: usize, least: usize) -> Result<(), PriorError> {
    Rows::checked(what, values, dim, least).map(|_| ())
}

/// A distribution over latents that gives densities and draws.
#[derive(Clone, Debug, PartialEq)]
pub enum Prior {
    /// `N(0, I)`: nothing fitted.
    StandardNormal(StandardNormal),
    /// `N(m, C)`, full covariance.
    Gaussian(Gaussian),
    /// `sum_k w_k N(m_k, C_k)`, full covariances.
    Mixture(Mixture),
    /// `G(e), e ~ N(0, I)`, a network: draws, but no density (NaN).
    Generator(Generator),
    /// An invertible function of white noise.
    Flow(RealNvp),
    /// Which code follows which, for quantised latents.
    Codes(Codes),
}

impl Prior {
    /// The standard normal over `dim` dimensions, for a model whose prior has not been fitted.
    pub fn standard_normal(dim: usize) -> Self {
        Self::StandardNormal(StandardNormal::new(dim))
    }

    /// Z.
    pub fn dim(&self) -> usize {
        match self {
            Self::StandardNormal(p) => p.dim(),
            Self::Gaussian(p) => p.dim(),
            Self::Mixture(p) => p.dim(),
            Self::Generator(p) => p.dim(),
            Self::Flow(p) => p.dim(),
            Self::Codes(p) => p.dim(),
        }
    }

    /// `standard_normal`, `gaussian`, `mixture`, `flow` or `codes`, as written in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::StandardNormal(_) => "standard_normal",
            Self::Gaussian(_) => "gaussian",
            Self::Mixture(_) => "mixture",
            Self::Generator(_) => "generator",
            Self::Flow(_) => "flow",
            Self::Codes(_) => "codes",
        }
    }

    /// For people: "mixture of 16 Gaussians, full covariance".
    pub fn describe(&self) -> String {
        match self {
            Self::StandardNormal(_) => "standard normal".into(),
            Self::Gaussian(_) => "one Gaussian, full covariance".into(),
            Self::Mixture(p) => match p.components().len() {
                1 => "mixture of 1 Gaussian, full covariance".into(),
                k => format!("mixture of {k} Gaussians, full covariance"),
            },
            Self::Generator(p) => format!("generator, {} numbers of noise through a network", p.noise()),
            Self::Flow(p) => format!("RealNVP flow, {} couplings of {} hidden units", p.couplings(), p.hidden()),
            Self::Codes(p) => format!("codes, {} of {}, each after those before it", p.slots(), p.codes_per_book()),
        }
    }

    /// Whether [`Prior::log_density`] is one, so that it can be compared with other priors'. That of codes is a mass, and a generator
    /// has none.
    pub fn has_density(&self) -> bool {
        match self {
            Self::StandardNormal(_) | Self::Gaussian(_) | Self::Mixture(_) | Self::Flow(_) => true,
            Self::Codes(_) | Self::Generator(_) => false,
        }
    }

    /// Free parameters that were fitted.
    pub fn parameters(&self) -> usize {
        match self {
            Self::StandardNormal(_) => 0,
            Self::Gaussian(p) => p.parameters(),
            Self::Mixture(p) => p.parameters(),
            Self::Generator(p) => p.parameters(),
            Self::Flow(p) => p.parameters(),
            Self::Codes(p) => p.parameters(),
        }
    }

    /// `log p(z)` in nats; `z` (Z). NaN for a slice of another length or a value that is not finite. For codes the log
    /// mass of the nearest ones (see [`Codes::log_density`]).
    pub fn log_density(&self, z: &[f32]) -> f64 {
        match self {
            Self::StandardNormal(p) => p.log_density(z),
            Self::Gaussian(p) => p.log_density(z),
            Self::Mixture(p) => p.log_density(z),
            Self::Generator(_) => f64::NAN,
            Self::Flow(p) => p.log_density(z),
            Self::Codes(p) => p.log_density(z),
        }
    }

    /// `log p(z)` of every row of `latents` (N, Z), nats, (N); the same bits as one at a time, on all threads.
    pub fn log_densities(&self, latents: &[f32]) -> Result<Vec<f64>, PriorError> {
        Ok(self.log_density_rows(Rows::checked("latents", latents, self.dim(), 0)?))
    }

    fn log_density_rows(&self, rows: Rows) -> Vec<f64> {
        match self {
            Self::StandardNormal(p) => rows.iter().map(|z| p.log_density(z)).collect(),
            Self::Gaussian(p) => mixture::log_densities(std::slice::from_ref(p), &[0.0], rows, None),
            Self::Mixture(p) => mixture::log_densities(p.components(), p.log_weights(), rows, None),
            Self::Generator(_) => vec![f64::NAN; rows.len()],
            Self::Flow(p) => p.log_density_rows(rows),
            Self::Codes(p) => p.log_density_rows(rows),
        }
    }

    /// One draw (Z).
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        match self {
            Self::StandardNormal(p) => p.sample(rng),
            Self::Gaussian(p) => p.sample(rng),
            Self::Mixture(p) => p.sample(rng),
            Self::Generator(p) => p.sample(rng),
            Self::Flow(p) => p.sample(rng),
            Self::Codes(p) => p.sample(rng),
        }
    }

    /// `n` draws (n, Z), row-major: what `n` calls of [`Prior::sample`] give.
    pub fn sample_many(&self, n: usize, rng: &mut impl Rng) -> Vec<f32> {
        match self {
            Self::Generator(p) => return p.sample_many(n, rng),
            Self::Flow(p) => return p.sample_many(n, rng),
            _ => {}
        }
        let mut draws = Vec::with_capacity(n * self.dim());
        for _ in 0..n {
            draws.extend(self.sample(rng));
        }
        draws
    }
}

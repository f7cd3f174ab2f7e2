//! Evaluation of a trained model: everything that can be said of it with a figure.
//!
//! | question | where |
//! |---|---|
//! | what does it give held-out texts? | [`Likelihood`]: exact, or importance-weighted bounds |
//! | how much does the latent carry? | [`LatentUse`]: divergence, mutual information, active units |
//! | do texts come back? | [`Reconstruction`] |
//! | do samples read well, cover the language, vary, copy? | [`SampleEvaluation`] |
//! | does the prior lie where texts lie? | [`PriorFit`] |
//! | do near latents belong to near texts? | [`NeighbourReport`](strait_eval::NeighbourReport) |
//!
//! [`evaluate`] measures all that applies to a model and says what it left out and why. Every figure comes with its N
//! and, where something was drawn, its spread over seeds; the same request gives the same figures on any number of
//! threads, unless a judge's budget is in minutes. An [`Evaluation`] prints as a report, serialises as one object, and
//! becomes a page by [`page`].

mod counts;
mod diagonal;
mod error;
mod evaluation;
mod importance;
mod latents;
mod likelihood;
mod log_space;
mod lstm;
mod material;
mod page;
mod pairs;
mod prior;
mod reconstruction;
mod request;
mod samples;
#[cfg(test)]
mod testing;
mod text;

pub use counts::{Counts, Rate};
pub use error::EvaluateError;
pub use evaluation::{Beside, Described, Evaluation, evaluate};
pub use latents::{LatentUse, PosteriorUse};
pub use likelihood::{Bound, ImportanceWeighted, Likelihood, UnderPrior};
pub use lstm::LstmFacts;
pub use page::page;
pub use pairs::{Outputs, PairEvaluation, PairRequest, PairSubject, Written, evaluate_pairs, pair_page};
pub use prior::PriorFit;
pub use reconstruction::Reconstruction;
pub use request::{EvaluationRequest, JudgeBudget, Progress, Subject};
pub use samples::{JudgedBy, SampleEvaluation, SampleRow, TemperaturePoint};

//! The prior: what is tried depends on the latents, and what is kept on held-out ones.

use strait_model::{
    config::{PriorChoice, PriorConfig},
    prior::{Budget, Choice, Codes, Fit, Prior, fit as fit_densities, rank},
};

use crate::{TrainError, generators, latents, run::Run};

/// Training latents that priors are fitted to at most.
const FITTED: usize = 20_000;

/// Fits priors to the latents of the training texts, of a posterior to a draw from each; a language model has none.
///
/// Quantised latents are modelled as sequences of codes. For others Gaussians, mixtures and a flow are compared, as the
/// recipe says, and generators compete with the best of them.
///
/// # Errors
/// If latents or the numbers of a training are not finite.
pub(crate) fn fit(run: &Run) -> Result<Option<Fit>, TrainError> {
    let (model, seed) = (&run.model, run.job.seed);
    if model.latent_size() == 0 {
        return Ok(None);
    }
    let stride = run.train_ids.len().div_ceil(FITTED).max(1);
    let picked: Vec<&[u32]> = run.train_ids.iter().step_by(stride).map(|t| &t[..]).collect();
    let fitted = latents::draws(model, &picked, seed);
    let valid: Vec<&[u32]> = run.valid_ids.iter().map(|t| &t[..]).collect();
    let held_out = if valid.is_empty() { fitted.clone() } else { latents::draws(model, &valid, seed ^ 1) };
    let budget = budget(&model.recipe().prior);
    if let Some(book) = model.codebook() {
        let codes = Codes::fit(book.vectors, book.codes, book.slots, book.shared, &fitted)?;
        return Ok(Some(rank(vec![Prior::Codes(codes)], &held_out, seed, &budget)?));
    }
    let mut fit = fit_densities(&fitted, &held_out, model.latent_size(), seed, &budget)?;
    let latents = generators::Latents { fitted: &fitted, held_out: &held_out };
    generators::compete(model, &mut fit, &latents, seed)?;
    Ok(Some(fit))
}

fn budget(config: &PriorConfig) -> Budget {
    let choice = match config.choose {
        PriorChoice::Likelihood => Choice::Likelihood,
        PriorChoice::Auc => Choice::Auc,
    };
    Budget { choice, flow: config.flow, ..Budget::default() }
}

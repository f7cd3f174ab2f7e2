//! One step of training: the autoencoder's update, then its adversary's.

use rand::Rng;
use strait_engine::{
    Error, Param, ParamId, Tape,
    optim::{Optimiser, Rule},
};

use crate::{
    Autoencoder, Batch, Figures, Progress, RiskTask, StepLoss, TextGanTask,
    config::{NetworkKind, Recipe, RegulariserConfig},
    decoder::{Decoder, published},
    encoder,
    objective::Regulariser,
    text_gan::Phase,
};

/// The optimisers of a model.
pub struct Trainer {
    own: Optimiser,
    /// Of the weights `adversary.*`, if the regulariser has networks.
    adversary: Option<Optimiser>,
    /// The decoder's weights, and after how many updates they started afresh (0: never).
    decoder: Vec<ParamId>,
    restarted: u64,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub loss: StepLoss,
    /// Learning rate, and the gradient's norm before clipping.
    pub rate: f32,
    pub norm: f64,
    pub figures: Figures,
}

impl Trainer {
    /// Optimisers for a model, as its recipe says.
    pub fn new(model: &Autoencoder) -> Self {
        let recipe = model.recipe();
        let ids = |adversary: bool| -> Vec<ParamId> {
            let all = model.params.iter();
            // The adversary's take turns; what else does not learn now never will.
            let learns = |p: &Param| adversary || p.trainable();
            let of = all.filter(|(_, p)| p.name().starts_with(Regulariser::PREFIX) == adversary && learns(p));
            of.map(|(id, _)| id).collect()
        };
        let mut own = Optimiser::over(recipe.training.rule(), &model.params, ids(false));
        let named = |name: &str| -> Vec<ParamId> {
            model.params.iter().filter(|(_, p)| p.name().starts_with(name)).map(|(id, _)| id).collect()
        };
        own.scale_rate(&named(encoder::PUBLISHED), recipe.training.encoder_rate);
        own.scale_rate(&named(published::PUBLISHED), recipe.training.decoder_rate);
        if recipe.decoder.kind == NetworkKind::Published {
            own.scale_rate(&[model.embedding()], recipe.training.decoder_rate);
        }
        let adversary = adversary_rule(recipe).map(|rule| Optimiser::over(rule, &model.params, ids(true)));
        let decoder = model.params.iter().filter(|(_, p)| p.name().starts_with(Decoder::PREFIX)).map(|(id, _)| id);
        Trainer { own, adversary, decoder: decoder.collect(), restarted: 0 }
    }

    /// Makes one step.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite.
    pub fn step(
        &mut self,
        model: &mut Autoencoder,
        tape: &mut Tape,
        batch: &Batch,
        progress: Progress,
        rng: &mut impl Rng,
    ) -> Result<Step, Error> {
        if model.recipe().objective.restarts_decoder(progress) {
            model.restart_decoder(rng);
            self.restarted = self.own.steps();
            self.own.restart(&self.decoder, self.restarted);
        }
        let (loss, figures) = model.train(tape, batch, progress, rng)?;
        let (rate, norm) = self.update(model, progress)?;
        if let (Some(adversary), false) = (&mut self.adversary, model.recipe().objective.is_pretraining(progress)) {
            model.train_adversary(tape, adversary, rng)?;
        }
        Ok(Step { loss, rate, norm, figures })
    }

    /// Makes one step of minimum risk training; without `objective.risk` with its defaults.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite.
    pub fn step_risk(
        &mut self,
        model: &mut Autoencoder,
        tape: &mut Tape,
        task: &RiskTask<'_>,
        progress: Progress,
        rng: &mut impl Rng,
    ) -> Result<Step, Error> {
        let config = model.recipe().objective.risk.clone().unwrap_or_default();
        let (loss, figures) = model.train_risk(tape, task, &config, rng)?;
        let (rate, norm) = self.update(model, progress)?;
        Ok(Step { loss, rate, norm, figures })
    }

    /// Makes one step of adversarial training of a language model, as `objective.text_gan` says: first for the likelihood,
    /// then against the discriminator, which is updated after the generator.
    ///
    /// # Errors
    /// If a loss or a gradient is not finite.
    ///
    /// # Panics
    /// If the recipe has no `objective.text_gan`, or there are no texts.
    pub fn step_text_gan(
        &mut self,
        model: &mut Autoencoder,
        tape: &mut Tape,
        task: &TextGanTask<'_>,
        progress: Progress,
        rng: &mut impl Rng,
    ) -> Result<Step, Error> {
        let recipe = model.recipe();
        let (training, clip) = (&recipe.training, recipe.training.clip);
        let config = recipe.objective.text_gan.clone().expect("a recipe with objective.text_gan");
        let phase = config.phase(progress);
        let rate = match phase {
            Phase::Adversarial | Phase::Interleaved => config.generator_rate,
            Phase::Likelihood | Phase::WarmUp => training.rate_at(progress.step, config.pretraining(progress.steps)),
        };
        let gan = model.text_gan().expect("a model of this recipe");
        if progress.step == config.pretraining(progress.steps) {
            gan.begin(&mut model.params);
        }
        let (loss, mut figures) = match phase {
            Phase::Adversarial => model.train_policy(tape, &gan, task, rng)?,
            Phase::Likelihood | Phase::WarmUp | Phase::Interleaved => {
                let batch = model.training_batch(task.picked, rng);
                model.train(tape, &batch, progress, rng)?
            }
        };
        let norm = self.own.step(&mut model.params, rate, clip)?;
        if matches!(phase, Phase::Adversarial | Phase::Interleaved) {
            gan.follow(&mut model.params);
        }
        let updates = if phase == Phase::Likelihood { 0 } else { config.discriminator_steps };
        let mut judged = Figures::new();
        for _ in 0..updates {
            let Some(adversary) = &mut self.adversary else { break };
            judged = model.train_discriminator(tape, (&gan, adversary), task, rng)?;
        }
        figures.extend(judged);
        Ok(Step { loss, rate, norm, figures })
    }

    /// Updates the autoencoder's own weights: the learning rate, and the gradient's norm before clipping.
    fn update(&mut self, model: &mut Autoencoder, progress: Progress) -> Result<(f32, f64), Error> {
        let training = &model.recipe().training;
        let (rate, clip) = (training.rate_at(progress.step, progress.steps), training.clip);
        Ok((rate, self.own.step(&mut model.params, rate, clip)?))
    }

    /// Updates after which the decoder started afresh, and those that each optimiser has made, for checkpoints.
    pub fn updates(&self) -> Vec<u64> {
        std::iter::once(self.restarted).chain(self.optimisers().map(Optimiser::steps)).collect()
    }

    /// The moments of each parameter, for checkpoints: (parameter, first, second).
    pub fn moments(&self) -> impl Iterator<Item = (ParamId, &[f32], &[f32])> {
        self.optimisers().flat_map(Optimiser::moments)
    }

    /// Restores what [`Trainer::updates`] and [`Trainer::moments`] gave.
    pub fn restore(&mut self, updates: &[u64], mut moments: impl FnMut(ParamId, &mut [f32], &mut [f32])) {
        let Some((&restarted, updates)) = updates.split_first() else { return };
        if restarted > 0 {
            self.restarted = restarted;
            self.own.restart(&self.decoder, restarted);
        }
        let optimisers = std::iter::once(&mut self.own).chain(&mut self.adversary);
        for (optimiser, &updates) in optimisers.zip(updates) {
            optimiser.restore(updates, &mut moments);
        }
    }

    fn optimisers(&self) -> impl Iterator<Item = &Optimiser> {
        std::iter::once(&self.own).chain(&self.adversary)
    }
}

fn adversary_rule(recipe: &Recipe) -> Option<Rule> {
    let adam = |beta1, beta2| Rule::Adam { beta1, beta2, eps: 1e-8, decay: 0.0 };
    if recipe.objective.text_gan.is_some() {
        return Some(adam(0.5, 0.999));
    }
    match &recipe.objective.regulariser {
        RegulariserConfig::Adversarial(c) => Some(adam(c.beta1, 0.999)),
        // As Gulrajani et al. (2017) train critics.
        RegulariserConfig::Arae(c) => Some(adam(c.beta1, 0.9)),
        RegulariserConfig::None | RegulariserConfig::Kl(_) | RegulariserConfig::Mmd(_) => None,
    }
}

//! One step of a training at some places of its texts: on the texts themselves, against a discriminator of them, on pairs,
//! or on the risk of what is written for sources.

use rand::Rng;
use strait_engine::{Error, Tape};
use strait_eval::Unit;
use strait_model::{Autoencoder, Progress, RiskTask, TextGanTask, Trainer, trainer::Step};
use strait_text::Tokenizer;

use crate::risk::Judge;

/// What is trained on.
#[derive(Clone, Copy)]
pub(crate) struct Lesson<'a> {
    pub(crate) texts: &'a [Vec<u32>],
    /// Of pairs: the sources of the texts.
    pub(crate) sources: Option<&'a [Vec<u32>]>,
    pub(crate) tokenizer: &'a Tokenizer,
    /// That of the sources.
    pub(crate) source_tokenizer: &'a Tokenizer,
    /// How texts are cut for BLEU.
    pub(crate) unit: Unit,
    /// Most tokens of a text that is written.
    pub(crate) longest: usize,
}

/// Makes a step on the texts at `places`.
///
/// # Errors
/// If a loss or a gradient is not finite.
pub(crate) fn step(
    (trainer, model): (&mut Trainer, &mut Autoencoder),
    tape: &mut Tape,
    (lesson, places): (Lesson<'_>, &[usize]),
    progress: Progress,
    rng: &mut impl Rng,
) -> Result<Step, Error> {
    let targets = picked(lesson.texts, places);
    if model.recipe().objective.text_gan.is_some() {
        let task = TextGanTask { picked: &targets, texts: lesson.texts, longest: lesson.longest };
        return trainer.step_text_gan(model, tape, &task, progress, rng);
    }
    let Some(sources) = lesson.sources.map(|sources| picked(sources, places)) else {
        let batch = model.training_batch(&targets, rng);
        return trainer.step(model, tape, &batch, progress, rng);
    };
    let Some(metric) = model.recipe().objective.risk.as_ref().map(|risk| risk.metric) else {
        let batch = model.training_pairs(&sources, &targets, rng);
        return trainer.step(model, tape, &batch, progress, rng);
    };
    let judge = Judge::new(metric, lesson, &sources, &targets);
    let risk = |source: usize, candidate: &[u32]| judge.risk(source, candidate);
    let kind = lesson.tokenizer.kind();
    let task = RiskTask { sources: &sources, references: &targets, tokenizer: kind, risk: &risk };
    trainer.step_risk(model, tape, &task, progress, rng)
}

fn picked<'a>(list: &'a [Vec<u32>], places: &[usize]) -> Vec<&'a [u32]> {
    places.iter().map(|&i| &list[i][..]).collect()
}

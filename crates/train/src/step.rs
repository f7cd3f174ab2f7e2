//! One step of a training at some places of its texts: on the texts themselves, on pairs, or on the risk of what is
//! written for sources.

use rand::Rng;
use strait_engine::{Error, Tape};
use strait_eval::{Interner, References, Unit};
use strait_model::{Autoencoder, Progress, RiskTask, Trainer, trainer::Step};
use strait_text::Tokenizer;

/// What is trained on.
#[derive(Clone, Copy)]
pub(crate) struct Lesson<'a> {
    pub(crate) texts: &'a [Vec<u32>],
    /// Of pairs: the sources of the texts.
    pub(crate) sources: Option<&'a [Vec<u32>]>,
    pub(crate) tokenizer: &'a Tokenizer,
    /// How texts are cut for BLEU.
    pub(crate) unit: Unit,
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
    let Some(sources) = lesson.sources.map(|sources| picked(sources, places)) else {
        let batch = model.training_batch(&targets, rng);
        return trainer.step(model, tape, &batch, progress, rng);
    };
    if model.recipe().objective.risk.is_none() {
        let batch = model.training_pairs(&sources, &targets, rng);
        return trainer.step(model, tape, &batch, progress, rng);
    }
    let risk = |candidate: &[u32], reference: &[u32]| 1.0 - sentence_bleu(lesson, candidate, reference);
    let kind = lesson.tokenizer.kind();
    let task = RiskTask { sources: &sources, references: &targets, tokenizer: kind, risk: &risk };
    trainer.step_risk(model, tape, &task, progress, rng)
}

/// BLEU-4 of a candidate against one reference, 0..1, smoothed as [`References`] says.
fn sentence_bleu(lesson: Lesson<'_>, candidate: &[u32], reference: &[u32]) -> f64 {
    let mut interner = Interner::new();
    let mut units = |ids: &[u32]| interner.encode(&lesson.tokenizer.decode(ids), lesson.unit);
    let (candidate, reference) = (units(candidate), units(reference));
    match (candidate.is_empty(), reference.is_empty()) {
        (true, _) | (_, true) => f64::from(u8::from(candidate.is_empty() && reference.is_empty())),
        _ => References::new(&[reference]).sentence_bleu(&candidate),
    }
}

fn picked<'a>(list: &'a [Vec<u32>], places: &[usize]) -> Vec<&'a [u32]> {
    places.iter().map(|&i| &list[i][..]).collect()
}

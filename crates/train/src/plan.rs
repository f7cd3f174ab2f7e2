//! The dial: from minutes (or epochs, or steps) and a size to a resolved recipe and a number of steps.
//!
//! The number of steps is fixed before the first one, so that the learning-rate curve has an end and a run can be
//! repeated exactly with `--steps`. Minutes become steps by timing a few steps of the very model on the very data.

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use strait_engine::Tape;
use strait_eval::Unit;
use strait_model::{Autoencoder, Outside, Progress, Recipe, Trainer, config::NetworkKind};
use strait_text::{Batches, Tokenizer};

use crate::{
    TrainError, finish,
    step::{Lesson, step},
};

/// How long to train.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Wall-clock minutes for the whole command.
    Minutes(f64),
    /// Passes over the data.
    Epochs(f64),
    /// Updates.
    Steps(u64),
}

/// How large the network is, as a factor of the recipe's widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    Tiny,
    Small,
    Base,
    Large,
}

impl Size {
    /// All sizes, from the smallest.
    pub const ALL: [Size; 4] = [Size::Tiny, Size::Small, Size::Base, Size::Large];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Size::Tiny => "tiny",
            Size::Small => "small",
            Size::Base => "base",
            Size::Large => "large",
        }
    }

    fn factor(self) -> f64 {
        match self {
            Size::Tiny => 0.375,
            Size::Small => 0.625,
            Size::Base => 1.0,
            Size::Large => 1.5,
        }
    }

    /// A recipe (written for base) at this size; widths are multiples of 32. A published decoder keeps its own.
    pub fn scale(self, recipe: &Recipe) -> Recipe {
        let scale = |width: usize| (((width as f64 * self.factor()) / 32.0).round() as usize).max(1) * 32;
        let mut scaled = recipe.clone();
        scaled.encoder.hidden = scale(recipe.encoder.hidden);
        if recipe.decoder.kind != NetworkKind::Published {
            scaled.encoder.embedding = scale(recipe.encoder.embedding);
            scaled.decoder.hidden = scale(recipe.decoder.hidden);
        }
        if self != Size::Base && recipe.latent.size > 0 {
            scaled.latent.size = scale(recipe.latent.size);
        }
        scaled
    }
}

/// A larger network is taken if it sees the data at least so many times ...
const EPOCHS_WANTED: f64 = 10.0;
/// ... or makes at least so many updates: large corpora teach enough in one pass.
const STEPS_WANTED: u64 = 2500;
/// A network of more weights for each token of the corpus is not taken unasked: it learns the corpus by heart before its
/// learning rate has come down (docs/log.md).
const WEIGHTS_PER_TOKEN: usize = 36;
/// With fewer updates than this, batches are halved down to [`LEAST_BATCH_TOKENS`]: many small steps then teach more
/// than few large ones (docs/log.md).
const STEPS_NEEDED: u64 = 1500;
const LEAST_BATCH_TOKENS: usize = 256;
/// Share of the minutes for the loop itself; the rest is for looks, the prior and writing.
const LOOP_SHARE: f64 = 0.90;

/// What was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The recipe at its final size.
    pub recipe: Recipe,
    /// The size, if it was one of the named ones.
    pub size: Size,
    /// Updates to make.
    pub steps: u64,
    /// Updates between two looks at the validation set.
    pub look_every: u64,
    /// Updates in a pass over the data.
    pub steps_per_epoch: f64,
    /// Sentences that say why.
    pub reasons: Vec<String>,
}

/// The data as the plan needs it.
pub(crate) struct Material<'a> {
    pub texts: &'a [Vec<u32>],
    pub vocabulary: usize,
    /// Of pairs: the sources of the texts, and the size of their vocabulary, if it is their own.
    pub sources: Option<(&'a [Vec<u32>], Option<usize>)>,
    pub tokenizer: &'a Tokenizer,
    pub source_tokenizer: &'a Tokenizer,
    /// How texts are cut for BLEU.
    pub unit: Unit,
    pub seed: u64,
    /// What the networks need beside the recipe.
    pub outside: &'a [Outside],
}

impl Material<'_> {
    /// A fresh model for it.
    pub(crate) fn model(&self, recipe: &Recipe) -> Autoencoder {
        let own = self.sources.and_then(|(_, vocabulary)| vocabulary);
        let mut model = Autoencoder::with_sources(recipe, (self.vocabulary, own), self.seed);
        self.outside.iter().for_each(|outside| model.set_outside(outside, self.seed));
        model
    }

    fn lesson(&self) -> Lesson<'_> {
        let sources = self.sources.map(|s| s.0);
        let Material { texts, tokenizer, source_tokenizer, unit, .. } = *self;
        Lesson { texts, sources, tokenizer, source_tokenizer, unit, longest: finish::max_len(texts) }
    }

    fn lengths(&self) -> Vec<usize> {
        lengths(self.texts, self.sources.map(|s| s.0))
    }
}

/// How a recipe cuts an epoch into batches.
pub fn batches(recipe: &Recipe, seed: u64) -> Batches {
    Batches { max_tokens: recipe.training.batch_tokens, max_rows: 512, seed }
}

/// Lengths as batches count them: end symbols included; of a pair, that of its longer side.
pub fn lengths(texts: &[Vec<u32>], sources: Option<&[Vec<u32>]>) -> Vec<usize> {
    let source = |i: usize| sources.map_or(0, |sources| sources[i].len());
    texts.iter().enumerate().map(|(i, t)| t.len().max(source(i)) + 1).collect()
}

/// Makes the plan. `started` is when the command began.
///
/// # Errors
/// If the numbers of a fresh model are not finite while its steps are timed.
pub(crate) fn make(
    recipe: &Recipe,
    size: Option<Size>,
    budget: Budget,
    material: &Material<'_>,
    started: Instant,
) -> Result<Plan, TrainError> {
    let mut reasons = Vec::new();
    let mut chosen = Choice::new(recipe, size.unwrap_or(Size::Base), material);
    match budget {
        Budget::Steps(n) => chosen.steps = n.max(1),
        Budget::Epochs(e) => chosen.steps = ((e * chosen.steps_per_epoch).round() as u64).max(1),
        Budget::Minutes(minutes) => {
            chosen = within(minutes, recipe, size, material, started, &mut reasons)?;
            let most = (recipe.training.max_epochs * chosen.steps_per_epoch).ceil().max(1.0) as u64;
            if chosen.steps > most {
                chosen.steps = most;
                reasons.push(format!(
                    "stopping at {:.0} passes over the data (training.max_epochs): more would learn it by heart",
                    recipe.training.max_epochs
                ));
            }
        }
    }
    let Choice { recipe, size, steps, steps_per_epoch } = chosen;
    reasons.insert(
        0,
        format!(
            "size {}: embedding {}, {}decoder {}{}",
            size.name(),
            recipe.encoder.embedding,
            unless_language_model(&recipe, format!("encoder {}, ", recipe.encoder.hidden)),
            recipe.decoder.hidden,
            if recipe.latent.size > 0 { format!(", latent {}", recipe.latent.size) } else { String::new() },
        ),
    );
    let (epochs, tokens) = (steps as f64 / steps_per_epoch, recipe.training.batch_tokens);
    reasons.push(format!("{steps} steps of up to {tokens} tokens: {epochs:.1} passes over the data"));
    reasons.extend(cut_by_window(&recipe, &material.lengths()));
    let look_every = (steps / 24).clamp(steps.min(10), (steps_per_epoch * 2.0).ceil().max(100.0) as u64);
    Ok(Plan { recipe, size, steps, look_every, steps_per_epoch, reasons })
}

fn unless_language_model(recipe: &Recipe, words: String) -> String {
    if recipe.is_language_model() { String::new() } else { words }
}

/// What a window network leaves out of texts of these lengths, end symbols included.
fn cut_by_window(recipe: &Recipe, lengths: &[usize]) -> Option<String> {
    let window = recipe.window()?;
    let cut = lengths.iter().filter(|&&length| length > window).count();
    let lost: usize = lengths.iter().map(|length| length.saturating_sub(window)).sum();
    let share = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
    (cut > 0).then(|| {
        format!(
            "{:.1} % of the texts are longer than the window of {window} tokens and are cut there: {:.1} % of all tokens are \
             lost (encoder.window, decoder.window)",
            share(cut, lengths.len()),
            share(lost, lengths.iter().sum())
        )
    })
}

/// A network and how long it may train.
struct Choice {
    recipe: Recipe,
    size: Size,
    steps: u64,
    steps_per_epoch: f64,
}

impl Choice {
    fn new(recipe: &Recipe, size: Size, material: &Material<'_>) -> Self {
        let recipe = size.scale(recipe);
        let steps_per_epoch = batches(&recipe, material.seed).epoch(&material.lengths(), 0).len() as f64;
        Choice { recipe, size, steps: 1, steps_per_epoch }
    }

    fn epochs(&self) -> f64 {
        self.steps as f64 / self.steps_per_epoch
    }
}

/// The largest network (or the one asked for) that learns enough in the minutes.
fn within(
    minutes: f64,
    recipe: &Recipe,
    size: Option<Size>,
    material: &Material<'_>,
    started: Instant,
    reasons: &mut Vec<String>,
) -> Result<Choice, TrainError> {
    let seconds = |each: f64| {
        let left = (minutes * 60.0 * LOOP_SHARE - started.elapsed().as_secs_f64()).max(1.0);
        ((left / each) as u64).max(1)
    };
    let timed = |recipe: &Recipe, size: Size| -> Result<(Choice, f64), TrainError> {
        let choice = Choice::new(recipe, size, material);
        let each = seconds_of_steps(&choice.recipe, material)?;
        Ok((Choice { steps: seconds(each), ..choice }, each))
    };
    let tokens: usize = material.lengths().iter().sum();
    // Most of the weights are then there already, and of one size.
    let size = size.or((recipe.decoder.kind == NetworkKind::Published).then_some(Size::Base));
    let (mut chosen, mut each) = timed(recipe, size.unwrap_or(Size::Tiny))?;
    let larger = if size.is_some() { &[][..] } else { &Size::ALL[1..] };
    for &candidate in larger {
        let weights = material.model(&candidate.scale(recipe)).params.weights();
        if weights > WEIGHTS_PER_TOKEN * tokens {
            reasons.push(format!(
                "not {}: {:.1} M weights would learn {:.2} M tokens of text by heart (--size {} to insist)",
                candidate.name(),
                weights as f64 * 1e-6,
                tokens as f64 * 1e-6,
                candidate.name()
            ));
            break;
        }
        let (next, next_each) = timed(recipe, candidate)?;
        if next.epochs() < EPOCHS_WANTED && next.steps < STEPS_WANTED {
            reasons.push(format!(
                "not {}: {} steps, {:.1} passes over the data, are too few in {minutes} minutes (--size {} to insist)",
                candidate.name(),
                next.steps,
                next.epochs(),
                candidate.name()
            ));
            break;
        }
        (chosen, each) = (next, next_each);
    }
    let mut smaller = recipe.clone();
    while chosen.steps < STEPS_NEEDED && smaller.training.batch_tokens / 2 >= LEAST_BATCH_TOKENS {
        smaller.training.batch_tokens /= 2;
        (chosen, each) = timed(&smaller, chosen.size)?;
    }
    if smaller.training.batch_tokens < recipe.training.batch_tokens {
        reasons.push(format!("batches of {} tokens, so that there are more steps", smaller.training.batch_tokens));
    }
    reasons.push(format!(
        "{:.0} ms a step here, measured, so {} steps fit in {minutes} minutes",
        each * 1e3,
        chosen.steps
    ));
    Ok(chosen)
}

/// Seconds a step takes, on average over the phases of the training.
fn seconds_of_steps(recipe: &Recipe, material: &Material<'_>) -> Result<f64, TrainError> {
    const MANY: u64 = 1_000_000;
    // The first of many steps, when the rate has hardly begun to rise; not the very first, whose work may differ.
    let first = seconds_per_step(recipe, material, Progress { step: 1, steps: MANY })?;
    let Some(gan) = &recipe.objective.text_gan else { return Ok(first) };
    let last = seconds_per_step(recipe, material, Progress { step: MANY - 1, steps: MANY })?;
    let share = gan.share_of_likelihood();
    Ok(share * first + (1.0 - share) * last)
}

/// Times a few steps of a fresh copy of the model, as they are there.
fn seconds_per_step(recipe: &Recipe, material: &Material<'_>, progress: Progress) -> Result<f64, TrainError> {
    const WARM_UP: usize = 2;
    const TIMED: usize = 6;
    let epoch = batches(recipe, material.seed).epoch(&material.lengths(), 0);
    let mut model = material.model(recipe);
    let mut trainer = Trainer::new(&model);
    let mut rng = ChaCha8Rng::seed_from_u64(material.seed);
    let mut tape = Tape::new();
    let mut times = Vec::new();
    for i in 0..WARM_UP + TIMED {
        let picked = &epoch[i * epoch.len() / (WARM_UP + TIMED) % epoch.len()];
        let start = Instant::now();
        let made = step((&mut trainer, &mut model), &mut tape, (material.lesson(), picked), progress, &mut rng);
        made.map_err(|source| TrainError::Numbers { step: 0, source })?;
        if i >= WARM_UP {
            times.push(start.elapsed().as_secs_f64());
        }
    }
    Ok(times.iter().sum::<f64>() / times.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_window_cuts_is_said() {
        let mut recipe = Recipe::default();
        assert_eq!(cut_by_window(&recipe, &[5, 50]), None);
        (recipe.decoder.kind, recipe.decoder.window) = (NetworkKind::Window, 4);
        assert_eq!(cut_by_window(&recipe, &[4, 2, 1]), None);
        let said = cut_by_window(&recipe, &[4, 2, 6, 8]).unwrap();
        assert!(said.starts_with("50.0 % of the texts") && said.contains("30.0 % of all tokens"), "{said}");
    }
}

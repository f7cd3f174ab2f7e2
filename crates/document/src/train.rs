//! Training: windows of documents, Adam, the weights of the best look kept.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use strait_engine::{
    ParamId, Tape,
    optim::{Optimiser, Rule},
    schedule::Schedule,
};
use strait_model::folder::FolderError;

use crate::{
    ConfigError, DocumentConfig, DocumentNetwork,
    checkpoint::Checkpoints,
    given,
    network::{Mode, Window, centre, random_run},
};

/// Looks at the validation documents in a training.
const LOOKS: u64 = 20;
/// Largest norm of a gradient.
const CLIP: f32 = 1.0;
/// Share of the windows that are read as if nothing was given beside their documents.
const BARE: f32 = 0.1;
/// A deviation below this share of the largest is of a dimension that does nothing.
const FLOOR: f32 = 1e-3;

/// The latents of documents.
#[derive(Debug, Clone, Copy)]
pub struct Documents<'a> {
    /// (T, Z) of each document.
    pub latents: &'a [Vec<f32>],
    /// For each document, those that are given beside it, (T, Z) each; empty if none has any.
    pub given: &'a [Vec<Vec<f32>>],
    /// Z.
    pub dim: usize,
}

impl Documents<'_> {
    fn finite(&self) -> bool {
        self.latents.iter().chain(self.given.iter().flatten()).flatten().all(|x| x.is_finite())
    }
}

/// How the training stands, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub step: u64,
    pub steps: u64,
    /// Mean loss of the steps since the last report, nats a sentence (of standardised latents).
    pub train_nats: f64,
    /// The same of the validation documents.
    pub valid_nats: f64,
    /// The step of the lowest so far, whose weights are kept.
    pub best_step: u64,
    pub best_nats: f64,
}

/// Why nothing can be learned.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Too little.
    #[error(
        "a document model learns from at least 2 documents of 2 or more sentences, with one more to validate on; \
             there are {train} and {valid}"
    )]
    TooFew { train: usize, valid: usize },
    /// Latents that are no numbers.
    #[error("latents are not finite: is the sentence model damaged?")]
    NotFinite,
    /// Before anything was learned.
    #[error("stopped before the first step; nothing was written")]
    Stopped,
    /// The state of a training is there, and it is not this one's.
    #[error(
        "{}: an unfinished training of other documents or settings; give the command that began it to go on with it, or begin \
             anew with --force", .0.display()
    )]
    Another(PathBuf),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Engine(#[from] strait_engine::Error),
}

/// A document, standardised.
struct Document {
    /// (T, Z).
    latents: Vec<f32>,
    /// Rows of what is given beside it; empty if the network attends to nothing.
    given: Vec<f32>,
}

/// What a training is asked from outside.
pub struct Watch<'a> {
    /// Hears how it stands.
    pub listener: &'a mut dyn FnMut(&Report),
    /// Set when it is to end after the step that it is at, with the best weights so far.
    pub stop: &'a AtomicBool,
    /// Where its state is kept; nowhere if none.
    pub keep: Option<Keep<'a>>,
}

/// Keeps the state of a training, from which the same training goes on.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// The folder of the model to be; the state lies beside it.
    pub out: &'a Path,
    /// Whether the state of another training there, or a damaged one, gives way.
    pub replace: bool,
}

/// Trains a network. The same documents, settings and seed give the same bits.
///
/// # Errors
/// If the settings make no sense, there are too few documents, or numbers overflow.
pub fn train(
    train: Documents<'_>,
    valid: Documents<'_>,
    config: &DocumentConfig,
    seed: u64,
    watch: Watch<'_>,
) -> Result<(DocumentNetwork, Report), TrainError> {
    config.check()?;
    let z = train.dim;
    let long = |documents: Documents<'_>| documents.latents.iter().filter(|d| d.len() >= 2 * z).count();
    if long(train) < 2 || long(valid) < 1 || valid.dim != z {
        return Err(TrainError::TooFew { train: long(train), valid: long(valid) });
    }
    if [train, valid].iter().any(|part| !part.finite()) {
        return Err(TrainError::NotFinite);
    }
    let checkpoints = watch.keep.map(|keep| Checkpoints::new(keep, [train, valid], config, seed));
    let (mean, deviation) = moments(train.latents, z);
    let mut network = DocumentNetwork::new(config, mean, deviation, seed);
    let rows = |documents: Documents<'_>, i: usize| -> Vec<f32> {
        let beside = documents.given.get(i).map(Vec::as_slice).unwrap_or_default();
        let standard: Vec<Vec<f32>> = beside.iter().map(|d| network.standardise(d)).collect();
        given::rows(standard.iter().map(Vec::as_slice), z)
    };
    let standard = |documents: Documents<'_>| -> Vec<Document> {
        let some = documents.latents.iter().enumerate().filter(|(_, latents)| !latents.is_empty());
        some.map(|(i, latents)| Document {
            latents: network.standardise(latents),
            given: if config.given { rows(documents, i) } else { Vec::new() },
        })
        .collect()
    };
    let (train, valid) = (standard(train), standard(valid));
    let report = run(&mut network, [&train, &valid], seed, watch, checkpoints.as_ref())?;
    if config.plan > 0 {
        let plans: Vec<Vec<f32>> = train.iter().map(|d| network.plan(&network.restore(&d.latents))).collect();
        let (mean, mut deviation) = moments(&plans, config.plan);
        // The training's plans carry noise of variance 1.
        deviation.iter_mut().for_each(|d| *d = (*d * *d + 1.0).sqrt());
        (network.plan_mean, network.plan_deviation) = (mean, deviation);
    }
    Ok((network, report))
}

fn run(
    network: &mut DocumentNetwork,
    [train, valid]: [&[Document]; 2],
    seed: u64,
    watch: Watch<'_>,
    checkpoints: Option<&Checkpoints<'_>>,
) -> Result<Report, TrainError> {
    if watch.stop.load(Ordering::Relaxed) {
        return Err(TrainError::Stopped);
    }
    let config = network.config.clone();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1);
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.01 };
    let mut optimiser = Optimiser::new(rule, &network.params);
    let ids: Vec<ParamId> = network.params.iter().map(|(id, _)| id).collect();
    let mut best: Vec<Vec<f32>> = Vec::new();
    let mut report = Report {
        step: 0,
        steps: config.steps,
        train_nats: 0.0,
        valid_nats: f64::INFINITY,
        best_step: 0,
        best_nats: f64::INFINITY,
    };
    if let Some(kept) = checkpoints.map(|c| c.restore(network, &mut optimiser, &mut rng)).transpose()?.flatten() {
        (report, best) = kept;
    }
    let (mut tape, mut sum, mut since) = (Tape::new(), 0.0, 0);
    let every = (config.steps / LOOKS).max(1);
    for step in report.step + 1..=config.steps {
        tape.reset();
        let windows: Vec<Window<'_>> = (0..config.batch).map(|_| draw(network, train, &mut rng)).collect();
        let mode = Mode { dropout: config.dropout, rng: Some(&mut rng) };
        sum += network.loss(&mut tape, &windows, mode);
        since += 1;
        tape.backward(&mut network.params)?;
        let factor = Schedule::Cosine { floor: 0.05 }.factor(step - 1, (config.steps / 20).max(1), config.steps);
        optimiser.step(&mut network.params, config.rate * factor, CLIP)?;
        let stopped = watch.stop.load(Ordering::Relaxed);
        if step % every == 0 || step == config.steps || stopped {
            let valid_nats = validate(network, valid);
            report = Report { step, train_nats: sum / f64::from(since), valid_nats, ..report };
            (sum, since) = (0.0, 0);
            if valid_nats < report.best_nats {
                (report.best_step, report.best_nats) = (step, valid_nats);
                best = ids.iter().map(|&id| network.params.value(id).to_vec()).collect();
            }
            if let Some(checkpoints) = checkpoints.filter(|_| !best.is_empty()) {
                checkpoints.keep(report, (network, &optimiser), &best, &rng)?;
            }
            (watch.listener)(&report);
        }
        if stopped {
            break;
        }
    }
    for (&id, value) in ids.iter().zip(&best) {
        network.params.assign(id, value);
    }
    Ok(report)
}

/// A window of a document, each sentence as likely as any other.
fn draw<'a>(network: &DocumentNetwork, documents: &'a [Document], rng: &mut ChaCha8Rng) -> Window<'a> {
    let z = network.latent_size();
    let total: usize = documents.iter().map(|d| d.latents.len() / z).sum();
    let mut at = rng.random_range(0..total);
    let mut document = &documents[0];
    for candidate in documents {
        document = candidate;
        if at < candidate.latents.len() / z {
            break;
        }
        at -= candidate.latents.len() / z;
    }
    let Document { latents, given } = document;
    let n = latents.len() / z;
    let window = network.config.window;
    // A window around the sentence: the first and last of a document are in it as often as any other.
    let from = (at + 1).saturating_sub(rng.random_range(1..=window.min(n)));
    let to = (from + window).min(n);
    let centre = centre(random_run(latents, z, rng), z);
    // Now and then nothing is given, so that it is known what to expect then.
    let bare = !given.is_empty() && rng.random::<f32>() < BARE;
    let given = if bare { &given[..=z] } else { &given[..] };
    Window { latents: &latents[from * z..to * z], begins: from == 0, ends: to == n, centre, given }
}

/// Nats a sentence of whole documents, in windows one after the other.
fn validate(network: &DocumentNetwork, documents: &[Document]) -> f64 {
    let z = network.latent_size();
    let (mut tape, mut sum, mut rows) = (Tape::inference(), 0.0, 0);
    for document in documents {
        let Document { latents: document, given } = document;
        let (n, window) = (document.len() / z, network.config.window);
        for from in (0..n).step_by(window) {
            let to = (from + window).min(n);
            let latents = &document[from * z..to * z];
            let (begins, ends) = (from == 0, to == n);
            tape.reset();
            let one = [Window { latents, begins, ends, centre: centre(document, z), given }];
            let count = to - from + usize::from(ends);
            sum += network.loss(&mut tape, &one, Mode { dropout: 0.0, rng: None }) * count as f64;
            rows += count;
        }
    }
    sum / rows.max(1) as f64
}

/// Mean and deviation of each of `z` columns over all rows.
fn moments(rows: &[Vec<f32>], z: usize) -> (Vec<f32>, Vec<f32>) {
    let all = || rows.iter().flat_map(|d| d.chunks(z));
    let n = all().count().max(1) as f64;
    let (mut mean, mut square) = (vec![0f64; z], vec![0f64; z]);
    for row in all() {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += f64::from(*x) / n);
    }
    for row in all() {
        square.iter_mut().zip(&mean).zip(row).for_each(|((s, m), x)| *s += (f64::from(*x) - m).powi(2) / n);
    }
    let deviation: Vec<f32> = square.iter().map(|s| s.sqrt() as f32).collect();
    let largest = deviation.iter().fold(0f32, |a, b| a.max(*b)).max(f32::MIN_POSITIVE);
    (mean.iter().map(|m| *m as f32).collect(), deviation.iter().map(|d| d.max(FLOOR * largest)).collect())
}

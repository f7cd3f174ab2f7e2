//! The training loop: make a plan or read one, step, look, keep the best, stop, finish.
//!
//! Everything that a step depends on is a function of (seed, step): its batch, its noise, its learning rate. So a
//! training that was killed at any moment goes on from its last checkpoint to the same bits.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::Tape;
use strait_eval::Unit;
use strait_model::{
    Autoencoder, Figures, Outside, Progress, Recipe, Regulariser, Trainer,
    config::TextGanConfig,
    folder::{self, training_dir},
    is_of_latent, weights,
};
use strait_text::Tokenizer;

use crate::{
    Budget, Event, Listener, Size, TrainError,
    begun::{Job, NewFolder, START, Texts, read, read_json},
    checkpoint::{Best, Checkpoint, Position, Writer},
    collapse, finish,
    given::GivenVectors,
    latents,
    log::Log,
    look,
    meter::Meter,
    pairs::{self, SourceSide, Sources, Tokenizers},
    parts::Parts,
    places::Places,
    plan::{self, Material},
    step::{self, Lesson},
};

/// Seconds between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(15);
/// A latent that carries nothing is warned of from this share of the steps on.
const ALARM_FROM: f64 = 0.5;
/// Fewest distinct texts that can be trained on.
const LEAST_TEXTS: usize = 8;

/// What to train.
pub struct Request {
    /// The model folder to make.
    pub out: PathBuf,
    /// Name and SHA-256 of the data, for the record.
    pub name: String,
    pub hash: String,
    pub train: Vec<String>,
    pub valid: Vec<String>,
    /// The sources of `train` and `valid`, of which these then are the targets.
    pub sources: Option<Sources>,
    pub recipe: Recipe,
    /// A model folder whose weights and vocabularies it starts from; the recipe's networks must be that model's.
    pub from: Option<PathBuf>,
    /// What a frozen encoder reads: needed with `vectors`, encoded here with `pretrained` unless given.
    pub vectors: Option<GivenVectors>,
    pub size: Option<Size>,
    pub budget: Budget,
    pub seed: u64,
    /// Replace what is at `out`, finished or not.
    pub replace: bool,
    /// When the command began, so that `--minutes` counts from there.
    pub started: Instant,
}

/// How a sitting ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The model folder is complete.
    Finished,
    /// It was asked to stop; the state is on the disk.
    Stopped,
}

/// Begins a training and runs it to its end, or until `stop` is set.
pub fn start(mut request: Request, listener: &mut dyn Listener, stop: &AtomicBool) -> Result<Outcome, TrainError> {
    let dir = training_dir(&request.out);
    folder::check_place(&request.out, request.replace)?;
    if dir.exists() && !request.replace {
        return Err(TrainError::Unfinished { path: dir, out: request.out });
    }
    request.recipe.check()?;
    // Of pairs the sources count: their targets may be few.
    let counted = request.sources.as_ref().map_or(&request.train, |sources| &sources.train);
    let distinct = counted.iter().collect::<std::collections::HashSet<_>>().len();
    if distinct < LEAST_TEXTS {
        return Err(TrainError::TooFewTexts { name: request.name, found: distinct, least: LEAST_TEXTS });
    }
    pairs::check(&request.recipe, request.sources.as_ref())?;
    let start = request.from.as_deref().map(folder::open).transpose()?;
    let fetching = Instant::now();
    let places = Places::find(&mut request.recipe, request.from.as_deref(), listener)?;
    // The minutes are for the training.
    request.started += fetching.elapsed();
    let vectors = (request.vectors.take(), request.from.is_none());
    let parts = Parts::prepare(&mut request.recipe, places, vectors, (&request.train, &request.valid), listener)?;
    let copying = match request.recipe.is_seq2seq() && start.is_none() {
        true => pairs::settle_copying(&mut request.recipe, &request.train, request.sources.as_ref()),
        false => None,
    };
    let mut learned = match (&start, parts.tokenizer()) {
        (Some(saved), _) => Tokenizers::of(saved)?,
        (None, Some(tokenizer)) => Tokenizers::published(tokenizer),
        (None, None) => pairs::tokenizers(&mut request.recipe.tokenizer, &request.train, request.sources.as_ref())?,
    };
    let reasons = std::mem::take(&mut learned.reasons);
    let texts = Texts { train: request.train, valid: request.valid, sources: request.sources };
    let weights = start.map(|saved| weights::to_bytes(&saved.model.params)).transpose()?;
    let new = NewFolder::open(&dir, &texts, &learned, (weights.as_deref(), &parts))?;
    let Tokenizers { tokenizer, source, .. } = &learned;
    let ids = tokenizer.encode_batch(&texts.train);
    let warning = parts.warning(&ids);
    let outside = parts.outside(tokenizer, [&ids, &tokenizer.encode_batch(&texts.valid)]);
    let read = |sources: &Sources| source.as_ref().unwrap_or(tokenizer).encode_batch(&sources.train);
    let source_ids = texts.sources.as_ref().map(read);
    let own = source.as_ref().map(Tokenizer::vocab_size);
    let material = Material {
        texts: &ids,
        vocabulary: tokenizer.vocab_size(),
        sources: source_ids.as_deref().map(|ids| (ids, own)),
        tokenizer,
        source_tokenizer: source.as_ref().unwrap_or(tokenizer),
        unit: Unit::guess(&texts.train),
        seed: request.seed,
        outside: &outside,
    };
    let mut plan = plan::make(&request.recipe, request.size, request.budget, &material, request.started)?;
    plan.reasons.extend(reasons.into_iter().chain(copying).chain(warning));
    let job = Job { name: request.name, hash: request.hash, seed: request.seed, replace: request.replace, plan };
    if let (Some(weights), Some(from)) = (&weights, &request.from) {
        let mut model = material.model(&job.plan.recipe);
        load_start(&mut model, weights, from.join("model.safetensors"))?;
    }
    new.finish(&dir, &job)?;
    Run::new(request.out, job, texts, (learned.tokenizer, learned.source), outside)?.complete(listener, stop)
}

/// Goes on with the unfinished training of the model folder `out` (its own folder's name works too).
pub fn resume(out: &Path, listener: &mut dyn Listener, stop: &AtomicBool) -> Result<Outcome, TrainError> {
    let name = out.to_string_lossy();
    let name = name.trim_end_matches(['/', '\\']);
    let out = PathBuf::from(name.strip_suffix(".training").unwrap_or(name));
    let dir = training_dir(&out);
    if !dir.is_dir() {
        return Err(TrainError::NothingToResume { path: dir, out });
    }
    let job: Job = read_json(&dir.join("job.json"))?;
    let texts: Texts = read_json(&dir.join("texts.json"))?;
    let tokenizer = |name: &str| {
        let file = dir.join(name);
        Tokenizer::from_bytes(&read(&file)?).map_err(|e| TrainError::Damaged { file, why: e.to_string() })
    };
    let own = texts.sources.is_some() && job.plan.recipe.tokenizer.joint == Some(false);
    let source = own.then(|| tokenizer(folder::SOURCE_TOKENIZER)).transpose()?;
    let tokenizer = tokenizer("tokenizer.json")?;
    let parts = Parts::read(&dir, &job.plan.recipe, texts.train.len() + texts.valid.len())?;
    let ids = |texts: &[String]| tokenizer.encode_batch(texts);
    let outside = parts.outside(&tokenizer, [&ids(&texts.train), &ids(&texts.valid)]);
    Run::new(out, job, texts, (tokenizer, source), outside)?.complete(listener, stop)
}

/// Fills a model with the weights it starts from; those of the objective begin afresh where it is another one, and a language
/// model takes those of an autoencoder's decoder.
fn load_start(model: &mut Autoencoder, bytes: &[u8], file: PathBuf) -> Result<(), TrainError> {
    let language_model = model.recipe().is_language_model();
    let free = |name: &str| Regulariser::owns(name) || (language_model && is_of_latent(name));
    weights::load_but(&mut model.params, bytes, free).map_err(|e| TrainError::OtherNetwork { file, why: e.to_string() })
}

/// Batches by step: epochs follow each other, each with its own order.
struct Cursor<'a> {
    batches: strait_text::Batches,
    lengths: &'a [usize],
    epoch: u64,
    list: Vec<Vec<usize>>,
    /// First step of this epoch.
    first: u64,
}

impl<'a> Cursor<'a> {
    fn new(batches: strait_text::Batches, lengths: &'a [usize]) -> Self {
        let list = batches.epoch(lengths, 0);
        Cursor { batches, lengths, epoch: 0, list, first: 0 }
    }

    /// The records of a step; steps must not fall.
    fn at(&mut self, step: u64) -> &[usize] {
        while step >= self.first + self.list.len() as u64 {
            self.first += self.list.len() as u64;
            self.epoch += 1;
            self.list = self.batches.epoch(self.lengths, self.epoch);
        }
        &self.list[(step - self.first) as usize]
    }

    fn epochs(&self, step: u64) -> f64 {
        self.epoch as f64 + step.saturating_sub(self.first) as f64 / self.list.len() as f64
    }
}

/// A training under way.
pub(crate) struct Run {
    pub(crate) out: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) job: Job,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) train: Vec<String>,
    pub(crate) train_ids: Vec<Vec<u32>>,
    pub(crate) valid: Vec<String>,
    pub(crate) valid_ids: Vec<Vec<u32>>,
    /// Of pairs: the sources of these texts.
    pub(crate) sources: Option<SourceSide>,
    pub(crate) unit: Unit,
    pub(crate) model: Autoencoder,
    trainer: Trainer,
    pub(crate) position: Position,
    best: Option<Vec<Vec<f32>>>,
    resumed: bool,
    sitting: Instant,
    earlier: f64,
}

impl Run {
    fn new(
        out: PathBuf,
        job: Job,
        texts: Texts,
        (tokenizer, source): (Tokenizer, Option<Tokenizer>),
        outside: Vec<Outside>,
    ) -> Result<Self, TrainError> {
        let dir = training_dir(&out);
        let recipe = &job.plan.recipe;
        recipe.check()?;
        let vocabularies = (tokenizer.vocab_size(), source.as_ref().map(Tokenizer::vocab_size));
        let mut model = Autoencoder::with_sources(recipe, vocabularies, job.seed);
        outside.iter().for_each(|outside| model.set_outside(outside, job.seed));
        if dir.join(START).exists() {
            let file = dir.join(START);
            load_start(&mut model, &read(&file)?, file)?;
        }
        let mut trainer = Trainer::new(&model);
        let nothing = Best { step: 0, bits_per_byte: f64::MAX };
        let mut position =
            Position { step: 0, updates: Vec::new(), seconds: 0.0, best: nothing, waited: 0, warned: false };
        let mut best = None;
        let file = dir.join(crate::checkpoint::FILE);
        let found = Checkpoint::read(&file)?;
        let resumed = found.is_some();
        if let Some(checkpoint) = found {
            position = checkpoint.position.clone();
            best = checkpoint
                .restore(&mut model.params, |each| trainer.restore(&position.updates, each))
                .map_err(|why| TrainError::Damaged { file, why })?;
        }
        let sources = texts.sources.map(|sources| SourceSide::new(source, &tokenizer, sources));
        Ok(Run {
            sources,
            train_ids: tokenizer.encode_batch(&texts.train),
            valid_ids: tokenizer.encode_batch(&texts.valid),
            unit: Unit::guess(&texts.train),
            train: texts.train,
            valid: texts.valid,
            earlier: position.seconds,
            out,
            dir,
            job,
            tokenizer,
            model,
            trainer,
            position,
            best,
            resumed,
            sitting: Instant::now(),
        })
    }

    /// Seconds of training, over all sittings.
    pub(crate) fn seconds(&self) -> f64 {
        self.earlier + self.sitting.elapsed().as_secs_f64()
    }

    fn complete(mut self, listener: &mut dyn Listener, stop: &AtomicBool) -> Result<Outcome, TrainError> {
        let mut log = Log::open(&self.dir, self.position.step, listener)?;
        if self.resumed {
            log.hear(&Event::Resumed { step: self.position.step });
        } else {
            let plan = &self.job.plan;
            log.hear(&Event::Planned {
                steps: plan.steps,
                epochs: plan.steps as f64 / plan.steps_per_epoch,
                weights: self.model.params.weights(),
                vocabulary: self.tokenizer.vocab_size(),
                size: plan.size.name().into(),
                reasons: plan.reasons.clone(),
            });
        }
        let Some(why) = self.steps(&mut log, stop)? else { return Ok(Outcome::Stopped) };
        let best_step = self.position.best.step;
        log.hear(&Event::Ended { step: self.position.step, best_step, why: why.clone(), seconds: self.seconds() });
        if let Some(best) = &self.best {
            let ids: Vec<_> = self.model.params.iter().map(|(id, _)| id).collect();
            ids.into_iter().zip(best).for_each(|(id, values)| self.model.params.assign(id, values));
        }
        finish::finish(self, why, &mut log)?;
        Ok(Outcome::Finished)
    }

    /// Steps until the plan is done, looks stop improving, or `stop` is set (then `None`).
    fn steps(&mut self, log: &mut Log<'_>, stop: &AtomicBool) -> Result<Option<String>, TrainError> {
        let plan = self.job.plan.clone();
        let t = &plan.recipe.training;
        let sources = self.sources.as_ref().map(|s| &s.train_ids[..]);
        let lengths = plan::lengths(&self.train_ids, sources);
        let mut cursor = Cursor::new(plan::batches(&plan.recipe, self.job.seed), &lengths);
        let mut writer = Writer::new(&self.dir);
        let mut tape = Tape::new();
        let mut meter = Meter::new();
        let mut written = Instant::now();
        let longest = finish::max_len(&self.train_ids);
        while self.position.step < plan.steps {
            let step = self.position.step;
            if stop.load(Ordering::Relaxed) {
                self.checkpoint(&mut writer)?;
                writer.wait()?;
                log.hear(&Event::Checkpoint { step });
                return Ok(None);
            }
            let picked = cursor.at(step);
            let bytes: usize = picked.iter().map(|&i| self.train[i].len()).sum();
            let mut rng = ChaCha8Rng::seed_from_u64(self.job.seed);
            rng.set_stream(step + 1);
            let progress = Progress { step, steps: plan.steps };
            let lesson = Lesson {
                texts: &self.train_ids,
                sources: self.sources.as_ref().map(|s| &s.train_ids[..]),
                tokenizer: &self.tokenizer,
                source_tokenizer: self.sources.as_ref().and_then(|s| s.tokenizer.as_ref()).unwrap_or(&self.tokenizer),
                unit: self.unit,
                longest,
            };
            let parts = (&mut self.trainer, &mut self.model);
            let made = step::step(parts, &mut tape, (lesson, picked), progress, &mut rng);
            let made = made.map_err(|source| TrainError::Numbers { step, source })?;
            self.position.step += 1;
            self.position.updates = self.trainer.updates();
            meter.add(made.loss.bound(), bytes, made.loss.tokens);
            let (step, steps) = (self.position.step, plan.steps);
            if meter.due() || step == steps {
                let event = Event::Step {
                    step,
                    steps,
                    epoch: cursor.epochs(step),
                    bits_per_byte: meter.loss(),
                    rate: made.rate,
                    gradient_norm: made.norm,
                    figures: figures(&made.figures),
                    tokens_per_second: meter.speed(),
                    seconds: self.seconds(),
                    seconds_left: meter.seconds_a_step() * (steps - step) as f64,
                };
                meter.next();
                log.hear(&event);
            }
            if step % plan.look_every == 0 || step == steps {
                let pause = Instant::now();
                if self.look(log, cursor.epochs(step)) {
                    return Ok(Some(format!("{} looks without improvement (training.patience)", t.patience)));
                }
                meter.skip(pause.elapsed());
            }
            if written.elapsed() > CHECKPOINT_EVERY && !writer.is_busy() && step < steps {
                self.checkpoint(&mut writer)?;
                written = Instant::now();
            }
        }
        writer.wait()?;
        Ok(Some("all planned steps were made".into()))
    }

    fn checkpoint(&mut self, writer: &mut Writer) -> Result<(), TrainError> {
        self.position.seconds = self.seconds();
        let moments = self.trainer.moments();
        writer.write(Checkpoint::take(self.position.clone(), &self.model.params, moments, self.best.as_deref()))
    }

    /// Looks at the validation set; true if it is time to stop.
    fn look(&mut self, log: &mut Log<'_>, epoch: f64) -> bool {
        let step = self.position.step;
        let scene = look::Scene {
            tokenizer: &self.tokenizer,
            train: &self.train_ids,
            valid: &self.valid,
            valid_ids: &self.valid_ids,
            sources: self.sources.as_ref(),
            unit: self.unit,
            max_len: finish::max_len(&self.train_ids),
            seed: self.job.seed,
        };
        let seen = look::look(&mut self.model, &scene, step);
        let made = Progress { step, steps: self.job.plan.steps };
        let objective = &self.job.plan.recipe.objective;
        let comparable = objective.is_comparable(made) || (step == made.steps && self.best.is_none());
        let best = comparable && seen.criterion < self.position.best.bits_per_byte;
        let settled = objective.is_settled(made) && made.share() >= ALARM_FROM;
        let alarm = latents::alarm(&seen.figures).filter(|_| settled);
        let adversarial = |gan: &TextGanConfig| step > gan.pretraining(made.steps);
        let adversarial = objective.text_gan.as_ref().is_some_and(adversarial);
        let alarm = alarm.or_else(|| collapse::alarm(&seen.figures).filter(|_| adversarial));
        if best {
            self.position.best = Best { step, bits_per_byte: seen.criterion };
            self.position.waited = 0;
            self.best = Some(self.model.params.iter().map(|(_, p)| p.value().to_vec()).collect());
        } else if objective.is_settled(made) {
            self.position.waited += 1;
        }
        log.hear(&Event::Look {
            step,
            steps: self.job.plan.steps,
            epoch,
            bits_per_byte: seen.bits_per_byte,
            nats_per_token: seen.nats_per_token,
            token_accuracy: seen.token_accuracy,
            bleu4: seen.reconstruction.bleu4,
            exact: seen.reconstruction.exact,
            n: seen.reconstruction.n,
            best,
            reconstructions: seen.reconstructions,
            samples: seen.samples,
            sources: seen.sources,
            figures: figures(&seen.figures),
            seconds: self.seconds(),
        });
        if let Some(message) = alarm.filter(|_| !self.position.warned) {
            self.position.warned = true;
            log.hear(&Event::Warning { message });
        }
        self.position.waited >= self.job.plan.recipe.training.patience
    }
}

/// Figures as an event carries them.
fn figures(figures: &Figures) -> BTreeMap<String, f64> {
    figures.iter().filter(|f| f.1.is_finite()).map(|&(name, value)| (name.to_string(), value)).collect()
}

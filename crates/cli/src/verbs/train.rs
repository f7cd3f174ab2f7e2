//! `strait train`: from a file of texts to a model folder.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Result;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use strait::{
    Budget, Recipe, Size, Training,
    config::{NetworkKind, RiskConfig, RiskMetric},
    read_config,
    text::ReadOptions,
};

use super::resume;
use crate::{
    complaint::Usage,
    flags::{CorpusFlags, PairFlags, at_least_one, positive},
    input,
    talk::say,
};

/// Train a model on a file of texts
///
/// FILE is txt (a text a line), csv, tsv or jsonl, plain or as .gz or .zst; what it is is found out and said. Ctrl-C
/// saves, and `strait resume` goes on. With --task seq2seq FILE holds pairs of a source and a target, and the model learns to
/// write the one for the other.
#[derive(Args)]
pub struct Train {
    /// The texts; `-` is standard input
    file: PathBuf,
    /// The model folder to make [default: FILE's name with .strait, in the current folder]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Texts to validate on [default: 5 % of FILE, put aside by a hash of each text]
    #[arg(long, value_name = "FILE")]
    valid: Option<PathBuf>,
    /// With --targets: the targets of --valid
    #[arg(long, value_name = "FILE", requires = "targets", requires = "valid")]
    valid_targets: Option<PathBuf>,
    #[command(flatten)]
    length: LengthFlags,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    published: PublishedFlags,
    /// Replace the model, or the unfinished training, that is there
    #[arg(long)]
    force: bool,
    /// Print every event as a line of JSON on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    corpus: CorpusFlags,
    #[command(flatten)]
    pairs: PairFlags,
}

#[derive(Args)]
#[group(multiple = false)]
struct LengthFlags {
    /// Take about so many minutes in all [default: 5]
    #[arg(long, value_name = "M", value_parser = positive)]
    minutes: Option<f64>,
    /// Pass over the data so many times
    #[arg(long, value_name = "N", value_parser = positive)]
    epochs: Option<f64>,
    /// Make so many steps: the same model on any machine, however fast
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    steps: Option<usize>,
}

/// What can be learned.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(super) enum Task {
    /// To give texts back (or, by the recipe, to go on with them)
    Autoencode,
    /// To write a target for a source
    Seq2seq,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Risk {
    /// 1 - sentence BLEU-4
    Bleu,
    /// 1 - sentence chrF2
    Chrf,
    /// 1 - ROUGE-L
    RougeL,
    /// Slots missing, wrong or too many; for sources that list slots
    Slots,
}

impl From<Risk> for RiskMetric {
    fn from(risk: Risk) -> RiskMetric {
        match risk {
            Risk::Bleu => RiskMetric::Bleu,
            Risk::Chrf => RiskMetric::Chrf,
            Risk::RougeL => RiskMetric::RougeL,
            Risk::Slots => RiskMetric::Slots,
        }
    }
}

/// Of a trained model's peak learning rate, what is used to go on from it.
const FROM_RATE: f32 = 0.1;
/// The same with a risk, whose gradients are larger and which unlearns at that rate (docs/log.md).
const RISK_RATE: f32 = 0.015;

#[derive(Args)]
struct NetworkFlags {
    /// What to learn [default: what the recipe is for]
    #[arg(long, value_enum)]
    task: Option<Task>,
    /// Size of the network [default: the largest that the minutes suffice for, or base]
    #[arg(long, value_parser = PossibleValuesParser::new(Size::ALL.map(Size::name)).map(size))]
    size: Option<Size>,
    /// A recipe by name (`strait recipes` lists them), or a .toml file [default: the first of the list]
    #[arg(long, value_name = "R")]
    recipe: Option<String>,
    /// Go on from a trained model: its recipe, size, vocabularies and weights, at a tenth of its learning rate (less with --risk);
    /// with --recipe, for the objective and as the training of that recipe say; a language model or text GAN may begin with an
    /// autoencoder's decoder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["size", "vocab"])]
    from: Option<PathBuf>,
    /// Also minimise the expected risk of what is written (minimum risk training; with --from)
    #[arg(long, value_enum, requires = "from")]
    risk: Option<Risk>,
    /// Seed of the weights, the batches, the noise and the split
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,
    /// Peak learning rate, instead of the recipe's
    #[arg(long, value_name = "RATE", value_parser = positive)]
    lr: Option<f64>,
    /// Set a field of the recipe, as latent.size=32 (`strait recipes NAME` prints them all); can be given again
    #[arg(long, value_name = "FIELD=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Tokens in the vocabulary [default: chosen from the texts]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    vocab: Option<usize>,
}

#[derive(Args)]
#[command(next_help_heading = "Published models")]
struct PublishedFlags {
    /// Train a decoder for this published encoder (BERT, MiniLM, RoBERTa, DistilBERT), which is copied into the model and stays as
    /// it is [default recipe: vec2text], or is trained on with it (--recipe tuned); also hf:OWNER/NAME, fetched once from the
    /// Hugging Face hub
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    encoder: Option<PathBuf>,
    /// Train a decoder for these vectors of FILE's records, npy or jsonl, a row each; with --encoder, they are taken for its own
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// Train this published decoder (GPT-2 and its likes) on, behind the encoder of --encoder or an LSTM [default recipe: joined],
    /// or as a language model (--recipe lm-tuned); its tokens are the model's; also hf:OWNER/NAME
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    decoder: Option<PathBuf>,
    /// The vectors of the records of --valid
    #[arg(long, value_name = "FILE", requires_all = ["vectors", "valid"])]
    valid_vectors: Option<PathBuf>,
}

impl PublishedFlags {
    /// The recipe for what they give, if no other is asked for.
    fn recipe(&self) -> Option<&'static str> {
        match (&self.decoder, &self.encoder, &self.vectors) {
            (Some(_), ..) => Some("joined"),
            (None, None, None) => None,
            _ => Some("vec2text"),
        }
    }

    /// The recipe with the networks that the flags ask for.
    fn apply(&self, mut recipe: Recipe) -> Result<Recipe> {
        let quoted = |dir: &Path| format!("{:?}", dir.display().to_string());
        if let Some(dir) = &self.decoder {
            recipe = recipe.with("decoder.kind", "published")?.with("decoder.folder", &quoted(dir))?;
            if recipe.encoder.kind == NetworkKind::Tuned && self.encoder.is_none() {
                recipe = recipe.with("encoder.kind", "lstm")?;
            }
        }
        match (&self.encoder, &self.vectors) {
            (Some(dir), _) => {
                let kind = if recipe.encoder.kind == NetworkKind::Tuned { "tuned" } else { "pretrained" };
                Ok(recipe.with("encoder.kind", kind)?.with("encoder.folder", &quoted(dir))?)
            }
            (None, Some(_)) => Ok(recipe.with("encoder.kind", "vectors")?),
            (None, None) => Ok(recipe),
        }
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.trim().is_empty() => Ok((field.trim().into(), value.trim().into())),
        _ => Err("a field and a value are wanted, as latent.size=32".into()),
    }
}

/// The size of a name that the parser let through.
pub(super) fn size(name: String) -> Size {
    // The parser before lets no other name through.
    Size::ALL.into_iter().find(|s| s.name() == name).unwrap_or(Size::Base)
}

impl Train {
    pub fn run(self) -> Result<()> {
        let started = Instant::now();
        let out = self.out.clone().unwrap_or_else(|| default_out(&self.file));
        strait::check_place(&out, self.force)?;
        let recipe = self.published.apply(self.network.recipe(self.pairs.given(), self.published.recipe())?)?;
        let training = self.training(&out, recipe, started)?;
        let file = Some(self.file.as_path()).filter(|f| *f != Path::new("-"));
        resume::listen(self.json, &out, file, |progress, stop| training.run(progress, stop))
    }

    /// Reads the texts and says what was found.
    fn training(&self, out: &Path, recipe: Recipe, started: Instant) -> Result<Training> {
        // Each record has its vector.
        let base = if self.published.vectors.is_some() { ReadOptions::one_to_one() } else { ReadOptions::default() };
        let options = self.corpus.resolve(base);
        if self.valid.as_deref() == Some(Path::new("-")) && self.file == Path::new("-") {
            return Err(Usage("only one of FILE and --valid can be standard input".into()).into());
        }
        if recipe.is_seq2seq() {
            return self.of_pairs(out, recipe, &options, started);
        }
        let train = input::corpus(&self.file, &options)?;
        say!("Found:\n  {}", train.report.to_string().replace('\n', "\n  "));
        let valid = self.valid.as_deref().map(|file| input::corpus(file, &options)).transpose()?;
        match &valid {
            Some(valid) => say!("  {}", valid.report.to_string().replace('\n', "\n  ")),
            None => say!("  To validate, 5 % are put aside by a hash of each text (--valid FILE to give others)."),
        }
        let read = |file: &Option<PathBuf>| file.as_deref().map(input::latents).transpose();
        let (vectors, valid_vectors) = (read(&self.published.vectors)?, read(&self.published.valid_vectors)?);
        let training = Training { valid, vectors, valid_vectors, ..Training::new(out, train) };
        Ok(self.resolved(training, recipe, started))
    }

    /// Reads pairs and says what was found.
    fn of_pairs(&self, out: &Path, recipe: Recipe, options: &ReadOptions, started: Instant) -> Result<Training> {
        let pairs = self.pairs.read(&self.file, self.pairs.targets(), options)?;
        say!("Found:\n  {}", pairs.found.to_string().replace('\n', "\n  "));
        let mut training = Training::of_pairs(out, pairs);
        match &self.valid {
            Some(file) => {
                if self.pairs.targets().is_some() && self.valid_targets.is_none() {
                    return Err(Usage("--valid with --targets needs --valid-targets, too".into()).into());
                }
                let valid = self.pairs.read(file, self.valid_targets.as_ref(), options)?;
                say!("  {}", valid.found.to_string().replace('\n', "\n  "));
                training = training.with_valid_pairs(valid);
            }
            None => say!("  To validate, 5 % are put aside by a hash of each source (--valid FILE to give others)."),
        }
        Ok(self.resolved(training, recipe, started))
    }

    /// The training as the flags say, and what will be made.
    fn resolved(&self, training: Training, recipe: Recipe, started: Instant) -> Training {
        say!(
            "The model will be {} (--out to change). Recipe {}: {}",
            training.out.display(),
            recipe.name,
            recipe.about
        );
        Training {
            recipe,
            from: self.network.from.clone(),
            // A model's sizes are final; base leaves them.
            size: if self.network.from.is_some() { Some(Size::Base) } else { self.network.size },
            budget: self.length.budget(),
            seed: self.network.seed,
            replace: self.force,
            started,
            ..training
        }
    }
}

impl LengthFlags {
    fn budget(&self) -> Budget {
        match (self.minutes, self.epochs, self.steps) {
            (_, _, Some(steps)) => Budget::Steps(steps as u64),
            (_, Some(epochs), _) => Budget::Epochs(epochs),
            (minutes, None, None) => Budget::Minutes(minutes.unwrap_or(5.0)),
        }
    }
}

impl NetworkFlags {
    /// The recipe as the flags say; `pairs` says whether flags spoke of pairs, `published` is the recipe for what others gave.
    fn recipe(&self, pairs: bool, published: Option<&str>) -> Result<Recipe> {
        let paired = self.task == Some(Task::Seq2seq) || (self.task.is_none() && pairs);
        let mut recipe = match (&self.from, &self.recipe) {
            (Some(dir), name) => {
                let mut recipe = read_config(dir)?.recipe;
                if let Some(name) = name {
                    let other = Recipe::find(name)?;
                    let kind = |r: &Recipe| match (r.is_seq2seq(), r.is_language_model()) {
                        (true, _) => "writes targets for sources",
                        (_, true) => "is a language model",
                        _ => "has a latent",
                    };
                    // A language model may begin as an autoencoder's decoder.
                    let decoder_of_it = other.is_language_model() && !recipe.is_seq2seq();
                    if kind(&other) != kind(&recipe) && !decoder_of_it {
                        let (dir, ours, its) = (dir.display(), kind(&recipe), kind(&other));
                        return Err(Usage(format!("{dir} {ours}, and what the recipe {name} trains {its}")).into());
                    }
                    let led = |r: &Recipe| r.objective.text_gan.as_ref().is_some_and(|gan| gan.method.leaks());
                    if led(&recipe) && !led(&other) {
                        let dir = dir.display();
                        let why =
                            format!("{dir} is led by a manager, which the recipe {name} has none of; take leakgan");
                        return Err(Usage(why).into());
                    }
                    recipe = recipe.with_aims_of(other);
                    recipe.check()?;
                }
                recipe.training.rate *= if self.risk.is_some() { RISK_RATE } else { FROM_RATE };
                recipe
            }
            (None, Some(name)) => Recipe::find(name)?,
            (None, None) => match published {
                Some(name) => Recipe::find(name)?,
                None => Recipe::built_in().into_iter().find(|r| r.is_seq2seq() == paired).unwrap_or_default(),
            },
        };
        if let Some(rate) = self.lr {
            recipe.training.rate = rate as f32;
        }
        if let Some(risk) = self.risk {
            recipe.objective.risk = Some(RiskConfig { metric: risk.into(), ..RiskConfig::default() });
            recipe.check()?;
        }
        for (field, value) in &self.set {
            recipe = recipe.with(field, value)?;
        }
        let wanted = self.task.map_or(recipe.is_seq2seq(), |task| task == Task::Seq2seq);
        if wanted != recipe.is_seq2seq() || (pairs && !wanted) {
            let kind = if recipe.is_seq2seq() { "writes targets for sources" } else { "knows no sources" };
            let why =
                format!("the recipe `{}` {kind}: that does not go with --task or the flags of pairs", recipe.name);
            return Err(Usage(why).into());
        }
        recipe.tokenizer.vocabulary = self.vocab.or(recipe.tokenizer.vocabulary);
        Ok(recipe)
    }
}

/// "data/reviews.csv.gz" makes "reviews.strait" here.
fn default_out(file: &Path) -> PathBuf {
    beside(file, ".strait")
}

/// The data's name without folder and extensions, with `suffix`.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let stem = |path: &Path| path.file_stem().map(PathBuf::from);
    let packed = file.extension().is_some_and(|e| ["gz", "zst"].iter().any(|p| e.eq_ignore_ascii_case(p)));
    let name = if packed { stem(file).as_deref().and_then(stem) } else { stem(file) };
    let mut name = name.filter(|n| n != Path::new("-")).unwrap_or("model".into()).into_os_string();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models() {
        for (file, model) in [
            ("a/reviews.csv.gz", "reviews.strait"),
            ("reviews.txt", "reviews.strait"),
            ("reviews", "reviews.strait"),
            ("my.notes.v2.txt", "my.notes.v2.strait"),
            ("-", "model.strait"),
            ("x.zst", "x.strait"),
        ] {
            assert_eq!(default_out(Path::new(file)), Path::new(model), "{file}");
        }
    }
}

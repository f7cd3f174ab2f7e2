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
use strait::{Budget, Recipe, Size, Training, text::ReadOptions};

use super::resume;
use crate::{
    complaint::Usage,
    flags::{CorpusFlags, at_least_one, positive},
    input,
    talk::say,
};

/// Train a model on a file of texts
///
/// FILE is txt (a text a line), csv, tsv or jsonl, plain or as .gz or .zst; what it is is found out and said. Ctrl-C
/// saves, and `strait resume` goes on.
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
    #[command(flatten)]
    length: LengthFlags,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    frozen: FrozenFlags,
    /// Replace the model, or the unfinished training, that is there
    #[arg(long)]
    force: bool,
    /// Print every event as a line of JSON on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    corpus: CorpusFlags,
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

#[derive(Args)]
struct NetworkFlags {
    /// Size of the network [default: the largest that the minutes suffice for, or base]
    #[arg(long, value_parser = PossibleValuesParser::new(Size::ALL.map(Size::name)).map(size))]
    size: Option<Size>,
    /// A recipe by name (`strait recipes` lists them), or a .toml file [default: the first of the list]
    #[arg(long, value_name = "R")]
    recipe: Option<String>,
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
#[command(next_help_heading = "Vectors to text")]
struct FrozenFlags {
    /// Train a decoder for this published encoder (BERT, MiniLM, RoBERTa, DistilBERT), which stays as it is and is copied into
    /// the model [default recipe: vec2text]
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Train a decoder for these vectors of FILE's records, npy or jsonl, a row each; with --encoder, they are taken for its own
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// The vectors of the records of --valid
    #[arg(long, value_name = "FILE", requires_all = ["vectors", "valid"])]
    valid_vectors: Option<PathBuf>,
}

impl FrozenFlags {
    fn any(&self) -> bool {
        self.encoder.is_some() || self.vectors.is_some()
    }

    /// The recipe with the encoder that the flags ask for.
    fn apply(&self, recipe: Recipe) -> Result<Recipe> {
        match (&self.encoder, &self.vectors) {
            (Some(dir), _) => {
                let folder = format!("{:?}", dir.display().to_string());
                Ok(recipe.with("encoder.kind", "pretrained")?.with("encoder.folder", &folder)?)
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
        let recipe = self.frozen.apply(self.network.recipe(self.frozen.any())?)?;
        let training = self.training(&out, recipe, started)?;
        let file = Some(self.file.as_path()).filter(|f| *f != Path::new("-"));
        resume::listen(self.json, &out, file, |progress, stop| training.run(progress, stop))
    }

    /// Reads the texts and says what was found.
    fn training(&self, out: &Path, recipe: Recipe, started: Instant) -> Result<Training> {
        // Each record has its vector.
        let base = if self.frozen.vectors.is_some() { ReadOptions::one_to_one() } else { ReadOptions::default() };
        let options = self.corpus.resolve(base);
        if self.valid.as_deref() == Some(Path::new("-")) && self.file == Path::new("-") {
            return Err(Usage("only one of FILE and --valid can be standard input".into()).into());
        }
        let train = input::corpus(&self.file, &options)?;
        say!("Found:\n  {}", train.report.to_string().replace('\n', "\n  "));
        let valid = self.valid.as_deref().map(|file| input::corpus(file, &options)).transpose()?;
        match &valid {
            Some(valid) => say!("  {}", valid.report.to_string().replace('\n', "\n  ")),
            None => say!("  To validate, 5 % are put aside by a hash of each text (--valid FILE to give others)."),
        }
        say!("The model will be {} (--out to change). Recipe {}: {}", out.display(), recipe.name, recipe.about);
        Ok(Training {
            valid,
            recipe,
            vectors: self.frozen.vectors.as_deref().map(input::latents).transpose()?,
            valid_vectors: self.frozen.valid_vectors.as_deref().map(input::latents).transpose()?,
            size: self.network.size,
            budget: self.length.budget(),
            seed: self.network.seed,
            replace: self.force,
            started,
            ..Training::new(out, train)
        })
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
    fn recipe(&self, frozen: bool) -> Result<Recipe> {
        let mut recipe = match &self.recipe {
            Some(name) => Recipe::find(name)?,
            None if frozen => Recipe::find("vec2text")?,
            None => Recipe::built_in().into_iter().next().unwrap_or_default(),
        };
        if let Some(rate) = self.lr {
            recipe.training.rate = rate as f32;
        }
        for (field, value) in &self.set {
            recipe = recipe.with(field, value)?;
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

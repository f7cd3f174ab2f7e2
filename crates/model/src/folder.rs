//! The model folder: everything about a trained model in open formats, complete or absent.
//!
//! | file | what |
//! |---|---|
//! | `config.json` | the resolved recipe, versions, seed, data hash, figures, and a SHA-256 of every other file but the card |
//! | `model.safetensors` | the weights |
//! | `tokenizer.json` | the tokenizer |
//! | `source_tokenizer.json` | the sources' tokenizer, where they have one of their own |
//! | `prior.safetensors` | the prior fitted to the latents (a language model has none) |
//! | `encoder/` | with a pretrained encoder: a copy of its published folder |
//! | `decoder/` | with a published decoder: a copy of its folder, but of the weights, which are among the model's |
//! | `usual.json` | how odd validation texts are, against which others are held (not where there were none) |
//! | `frontier.json` | how samples trade quality for variety, for the dial of `strait sample --quality` (not where there were too few texts) |
//! | `words.json` | the words of its corpus as lists of tokens, to which texts can be held (not in scripts without blanks) |
//! | `README.md` | the model card, yours to edit |
//! | `metrics.jsonl` | every event of the training |
//! | `report.html` | the same as a page with curves |
//!
//! A folder is written under a temporary name beside its place, flushed, and renamed, so that a crash leaves no
//! partial one.

mod place;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strait_pretrained::SentenceEncoder;
use strait_text::Tokenizer;

pub use place::{Place, check_place, check_place_of, files_of, write_flushed};

use crate::{
    Autoencoder, Frontier, Outside, Published, PublishedDecoder, Recipe, Usual, Vectors,
    config::NetworkKind,
    decoding::{self, Words},
    prior::Prior,
    weights,
};

/// The model card: the one file that is not checked, as it is yours to edit.
pub const CARD: &str = "README.md";

/// The folder in it that holds a published encoder.
pub const ENCODER: &str = "encoder";
/// The folder in it that holds a published decoder, without its weights.
pub const DECODER: &str = "decoder";

const PRIOR: &str = "prior.safetensors";
const USUAL: &str = "usual.json";
const WORDS: &str = "words.json";
const FRONTIER: &str = "frontier.json";
/// The sources' own tokenizer.
pub const SOURCE_TOKENIZER: &str = "source_tokenizer.json";

/// The version of the folder's layout.
pub const FORMAT: u32 = 1;

/// `config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The layout's version.
    pub strait_format: u32,
    /// The program's version.
    pub strait_version: String,
    /// The resolved recipe.
    pub recipe: Recipe,
    /// Tokens in the vocabulary, V.
    pub vocabulary: usize,
    /// Seed of the weights, the batches, the noise and the split.
    pub seed: u64,
    /// What it was trained on.
    pub data: Data,
    /// How the training went.
    pub training: Training,
    /// How it decodes a given latent when nothing is asked.
    pub decoding: decoding::Options,
    /// How it decodes latents drawn at random when nothing is asked.
    pub sampling: decoding::Options,
    /// SHA-256 of the other files, by name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// SHA-256 of this file, byte for byte, with this field empty.
    #[serde(default)]
    pub checksum: String,
}

/// What a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Name of the file.
    pub name: String,
    /// SHA-256 of the file.
    pub hash: String,
    /// Records that trained.
    pub train: usize,
    /// Records that validated.
    pub valid: usize,
    /// Mean and longest length of a training record in tokens.
    pub mean_tokens: f64,
    pub longest_tokens: usize,
}

/// How a training went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Steps made, and the step whose weights were kept.
    pub steps: u64,
    pub best_step: u64,
    /// Passes over the data.
    pub epochs: f64,
    /// Why it ended.
    pub ended: String,
    /// Figures of the kept weights, by name.
    pub figures: BTreeMap<String, f64>,
}

/// A model read from its folder.
pub struct Saved {
    pub config: Config,
    pub model: Autoencoder,
    pub tokenizer: Tokenizer,
    /// Of the sources, if they have one of their own.
    pub source_tokenizer: Option<Tokenizer>,
    pub prior: Prior,
    /// How odd validation texts are, if there were any.
    pub usual: Option<Usual>,
    /// How samples trade quality for variety, if it was measured.
    pub frontier: Option<Frontier>,
}

/// Why a folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Nothing there.
    #[error("{}: there is no such folder; train a model with `strait train FILE --out {}`", .0.display(), .0.display())]
    Absent(PathBuf),
    /// A training that has not ended.
    #[error("{}: the training has not ended; go on with `strait resume {}`", .0.display(), .0.display())]
    Unfinished(PathBuf),
    /// Something else than a model.
    #[error("{}: not a Strait model (it has no config.json of one)", .0.display())]
    NotAModel(PathBuf),
    /// A file is gone.
    #[error("{}: the file is missing; restore it from a copy or train again", .0.display())]
    Missing(PathBuf),
    /// A file is not what was written.
    #[error("{}: the file is damaged: {why}; restore it from a copy or train again", file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The state of an unfinished training is not what was written.
    #[error("{}: damaged: {why}; start over with --force", file.display())]
    State {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A newer layout.
    #[error("{}: written in format {found}, this program reads up to {FORMAT}; use a newer strait", file.display())]
    Version {
        /// Which file.
        file: PathBuf,
        /// Its format.
        found: u64,
    },
    /// In the way.
    #[error("{}: already there; choose another --out, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// Something that is not ours is in the way.
    #[error("{}: there, and nothing that this verb has made, so it is not replaced even with --force; choose another --out", .0.display())]
    Foreign(PathBuf),
    /// The system refused.
    #[error("{}: cannot {what}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

fn io_error<'a>(path: &'a Path, what: &'static str) -> impl Fn(io::Error) -> FolderError + 'a {
    move |source| FolderError::Io { path: path.into(), what, source }
}

/// Reads and checks a model folder.
pub fn open(dir: &Path) -> Result<Saved, FolderError> {
    let config = read_config(dir)?;
    let damaged = |name: &str, why: String| FolderError::Damaged { file: dir.join(name), why };
    let mut files = BTreeMap::new();
    for (name, hash) in &config.files {
        let bytes = read_file(&dir.join(name))?;
        if sha256(&bytes) != *hash {
            return Err(damaged(name, "its SHA-256 is not the one in config.json".into()));
        }
        files.insert(name.as_str(), bytes);
    }
    let file = |name: &str| files.get(name).ok_or_else(|| damaged("config.json", format!("it does not list {name}")));
    let tokenizer =
        Tokenizer::from_bytes(file("tokenizer.json")?).map_err(|e| damaged("tokenizer.json", e.to_string()))?;
    config.recipe.check().map_err(|e| damaged("config.json", e.to_string()))?;
    if tokenizer.vocab_size() != config.vocabulary {
        let why = format!("it has {} tokens, config.json says {}", tokenizer.vocab_size(), config.vocabulary);
        return Err(damaged("tokenizer.json", why));
    }
    let source_tokenizer = files.get(SOURCE_TOKENIZER).map(|bytes| Tokenizer::from_bytes(bytes)).transpose();
    let source_tokenizer = source_tokenizer.map_err(|e| damaged(SOURCE_TOKENIZER, e.to_string()))?;
    let vocabularies = (config.vocabulary, source_tokenizer.as_ref().map(Tokenizer::vocab_size));
    let mut model = Autoencoder::with_sources(&config.recipe, vocabularies, config.seed);
    if config.recipe.encoder.kind.is_given() {
        let (outside, columns) = outside(dir, &config, &tokenizer)?;
        if columns == 0 || columns != config.recipe.encoder.columns {
            let why = format!("encoder.columns is {}, not {columns}", config.recipe.encoder.columns);
            return Err(damaged("config.json", why));
        }
        model.set_outside(&outside, config.seed);
    }
    if config.recipe.decoder.kind == NetworkKind::Published {
        let published = PublishedDecoder::open_untrained(&dir.join(DECODER));
        let published = published.map_err(|e| damaged(DECODER, e.to_string()))?;
        let mut recipe = config.recipe.clone();
        published.settle(&mut recipe);
        if recipe != config.recipe || published.tokenizer().vocab_size() != config.vocabulary {
            return Err(damaged("config.json", format!("its sizes are not those of the network in {DECODER}/")));
        }
        model.set_outside(&Outside::Decoder(Arc::new(published)), config.seed);
    }
    weights::load(&mut model.params, file("model.safetensors")?)
        .map_err(|e| damaged("model.safetensors", e.to_string()))?;
    let prior = match model.latent_size() {
        0 => Prior::standard_normal(0),
        _ => Prior::from_bytes(file(PRIOR)?).map_err(|e| damaged(PRIOR, e.to_string()))?,
    };
    if prior.dim() != model.latent_size() {
        let why = format!("its vectors have {} dimensions, the model's latents {}", prior.dim(), model.latent_size());
        return Err(damaged(PRIOR, why));
    }
    model.words =
        files.get(WORDS).map(|bytes| read_words(bytes, &tokenizer)).transpose().map_err(|why| damaged(WORDS, why))?;
    let usual = files.get(USUAL).map(|bytes| read_usual(bytes)).transpose().map_err(|why| damaged(USUAL, why))?;
    let frontier = files.get(FRONTIER).map(|bytes| read_frontier(bytes)).transpose();
    let frontier = frontier.map_err(|why| damaged(FRONTIER, why))?;
    Ok(Saved { config, model, tokenizer, source_tokenizer, prior, usual, frontier })
}

fn read_words(bytes: &[u8], tokenizer: &Tokenizer) -> Result<Arc<Words>, String> {
    let list: Vec<Vec<u32>> = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    match list.iter().flatten().find(|&&token| token as usize >= tokenizer.vocab_size()) {
        Some(token) => Err(format!("it has a token {token}, the vocabulary ends before")),
        None => Ok(Arc::new(Words::new(tokenizer.word_parts(), list))),
    }
}

/// What an encoder needs from outside, and the columns of its vectors: any text's vector by the published encoder in the
/// folder, or none that is not given; or that encoder itself, whose weights are among the model's.
fn outside(dir: &Path, config: &Config, tokenizer: &Tokenizer) -> Result<(Outside, usize), FolderError> {
    let (encoder, tokenizer) = (&config.recipe.encoder, tokenizer.clone());
    let place = dir.join(ENCODER);
    let damaged = |e: strait_pretrained::Error| FolderError::Damaged { file: place.clone(), why: e.to_string() };
    if encoder.kind == NetworkKind::Tuned {
        let encoder = SentenceEncoder::open_untrained(&place).map_err(damaged)?;
        let columns = encoder.width();
        return Ok((Outside::Published(Arc::new(Published { encoder, tokenizer })), columns));
    }
    let vectors = match encoder.kind {
        NetworkKind::Vectors => Vectors::given(encoder.columns),
        _ => Vectors::of(SentenceEncoder::open(&place).map_err(damaged)?, tokenizer),
    };
    let columns = vectors.columns();
    Ok((Outside::Vectors(Arc::new(vectors)), columns))
}

fn read_usual(bytes: &[u8]) -> Result<Usual, String> {
    let usual: Usual = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if usual.is_sound() { Ok(usual) } else { Err("its scores do not go together".into()) }
}

fn read_frontier(bytes: &[u8]) -> Result<Frontier, String> {
    let frontier: Frontier = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if frontier.is_sound() { Ok(frontier) } else { Err("it has no points, or some that are no numbers".into()) }
}

/// Puts another frontier into a model folder, which is written anew and replaced as a whole.
///
/// # Errors
/// If the folder cannot be read or written; then it is as it was.
pub fn set_frontier(dir: &Path, frontier: &Frontier) -> Result<(), FolderError> {
    let mut config = read_config(dir)?;
    let bytes = to_json(frontier);
    config.files.insert(FRONTIER.into(), sha256(&bytes));
    config.checksum = String::new();
    config.checksum = sha256(&to_json(&config));
    let place = Place::new(dir, "config.json", true)?;
    place.copy(&files_of(dir, "")?)?;
    place.write(FRONTIER, &bytes)?;
    place.write("config.json", &to_json(&config))?;
    place.finish()
}

/// Reads and checks `config.json` alone.
pub fn read_config(dir: &Path) -> Result<Config, FolderError> {
    let file = dir.join("config.json");
    if !dir.is_dir() {
        let training = training_dir(dir);
        return Err(if training.is_dir() {
            FolderError::Unfinished(dir.into())
        } else {
            FolderError::Absent(dir.into())
        });
    }
    if !file.exists() {
        return Err(FolderError::NotAModel(dir.into()));
    }
    let bytes = read_file(&file)?;
    let damaged = |why: String| FolderError::Damaged { file: file.clone(), why };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    match value.get("strait_format").and_then(serde_json::Value::as_u64) {
        Some(found) if found > u64::from(FORMAT) => return Err(FolderError::Version { file, found }),
        Some(_) => {}
        None => return Err(FolderError::NotAModel(dir.into())),
    }
    let config: Config = serde_json::from_value(value).map_err(|e| damaged(e.to_string()))?;
    // Of the bytes as they stand: a program with more fields would write others.
    let own = format!("\"checksum\": \"{}\"", config.checksum);
    let blank = String::from_utf8_lossy(&bytes).replacen(&own, "\"checksum\": \"\"", 1);
    if sha256(blank.as_bytes()) != config.checksum {
        return Err(damaged("its contents do not match its checksum".into()));
    }
    Ok(config)
}

/// Where the training of `dir` keeps its state until it ends.
pub fn training_dir(dir: &Path) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_os_string();
    name.push(".training");
    dir.with_file_name(name)
}

/// Writes a model folder; `extra` are files besides the model's own, such as `README.md`.
///
/// # Errors
/// [`FolderError::Exists`] if `dir` is there and `replace` is false; nothing is changed if anything fails.
pub fn save(dir: &Path, saved: &Saved, extra: &[(&str, Vec<u8>)], replace: bool) -> Result<(), FolderError> {
    let internal = |e: String| FolderError::Damaged { file: dir.into(), why: e };
    let mut files: Vec<(&str, Vec<u8>)> = vec![
        ("model.safetensors", weights::to_bytes(&saved.model.params).map_err(|e| internal(e.to_string()))?),
        ("tokenizer.json", saved.tokenizer.to_bytes().map_err(|e| internal(e.to_string()))?),
    ];
    if let Some(tokenizer) = &saved.source_tokenizer {
        files.push((SOURCE_TOKENIZER, tokenizer.to_bytes().map_err(|e| internal(e.to_string()))?));
    }
    if saved.model.latent_size() > 0 {
        files.push((PRIOR, saved.prior.to_bytes()));
    }
    if let Some(usual) = saved.usual.as_ref().filter(|usual| usual.is_sound()) {
        files.push((USUAL, serde_json::to_vec(usual).map_err(|e| internal(e.to_string()))?));
    }
    if let Some(frontier) = saved.frontier.as_ref().filter(|frontier| frontier.is_sound()) {
        files.push((FRONTIER, to_json(frontier)));
    }
    if let Some(words) = &saved.model.words {
        files.push((WORDS, serde_json::to_vec(words.list()).map_err(|e| internal(e.to_string()))?));
    }
    files.extend(extra.iter().cloned());
    let checked = files.iter().filter(|(name, _)| *name != CARD);
    let hashes = checked.map(|(name, bytes)| (name.to_string(), sha256(bytes))).collect();
    let config = Config { files: hashes, checksum: String::new(), ..saved.config.clone() };
    let config = Config { checksum: sha256(&to_json(&config)), ..config };
    files.push(("config.json", to_json(&config)));
    let place = Place::new(dir, "config.json", replace)?;
    files.iter().try_for_each(|(name, bytes)| place.write(name, bytes))?;
    place.finish()
}

fn read_file(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => FolderError::Missing(path.into()),
        _ => io_error(path, "read the file")(e),
    })
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    // Maps with text keys and plain numbers always serialise.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

//! Recipes: complete, named configurations of a model and its training, one serde struct per concern.

use serde::{Deserialize, Serialize};
use strait_engine::ops::rnn::Cell;
use strait_text::{Noise, TokenizerKind};

/// A named, complete configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// The name by which `--recipe` finds it.
    pub name: String,
    /// One line: when to use it.
    pub about: String,
    pub tokenizer: TokenizerConfig,
    pub encoder: EncoderConfig,
    pub latent: LatentConfig,
    pub decoder: DecoderConfig,
    pub objective: ObjectiveConfig,
    pub training: TrainingConfig,
}

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerConfig {
    pub kind: TokenizerKind,
    /// Vocabulary size; chosen from the corpus if absent.
    pub vocabulary: Option<usize>,
}

/// The recurrent cells by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellKind {
    /// Plain recurrence with tanh.
    Rnn,
    /// Plain recurrence with ReLU.
    RnnRelu,
    Gru,
    #[default]
    Lstm,
}

impl From<CellKind> for Cell {
    fn from(kind: CellKind) -> Cell {
        match kind {
            CellKind::Rnn => Cell::Tanh,
            CellKind::RnnRelu => Cell::Relu,
            CellKind::Gru => Cell::Gru,
            CellKind::Lstm => Cell::Lstm,
        }
    }
}

/// How the encoder's states become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// The final state of each direction.
    #[default]
    Last,
    /// The mean over positions.
    Mean,
    /// The maximum over positions.
    Max,
}

/// The encoder: embedding, recurrent layers, pooling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderConfig {
    pub cell: CellKind,
    /// Width of the token embedding E, shared with the decoder.
    pub embedding: usize,
    /// Hidden units per direction.
    pub hidden: usize,
    pub layers: usize,
    pub bidirectional: bool,
    pub pool: Pool,
    /// Dropout on embeddings and between layers.
    pub dropout: f32,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        EncoderConfig {
            cell: CellKind::Lstm,
            embedding: 256,
            hidden: 256,
            layers: 1,
            bidirectional: true,
            pool: Pool::Last,
            dropout: 0.2,
        }
    }
}

/// What keeps latents in one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// Nothing: the encoder may move latents apart until latent noise no longer matters.
    None,
    /// Each dimension to mean 0 and variance 1 over the batch (running statistics afterwards).
    #[default]
    Batch,
    /// Each latent to mean 0 and variance 1 over its dimensions (a sphere).
    Layer,
}

/// The latent z.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatentConfig {
    /// Number of dimensions, Z.
    pub size: usize,
    pub normalise: Normalise,
    /// Standard deviation of the Gaussian noise added in training.
    pub noise: f32,
}

impl Default for LatentConfig {
    fn default() -> Self {
        LatentConfig { size: 128, normalise: Normalise::Batch, noise: 0.3 }
    }
}

/// The decoder: z in the initial state and at every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    pub cell: CellKind,
    pub hidden: usize,
    pub layers: usize,
    /// Dropout on embeddings, between layers and before the output.
    pub dropout: f32,
    /// Chance that a token fed to the decoder is masked, so that it must read the latent.
    pub word_dropout: f32,
    /// Use the embedding table as output weights (through a projection to E).
    pub tied: bool,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        DecoderConfig { cell: CellKind::Lstm, hidden: 512, layers: 1, dropout: 0.2, word_dropout: 0.2, tied: true }
    }
}

/// What training minimises.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Noise on the encoder's input (none: a plain autoencoder).
    pub noise: Noise,
    pub label_smoothing: f32,
}

/// How it is minimised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Peak learning rate of Adam.
    pub rate: f32,
    pub beta2: f32,
    /// Share of the planned steps over which the rate rises.
    pub warmup: f32,
    /// The cosine ends at this share of the peak rate.
    pub floor: f32,
    pub weight_decay: f32,
    /// Largest global norm of the gradient.
    pub clip: f32,
    /// Tokens per batch.
    pub batch_tokens: usize,
    /// Most passes over the data, whatever the time allows.
    pub max_epochs: f64,
    /// Looks at the validation set without improvement before training stops.
    pub patience: u32,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            rate: 2e-3,
            beta2: 0.99,
            warmup: 0.05,
            floor: 0.02,
            weight_decay: 0.01,
            clip: 5.0,
            batch_tokens: 1024,
            max_epochs: 24.0,
            patience: 6,
        }
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            name: "custom".into(),
            about: String::new(),
            tokenizer: TokenizerConfig::default(),
            encoder: EncoderConfig::default(),
            latent: LatentConfig::default(),
            decoder: DecoderConfig::default(),
            objective: ObjectiveConfig::default(),
            training: TrainingConfig::default(),
        }
    }
}

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("no recipe `{name}`; there are: {known}{hint}. A path to a .toml file works too")]
    Unknown { name: String, known: String, hint: String },
    #[error("recipe file {path}: {message}")]
    File { path: String, message: String },
    #[error("recipe `{recipe}`: {field} is {value}, but must be {expected}")]
    Value { recipe: String, field: &'static str, value: String, expected: &'static str },
}

/// The recipes that come with the program, the default first.
const BUILT_IN: &[&str] = &[include_str!("../../../recipes/dae.toml"), include_str!("../../../recipes/ae.toml")];

impl Recipe {
    /// The recipes that come with the program, the default first.
    pub fn built_in() -> Vec<Recipe> {
        // A test parses each of them.
        BUILT_IN.iter().filter_map(|text| toml::from_str(text).ok()).collect()
    }

    /// A built-in recipe by name, or a recipe file by path.
    pub fn find(name: &str) -> Result<Recipe, RecipeError> {
        let known = Recipe::built_in();
        if let Some(recipe) = known.iter().find(|r| r.name == name) {
            return Ok(recipe.clone());
        }
        if name.ends_with(".toml") || std::path::Path::new(name).is_file() {
            let file = |message: String| RecipeError::File { path: name.into(), message };
            let text = std::fs::read_to_string(name).map_err(|e| file(e.to_string()))?;
            let recipe: Recipe = toml::from_str(&text).map_err(|e| file(e.to_string()))?;
            return recipe.check().map(|()| recipe);
        }
        let close = known.iter().find(|r| r.name.starts_with(&name[..name.chars().next().map_or(0, char::len_utf8)]));
        let hint = close.filter(|_| !name.is_empty()).map(|r| format!(" (did you mean `{}`?)", r.name));
        Err(RecipeError::Unknown {
            name: name.into(),
            known: known.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", "),
            hint: hint.unwrap_or_default(),
        })
    }

    /// Refuses values with which no model could be built or trained.
    pub fn check(&self) -> Result<(), RecipeError> {
        let t = &self.training;
        let sizes = [
            ("encoder.embedding", self.encoder.embedding),
            ("encoder.hidden", self.encoder.hidden),
            ("encoder.layers", self.encoder.layers),
            ("latent.size", self.latent.size),
            ("decoder.hidden", self.decoder.hidden),
            ("decoder.layers", self.decoder.layers),
            ("training.batch_tokens", t.batch_tokens),
        ];
        let shares = [
            ("encoder.dropout", self.encoder.dropout),
            ("decoder.dropout", self.decoder.dropout),
            ("decoder.word_dropout", self.decoder.word_dropout),
            ("objective.label_smoothing", self.objective.label_smoothing),
            ("training.warmup", t.warmup),
            ("training.floor", t.floor),
            ("training.beta2", t.beta2),
        ];
        let positive = [("training.rate", t.rate), ("training.clip", t.clip)];
        let value = |field, value: String, expected| {
            Err(RecipeError::Value { recipe: self.name.clone(), field, value, expected })
        };
        if let Some(&(f, v)) = sizes.iter().find(|s| !(1..=65_536).contains(&s.1)) {
            return value(f, v.to_string(), "between 1 and 65536");
        }
        if let Some(&(f, v)) = shares.iter().find(|s| !(0.0..1.0).contains(&s.1)) {
            return value(f, v.to_string(), "at least 0 and below 1");
        }
        if let Some(&(f, v)) = positive.iter().find(|s| !(s.1 > 0.0 && s.1.is_finite())) {
            return value(f, v.to_string(), "above 0");
        }
        if !(self.latent.noise >= 0.0 && self.latent.noise.is_finite()) {
            return value("latent.noise", self.latent.noise.to_string(), "at least 0");
        }
        if let Err(e) = self.objective.noise.validate() {
            return value("objective.noise", e.to_string(), "a valid noise");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_recipes_parse_and_are_valid() {
        let recipes = Recipe::built_in();
        assert_eq!(recipes.len(), BUILT_IN.len());
        for r in &recipes {
            r.check().unwrap();
            assert!(!r.about.is_empty());
            assert_eq!(&Recipe::find(&r.name).unwrap(), r);
            assert_eq!(&toml::from_str::<Recipe>(&toml::to_string(r).unwrap()).unwrap(), r);
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Recipe::find("da").unwrap_err().to_string().contains("did you mean `dae`"));
        assert!(toml::from_str::<Recipe>("[latent]\nsiez = 3").unwrap_err().to_string().contains("siez"));
        let mut r = Recipe::default();
        r.decoder.dropout = 1.5;
        assert!(r.check().unwrap_err().to_string().contains("decoder.dropout"));
    }
}

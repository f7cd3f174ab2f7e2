//! Recipes: complete, named configurations of a model and its training, one serde struct per concern.

mod attention;
mod check;
mod latent;
mod network;
mod objective;
mod prior;
mod risk;
mod text_gan;
mod training;

use serde::{Deserialize, Serialize};
use strait_text::TokenizerKind;

pub use attention::{AttentionConfig, AttentionKind, TaskKind};
pub use latent::{LatentConfig, LatentKind, Normalise, QuantiserConfig};
pub use network::{
    ActivationKind, BagOutput, DecoderConfig, EncoderConfig, InjectionKind, NetworkKind, Pool, Positions,
    SamplingSchedule, Tuning,
};
pub use objective::{
    AdversarialConfig, AraeConfig, Kernel, KlConfig, KlSchedule, MmdConfig, ObjectiveConfig, RegulariserConfig,
};
pub use prior::{PriorChoice, PriorConfig};
pub use risk::{RiskConfig, RiskMetric};
pub use text_gan::{DiscriminatorKind, TextGanConfig, TextGanMethod};
pub use training::{OptimiserKind, ScheduleKind, TrainingConfig};

/// A named, complete configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// The name by which `--recipe` finds it.
    pub name: String,
    /// One line: when to use it.
    pub about: String,
    pub task: TaskKind,
    pub tokenizer: TokenizerConfig,
    pub encoder: EncoderConfig,
    pub latent: LatentConfig,
    pub attention: AttentionConfig,
    pub decoder: DecoderConfig,
    pub objective: ObjectiveConfig,
    pub training: TrainingConfig,
    pub prior: PriorConfig,
}

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerConfig {
    pub kind: TokenizerKind,
    /// Vocabulary size; chosen from the corpus if absent.
    pub vocabulary: Option<usize>,
    /// Seq2seq: one vocabulary for sources and targets, or one for each; chosen from the corpus if absent.
    pub joint: Option<bool>,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            name: "custom".into(),
            about: String::new(),
            task: TaskKind::default(),
            tokenizer: TokenizerConfig::default(),
            encoder: EncoderConfig::default(),
            latent: LatentConfig::default(),
            attention: AttentionConfig::default(),
            decoder: DecoderConfig::default(),
            objective: ObjectiveConfig::default(),
            training: TrainingConfig::default(),
            prior: PriorConfig::default(),
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
    #[error("cannot set {field} to {value}: {message} (`strait recipes NAME` prints every field)")]
    Set { field: String, value: String, message: String },
    #[error("recipe `{recipe}`: {field} is {value}, but must be {expected}")]
    Value { recipe: String, field: &'static str, value: String, expected: &'static str },
}

/// The recipes that come with the program, the default first.
const BUILT_IN: &[&str] = &[
    include_str!("../../../../recipes/dae.toml"),
    include_str!("../../../../recipes/ae.toml"),
    include_str!("../../../../recipes/lm-lstm.toml"),
    include_str!("../../../../recipes/lm-transformer.toml"),
    include_str!("../../../../recipes/seqgan.toml"),
    include_str!("../../../../recipes/maligan.toml"),
    include_str!("../../../../recipes/rankgan.toml"),
    include_str!("../../../../recipes/scratchgan.toml"),
    include_str!("../../../../recipes/leakgan.toml"),
    include_str!("../../../../recipes/gumbel.toml"),
    include_str!("../../../../recipes/textgan.toml"),
    include_str!("../../../../recipes/transformer-dae.toml"),
    include_str!("../../../../recipes/transformer-vae.toml"),
    include_str!("../../../../recipes/topics.toml"),
    include_str!("../../../../recipes/window.toml"),
    include_str!("../../../../recipes/vae.toml"),
    include_str!("../../../../recipes/vae-rate.toml"),
    include_str!("../../../../recipes/vae-cyclical.toml"),
    include_str!("../../../../recipes/vae-free.toml"),
    include_str!("../../../../recipes/bn-vae.toml"),
    include_str!("../../../../recipes/vae-pretrain.toml"),
    include_str!("../../../../recipes/vq.toml"),
    include_str!("../../../../recipes/aae.toml"),
    include_str!("../../../../recipes/laae.toml"),
    include_str!("../../../../recipes/daae.toml"),
    include_str!("../../../../recipes/arae.toml"),
    include_str!("../../../../recipes/wae.toml"),
    include_str!("../../../../recipes/seq2seq-lstm.toml"),
    include_str!("../../../../recipes/seq2seq-transformer.toml"),
    include_str!("../../../../recipes/seq2seq-cvae.toml"),
    include_str!("../../../../recipes/vec2text.toml"),
    include_str!("../../../../recipes/tuned.toml"),
    include_str!("../../../../recipes/joined.toml"),
    include_str!("../../../../recipes/lm-tuned.toml"),
];

impl Recipe {
    /// The networks of this recipe with the name, objective, training and prior of another; only its decoder where the other is
    /// a language model.
    pub fn with_aims_of(mut self, other: Recipe) -> Recipe {
        if other.is_language_model() && !self.is_language_model() {
            let embedding = self.encoder.embedding;
            (self.encoder, self.latent) = (EncoderConfig { embedding, ..other.encoder }, other.latent);
        }
        let Recipe { name, about, objective, training, prior, .. } = other;
        Recipe { name, about, objective, training, prior, ..self }
    }

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

    /// The recipe with one field set: `path` is its place, as `latent.size`; `value` a TOML value, or plain text.
    ///
    /// # Errors
    /// If there is no such field, or the value does not fit it.
    pub fn with(&self, path: &str, value: &str) -> Result<Recipe, RecipeError> {
        let fault = |message: String| RecipeError::Set { field: path.into(), value: value.into(), message };
        let parsed = toml::from_str::<toml::Table>(&format!("v = {value}")).ok().and_then(|mut t| t.remove("v"));
        let mut table = toml::Table::try_from(self).map_err(|e| fault(e.to_string()))?;
        let mut at = &mut table;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                at.insert(part.into(), parsed.unwrap_or_else(|| toml::Value::String(value.into())));
                break;
            }
            let inner = at.entry(part).or_insert_with(|| toml::Table::new().into());
            at = inner.as_table_mut().ok_or_else(|| fault(format!("{part} has no fields")))?;
        }
        let recipe: Recipe = table.try_into().map_err(|e: toml::de::Error| fault(e.message().to_string()))?;
        recipe.check().map(|()| recipe)
    }

    /// Whether it is a language model: a decoder without encoder and latent.
    pub fn is_language_model(&self) -> bool {
        self.encoder.kind == NetworkKind::None
    }

    /// Whether it writes targets for sources.
    pub fn is_seq2seq(&self) -> bool {
        self.task == TaskKind::Seq2seq
    }

    /// Whether a latent lies between its sources and targets (conditional VAE).
    pub fn is_conditional(&self) -> bool {
        self.is_seq2seq() && self.latent.size > 0
    }

    /// Columns of the encoder's states, which a decoder attends to.
    pub fn states(&self) -> usize {
        match self.encoder.kind.cell() {
            Some(_) => self.encoder.hidden * (1 + usize::from(self.encoder.bidirectional)),
            None => self.encoder.embedding,
        }
    }

    /// The tokens of a text that its window networks get to see or to write, if it has any.
    pub fn window(&self) -> Option<usize> {
        let encoder = (self.encoder.kind == NetworkKind::Window).then_some(self.encoder.window);
        let decoder = (self.decoder.kind == NetworkKind::Window).then_some(self.decoder.window);
        encoder.into_iter().chain(decoder).min()
    }

    /// Refuses values with which no model could be built or trained.
    pub fn check(&self) -> Result<(), RecipeError> {
        check::check(self).map_err(|(field, value, expected)| RecipeError::Value {
            recipe: self.name.clone(),
            field,
            value,
            expected,
        })
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
    fn single_fields_can_be_set() {
        let r = Recipe::default().with("latent.size", "32").unwrap().with("encoder.kind", "gru").unwrap();
        assert_eq!((r.latent.size, r.encoder.kind), (32, NetworkKind::Gru));
        let r = r.with("latent.kind", "gaussian").unwrap();
        let r = r.with("objective.regulariser", "{ kind = \"kl\", target = 8.0 }").unwrap();
        assert!(matches!(r.objective.regulariser, RegulariserConfig::Kl(KlConfig { target: Some(8.0), .. })));
        for (field, value, word) in [
            ("latent.siez", "3", "siez"),
            ("latent.size", "x", "x"),
            ("name.first", "x", "name"),
            ("latent.size", "0", "65536"),
        ] {
            assert!(r.with(field, value).unwrap_err().to_string().contains(word), "{field}");
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

//! `config.json`: which network, and how large.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use strait_engine::ops::activation::Activation;

use crate::{Error, tensors::read};

/// Largest size that is believed; tensors of the size must be there as well.
const LARGEST: u64 = 1 << 24;

/// The networks that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// BERT (Devlin et al. 2018) and its likes, such as MiniLM (Wang et al. 2020).
    Bert,
    /// RoBERTa (Liu et al. 2019).
    Roberta,
    /// DistilBERT (Sanh et al. 2019).
    DistilBert,
    /// GPT-2 (Radford et al. 2019), DistilGPT-2.
    Gpt2,
}

impl Family {
    /// As `model_type` names it.
    pub fn name(self) -> &'static str {
        match self {
            Family::Bert => "bert",
            Family::Roberta => "roberta",
            Family::DistilBert => "distilbert",
            Family::Gpt2 => "gpt2",
        }
    }

    /// Whether it encodes texts; else it continues them.
    pub fn is_encoder(self) -> bool {
        self != Family::Gpt2
    }
}

/// The sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    /// Width of the residual stream, D.
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    /// Hidden units of the feed-forward part, F.
    pub(crate) inner: usize,
    /// Tokens in the vocabulary, V.
    pub(crate) vocabulary: usize,
    /// Places, P.
    pub(crate) places: usize,
    /// Row of the place table at which a text begins.
    pub(crate) first_place: usize,
    /// Kinds of segment; 0: the network has none.
    pub(crate) segments: usize,
    pub(crate) activation: Activation,
    /// Added to variances.
    pub(crate) eps: f32,
}

/// An opened `config.json`.
pub(crate) struct Config {
    pub(crate) family: Family,
    pub(crate) shape: Shape,
    keys: Keys,
}

impl Config {
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        if !dir.is_dir() {
            return Err(Error::Absent(dir.into()));
        }
        if !dir.join("config.json").is_file() {
            return Err(Error::NotAModel(dir.into()));
        }
        let keys = Keys::open(dir.join("config.json"))?;
        let family = match keys.text("model_type")? {
            None => return Err(Error::NotAModel(dir.into())),
            Some("bert") => Family::Bert,
            Some("roberta" | "xlm-roberta" | "camembert") => Family::Roberta,
            Some("distilbert") => Family::DistilBert,
            Some("gpt2") => Family::Gpt2,
            Some(other) => {
                let expected = "bert, roberta (xlm-roberta, camembert), distilbert and gpt2";
                return Err(Error::Architecture { file: keys.file.clone(), found: other.into(), expected });
            }
        };
        let shape = match family {
            Family::Bert | Family::Roberta => keys.bert(family)?,
            Family::DistilBert => keys.distilbert()?,
            Family::Gpt2 => keys.gpt2()?,
        };
        match shape.width.is_multiple_of(shape.heads) {
            true => Ok(Config { family, shape, keys }),
            false => {
                let key = if family == Family::Gpt2 { "n_head" } else { "num_attention_heads" };
                Err(keys.fault(key, format!("is {}, which does not divide the width {}", shape.heads, shape.width)))
            }
        }
    }

    /// The id of a token with a role, such as `eos_token_id`, if it is named and in the vocabulary.
    pub(crate) fn token(&self, key: &str) -> Option<u32> {
        let id = self.keys.map.get(key)?.as_u64()?;
        (id < self.shape.vocabulary as u64).then_some(id as u32)
    }
}

/// A JSON object with the file it came from.
pub(crate) struct Keys {
    file: PathBuf,
    map: Map<String, Value>,
}

impl Keys {
    pub(crate) fn open(file: PathBuf) -> Result<Self, Error> {
        match serde_json::from_slice(&read(&file)?) {
            Ok(map) => Ok(Keys { file, map }),
            Err(e) => Err(Error::Json { file, why: e.to_string() }),
        }
    }

    pub(crate) fn fault(&self, key: &str, why: String) -> Error {
        Error::Key { file: self.file.clone(), key: key.into(), why }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    /// A text, if the key is there.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        let text = |v: &'_ Value| v.as_str().is_none();
        match self.value(key) {
            Some(v) if text(v) => Err(self.fault(key, format!("is {v}, not a text"))),
            v => Ok(v.and_then(Value::as_str)),
        }
    }

    /// Yes or no.
    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool, Error> {
        match self.value(key) {
            None => Ok(default),
            Some(v) => v.as_bool().ok_or_else(|| self.fault(key, format!("is {v}, not true or false"))),
        }
    }

    /// A size, if the key is there.
    pub(crate) fn size_if(&self, key: &str) -> Result<Option<usize>, Error> {
        let sound = |v: &Value| v.as_u64().filter(|n| (1..=LARGEST).contains(n));
        match self.value(key) {
            None => Ok(None),
            Some(v) => {
                let n = sound(v).ok_or_else(|| self.fault(key, format!("is {v}, not a number from 1 to {LARGEST}")))?;
                Ok(Some(n as usize))
            }
        }
    }

    fn size(&self, key: &str) -> Result<usize, Error> {
        self.size_if(key)?.ok_or_else(|| self.fault(key, "is missing".into()))
    }

    fn eps(&self, key: &str, default: f64) -> Result<f32, Error> {
        let sound = |v: &Value| v.as_f64().filter(|e| (0.0..1.0).contains(e));
        match self.value(key) {
            None => Ok(default as f32),
            Some(v) => Ok(sound(v).ok_or_else(|| self.fault(key, format!("is {v}, not a number from 0 to 1")))? as f32),
        }
    }

    fn activation(&self, key: &str, default: &str) -> Result<Activation, Error> {
        match self.text(key)?.unwrap_or(default) {
            "gelu" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            "silu" | "swish" => Ok(Activation::Silu),
            "tanh" => Ok(Activation::Tanh),
            other => Err(self.fault(key, format!("is {other:?}; gelu, gelu_new, relu, silu and tanh are known"))),
        }
    }

    /// Refuses what would make another network of it.
    fn only(&self, key: &str, wanted: &Value) -> Result<(), Error> {
        match self.value(key) {
            Some(v) if v != wanted => Err(self.fault(key, format!("is {v}; only {wanted} is read"))),
            _ => Ok(()),
        }
    }

    fn bert(&self, family: Family) -> Result<Shape, Error> {
        self.only("position_embedding_type", &"absolute".into())?;
        self.only("is_decoder", &false.into())?;
        let places = self.size("max_position_embeddings")?;
        // The rows up to the padding's are not places (fairseq's way).
        let first_place = match family {
            Family::Roberta => self.value("pad_token_id").and_then(Value::as_u64).unwrap_or(1) as usize + 1,
            _ => 0,
        };
        if first_place >= places {
            return Err(self.fault("max_position_embeddings", format!("is {places}, too few places for a text")));
        }
        Ok(Shape {
            width: self.size("hidden_size")?,
            layers: self.size("num_hidden_layers")?,
            heads: self.size("num_attention_heads")?,
            inner: self.size("intermediate_size")?,
            vocabulary: self.size("vocab_size")?,
            places,
            first_place,
            segments: self.size_if("type_vocab_size")?.unwrap_or(2),
            activation: self.activation("hidden_act", "gelu")?,
            eps: self.eps("layer_norm_eps", 1e-12)?,
        })
    }

    fn distilbert(&self) -> Result<Shape, Error> {
        Ok(Shape {
            width: self.size("dim")?,
            layers: self.size("n_layers")?,
            heads: self.size("n_heads")?,
            inner: self.size("hidden_dim")?,
            vocabulary: self.size("vocab_size")?,
            places: self.size("max_position_embeddings")?,
            first_place: 0,
            segments: 0,
            activation: self.activation("activation", "gelu")?,
            eps: 1e-12,
        })
    }

    fn gpt2(&self) -> Result<Shape, Error> {
        self.only("scale_attn_weights", &true.into())?;
        self.only("scale_attn_by_inverse_layer_idx", &false.into())?;
        self.only("add_cross_attention", &false.into())?;
        self.only("tie_word_embeddings", &true.into())?;
        let width = self.size("n_embd")?;
        Ok(Shape {
            width,
            layers: self.size("n_layer")?,
            heads: self.size("n_head")?,
            inner: self.size_if("n_inner")?.unwrap_or(4 * width),
            vocabulary: self.size("vocab_size")?,
            places: self.size("n_positions")?,
            first_place: 0,
            segments: 0,
            activation: self.activation("activation_function", "gelu_new")?,
            eps: self.eps("layer_norm_epsilon", 1e-5)?,
        })
    }
}

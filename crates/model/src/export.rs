//! A language model of ours in the conventions of published folders, so that `transformers` loads it.
//!
//! A Transformer without a latent and with rotary positions is a GPT-NeoX (Black et al. 2022) whose two residuals follow each
//! other. That has no bias b at its output W (V, D); ours goes into the last normalisation, whose rows h sum to 0 before
//! their gain g and shift s. With gain and shift 1 and `W' = W diag(g) + v 1^T`, `v = (W s + b - W g) / D`:
//! `W' (h + 1) = W (g h + s) + b`.

use serde_json::json;
use strait_engine::Params;
use strait_text::{
    Tokenizer,
    tokenizer::{BOS, EOS},
};

use crate::{
    Autoencoder,
    config::{ActivationKind, NetworkKind, Positions},
    folder::FolderError,
    weights,
};

/// Places that the folder promises; rotary positions have no end.
const PLACES: usize = 2048;

/// Why a model has no published form.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Another kind of network.
    #[error(
        "only language models with a Transformer and rotary positions have a form that `transformers` knows; {0}. Train one \
         with `--recipe lm-transformer`"
    )]
    Unknown(&'static str),
    /// The files could not be made.
    #[error(transparent)]
    Weights(#[from] weights::WeightsError),
    /// The tokenizer could not be written.
    #[error(transparent)]
    Tokenizer(#[from] strait_text::TokenizerError),
    /// The folder could not be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// The files of the published form of a model, by name.
///
/// # Errors
/// If it has none.
pub fn files(model: &Autoencoder, tokenizer: &Tokenizer) -> Result<Vec<(&'static str, Vec<u8>)>, ExportError> {
    check(model)?;
    let config = config(model)?;
    let tensors = tensors(model);
    let views = tensors.iter().map(|(name, shape, values)| (name.clone(), *shape, &values[..]));
    let weights = weights::tensors_to_bytes(views, &[("format", "pt".into())])?;
    let ends = json!({"bos_token_id": BOS, "eos_token_id": EOS});
    let mut tokens = json!({"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false});
    for (role, id) in [("bos_token", BOS), ("eos_token", EOS)] {
        tokens[role] = tokenizer.token_text(id).into();
    }
    Ok(vec![
        ("config.json", config.to_string().into_bytes()),
        ("model.safetensors", weights),
        ("tokenizer.json", tokenizer.to_bytes()?),
        ("tokenizer_config.json", tokens.to_string().into_bytes()),
        ("generation_config.json", ends.to_string().into_bytes()),
    ])
}

fn check(model: &Autoencoder) -> Result<(), ExportError> {
    let recipe = model.recipe();
    if !recipe.is_language_model() {
        return Err(ExportError::Unknown("this one has a latent"));
    }
    match (recipe.decoder.kind, recipe.decoder.positions) {
        (NetworkKind::Transformer, Positions::Rotary) => Ok(()),
        (NetworkKind::Transformer, Positions::Learned) => Err(ExportError::Unknown("this one learned its positions")),
        (NetworkKind::Published, _) => Err(ExportError::Unknown("this one is a published network already")),
        _ => Err(ExportError::Unknown("this one is recurrent")),
    }
}

fn config(model: &Autoencoder) -> Result<serde_json::Value, ExportError> {
    let (decoder, width) = (&model.recipe().decoder, model.recipe().encoder.embedding);
    let activation = match decoder.activation {
        ActivationKind::Relu => "relu",
        ActivationKind::Tanh => "tanh",
        ActivationKind::Sigmoid => "sigmoid",
        ActivationKind::Gelu => "gelu",
        ActivationKind::Silu => "silu",
        ActivationKind::LeakyRelu => return Err(ExportError::Unknown("this one's leaky ReLU has another slope")),
    };
    Ok(json!({
        "model_type": "gpt_neox",
        "architectures": ["GPTNeoXForCausalLM"],
        "vocab_size": model.vocabulary(),
        "hidden_size": width,
        "num_hidden_layers": decoder.layers,
        "num_attention_heads": decoder.heads,
        "intermediate_size": decoder.hidden,
        "hidden_act": activation,
        "max_position_embeddings": PLACES,
        "layer_norm_eps": 1e-5,
        "rotary_pct": 1.0,
        "rotary_emb_base": 10_000,
        "use_parallel_residual": false,
        "attention_bias": true,
        "tie_word_embeddings": false,
        "attention_dropout": 0.0,
        "hidden_dropout": 0.0,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "dtype": "float32",
    }))
}

type Tensor = (String, (usize, usize), Vec<f32>);

fn tensors(model: &Autoencoder) -> Vec<Tensor> {
    let (decoder, d) = (&model.recipe().decoder, model.recipe().encoder.embedding);
    let own = Named(&model.params);
    let mut out = vec![own.tensor("embedding.weight", "gpt_neox.embed_in.weight")];
    for l in 0..decoder.layers {
        let (from, to) = (format!("decoder.transformer.layers.{l}"), format!("gpt_neox.layers.{l}"));
        for (ours, theirs) in [
            ("norm1", "input_layernorm"),
            ("norm2", "post_attention_layernorm"),
            ("self_attn.out_proj", "attention.dense"),
            ("linear1", "mlp.dense_h_to_4h"),
            ("linear2", "mlp.dense_4h_to_h"),
        ] {
            for part in ["weight", "bias"] {
                out.push(own.tensor(&format!("{from}.{ours}.{part}"), &format!("{to}.{theirs}.{part}")));
            }
        }
        for (part, columns) in [("weight", d), ("bias", 1)] {
            let (_, shape, values) = own.tensor(&format!("{from}.self_attn.in_proj_{part}"), "");
            let name = format!("{to}.attention.query_key_value.{part}");
            out.push((name, shape, by_head(&values, decoder.heads, d, columns)));
        }
    }
    out.extend(head(&own, d));
    out
}

/// Queries, keys and values (3 D, columns) one after the other -> those of each head together.
fn by_head(values: &[f32], heads: usize, d: usize, columns: usize) -> Vec<f32> {
    let rows = d / heads * columns;
    let part = |head: usize, third: usize| &values[third * d * columns + head * rows..][..rows];
    (0..heads).flat_map(|head| (0..3).flat_map(move |third| part(head, third))).copied().collect()
}

/// The last normalisation and the output weights, which take the output's bias in.
fn head(own: &Named<'_>, d: usize) -> Vec<Tensor> {
    let weight = if own.has("decoder.output.weight") { "decoder.output.weight" } else { "embedding.weight" };
    let (gain, shift) = (own.values("decoder.transformer.norm.weight"), own.values("decoder.transformer.norm.bias"));
    let bias = own.values("decoder.output.bias");
    let mut scores = own.values(weight).to_vec();
    for (row, bias) in scores.chunks_exact_mut(d).zip(bias) {
        let dot = |with: &[f32]| row.iter().zip(with).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum::<f64>();
        let v = (dot(shift) + f64::from(*bias) - dot(gain)) / d as f64;
        row.iter_mut().zip(gain).for_each(|(w, g)| *w = (f64::from(*w) * f64::from(*g) + v) as f32);
    }
    let one = |part: &str| (format!("gpt_neox.final_layer_norm.{part}"), (1, d), vec![1.0; d]);
    vec![one("weight"), one("bias"), ("embed_out.weight".into(), (scores.len() / d, d), scores)]
}

/// Parameters by name; the names are those that the network has just been built with.
struct Named<'a>(&'a Params);

impl Named<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.find(name).is_some()
    }

    fn values(&self, name: &str) -> &[f32] {
        self.0.find(name).map_or(&[], |id| self.0.value(id))
    }

    fn tensor(&self, name: &str, to: &str) -> Tensor {
        let shape = self.0.find(name).map_or((0, 0), |id| self.0.shape(id));
        (to.into(), shape, self.values(name).to_vec())
    }
}

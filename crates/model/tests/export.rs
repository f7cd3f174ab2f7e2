//! The published form of a language model computes what the model computes: by a plain twin of GPT-NeoX over the files.

use std::collections::HashMap;

use safetensors::SafeTensors;
use strait_engine::ops::{activation, activation::Activation, attention, normalise, rotary};
use strait_model::{Autoencoder, Recipe, config::NetworkKind, export};
use strait_text::{Tokenizer, TokenizerKind, tokenizer::BOS};

const HEADS: usize = 2;

fn trained(change: impl Fn(&mut Recipe)) -> (Autoencoder, Tokenizer) {
    let texts = ["the red kite", "a blue boat", "the boat"];
    let tokenizer = Tokenizer::train(TokenizerKind::Subword, None, texts.into_iter()).unwrap();
    let mut recipe = Recipe::find("lm-transformer").unwrap();
    (recipe.encoder.embedding, recipe.decoder.hidden, recipe.decoder.layers, recipe.decoder.heads) = (8, 12, 2, HEADS);
    change(&mut recipe);
    let mut model = Autoencoder::new(&recipe, tokenizer.vocab_size(), 3);
    // Gains, shifts and biases begin as ones and zeros, which would hide mistakes.
    let all: Vec<_> = model.params.iter().map(|(id, p)| (id, p.value().to_vec())).collect();
    for (i, (id, mut value)) in all.into_iter().enumerate() {
        value.iter_mut().enumerate().for_each(|(j, x)| *x += 0.3 * ((7 * i + 3 * j) as f32).sin());
        model.params.assign(id, &value);
    }
    (model, tokenizer)
}

/// Rows of f64.
type Rows = Vec<Vec<f64>>;

/// GPT-NeoX with one residual after the other, as plainly as can be.
struct Neox(HashMap<String, Vec<f64>>);

impl Neox {
    fn read(bytes: &[u8]) -> Self {
        let file = SafeTensors::deserialize(bytes).unwrap();
        let values = |view: &[u8]| view.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b).into()).collect();
        Neox(file.iter().map(|(name, view)| (name.to_string(), values(view.data()))).collect())
    }

    fn linear(&self, name: &str, x: &Rows) -> Rows {
        let (weight, bias) = (&self.0[&format!("{name}.weight")], &self.0[&format!("{name}.bias")]);
        let dot = |w: &[f64], x: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        let row = |x: &Vec<f64>| weight.chunks(x.len()).zip(bias).map(|(w, b)| dot(w, x) + b).collect();
        x.iter().map(row).collect()
    }

    fn norm(&self, name: &str, x: &Rows) -> Rows {
        let (gain, shift) = (&self.0[&format!("{name}.weight")], &self.0[&format!("{name}.bias")]);
        let affine = |h: Vec<f64>| h.iter().zip(gain.iter().zip(shift)).map(|(h, (g, s))| h * g + s).collect();
        x.iter().map(|x| affine(normalise::reference(x, 1e-5))).collect()
    }

    fn attend(&self, name: &str, x: &Rows) -> Rows {
        let qkv = self.linear(&format!("{name}.query_key_value"), x);
        let d = x[0].len() / HEADS;
        let mut out = vec![Vec::new(); x.len()];
        for head in 0..HEADS {
            let part = |third: usize| qkv.iter().map(move |row| row[(3 * head + third) * d..][..d].to_vec());
            let turned =
                |third: usize| part(third).enumerate().map(|(t, row)| rotary::reference(&row, t)).collect::<Rows>();
            let y = attention::reference(&turned(0), &turned(1), &part(2).collect::<Rows>(), true);
            out.iter_mut().zip(y).for_each(|(out, y)| out.extend(y));
        }
        self.linear(&format!("{name}.dense"), &out)
    }

    fn logits(&self, ids: &[u32]) -> Rows {
        let d = self.0["gpt_neox.final_layer_norm.weight"].len();
        let mut x: Rows =
            ids.iter().map(|&id| self.0["gpt_neox.embed_in.weight"][id as usize * d..][..d].to_vec()).collect();
        let add = |x: &mut Rows, y: Rows| x.iter_mut().flatten().zip(y.iter().flatten()).for_each(|(x, y)| *x += y);
        for l in 0..2 {
            let name = |part: &str| format!("gpt_neox.layers.{l}.{part}");
            let y = self.attend(&name("attention"), &self.norm(&name("input_layernorm"), &x));
            add(&mut x, y);
            let mut h = self.linear(&name("mlp.dense_h_to_4h"), &self.norm(&name("post_attention_layernorm"), &x));
            h.iter_mut().flatten().for_each(|h| *h = activation::reference(Activation::Gelu, *h));
            add(&mut x, self.linear(&name("mlp.dense_4h_to_h"), &h));
        }
        let y = self.norm("gpt_neox.final_layer_norm", &x);
        let dot = |w: &[f64], y: &[f64]| w.iter().zip(y).map(|(w, y)| w * y).sum::<f64>();
        let row = |y: &Vec<f64>| self.0["embed_out.weight"].chunks(d).map(|w| dot(w, y)).collect();
        y.iter().map(row).collect()
    }
}

fn same_scores(change: impl Fn(&mut Recipe)) {
    let (mut model, tokenizer) = trained(change);
    let files: HashMap<_, _> = export::files(&model, &tokenizer).unwrap().into_iter().collect();
    let ids = tokenizer.encode("the blue kite");
    let fed: Vec<u32> = std::iter::once(BOS).chain(ids.iter().copied()).collect();
    let logits = Neox::read(&files["model.safetensors"]).logits(&fed);
    let ours = model.token_nats_from(&[&ids], &[]).unwrap().swap_remove(0);
    assert_eq!(ours.len(), ids.len() + 1);
    for (t, &id) in ids.iter().enumerate() {
        let sum: f64 = logits[t].iter().map(|x| x.exp()).sum();
        let nats = sum.ln() - logits[t][id as usize];
        assert!((nats - f64::from(ours[t])).abs() < 1e-4, "token {t}: {nats} instead of {}", ours[t]);
    }
    let tokens: serde_json::Value = serde_json::from_slice(&files["tokenizer_config.json"]).unwrap();
    assert_eq!(tokens["bos_token"], "[begin of text]");
}

#[test]
fn tied_and_untied_scores_are_the_same() {
    same_scores(|_| {});
    same_scores(|r| r.decoder.tied = false);
}

#[test]
fn what_has_no_published_form_is_said() {
    let refused = |change: fn(&mut Recipe)| {
        let (model, tokenizer) = trained(change);
        export::files(&model, &tokenizer).err().unwrap().to_string()
    };
    assert!(refused(|r| r.decoder.positions = strait_model::config::Positions::Learned).contains("positions"));
    assert!(refused(|r| r.decoder.kind = NetworkKind::Lstm).contains("recurrent"));
    assert!(refused(|r| r.decoder.activation = strait_model::config::ActivationKind::LeakyRelu).contains("slope"));
    let latent = |r: &mut Recipe| {
        *r = Recipe::find("transformer-dae").unwrap();
        (r.encoder.embedding, r.encoder.hidden, r.decoder.hidden, r.latent.size) = (8, 8, 8, 8);
    };
    assert!(refused(latent).contains("latent"));
}

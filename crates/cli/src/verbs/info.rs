//! `strait info`: what a model is, what it was trained on, how good it is.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use strait::{
    Config, Frontier, Model,
    config::{LatentKind, NetworkKind},
};

use crate::{
    flags::ModelFlag,
    output::Output,
    talk::{duration, number, short},
};

/// Show what a model is, what it was trained on and how good it is
#[derive(Args)]
pub struct Info {
    #[command(flatten)]
    model: ModelFlag,
    /// Print a JSON object: all of config.json, the number of weights, the prior
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Facts<'a> {
    weights: usize,
    prior: Prior,
    frontier: Option<&'a Frontier>,
    #[serde(flatten)]
    config: &'a Config,
}

#[derive(Serialize)]
struct Prior {
    name: &'static str,
    description: String,
    parameters: usize,
}

impl Info {
    pub fn run(self) -> Result<()> {
        let model = self.model.open()?;
        let mut out = Output::open(None)?;
        if self.json {
            out.json(&facts(&model))?;
        } else {
            let what = match (model.is_seq2seq(), model.is_language_model()) {
                (true, _) => "model that writes a target for each source",
                (_, true) => "language model",
                _ => "text autoencoder",
            };
            out.line(&format!("{}: a {what}", self.model.model.display()))?;
            for (what, value) in card(&model) {
                out.line(&format!("  {what:12} {value}"))?;
            }
            if let Some(frontier) = model.frontier() {
                out.line(&format!("  the dial of `strait sample --quality` ({} samples a point):", frontier.samples))?;
                super::calibrate::table(frontier).iter().try_for_each(|line| out.line(&format!("    {line}")))?;
            }
        }
        out.finish()
    }
}

fn facts(model: &Model) -> Facts<'_> {
    let prior = model.prior();
    let prior = Prior { name: prior.name(), description: prior.describe(), parameters: prior.parameters() };
    Facts { weights: model.weights(), prior, frontier: model.frontier(), config: model.config() }
}

fn card(model: &Model) -> Vec<(&'static str, String)> {
    let c = model.config();
    let mut lines = vec![
        ("recipe", format!("{}: {}", c.recipe.name, c.recipe.about)),
        ("size", format!("{} weights", short(model.weights() as f64))),
        ("vocabulary", format!("{} tokens ({})", number(c.vocabulary as u64), word(&c.recipe.tokenizer.kind))),
        ("encoder", encoder(c)),
        ("latent", latent(c)),
        ("decoder", decoder(c)),
        ("prior", prior(model)),
    ];
    lines.extend(history(c));
    lines.extend(figures(c));
    lines
}

/// Where latents come from when none is given.
fn prior(model: &Model) -> String {
    match (model.is_seq2seq(), model.config().recipe.is_conditional()) {
        (_, true) => "a Gaussian that a network expects of the source".into(),
        (true, false) => "none: texts are written for sources".into(),
        (false, _) => model.prior().describe(),
    }
}

fn encoder(c: &Config) -> String {
    let e = &c.recipe.encoder;
    match e.kind {
        NetworkKind::Published | NetworkKind::None => "none: the decoder alone is a language model".into(),
        NetworkKind::Transformer => transformer(e.layers, e.embedding, e.hidden, e.heads),
        NetworkKind::Pretrained => format!(
            "{}, frozen (a copy in the model's folder), its {} numbers through {} x {}",
            e.folder, e.columns, e.layers, e.hidden
        ),
        NetworkKind::Tuned => format!(
            "{}, trained on ({}; a copy in the model's folder), its {} numbers through {} x {}",
            e.folder,
            word(&e.tuning),
            e.columns,
            e.layers,
            e.hidden
        ),
        NetworkKind::Vectors => {
            format!("none: trained on given vectors of {} numbers, through {} x {}", e.columns, e.layers, e.hidden)
        }
        NetworkKind::Bag | NetworkKind::Window => {
            format!(
                "{}, {} x {}, {}, embedding {}",
                word(&e.kind),
                e.layers,
                e.hidden,
                word(&e.activation),
                e.embedding
            )
        }
        NetworkKind::Rnn | NetworkKind::RnnRelu | NetworkKind::Gru | NetworkKind::Lstm => {
            let directions = if e.bidirectional { ", both directions" } else { "" };
            format!("{}, {} x {}{directions}, embedding {}", word(&e.kind), e.layers, e.hidden, e.embedding)
        }
    }
}

fn latent(c: &Config) -> String {
    let l = &c.recipe.latent;
    let slots = if l.slots > 1 { format!(" in {} slots", l.slots) } else { String::new() };
    match (l.size, l.kind) {
        (0, _) => "none".into(),
        (_, LatentKind::Point) => format!("{} dimensions{slots}, noise {}", l.size, l.noise),
        (_, LatentKind::Gaussian) => format!("{} dimensions{slots}, a Gaussian posterior", l.size),
        (_, LatentKind::Quantised) => format!("{} dimensions{slots}, {} codes each", l.size, l.quantiser.codes),
    }
}

fn decoder(c: &Config) -> String {
    let d = &c.recipe.decoder;
    match d.kind {
        NetworkKind::Transformer => transformer(d.layers, c.recipe.encoder.embedding, d.hidden, d.heads),
        NetworkKind::Published => format!(
            "{}, trained on ({}): {}{}",
            d.folder,
            word(&d.tuning),
            transformer(d.layers, c.recipe.encoder.embedding, d.hidden, d.heads),
            if c.recipe.latent.size > 0 { format!("; latent by {}", word(&d.injection)) } else { String::new() }
        ),
        _ => format!("{}, {} x {}", word(&d.kind), d.layers, d.hidden),
    }
}

fn transformer(layers: usize, width: usize, hidden: usize, heads: usize) -> String {
    format!("transformer, {layers} blocks of width {width}, inner {hidden}, {heads} heads")
}

fn history(c: &Config) -> Vec<(&'static str, String)> {
    let (data, training) = (&c.data, &c.training);
    vec![
        (
            "data",
            format!(
                "{}: {} records, {} more to validate",
                data.name,
                number(data.train as u64),
                number(data.valid as u64)
            ),
        ),
        ("sha-256", data.hash.clone()),
        ("lengths", format!("{:.1} tokens on average, {} at most", data.mean_tokens, data.longest_tokens)),
        (
            "training",
            format!(
                "{} steps, {:.1} passes over the data; the weights of step {} ({})",
                number(training.steps),
                training.epochs,
                number(training.best_step),
                training.ended
            ),
        ),
        ("seed", c.seed.to_string()),
        ("made by", format!("strait {}", c.strait_version)),
    ]
}

/// The figures that the model card shows, as far as they were measured.
fn figures(c: &Config) -> Vec<(&'static str, String)> {
    let figure = |name: &str| c.training.figures.get(name).copied();
    let share = |x: f64| format!("{:.1} %", 100.0 * x);
    let n = figure("valid_reconstruction_n").map_or(String::new(), |n| format!(" of {n:.0} validation records"));
    let lines = [
        ("loss", figure("valid_bits_per_byte").map(|x| format!("{x:.3} bits per byte on validation records"))),
        ("tokens right", figure("valid_token_accuracy").map(|x| share(x) + ", given the right ones before")),
        ("BLEU-4", figure("valid_reconstruction_bleu4").map(|x| format!("{x:.1}, reconstructions{n}"))),
        ("exact", figure("valid_reconstruction_exact").map(|x| share(x) + &n)),
        ("trained for", figure("seconds").map(duration)),
    ];
    lines.into_iter().filter_map(|(what, value)| Some((what, value?))).collect()
}

/// A configuration value as it stands in files.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(e) => e.to_string(),
    }
}

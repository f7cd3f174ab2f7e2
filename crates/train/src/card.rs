//! What a model folder says to people: the card, `README.md`, and the page of its training, `report.html`.

use std::fmt::Write as _;

use strait_model::{
    config::{NetworkKind, Tuning},
    folder::Config,
    prior,
};
use strait_report::{Card, Fact, read_events, training_report};

/// Names of figures as people read them, in the order in which the card shows them, with their decimals.
const FIGURES: [(&str, &str, usize); 10] = [
    ("valid_bits_per_byte", "loss, bits per byte", 3),
    ("valid_token_perplexity", "perplexity per token", 1),
    ("valid_divergence", "divergence of the posterior from N(0, I), nats per record", 2),
    ("valid_token_accuracy", "share of tokens predicted, given the true ones before", 3),
    ("valid_written_n", "sources for which a target was written greedily", 0),
    ("valid_written_bleu4", "BLEU-4 of these against one target of each", 1),
    ("valid_reconstruction_n", "records reconstructed greedily", 0),
    ("valid_reconstruction_bleu4", "BLEU-4 of the reconstructions", 1),
    ("valid_reconstruction_exact", "share of exact reconstructions", 3),
    ("valid_distinct2", "distinct-2 of the records themselves", 3),
];

/// The card of a model; `fit` is what was tried as its prior, if it has latents.
pub(crate) fn card(config: &Config, fit: Option<&prior::Fit>) -> String {
    let pairs = config.recipe.is_seq2seq();
    let what = match (pairs, fit) {
        (true, _) => "model that writes a target for a source",
        (_, Some(_)) => "text autoencoder",
        (_, None) => "language model",
    };
    let mut text = format!(
        "# A {what}\n\nTrained by Strait {} with the recipe `{}` on {} records of `{}` (SHA-256 {}), seed {}.\n\n",
        config.strait_version, config.recipe.name, config.data.train, config.data.name, config.data.hash, config.seed
    );
    text += &format!(
        "{} steps, {:.1} passes over the data; the weights of step {} were kept ({}).\n\n",
        config.training.steps, config.training.epochs, config.training.best_step, config.training.ended
    );
    text += &published(config);
    text += &figures(config);
    text += &fit.map_or(String::new(), priors);
    if pairs {
        text += "\n## Use\n\n```\nstrait generate -m DIR SOURCES\nstrait evaluate -m DIR PAIRS\n```\n\n";
        return text + "A model of so few pairs knows nothing else; it may repeat targets it was trained on.\n";
    }
    text += &sampling(config);
    text += "## Use\n\n```\nstrait sample -m DIR -n 10\n";
    text += match fit {
        Some(_) => "strait reconstruct -m DIR FILE\nstrait interpolate -m DIR \"one text\" \"another\" --steps 5\n",
        None => "strait sample -m DIR --prefix \"How it begins\"\n",
    };
    text += "```\n\nA model of so little text knows nothing else; it may repeat records it was trained on.\n";
    text
}

/// The page of a training, from the lines of its `metrics.jsonl`.
pub(crate) fn report(config: &Config, metrics: &str) -> String {
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let card = Card {
        title: format!("Training of {}", config.data.name),
        about: format!("{}: {}", config.recipe.name, config.recipe.about),
        facts: vec![
            fact("records", format!("{} to train, {} to validate", config.data.train, config.data.valid)),
            fact("SHA-256 of the data", config.data.hash.clone()),
            fact("seed", config.seed.to_string()),
            fact("version", config.strait_version.clone()),
        ],
    };
    training_report(&read_events(metrics), &card)
}

/// Where published parts came from.
fn published(config: &Config) -> String {
    let (encoder, decoder) = (&config.recipe.encoder, &config.recipe.decoder);
    let how = |tuning: Tuning| match tuning {
        Tuning::Frozen => "as it is",
        Tuning::Fresh => "the same network from scratch",
        Tuning::All | Tuning::Last | Tuning::Adapters => "trained on",
    };
    let encoder = match encoder.kind {
        NetworkKind::Pretrained => Some(("encoder", &encoder.folder, how(Tuning::Frozen))),
        NetworkKind::Tuned => Some(("encoder", &encoder.folder, how(encoder.tuning))),
        _ => None,
    };
    let decoder = (decoder.kind == NetworkKind::Published).then(|| ("decoder", &decoder.folder, how(decoder.tuning)));
    let said = |(part, source, how)| format!("Published {part}: `{source}`, {how}.\n\n");
    encoder.into_iter().chain(decoder).map(said).collect()
}

fn figures(config: &Config) -> String {
    let mut text = "## Measured on the validation records\n\n| figure | value |\n|---|---|\n".to_string();
    let _ = writeln!(text, "| records | {} |", config.data.valid);
    for (name, words, decimals) in FIGURES {
        if let Some(value) = config.training.figures.get(name) {
            let _ = writeln!(text, "| {words} | {value:.decimals$} |");
        }
    }
    text
}

fn priors(fit: &prior::Fit) -> String {
    let mut text = "\n## Priors tried\n\nHeld-out nats per latent: more is better. AUC of telling draws from held-out latents: .5 is ideal.\n\n\
                    | prior | nats | AUC | |\n|---|---|---|---|\n".to_string();
    for c in &fit.tried {
        let mark = if c.chosen { "chosen" } else { "" };
        let number = |v: f64, digits: usize| if v.is_finite() { format!("{v:.digits$}") } else { "–".into() };
        let (nats, auc) = (number(c.held_out_nats_per_vector, 2), number(c.auc, 3));
        let _ = writeln!(text, "| {} | {nats} | {auc} | {mark} |", c.name);
    }
    text + &format!("\n{}\n", fit.reason)
}

fn sampling(config: &Config) -> String {
    let temperature = config.sampling.temperature;
    match config.training.figures.get("valid_distinct2") {
        Some(level) => format!(
            "\nSamples are drawn at temperature {temperature:.2}: the coolest at which they are as varied as the \
             validation records (distinct-2 {level:.3}), but at most 0.7.\n\n"
        ),
        None => format!("\nSamples are drawn at temperature {temperature:.2}.\n\n"),
    }
}

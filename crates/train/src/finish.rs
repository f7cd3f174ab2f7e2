//! The end of a training: fit the prior, measure, write the model folder, clear the training's own.

use std::collections::BTreeMap;

use strait_eval::ReconstructionReport;
use strait_model::{
    decoding,
    folder::{self, Config, Data, Saved, Training},
    prior,
};

use crate::{
    Event, TrainError,
    calibrate::{self, Calibration},
    look,
    run::{Log, Run},
};

/// Training latents that the prior is fitted to at most.
const FITTED: usize = 20_000;
/// Validation texts that the figures are measured on at most.
const MEASURED: usize = 1000;

/// Longest text to decode, in tokens: the longest seen and a little more.
pub(crate) fn max_len(train: &[Vec<u32>]) -> usize {
    let longest = train.iter().map(Vec::len).max().unwrap_or(0);
    (longest + longest / 4 + 4).min(2048)
}

/// Fits, measures, writes.
pub(crate) fn finish(mut run: Run, why: String, log: &mut Log<'_>) -> Result<(), TrainError> {
    let seed = run.job.seed;
    let stride = run.train_ids.len().div_ceil(FITTED).max(1);
    let picked: Vec<&[u32]> = run.train_ids.iter().step_by(stride).map(|t| &t[..]).collect();
    let latents = run.model.encode(&picked);
    let held_out = if run.valid_ids.is_empty() { latents.clone() } else { run.model.encode(&run.valid_ids) };
    let fit = prior::fit(&latents, &held_out, run.model.latent_size(), seed, &prior::Budget::default())?;
    for c in &fit.tried {
        log.hear(&Event::Prior { name: c.name.clone(), held_out_nats: c.held_out_nats_per_vector, chosen: c.chosen });
    }
    let longest = max_len(&run.train_ids);
    let parts = (&run.model, &fit.prior, &run.tokenizer);
    let calibration = calibrate::temperature(parts, &run.valid, run.unit, longest, seed);
    let figures = figures(&mut run, &fit, &calibration);
    let greedy = decoding::Options { max_len: longest, ..decoding::Options::default() };
    let lengths: Vec<usize> = run.train_ids.iter().map(Vec::len).collect();
    let plan = &run.job.plan;
    let config = Config {
        strait_format: folder::FORMAT,
        strait_version: env!("CARGO_PKG_VERSION").into(),
        recipe: plan.recipe.clone(),
        vocabulary: run.tokenizer.vocab_size(),
        seed,
        data: Data {
            name: run.job.name.clone(),
            hash: run.job.hash.clone(),
            train: run.train.len(),
            valid: run.valid.len(),
            mean_tokens: lengths.iter().sum::<usize>() as f64 / lengths.len() as f64,
            longest_tokens: lengths.iter().copied().max().unwrap_or(0),
        },
        training: Training {
            steps: run.position.step,
            best_step: run.position.best.step,
            epochs: run.position.step as f64 / plan.steps_per_epoch,
            ended: why,
            figures: figures.clone(),
        },
        sampling: decoding::Options { temperature: calibration.temperature, ..greedy.clone() },
        decoding: greedy,
        files: BTreeMap::new(),
        checksum: String::new(),
    };
    let bits_per_byte = figures.get("valid_bits_per_byte").copied().unwrap_or(f64::NAN);
    log.hear(&Event::Finished { bits_per_byte, seconds: run.seconds() });
    let card = card(&config, &fit);
    let extra = [("README.md", card.into_bytes()), ("metrics.jsonl", log.contents(&run.dir))];
    let saved = Saved { config, model: run.model, tokenizer: run.tokenizer, prior: fit.prior };
    folder::save(&run.out, &saved, &extra, run.job.replace)?;
    // The model is safe; what is left of the training's folder does no harm.
    let _ = std::fs::remove_dir_all(&run.dir);
    Ok(())
}

fn figures(run: &mut Run, fit: &prior::Fit, calibration: &Calibration) -> BTreeMap<String, f64> {
    let n = run.valid_ids.len().min(MEASURED);
    let loss = run.model.score(&run.valid_ids, &mut Vec::new());
    let bytes: usize = run.valid.iter().map(String::len).sum();
    let latents = run.model.encode(&run.valid_ids[..n]);
    let decoded = run.model.decode_greedy(&latents, &run.tokenizer, max_len(&run.train_ids));
    let pairs: Vec<(&str, &str)> =
        decoded.iter().map(String::as_str).zip(run.valid.iter().map(String::as_str)).collect();
    let report = ReconstructionReport::new(&pairs, run.unit);
    let chosen = fit.tried.iter().find(|c| c.chosen).map_or(f64::NAN, |c| c.held_out_nats_per_vector);
    [
        ("valid_bits_per_byte", look::bits_per_byte(loss.nats, bytes)),
        ("valid_nats_per_token", loss.nats / loss.tokens.max(1) as f64),
        ("valid_token_accuracy", loss.correct as f64 / loss.tokens.max(1) as f64),
        ("valid_reconstruction_bleu4", report.bleu4),
        ("valid_reconstruction_exact", report.exact),
        ("valid_reconstruction_n", report.n as f64),
        ("prior_held_out_nats", chosen),
        ("sampling_temperature", (calibration.temperature as f64 * 100.0).round() / 100.0),
        ("valid_distinct2", calibration.distinct2),
        ("seconds", run.seconds().round()),
    ]
    .into_iter()
    .filter(|(_, v)| v.is_finite())
    .map(|(k, v)| (k.to_string(), v))
    .collect()
}

/// The model card.
fn card(config: &Config, fit: &prior::Fit) -> String {
    let figure = |name: &str| config.training.figures.get(name).copied().unwrap_or(f64::NAN);
    let mut text = format!(
        "# A text autoencoder\n\nTrained by Strait {} with the recipe `{}` on {} records of `{}` (SHA-256 {}), seed {}.\n\n",
        config.strait_version, config.recipe.name, config.data.train, config.data.name, config.data.hash, config.seed
    );
    text += &format!(
        "{} steps, {:.1} passes over the data; the weights of step {} were kept ({}).\n\n",
        config.training.steps, config.training.epochs, config.training.best_step, config.training.ended
    );
    text += "## Measured on the validation records\n\n| figure | value |\n|---|---|\n";
    text += &format!("| records | {} |\n", config.data.valid);
    text += &format!("| reconstruction loss, bits per byte | {:.3} |\n", figure("valid_bits_per_byte"));
    text += &format!(
        "| greedy reconstruction of {:.0}: BLEU-4 | {:.1} |\n",
        figure("valid_reconstruction_n"),
        figure("valid_reconstruction_bleu4")
    );
    text += &format!("| exact | {:.1} % |\n", 100.0 * figure("valid_reconstruction_exact"));
    text += "\n## Priors tried\n\n| prior | held-out nats per latent | |\n|---|---|---|\n";
    for c in &fit.tried {
        let mark = if c.chosen { "chosen" } else { "" };
        text += &format!("| {} | {:.2} | {mark} |\n", c.name, c.held_out_nats_per_vector);
    }
    text += &format!("\n{}\n\n", fit.reason);
    text += &match figure("valid_distinct2") {
        level if level.is_finite() => format!(
            "Samples are drawn at temperature {:.2}: the coolest at which they are as varied as the validation records \
             (distinct-2 {level:.3}), but at most 0.7.\n\n",
            config.sampling.temperature
        ),
        _ => format!("Samples are drawn at temperature {:.2}.\n\n", config.sampling.temperature),
    };
    text += "## Use\n\n```\nstrait sample -m DIR -n 10\nstrait reconstruct -m DIR FILE\nstrait interpolate -m DIR \
             \"one text\" \"another\" --steps 5\n```\n\n";
    text += "A model of so little text knows nothing else; it may repeat records it was trained on.\n";
    text
}

//! The end of a training: fit the prior, measure, write the model folder, clear the training's own.

use std::{collections::BTreeMap, sync::Arc};

use strait_eval::ReconstructionReport;
use strait_model::{
    Usual,
    decoding::{self, Words},
    folder::{self, Config, Data, Saved, Training},
    prior::{self, Prior},
};

use crate::{
    Event, TrainError,
    calibrate::{self, Calibration, Corpus},
    card, fitting,
    log::Log,
    look, pairs, parts,
    run::Run,
};

/// Validation texts that the figures are measured on at most.
const MEASURED: usize = 1000;

/// Validation texts against which others are held at most.
const USUAL: usize = 5000;

/// Longest text to decode, in tokens: the longest seen and a little more.
pub(crate) fn max_len(train: &[Vec<u32>]) -> usize {
    let longest = train.iter().map(Vec::len).max().unwrap_or(0);
    (longest + longest / 4 + 4).min(2048)
}

/// Fits, measures, writes.
pub(crate) fn finish(mut run: Run, why: String, log: &mut Log<'_>) -> Result<(), TrainError> {
    let seed = run.job.seed;
    let fit = fitting::fit(&run)?;
    for c in fit.iter().flat_map(|fit| &fit.tried) {
        let (name, held_out_nats) = (c.name.clone(), c.held_out_nats_per_vector);
        log.hear(&Event::Prior { name, held_out_nats, auc: c.auc, chosen: c.chosen });
    }
    let prior = fit.as_ref().map_or_else(|| Prior::standard_normal(0), |fit| fit.prior.clone());
    let longest = max_len(&run.train_ids);
    let greedy = decoding::Options { max_len: longest, ..decoding::Options::default() };
    let (figures, decoding, sampling, frontier) = match run.sources.is_some() {
        true => {
            // Of all texts the empty one is often the likeliest (Stahlberg & Byrne 2019, <https://arxiv.org/abs/1908.10090>).
            let min_len = usize::from(run.train_ids.iter().all(|target| !target.is_empty()));
            let greedy = decoding::Options { min_len, ..greedy };
            let sampling = decoding::Options { temperature: pairs::TEMPERATURE, ..greedy.clone() };
            (pairs::figures(&mut run), pairs::by_beam(greedy), sampling, None)
        }
        false => {
            let words = Words::of(run.tokenizer.word_parts(), &run.train_ids);
            let greedy = decoding::Options { known_words: !words.list().is_empty(), ..greedy };
            run.model.words = greedy.known_words.then(|| Arc::new(words));
            let parts = (&run.model, &prior, &run.tokenizer);
            let corpus = Corpus { train: &run.train, valid: &run.valid, unit: run.unit };
            let calibration = calibrate::calibrate(parts, corpus, longest, seed);
            let sampling = decoding::Options { temperature: calibration.temperature, ..greedy.clone() };
            (figures(&mut run, fit.as_ref(), &calibration), greedy, sampling, calibration.frontier)
        }
    };
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
        sampling,
        decoding,
        files: BTreeMap::new(),
        checksum: String::new(),
    };
    let bits_per_byte = figures.get("valid_bits_per_byte").copied().unwrap_or(f64::NAN);
    log.hear(&Event::Finished { bits_per_byte, seconds: run.seconds() });
    let card = card::card(&config, fit.as_ref());
    let metrics = log.contents(&run.dir);
    let report = card::report(&config, &String::from_utf8_lossy(&metrics));
    let published = parts::files(&run.dir, &config.recipe)?;
    let mut extra =
        vec![("README.md", card.into_bytes()), ("metrics.jsonl", metrics), ("report.html", report.into_bytes())];
    extra.extend(published.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())));
    let usual = if run.sources.is_some() { None } else { usual(&mut run, &prior)? };
    let source_tokenizer = run.sources.and_then(|sources| sources.tokenizer);
    let saved = Saved { config, model: run.model, tokenizer: run.tokenizer, source_tokenizer, prior, usual, frontier };
    folder::save(&run.out, &saved, &extra, run.job.replace)?;
    // The model is safe; what is left of the training's folder does no harm.
    let _ = std::fs::remove_dir_all(&run.dir);
    Ok(())
}

/// How odd validation texts are; they trained nothing, and only chose when to stop.
fn usual(run: &mut Run, prior: &Prior) -> Result<Option<Usual>, TrainError> {
    let n = run.valid_ids.len().min(USUAL);
    let texts: Vec<&[u32]> = (0..n).map(|i| &run.valid_ids[i * run.valid_ids.len() / n][..]).collect();
    if texts.is_empty() {
        return Ok(None);
    }
    Ok(Some(Usual::measure(&mut run.model, prior, &texts)?))
}

fn figures(run: &mut Run, fit: Option<&prior::Fit>, calibration: &Calibration) -> BTreeMap<String, f64> {
    let n = run.valid_ids.len().min(MEASURED);
    let loss = run.model.score(&run.valid_ids, &mut Vec::new());
    let bytes: usize = run.valid.iter().map(String::len).sum();
    let divergence = if loss.divergence > 0.0 { loss.divergence / run.valid.len() as f64 } else { f64::NAN };
    let latents = run.model.encode(&run.valid_ids[..n]);
    let decoded = run.model.decode_greedy(&latents, &run.tokenizer, max_len(&run.train_ids));
    let pairs: Vec<(&str, &str)> =
        decoded.iter().map(String::as_str).zip(run.valid.iter().map(String::as_str)).collect();
    let report = (!pairs.is_empty()).then(|| ReconstructionReport::new(&pairs, run.unit));
    let reconstruction = |figure: fn(&ReconstructionReport) -> f64| report.as_ref().map_or(f64::NAN, figure);
    let chosen =
        fit.and_then(|fit| fit.tried.iter().find(|c| c.chosen)).map_or(f64::NAN, |c| c.held_out_nats_per_vector);
    [
        ("valid_bits_per_byte", look::bits_per_byte(loss.bound(), bytes)),
        ("valid_nats_per_token", loss.nats / loss.tokens.max(1) as f64),
        ("valid_token_accuracy", loss.correct as f64 / loss.tokens.max(1) as f64),
        ("valid_token_perplexity", (loss.bound() / loss.tokens.max(1) as f64).exp()),
        ("valid_divergence", divergence),
        ("valid_reconstruction_bleu4", reconstruction(|r| r.bleu4)),
        ("valid_reconstruction_exact", reconstruction(|r| r.exact)),
        ("valid_reconstruction_n", reconstruction(|r| r.n as f64)),
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

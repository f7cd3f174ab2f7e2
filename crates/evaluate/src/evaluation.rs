//! All parts, one after the other.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use strait_eval::NeighbourReport;
use strait_model::{config::NetworkKind, latent::Posterior};

use crate::{
    Counts, EvaluateError, EvaluationRequest, LatentUse, Likelihood, PriorFit, Reconstruction, SampleEvaluation,
    latents::{ENOUGH, MOST},
    likelihood::likelihood,
    material::Material,
    prior::prior_fit,
    reconstruction::reconstruction,
    request::{Hear, Progress, Subject, places},
    samples::samples,
};

/// Numbers of neighbours that recall is measured at.
const NEIGHBOURS: [usize; 3] = [1, 5, 10];

/// Everything measured of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    pub model: Described,
    /// Name and size of the held-out texts.
    pub data: String,
    pub counts: Counts,
    pub likelihood: Likelihood,
    /// A language model on the same texts.
    pub beside: Option<Beside>,
    /// On the held-out texts; if those are few, on training texts too.
    pub latents: Vec<LatentUse>,
    pub reconstruction: Option<Reconstruction>,
    pub prior: Vec<PriorFit>,
    pub neighbours: Option<NeighbourReport>,
    pub samples: SampleEvaluation,
    /// What was not measured, and how to get it; sentences.
    pub left_out: Vec<String>,
}

/// What a model is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Described {
    pub recipe: String,
    pub weights: usize,
    pub vocabulary: usize,
    /// subword, word, char or byte.
    pub tokenizer: String,
    /// Dimensions of its latent; 0 for a language model.
    pub latent: usize,
    /// What it was trained on, and on how many texts.
    pub trained_on: String,
    pub training_texts: usize,
}

/// Another model's likelihood of the same texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beside {
    pub name: String,
    pub model: Described,
    pub likelihood: Likelihood,
}

impl Described {
    fn new(subject: &Subject<'_>) -> Self {
        let config = subject.config;
        Described {
            recipe: config.recipe.name.clone(),
            weights: subject.model.params.weights(),
            vocabulary: config.vocabulary,
            tokenizer: subject.tokenizer.kind().to_string(),
            latent: subject.model.latent_size(),
            trained_on: config.data.name.clone(),
            training_texts: config.data.train,
        }
    }
}

/// Measures all that applies to `subject`; `beside` is a language model to put beside it, with its name. `hear` is told
/// now and then how far it is.
///
/// # Errors
/// If the request is out of range, a corpus is too small, or the model's numbers are not finite.
pub fn evaluate(
    mut subject: Subject<'_>,
    beside: Option<(&str, Subject<'_>)>,
    request: &EvaluationRequest,
    hear: &mut dyn FnMut(Progress<'_>),
) -> Result<Evaluation, EvaluateError> {
    request.check()?;
    let subject = &mut subject;
    let ids = subject.tokenizer.encode_batch(&request.texts);
    let material = Material::new(&request.texts, &ids, request.unit_or_guess());
    let posterior = subject.model.posterior(&material.ids);
    let has_latents = subject.model.latent_size() > 0;
    let effort = (request.importance, request.importance_texts);
    let likelihood = likelihood(subject, &material, effort, request.seed, hear)?;
    let latents = if has_latents { latent_use(subject, &posterior, request, hear) } else { Vec::new() };
    let reconstruction = has_latents.then(|| reconstruction(subject, &material, &posterior.mean, hear));
    hear(Progress { part: "prior", done: 0, of: 1 });
    let prior = match has_latents {
        true => prior_fit(subject.prior, &posterior, &request.all_seeds())?,
        false => Vec::new(),
    };
    hear(Progress { part: "neighbours", done: 0, of: 1 });
    let neighbours = has_latents.then(|| neighbours(&material, &posterior, request.seed));
    let samples = samples(subject, &material, request, hear)?;
    let mut evaluation = Evaluation {
        model: Described::new(subject),
        data: request.name.clone(),
        counts: material.counts(subject.tokenizer),
        likelihood,
        beside: None,
        latents,
        reconstruction,
        prior,
        neighbours,
        samples,
        left_out: Vec::new(),
    };
    if let Some((name, other)) = beside {
        evaluation.beside = Some(put_beside(name, other, request, hear)?);
    }
    evaluation.left_out = left_out(&evaluation, request);
    Ok(evaluation)
}

/// On the held-out texts, and where those are few on training texts.
fn latent_use(
    subject: &Subject<'_>,
    posterior: &Posterior,
    request: &EvaluationRequest,
    hear: Hear<'_>,
) -> Vec<LatentUse> {
    let (z, seeds) = (subject.model.latent_size(), request.all_seeds());
    let of_texts = |texts: &[String]| {
        let chosen: Vec<&String> = places(texts.len(), MOST).map(|i| &texts[i]).collect();
        subject.model.posterior(&subject.tokenizer.encode_batch(&chosen))
    };
    // Of a model that was trained on vectors, those of the training texts are not here.
    let few = request.texts.len() < ENOUGH && subject.config.recipe.encoder.kind != NetworkKind::Vectors;
    let held_out = match request.texts.len() > MOST {
        true => LatentUse::new("held-out texts", &of_texts(&request.texts), z, &seeds, hear),
        false => LatentUse::new("held-out texts", posterior, z, &seeds, hear),
    };
    let train = request.train.as_deref().filter(|train| few && train.len() > request.texts.len());
    let train = train.map(|train| LatentUse::new("training texts", &of_texts(train), z, &seeds, hear));
    [Some(held_out), train].into_iter().flatten().collect()
}

fn neighbours(material: &Material<'_>, posterior: &Posterior, seed: u64) -> NeighbourReport {
    let z = posterior.mean.len() / material.texts.len().max(1);
    let latents = posterior.mean.chunks_exact(z.max(1));
    let records: Vec<(&[f32], &str)> = latents.zip(material.texts.iter().copied()).collect();
    NeighbourReport::new(&records, material.unit, &NEIGHBOURS, &mut ChaCha8Rng::seed_from_u64(seed))
}

fn put_beside(
    name: &str,
    mut other: Subject<'_>,
    request: &EvaluationRequest,
    hear: Hear<'_>,
) -> Result<Beside, EvaluateError> {
    let ids = other.tokenizer.encode_batch(&request.texts);
    // The same texts as those whose likelihood is bounded.
    let material = Material::new(&request.texts, &ids, request.unit_or_guess());
    let chosen: Vec<usize> = places(ids.len(), request.importance_texts).collect();
    let effort = (request.importance, request.importance_texts);
    let likelihood = likelihood(&mut other, &material.part(&chosen), effort, request.seed, hear)?;
    Ok(Beside { name: name.into(), model: Described::new(&other), likelihood })
}

/// Sentences on what is missing.
fn left_out(evaluation: &Evaluation, request: &EvaluationRequest) -> Vec<String> {
    let mut missing = Vec::new();
    if evaluation.samples.judged_by.is_none() {
        missing.push(
            "perplexities and copying of samples: they need the training text, which a model folder does not hold; give \
             it with --train FILE"
                .to_owned(),
        );
    } else if request.judge.is_none() {
        missing.push("the LSTM judge: leave out --no-lstm-judge and --quick".to_owned());
    }
    if evaluation.beside.is_none()
        && !matches!(evaluation.likelihood, Likelihood::None { .. } | Likelihood::Exact { .. })
    {
        missing.push(
            "a language model of the same size to compare the likelihood with: train one on the same text (a recipe \
             without an encoder) and give it with --beside DIR"
                .to_owned(),
        );
    }
    if request.temperatures.is_empty() {
        missing.push("other temperatures: --temperatures 0.5,0.7,1 compares samples along a curve".to_owned());
    }
    if evaluation.counts.unknown > 0 {
        let share = 100.0 * evaluation.counts.unknown as f64 / evaluation.counts.tokens.max(1) as f64;
        missing.push(format!(
            "what {} unknown tokens ({share:.2} %) hide: the model's tokenizer reads them as one unknown token, so its \
             likelihood is not comparable with that of a model that must spell them",
            evaluation.counts.unknown
        ));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Whole, language_model, texts, variational};

    fn request() -> EvaluationRequest {
        let request = EvaluationRequest::new("held-out.txt", texts(40));
        EvaluationRequest { importance: 10, seeds: 2, judge: None, temperatures: vec![0.5], ..request }
    }

    #[test]
    fn an_autoencoder_has_every_part_and_the_same_figures_again() {
        let (mut whole, mut other) = (Whole::new(&variational(2), 30), Whole::new(&language_model(), 10));
        let request = EvaluationRequest { train: Some(texts(60)), ..request() };
        let mut parts = Vec::new();
        let mut run = || {
            let mut hear = |p: Progress<'_>| parts.push(p.part.to_owned());
            evaluate(whole.subject(), Some(("lm", other.subject())), &request, &mut hear).expect("finite numbers")
        };
        let seen = run();
        assert_eq!(seen, run());
        assert!(["likelihood", "use of the latent", "samples"].iter().all(|p| parts.iter().any(|q| q == p)));
        assert_eq!((seen.latents.len(), seen.prior.len(), seen.samples.rows.len()), (2, 2, 3));
        assert!(seen.latents[0].posterior.is_some() && seen.reconstruction.is_some() && seen.neighbours.is_some());
        assert!(matches!(seen.beside.as_ref().map(|b| &b.likelihood), Some(Likelihood::Exact { .. })));
        // The language has four times five sentences, and all of them are training texts.
        let real = &seen.samples.rows[2].figures;
        assert_eq!((real["copied"].mean, real["copied"].n), (1.0, 1));
        assert_eq!(seen.samples.temperatures[0].figures["copied"].n, 2);
        let report = seen.to_string();
        for part in ["S = 10", "I(x; z)", "Beside it lm", "N(0, I)", "temperature"] {
            assert!(report.contains(part), "{part}: {report}");
        }
        assert!(crate::page(&seen).contains("Evaluation on held-out.txt"));
        let json = serde_json::to_value(&seen).expect("plain data");
        assert_eq!(json["likelihood"]["priors"][0]["bounds"][1]["draws"], 10);
        assert!(json["likelihood"]["priors"][0]["bounds"][1]["nats_per_text"].is_f64());
    }

    #[test]
    fn a_language_model_has_no_latent_and_what_is_left_out_is_said() {
        let seen = evaluate(Whole::new(&language_model(), 10).subject(), None, &request(), &mut |_| {});
        let seen = seen.expect("finite numbers");
        assert!(seen.latents.is_empty() && seen.prior.is_empty() && seen.reconstruction.is_none());
        assert!(seen.left_out.iter().any(|line| line.contains("--train FILE")), "{:?}", seen.left_out);
        assert!(!seen.samples.rows[1].figures.contains_key("bleu4"), "held-out texts against themselves say nothing");
        assert!(seen.to_string().contains("Exact, 40 texts"));
    }

    #[test]
    fn samples_are_judged_by_an_lstm_too() {
        let judge = Some(crate::JudgeBudget::Steps(3));
        let request = EvaluationRequest { train: Some(texts(60)), judge, seeds: 1, ..request() };
        let seen = evaluate(Whole::new(&language_model(), 10).subject(), None, &request, &mut |_| {});
        let seen = seen.expect("finite numbers");
        let lstm = seen.samples.judged_by.as_ref().and_then(|j| j.lstm.as_ref()).expect("it was trained");
        assert!(lstm.steps <= 3 && lstm.perplexity.is_finite());
        for row in &seen.samples.rows {
            assert!(row.figures["lstm_reverse_perplexity"].mean > 1.0, "{row:?}");
        }
        // Real text, read by the model of the training text.
        let real = seen.samples.rows[2].figures["lstm_forward_perplexity"].mean;
        assert!((real - lstm.perplexity).abs() < 1e-6, "{real} {}", lstm.perplexity);
    }
}

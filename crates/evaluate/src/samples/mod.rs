//! Texts drawn from the model against real text: do they read well, cover the language, vary, copy?
//!
//! As many samples as there are held-out texts, for each of several seeds. Forward perplexity is that of samples under
//! a language model of the training text (low: each reads well); reverse perplexity that of held-out texts under a
//! language model of the samples (low: together they cover the language). Two judges, a Kneser-Ney 5-gram model and an
//! LSTM, each over one fixed vocabulary. Real text and samples of the Kneser-Ney model stand beside.

mod draw;
mod judge;
mod sweep;

use std::collections::BTreeMap;

use serde::Serialize;
use strait_eval::{CopiedSample, Spread};
use strait_model::decoding::Options;

use crate::{
    EvaluateError, EvaluationRequest,
    lstm::{LstmFacts, LstmJudge},
    material::Material,
    request::{Hear, Subject, spread},
};
use draw::draw;
use judge::{Figures, KneserNeyJudge, Observer, spreads};
pub use sweep::TemperaturePoint;

/// Samples shown, and copies.
const SHOWN: usize = 8;

/// What samples are like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleEvaluation {
    /// Samples of each seed that were looked at.
    pub n: usize,
    pub seeds: Vec<u64>,
    /// How they were decoded.
    pub decoding: Options,
    /// Texts that BLEU-4 compares each sample with, and other samples that self-BLEU-4 does.
    pub bleu_references: usize,
    pub self_bleu_references: usize,
    /// Training texts that judged, and their distinct words.
    pub judged_by: Option<JudgedBy>,
    /// The model, and what stands beside it.
    pub rows: Vec<SampleRow>,
    /// The first samples of the first seed, as they came.
    pub examples: Vec<String>,
    /// Of the first seed, those that agree with a training text in most words.
    pub worst_copies: Vec<CopiedSample>,
    /// The model at other temperatures.
    pub temperatures: Vec<TemperaturePoint>,
}

/// The language models that judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedBy {
    pub training_texts: usize,
    /// Distinct words of the Kneser-Ney model.
    pub vocabulary: usize,
    pub lstm: Option<LstmFacts>,
}

/// The figures of one source of texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRow {
    pub name: String,
    /// By name, over the seeds.
    pub figures: BTreeMap<&'static str, Spread>,
}

/// Draws and measures.
pub(crate) fn samples(
    subject: &Subject<'_>,
    material: &Material<'_>,
    request: &EvaluationRequest,
    hear: Hear<'_>,
) -> Result<SampleEvaluation, EvaluateError> {
    let seeds = request.all_seeds();
    let judge = request.train.as_ref().map(|train| KneserNeyJudge::new(train, &request.texts, material.unit));
    let judge = judge.transpose()?;
    let most = judge.as_ref().map_or(request.texts.len().min(strait_eval::samples::MAX_SAMPLES), |j| j.wanted());
    let n = request.samples.unwrap_or(most).min(most);
    let decoding = subject.config.sampling.clone();
    let drawn: Vec<Vec<String>> =
        seeds.iter().map(|&seed| draw(subject, n, seed, &decoding, hear)).collect::<Result<_, _>>()?;
    let held_out = spread(&request.texts, n);
    let mut evaluation = SampleEvaluation {
        n,
        decoding,
        bleu_references: request.texts.len(),
        self_bleu_references: n.min(strait_eval::samples::SELF_BLEU_SAMPLES).saturating_sub(1),
        judged_by: None,
        rows: Vec::new(),
        examples: drawn.iter().flatten().take(SHOWN).cloned().collect(),
        worst_copies: Vec::new(),
        temperatures: Vec::new(),
        seeds,
    };
    match judge.zip(request.train.as_deref()) {
        None => {
            let observer = Observer::new(&request.texts, material.unit);
            let figures = |sets: &[Vec<String>]| sets.iter().map(|s| observer.figures(s)).collect::<Vec<_>>();
            let mut real = observer.figures(&held_out);
            real.remove("bleu4"); // against themselves
            evaluation.rows = vec![row("model", &figures(&drawn)), row("real text", &[real])];
            evaluation.temperatures = sweep::sweep(subject, request, n, &|texts| observer.figures(texts), hear)?;
        }
        Some((judge, train)) => {
            let judged = Judged { judge: &judge, train, request, n };
            let lstm = judged.fill(&mut evaluation, &drawn, &held_out, hear)?;
            evaluation.judged_by = Some(JudgedBy { training_texts: train.len(), vocabulary: judge.vocabulary(), lstm });
            evaluation.temperatures = sweep::sweep(subject, request, n, &|texts| judge.figures(texts), hear)?;
        }
    }
    Ok(evaluation)
}

fn row(name: &str, sets: &[Figures]) -> SampleRow {
    SampleRow { name: name.into(), figures: spreads(sets) }
}

/// Samples beside the training text.
struct Judged<'a> {
    judge: &'a KneserNeyJudge,
    train: &'a [String],
    request: &'a EvaluationRequest,
    n: usize,
}

impl Judged<'_> {
    /// Fills in the rows: the model, the Kneser-Ney model's samples, real text.
    fn fill(
        &self,
        evaluation: &mut SampleEvaluation,
        drawn: &[Vec<String>],
        held_out: &[String],
        hear: Hear<'_>,
    ) -> Result<Option<LstmFacts>, EvaluateError> {
        let judge = self.judge;
        let real_train = spread(self.train, self.n);
        let kneser_ney = judge.kneser_ney_samples(self.n, &evaluation.seeds);
        let mut model: Vec<Figures> = drawn.iter().map(|s| judge.figures(s)).collect();
        let mut baseline: Vec<Figures> = kneser_ney.iter().map(|s| judge.figures(s)).collect();
        let mut real = vec![judge.real(held_out, &real_train)];
        let mut facts = None;
        if let Some(budget) = self.request.judge {
            let corpora = (self.train, &self.request.texts[..]);
            let mut lstm = LstmJudge::new(corpora, self.request.unit_or_guess(), budget, self.request.seed, hear)?;
            for (figures, texts) in model.iter_mut().zip(drawn) {
                figures.extend(lstm.figures(texts, texts, "LSTM of samples", hear)?);
            }
            // One seed of the baselines: each costs a training.
            for (figures, texts) in baseline.iter_mut().zip(&kneser_ney).take(1) {
                figures.extend(lstm.figures(texts, texts, "LSTM of KN-5 samples", hear)?);
            }
            for figures in &mut real {
                figures.extend(lstm.figures(held_out, &real_train, "LSTM of real text", hear)?);
            }
            facts = Some(lstm.facts());
        }
        evaluation.rows = vec![row("model", &model), row("KN-5 samples", &baseline), row("real text", &real)];
        evaluation.worst_copies = drawn.first().map(|s| judge.worst_copies(s, SHOWN)).unwrap_or_default();
        Ok(facts)
    }
}

//! Minimum risk training (Shen et al. 2016): the expected risk of what the model itself would write.
//!
//! Of a source's candidates y, drawn from the model, equal ones once, with their risk `d(y)` in 0..1 against the reference:
//! `q(y) = p(y|x)^a / sum_y' p(y'|x)^a`, `R = sum_y q(y) d(y)`. With `dR / d log p(y) = a q(y) (d(y) - R)` the gradient is
//! that of `sum_y -a q(y) (d(y) - R) nats(y)`, weights held fixed: candidates worse than the expectation become less likely,
//! better ones more, and no baseline is needed, since the weights sum to 0. What is minimised is the mean of R over the
//! sources times `1 - cross_entropy`, and the cross-entropy of the references, per token, times `cross_entropy`.

use rand::Rng;
use strait_engine::{Error, Tape};
use strait_text::TokenizerKind;

use crate::{Autoencoder, Figures, StepLoss, batch::Batch, config::RiskConfig, decoding::Options};

/// Sources and their references as ids, and how bad a candidate is for the source at a place: 0 is perfect.
pub struct RiskTask<'a> {
    pub sources: &'a [&'a [u32]],
    pub references: &'a [&'a [u32]],
    pub tokenizer: TokenizerKind,
    pub risk: &'a (dyn Fn(usize, &[u32]) -> f64 + Sync),
}

/// R and `dR / d log p(y)` of one source's candidates.
pub fn expected_risk(log_probabilities: &[f64], risks: &[f64], sharpness: f64) -> (f64, Vec<f64>) {
    let top = log_probabilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = log_probabilities.iter().map(|l| (sharpness * (l - top)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let expected = weights.iter().zip(risks).map(|(w, d)| w / total * d).sum();
    let slopes = weights.iter().zip(risks).map(|(w, d)| sharpness * w / total * (d - expected)).collect();
    (expected, slopes)
}

/// Candidates of some sources, source by source.
struct Candidates {
    /// The source of each.
    of: Vec<usize>,
    ids: Vec<Vec<u32>>,
    risks: Vec<f64>,
}

impl Autoencoder {
    /// One step of minimum risk training up to the gradients. The loss reported is the references' cross-entropy; the
    /// figures hold the expected risk (`risk`) and the number of different candidates of a source (`candidates`).
    ///
    /// # Errors
    /// If the loss is not finite.
    pub fn train_risk(
        &mut self,
        tape: &mut Tape,
        task: &RiskTask<'_>,
        config: &RiskConfig,
        rng: &mut impl Rng,
    ) -> Result<(StepLoss, Figures), Error> {
        tape.reset();
        let candidates = self.candidates(task, config, rng);
        let (expected, weights) = self.weigh(task, &candidates, config);
        let sources = task.sources.len().max(1) as f64;
        let scale = (1.0 - config.cross_entropy) / sources as f32;
        self.risk_loss(tape, (task, &candidates), (&weights, scale), rng);
        let batch = self.training_pairs(task.sources, task.references, rng);
        let given = self.read_sources(tape, &batch.source, rng);
        let (smoothing, tokens) = (self.recipe().objective.label_smoothing, batch.tokens().max(1) as f32);
        let scale = config.cross_entropy / tokens;
        let loss = match scale > 0.0 {
            true => self.decode_loss(tape, given, (&batch, smoothing, scale), rng),
            false => StepLoss { tokens: batch.tokens(), ..StepLoss::default() },
        };
        tape.backward(&mut self.params)?;
        let each = candidates.ids.len() as f64 / sources;
        Ok((loss, vec![("risk", expected / sources), ("candidates", each)]))
    }

    /// Draws from the model as it is, those of a source that are the same once.
    fn candidates(&self, task: &RiskTask<'_>, config: &RiskConfig, rng: &mut impl Rng) -> Candidates {
        let longest = task.references.iter().map(|r| r.len()).max().unwrap_or(0);
        let options = Options { temperature: 1.0, max_len: longest + longest / 4 + 4, ..Options::default() };
        let seeds: Vec<u64> = task.sources.iter().map(|_| rng.next_u64()).collect();
        let drawn = self.generate_from(task.sources, (&options, config.samples), task.tokenizer, &seeds);
        let mut found = Candidates { of: Vec::new(), ids: Vec::new(), risks: Vec::new() };
        for (i, outputs) in drawn.into_iter().enumerate() {
            let first = found.ids.len();
            for output in outputs {
                if !found.ids[first..].contains(&output.tokens) {
                    found.risks.push((task.risk)(i, &output.tokens));
                    found.of.push(i);
                    found.ids.push(output.tokens);
                }
            }
        }
        found
    }

    /// The sum over sources of the expected risk, and for each candidate the weight of its nats.
    fn weigh(&mut self, task: &RiskTask<'_>, candidates: &Candidates, config: &RiskConfig) -> (f64, Vec<f32>) {
        let sources: Vec<&[u32]> = candidates.of.iter().map(|&i| task.sources[i]).collect();
        let mut nats = Vec::new();
        self.score_pairs(&sources, &candidates.ids, &mut nats);
        let (mut expected, mut weights, mut at) = (0.0, Vec::new(), 0);
        for of in candidates.of.chunk_by(|a, b| a == b) {
            let range = at..at + of.len();
            at = range.end;
            let logs: Vec<f64> = nats[range.clone()].iter().map(|n| -n).collect();
            let (risk, slopes) = expected_risk(&logs, &candidates.risks[range], f64::from(config.sharpness));
            expected += risk;
            weights.extend(slopes.iter().map(|s| -s as f32));
        }
        (expected, weights)
    }

    /// Records the weighted nats of the candidates.
    fn risk_loss(
        &mut self,
        tape: &mut Tape,
        (task, candidates): (&RiskTask<'_>, &Candidates),
        (weights, scale): (&[f32], f32),
        rng: &mut impl Rng,
    ) {
        let sources: Vec<&[u32]> = candidates.of.iter().map(|&i| task.sources[i]).collect();
        let batch = self.training_pairs(&sources, &candidates.ids, rng);
        let order = Batch::order(&candidates.ids);
        let rows: Vec<f32> = batch.packing.sequence_of_rows().map(|b| weights[order[b] as usize]).collect();
        let given = self.read_sources(tape, &batch.source, rng);
        let task = given.task(tape, (&batch, 0.0, scale), Some(&rows));
        self.decoder_loss(tape, &task, rng);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn by_hand() {
        // Two candidates, equally likely: q = 1/2 each whatever the sharpness.
        let (risk, slopes) = expected_risk(&[-3.0, -3.0], &[0.2, 0.8], 0.5);
        assert!((risk - 0.5).abs() < 1e-12 && (slopes[0] + 0.075).abs() < 1e-12 && (slopes[1] - 0.075).abs() < 1e-12);
        // One is all there is: nothing can be moved.
        assert_eq!(expected_risk(&[-7.0], &[0.4], 1.0), (0.4, vec![0.0]));
    }

    #[test]
    fn slopes_match_finite_differences() {
        let (logs, risks, h) = ([-2.0, -4.5, -3.1, -9.0], [0.9, 0.1, 0.5, 0.3], 1e-5);
        for sharpness in [0.005, 0.3, 1.0] {
            let (_, slopes) = expected_risk(&logs, &risks, sharpness);
            assert!(slopes.iter().sum::<f64>().abs() < 1e-12);
            for (j, slope) in slopes.iter().enumerate() {
                let moved = |by: f64| {
                    let mut logs = logs;
                    logs[j] += by;
                    expected_risk(&logs, &risks, sharpness).0
                };
                let numeric = (moved(h) - moved(-h)) / (2.0 * h);
                assert!((numeric - slope).abs() < 1e-8, "{sharpness} {j}: {numeric} {slope}");
            }
        }
    }

    /// The gradient of a whole model's expected risk over fixed candidates, along a direction in its weights.
    #[test]
    fn the_gradient_is_that_of_the_expected_risk() {
        let mut recipe = crate::Recipe::find("seq2seq-lstm").unwrap();
        (recipe.encoder.embedding, recipe.encoder.hidden, recipe.decoder.hidden) = (6, 5, 7);
        (recipe.encoder.dropout, recipe.decoder.dropout, recipe.objective.label_smoothing) = (0.0, 0.0, 0.0);
        let mut model = Autoencoder::new(&recipe, 11, 3);
        let (sources, references) = ([&[5, 6, 7][..], &[8, 9]], [&[6, 7][..], &[9]]);
        let risk = |_: usize, _: &[u32]| 0.5;
        let task = RiskTask { sources: &sources, references: &references, tokenizer: TokenizerKind::Word, risk: &risk };
        let candidates = Candidates {
            of: vec![0, 0, 0, 1, 1],
            ids: vec![vec![6, 7], vec![5], vec![6, 6, 8], vec![9], vec![10, 4]],
            risks: vec![0.0, 0.9, 0.4, 0.2, 0.7],
        };
        let config = RiskConfig { sharpness: 0.7, ..RiskConfig::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (_, weights) = model.weigh(&task, &candidates, &config);
        let mut tape = Tape::new();
        model.risk_loss(&mut tape, (&task, &candidates), (&weights, 1.0), &mut rng);
        tape.backward(&mut model.params).unwrap();
        let ids: Vec<_> = model.params.iter().map(|(id, _)| id).collect();
        let values: Vec<Vec<f32>> = ids.iter().map(|&id| model.params.value(id).to_vec()).collect();
        let direction: Vec<Vec<f32>> =
            values.iter().map(|v| strait_engine::init::normal(v.len(), 1.0, &mut rng)).collect();
        let dot = |g: &[f32], d: &[f32]| g.iter().zip(d).map(|(&g, &d)| f64::from(g) * f64::from(d)).sum::<f64>();
        let analytic: f64 = ids.iter().zip(&direction).map(|(&id, d)| dot(model.params.get(id).grad(), d)).sum();
        let mut moved = |by: f32| {
            for ((&id, v), d) in ids.iter().zip(&values).zip(&direction) {
                model.params.assign(id, &v.iter().zip(d).map(|(v, d)| v + by * d).collect::<Vec<_>>());
            }
            model.weigh(&task, &candidates, &config).0
        };
        let h = 1e-3;
        let numeric = (moved(h) - moved(-h)) / f64::from(2.0 * h);
        assert!((numeric - analytic).abs() < 2e-3 * (1.0 + analytic.abs()), "{numeric} {analytic}");
    }
}

//! The bag decoder: a latent to one distribution over the vocabulary, from which all tokens of the text are drawn.
//!
//! Features x of the latent, weights W (V, F) and bias b give the scores `s = W x + b`; x is the output of a deep
//! feed-forward network, or with `topics` the text's shares of topics: `x = softmax(a z)`, so that column k of W is
//! topic k, as in ProdLDA (Srivastava & Sutton 2017). The sharpness `a = sqrt((1 - 1/Z) / c)` makes a latent drawn from N(0,
//! I) the Laplace approximation of shares drawn from a symmetric Dirichlet of concentration c (Hennig et al. 2012): below 1, few
//! topics a text. Tied output weights are the embedding table E (V, E) behind a projection, `W = E P` (with topics: topics
//! are points among the words, Dieng et al. 2020).
//!
//! **Multinomial**: `p = softmax(s)`, a text costs `-sum_v n_v log p_v` nats over its tokens, its end symbol being one of
//! them: so p(end) says how long the text is, and losses are those of a distribution over texts, comparable with other
//! networks'. The bias is the logarithm of each token's frequency in the texts seen in training: a fixed background for what
//! all texts have in common (Eisenstein et al. 2011), so that latents explain only what differs from it.
//!
//! In training, tokens more frequent than a share f may count less, as if only `sqrt(f / frequency)` of them were there:
//! else what distinguishes texts is mostly their function words.
//!
//! **Squared error**: s is to meet `ln(1 + n_v)`, and in the end symbol's place the logarithm of 1 + the number of distinct
//! tokens. Its nats are those of a Gaussian of variance 1, half the squared error, without the constant; they are no code
//! length and cannot be compared with other networks'.

mod generate;
mod topics;

use rand::Rng;
use strait_engine::{
    ParamId, Params, Tape, Var, init,
    ops::{
        activation::Activation,
        bag::{Bags, Multinomial, SquaredCounts},
        cross_entropy::Scored,
    },
};
use strait_text::tokenizer::EOS;

pub use generate::Generator;
pub use topics::Topic;

use super::Task;
use crate::{
    batch::Batch,
    config::{BagOutput, DecoderConfig},
    encoder::counts,
    feed_forward::{Shape, Trunk},
};

/// Tokens after which the background no longer moves; up to here f32 counts are exact.
const BACKGROUND_TOKENS: f32 = 8_388_608.0;
/// Occurrences that every token is given from the start.
const PRIOR_COUNT: f32 = 0.5;

/// The bag decoder and its weights' handles.
#[derive(Debug)]
pub struct Decoder {
    /// Dimensions of a latent, Z.
    latent: usize,
    form: Form,
    dropout: f32,
    /// P (E, F) and its bias (1, E), before tied output weights; topics have no bias.
    projection: Option<(ParamId, Option<ParamId>)>,
    /// W (V, F), or the embedding table (V, E).
    output: ParamId,
    /// b (1, V).
    bias: ParamId,
    loss: Loss,
}

#[derive(Debug)]
enum Form {
    Deep(Trunk),
    Topics { sharpness: f32 },
}

#[derive(Debug)]
enum Loss {
    /// Occurrences of each token in training (1, V), of which the bias is the logarithm; not trained.
    Multinomial {
        seen: ParamId,
        frequent: f32,
    },
    Squared,
}

impl Decoder {
    /// Adds the weights `decoder.*`. `embedding` (V, E) is the shared table; `latent` is Z.
    pub fn new(
        params: &mut Params,
        config: &DecoderConfig,
        embedding: ParamId,
        latent: usize,
        rng: &mut impl Rng,
    ) -> Self {
        let (v, e) = params.shape(embedding);
        let form = if config.topics {
            Form::Topics { sharpness: ((1.0 - 1.0 / latent as f32) / config.concentration).sqrt() }
        } else {
            let shape = Shape {
                input: latent,
                hidden: config.hidden,
                layers: config.layers,
                activation: config.activation,
                dropout: config.dropout,
            };
            Form::Deep(Trunk::new(params, "decoder.bag", shape, rng))
        };
        let features = match &form {
            Form::Deep(trunk) => trunk.width(),
            Form::Topics { .. } => latent,
        };
        let (projection, output) = if config.tied {
            let weight = init::xavier((e, features), rng);
            let weight = params.add("decoder.projection.weight", (e, features), weight);
            let bias = (!config.topics).then(|| params.add("decoder.projection.bias", (1, e), vec![0.0; e]));
            (Some((weight, bias)), embedding)
        } else {
            let weight = init::uniform(v * features, (1.0 / features as f32).sqrt(), rng);
            (None, params.add("decoder.output.weight", (v, features), weight))
        };
        let (bias, loss) = match config.output {
            BagOutput::Multinomial => {
                let bias = params.add("decoder.background.bias", (1, v), vec![-(v as f32).ln(); v]);
                let seen = params.add("decoder.background.seen", (1, v), vec![0.0; v]);
                params.set_trainable("decoder.background.", false);
                (bias, Loss::Multinomial { seen, frequent: config.frequent })
            }
            BagOutput::Mse => (params.add("decoder.output.bias", (1, v), vec![0.0; v]), Loss::Squared),
        };
        Decoder { latent, form, dropout: config.dropout, projection, output, bias, loss }
    }

    /// z (B, Z) -> the rows that the output weights read, (B, F) or (B, E).
    fn features(&self, tape: &mut Tape, params: &Params, z: Var, rng: &mut impl Rng) -> Var {
        let x = match &self.form {
            Form::Deep(trunk) => trunk.forward(tape, params, z, rng),
            Form::Topics { sharpness } => {
                let x = tape.scale(z, *sharpness);
                let x = tape.activation(x, Activation::Softmax);
                tape.dropout(x, self.dropout, rng)
            }
        };
        match self.projection {
            Some((weight, bias)) => tape.linear(params, x, weight, bias),
            None => x,
        }
    }

    /// See [`super::Decoder::loss`].
    pub fn loss(&self, tape: &mut Tape, params: &mut Params, task: &Task<'_>, rng: &mut impl Rng) -> Scored {
        // Without a latent there is nothing to decode: a recipe's check refuses that.
        let (Some(z), batch) = (task.z, task.batch) else { return Scored { nats: 0.0, correct: 0 } };
        let (weight, bias) = (self.output, Some(self.bias));
        let x = self.features(tape, params, z, rng);
        match self.loss {
            Loss::Multinomial { seen, frequent } => {
                if tape.recording() {
                    self.move_background(params, seen, &batch.targets);
                }
                let thinning = (frequent < 1.0).then(|| self.thinning(params, frequent));
                let counts = counts(&batch.packing, &batch.targets, |_| true, |n| n);
                let loss = Multinomial {
                    weight,
                    bias,
                    counts: &counts,
                    thinning: thinning.as_deref(),
                    smoothing: task.label_smoothing,
                    scale: task.scale,
                };
                tape.multinomial(params, x, &loss)
            }
            Loss::Squared => {
                let targets = &log_counts(batch);
                let error = tape.squared_counts(params, x, &SquaredCounts { weight, bias, targets, scale: task.scale });
                Scored { nats: 0.5 * error, correct: 0 }
            }
        }
    }

    /// Counts the tokens of a batch and makes the bias the logarithm of all frequencies so far.
    fn move_background(&self, params: &mut Params, seen: ParamId, tokens: &[u32]) {
        let mut counts = params.value(seen).to_vec();
        if counts.iter().sum::<f32>() >= BACKGROUND_TOKENS {
            return;
        }
        tokens.iter().for_each(|&t| counts[t as usize] += 1.0);
        let total = counts.iter().sum::<f32>() + PRIOR_COUNT * counts.len() as f32;
        let bias: Vec<f32> = counts.iter().map(|n| ((n + PRIOR_COUNT) / total).ln()).collect();
        params.assign(seen, &counts);
        params.assign(self.bias, &bias);
    }

    /// The logarithm of the share of each token's occurrences that count, (V).
    fn thinning(&self, params: &Params, frequent: f32) -> Vec<f32> {
        params.value(self.bias).iter().map(|frequency| (0.5 * (frequent.ln() - frequency)).min(0.0)).collect()
    }

    /// See [`super::Decoder::sequence_nats`].
    pub fn sequence_nats(&self, tape: &Tape) -> Vec<f64> {
        let factor = if matches!(self.loss, Loss::Squared) { 0.5 } else { 1.0 };
        tape.row_nats().map(|nats| factor * nats as f64).collect()
    }
}

/// `ln(1 + n)` of each token of each target, and in the end symbol's place `ln(1 + distinct tokens)`.
fn log_counts(batch: &Batch) -> Bags {
    let counts = counts(&batch.packing, &batch.targets, |&id| id != EOS, f32::ln_1p);
    let mut targets = Bags::new();
    for b in 0..counts.rows() {
        let distinct = counts.row(b).count() as f32;
        let end = (EOS, distinct.ln_1p());
        targets.push(counts.row(b).map(|(v, x)| (v as u32, x)).chain([end]));
    }
    targets
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::batch::Corruption;

    const VOCABULARY: usize = 11;
    const LATENT: usize = 3;

    fn texts() -> Vec<Vec<u32>> {
        vec![vec![7, 5, 7, 10, 4, 7], vec![], vec![9], vec![5, 5, 6]]
    }

    /// Nats of each text from [`Decoder::sequence_nats`], and of its tokens and end one by one.
    fn nats(config: &DecoderConfig) -> (f64, Vec<(f64, f64)>) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut params = Params::new();
        let embedding = params.add("embedding.weight", (VOCABULARY, 4), init::normal(VOCABULARY * 4, 1.0, &mut rng));
        let decoder = Decoder::new(&mut params, config, embedding, LATENT, &mut rng);
        let batch = Batch::new(&texts(), Corruption::default(), &mut rng);
        let z = init::normal(4 * LATENT, 1.0, &mut rng);
        let mut tape = Tape::new(); // recording: the background moves
        let var = tape.input(&z, (4, LATENT));
        let task = Task {
            z: Some(var),
            features: None,
            states: None,
            row_weights: None,
            unlikelihood: 0.0,
            batch: &batch,
            label_smoothing: 0.0,
            scale: 1.0,
        };
        let total = decoder.loss(&mut tape, &mut params, &task, &mut rng).nats;
        let scores = decoder.scores(&params, &z, 4);
        let order = Batch::order(&texts());
        let each = decoder.sequence_nats(&tape).into_iter().zip(order).zip(scores.chunks_exact(VOCABULARY));
        let plain = |text: &[u32], scores: &[f32]| -> f64 {
            let log_total = scores.iter().map(|&s| (s as f64).exp()).sum::<f64>().ln();
            text.iter().chain([&EOS]).map(|&t| log_total - scores[t as usize] as f64).sum()
        };
        (total, each.map(|((found, i), scores)| (found, plain(&texts()[i as usize], scores))).collect())
    }

    #[test]
    fn nats_are_those_of_the_tokens_one_by_one() {
        for (topics, tied) in [(false, false), (false, true), (true, false), (true, true)] {
            let config = DecoderConfig { topics, tied, hidden: 6, layers: 2, dropout: 0.0, ..DecoderConfig::default() };
            let (total, each) = nats(&config);
            assert!(each.iter().all(|(found, plain)| (found - plain).abs() < 1e-4), "{each:?}");
            assert!((each.iter().map(|e| e.1).sum::<f64>() - total).abs() < 1e-4);
        }
    }

    #[test]
    fn the_background_is_the_logarithm_of_frequencies() {
        let mut params = Params::new();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let embedding = params.add("embedding.weight", (5, 1), vec![0.0; 5]);
        let decoder = Decoder::new(&mut params, &DecoderConfig::default(), embedding, LATENT, &mut rng);
        let Loss::Multinomial { seen, .. } = decoder.loss else { panic!() };
        decoder.move_background(&mut params, seen, &[3, 1, 3]);
        decoder.move_background(&mut params, seen, &[4, 1]);
        let expected = [0.5, 2.5, 0.5, 2.5, 1.5].map(|n| (n / 7.5f32).ln());
        assert!(params.value(decoder.bias).iter().zip(expected).all(|(b, e)| (b - e).abs() < 1e-6));
        // Frequencies 1/15, 1/3, 1/15, 1/3, 1/5.
        let thinning = decoder.thinning(&params, 0.05);
        let shares = [0.75f32, 0.15, 0.75, 0.15, 0.25].map(f32::sqrt);
        assert!(thinning.iter().zip(shares).all(|(r, share)| (r.exp() - share).abs() < 1e-6));
        assert_eq!(decoder.thinning(&params, 0.9), [0.0; 5]);
        assert!(!params.get(decoder.bias).trainable() && !params.get(seen).trainable());
    }

    #[test]
    fn targets_of_squared_error() {
        let batch = Batch::new(&texts(), Corruption::default(), &mut ChaCha8Rng::seed_from_u64(1));
        let targets = log_counts(&batch);
        let ln = |n: f32| n.ln_1p();
        let first: Vec<(usize, f32)> = targets.row(0).collect();
        assert_eq!(first, [(4, ln(1.0)), (5, ln(1.0)), (7, ln(3.0)), (10, ln(1.0)), (EOS as usize, ln(4.0))]);
        assert_eq!(targets.row(3).collect::<Vec<_>>(), [(EOS as usize, 0.0)]);
    }
}

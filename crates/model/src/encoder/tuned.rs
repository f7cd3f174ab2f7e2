//! The published encoder that is trained on: its vector of the whole text through a feed-forward network, as a frozen
//! one's ([`super::frozen`]), but the gradient goes on into it: into all of it, its last blocks, or adapters beside it.
//!
//! It reads a text by its own tokenizer; the model's token ids are turned into text first, noise included.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_engine::{Params, Tape, Var};
use strait_pretrained::{Network, SentenceEncoder};
use strait_text::Tokenizer;

use super::frozen::{EPS, texts, trunk};
use crate::{
    batch::Sequences,
    config::EncoderConfig,
    feed_forward::Trunk,
    tuning::{Plan, tune},
};

/// How the names of the published weights begin.
pub const PUBLISHED: &str = "encoder.published.";
/// How the names of adapters begin.
const ADAPTERS: &str = "encoder.adapters.";

/// A published encoder, and what turns a model's token ids into the text that it reads.
pub struct Published {
    pub encoder: SentenceEncoder,
    pub tokenizer: Tokenizer,
}

impl std::fmt::Debug for Published {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} weights", self.encoder.family().name(), self.encoder.weights())
    }
}

/// The encoder with the weights' handles.
#[derive(Debug)]
pub struct Encoder {
    config: EncoderConfig,
    trunk: Trunk,
    published: Option<(Network, Arc<Published>)>,
}

impl Encoder {
    /// Adds the weights `encoder.frozen.*` of the network behind the published one.
    pub fn new(params: &mut Params, config: &EncoderConfig, rng: &mut impl Rng) -> Self {
        Encoder { config: config.clone(), trunk: trunk(params, config, rng), published: None }
    }

    /// Columns of the features.
    pub fn width(&self) -> usize {
        self.trunk.width()
    }

    /// The published encoder, once it was set.
    pub(crate) fn published(&self) -> Option<&Arc<Published>> {
        self.published.as_ref().map(|(_, published)| published)
    }

    /// Adds the weights `encoder.published.*` and, if they are asked for, `encoder.adapters.*`.
    ///
    /// # Panics
    /// If its vectors have another number of columns.
    pub fn set(&mut self, params: &mut Params, published: Arc<Published>, seed: u64) {
        let EncoderConfig { columns, tuning, tuned_layers, rank, .. } = self.config;
        assert_eq!(published.encoder.width(), columns, "the network was made for another encoder");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let at = params.append(PUBLISHED, published.encoder.params());
        let mut network = published.encoder.network().moved(at);
        let plan = Plan { tuning, layers: tuned_layers, rank };
        tune(params, &mut network, (&[PUBLISHED], ADAPTERS), plan, &mut rng);
        self.published = Some((network, published));
    }

    /// See [`super::Encoder::forward`].
    ///
    /// # Panics
    /// If the published encoder was not set.
    pub fn forward(&self, tape: &mut Tape, params: &Params, source: &Sequences, rng: &mut impl Rng) -> Var {
        let (network, Published { encoder, tokenizer }) =
            self.published.as_ref().map(|(network, p)| (network, &**p)).expect("a published encoder");
        let said: Vec<String> = texts(source).iter().map(|ids| tokenizer.decode(ids)).collect();
        let ids = encoder.ids(&said);
        let read = Sequences::new(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let x = network.vectors(tape, params, &read.ids, &read.packing);
        let x = tape.gather_rows(x, &read.places());
        let x = tape.layer_norm(params, x, None, EPS);
        self.trunk.forward(tape, params, x, rng)
    }
}

#[cfg(test)]
mod tests {
    use strait_engine::{ParamId, ops::losses::Weighting};
    use strait_text::TokenizerKind;

    use super::*;
    use crate::{
        config::Tuning,
        encoder::Vectors,
        objective::testing::{check_gradients, numbers, rng},
    };

    const TEXTS: [&str; 3] = ["the red fox sat by the river", "two rivers", "a fox"];

    fn published() -> Arc<Published> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../pretrained/tests/fixtures/bert");
        let encoder = SentenceEncoder::open(folder.as_ref()).unwrap();
        Arc::new(Published {
            encoder,
            tokenizer: Tokenizer::train(TokenizerKind::Word, None, TEXTS.into_iter()).unwrap(),
        })
    }

    fn config(tuning: Tuning) -> EncoderConfig {
        EncoderConfig {
            columns: 8,
            hidden: 4,
            dropout: 0.0,
            tuning,
            tuned_layers: 1,
            rank: 2,
            ..EncoderConfig::default()
        }
    }

    fn encoder(tuning: Tuning, published: &Arc<Published>) -> (Params, Encoder) {
        let mut params = Params::new();
        let mut encoder = Encoder::new(&mut params, &config(tuning), &mut rng(1));
        encoder.set(&mut params, published.clone(), 2);
        (params, encoder)
    }

    fn sources(published: &Published) -> Sequences {
        Sequences::sources(&published.tokenizer.encode_batch(&TEXTS))
    }

    fn features(params: &Params, encoder: &Encoder, sources: &Sequences) -> Vec<f32> {
        let mut tape = Tape::inference();
        let y = encoder.forward(&mut tape, params, sources, &mut rng(1));
        tape.value(y).to_vec()
    }

    #[test]
    fn before_training_it_reads_as_a_frozen_one_does() {
        let published = published();
        let source = sources(&published);
        let (params, tuned) = encoder(Tuning::All, &published);
        let mut frozen = super::super::frozen::Encoder::new(&mut Params::new(), &config(Tuning::All), &mut rng(1));
        let mut vectors = Vectors::given(8);
        vectors.know(&published.tokenizer.encode_batch(&TEXTS), &published.encoder.encode(&TEXTS));
        frozen.set(Arc::new(vectors));
        let mut tape = Tape::inference();
        let y = frozen.forward(&mut tape, &params, &source, &mut rng(1));
        let found = features(&params, &tuned, &source);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
        assert!(found.iter().zip(tape.value(y)).all(near), "{found:?} {:?}", tape.value(y));
        // Adapters and the last block begin there, too; what was learned elsewhere is gone where it begins afresh.
        for tuning in [Tuning::Adapters, Tuning::Last] {
            let (params, other) = encoder(tuning, &published);
            assert_eq!(features(&params, &other, &source), found);
        }
        let (params, fresh) = encoder(Tuning::Fresh, &published);
        assert!(!features(&params, &fresh, &source).iter().zip(&found).all(near));
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let published = published();
        let source = sources(&published);
        for (tuning, weights) in [(Tuning::Adapters, 10), (Tuning::Last, 14), (Tuning::All, 31)] {
            let (mut params, encoder) = encoder(tuning, &published);
            // The adapters' outer factors are 0 at first, which would hide the inner ones.
            let ups: Vec<ParamId> =
                params.iter().filter(|(_, p)| p.name().ends_with(".up")).map(|(id, _)| id).collect();
            for id in ups {
                let n = params.value(id).len();
                params.assign(id, &numbers(n, 7));
            }
            assert_eq!(params.iter().filter(|(_, p)| p.trainable()).count(), weights, "{tuning:?}");
            let targets = numbers(3 * 4, 5);
            check_gradients(&mut params, &[], &mut |tape, params, _| {
                let y = encoder.forward(tape, params, &source, &mut rng(1));
                tape.squared_error(y, &targets, Weighting { row_weights: None, scale: 0.5 });
            });
        }
    }
}

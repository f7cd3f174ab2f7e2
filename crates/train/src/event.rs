//! What happens in a training, for whoever listens.

use std::collections::BTreeMap;

use serde::Serialize;

/// One thing that happened; a line of `metrics.jsonl`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A published model is being fetched: so many bytes of a file are there, of how many where that is known.
    Fetching { file: String, done: u64, of: Option<u64> },
    /// A frozen encoder is making the vectors of the texts.
    Encoding { done: usize, of: usize },
    /// The plan is made; `reasons` are sentences for the user.
    Planned { steps: u64, epochs: f64, weights: usize, vocabulary: usize, size: String, reasons: Vec<String> },
    /// Going on from a checkpoint.
    Resumed { step: u64 },
    /// A step was made (told a few times a second at most).
    Step {
        step: u64,
        steps: u64,
        epoch: f64,
        /// Training loss, smoothed over the last reports, bits per UTF-8 byte (with noise and dropout).
        bits_per_byte: f64,
        /// Learning rate.
        rate: f32,
        /// Global norm of the gradient before clipping.
        gradient_norm: f64,
        tokens_per_second: f64,
        /// What the objective measures of its batch, by name: `kl`, `discriminator_accuracy` and the like.
        figures: BTreeMap<String, f64>,
        seconds: f64,
        seconds_left: f64,
    },
    /// The validation set was looked at.
    Look {
        step: u64,
        steps: u64,
        epoch: f64,
        /// Reconstruction loss on validation texts, bits per UTF-8 byte, no noise.
        bits_per_byte: f64,
        /// Nats per token.
        nats_per_token: f64,
        /// Share of tokens predicted, given the true ones before.
        token_accuracy: f64,
        /// Greedy reconstruction of up to `n` validation texts: corpus BLEU-4 and share that is exact.
        bleu4: f64,
        exact: f64,
        n: usize,
        /// Whether this is the best so far.
        best: bool,
        /// A few texts and what came back.
        reconstructions: Vec<(String, String)>,
        /// A few texts drawn from a Gaussian fitted to training latents.
        samples: Vec<String>,
        /// Seq2seq: the sources of the texts shown; then `reconstructions` are the references and what was written.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        sources: Vec<String>,
        /// What the latents show, by name: `kl`, `active_units` and the like.
        figures: BTreeMap<String, f64>,
        seconds: f64,
    },
    /// The state was written.
    Checkpoint { step: u64 },
    /// Something to know, with what to do.
    Warning { message: String },
    /// The loop ended.
    Ended { step: u64, best_step: u64, why: String, seconds: f64 },
    /// A prior was tried or chosen: the log density of held-out latents, and the AUC of telling its draws from them (null
    /// where there is none).
    Prior { name: String, held_out_nats: f64, auc: f64, chosen: bool },
    /// The model folder is complete.
    Finished { bits_per_byte: f64, seconds: f64 },
}

/// Hears of events.
pub trait Listener {
    /// Something happened.
    fn hear(&mut self, event: &Event);
}

/// Hears nothing.
impl Listener for () {
    fn hear(&mut self, _: &Event) {}
}

impl<F: FnMut(&Event)> Listener for F {
    fn hear(&mut self, event: &Event) {
        self(event);
    }
}

//! A trained network on texts as they are, without noise or dropout: what they cost, and where they lie.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use strait_engine::{Tape, init, ops::gaussian::Divergence};

use super::{Autoencoder, BATCH_TOKENS, Conditions, StepLoss};
use crate::{
    batch::{Batch, Corruption, Sequences},
    decoder::Decoder,
    latent::Posterior,
};

impl Autoencoder {
    /// The loss of clean texts, without noise on tokens and without dropout, from clean latents; of a Gaussian posterior
    /// from one draw each, whose noise depends on the text alone, and with its divergence, so that the sum is minus the
    /// evidence lower bound. Each text's nats (with its divergence) go to `each`, in the caller's order.
    pub fn score<T: AsRef<[u32]>>(&mut self, texts: &[T], each: &mut Vec<f64>) -> StepLoss {
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let mut total = StepLoss::default();
        let size = self.latent_size();
        each.clear();
        for range in ranges(texts, BATCH_TOKENS) {
            let texts = &texts[range];
            tape.reset();
            let batch = Batch::new(texts, Corruption::default(), &mut rng);
            let features = self.encoder.forward(&mut tape, &self.params, self.embedding, &batch.source, &mut rng);
            let latent = self.latent.as_ref().zip(features);
            let code = latent.map(|(latent, features)| latent.infer(&mut tape, &self.params, features));
            let at = each.len();
            each.resize(at + texts.len(), 0.0);
            let each = &mut each[at..];
            let z = code.map(|code| {
                let Some(log_variance) = code.log_variance else { return code.z };
                let places = || batch.source.order.iter().map(|&i| i as usize);
                let nats = Divergence { scale: 0.0, free: 0.0 };
                total.divergence += tape.kl_standard_normal(code.mean, log_variance, nats);
                places().zip(tape.row_divergence()).for_each(|(i, kl)| each[i] += kl);
                let noise: Vec<f32> = places().flat_map(|i| own_noise(texts[i].as_ref(), size)).collect();
                code.draw(&mut tape, &noise)
            });
            let given = Conditions::latents(z);
            total = total.and(self.decode_loss(&mut tape, given, (&batch, 0.0, 1.0), &mut rng));
            let sums = self.decoder.sequence_nats(&tape, &batch);
            Batch::order(texts).iter().zip(sums).for_each(|(&i, s)| each[i as usize] += s);
        }
        total
    }

    /// Nats of each text given the latent of the same place in `latents` (n, Z), whoever chose them, without noise or
    /// dropout: `-log p(x|z)`, to `each` in the caller's order.
    ///
    /// # Panics
    /// If there is not one latent for each text.
    pub fn score_from<T: AsRef<[u32]>>(&mut self, texts: &[T], latents: &[f32], each: &mut Vec<f64>) -> StepLoss {
        each.clear();
        each.resize(texts.len(), 0.0);
        self.losses_from(texts, latents, |decoder, tape, batch, order| {
            let sums = decoder.sequence_nats(tape, batch);
            order.iter().zip(sums).for_each(|(&i, s)| each[i] = s);
        })
    }

    /// The same for each token of each text, the end symbol's last; none if the decoder does not tell tokens apart.
    ///
    /// # Panics
    /// If there is not one latent for each text.
    pub fn token_nats_from<T: AsRef<[u32]>>(&mut self, texts: &[T], latents: &[f32]) -> Option<Vec<Vec<f32>>> {
        if self.decoder.bag().is_some() {
            return None;
        }
        let mut each = vec![Vec::new(); texts.len()];
        self.losses_from(texts, latents, |decoder, tape, batch, order| {
            let tokens = decoder.token_nats(tape, batch).unwrap_or_default(); // only bags have none
            order.iter().zip(tokens).for_each(|(&i, nats)| each[i] = nats);
        });
        Some(each)
    }

    /// The loss of texts given latents (n, Z), batch by batch; `read` sees each with the places of its texts in packed
    /// order.
    fn losses_from<T: AsRef<[u32]>>(
        &mut self,
        texts: &[T],
        latents: &[f32],
        mut read: impl FnMut(&Decoder, &Tape, &Batch, &[usize]),
    ) -> StepLoss {
        let size = self.latent_size();
        assert_eq!(latents.len(), texts.len() * size, "one latent for each text");
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let mut total = StepLoss::default();
        let (order, sorted) = by_length(texts);
        for range in ranges(&sorted, BATCH_TOKENS) {
            tape.reset();
            let order = &order[range.clone()];
            let texts = &sorted[range];
            let batch = Batch::new(texts, Corruption::default(), &mut rng);
            // The texts are sorted, so that the batch keeps their order.
            let rows: Vec<f32> = order.iter().flat_map(|&i| &latents[i * size..][..size]).copied().collect();
            let z = (size > 0).then(|| tape.input(&rows, (texts.len(), size)));
            let given = Conditions::latents(z);
            total = total.and(self.decode_loss(&mut tape, given, (&batch, 0.0, 1.0), &mut rng));
            read(&self.decoder, &tape, &batch, order);
        }
        total
    }

    /// Texts as ids -> latents (n, Z), row-major, in order: of a posterior the means. A text's latent does not depend on
    /// the others.
    pub fn encode<T: AsRef<[u32]>>(&self, texts: &[T]) -> Vec<f32> {
        self.posterior(texts).mean
    }

    /// Texts as ids -> what the encoder makes of each, in order; one does not depend on the others.
    pub fn posterior<T: AsRef<[u32]>>(&self, texts: &[T]) -> Posterior {
        let z = self.latent_size();
        let mut out = Posterior { mean: vec![0.0; texts.len() * z], log_variance: None };
        let Some(latent) = &self.latent else { return out };
        out.log_variance = latent.is_gaussian().then(|| out.mean.clone());
        let mut tape = Tape::inference();
        let mut rng = ChaCha8Rng::seed_from_u64(0); // nothing is drawn
        let (order, sorted) = by_length(texts);
        let tokens: usize = sorted.iter().map(|t| t.len() + 1).sum();
        let pays = tokens > self.vocabulary();
        let prepared = pays.then(|| self.encoder.prepare(&self.params, self.embedding)).flatten();
        for range in ranges(&sorted, BATCH_TOKENS) {
            tape.reset();
            let source = Sequences::sources(&sorted[range.clone()]);
            let table = (self.embedding, prepared.as_ref());
            let features = self.encoder.forward_prepared(&mut tape, &self.params, table, &source, &mut rng);
            let Some(features) = features else { continue };
            let code = latent.infer(&mut tape, &self.params, features);
            let to = [Some(&mut out.mean), out.log_variance.as_mut()];
            for (from, to) in [Some(code.mean), code.log_variance].into_iter().zip(to) {
                let (Some(from), Some(to)) = (from, to) else { continue };
                for (row, &b) in tape.value(from).chunks_exact(z).zip(&source.order) {
                    to[order[range.start + b as usize] * z..][..z].copy_from_slice(row);
                }
            }
        }
        out
    }
}

/// The places of texts by falling length, and the texts in that order: similar lengths together make fewer and fuller
/// time steps.
fn by_length<T: AsRef<[u32]>>(texts: &[T]) -> (Vec<usize>, Vec<&[u32]>) {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(texts[i].as_ref().len()));
    let sorted = order.iter().map(|&i| texts[i].as_ref()).collect();
    (order, sorted)
}

/// Standard normal numbers (Z) that depend on a text alone: the noise of its posterior when it is scored.
pub(crate) fn own_noise(text: &[u32], size: usize) -> Vec<f32> {
    // FNV-1a (Fowler, Noll & Vo) over the ids.
    let hash = text.iter().fold(0xcbf2_9ce4_8422_2325, |h: u64, &id| (h ^ id as u64).wrapping_mul(0x100_0000_01b3));
    init::normal(size, 1.0, &mut ChaCha8Rng::seed_from_u64(hash))
}

/// Cuts texts into ranges of at most `tokens` tokens (at least one text each).
pub(crate) fn ranges<T: AsRef<[u32]>>(texts: &[T], tokens: usize) -> Vec<std::ops::Range<usize>> {
    let (mut out, mut start, mut sum) = (Vec::new(), 0, 0);
    for (i, t) in texts.iter().enumerate() {
        let len = t.as_ref().len() + 1;
        if i > start && sum + len > tokens {
            out.push(start..i);
            (start, sum) = (i, 0);
        }
        sum += len;
    }
    if start < texts.len() {
        out.push(start..texts.len());
    }
    out
}

//! LeakGAN (Guo et al. 2018, <https://arxiv.org/abs/1709.08624>): what its manager and its worker learn from.
//!
//! f_t are the discriminator's features of the first t of T tokens, g_t the goals ([`crate::decoder::manager`]), c tokens in
//! force. A goal's outcome is the change `d_t = f_e - f_t`, `e = min(t + c, T)`, and the manager's loss
//! `-sum_t q_t cos(d_t, g_t)`, where q_t is the value of the sample at e; of texts, in steps of likelihood, q is 1. The worker
//! learns by policy gradient from `Q_t + a r_t`, where r_t, its intrinsic reward, is the mean of
//! `cos(f_(t+1) - f_(t+1-i), g_(t+1-i))` over the goals in force, `i <= c`. (The paper writes this for r alone.)
//!
//! Values are those of SeqGAN's completions, or of ScratchGAN. At each place they are replaced by what their rank says,
//! `s(d (1/2 - rank / B))`, B samples, the best of which has rank 0 (the paper's bootstrapped rescaled activation): so they
//! stay apart however sure the discriminator is.

use rand::Rng;
use strait_engine::{Tape, Var};
use strait_text::tokenizer::{BOS, EOS};

use super::{advantage, samples::Samples};
use crate::{
    Autoencoder,
    batch::{Batch, Sequences},
    config::TextGanConfig,
    decoder::{Manager, manager::goals},
};

/// Values of each token of each sample -> those that their ranks at the same place say; equal ones share theirs.
fn rescaled(values: &[Vec<f64>], sharpness: f64) -> Vec<Vec<f64>> {
    let mut places: Vec<Vec<f64>> = Vec::new();
    for value in values {
        places.resize(places.len().max(value.len()), Vec::new());
        value.iter().zip(&mut places).for_each(|(&q, place)| place.push(q));
    }
    places.iter_mut().for_each(|place| place.sort_by(|a, b| b.total_cmp(a)));
    let of = |(q, place): (&f64, &Vec<f64>)| {
        let better = place.partition_point(|other| other > q);
        let equal = place[better..].partition_point(|other| other == q);
        let share = (better as f64 + 0.5 * equal as f64) / place.len() as f64;
        0.5 + 0.5 * (0.5 * sharpness * (0.5 - share)).tanh()
    };
    values.iter().map(|value| value.iter().zip(&places).map(of).collect()).collect()
}

/// The ways of texts through the discriminator's features, from the begin symbol on.
struct Ways {
    /// Each text begun and, if it was, ended.
    sequences: Sequences,
    /// f_0 to f_T of each text (N, W), packed.
    features: Vec<f32>,
    width: usize,
    horizon: usize,
}

impl Ways {
    /// Of texts, each with the end symbol if it came to one.
    fn new(manager: &Manager, model: &Autoencoder, texts: impl Iterator<Item = Vec<u32>>) -> Self {
        let begun: Vec<Vec<u32>> = texts.map(|text| std::iter::once(BOS).chain(text).collect()).collect();
        let sequences = Sequences::new(&begun.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let features = manager.features(&model.params, &sequences.ids, &sequences.packing);
        Ways { sequences, features, width: manager.width(), horizon: manager.horizon() }
    }

    /// The rows of the tokens of all texts: text, place among its tokens t, and tokens T.
    fn tokens(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let lengths = self.sequences.packing.lengths().iter().enumerate();
        lengths.flat_map(|(b, &length)| (0..length - 1).map(move |t| (b, t, length - 1)))
    }

    fn row<'a>(&self, of: &'a [f32], b: usize, t: usize) -> &'a [f32] {
        &of[self.sequences.packing.row(b, t) * self.width..][..self.width]
    }

    /// `f_to - f_from`.
    fn change(&self, b: usize, (from, to): (usize, usize)) -> Vec<f64> {
        let rows = self.row(&self.features, b, to).iter().zip(self.row(&self.features, b, from));
        rows.map(|(to, from)| f64::from(*to) - f64::from(*from)).collect()
    }

    /// The intrinsic reward of each token, given the goals (N, W); texts in the caller's order.
    fn rewards(&self, goals: &[f32]) -> Vec<Vec<f64>> {
        let mut rewards = vec![Vec::new(); self.sequences.order.len()];
        for (b, t, _) in self.tokens() {
            let from = (t + 1).saturating_sub(self.horizon);
            let cosines = (from..=t).map(|s| cosine(&self.change(b, (s, t + 1)), self.row(goals, b, s)).0);
            rewards[self.sequences.order[b] as usize].push(cosines.sum::<f64>() / (t + 1 - from) as f64);
        }
        rewards
    }

    /// Adds the manager's loss times `scale`, given v (N, W), whose directions are the goals, and the values of each token of each
    /// text, in the caller's order; all 1 if absent. Returns the mean cosine.
    fn lead(&self, tape: &mut Tape, aims: Var, values: Option<&[Vec<f64>]>, scale: f32) -> f64 {
        let v = tape.value(aims);
        let mut gradient = vec![0.0; v.len()];
        let (mut loss, mut sum, mut count) = (0.0, 0.0, 0usize);
        for (b, t, tokens) in self.tokens() {
            let end = (t + self.horizon).min(tokens);
            let value = values.map_or(1.0, |values| values[self.sequences.order[b] as usize][end - 1]);
            let (cosine, slope) = cosine(&self.change(b, (t, end)), self.row(v, b, t));
            let factor = f64::from(scale) * value;
            let row = &mut gradient[self.sequences.packing.row(b, t) * self.width..][..self.width];
            row.iter_mut().zip(slope).for_each(|(g, s)| *g = (-factor * s) as f32);
            loss -= factor * cosine;
            (sum, count) = (sum + cosine, count + 1);
        }
        tape.custom_loss(aims, loss, &gradient);
        sum / count.max(1) as f64
    }
}

/// The cosine of d and v, and its slope in v; 0 where one of them has no direction.
fn cosine(d: &[f64], v: &[f32]) -> (f64, Vec<f64>) {
    let v: Vec<f64> = v.iter().map(|&v| f64::from(v)).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (d_length, v_length) = (dot(d, d).sqrt(), dot(&v, &v).sqrt());
    if d_length < 1e-6 || v_length < 1e-6 {
        return (0.0, vec![0.0; v.len()]);
    }
    let cosine = dot(d, &v) / (d_length * v_length);
    let slope = d.iter().zip(&v).map(|(d, v)| (d / d_length - cosine * v / v_length) / v_length);
    (cosine, slope.collect())
}

impl Autoencoder {
    /// Adds the losses of manager and worker for samples with the values of their tokens, times `factor`. Returns the mean
    /// cosine of the goals with what came of them.
    pub(super) fn leak_loss(
        &mut self,
        tape: &mut Tape,
        config: &TextGanConfig,
        (samples, values): (&Samples, &[Vec<f64>]),
        factor: f32,
        rng: &mut impl Rng,
    ) -> f64 {
        let Some(manager) = self.decoder().manager() else { return 0.0 };
        let drawn = samples.ids.iter().zip(&samples.finished);
        let drawn = drawn.map(|(ids, &end)| ids.iter().copied().chain(end.then_some(EOS)).collect::<Vec<u32>>());
        let drawn: Vec<Vec<u32>> = drawn.collect();
        let mut values: Vec<Vec<f64>> = values.iter().zip(&drawn).map(|(q, drawn)| q[..drawn.len()].to_vec()).collect();
        values = rescaled(&values, f64::from(config.sharpness));
        let ways = Ways::new(manager, self, drawn.into_iter());
        let aims = manager.aims(tape, &self.params, &ways.features, &ways.sequences.packing);
        let scale = factor / ways.tokens().count().max(1) as f32;
        let reached = ways.lead(tape, aims, Some(&values), scale);
        let rewards = ways.rewards(&goals(tape.value(aims), ways.width));
        for (values, rewards) in values.iter_mut().zip(&rewards) {
            values.iter_mut().zip(rewards).for_each(|(q, r)| *q += f64::from(config.intrinsic) * r);
        }
        self.policy_loss(tape, samples, &advantage::advantages(&values), factor, rng);
        reached
    }

    /// Adds the manager's loss of the targets of a batch, summed over their tokens, times `scale`: it learns to lead as the texts
    /// go. Does nothing without a manager.
    pub(crate) fn mimic(&self, tape: &mut Tape, batch: &Batch, scale: f32) {
        let Some(manager) = self.decoder().manager() else { return };
        let packing = &batch.packing;
        let text = |(b, &length): (usize, &usize)| (0..length).map(|t| batch.targets[packing.row(b, t)]).collect();
        let ways = Ways::new(manager, self, packing.lengths().iter().enumerate().map(text));
        let aims = manager.aims(tape, &self.params, &ways.features, &ways.sequences.packing);
        ways.lead(tape, aims, None, scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Recipe,
        objective::testing::{check_gradients, rng},
    };

    fn model() -> Autoencoder {
        let mut recipe = Recipe::find("leakgan").unwrap();
        (recipe.encoder.embedding, recipe.decoder.hidden) = (5, 4);
        let gan = recipe.objective.text_gan.as_mut().unwrap();
        (gan.embedding, gan.hidden, gan.horizon, gan.goal) = (4, 3, 2, 2);
        Autoencoder::new(&recipe, 9, 3)
    }

    /// A text of three tokens, cut, beside one of one; features of two columns, two goals in force.
    fn ways() -> Ways {
        let sequences = Sequences::new(&[&[2, 7], &[2, 6, 7, 8]]);
        assert_eq!(sequences.order, [1, 0]);
        let features = vec![0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -2.0, 1.0, 1.0, 0.0, 1.0];
        Ways { sequences, features, width: 2, horizon: 2 }
    }

    #[test]
    fn ranks_by_hand() {
        let r = rescaled(&[vec![0.9, 0.3], vec![0.1], vec![0.5, 0.3], vec![0.5]], 4.0);
        let s = |x: f64| 1.0 / (1.0 + (-x).exp());
        // Shares 1/8, 7/8, 1/2, 1/2 at the first place, 1/2 and 1/2 at the second.
        let wanted = [vec![s(1.5), 0.5], vec![s(-1.5)], vec![0.5, 0.5], vec![0.5]];
        assert!(r.concat().iter().zip(wanted.concat()).all(|(a, b)| (a - b).abs() < 1e-12), "{r:?}");
    }

    #[test]
    fn intrinsic_rewards_by_hand() {
        // The long text: f = (0,0) (1,0) (1,1) (0,1), goals to the right, up, to the left; the short one: (0,0) (0,-2), up.
        let goals = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 5.0, 5.0, -1.0, 0.0, 5.0, 5.0];
        let rewards = ways().rewards(&goals);
        // Tokens of the long one: right as told; half right and up as told; left as told, and left-up half of up.
        let half = 0.5f64.sqrt();
        let wanted = [vec![-1.0], vec![1.0, 0.5 * (half + 1.0), 0.5 * (half + 1.0)]];
        assert!(rewards.concat().iter().zip(wanted.concat()).all(|(a, b)| (a - b).abs() < 1e-9), "{rewards:?}");
    }

    #[test]
    fn the_managers_loss_by_hand() {
        let aims = [3.0, 0.0, 0.0, 1.0, 0.0, 2.0, 5.0, 5.0, -1.0, 0.0, 5.0, 5.0];
        let values = [vec![0.5], vec![0.25, 1.0, 2.0]];
        let mut tape = Tape::new();
        let v = tape.variable(&aims, (6, 2));
        let mean = ways().lead(&mut tape, v, Some(&values), 0.5);
        // Changes over two tokens (1,1), (-1,1), then what is left, (-1,0); their values 1, 2 and 2; the short text -1 at 0.5.
        let half = 0.5f64.sqrt();
        assert!((mean - (half + half + 1.0 - 1.0) / 4.0).abs() < 1e-6, "{mean}");
        let loss = -0.5 * (half + 2.0 * half + 2.0 - 0.5);
        assert!((tape.loss() - loss).abs() < 1e-6, "{} {loss}", tape.loss());
    }

    #[test]
    fn gradients_of_the_manager() {
        let mut model = model();
        let values = [vec![0.5, 1.5], vec![0.25, 1.0, 2.0]];
        let texts = [vec![7, EOS], vec![6, 7, 8]];
        let ways = Ways::new(model.decoder().manager().unwrap(), &model, texts.into_iter());
        let mut params = std::mem::take(&mut model.params);
        params.set_trainable("", false);
        params.set_trainable("objective.manager.rnn", true);
        params.set_trainable("objective.manager.goal", true);
        let manager = model.decoder().manager().unwrap();
        check_gradients(&mut params, &[], &mut |tape, params, _| {
            let aims = manager.aims(tape, params, &ways.features, &ways.sequences.packing);
            ways.lead(tape, aims, Some(&values), 0.7);
        });
    }

    #[test]
    fn a_manager_learns_how_texts_go() {
        let mut model = model();
        let mut tape = Tape::new();
        let texts = vec![vec![6, 7, 8, 6], vec![7, 7, 5], vec![8]];
        let batch = Batch::new(&texts, Default::default(), &mut rng(1));
        let ids: Vec<_> = model.params.iter().map(|(id, _)| id).collect();
        let mut optimiser = strait_engine::optim::Optimiser::over(Default::default(), &model.params, ids);
        let mut losses = Vec::new();
        for _ in 0..60 {
            tape.reset();
            model.mimic(&mut tape, &batch, 1.0 / batch.tokens() as f32);
            losses.push(tape.loss());
            tape.backward(&mut model.params).unwrap();
            optimiser.step(&mut model.params, 0.02, 1.0).unwrap();
        }
        // Minus the mean cosine.
        assert!(losses[0] > -0.7 && losses[59] < -0.8, "{} {}", losses[0], losses[59]);
    }
}

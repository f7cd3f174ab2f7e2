//! Linear + softmax + multinomial loss: all tokens of a text share one distribution, so a text costs one row, however
//! long it is.
//!
//! For x (B, H), W (V, H), b (1, V): `p_i = softmax(x_i W^T + b)`, and for counts n (B, V) with `N_i = sum_v n_iv` and
//! smoothing s: `loss_i = -(1 - s) sum_v n_iv log p_iv - s N_i / V sum_v log p_iv` nats, the cost of the tokens one by
//! one in any order (without the multinomial coefficient, which no weight changes); `loss = scale sum_i loss_i`. The
//! gradient of the scores is `scale (N_i p_i - (1 - s) n_i - s N_i / V)`.
//!
//! Thinning, for classes that would drown out all others: of each occurrence of class v only a share r_v counts, as if the
//! others had been struck out at random (Mikolov et al. 2013). Struck texts have the probabilities `softmax(s + ln r)`, so
//! these take the place of p, and `r_v n_iv` that of n, in the loss; the scores that are learned are still those of
//! whole texts.

use super::Bags;
use crate::{
    ParamId, Params, Tape, Var,
    ops::{
        cross_entropy::Scored,
        output::{Layer, RowScore},
        softmax::{exp_and_sum, max, scale_and_shift, sum},
    },
    simd,
};

/// The output layer and the counts it is to explain.
pub struct Multinomial<'a> {
    /// W (V, H): a weight of its own, or the embedding table (tied).
    pub weight: ParamId,
    /// b (1, V).
    pub bias: Option<ParamId>,
    /// How often each class occurs in each row, (B, V).
    pub counts: &'a Bags,
    /// ln r of each class, (V), none above 0; all occurrences count if absent.
    pub thinning: Option<&'a [f32]>,
    /// Label smoothing s in [0, 1).
    pub smoothing: f32,
    /// Factor of the sum in the total loss.
    pub scale: f32,
}

impl Tape {
    /// Adds the multinomial loss of x (B, H) to the loss. If the tape records, gradients of the output layer's parameters
    /// are accumulated at once (hence `&mut params`). The nats are those of whole texts, without smoothing and thinning; what
    /// is `correct` are the occurrences of each row's most likely class. [`Tape::row_nats`] then gives the nats of each
    /// row, (B).
    pub fn multinomial(&mut self, params: &mut Params, x: Var, loss: &Multinomial<'_>) -> Scored {
        assert_eq!(loss.counts.rows(), self.shape(x).0, "one row of counts for each row");
        let layer = Layer { weight: loss.weight, bias: loss.bias, name: "multinomial" };
        self.fused_output(params, x, layer, loss.scale, |i, row, gradients| score(loss, i, row, gradients));
        let (nats, correct) = self.row_sums();
        Scored { nats, correct }
    }
}

/// The score of row `i` and, if `gradients`, its gradient in place.
fn score(loss: &Multinomial<'_>, i: usize, row: &mut [f32], gradients: bool) -> RowScore {
    let top = max(row);
    let (mut nats, mut correct) = (0.0, 0.0);
    for (class, count) in loss.counts.row(i) {
        nats -= count as f64 * row[class] as f64;
        correct += if row[class] >= top { count } else { 0.0 };
    }
    let mut total = None;
    if let Some(thinning) = loss.thinning {
        total = Some(sum_of_exp(row, top));
        row.iter_mut().zip(thinning).for_each(|(s, r)| *s += r);
    }
    let share = |class: usize| loss.thinning.map_or(1.0, |r| r[class].exp());
    let (mut n, mut at_targets) = (0.0, 0.0);
    for (class, count) in loss.counts.row(i) {
        n += share(class) * count;
        at_targets += (share(class) * count) as f64 * row[class] as f64;
    }
    let (v, s) = (row.len() as f32, loss.smoothing);
    let mean = if s > 0.0 { (sum(row) / v) as f64 } else { 0.0 };
    let top_thinned = max(row);
    let thinned = exp_and_sum(row, top_thinned);
    if gradients {
        let g = loss.scale;
        scale_and_shift(row, g * n / thinned, -g * s * n / v);
        loss.counts.row(i).for_each(|(class, count)| row[class] -= g * (1.0 - s) * share(class) * count);
    }
    let log = |total: f32, top: f32| top as f64 + (total as f64).ln();
    nats += loss.counts.total(i) as f64 * log(total.unwrap_or(thinned), top);
    let log_total = n as f64 * log(thinned, top_thinned);
    let (plain, smooth) = (log_total - at_targets, log_total - n as f64 * mean);
    let s = s as f64;
    let loss = if s > 0.0 { (1.0 - s) * plain + s * smooth } else { plain };
    RowScore { nats: nats as f32, loss: loss as f32, correct: correct as u32 }
}

simd::multiversion! {
    /// The sum of `exp(row - top)`.
    fn sum_of_exp(row: &[f32], top: f32) -> f32 {
        let mut lanes = [0.0f32; 16];
        let (head, tail) = row.as_chunks::<16>();
        for c in head {
            for j in 0..16 {
                lanes[j] += simd::exp(c[j] - top);
            }
        }
        lanes.iter().sum::<f32>() + tail.iter().map(|&x| simd::exp(x - top)).sum::<f32>()
    }
}

/// The plain twin: the loss of one row in f64, without smoothing, token by token.
pub fn reference(logits: &[f64], tokens: &[usize]) -> f64 {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_total = top + logits.iter().map(|x| (x - top).exp()).sum::<f64>().ln();
    tokens.iter().map(|&t| log_total - logits[t]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{
        cross_entropy::CrossEntropy,
        testing::{numbers, params},
    };

    /// Texts of classes below 37, and their counts.
    fn texts() -> (Vec<Vec<usize>>, Bags) {
        let texts = vec![vec![3, 36, 3, 0, 3], vec![], vec![7], vec![1, 2, 1, 2, 30, 31, 32, 33]];
        let mut bags = Bags::new();
        texts.iter().for_each(|t| {
            let mut distinct = t.clone();
            distinct.sort_unstable();
            distinct.dedup();
            bags.push(distinct.iter().map(|&d| (d as u32, t.iter().filter(|&&x| x == d).count() as f32)));
        });
        (texts, bags)
    }

    #[test]
    fn equals_a_plain_sum_over_tokens() {
        let (mut p, ids) = params(&[(37, 4), (1, 37)]);
        let ((texts, counts), x) = (texts(), numbers(16, 3));
        let mut t = Tape::inference();
        let v = t.input(&x, (4, 4));
        let loss = Multinomial {
            weight: ids[0],
            bias: Some(ids[1]),
            counts: &counts,
            thinning: None,
            smoothing: 0.0,
            scale: 0.5,
        };
        let scored = t.multinomial(&mut p, v, &loss);
        let mut total = 0.0;
        for ((i, text), nats) in texts.iter().enumerate().zip(t.row_nats()) {
            let logit = |o: usize| {
                let w = &p.value(ids[0])[o * 4..][..4];
                p.value(ids[1])[o] as f64 + w.iter().zip(&x[i * 4..]).map(|(w, x)| (w * x) as f64).sum::<f64>()
            };
            let logits: Vec<f64> = (0..37).map(logit).collect();
            let expected = reference(&logits, text);
            assert!((nats as f64 - expected).abs() < 1e-5, "{nats} {expected}");
            total += expected;
        }
        assert!((scored.nats - total).abs() < 1e-4 && (t.loss() - 0.5 * total).abs() < 1e-4);
    }

    /// With smoothing, value and gradients against the layer that predicts each token in a row of its own.
    #[test]
    fn equals_cross_entropy_of_each_token() {
        let ((texts, counts), x) = (texts(), numbers(16, 5));
        let run = |each: bool| {
            let (mut p, ids) = params(&[(37, 4), (1, 37)]);
            let mut t = Tape::new();
            let v = t.variable(&x, (4, 4));
            let (weight, bias, smoothing, scale) = (ids[0], Some(ids[1]), 0.1, 0.25);
            let scored = if each {
                let rows: Vec<u32> = (0..4).flat_map(|i| texts[i].iter().map(move |_| i as u32)).collect();
                let targets: Vec<u32> = texts.iter().flatten().map(|&t| t as u32).collect();
                let y = t.gather_rows(v, &rows);
                let ce = CrossEntropy {
                    weight,
                    bias,
                    targets: &targets,
                    row_weights: None,
                    smoothing,
                    mixture: None,
                    scale,
                };
                t.cross_entropy(&mut p, y, &ce)
            } else {
                let counts = &counts;
                t.multinomial(&mut p, v, &Multinomial { weight, bias, counts, thinning: None, smoothing, scale })
            };
            let loss = t.loss();
            t.backward(&mut p).unwrap();
            let gradients: Vec<f32> =
                [t.grad(v), p.get(ids[0]).grad(), p.get(ids[1]).grad()].into_iter().flatten().copied().collect();
            (scored.nats, scored.correct, loss, gradients)
        };
        let (one, each) = (run(false), run(true));
        assert!((one.0 - each.0).abs() < 1e-4 && one.1 == each.1 && (one.2 - each.2).abs() < 1e-4);
        assert!(one.3.iter().zip(&each.3).all(|(a, b)| (a - b).abs() < 1e-5) && one.3.len() == each.3.len());
    }

    #[test]
    fn gradients() {
        let (mut p, ids) = params(&[(37, 4), (1, 37)]);
        let ((_, counts), x) = (texts(), numbers(16, 7));
        let thinning: Vec<f32> = numbers(37, 9).iter().map(|x| x.min(0.0)).collect();
        for (thinning, smoothing) in [(None, 0.2), (Some(&thinning[..]), 0.0), (Some(&thinning[..]), 0.2)] {
            let loss =
                Multinomial { weight: ids[0], bias: Some(ids[1]), counts: &counts, thinning, smoothing, scale: 0.3 };
            p.zero_grads();
            crate::ops::output::tests::check(&mut p, &x, (4, 4), &|t, p, v| {
                t.multinomial(p, v, &loss);
            });
        }
    }

    /// The expected loss of texts from which occurrences of class 3 are struck out; nats stay those of whole texts.
    #[test]
    fn thinning_is_striking_out() {
        let (mut p, ids) = params(&[(5, 1)]);
        let mut counts = Bags::new();
        counts.push([(3, 4.0), (1, 1.0)]);
        let thinning = [0.0, 0.0, 0.0, 0.25f32.ln(), 0.0];
        let whole = |thinning| Multinomial {
            weight: ids[0],
            bias: None,
            counts: &counts,
            thinning,
            smoothing: 0.0,
            scale: 1.0,
        };
        let mut run = |loss: &Multinomial<'_>| {
            let mut t = Tape::inference();
            let x = t.input(&[2.0], (1, 1));
            (t.multinomial(&mut p, x, loss).nats, t.loss())
        };
        let (thinned, plain) = (run(&whole(Some(&thinning))), run(&whole(None)));
        assert!((thinned.0 - plain.0).abs() < 1e-5 && (plain.0 - plain.1).abs() < 1e-5);
        let score = |v: usize| 2.0 * p.value(ids[0])[v] as f64;
        let total: f64 = (0..5).map(|v| score(v).exp() * if v == 3 { 0.25 } else { 1.0 }).sum();
        let expected = 2.0 * total.ln() - (score(3) + 0.25f64.ln()) - score(1);
        assert!((thinned.1 - expected).abs() < 1e-5, "{} {expected}", thinned.1);
    }

    #[test]
    fn uniform_scores_cost_ln_v_a_token() {
        let mut p = Params::new();
        let weight = p.add("w", (8, 1), vec![0.0; 8]);
        let mut counts = Bags::new();
        counts.push([(5, 3.0)]);
        let mut t = Tape::inference();
        let x = t.input(&[3.0], (1, 1));
        let scored = t.multinomial(
            &mut p,
            x,
            &Multinomial { weight, bias: None, counts: &counts, thinning: None, smoothing: 0.0, scale: 1.0 },
        );
        assert!((scored.nats - 3.0 * 8f64.ln()).abs() < 1e-5);
    }
}

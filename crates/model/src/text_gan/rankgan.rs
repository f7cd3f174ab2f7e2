//! RankGAN (Lin et al. 2017, <https://arxiv.org/abs/1705.11001>): a text's reward is its rank among others.
//!
//! Features f of texts are compared by their cosine. Given a reference u, a text s ranks among others C with
//! `P(s|u) = exp(g cos(s, u)) / (exp(g cos(s, u)) + sum_(c in C) exp(g cos(c, u)))`, and `R(s|C) = mean_u P(s|u)`, references
//! being real texts. The ranker maximises `mean ln R(real | samples) + mean ln(1 - R(sample | real))`, the generator
//! `R(sample | real)`.

use strait_engine::{Tape, Var};

/// Features of texts, row-major, at length 1.
pub(crate) struct Units {
    rows: Vec<Vec<f64>>,
    lengths: Vec<f64>,
}

impl Units {
    /// Of features (n, `width`).
    pub(crate) fn new(features: &[f32], width: usize) -> Self {
        let length = |row: &[f32]| row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt().max(1e-6);
        let lengths: Vec<f64> = features.chunks_exact(width).map(length).collect();
        let rows = features.chunks_exact(width).zip(&lengths);
        let rows = rows.map(|(row, l)| row.iter().map(|&x| f64::from(x) / l).collect()).collect();
        Units { rows, lengths }
    }

    /// `exp(g cos)` of each row with each of `others`, row-major.
    fn likeness(&self, others: &Units, sharpness: f64) -> Vec<Vec<f64>> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let row = |a: &Vec<f64>| others.rows.iter().map(|b| (sharpness * dot(a, b)).exp()).collect();
        self.rows.iter().map(row).collect()
    }
}

/// R of each text among `among`, given references.
pub(crate) fn ranks(texts: &Units, among: &Units, references: &Units, sharpness: f64) -> Vec<f64> {
    let (own, others) = (texts.likeness(references, sharpness), among.likeness(references, sharpness));
    let sums: Vec<f64> = (0..references.rows.len()).map(|u| others.iter().map(|row| row[u]).sum()).collect();
    let rank = |row: &Vec<f64>| row.iter().zip(&sums).map(|(e, sum)| e / (e + sum)).sum::<f64>() / sums.len() as f64;
    own.iter().map(rank).collect()
}

/// The three sets that a ranker learns from, features (n, W) each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sets {
    pub(crate) real: Var,
    pub(crate) samples: Var,
    pub(crate) references: Var,
}

/// Adds the ranker's loss; returns it, and the share of the texts on their side of the rank that chance gives.
pub(crate) fn loss(tape: &mut Tape, sets: Sets, sharpness: f64) -> (f64, f64) {
    let width = tape.shape(sets.real).1;
    let units = |v: Var| Units::new(tape.value(v), width);
    let [real, samples, references] = [sets.real, sets.samples, sets.references].map(units);
    let likeness = [real.likeness(&references, sharpness), samples.likeness(&references, sharpness)];
    // d loss / d (g cos) of real texts and of samples with each reference.
    let mut slopes = [0, 1].map(|side: usize| vec![vec![0.0; references.rows.len()]; likeness[side].len()]);
    let (mut nats, mut right) = (0.0, 0.0);
    for (side, ranks) in
        [ranks(&real, &samples, &references, sharpness), ranks(&samples, &real, &references, sharpness)]
            .iter()
            .enumerate()
    {
        let other = 1 - side;
        let share = 1.0 / ranks.len().max(1) as f64;
        let chance = 1.0 / (likeness[other].len() + 1) as f64;
        for (i, &rank) in ranks.iter().enumerate() {
            // Of real texts -ln R, of samples -ln(1 - R).
            let (cost, slope) =
                if side == 0 { (-rank.ln(), -1.0 / rank) } else { (-(1.0 - rank).ln(), 1.0 / (1.0 - rank)) };
            nats += share * cost;
            right += 0.5 * share * f64::from(u8::from((rank > chance) == (side == 0)));
            for u in 0..references.rows.len() {
                let own = likeness[side][i][u];
                let sum: f64 = own + likeness[other].iter().map(|row| row[u]).sum::<f64>();
                let p = own / sum;
                let slope = share * slope * p / references.rows.len() as f64;
                slopes[side][i][u] += slope * (1.0 - p);
                likeness[other].iter().enumerate().for_each(|(c, row)| slopes[other][c][u] -= slope * row[u] / sum);
            }
        }
    }
    let mut towards = vec![vec![0.0; width]; references.rows.len()];
    for (side, (texts, var)) in [(&real, sets.real), (&samples, sets.samples)].into_iter().enumerate() {
        let mut gradient = Vec::new();
        for (row, slopes) in texts.rows.iter().zip(&slopes[side]) {
            let mut of = vec![0.0; width];
            for (u, slope) in slopes.iter().enumerate() {
                for j in 0..width {
                    of[j] += sharpness * slope * references.rows[u][j];
                    towards[u][j] += sharpness * slope * row[j];
                }
            }
            gradient.push(of);
        }
        push(tape, (var, texts), &gradient, if side == 0 { nats } else { 0.0 });
    }
    push(tape, (sets.references, &references), &towards, 0.0);
    (nats, right)
}

/// Brings the gradient for rows of length 1 back to the features.
fn push(tape: &mut Tape, (var, units): (Var, &Units), gradient: &[Vec<f64>], nats: f64) {
    let mut flat = Vec::new();
    for ((row, length), of) in units.rows.iter().zip(&units.lengths).zip(gradient) {
        let along: f64 = row.iter().zip(of).map(|(a, b)| a * b).sum();
        flat.extend(row.iter().zip(of).map(|(x, g)| ((g - along * x) / length) as f32));
    }
    tape.custom_loss(var, nats, &flat);
}

#[cfg(test)]
mod tests {
    use strait_engine::Params;

    use super::*;
    use crate::objective::testing::{check_gradients, numbers};

    #[test]
    fn ranks_by_hand() {
        let reference = Units::new(&[2.0, 0.0], 2);
        let among = Units::new(&[0.0, 1.0, 0.0, -3.0], 2);
        let texts = Units::new(&[5.0, 0.0, 0.0, 1.0], 2);
        // exp(g cos) of the first is 3, of all others 1.
        let r = ranks(&texts, &among, &reference, 3f64.ln());
        assert!((r[0] - 0.6).abs() < 1e-9 && (r[1] - 1.0 / 3.0).abs() < 1e-9, "{r:?}");
    }

    #[test]
    fn gradients() {
        let (real, samples, references) = (numbers(12, 1), numbers(9, 2), numbers(6, 3));
        let inputs = [(&real[..], (4, 3)), (&samples[..], (3, 3)), (&references[..], (2, 3))];
        check_gradients(&mut Params::new(), &inputs, &mut |tape, _, v| {
            loss(tape, Sets { real: v[0], samples: v[1], references: v[2] }, 2.0);
        });
    }
}

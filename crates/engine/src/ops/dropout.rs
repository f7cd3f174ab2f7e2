//! Inverted dropout (Srivastava et al. 2014): `y = m x`, m = 0 with probability p, else `1 / (1 - p)`.
//!
//! x, y (N, D). Gradient: `dx = m dy`. The identity where nothing is recorded, so that it only acts in training, and
//! where it is switched off ([`Tape::set_dropout`]).

use rand::Rng;

use crate::{
    Tape, Var,
    ops::elementwise::{combine, pieces},
    tape::{Backward, Op},
};

/// Decisions drawn from one 64-bit number, each from 16 bits of it.
const LANES: usize = 4;

impl Tape {
    /// Drops elements with probability p, in steps of 2^-16: x (N, D) -> y (N, D).
    ///
    /// # Panics
    /// If p is not in [0, 1).
    pub fn dropout(&mut self, x: Var, p: f32, rng: &mut impl Rng) -> Var {
        assert!((0.0..1.0).contains(&p), "the dropout rate {p} must be at least 0 and below 1");
        let limit = (p * 65536.0).round().min(65535.0) as u64;
        if !self.drops() || limit == 0 {
            return x;
        }
        let shape = self.shape(x);
        let mut mask = self.pool.take(shape.0 * shape.1);
        let keep = 65536.0 / (65536 - limit) as f32;
        for lanes in mask.chunks_mut(LANES) {
            let bits = rng.next_u64();
            for (i, m) in lanes.iter_mut().enumerate() {
                *m = if (bits >> (16 * i)) & 0xFFFF < limit { 0.0 } else { keep };
            }
        }
        let mut y = self.pool.take(mask.len());
        let value = self.values.get(x);
        pieces(&mut y, |at, y| combine(y, &value[at..], &mask[at..], |a, m| a * m));
        let needs = self.values.needs_grad(x);
        if !needs {
            self.pool.give(std::mem::take(&mut mask));
        }
        self.push(y, shape, needs, || Some(Dropout { x, mask }))
    }
}

struct Dropout {
    x: Var,
    mask: Vec<f32>,
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let mask = std::mem::take(&mut self.mask);
        cx.contribute(self.x, |at, dx, fresh| {
            crate::ops::elementwise::add_product(dx, &dy[at..], &mask[at..], fresh);
        });
        cx.pool.give(mask);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{
        Params,
        ops::testing::{check_gradients, numbers, weighted_sum},
    };

    #[test]
    fn gradients() {
        let x = numbers(15, 1);
        check_gradients(&mut Params::new(), &[(&x, (3, 5))], &|t, _, v| {
            let y = t.dropout(v[0], 0.4, &mut ChaCha8Rng::seed_from_u64(3));
            weighted_sum(t, y);
        });
    }

    #[test]
    fn keeps_the_mean_and_the_stated_share() {
        let mut t = Tape::new();
        let x = t.input(&vec![1.0; 40_000], (400, 100));
        let y = t.dropout(x, 0.25, &mut ChaCha8Rng::seed_from_u64(4));
        let kept = t.value(y).iter().filter(|&&v| v != 0.0).count() as f32 / 40_000.0;
        let mean = t.value(y).iter().sum::<f32>() / 40_000.0;
        assert!((kept - 0.75).abs() < 0.01 && (mean - 1.0).abs() < 0.015, "{kept} {mean}");
    }

    #[test]
    fn the_identity_outside_training_and_at_zero() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for (mut t, p) in [(Tape::inference(), 0.5), (Tape::new(), 0.0)] {
            let x = t.input(&[1.0, 2.0], (1, 2));
            assert_eq!(t.dropout(x, p, &mut rng), x);
        }
    }
}

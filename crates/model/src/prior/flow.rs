//! RealNVP (Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017): latents as an invertible
//! function of white noise. The latents are whitened by one Gaussian, `x = L^-1 (z - m)`, and go through the affine
//! couplings of `couplings.rs`, `u = f(x)`, so that
//!
//! `log p(z) = -1/2 |u|^2 - Z/2 log 2 pi + sum over couplings of log s - sum_i log L_ii`
//!
//! exactly, and a draw is `z = m + L f^-1(u)` with `u ~ N(0, I)`. The fit is in `flow_fit.rs`.

use std::{fmt, sync::Arc};

use rand::Rng;
use rayon::prelude::*;
use strait_engine::Tape;

use super::couplings::{BLOCKS, Couplings, log_stretch};
use super::gaussian::Gaussian;
use super::rows::Rows;
use super::standard_normal::normals;

/// Rows that go through the networks together; no sum crosses rows, so it changes no bit.
const CHUNK: usize = 256;

/// `z = m + L f^-1(u)`, `u ~ N(0, I)`. Its networks compute in f32, sums of log densities in f64.
#[derive(Clone)]
pub struct RealNvp {
    whitening: Gaussian,
    couplings: Arc<Couplings>,
}

impl PartialEq for RealNvp {
    fn eq(&self, other: &Self) -> bool {
        let weights = |flow: &Self| flow.couplings.params.iter().map(|(_, p)| p.value().to_vec()).collect::<Vec<_>>();
        self.whitening == other.whitening && weights(self) == weights(other)
    }
}

impl fmt::Debug for RealNvp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealNvp").field("whitening", &self.whitening).field("hidden", &self.hidden()).finish()
    }
}

impl RealNvp {
    /// From a Gaussian and couplings of the same dimension.
    pub(super) fn new(whitening: Gaussian, couplings: Couplings) -> Self {
        Self { whitening, couplings: Arc::new(couplings) }
    }

    /// Z.
    pub fn dim(&self) -> usize {
        self.whitening.dim()
    }

    /// Affine couplings, two a block.
    pub fn couplings(&self) -> usize {
        2 * BLOCKS
    }

    /// Hidden units of each coupling's network.
    pub fn hidden(&self) -> usize {
        self.couplings.hidden()
    }

    /// Free parameters: mean, covariance and all weights.
    pub fn parameters(&self) -> usize {
        self.whitening.parameters() + self.couplings.params.weights()
    }

    pub(super) fn whitening(&self) -> &Gaussian {
        &self.whitening
    }

    pub(super) fn layers(&self) -> &Couplings {
        &self.couplings
    }

    /// `log p(z)` in nats; `z` (Z). NaN for a slice of another length or a value that is not finite.
    pub fn log_density(&self, z: &[f32]) -> f64 {
        match z.len() == self.dim() {
            true => self.log_density_rows(Rows::new(z, z.len()))[0],
            false => f64::NAN,
        }
    }

    /// `log p(z)` of every row (N), the same bits as one at a time.
    pub(super) fn log_density_rows(&self, rows: Rows) -> Vec<f64> {
        let one = |part: &[f32]| {
            let white = self.whitening.whiten(Rows::new(part, rows.dim));
            let mut logs = log_densities_white(&self.couplings, &white);
            for (log, z) in logs.iter_mut().zip(part.chunks_exact(rows.dim)) {
                *log = match (log.is_nan(), z.iter().all(|v| v.is_finite())) {
                    // So far out that the networks overflowed.
                    (true, true) => f64::NEG_INFINITY,
                    _ => *log + self.whitening.log_norm(),
                };
            }
            logs
        };
        rows.values.par_chunks(CHUNK * rows.dim).map(one).collect::<Vec<_>>().concat()
    }

    /// One draw (Z).
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        self.sample_many(1, rng)
    }

    /// `n` draws (n, Z): what `n` calls of [`RealNvp::sample`] give.
    pub fn sample_many(&self, n: usize, rng: &mut impl Rng) -> Vec<f32> {
        let dim = self.dim();
        let mut values: Vec<f32> = (0..n).flat_map(|_| normals(dim, rng)).map(|v| v as f32).collect();
        values.par_chunks_mut(CHUNK * dim).for_each(|part| {
            self.couplings.invert(part);
            for row in part.chunks_exact_mut(dim) {
                let x: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
                row.copy_from_slice(&self.whitening.colour(&x));
            }
        });
        values
    }
}

/// `-1/2 |u|^2 + sum log s` of whitened rows (N, Z), nats, (N): the log density but for constants.
pub(super) fn log_densities_white(couplings: &Couplings, white: &[f32]) -> Vec<f64> {
    let dim = couplings.dim();
    let mut logs = Vec::with_capacity(white.len() / dim);
    let mut tape = Tape::inference();
    for part in white.chunks(CHUNK * dim) {
        tape.reset();
        let x = tape.input(part, (part.len() / dim, dim));
        let (u, turns) = couplings.forward(&mut tape, x, None);
        for (i, u) in tape.value(u).chunks_exact(dim).enumerate() {
            let norm: f64 = u.iter().map(|&v| f64::from(v).powi(2)).sum();
            let stretch = |&turn| {
                let (_, moved) = tape.shape(turn);
                tape.value(turn)[i * moved..][..moved].iter().map(|&t| log_stretch(t).0).sum::<f64>()
            };
            logs.push(turns.iter().map(stretch).sum::<f64>() - 0.5 * norm);
        }
    }
    logs
}

#[cfg(test)]
pub(super) mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use strait_engine::init;

    use super::super::{Prior, flow_fit};
    use super::*;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// A flow whose weights are all random, well away from the identity.
    pub(in super::super) fn random(dim: usize, seed: u64) -> RealNvp {
        let mut rng = rng(seed);
        let mut couplings = Couplings::new(dim, 16, &mut rng);
        let all: Vec<_> = couplings.params.iter().map(|(id, p)| (id, p.value().len())).collect();
        for (id, n) in all {
            couplings.params.assign(id, &init::normal(n, 0.15, &mut rng));
        }
        let factor = (0..dim).flat_map(|i| (0..=i).map(move |j| if i == j { 1.5 } else { 0.2 }));
        RealNvp::new(Gaussian::from_parts(vec![0.5; dim], factor.collect()), couplings)
    }

    /// Two interleaved half circles with noise, (n, 2).
    fn moons(n: usize, seed: u64) -> Vec<f32> {
        let mut rng = rng(seed);
        let mut one = |i: usize| {
            let angle = std::f32::consts::PI * rng.random::<f32>();
            let noise = init::normal(2, 0.1, &mut rng);
            let (x, y) =
                if i.is_multiple_of(2) { (angle.cos(), angle.sin()) } else { (1.0 - angle.cos(), 0.5 - angle.sin()) };
            [x + noise[0], y + noise[1]]
        };
        (0..n).flat_map(&mut one).collect()
    }

    fn mean(logs: &[f64]) -> f64 {
        logs.iter().sum::<f64>() / logs.len() as f64
    }

    #[test]
    fn the_inverse_undoes_the_couplings() {
        for dim in [2, 3, 5, 17, 64] {
            let flow = random(dim, 1);
            let x = init::normal(300 * dim, 1.0, &mut rng(2));
            let mut tape = Tape::inference();
            let input = tape.input(&x, (300, dim));
            let (u, _) = flow.couplings.forward(&mut tape, input, None);
            let mut back = tape.value(u).to_vec();
            assert!(back.iter().zip(&x).any(|(u, x)| (u - x).abs() > 0.5), "the flow does nothing");
            flow.couplings.invert(&mut back);
            let worst = back.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{dim} dimensions: {worst}");
        }
    }

    #[test]
    fn the_density_integrates_to_one() {
        let flow = random(2, 3);
        let (step, reach) = (0.05, 15.0);
        let side = (2.0 * reach / step) as usize;
        let at = |i: usize| (i as f32 * step) - reach;
        let grid: Vec<f32> = (0..side * side).flat_map(|t| [at(t / side), at(t % side)]).collect();
        let mass: f64 = flow.log_density_rows(Rows::new(&grid, 2)).iter().map(|l| l.exp()).sum();
        let mass = mass * f64::from(step * step);
        assert!((mass - 1.0).abs() < 2e-3, "{mass}");
    }

    #[test]
    fn draws_fall_where_the_density_is() {
        // E[1 / p(z)] over draws restricted to a box where p > 0 is the box's area.
        let flow = random(2, 4);
        let n = 40_000;
        let draws = flow.sample_many(n, &mut rng(5));
        let inside = |z: &[f32]| z.iter().all(|v| (0.0..1.0).contains(v));
        let area: f64 = draws.chunks(2).filter(|z| inside(z)).map(|z| (-flow.log_density(z)).exp()).sum();
        assert!((area / n as f64 - 1.0).abs() < 0.1, "{}", area / n as f64);
    }

    #[test]
    fn one_at_a_time_or_many_are_the_same_bits() {
        let flow = random(7, 6);
        let together = flow.sample_many(300, &mut rng(7));
        let mut one_by_one = rng(7);
        let single: Vec<f32> = (0..300).flat_map(|_| flow.sample(&mut one_by_one)).collect();
        assert_eq!(together, single);
        let logs = flow.log_density_rows(Rows::new(&together, 7));
        assert!(together.chunks(7).zip(&logs).all(|(z, l)| flow.log_density(z).to_bits() == l.to_bits()));
    }

    #[test]
    fn what_is_no_latent_has_no_density() {
        let flow = random(3, 8);
        assert!(flow.log_density(&[0.0; 2]).is_nan());
        assert!(flow.log_density(&[0.0, f32::NAN, 0.0]).is_nan());
        assert!(flow.log_density(&[0.0, f32::INFINITY, 0.0]).is_nan());
        assert_eq!(flow.log_density(&[f32::MAX, f32::MIN, f32::MAX]), f64::NEG_INFINITY);
    }

    #[test]
    fn untrained_it_is_its_gaussian() {
        let gaussian = random(5, 9).whitening().clone();
        let flow = RealNvp::new(gaussian.clone(), Couplings::new(5, 8, &mut rng(10)));
        for z in gaussian.sample(&mut rng(11)).chunks(5) {
            assert!((flow.log_density(z) - gaussian.log_density(z)).abs() < 1e-5);
        }
    }

    #[test]
    fn two_moons_are_far_better_than_one_gaussian() {
        let (train, held_out) = (moons(4000, 12), moons(1000, 13));
        let run = flow_fit::fit(Rows::new(&train, 2), 700_000_000, &mut rng(14)).unwrap();
        let gaussian = Prior::Gaussian(Gaussian::fit(Rows::new(&train, 2)));
        let before = mean(&gaussian.log_densities(&held_out).unwrap());
        let after = mean(&run.flow.log_density_rows(Rows::new(&held_out, 2)));
        assert!(after > before + 0.5, "flow {after}, Gaussian {before}");
        // And its draws lie on the moons, all but a few.
        let draws = run.flow.sample_many(200, &mut rng(15));
        let near = |z: &[f32]| train.chunks(2).any(|t| (t[0] - z[0]).hypot(t[1] - z[1]) < 0.1);
        let off = draws.chunks(2).filter(|z| !near(z)).count();
        assert!(off < 20, "{off} of 200 draws are far from any training point");
    }
}

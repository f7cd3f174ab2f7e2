//! Matrices for tests.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::labels::Labels;
use crate::matrix::MatrixBuf;

/// A standard normal number (Box and Muller 1958).
pub(crate) fn gauss(rng: &mut impl Rng) -> f32 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}

/// Standard normal values, (n, d).
pub(crate) fn normal(n: usize, dim: usize, seed: u64) -> MatrixBuf {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    MatrixBuf::new((0..n * dim).map(|_| gauss(&mut rng)).collect(), dim).expect("finite")
}

/// Clusters of unit variance whose centres are drawn ten times as wide: the rows (n, d) and which cluster each is of.
pub(crate) fn blobs(n: usize, dim: usize, k: usize, seed: u64) -> (MatrixBuf, Vec<u32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let centres: Vec<f32> = (0..k * dim).map(|_| 10.0 * gauss(&mut rng)).collect();
    let labels: Vec<u32> = (0..n).map(|i| (i % k) as u32).collect();
    let value = |i: usize| centres[labels[i / dim] as usize * dim + i % dim] + gauss(&mut rng);
    (MatrixBuf::new((0..n * dim).map(value).collect(), dim).expect("finite"), labels)
}

/// Runs `f` on a pool of so many threads.
pub(crate) fn in_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(f)
}

/// Two classes of unit variance, taking turns, whose means lie `by` apart along every dimension together: the rows
/// (n, d), with Mahalanobis distance `by` between the means, and their labels.
pub(crate) fn shifted(n: usize, dim: usize, by: f32, seed: u64) -> (MatrixBuf, Labels) {
    let step = by / (dim as f32).sqrt();
    let mut values = normal(n, dim, seed).into_data();
    values.chunks_exact_mut(dim).skip(1).step_by(2).for_each(|row| row.iter_mut().for_each(|v| *v += step));
    let labels = Labels::new(vec!["low".into(), "high".into()], (0..n).map(|i| i % 2).collect()).expect("named");
    (MatrixBuf::new(values, dim).expect("finite"), labels)
}

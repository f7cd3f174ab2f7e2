//! Initial values of weights. Randomness arrives as an argument.

use rand::{Rng, RngExt};

/// Uniform in (-bound, bound), `n` values.
pub fn uniform(n: usize, bound: f32, rng: &mut impl Rng) -> Vec<f32> {
    (0..n).map(|_| rng.random_range(-1.0f32..1.0) * bound).collect()
}

/// Glorot & Bengio (2010): uniform with variance 2 / (rows + cols), for a (rows, cols) weight.
pub fn xavier((rows, cols): (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    uniform(rows * cols, (6.0 / (rows + cols) as f32).sqrt(), rng)
}

/// He et al. (2015): normal with variance 2 / cols, for ReLU layers of shape (rows, cols).
pub fn he((rows, cols): (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    normal(rows * cols, (2.0 / cols as f32).sqrt(), rng)
}

/// Normal with mean 0 and the given standard deviation (Box & Muller 1958).
pub fn normal(n: usize, std: f32, rng: &mut impl Rng) -> Vec<f32> {
    let mut out = Vec::with_capacity(n + 1);
    while out.len() < n {
        let (a, b) = normal_pair(rng);
        out.extend([a * std, b * std]);
    }
    out.truncate(n);
    out
}

/// Two independent standard normal numbers.
pub fn normal_pair(rng: &mut impl Rng) -> (f32, f32) {
    // 1 - u lies in (0, 1], so the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let angle = std::f64::consts::TAU * rng.random::<f64>();
    ((radius * angle.cos()) as f32, (radius * angle.sin()) as f32)
}

/// Saxe et al. (2014): for each block of `rows / gates` rows, an orthogonal matrix (orthonormal rows, or columns
/// where there are more rows than columns), by Gram-Schmidt with a second pass.
pub fn orthogonal((rows, cols): (usize, usize), gates: usize, rng: &mut impl Rng) -> Vec<f32> {
    let block = rows / gates;
    let (count, len) = (block.min(cols), block.max(cols));
    let mut out = Vec::with_capacity(rows * cols);
    for _ in 0..gates {
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
        while basis.len() < count {
            let mut v: Vec<f64> = normal(len, 1.0, rng).into_iter().map(f64::from).collect();
            for _ in 0..2 {
                for u in &basis {
                    let dot: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
                    v.iter_mut().zip(u).for_each(|(v, u)| *v -= dot * u);
                }
            }
            let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm > 1e-6 {
                v.iter_mut().for_each(|x| *x /= norm);
                basis.push(v);
            }
        }
        for r in 0..block {
            out.extend((0..cols).map(|c| if block <= cols { basis[r][c] } else { basis[c][r] } as f32));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn moments() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let var = |x: &[f32]| x.iter().map(|v| (v * v) as f64).sum::<f64>() / x.len() as f64;
        assert!((var(&xavier((200, 300), &mut rng)) - 2.0 / 500.0).abs() < 1e-4);
        assert!((var(&he((200, 300), &mut rng)) - 2.0 / 300.0).abs() < 2e-4);
        assert!((var(&normal(60_001, 2.0, &mut rng)) - 4.0).abs() < 0.1);
    }

    #[test]
    fn orthogonal_blocks() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for (rows, cols) in [(8, 4), (6, 5), (4, 4)] {
            let w = orthogonal((rows, cols), 2, &mut rng);
            let block = rows / 2;
            let at = |r: usize, c: usize| w[r * cols + c] as f64;
            for i in 0..block {
                for j in 0..block {
                    let dot: f64 = (0..cols).map(|c| at(i, c) * at(j, c)).sum();
                    assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-5);
                }
            }
        }
    }
}

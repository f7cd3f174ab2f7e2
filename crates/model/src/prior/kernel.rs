//! The two inner loops of every full-covariance prior, over blocks that stay in cache:
//! `|W x - b|^2` for eight rows at once ([`squared_norms`]) and `sum_n x_n x_n^T` ([`Scatter`]).
//! Both are the same 4 x 8 register tile in f64. The AVX2 versions are the same code compiled for wider registers,
//! without fused multiply-add, so every machine gives the same bits; the order of each sum is fixed by the block size
//! alone, never by the number of threads.

/// Rows handled together by [`squared_norms`]: the width of the register tile.
pub(super) const LANES: usize = 8;
const TILE: usize = 4;
const BLOCK: usize = 256;

/// `dim` rounded up so that tiles need no edge case; the padding is zeros.
pub(super) fn padded(dim: usize) -> usize {
    dim.next_multiple_of(LANES)
}

/// `acc[a][l] = sum_t p[t * stride_p + a] * q[t * stride_q + l]` for t < depth.
#[inline(always)]
fn tile(depth: usize, (p, stride_p): (&[f64], usize), (q, stride_q): (&[f64], usize)) -> [[f64; LANES]; TILE] {
    let mut acc = [[0.0; LANES]; TILE];
    for (p, q) in p.chunks(stride_p).zip(q.chunks(stride_q)).take(depth) {
        let (Some(p), Some(q)) = (p.first_chunk::<TILE>(), q.first_chunk::<LANES>()) else { break };
        for a in 0..TILE {
            for l in 0..LANES {
                acc[a][l] += p[a] * q[l];
            }
        }
    }
    acc
}

/// An affine map to white noise, `y = W x - b` with `W` lower triangular (Z, Z) and `b = W mean`.
#[derive(Clone, Debug)]
pub(super) struct Whitening {
    /// `W` transposed and padded, (P, P) with P = `padded(dim)`.
    pub transposed: Vec<f64>,
    /// `b`, padded with zeros, (P).
    pub shift: Vec<f64>,
}

impl Whitening {
    /// From a mean (Z) and a lower factor `L` (Z, Z, row-major, positive diagonal): `W = L^-1`.
    pub fn new(mean: &[f64], lower: &[f64]) -> Self {
        let dim = mean.len();
        let p = padded(dim);
        // Forward substitution on the identity, one row of W after another.
        let mut w = vec![0.0; dim * dim];
        for i in 0..dim {
            let (above, rest) = w.split_at_mut(i * dim);
            let row = &mut rest[..dim];
            row[i] = 1.0;
            for j in 0..i {
                let l = lower[i * dim + j];
                for (r, a) in row[..=j].iter_mut().zip(&above[j * dim..]) {
                    *r -= l * a;
                }
            }
            let pivot = lower[i * dim + i];
            row[..=i].iter_mut().for_each(|r| *r /= pivot);
        }
        let mut transposed = vec![0.0; p * p];
        let mut shift = vec![0.0; p];
        for i in 0..dim {
            for j in 0..=i {
                transposed[j * p + i] = w[i * dim + j];
                shift[i] += w[i * dim + j] * mean[j];
            }
        }
        Self { transposed, shift }
    }
}

#[inline(always)]
fn squared_norms_body(w: &Whitening, panels: &[f64], out: &mut [f64]) {
    let p = w.shift.len();
    for (panel, out) in panels.chunks_exact(p * LANES).zip(out.chunks_exact_mut(LANES)) {
        out.fill(0.0);
        for i in (0..p).step_by(TILE) {
            let y = tile(i + TILE, (&w.transposed[i..], p), (panel, LANES));
            for a in 0..TILE {
                for l in 0..LANES {
                    out[l] += (y[a][l] - w.shift[i + a]).powi(2);
                }
            }
        }
    }
}

#[inline(always)]
fn add_block_body(block: &[f64], filled: usize, p: usize, sum: &mut [f64]) {
    for i in (0..p).step_by(TILE) {
        for j in (0..i + TILE).step_by(LANES) {
            let acc = tile(filled, (&block[i..], p), (&block[j..], p));
            for a in 0..TILE {
                for (s, v) in sum[(i + a) * p + j..][..LANES].iter_mut().zip(&acc[a]) {
                    *s += v;
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    #[target_feature(enable = "avx2")]
    pub(super) fn squared_norms(w: &super::Whitening, panels: &[f64], out: &mut [f64]) {
        super::squared_norms_body(w, panels, out);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn add_block(block: &[f64], filled: usize, p: usize, sum: &mut [f64]) {
        super::add_block_body(block, filled, p, sum);
    }
}

/// `|W x - b|^2` of every row; `panels` (M, P, 8) holds eight rows side by side, `out` (8 M).
pub(super) fn squared_norms(w: &Whitening, panels: &[f64], out: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, checked on the line above.
        return unsafe { avx2::squared_norms(w, panels, out) };
    }
    squared_norms_body(w, panels, out);
}

fn add_block(block: &[f64], filled: usize, p: usize, sum: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, checked on the line above.
        return unsafe { avx2::add_block(block, filled, p, sum) };
    }
    add_block_body(block, filled, p, sum);
}

/// Lays rows (n, Z) out as panels (ceil(n / 8), P, 8) for [`squared_norms`].
pub(super) fn panels_of(rows: &[f32], dim: usize) -> Vec<f64> {
    let p = padded(dim);
    let mut panels = vec![0.0; (rows.len() / dim).div_ceil(LANES) * p * LANES];
    for (n, row) in rows.chunks_exact(dim).enumerate() {
        let panel = &mut panels[n / LANES * p * LANES..];
        for (i, &x) in row.iter().enumerate() {
            panel[i * LANES + n % LANES] = f64::from(x);
        }
    }
    panels
}

/// Accumulates `sum_n x_n x_n^T` one row at a time, in blocks of [`BLOCK`] rows.
pub(super) struct Scatter {
    dim: usize,
    block: Vec<f64>,
    filled: usize,
    sum: Vec<f64>,
}

impl Scatter {
    /// An empty sum over vectors of `dim` values.
    pub fn new(dim: usize) -> Self {
        let p = padded(dim);
        Self { dim, block: vec![0.0; BLOCK * p], filled: 0, sum: vec![0.0; p * p] }
    }

    /// Adds one vector: the first `dim` values that `values` yields.
    pub fn push(&mut self, values: impl Iterator<Item = f64>) {
        let p = padded(self.dim);
        let slot = &mut self.block[self.filled * p..][..self.dim];
        for (s, v) in slot.iter_mut().zip(values) {
            *s = v;
        }
        self.filled += 1;
        if self.filled == BLOCK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        add_block(&self.block, self.filled, padded(self.dim), &mut self.sum);
        self.filled = 0;
    }

    /// The sum as a symmetric matrix (Z, Z), row-major.
    pub fn finish(mut self) -> Vec<f64> {
        self.flush();
        let (dim, p) = (self.dim, padded(self.dim));
        let mut full = vec![0.0; dim * dim];
        for i in 0..dim {
            for j in 0..=i {
                full[i * dim + j] = self.sum[i * p + j];
                full[j * dim + i] = self.sum[i * p + j];
            }
        }
        full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scatter_equals_the_plain_double_loop() {
        for (n, dim) in [(1, 1), (7, 3), (300, 11), (513, 16)] {
            let x: Vec<f64> = (0..n * dim).map(|i| ((i * 7919) % 101) as f64 / 50.0 - 1.0).collect();
            let mut scatter = Scatter::new(dim);
            x.chunks(dim).for_each(|row| scatter.push(row.iter().copied()));
            let got = scatter.finish();
            for i in 0..dim {
                for j in 0..dim {
                    let want: f64 = x.chunks(dim).map(|r| r[i] * r[j]).sum();
                    assert!((got[i * dim + j] - want).abs() < 1e-9, "{n} x {dim} at {i},{j}");
                }
            }
        }
    }

    #[test]
    fn portable_and_wide_code_give_the_same_bits() {
        let dim = 13;
        let mean: Vec<f64> = (0..dim).map(|i| i as f64 / 10.0).collect();
        let lower: Vec<f64> = (0..dim * dim)
            .map(|t| match (t / dim).cmp(&(t % dim)) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => 1.5,
                std::cmp::Ordering::Greater => 0.1 * (t % 7) as f64,
            })
            .collect();
        let w = Whitening::new(&mean, &lower);
        let rows: Vec<f32> = (0..20 * dim).map(|i| ((i * 31) % 17) as f32 / 9.0).collect();
        let panels = panels_of(&rows, dim);
        let (mut wide, mut plain) = (vec![0.0; 24], vec![0.0; 24]);
        squared_norms(&w, &panels, &mut wide);
        squared_norms_body(&w, &panels, &mut plain);
        assert_eq!(wide, plain);
        // And both solve L y = x - mean, checked by multiplying back.
        for (n, row) in rows.chunks(dim).enumerate() {
            let mut y = vec![0.0; dim];
            for i in 0..dim {
                let known: f64 = (0..i).map(|j| lower[i * dim + j] * y[j]).sum();
                y[i] = (f64::from(row[i]) - mean[i] - known) / lower[i * dim + i];
            }
            let want: f64 = y.iter().map(|v| v * v).sum();
            assert!((wide[n] - want).abs() < 1e-9 * want.max(1.0));
        }
    }
}

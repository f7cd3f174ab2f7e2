//! What a latent adds to a published decoder (after Optimus, Li et al. 2020): a vector to every token's embedding, and a
//! memory, one key k and value v more for each block and head, which every position attends to.
//!
//! The memory's share p is added to what a position sees of the positions before it, whose weights stay those of the
//! published network; so with v = 0 it is that network, whatever k is. For each head of d columns and position i
//!
//! ```text
//! y_i = sum_{j <= i} a_ij v_j + p_i v,   a_ij = exp(s_ij) / sum_{l <= i} exp(s_il),   s_ij = q_i k_j / sqrt(d)
//! p_i = exp(q_i k / sqrt(d)) / (exp(q_i k / sqrt(d)) + sum_{j <= i} exp(s_ij))
//! ```

use std::sync::Arc;

use strait_engine::{
    Packing, Tape, Var,
    ops::attention::{Attention, Cache, Columns},
};

/// What is added for each of B sequences.
#[derive(Debug, Clone, Copy, Default)]
pub struct Injection {
    /// To every token's embedding, (B, D).
    pub embedding: Option<Var>,
    /// Key and value of each of L blocks, side by side, (B, 2 D L).
    pub memory: Option<Var>,
}

/// A memory before the first block of packed sequences.
pub(crate) struct Memory {
    of: Var,
    /// The packing of the sequences with the memory before each.
    seen: Arc<Packing>,
    /// The values of the positions themselves (N, D).
    zeros: Var,
}

impl Memory {
    pub(crate) fn new(tape: &mut Tape, of: Var, packing: &Packing, width: usize) -> Self {
        let seen = Packing::new(&packing.lengths().iter().map(|length| length + 1).collect::<Vec<_>>());
        let zeros = tape.input(&vec![0.0; packing.rows() * width], (packing.rows(), width));
        Memory { of, seen: Arc::new(seen), zeros }
    }

    /// `p v` of block `l`: qkv (N, 3 D) -> (N, D).
    pub(crate) fn share(&self, tape: &mut Tape, l: usize, qkv: Var, heads: usize) -> Var {
        let d = tape.shape(qkv).1 / 3;
        let key = tape.slice_columns(self.of, 2 * d * l..2 * d * l + d);
        let value = tape.slice_columns(self.of, 2 * d * l + d..2 * d * (l + 1));
        // The memory asks nothing: its outputs are cut off, so any queries will do.
        let first = tape.concat(&[key, key]);
        let rest = tape.slice_columns(qkv, 0..2 * d);
        let qk = tape.stack(first, rest);
        let values = tape.stack(value, self.zeros);
        let columns = [Columns { of: qk, at: 0 }, Columns { of: qk, at: d }, Columns { of: values, at: 0 }];
        let y = tape.attention(columns, &Attention::within(&self.seen, d, heads, true));
        tape.slice_rows(y, self.seen.batch()..self.seen.rows())
    }
}

/// The same for rows that go on step by step.
pub(crate) struct MemoryCache {
    /// Of each block: the keys, and the memory's value with zeros behind it.
    blocks: Vec<Cache>,
    /// The values of a position (rows, D), and its share.
    zeros: Vec<f32>,
    share: Vec<f32>,
}

impl MemoryCache {
    /// `memory` (rows, 2 D L).
    pub(crate) fn new(memory: &[f32], (width, heads): (usize, usize), rows: usize) -> Self {
        let of = memory.len() / rows.max(1);
        let side =
            |at: usize| -> Vec<f32> { memory.chunks_exact(of).flat_map(|row| &row[at..at + width]).copied().collect() };
        let block = |at: usize| {
            let mut cache = Cache::new(width, heads, rows);
            cache.push(&side(at), &side(at + width));
            cache
        };
        let (zeros, share) = Default::default();
        MemoryCache { blocks: (0..of).step_by(2 * width).map(block).collect(), zeros, share }
    }

    /// Adds `p v` of block `l` to what the rows saw, (rows, D), for their next position's queries and keys (rows, D).
    pub(crate) fn add_share(&mut self, l: usize, [q, k]: [&[f32]; 2], seen: &mut [f32]) {
        let Some(block) = self.blocks.get_mut(l) else { return };
        self.zeros.resize(k.len(), 0.0);
        self.share.resize(q.len(), 0.0);
        block.push(k, &self.zeros);
        block.attend(q, &mut self.share);
        seen.iter_mut().zip(&self.share).for_each(|(y, share)| *y += share);
    }

    pub(crate) fn select(&mut self, from: &[usize]) {
        self.blocks.iter_mut().for_each(|cache| cache.select(from));
    }
}

#[cfg(test)]
mod tests {
    use strait_engine::ops::attention;

    use super::*;

    const WIDTH: usize = 6;
    const HEADS: usize = 2;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 + seed * 11) % 29) as f32 / 14.0 - 1.0).collect()
    }

    /// `p_i v` by the formula, in f64: what one more key and value give where all other values are 0.
    fn plain(qkv: &[Vec<f32>], memory: &[f32], head: usize) -> Vec<Vec<f64>> {
        let d = WIDTH / HEADS;
        let cut = |row: &[f32], at: usize| -> Vec<f64> {
            row[at + head * d..at + (head + 1) * d].iter().map(|&x| f64::from(x)).collect()
        };
        let (key, value) = (cut(memory, 0), cut(memory, WIDTH));
        let score = |q: &[f64], k: &[f64]| q.iter().zip(k).map(|(a, b)| a * b).sum::<f64>() / (d as f64).sqrt();
        let share = |i: usize| {
            let q = cut(&qkv[i], 0);
            let own = score(&q, &key).exp();
            let others: f64 = qkv[..=i].iter().map(|row| score(&q, &cut(row, WIDTH)).exp()).sum();
            own / (own + others)
        };
        (0..qkv.len()).map(|i| value.iter().map(|v| share(i) * v).collect()).collect()
    }

    #[test]
    fn the_share_is_that_of_the_formula_at_once_and_step_by_step() {
        let lengths = [4, 2];
        let packing = Packing::new(&lengths);
        let (rows, memory) = (numbers(6 * 3 * WIDTH, 1), numbers(2 * 4 * WIDTH, 2));
        let mut tape = Tape::inference();
        let qkv = tape.input(&rows, (6, 3 * WIDTH));
        let of = tape.input(&memory, (2, 4 * WIDTH));
        let whole = Memory::new(&mut tape, of, &packing, WIDTH);
        // The second of two blocks.
        let y = whole.share(&mut tape, 1, qkv, HEADS);
        for (b, &length) in lengths.iter().enumerate() {
            let own: Vec<Vec<f32>> =
                (0..length).map(|t| rows[packing.row(b, t) * 3 * WIDTH..][..3 * WIDTH].to_vec()).collect();
            let memory = &memory[b * 4 * WIDTH..][..4 * WIDTH];
            let wanted: Vec<Vec<Vec<f64>>> = (0..HEADS).map(|head| plain(&own, &memory[2 * WIDTH..], head)).collect();
            let mut cache = MemoryCache::new(memory, (WIDTH, HEADS), 1);
            for (t, row) in own.iter().enumerate() {
                let wanted: Vec<f64> = wanted.iter().flat_map(|head| head[t].clone()).collect();
                let mut seen = vec![0.0; WIDTH];
                cache.add_share(1, [&row[..WIDTH], &row[WIDTH..2 * WIDTH]], &mut seen);
                let together = &tape.value(y)[packing.row(b, t) * WIDTH..][..WIDTH];
                for (i, wanted) in wanted.iter().enumerate() {
                    assert!((f64::from(together[i]) - wanted).abs() < 1e-5, "text {b}, position {t}");
                    assert!((f64::from(seen[i]) - wanted).abs() < 1e-5, "text {b}, position {t}, by steps");
                }
            }
        }
    }

    /// A single key that equals the memory's shares with it: half of the value is added, whatever it is.
    #[test]
    fn half_of_the_value_by_hand() {
        let mut cache = MemoryCache::new(&[3.0, 8.0], (1, 1), 1);
        let mut seen = [1.0];
        cache.add_share(0, [&[2.0], &[3.0]], &mut seen);
        assert!((seen[0] - 5.0).abs() < 1e-6);
        let one = attention::reference(&[vec![2.0]], &[vec![3.0], vec![3.0]], &[vec![8.0], vec![0.0]], false);
        assert!((one[0][0] - 4.0).abs() < 1e-12);
    }
}

//! Length-packed batches by token budget.
//!
//! Sequences are shuffled by (seed, epoch), sorted by length within large pools, cut into batches
//! of at most so many tokens, and the batches shuffled: batches hold similar lengths, so hardly
//! any work is lost at their ragged end, and yet differ in every epoch.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// How many full batches a pool holds: large enough for similar lengths, small enough to mix.
const POOL_BATCHES: usize = 50;

/// How an epoch is cut into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// Tokens in a batch at most; a longer sequence is a batch of its own.
    pub max_tokens: usize,
    /// Sequences in a batch at most.
    pub max_rows: usize,
    /// Every epoch of every seed has its own order.
    pub seed: u64,
}

impl Batches {
    /// The batches of one epoch, as indices into `lengths`. Every index occurs exactly once;
    /// within a batch indices are sorted by length descending, equals by index.
    pub fn epoch(&self, lengths: &[usize], epoch: u64) -> Vec<Vec<usize>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(epoch);
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        shuffle(&mut order, &mut rng);
        let mut batches = Vec::new();
        for pool in order.chunks_mut(self.pool_rows(lengths)) {
            // Stable: equals stay shuffled, so that batches of equal lengths differ by epoch.
            pool.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
            self.cut(pool, lengths, &mut batches);
        }
        for batch in &mut batches {
            batch.sort_by_key(|&i| (std::cmp::Reverse(lengths[i]), i));
        }
        shuffle(&mut batches, &mut rng);
        batches
    }

    fn pool_rows(&self, lengths: &[usize]) -> usize {
        let tokens: usize = lengths.iter().fold(0, |a, &b| a.saturating_add(b));
        let mean = (tokens / lengths.len().max(1)).max(1);
        let rows = (self.max_tokens / mean).clamp(1, self.max_rows.max(1));
        rows.saturating_mul(POOL_BATCHES)
    }

    fn cut(&self, pool: &[usize], lengths: &[usize], batches: &mut Vec<Vec<usize>>) {
        let mut batch = Vec::new();
        let mut tokens = 0usize;
        for &i in pool {
            let total = tokens.saturating_add(lengths[i]);
            if !batch.is_empty() && (total > self.max_tokens || batch.len() >= self.max_rows) {
                batches.push(std::mem::take(&mut batch));
                tokens = 0;
            }
            tokens = tokens.saturating_add(lengths[i]);
            batch.push(i);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
    }
}

/// Fisher and Yates, written out so that the order is ours and not a library version's.
fn shuffle<T>(items: &mut [T], rng: &mut ChaCha8Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, rng.random_range(0..=i as u64) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAN: Batches = Batches { max_tokens: 256, max_rows: 32, seed: 7 };

    proptest! {
        #[test]
        fn every_example_once_within_budget(
            lengths in proptest::collection::vec(0usize..60, 0..400),
            max_tokens in 0usize..200, max_rows in 0usize..20, seed: u64, epoch in 0u64..9,
        ) {
            let plan = Batches { max_tokens, max_rows, seed };
            let batches = plan.epoch(&lengths, epoch);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for b in &batches {
                prop_assert!(!b.is_empty());
                prop_assert!(b.len() <= max_rows.max(1));
                let tokens: usize = b.iter().map(|&i| lengths[i]).sum();
                prop_assert!(b.len() == 1 || tokens <= max_tokens);
                let keys: Vec<_> = b.iter().map(|&i| (std::cmp::Reverse(lengths[i]), i)).collect();
                prop_assert!(keys.is_sorted());
            }
        }
    }

    #[test]
    fn deterministic_and_different_by_epoch_and_seed() {
        let lengths: Vec<usize> = (0..2000).map(|i| 3 + i * 7919 % 23).collect();
        let first = PLAN.epoch(&lengths, 0);
        assert_eq!(first, PLAN.epoch(&lengths, 0));
        assert_ne!(first, PLAN.epoch(&lengths, 1));
        assert_ne!(first, Batches { seed: 8, ..PLAN }.epoch(&lengths, 0));
    }

    #[test]
    fn lengths_within_a_batch_are_similar_and_batches_are_full() {
        let lengths: Vec<usize> = (0..10_000).map(|i| 3 + i * 7919 % 23).collect();
        let batches = PLAN.epoch(&lengths, 3);
        let (mut real, mut padded) = (0, 0);
        for b in &batches {
            real += b.iter().map(|&i| lengths[i]).sum::<usize>();
            padded += b.len() * lengths[b[0]];
        }
        assert!((real as f64) > 0.95 * padded as f64, "{real} of {padded}");
        assert!(real as f64 / batches.len() as f64 > 0.85 * PLAN.max_tokens as f64);
    }
}

//! Training a published network on: which of its weights learn, and what is learned beside them.

use rand::Rng;
use strait_engine::{Params, init};

use crate::block::Block;

/// Standard deviation of the matrices of both families before training (Radford et al. 2018, Devlin et al. 2018).
const SPREAD: f32 = 0.02;

/// A network of blocks, whose weights are in a store that the caller keeps.
pub trait Blocks {
    /// Its blocks, first to last.
    fn list(&self) -> &[Block];
    /// The same, to add adapters to them.
    fn list_mut(&mut self) -> &mut [Block];

    /// Of each block, first to last, how the names of its weights begin in `params`.
    fn names(&self, params: &Params) -> Vec<String> {
        let begin = |name: &str| {
            let parts: Vec<&str> = name.split('.').collect();
            let number = parts.iter().position(|part| part.parse::<usize>().is_ok()).unwrap_or(parts.len() - 1);
            parts[..=number].join(".") + "."
        };
        self.list().iter().map(|block| begin(params.get(block.out.0).name())).collect()
    }

    /// Adds low-rank adapters to the attention of each block, `{prefix}{l}.qkv.*` and `{prefix}{l}.out.*`; what the network
    /// gives is at first the same.
    fn adapt(&mut self, params: &mut Params, prefix: &str, rank: usize, rng: &mut impl Rng) {
        for (l, block) in self.list_mut().iter_mut().enumerate() {
            block.adapt(params, &format!("{prefix}{l}"), rank, rng);
        }
    }
}

/// Gives the weights whose names begin with `prefix` the values that a network of either family has before all training.
pub fn forget(params: &mut Params, prefix: &str, rng: &mut impl Rng) {
    let of: Vec<_> = params.iter().filter(|(_, p)| p.name().starts_with(prefix)).map(|(id, _)| id).collect();
    for id in of {
        let (rows, cols) = params.shape(id);
        let lower = params.get(id).name().to_lowercase();
        let gain = lower.ends_with("norm.weight") || lower.contains("ln_") && lower.ends_with(".weight");
        let value = match rows {
            1 if gain => vec![1.0; cols],
            1 => vec![0.0; cols],
            _ => init::normal(rows * cols, SPREAD, rng),
        };
        params.assign(id, &value);
    }
}

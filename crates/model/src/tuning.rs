//! Which weights of a published network learn, and what learns beside them.

use rand::Rng;
use strait_engine::Params;
use strait_pretrained::{Blocks, forget};

use crate::config::Tuning;

/// How a published network is trained on: what of it, how many of its last blocks, the rank of adapters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) tuning: Tuning,
    pub(crate) layers: usize,
    pub(crate) rank: usize,
}

/// Thaws what learns of a network whose weights have names that begin with one of `published` and stay as they are until
/// then, or adds adapters `{adapters}*`.
pub(crate) fn tune(
    params: &mut Params,
    network: &mut impl Blocks,
    (published, adapters): (&[&str], &str),
    plan: Plan,
    rng: &mut impl Rng,
) {
    match plan.tuning {
        Tuning::All => published.iter().for_each(|name| params.set_trainable(name, true)),
        Tuning::Fresh => published.iter().for_each(|name| {
            forget(params, name, rng);
            params.set_trainable(name, true);
        }),
        Tuning::Last => {
            let blocks = network.names(params);
            let first = blocks.len().saturating_sub(plan.layers);
            blocks[first..].iter().for_each(|block| params.set_trainable(block, true));
        }
        Tuning::Adapters => network.adapt(params, adapters, plan.rank, rng),
        Tuning::Frozen => {}
    }
}

//! The tokens that a text had before, each time it does not go on with them: what unlikelihood training holds down.

use strait_engine::Packing;

/// For each packed row its tokens, `tokens[starts[i]..starts[i + 1]]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) starts: Vec<u32>,
    pub(super) tokens: Vec<u32>,
}

impl Seen {
    /// Of targets (N) packed as `packing` says: of a row the targets before in its sequence, each once, without its own.
    pub(super) fn of(targets: &[u32], packing: &Packing) -> Self {
        let mut seen = Seen { starts: vec![0], tokens: Vec::new() };
        for t in 0..packing.steps() {
            for b in 0..packing.active(t) {
                let own = targets[packing.row(b, t)];
                let first = seen.tokens.len();
                for token in (0..t).map(|earlier| targets[packing.row(b, earlier)]) {
                    if token != own && !seen.tokens[first..].contains(&token) {
                        seen.tokens.push(token);
                    }
                }
                seen.starts.push(seen.tokens.len() as u32);
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // 5 6 5 7 and 8 8: the second 5 is its own target, the second 8 as well.
        let seen = Seen::of(&[5, 8, 6, 8, 5, 7], &Packing::new(&[4, 2]));
        let rows: Vec<&[u32]> = seen.starts.windows(2).map(|w| &seen.tokens[w[0] as usize..w[1] as usize]).collect();
        assert_eq!(rows, [&[][..], &[], &[5], &[], &[6], &[5, 6]]);
    }
}

//! Token noise for denoising autoencoders: drop, mask, swap, shuffle within a window.
//!
//! The shuffle follows Lample et al. 2018 and Shen et al. 2020: tokens are sorted by
//! `i + U(0, k + 1)`, which moves no token further than `k` places and is the identity at `k = 0`.

use rand::{Rng, RngExt as _};
use serde::{Deserialize, Serialize};

use crate::tokenizer::{MASK, SPECIALS};

/// How much noise; all zero (the default) leaves a sequence as it is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Chance of each token to be dropped.
    pub drop: f32,
    /// Chance of each remaining token to become the mask token.
    pub mask: f32,
    /// Chance of each remaining token to become another token drawn evenly from the vocabulary.
    pub swap: f32,
    /// How many places a token may move, at most.
    pub shuffle: f32,
}

/// A noise setting that makes no sense.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum NoiseError {
    /// A chance outside 0 to 1.
    #[error("noise.{field} is {value}: it is a chance and must be between 0 and 1")]
    Chance {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f32,
    },
    /// Mask and swap together above 1.
    #[error("noise.mask + noise.swap is {0}: a token is masked or swapped, so they must not exceed 1 together")]
    MaskAndSwap(f32),
    /// A window that is negative or not finite.
    #[error("noise.shuffle is {0}: it is a number of places and must be 0 or more")]
    Window(f32),
}

impl Noise {
    /// Says what is wrong with the numbers, if anything.
    pub fn validate(&self) -> Result<(), NoiseError> {
        for (field, value) in [("drop", self.drop), ("mask", self.mask), ("swap", self.swap)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(NoiseError::Chance { field, value });
            }
        }
        if self.mask + self.swap > 1.0 + f32::EPSILON {
            return Err(NoiseError::MaskAndSwap(self.mask + self.swap));
        }
        if !(self.shuffle >= 0.0 && self.shuffle.is_finite()) {
            return Err(NoiseError::Window(self.shuffle));
        }
        Ok(())
    }

    /// True when [`Self::apply`] copies.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the corrupted `tokens` to `out` (cleared first). `vocab` is the vocabulary size;
    /// random tokens are never special ones. A sequence that is not empty stays so: if every
    /// token would be dropped, one drawn at random is kept.
    pub fn apply(&self, tokens: &[u32], vocab: usize, rng: &mut impl Rng, out: &mut Vec<u32>) {
        out.clear();
        if self.is_none() || tokens.is_empty() {
            out.extend_from_slice(tokens);
            return;
        }
        if self.drop > 0.0 {
            out.extend(tokens.iter().filter(|_| !chance(self.drop, rng)));
            if out.is_empty() {
                out.push(tokens[rng.random_range(0..tokens.len() as u64) as usize]);
            }
        } else {
            out.extend_from_slice(tokens);
        }
        if self.shuffle > 0.0 {
            shuffle_within(self.shuffle, rng, out);
        }
        if self.mask > 0.0 || self.swap > 0.0 {
            for token in out {
                let u = rng.random::<f32>();
                if u < self.mask {
                    *token = MASK;
                } else if u < self.mask + self.swap && vocab > SPECIALS as usize {
                    *token = rng.random_range(SPECIALS..vocab as u32);
                }
            }
        }
    }
}

fn chance(p: f32, rng: &mut impl Rng) -> bool {
    rng.random::<f32>() < p
}

fn shuffle_within(window: f32, rng: &mut impl Rng, tokens: &mut [u32]) {
    let reach = f64::from(window) + 1.0;
    let mut keyed: Vec<(f64, u32)> =
        tokens.iter().enumerate().map(|(i, &t)| (i as f64 + reach * rng.random::<f64>(), t)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (slot, (_, token)) in tokens.iter_mut().zip(keyed) {
        *slot = token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    fn apply(noise: Noise, tokens: &[u32], seed: u64) -> Vec<u32> {
        let mut out = Vec::new();
        noise.apply(tokens, 1000, &mut ChaCha8Rng::seed_from_u64(seed), &mut out);
        out
    }

    const NONE: Noise = Noise { drop: 0.0, mask: 0.0, swap: 0.0, shuffle: 0.0 };

    proptest! {
        #[test]
        fn nothing_moves_further_than_the_window(n in 1u32..60, k in 0u32..9, seed: u64) {
            let tokens: Vec<u32> = (0..n).collect();
            let out = apply(Noise { shuffle: k as f32, ..NONE }, &tokens, seed);
            for (place, &token) in out.iter().enumerate() {
                prop_assert!((place as i64 - i64::from(token)).abs() <= i64::from(k));
            }
            let mut sorted = out.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, tokens);
        }

        #[test]
        fn never_empties(n in 1u32..20, drop in 0f32..=1.0, seed: u64) {
            let tokens: Vec<u32> = (3..3 + n).collect();
            let out = apply(Noise { drop, ..NONE }, &tokens, seed);
            prop_assert!(!out.is_empty());
            prop_assert!(out.windows(2).all(|w| w[0] < w[1]), "dropping keeps the order");
        }
    }

    #[test]
    fn zero_is_the_identity_and_empty_stays_empty() {
        assert_eq!(apply(NONE, &[5, 6, 7], 1), [5, 6, 7]);
        let all = Noise { drop: 0.5, mask: 0.2, swap: 0.2, shuffle: 3.0 };
        assert!(apply(all, &[], 1).is_empty());
        assert_eq!(apply(all, &[5, 6, 7, 8], 1), apply(all, &[5, 6, 7, 8], 1));
    }

    #[test]
    fn rates_are_as_asked() {
        let tokens = vec![500; 100_000];
        let kept = apply(Noise { drop: 0.3, ..NONE }, &tokens, 1).len() as f64 / 1e5;
        assert!((kept - 0.7).abs() < 0.01, "{kept}");
        let out = apply(Noise { mask: 0.2, swap: 0.1, ..NONE }, &tokens, 2);
        let masked = out.iter().filter(|&&t| t == MASK).count() as f64 / 1e5;
        let swapped = out.iter().filter(|&&t| t != MASK && t != 500).count() as f64 / 1e5;
        assert!((masked - 0.2).abs() < 0.01, "{masked}");
        assert!((swapped - 0.1).abs() < 0.01, "{swapped}");
        assert!(out.iter().all(|&t| t == MASK || (SPECIALS..1000).contains(&t)));
    }

    #[test]
    fn shuffling_shuffles() {
        let tokens: Vec<u32> = (0..1000).collect();
        let moved = apply(Noise { shuffle: 3.0, ..NONE }, &tokens, 4);
        let out_of_place = (0..1000).filter(|&i| moved[i] != i as u32).count();
        assert!(out_of_place > 500, "{out_of_place}");
    }

    #[test]
    fn bad_numbers_are_named() {
        let error = Noise { drop: 1.5, ..NONE }.validate().unwrap_err();
        assert!(error.to_string().contains("noise.drop is 1.5"));
        assert!(Noise { shuffle: -1.0, ..NONE }.validate().is_err());
        assert!(Noise { mask: 0.7, swap: 0.7, ..NONE }.validate().is_err());
        assert!(serde_json::from_str::<Noise>(r#"{"dropp":0.1}"#).is_err());
        assert_eq!(serde_json::from_str::<Noise>("{}").unwrap(), NONE);
    }
}

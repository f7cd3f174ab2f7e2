//! Reranking: several candidates for each text, of which the one with the best score is kept.
//!
//! A score is anything that gives each candidate a number ([`Score`]): how much it tells of its latent
//! ([`Information`], [`Against`]), whether it leads back to it ([`Verification`]), or how real it looks ([`Realness`]). A text's candidates are drawn with
//! seeds of their own, the first with the seed that it would have had alone.

mod against;
mod information;
mod realness;
mod verification;

pub use against::Against;
pub use information::Information;
pub use realness::Realness;
pub use verification::Verification;

use crate::{Decoding, Error, Latents, Model};

/// What separates the seeds of a text's candidates (the golden ratio in 64 bits).
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Candidates for some texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// The latents of the texts (n, Z).
    pub latents: Latents,
    /// Candidates of a text, k.
    pub each: usize,
    /// The candidates (n k), text by text.
    pub texts: Vec<String>,
}

impl Candidates {
    /// The latent of each candidate (n k, Z), row-major.
    pub fn own_latents(&self) -> Vec<f32> {
        (0..self.texts.len()).flat_map(|i| self.latents.row(i / self.each)).copied().collect()
    }

    /// The candidate of each text with the highest score, the first among equals; one that has no number counts as worst.
    ///
    /// # Panics
    /// If there is not one score for each candidate.
    pub fn best(self, scores: &[f64]) -> Vec<String> {
        assert_eq!(scores.len(), self.texts.len(), "one score for each candidate");
        let score = |i: usize| if scores[i].is_nan() { f64::NEG_INFINITY } else { scores[i] };
        let of = |first: usize| (first..first + self.each).fold(first, |a, b| if score(b) > score(a) { b } else { a });
        let mut texts = self.texts;
        (0..self.latents.len()).map(|text| of(text * self.each)).map(|i| std::mem::take(&mut texts[i])).collect()
    }
}

/// Gives each candidate a number; the higher, the better. A candidate's number must not depend on the others'.
pub trait Score {
    /// The scores (n k), in order.
    ///
    /// # Errors
    /// If the model behind it cannot score such candidates.
    fn score(&mut self, candidates: &Candidates) -> Result<Vec<f64>, Error>;
}

impl Model {
    /// `each` candidates for each latent; otherwise as [`Model::decode_part`].
    ///
    /// # Errors
    /// As [`Model::decode_part`], and [`Error::SameCandidates`] where nothing is drawn.
    pub fn candidates(
        &self,
        (latents, first): (&Latents, usize),
        each: usize,
        decoding: &Decoding,
        seed: u64,
    ) -> Result<Candidates, Error> {
        let options = decoding.options.as_ref().unwrap_or(&self.config.decoding);
        if options.temperature <= 0.0 && each > 1 {
            return Err(Error::SameCandidates);
        }
        let seeds: Vec<u64> = Self::row_seeds(seed, first, latents.len())
            .into_iter()
            .flat_map(|seed| (0..each as u64).map(move |i| seed.wrapping_add(i.wrapping_mul(STRIDE))))
            .collect();
        let rows: Vec<f32> =
            (0..latents.len()).flat_map(|i| std::iter::repeat_n(latents.row(i), each)).flatten().copied().collect();
        let own = match latents.dim() {
            0 => Latents::without_values(seeds.len()),
            dim => Latents::new(rows, dim),
        };
        let texts = self.decode_rows(&own, decoding, &seeds)?.into_iter().map(|row| row.text).collect();
        Ok(Candidates { latents: latents.clone(), each, texts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_text_is_kept() {
        let texts = ["a", "b", "c", "d", "e", "f"].map(String::from).to_vec();
        let candidates = Candidates { latents: Latents::without_values(2), each: 3, texts };
        assert_eq!(candidates.clone().best(&[1.0, 3.0, 3.0, f64::NAN, -2.0, -1.0]), ["b", "f"]);
        assert_eq!(candidates.best(&[f64::NAN; 6]), ["a", "d"]);
    }
}

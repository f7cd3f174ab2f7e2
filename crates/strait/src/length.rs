//! Latents that are about as long as is wanted: a latent knows how long its text is, and a text that is drawn out or cut
//! short against its latent reads badly.

use strait_text::tokenizer::WordCount;

use crate::{Decoding, Draws, Error, Latents, Model};

/// Latents among which one is chosen.
const AMONG: usize = 8;

impl Model {
    /// The next `n` latents of `draws` for [`Model::decode_part`] with the same arguments: where the decoding wants about so
    /// many words, of every eight the one whose text comes nearest by itself. `first` and `seed` are those of the decoding.
    ///
    /// # Errors
    /// As [`Model::decode_part`].
    pub fn take_draws(
        &self,
        (draws, n): (&mut Draws<'_>, usize),
        (decoding, first, seed): (&Decoding, usize, u64),
    ) -> Result<Latents, Error> {
        let Some(options) = decoding.options.as_ref().filter(|o| o.about_words > 0 && self.latent_size() > 0) else {
            return Ok(draws.take(n));
        };
        let wanted = options.about_words;
        let mut free = decoding.clone();
        free.options = Some(strait_model::decoding::Options { about_words: 0, ..options.clone() });
        let all = draws.take(n * AMONG);
        let seeds: Vec<u64> =
            Self::row_seeds(seed, first, n).into_iter().flat_map(|seed| std::iter::repeat_n(seed, AMONG)).collect();
        let texts = self.decode_rows(&all, &free, &seeds)?;
        let off = |i: &usize| usize::from(WordCount::of(&texts[*i].text, false).words).abs_diff(wanted);
        let nearest = |text: usize| (text * AMONG..(text + 1) * AMONG).min_by_key(off).unwrap_or(text * AMONG);
        Ok(Latents::new((0..n).map(nearest).flat_map(|i| all.row(i)).copied().collect(), all.dim()))
    }
}

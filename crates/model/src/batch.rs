//! Batches as the network reads them: packed sequences of ids, clean and corrupted.

use std::sync::Arc;

use rand::{Rng, RngExt};
use strait_engine::Packing;
use strait_text::{
    Noise,
    tokenizer::{BOS, EOS, MASK},
};

/// Sequences sorted by falling length and packed; remembers where each came from.
#[derive(Debug, Clone)]
pub struct Sequences {
    /// How they lie.
    pub packing: Arc<Packing>,
    /// Ids in packed order, (N).
    pub ids: Vec<u32>,
    /// `order[b]` is the place in the caller's list of the b-th packed sequence.
    pub order: Vec<u32>,
}

impl Sequences {
    /// Packs sequences of at least one id each, in any order; equal lengths keep the caller's order.
    pub fn new(sequences: &[&[u32]]) -> Self {
        let mut order: Vec<u32> = (0..sequences.len() as u32).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(sequences[i as usize].len()));
        let sorted: Vec<&[u32]> = order.iter().map(|&i| sequences[i as usize]).collect();
        let lengths: Vec<usize> = sorted.iter().map(|s| s.len()).collect();
        let packing = Packing::new(&lengths);
        let mut ids = Vec::with_capacity(packing.rows());
        packing.pack(&sorted, &mut ids);
        Sequences { packing: Arc::new(packing), ids, order }
    }

    /// Packs texts as an encoder reads them: each closed by the end symbol, so that none is empty.
    pub fn sources<T: AsRef<[u32]>>(texts: &[T]) -> Self {
        let closed: Vec<Vec<u32>> = texts.iter().map(|t| close(t.as_ref())).collect();
        Sequences::new(&closed.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// `place[i]` is the packed position of the caller's i-th sequence: the inverse of `order`.
    pub fn places(&self) -> Vec<u32> {
        let mut place = vec![0; self.order.len()];
        for (b, &i) in self.order.iter().enumerate() {
            place[i as usize] = b as u32;
        }
        place
    }
}

fn close(ids: &[u32]) -> Vec<u32> {
    ids.iter().copied().chain([EOS]).collect()
}

/// What an autoencoder trains on: corrupted sources, and the targets to be predicted from them.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The encoder's input, perhaps corrupted.
    pub source: Sequences,
    /// Packed position in `source` of each target sequence, (B).
    pub source_of: Vec<u32>,
    /// How the targets lie.
    pub packing: Arc<Packing>,
    /// What the decoder is fed: the begin symbol and the text, perhaps with masks, (N).
    pub inputs: Vec<u32>,
    /// What it must predict: the text and the end symbol, (N).
    pub targets: Vec<u32>,
}

/// How a batch is corrupted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Corruption<'a> {
    /// Noise on the encoder's input.
    pub noise: Option<&'a Noise>,
    /// Chance that a token fed to the decoder is masked.
    pub word_dropout: f32,
    /// Size of the vocabulary, for random tokens.
    pub vocabulary: usize,
}

impl Batch {
    /// From texts in any order, each its own target.
    pub fn new<T: AsRef<[u32]>>(texts: &[T], corruption: Corruption<'_>, rng: &mut impl Rng) -> Self {
        Batch::of_pairs(texts, texts, corruption, rng)
    }

    /// From sources and their targets, pairs in any order.
    ///
    /// # Panics
    /// If there is not one target for each source.
    pub fn of_pairs<S: AsRef<[u32]>, T: AsRef<[u32]>>(
        sources: &[S],
        texts: &[T],
        corruption: Corruption<'_>,
        rng: &mut impl Rng,
    ) -> Self {
        assert_eq!(sources.len(), texts.len(), "one target for each source");
        let mut noisy = Vec::new();
        let sources: Vec<Vec<u32>> = sources
            .iter()
            .map(|t| match corruption.noise {
                Some(noise) => {
                    noise.apply(t.as_ref(), corruption.vocabulary, rng, &mut noisy);
                    close(&noisy)
                }
                None => close(t.as_ref()),
            })
            .collect();
        let source = Sequences::new(&sources.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let closed: Vec<Vec<u32>> = texts.iter().map(|t| close(t.as_ref())).collect();
        let target = Sequences::new(&closed.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let places = source.places();
        let source_of = target.order.iter().map(|&i| places[i as usize]).collect();
        let fed: Vec<Vec<u32>> = target
            .order
            .iter()
            .map(|&i| {
                let text = texts[i as usize].as_ref();
                let masked = text.iter().map(|&id| if drops(corruption.word_dropout, rng) { MASK } else { id });
                std::iter::once(BOS).chain(masked).collect()
            })
            .collect();
        let mut inputs = Vec::with_capacity(target.ids.len());
        target.packing.pack(&fed.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut inputs);
        Batch { source, source_of, packing: target.packing, inputs, targets: target.ids }
    }

    /// The packed order of the targets of `texts`: `order[b]` is the place in `texts` of the b-th packed sequence.
    pub fn order<T: AsRef<[u32]>>(texts: &[T]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(texts[i as usize].as_ref().len()));
        order
    }

    /// The targets as an encoder reads them, in packed order.
    pub(crate) fn whole_targets(&self) -> Sequences {
        let order = (0..self.packing.batch() as u32).collect();
        Sequences { packing: self.packing.clone(), ids: self.targets.clone(), order }
    }

    /// The packed target of each packed source: the inverse of `source_of`.
    pub(crate) fn target_of(&self) -> Vec<u32> {
        let mut of = vec![0; self.source_of.len()];
        self.source_of.iter().enumerate().for_each(|(target, &source)| of[source as usize] = target as u32);
        of
    }

    /// Number of tokens to predict, end symbols included.
    pub fn tokens(&self) -> usize {
        self.targets.len()
    }
}

fn drops(chance: f32, rng: &mut impl Rng) -> bool {
    chance > 0.0 && rng.random::<f32>() < chance
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn targets_find_their_sources() {
        let texts: [&[u32]; 3] = [&[7], &[8, 9, 10], &[]];
        let noise = Noise { drop: 0.6, ..Noise::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..50 {
            let corruption = Corruption { noise: Some(&noise), word_dropout: 0.5, vocabulary: 20 };
            let b = Batch::new(&texts, corruption, &mut rng);
            assert_eq!(b.targets, [8, 7, EOS, 9, EOS, 10, EOS]);
            assert_eq!(b.inputs[..3], [BOS; 3]);
            assert!([9, MASK].contains(&b.inputs[5]) || b.inputs[5] == 8 || b.inputs[5] == MASK);
            for (row, &place) in b.source_of.iter().enumerate() {
                let text = texts[[1, 0, 2][row]];
                let first = b.source.ids[b.source.packing.row(place as usize, 0)];
                assert!(text.contains(&first) || (text.is_empty() && first == EOS));
            }
        }
    }

    #[test]
    fn places_invert_order() {
        let s = Sequences::new(&[&[1], &[1, 2, 3], &[1, 2]]);
        assert_eq!((s.order.clone(), s.places()), (vec![1, 2, 0], vec![2, 0, 1]));
    }
}

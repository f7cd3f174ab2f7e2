//! The held-out texts with their ids.

use strait_eval::Unit;
use strait_text::Tokenizer;

use crate::counts::Counts;

/// Texts, the ids that the model reads, and how they are cut into words.
#[derive(Debug, Clone)]
pub(crate) struct Material<'a> {
    pub texts: Vec<&'a str>,
    pub ids: Vec<&'a [u32]>,
    pub unit: Unit,
}

impl<'a> Material<'a> {
    /// Of texts and their ids, in the same order.
    pub fn new(texts: &'a [String], ids: &'a [Vec<u32>], unit: Unit) -> Self {
        let ids = ids.iter().map(Vec::as_slice).collect();
        Material { texts: texts.iter().map(String::as_str).collect(), ids, unit }
    }

    /// The texts at `places`.
    pub fn part(&self, places: &[usize]) -> Self {
        Material {
            texts: places.iter().map(|&i| self.texts[i]).collect(),
            ids: places.iter().map(|&i| self.ids[i]).collect(),
            unit: self.unit,
        }
    }

    /// Their sizes.
    pub fn counts(&self, tokenizer: &Tokenizer) -> Counts {
        Counts::new(&self.texts, &self.ids, self.unit, tokenizer)
    }
}

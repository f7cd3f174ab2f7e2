//! n-grams that a row must not complete: those of texts that are not to be copied.

use std::collections::HashMap;

/// The n-grams of some token sequences, by their first n - 1 tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blocked {
    n: usize,
    next: HashMap<Box<[u32]>, Vec<u32>>,
}

impl Blocked {
    /// All runs of `n` tokens in `texts`; none for n = 0.
    ///
    /// ```
    /// use strait_model::decoding::Blocked;
    /// let blocked = Blocked::new(3, &[vec![5, 6, 7, 8], vec![5, 6, 9]]);
    /// assert_eq!((blocked.after(&[1, 5, 6]), blocked.after(&[6]), blocked.len()), (&[7, 9][..], &[][..], 3));
    /// ```
    pub fn new<T: AsRef<[u32]>>(n: usize, texts: &[T]) -> Self {
        let mut next: HashMap<Box<[u32]>, Vec<u32>> = HashMap::new();
        for run in texts.iter().flat_map(|t| t.as_ref().windows(n.max(1))).filter(|_| n > 0) {
            let Some((&last, beginning)) = run.split_last() else { continue };
            let known = next.entry(beginning.into()).or_default();
            if let Err(at) = known.binary_search(&last) {
                known.insert(at, last);
            }
        }
        Blocked { n, next }
    }

    /// The tokens that would complete an n-gram after `history`, rising.
    pub fn after(&self, history: &[u32]) -> &[u32] {
        let beginning = self.n.checked_sub(1).and_then(|n| history.get(history.len().checked_sub(n)?..));
        beginning.and_then(|b| self.next.get(b)).map_or(&[], Vec::as_slice)
    }

    /// Number of different n-grams.
    pub fn len(&self) -> usize {
        self.next.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }
}

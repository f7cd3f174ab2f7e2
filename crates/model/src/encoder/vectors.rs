//! Vectors of texts that are not trained here: of a published encoder, or of anyone's.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use strait_pretrained::SentenceEncoder;
use strait_text::Tokenizer;

/// Texts whose vectors are kept after they were asked for.
const KEPT: usize = 1 << 16;

/// The vectors of texts, by their token ids.
pub struct Vectors {
    columns: usize,
    /// Rows of the texts that were given.
    known: HashMap<Vec<u32>, usize>,
    rows: Vec<f32>,
    /// What gives the vectors of other texts, and what turns their ids into text.
    encoder: Option<(SentenceEncoder, Tokenizer)>,
    asked: Mutex<HashMap<Vec<u32>, Vec<f32>>>,
}

impl Vectors {
    /// Of the texts that are given with [`Vectors::know`] alone, `columns` numbers each.
    pub fn given(columns: usize) -> Self {
        let (known, rows, asked) = Default::default();
        Vectors { columns, known, rows, encoder: None, asked }
    }

    /// Of any text: `encoder`'s. `tokenizer` is the model's own.
    pub fn of(encoder: SentenceEncoder, tokenizer: Tokenizer) -> Self {
        let columns = encoder.width();
        Vectors { encoder: Some((encoder, tokenizer)), ..Vectors::given(columns) }
    }

    /// Numbers in a vector.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Whether every text has a vector.
    pub fn encodes(&self) -> bool {
        self.encoder.is_some()
    }

    /// Gives the vectors `rows` (n, columns) of `texts` (n); of equal texts the first one's counts.
    ///
    /// # Panics
    /// If there is not one row for each text.
    pub fn know<T: AsRef<[u32]>>(&mut self, texts: &[T], rows: &[f32]) {
        assert_eq!(rows.len(), texts.len() * self.columns, "one vector for each text");
        for (text, row) in texts.iter().zip(rows.chunks_exact(self.columns.max(1))) {
            if !self.known.contains_key(text.as_ref()) {
                self.known.insert(text.as_ref().to_vec(), self.known.len());
                self.rows.extend_from_slice(row);
            }
        }
    }

    /// The vectors of texts (n, columns), row-major; NaN for a text that was not given where there is no encoder.
    pub fn rows(&self, texts: &[Vec<u32>]) -> Vec<f32> {
        let mut out = vec![f32::NAN; texts.len() * self.columns];
        let mut unknown = Vec::new();
        {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            for (i, (text, out)) in texts.iter().zip(out.chunks_exact_mut(self.columns)).enumerate() {
                let row = self.known.get(text).map(|&row| &self.rows[row * self.columns..][..self.columns]);
                match row.or_else(|| asked.get(text).map(Vec::as_slice)) {
                    Some(row) => out.copy_from_slice(row),
                    None => unknown.push(i),
                }
            }
        }
        let Some((encoder, tokenizer)) = self.encoder.as_ref().filter(|_| !unknown.is_empty()) else { return out };
        let said: Vec<String> = unknown.iter().map(|&i| tokenizer.decode(&texts[i])).collect();
        let found = encoder.encode(&said);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        for (&i, row) in unknown.iter().zip(found.chunks_exact(self.columns)) {
            out[i * self.columns..][..self.columns].copy_from_slice(row);
            if asked.len() < KEPT {
                asked.insert(texts[i].clone(), row.to_vec());
            }
        }
        out
    }
}

impl std::fmt::Debug for Vectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vectors of {} columns, {} texts, encoder: {}", self.columns, self.known.len(), self.encodes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_vectors_are_found_by_their_text() {
        let mut vectors = Vectors::given(2);
        vectors.know(&[vec![5, 6], vec![], vec![5, 6]], &[1.0, 2.0, 3.0, 4.0, 9.0, 9.0]);
        vectors.know(&[vec![7]], &[5.0, 6.0]);
        let rows = vectors.rows(&[vec![7], vec![5, 6], vec![8], vec![]]);
        assert_eq!((&rows[..4], &rows[6..]), (&[5.0, 6.0, 1.0, 2.0][..], &[3.0, 4.0][..]));
        assert!(rows[4].is_nan() && rows[5].is_nan() && !vectors.encodes());
    }
}

//! What an encoder needs beside the recipe, kept in the training's folder: the vectors that a frozen one reads, made once
//! before the first step, or the published network that is trained on.
//!
//! | file | what |
//! |---|---|
//! | `vectors.safetensors` | the vectors of the training and then of the validation texts, `vectors` (n, columns) |
//! | `encoder/` | a copy of the published encoder's folder, which goes into the model's; of one that is trained on without its weights, which are among the model's |

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use strait_model::{
    Outside, Published, Recipe, Vectors,
    config::NetworkKind,
    folder::{ENCODER, FolderError, write_flushed},
    weights,
};
use strait_pretrained::{SentenceEncoder, files_of};
use strait_text::Tokenizer;

use crate::{Event, Listener, TrainError, parts};

const FILE: &str = "vectors.safetensors";
/// Texts encoded between two events.
const PART: usize = 1024;

/// Vectors that somebody else's encoder gave.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenVectors {
    /// Numbers in each.
    pub columns: usize,
    /// Of the training and of the validation texts, row-major.
    pub train: Vec<f32>,
    pub valid: Vec<f32>,
}

/// What the encoder of a training needs.
pub(crate) struct Given {
    columns: usize,
    /// The vectors of the training and then of the validation texts; none of an encoder that is trained on.
    rows: Vec<f32>,
    encoder: Option<(PathBuf, SentenceEncoder)>,
    tuned: bool,
}

impl Given {
    /// Opens the encoder that the recipe names, which lies in `dir`, and encodes the texts, unless their vectors are given or it is trained on;
    /// none if the recipe's encoder needs nothing. `weights` says whether those of one that is trained on are in its folder.
    pub(crate) fn prepare(
        recipe: &Recipe,
        dir: PathBuf,
        (given, weights): (Option<GivenVectors>, bool),
        (train, valid): (&[String], &[String]),
        listener: &mut dyn Listener,
    ) -> Result<Option<Given>, TrainError> {
        let wanted = &recipe.encoder;
        if !wanted.kind.is_given() {
            return Ok(None);
        }
        if wanted.kind == NetworkKind::Tuned {
            if wanted.folder.is_empty() || given.is_some() {
                return Err(TrainError::NoEncoder);
            }
            let encoder = if weights { SentenceEncoder::open(&dir)? } else { SentenceEncoder::open_untrained(&dir)? };
            return Ok(Some(Given::tuned(dir, encoder)));
        }
        let encoder = match wanted.kind {
            NetworkKind::Pretrained if wanted.folder.is_empty() => return Err(TrainError::NoVectors),
            NetworkKind::Pretrained => {
                let encoder = SentenceEncoder::open(&dir)?;
                Some((dir, encoder))
            }
            _ => None,
        };
        let frozen = match (given, encoder) {
            (Some(given), encoder) => {
                let width = encoder.as_ref().map_or(given.columns, |(_, e)| e.width());
                if given.columns != width {
                    return Err(TrainError::OtherVectors { found: given.columns, expected: width });
                }
                let rows = [given.train, given.valid].concat();
                if rows.iter().any(|v| !v.is_finite()) || rows.len() != (train.len() + valid.len()) * given.columns {
                    return Err(TrainError::BadVectors);
                }
                Given { columns: given.columns, rows, encoder, tuned: false }
            }
            (None, Some((dir, encoder))) => {
                let rows = encode(&encoder, (train, valid), listener);
                Given { columns: encoder.width(), rows, encoder: Some((dir, encoder)), tuned: false }
            }
            (None, None) => return Err(TrainError::NoVectors),
        };
        Ok(Some(frozen))
    }

    fn tuned(dir: PathBuf, encoder: SentenceEncoder) -> Self {
        Given { columns: encoder.width(), rows: Vec::new(), encoder: Some((dir, encoder)), tuned: true }
    }

    /// Numbers in a vector.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Writes the files of a training's folder.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), TrainError> {
        if !self.tuned {
            let shape = (self.rows.len() / self.columns, self.columns);
            let tensor = ("vectors".to_string(), shape, &self.rows[..]);
            write_flushed(&dir.join(FILE), &weights::tensors_to_bytes(std::iter::once(tensor), &[])?)?;
        }
        let Some((from, _)) = &self.encoder else { return Ok(()) };
        parts::copy(from, &dir.join(ENCODER), self.tuned)
    }

    /// As the model takes it; `ids` are those of the training and of the validation texts.
    pub(crate) fn outside(self, tokenizer: &Tokenizer, ids: [&[Vec<u32>]; 2]) -> Outside {
        let mut vectors = match self.encoder {
            Some((_, encoder)) if self.tuned => {
                return Outside::Published(Arc::new(Published { encoder, tokenizer: tokenizer.clone() }));
            }
            Some((_, encoder)) => Vectors::of(encoder, tokenizer.clone()),
            None => Vectors::given(self.columns),
        };
        let (train, valid) = self.rows.split_at(ids[0].len() * self.columns);
        vectors.know(ids[0], train);
        vectors.know(ids[1], valid);
        Outside::Vectors(Arc::new(vectors))
    }

    /// Reads what [`Given::write`] wrote.
    pub(crate) fn read(dir: &Path, recipe: &Recipe, texts: usize) -> Result<Option<Given>, TrainError> {
        let wanted = &recipe.encoder;
        if !wanted.kind.is_given() {
            return Ok(None);
        }
        if wanted.kind == NetworkKind::Tuned {
            let place = dir.join(ENCODER);
            // A training's checkpoint has the weights.
            let open = if files_of(&place).is_ok() { SentenceEncoder::open } else { SentenceEncoder::open_untrained };
            let encoder = open(&place)?;
            return Ok(Some(Given::tuned(place, encoder)));
        }
        let file = dir.join(FILE);
        let bytes =
            fs::read(&file).map_err(|source| FolderError::Io { path: file.clone(), what: "read the file", source })?;
        let mut rows = Vec::new();
        let damaged = |why: String| TrainError::Damaged { file: file.clone(), why };
        weights::read(&bytes, |_, values| {
            rows = values;
            Ok(())
        })
        .map_err(|e| damaged(e.to_string()))?;
        if rows.len() != texts * wanted.columns {
            return Err(damaged("it does not hold one vector for each text".into()));
        }
        let encoder = (wanted.kind == NetworkKind::Pretrained).then(|| {
            let place = dir.join(ENCODER);
            Ok::<_, TrainError>((place.clone(), SentenceEncoder::open(&place)?))
        });
        Ok(Some(Given { columns: wanted.columns, rows, encoder: encoder.transpose()?, tuned: false }))
    }
}

fn encode(encoder: &SentenceEncoder, (train, valid): (&[String], &[String]), listener: &mut dyn Listener) -> Vec<f32> {
    let of = train.len() + valid.len();
    let mut rows = Vec::with_capacity(of * encoder.width());
    for part in train.chunks(PART).chain(valid.chunks(PART)) {
        listener.hear(&Event::Encoding { done: rows.len() / encoder.width(), of });
        rows.extend(encoder.encode(part));
    }
    rows
}

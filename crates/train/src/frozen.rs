//! The vectors that a frozen encoder reads: made once before the first step, kept in the training's folder.
//!
//! | file | what |
//! |---|---|
//! | `vectors.safetensors` | the vectors of the training and then of the validation texts, `vectors` (n, columns) |
//! | `encoder/` | with a pretrained encoder: a copy of its published folder, which goes into the model's |

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use strait_model::{
    Recipe, Vectors,
    config::NetworkKind,
    folder::{ENCODER, FolderError, write_flushed},
    weights,
};
use strait_pretrained::{SentenceEncoder, files_of};
use strait_text::Tokenizer;

use crate::{Event, Listener, TrainError};

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

/// The vectors of a training's texts.
pub(crate) struct Frozen {
    columns: usize,
    /// Of the training and then of the validation texts.
    rows: Vec<f32>,
    encoder: Option<(PathBuf, SentenceEncoder)>,
}

impl Frozen {
    /// Opens the encoder that the recipe names and encodes the texts, unless their vectors are given; none if the recipe's
    /// encoder is trained.
    pub(crate) fn prepare(
        recipe: &Recipe,
        given: Option<GivenVectors>,
        (train, valid): (&[String], &[String]),
        listener: &mut dyn Listener,
    ) -> Result<Option<Frozen>, TrainError> {
        let wanted = &recipe.encoder;
        if !wanted.kind.is_frozen() {
            return Ok(None);
        }
        let encoder = match wanted.kind {
            NetworkKind::Pretrained if wanted.folder.is_empty() => return Err(TrainError::NoVectors),
            NetworkKind::Pretrained => {
                let dir = PathBuf::from(&wanted.folder);
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
                Frozen { columns: given.columns, rows, encoder }
            }
            (None, Some((dir, encoder))) => {
                let rows = encode(&encoder, (train, valid), listener);
                Frozen { columns: encoder.width(), rows, encoder: Some((dir, encoder)) }
            }
            (None, None) => return Err(TrainError::NoVectors),
        };
        Ok(Some(frozen))
    }

    /// Numbers in a vector.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Writes the files of a training's folder.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), TrainError> {
        let shape = (self.rows.len() / self.columns, self.columns);
        let tensor = ("vectors".to_string(), shape, &self.rows[..]);
        write_flushed(&dir.join(FILE), &weights::tensors_to_bytes(std::iter::once(tensor), &[])?)?;
        let Some((from, _)) = &self.encoder else { return Ok(()) };
        for name in files_of(from)? {
            let to = dir.join(ENCODER).join(&name);
            let copy = |to: &Path| {
                fs::create_dir_all(to.parent().unwrap_or(dir))?;
                fs::copy(from.join(&name), to)
            };
            copy(&to).map_err(|source| FolderError::Io { path: to, what: "copy the encoder to the file", source })?;
        }
        Ok(())
    }

    /// As the model reads them.
    pub(crate) fn vectors(self, tokenizer: &Tokenizer, ids: [&[Vec<u32>]; 2]) -> Arc<Vectors> {
        let mut vectors = match self.encoder {
            Some((_, encoder)) => Vectors::of(encoder, tokenizer.clone()),
            None => Vectors::given(self.columns),
        };
        let (train, valid) = self.rows.split_at(ids[0].len() * self.columns);
        vectors.know(ids[0], train);
        vectors.know(ids[1], valid);
        Arc::new(vectors)
    }

    /// Reads what [`Frozen::write`] wrote.
    pub(crate) fn read(dir: &Path, recipe: &Recipe, texts: usize) -> Result<Option<Frozen>, TrainError> {
        let wanted = &recipe.encoder;
        if !wanted.kind.is_frozen() {
            return Ok(None);
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
        Ok(Some(Frozen { columns: wanted.columns, rows, encoder: encoder.transpose()? }))
    }
}

/// The files of the encoder in a training's folder, with their names in the model's.
pub(crate) fn encoder_files(dir: &Path, recipe: &Recipe) -> Result<Vec<(String, Vec<u8>)>, TrainError> {
    if recipe.encoder.kind != NetworkKind::Pretrained {
        return Ok(Vec::new());
    }
    let place = dir.join(ENCODER);
    let file = |name: String| {
        let path = place.join(&name);
        match fs::read(&path) {
            Ok(bytes) => Ok((format!("{ENCODER}/{name}"), bytes)),
            Err(source) => Err(FolderError::Io { path, what: "read the file", source }.into()),
        }
    };
    files_of(&place)?.into_iter().map(file).collect()
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

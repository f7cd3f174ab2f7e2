//! Why a published folder cannot be used.

use std::{io, path::PathBuf};

/// Why a published folder cannot be used: every message names the file, and the tensor or key in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing there.
    #[error("{}: there is no such folder", .0.display())]
    Absent(PathBuf),
    /// Something else than a published model.
    #[error("{}: not a published model (it has no config.json with a model_type)", .0.display())]
    NotAModel(PathBuf),
    /// A file is gone.
    #[error("{}: the file is missing", .0.display())]
    Missing(PathBuf),
    /// Weights as a program.
    #[error(
        "{}: its weights are a pickle (pytorch_model.bin), which may run any program when it is opened and is never \
         opened here; take the folder's model.safetensors, or make one where you trust the pickle: \
         `model.save_pretrained(DIR, safe_serialization=True)`",
        .0.display()
    )]
    Pickle(PathBuf),
    /// Not the JSON that it should be.
    #[error("{}: {why}", file.display())]
    Json {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A value that cannot be.
    #[error("{}: `{key}` {why}", file.display())]
    Key {
        /// Which file.
        file: PathBuf,
        /// The key in it.
        key: String,
        /// What is wrong with its value.
        why: String,
    },
    /// A network that is not read.
    #[error("{}: `model_type` is {found:?}; {expected} are read", file.display())]
    Architecture {
        /// Which file.
        file: PathBuf,
        /// Its model.
        found: String,
        /// What is read there.
        expected: &'static str,
    },
    /// Not a whole safetensors file.
    #[error("{}: it is not a whole safetensors file ({why}); fetch it again", file.display())]
    Weights {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A tensor is not there.
    #[error("{}: there is no tensor `{name}`, which config.json calls for", file.display())]
    NoTensor {
        /// Where it was looked for.
        file: PathBuf,
        /// Its name.
        name: String,
    },
    /// A tensor has another shape than config.json says.
    #[error("{}: tensor `{name}` has the shape {found:?}, but {expected:?} follows from config.json", file.display())]
    Shape {
        /// Which file.
        file: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The one that was expected.
        expected: Vec<usize>,
    },
    /// A tensor of another type.
    #[error("{}: tensor `{name}` holds {found}; F32, F16 and BF16 are read", file.display())]
    Type {
        /// Which file.
        file: PathBuf,
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor with a number that is none.
    #[error("{}: tensor `{name}` holds a number that is not finite; fetch the file again", file.display())]
    NotFinite {
        /// Which file.
        file: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tokenizer that cannot be used.
    #[error("{}: {why}", file.display())]
    Tokenizer {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The system refused.
    #[error("{}: cannot read the file: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

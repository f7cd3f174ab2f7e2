//! Files of what was learned on a model's latents: JSON that names its layout's version and its model's checksum.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, TextEncoder};

/// Something learned on the latents of one model, of use with that model only.
pub(crate) trait Learned: Serialize + DeserializeOwned {
    /// What a message calls it.
    const NAME: &'static str;
    /// The command that makes it.
    const MADE_BY: &'static str;
    /// The version of the file's layout.
    const FORMAT: u32;

    /// The version of the layout that it was read from.
    fn format(&self) -> u32;
    /// Checksum of the model that it was learned on.
    fn model(&self) -> &str;
    /// Whether all its parts take latents of `dim` numbers.
    fn takes(&self, dim: usize) -> bool;
    /// Where its parts contradict each other, if they do.
    fn contradiction(&self) -> Option<&'static str>;
}

/// It as JSON.
pub(crate) fn to_bytes(learned: &impl Learned) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(learned).unwrap_or_default(); // names and finite numbers
    bytes.push(b'\n');
    bytes
}

/// Reads the file at `path` for `model`.
///
/// # Errors
/// [`Error::LearnedFile`] if it holds something else, is damaged, or belongs to another model.
pub(crate) fn open<T: Learned>(path: &Path, model: &dyn TextEncoder) -> Result<T, Error> {
    let fault = |why: String| Error::LearnedFile { file: path.into(), why };
    let bytes = std::fs::read(path).map_err(|e| fault(format!("cannot be read: {e}")))?;
    read(&bytes, path, model)
}

/// Reads the bytes of the file at `path` for `model`.
///
/// # Errors
/// As [`open`].
pub(crate) fn read<T: Learned>(bytes: &[u8], path: &Path, model: &dyn TextEncoder) -> Result<T, Error> {
    let fault = |why: String| Error::LearnedFile { file: path.into(), why };
    parse(bytes, model.checksum(), model.latent_size()).map_err(fault)
}

/// Reads what was learned on the model of `checksum`, whose latents have `dim` numbers; or says what is wrong.
fn parse<T: Learned>(bytes: &[u8], checksum: &str, dim: usize) -> Result<T, String> {
    let read: T = serde_json::from_slice(bytes).map_err(|e| format!("does not hold {}: {e}", T::NAME))?;
    if read.format() > T::FORMAT {
        return Err(format!("is written in format {}, newer than this program", read.format()));
    }
    if read.model() != checksum || !read.takes(dim) {
        return Err(format!("was made for another model; make it again with `{}`", T::MADE_BY));
    }
    match read.contradiction() {
        Some(what) => Err(format!("is damaged: {what}")),
        None => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Mean {
        format: u32,
        model: String,
        mean: Vec<f64>,
    }

    impl Learned for Mean {
        const NAME: &'static str = "a mean";
        const MADE_BY: &'static str = "strait mean";
        const FORMAT: u32 = 2;

        fn format(&self) -> u32 {
            self.format
        }
        fn model(&self) -> &str {
            &self.model
        }
        fn takes(&self, dim: usize) -> bool {
            self.mean.len() == dim
        }
        fn contradiction(&self) -> Option<&'static str> {
            self.mean.contains(&0.0).then_some("a zero")
        }
    }

    fn mean(format: u32, model: &str, mean: &[f64]) -> Mean {
        Mean { format, model: model.into(), mean: mean.into() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let own = mean(2, "abc", &[0.1, 1e300]);
        assert_eq!(parse::<Mean>(&to_bytes(&own), "abc", 2), Ok(own));
    }

    #[test]
    fn files_that_do_not_belong_are_refused() {
        let refused = |bytes: &[u8]| parse::<Mean>(bytes, "abc", 2).unwrap_err();
        assert!(refused(b"{}").starts_with("does not hold a mean: missing field"));
        assert!(refused(&to_bytes(&mean(2, "abc", &[1.0, 2.0]))[1..]).starts_with("does not hold a mean"));
        assert!(refused(&to_bytes(&mean(3, "other", &[]))).contains("format 3"), "a newer layout is told first");
        for other in [mean(2, "other", &[1.0, 2.0]), mean(1, "abc", &[1.0])] {
            assert_eq!(refused(&to_bytes(&other)), "was made for another model; make it again with `strait mean`");
        }
        assert_eq!(refused(&to_bytes(&mean(2, "abc", &[1.0, 0.0]))), "is damaged: a zero");
    }
}

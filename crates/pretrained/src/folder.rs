//! A published folder as files.

use std::path::Path;

use crate::{
    Error, Family,
    config::Config,
    pooling::{self, LIMITS, MODULES},
    tensors::{self, INDEX},
    tokens,
};

/// The network that the `config.json` of a folder describes.
///
/// # Errors
/// If it is none, or of an unknown kind.
pub fn family_of(dir: &Path) -> Result<Family, Error> {
    Ok(Config::open(dir)?.family)
}

/// The files that a model is read from, relative to its folder: a copy of them is the same model.
///
/// # Errors
/// If there are no weights to read.
pub fn files_of(dir: &Path) -> Result<Vec<String>, Error> {
    let mut names = settings_of(dir)?;
    names.extend(tensors::file_names(dir)?);
    names.extend(Some(INDEX).filter(|name| dir.join(name).is_file()).map(String::from));
    Ok(names)
}

/// Those of them that say what the model is and how it reads texts, all but the weights: see
/// [`SentenceEncoder::open_untrained`](crate::SentenceEncoder::open_untrained).
///
/// # Errors
/// If the list of its modules cannot be read.
pub fn settings_of(dir: &Path) -> Result<Vec<String>, Error> {
    let mut names = vec!["config.json".to_string()];
    let settings = [MODULES, LIMITS].into_iter().chain(tokens::FILES);
    names.extend(settings.filter(|name| dir.join(name).is_file()).map(String::from));
    names.extend(pooling::module_files(dir)?);
    Ok(names)
}

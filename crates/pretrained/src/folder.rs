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
    let mut names = vec!["config.json".to_string()];
    names.extend(tensors::file_names(dir)?);
    let settings = [MODULES, LIMITS, INDEX].into_iter().chain(tokens::FILES);
    names.extend(settings.filter(|name| dir.join(name).is_file()).map(String::from));
    names.extend(pooling::module_files(dir)?);
    names.dedup();
    Ok(names)
}

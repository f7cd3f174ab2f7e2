//! What is printed when something failed, and the exit status: 1 failed, 2 wrong usage.

use std::{fmt, io, process::ExitCode};

use anyhow::Error;
use strait::{Controls, FolderError, HubError, RecipeError, TrainError};

use crate::talk::say;

/// A training that was asked to stop and saved itself: all has been said.
#[derive(Debug)]
pub struct Stopped;

/// Arguments that each are well formed, but do not go together or with the data.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}
impl std::error::Error for Stopped {}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Usage {}

/// Prints the error with its causes and a hint, if there is something to say.
pub fn report(error: &Error) -> ExitCode {
    // Whoever read our output has seen enough (`strait ... | head`): that is no failure.
    if closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    if error.is::<Stopped>() {
        return ExitCode::FAILURE;
    }
    let mut said = flags_for_fields(&error.to_string());
    say!("error: {said}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Many messages below already hold their cause.
        if !said.contains(&cause) {
            say!("  because: {cause}");
            said = cause;
        }
    }
    if let Some(hint) = hint(error) {
        say!("hint: {hint}");
    }
    ExitCode::from(if wrong_usage(error) { 2 } else { 1 })
}

fn closed_pipe(error: &Error) -> bool {
    error.chain().any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

fn library(error: &Error) -> Option<&strait::Error> {
    error.downcast_ref::<strait::Error>()
}

fn wrong_usage(error: &Error) -> bool {
    let recipe = |e: &RecipeError| matches!(e, RecipeError::Unknown { .. });
    error.is::<Usage>()
        || error.downcast_ref().is_some_and(recipe)
        || match library(error) {
            Some(strait::Error::Decoding(_)) => true,
            Some(strait::Error::Recipe(e)) => recipe(e),
            Some(strait::Error::Hub(e) | strait::Error::Train(TrainError::Hub(e))) => {
                matches!(
                    e,
                    HubError::Name { .. }
                        | HubError::NotBuilt(_)
                        | HubError::NotTrained(_)
                        | HubError::OtherKind { .. }
                )
            }
            _ => false,
        }
}

fn hint(error: &Error) -> Option<&'static str> {
    match library(error) {
        Some(strait::Error::Decoding(_)) => Some("`strait sample --help` explains the decoding flags"),
        Some(strait::Error::Dimensions { .. }) => Some("`strait info -m DIR` shows a model's dimensions"),
        Some(strait::Error::Train(TrainError::TooFewTexts { .. })) => {
            Some("`strait demo` shows a training on a corpus that is large enough")
        }
        Some(strait::Error::Folder(FolderError::NotAModel(_))) => Some("-m wants the folder that `strait train` made"),
        _ => None,
    }
}

/// The library names fields (`top_k`), the command flags (`--top-k`).
fn flags_for_fields(message: &str) -> String {
    Controls::rename(message, |field| format!("--{}", field.replace('_', "-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_flags() {
        let message = "`top_k` = 3 has no effect with `temperature` = 0; `latent` stays";
        assert_eq!(flags_for_fields(message), "--top-k = 3 has no effect with --temperature = 0; `latent` stays");
        assert_eq!(flags_for_fields("`banned`[0] is empty"), "--ban[0] is empty");
    }

    #[test]
    fn a_closed_pipe_is_found_under_its_context() {
        let pipe = Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("standard output: cannot be written");
        assert!(closed_pipe(&pipe));
        assert!(!closed_pipe(&Error::new(io::Error::from(io::ErrorKind::NotFound))));
    }
}

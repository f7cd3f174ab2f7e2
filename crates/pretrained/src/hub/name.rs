//! Names of models on the hub.

use std::{fmt, path::Path};

use super::HubError;

const PREFIX: &str = "hf:";
/// What is meant if no revision is named.
const MAIN: &str = "main";
/// Longest part of a name.
const LONGEST: usize = 96;

/// `hf:OWNER/NAME`, `hf:OWNER/NAME@REVISION`; models of the hub's first days have no owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubName {
    /// `OWNER/NAME`.
    pub repository: String,
    /// A branch, a tag or a commit.
    pub revision: String,
}

impl HubName {
    /// Whether a path is meant as a name on the hub.
    pub fn is_meant(path: &Path) -> bool {
        path.to_str().is_some_and(|p| p.starts_with(PREFIX))
    }

    /// The name that a path is, if it is meant as one.
    ///
    /// # Errors
    /// If it is meant as one and is none.
    pub fn of(path: &Path) -> Result<Option<Self>, HubError> {
        let Some(rest) = path.to_str().and_then(|p| p.strip_prefix(PREFIX)) else { return Ok(None) };
        let fault = |why: &str| HubError::Name { name: path.display().to_string(), why: why.into() };
        let (repository, revision) = rest.split_once('@').map_or((rest, None), |(name, r)| (name, Some(r)));
        if repository.is_empty() {
            return Err(fault("it names no model"));
        }
        let parts: Vec<&str> = repository.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_plain(part) && part.len() <= LONGEST) {
            return Err(fault("owner and name are letters, digits and single `-`, `_`, `.` between them"));
        }
        if revision == Some("") {
            return Err(fault("nothing follows the `@`"));
        }
        let revision = revision.unwrap_or(MAIN);
        if !revision.split('/').all(is_plain) {
            return Err(fault("a revision is a branch, a tag or a commit: letters, digits, `-`, `_`, `.` and `/`"));
        }
        Ok(Some(HubName { repository: repository.into(), revision: revision.into() }))
    }

    /// The same at a commit, from which it does not move.
    #[cfg(feature = "hub")]
    pub(super) fn at(&self, commit: &str) -> HubName {
        HubName { revision: commit.into(), ..self.clone() }
    }
}

/// Part of a path that stays where it is put: neither hidden nor upwards.
pub(super) fn is_plain(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let inner = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    part.chars().all(plain)
        && inner(part.chars().next())
        && inner(part.chars().next_back())
        && !part.contains("..")
        && !part.contains("--")
}

impl fmt::Display for HubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision.as_str() {
            MAIN => write!(f, "{PREFIX}{}", self.repository),
            revision => write!(f, "{PREFIX}{}@{revision}", self.repository),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<(String, String)> {
        HubName::of(name.as_ref()).unwrap().map(|n| (n.repository, n.revision))
    }

    #[test]
    fn names_and_their_revisions() {
        let found = |name: &str, revision: &str| Some((name.to_string(), revision.to_string()));
        assert_eq!(of("hf:owner/all-MiniLM-L6-v2"), found("owner/all-MiniLM-L6-v2", "main"));
        assert_eq!(of("hf:gpt2@v1.0"), found("gpt2", "v1.0"));
        assert_eq!(of("hf:a_b/c.d@refs/pr/1"), found("a_b/c.d", "refs/pr/1"));
        for folder in ["owner/name", "./hf:owner/name", "hf", "HF:a/b"] {
            assert_eq!(of(folder), None, "{folder}");
        }
        for name in ["hf:owner/name", "hf:owner/name@v1"] {
            assert_eq!(HubName::of(name.as_ref()).unwrap().unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("hf:owner/{}", "x".repeat(97));
        for name in [
            "hf:",
            "hf:@main",
            "hf:/",
            "hf:owner/",
            "hf:/name",
            "hf:../x",
            "hf:x/..",
            "hf:x/../../etc",
            "hf:a/b/c",
            "hf:.a/b",
            "hf:a/b.",
            "hf:a/b c",
            "hf:a--b/c",
            "hf:a/b?x",
            "hf:a/b%2e",
            "hf:a\\b",
            "hf:a/b@",
            "hf:a/b@../x",
            "hf:a/b@/x",
            "hf:a/b@x/",
            "hf:a/b@x@y",
            "hf:a/b@x y",
            &long,
        ] {
            let said = HubName::of(name.as_ref()).expect_err(name).to_string();
            assert!(said.contains(name) && said.contains("hf:OWNER/NAME"), "{said}");
        }
    }
}

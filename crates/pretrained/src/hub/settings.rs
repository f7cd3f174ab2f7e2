//! What the environment says of the hub.

use std::{env, ffi::OsString, fs, path::PathBuf};

use super::HubError;

const SERVER: &str = "https://huggingface.co";

/// Whom to ask, as whom, and where to keep what comes.
#[derive(Clone)]
pub struct HubSettings {
    /// The server's address, without a `/` at its end.
    pub endpoint: String,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// Who asks; sent to `endpoint` alone.
    pub token: Option<String>,
    /// Ask no server.
    pub offline: bool,
}

impl HubSettings {
    /// As the variables say that the hub's other programs read.
    ///
    /// # Errors
    /// If `HF_ENDPOINT` is no address, or nothing says where the cache is.
    pub fn from_env() -> Result<Self, HubError> {
        HubSettings::from(&|name| env::var_os(name).filter(|value| !value.is_empty()), env::home_dir())
    }

    fn from(variable: &dyn Fn(&str) -> Option<OsString>, user: Option<PathBuf>) -> Result<Self, HubError> {
        let path = |name: &str| variable(name).map(PathBuf::from);
        let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| SERVER.into());
        let endpoint = endpoint.trim_end_matches('/').to_string();
        let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
            let (variable, wanted) = ("HF_ENDPOINT", "an address such as https://huggingface.co");
            return Err(HubError::Variable { variable, value: endpoint, wanted });
        }
        let own =
            || path("XDG_CACHE_HOME").or_else(|| Some(user.clone()?.join(".cache"))).map(|d| d.join("huggingface"));
        let Some(home) = path("HF_HOME").or_else(own) else {
            let wanted = "set: say in it where fetched models are kept";
            return Err(HubError::Variable { variable: "HF_HOME", value: String::new(), wanted });
        };
        let kept = || {
            let file = path("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
            fs::read_to_string(file).ok()
        };
        let token =
            text("HF_TOKEN").or_else(kept).map(|token| token.trim().to_string()).filter(|token| !token.is_empty());
        let yes = |value: String| ["1", "on", "yes", "true"].iter().any(|yes| value.eq_ignore_ascii_case(yes));
        let offline = text("HF_HUB_OFFLINE").is_some_and(yes);
        let cache = path("HF_HUB_CACHE").unwrap_or_else(|| home.join("hub"));
        Ok(HubSettings { endpoint, cache, token, offline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Result<HubSettings, HubError> {
        let value = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into());
        HubSettings::from(&value, Some("/home/me".into()))
    }

    #[test]
    fn the_cache_is_where_the_variables_say() {
        let cache = |set: &[(&str, &str)]| of(set).unwrap().cache;
        assert_eq!(cache(&[]), PathBuf::from("/home/me/.cache/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/c")]), PathBuf::from("/c/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/c"), ("HF_HOME", "/h")]), PathBuf::from("/h/hub"));
        assert_eq!(cache(&[("HF_HUB_CACHE", "/k"), ("HF_HOME", "/h")]), PathBuf::from("/k"));
    }

    #[test]
    fn whom_to_ask_and_as_whom() {
        let plain = of(&[]).unwrap();
        assert_eq!((plain.endpoint.as_str(), plain.offline), (SERVER, false));
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), "kept\n").unwrap();
        let home = ("HF_HOME", dir.path().to_str().unwrap());
        assert_eq!(of(&[home]).unwrap().token.as_deref(), Some("kept"));
        let said = of(&[home, ("HF_TOKEN", "said"), ("HF_ENDPOINT", "http://mirror:8/hub/"), ("HF_HUB_OFFLINE", "1")])
            .unwrap();
        assert_eq!(
            (said.token.as_deref(), said.endpoint.as_str(), said.offline),
            (Some("said"), "http://mirror:8/hub", true)
        );
        for bad in ["huggingface.co", "ftp://x", "https://", "http:///x"] {
            let error = of(&[("HF_ENDPOINT", bad)]).err().expect(bad).to_string();
            assert!(error.contains("HF_ENDPOINT") && error.contains("https://huggingface.co"), "{error}");
        }
    }
}

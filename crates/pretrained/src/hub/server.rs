//! The hub's server: `ENDPOINT/OWNER/NAME/resolve/REVISION/FILE`.
//!
//! The answer is the file, or a redirection to where its bytes lie; the first answer says its commit, its etag (of large files
//! their SHA-256) and its size.

use std::{fmt::Write as _, io::Read, time::Duration};

use ureq::{
    Agent,
    http::{HeaderMap, Response},
};

use super::{HubError, HubName, HubSettings, cache::is_commit, name::is_plain};

/// Most redirections that are followed.
const HOPS: usize = 8;
/// How long a connection, and then each word of the server, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Server {
    agent: Agent,
    endpoint: String,
    token: Option<String>,
}

/// What a server says of a file.
pub(super) enum Reply {
    File(Answer),
    /// The revision has no such file.
    NoFile,
    /// 404 without a reason.
    NotFound,
}

/// A file that is on its way.
pub(super) struct Answer {
    pub(super) commit: Option<String>,
    /// Plain, so that it can name a file.
    pub(super) etag: String,
    /// Bytes of the whole file.
    pub(super) size: Option<u64>,
    /// The first byte that comes.
    pub(super) from: u64,
    pub(super) body: Box<dyn Read>,
}

/// What is asked for.
pub(super) struct Question<'a> {
    /// With the revision that is asked for.
    pub(super) name: &'a HubName,
    /// As the user named it.
    pub(super) asked: &'a HubName,
    pub(super) file: &'a str,
    /// The first byte that is wanted.
    pub(super) from: u64,
}

impl Server {
    pub(super) fn new(settings: &HubSettings) -> Self {
        let agent = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .user_agent(concat!("strait/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Server { agent, endpoint: settings.endpoint.clone(), token: settings.token.clone() }
    }

    /// Its address, for people.
    pub(super) fn address(&self) -> &str {
        &self.endpoint
    }

    /// Asks for a file; its bytes are then read from the answer. An unreachable server is the `Err` within.
    pub(super) fn ask(&self, question: &Question<'_>) -> Result<Result<Reply, ureq::Error>, HubError> {
        let Question { name, file, .. } = question;
        let revision = name.revision.replace('/', "%2F");
        let mut url = format!("{}/{}/resolve/{revision}/{}", self.endpoint, name.repository, escaped(file));
        let mut said = Said::default();
        for _ in 0..HOPS {
            let response = match self.get(&url, question.from) {
                Ok(response) => response,
                Err(e) => return Ok(Err(e)),
            };
            said.read(response.headers());
            let status = response.status();
            if status.is_redirection() {
                let to = response.headers().get("location").and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| absolute(&url, to));
                url = to.ok_or_else(|| self.odd(question, format!("{status} without a place to go on")))?;
                continue;
            }
            return match status.as_u16() {
                200 | 206 => self.answer(question, said, response).map(|a| Ok(Reply::File(a))),
                _ => self.refusal(question, &said, status.as_u16()).map(Ok),
            };
        }
        Err(self.odd(question, format!("{HOPS} redirections")))
    }

    fn get(&self, url: &str, from: u64) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = self.agent.get(url).header("accept-encoding", "identity");
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        // The token is for the endpoint alone: redirections lead to storage, whose addresses are keys by themselves.
        if let Some(token) = self.token.as_ref().filter(|_| origin(url) == origin(&self.endpoint)) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call()
    }

    fn answer(&self, question: &Question<'_>, said: Said, response: Response<ureq::Body>) -> Result<Answer, HubError> {
        let headers = response.headers();
        let range = headers.get("content-range").and_then(|range| range.to_str().ok()).map(str::to_string);
        let length = response.body().content_length();
        let (from, whole) = match (response.status().as_u16(), range.as_deref().and_then(parts)) {
            (206, Some(range)) => range,
            (206, None) => return Err(self.odd(question, "a part without saying which".into())),
            _ => (0, length),
        };
        let etag = said.linked_etag.or(said.etag).filter(|etag| is_plain(etag) && etag.len() <= 128);
        let etag = etag.ok_or_else(|| self.odd(question, "without an etag".into()))?;
        let commit = said.commit.filter(|commit| is_commit(commit));
        let body = Box::new(response.into_body().into_reader());
        Ok(Answer { commit, etag, size: said.linked_size.or(whole), from, body })
    }

    fn refusal(&self, question: &Question<'_>, said: &Said, status: u16) -> Result<Reply, HubError> {
        let (name, server) = (question.asked.to_string(), self.endpoint.clone());
        match (status, said.code.as_deref()) {
            (404, Some("EntryNotFound")) => Ok(Reply::NoFile),
            (404, Some("RevisionNotFound")) => Err(HubError::NoRevision { name, server }),
            (401 | 403 | 404, Some("RepoNotFound")) => Err(HubError::NoModel { name, server }),
            (404, _) => Ok(Reply::NotFound),
            (401 | 403, code) => {
                let gated = code == Some("GatedRepo");
                Err(HubError::Denied { name, server, gated, token: self.token.is_some() })
            }
            (status, _) => Err(self.odd(question, format!("with status {status}"))),
        }
    }

    /// An answer that cannot be used.
    pub(super) fn odd(&self, question: &Question<'_>, what: String) -> HubError {
        let (name, server) = (question.asked.to_string(), self.endpoint.clone());
        HubError::Answer { name, server, file: question.file.into(), what }
    }
}

/// What the headers said on the way to a file; who speaks first is right, as storage knows nothing of commits.
#[derive(Default)]
struct Said {
    commit: Option<String>,
    linked_etag: Option<String>,
    linked_size: Option<u64>,
    etag: Option<String>,
    code: Option<String>,
}

impl Said {
    fn read(&mut self, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_string);
        let etag = |name: &str| text(name).map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_string());
        self.commit = self.commit.take().or_else(|| text("x-repo-commit"));
        self.linked_etag = self.linked_etag.take().or_else(|| etag("x-linked-etag"));
        self.linked_size = self.linked_size.or_else(|| text("x-linked-size")?.parse().ok());
        self.etag = self.etag.take().or_else(|| etag("etag"));
        self.code = text("x-error-code");
    }
}

/// `bytes 5-9/10`: the first byte, and how many there are in all.
fn parts(range: &str) -> Option<(u64, Option<u64>)> {
    let (these, of) = range.strip_prefix("bytes ")?.split_once('/')?;
    Some((these.split_once('-')?.0.parse().ok()?, of.parse().ok()))
}

/// `https://host:port`.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |i| i + 3);
    &url[..url[host..].find('/').map_or(url.len(), |i| host + i)]
}

/// Where a redirection from `url` leads; not from https to anything less.
fn absolute(url: &str, to: &str) -> Option<String> {
    match to {
        _ if to.starts_with("https://") => Some(to.into()),
        _ if to.starts_with("http://") => url.starts_with("http://").then(|| to.into()),
        _ if to.starts_with("//") => Some(format!("{}:{to}", url.split(':').next()?)),
        _ if to.starts_with('/') => Some(format!("{}{to}", origin(url))),
        _ => None,
    }
}

/// A path as part of an address.
fn escaped(file: &str) -> String {
    let mut out = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(byte.into()),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(origin("http://127.0.0.1:80/a/b"), "http://127.0.0.1:80");
        assert_eq!(origin("https://hub"), "https://hub");
        let to = |to: &str| absolute("https://hub/a/resolve/main/x", to);
        assert_eq!(to("/b/x?y=1").as_deref(), Some("https://hub/b/x?y=1"));
        assert_eq!(to("//cdn/x").as_deref(), Some("https://cdn/x"));
        assert_eq!(to("https://cdn/x").as_deref(), Some("https://cdn/x"));
        for not in ["http://cdn/x", "x", "file:///etc/passwd"] {
            assert_eq!(to(not), None, "{not}");
        }
        assert_eq!(escaped("1_Pooling/a b?.json"), "1_Pooling/a%20b%3F.json");
        assert_eq!(parts("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!((parts("bytes 5-9/*"), parts("bytes */10")), (Some((5, None)), None));
    }
}

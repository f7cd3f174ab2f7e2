//! A server on this machine that answers as the hub does, with its troubles.
#![allow(dead_code, reason = "each test program uses a part")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use sha2::{Digest as _, Sha256};

/// The only model that it has.
pub const MODEL: &str = "someone/tiny";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// The only token that it takes where it asks for one.
pub const TOKEN: &str = "a-secret";

/// What the server does.
#[derive(Default)]
pub struct Manner {
    /// The folder whose files it gives.
    pub dir: PathBuf,
    /// What `main` is.
    pub commit: String,
    /// The `x-error-code` of everything that is asked for without the token.
    pub gated: Option<&'static str>,
    /// So many times the weights break off half-way.
    pub cuts: usize,
    /// Parts are not given.
    pub no_ranges: bool,
    /// Added to the size that it tells of large files.
    pub larger: i64,
    /// The weights are others than their etag says.
    pub damaged: bool,
    /// Every answer has this status.
    pub status: Option<u16>,
    /// 404 is said without a reason.
    pub terse: bool,
    /// The etag of every file.
    pub etag: Option<&'static str>,
    /// What was asked for: path and range.
    pub asked: Vec<String>,
    /// Whether a token came where none belongs.
    pub leaked: bool,
}

/// The server; its storage is at another address.
pub struct StandIn {
    pub address: String,
    pub manner: Arc<Mutex<Manner>>,
}

impl StandIn {
    pub fn of(dir: impl Into<PathBuf>) -> Self {
        let manner = Manner { dir: dir.into(), commit: COMMIT.into(), ..Manner::default() };
        let manner = Arc::new(Mutex::new(manner));
        let storage = serve(&manner, String::new());
        StandIn { address: serve(&manner, storage), manner }
    }

    pub fn now(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap()
    }

    /// The files that were asked for since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.now().asked)
    }
}

/// An address at which nobody answers.
pub fn nobody() -> String {
    // Bound and let go.
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

fn serve(manner: &Arc<Mutex<Manner>>, storage: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let manner = Arc::clone(manner);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = |mut stream: TcpStream| {
                let request = Request::read(&stream)?;
                let mut manner = manner.lock().unwrap();
                stream.write_all(&match storage.is_empty() {
                    true => manner.stored(&request),
                    false => manner.resolved(&request, &storage),
                })
            };
            // Whoever hangs up has heard enough.
            let _ = answer(stream);
        }
    });
    address
}

struct Request {
    path: String,
    token: Option<String>,
    from: usize,
}

impl Request {
    fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap_or_default().to_string();
        let mut request = Request { path, token: None, from: 0 };
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => request.token = value.strip_prefix("Bearer ").map(str::to_string),
                "range" => request.from = value["bytes=".len()..].trim_end_matches('-').parse().unwrap(),
                _ => {}
            }
        }
        Ok(request)
    }
}

impl Manner {
    fn resolved(&mut self, request: &Request, storage: &str) -> Vec<u8> {
        let range = if request.from > 0 { format!(" from {}", request.from) } else { String::new() };
        if let Some(small) = request.path.strip_prefix("/api/resolve-cache/") {
            return self.small(small);
        }
        let rest = request.path.strip_prefix(&format!("/{MODEL}/resolve/"));
        let refused = |status: u16, code: &str| match self.terse {
            true => answer(status, &[], b"no"),
            false => answer(status, &[("x-error-code", code)], b"no"),
        };
        if let Some(status) = self.status {
            return answer(status, &[], b"no");
        }
        let Some((revision, file)) = rest.and_then(|rest| rest.split_once('/')) else {
            return refused(404, "RepoNotFound");
        };
        self.asked.push(format!("{file}{range}"));
        if let Some(code) = self.gated.filter(|_| request.token.as_deref() != Some(TOKEN)) {
            return refused(401, code);
        }
        if !["main", "v1.0", "refs%2Fpr%2F1", &self.commit].contains(&revision) {
            return refused(404, "RevisionNotFound");
        }
        let Ok(bytes) = fs::read(self.dir.join(file)) else { return refused(404, "EntryNotFound") };
        if !file.ends_with(".safetensors") {
            let to = format!("/api/resolve-cache/{file}");
            return answer(307, &[("x-repo-commit", &self.commit), ("location", &to)], b"");
        }
        let etag = self.etag.map_or(format!("\"{}\"", hex(&Sha256::digest(&bytes))), str::to_string);
        let (size, to) = ((bytes.len() as i64 + self.larger).to_string(), format!("{storage}/bytes/{file}?key=1"));
        let headers = [
            ("x-repo-commit", self.commit.as_str()),
            ("x-linked-etag", &etag),
            ("x-linked-size", &size),
            ("etag", "\"of-the-redirection\""),
            ("location", &to),
        ];
        answer(302, &headers, b"")
    }

    fn small(&self, file: &str) -> Vec<u8> {
        let bytes = fs::read(self.dir.join(file)).unwrap();
        let etag = self.etag.map_or(format!("W/\"{}\"", &hex(&Sha256::digest(&bytes))[..40]), str::to_string);
        answer(200, &[("x-repo-commit", &self.commit), ("etag", &etag)], &bytes)
    }

    fn stored(&mut self, request: &Request) -> Vec<u8> {
        self.leaked |= request.token.is_some();
        let file = request.path["/bytes/".len()..].trim_end_matches("?key=1");
        let mut bytes = fs::read(self.dir.join(file)).unwrap();
        if self.damaged {
            *bytes.last_mut().unwrap() ^= 1;
        }
        let from = if self.no_ranges { 0 } else { request.from };
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        let headers = [("etag", "\"of-the-storage\""), ("content-range", range.as_str())];
        let mut out = match from {
            0 => answer(200, &headers[..1], &bytes),
            _ => answer(206, &headers, &bytes[from..]),
        };
        if self.cuts > 0 {
            self.cuts -= 1;
            out.truncate(out.len() - (bytes.len() - from) / 2);
        }
        out
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A tiny model of the fixtures.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pretrained/tests/fixtures").join(name)
}

/// A copy of one, to be changed.
pub fn copy_of(name: &str, to: &Path) -> PathBuf {
    let from = fixture(name);
    for file in strait_files(&from) {
        let to = to.join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), to).unwrap();
    }
    to.into()
}

fn strait_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        match entry.path().is_dir() {
            true => files.extend(strait_files(&entry.path()).iter().map(|f| Path::new(&entry.file_name()).join(f))),
            false => files.push(entry.file_name().into()),
        }
    }
    files
}

//! A file's bytes, from the answer of a server to a blob: checked, then renamed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};

use super::{Fetching, HubError, cache::io_at, server::Answer};

/// Time between two words on how far it is.
const EVERY: Duration = Duration::from_millis(500);
/// Bytes read at a time.
const BUFFER: usize = 1 << 16;

/// A file that is being fetched.
pub(super) struct Download<'a> {
    /// The model, for errors.
    pub(super) name: String,
    pub(super) file: &'a str,
    /// Where it is written until it is whole.
    pub(super) part: &'a Path,
}

/// How the writing of an answer ended.
enum End {
    Whole,
    /// The server stopped; what came is kept.
    Cut(io::Error),
}

impl Download<'_> {
    /// Bytes that arrived before.
    pub(super) fn arrived(&self) -> u64 {
        fs::metadata(self.part).map_or(0, |m| m.len())
    }

    /// Forgets what arrived before.
    pub(super) fn forget(&self) -> Result<(), HubError> {
        match fs::remove_file(self.part) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(io_at(self.part, "remove the file")(e)),
            _ => Ok(()),
        }
    }

    /// Writes what comes after what is there. If the server stops in the middle, what came is kept.
    pub(super) fn write(&self, answer: &mut Answer, listener: &mut dyn FnMut(Fetching<'_>)) -> Result<(), HubError> {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(self.part)
            .map_err(io_at(self.part, "write the file"))?;
        let end = self.copy(&mut file, answer, listener).map_err(|e| self.unwritten(e, answer.size))?;
        let got = self.arrived();
        match end {
            End::Whole if answer.size.is_none_or(|size| got >= size) => Ok(()),
            End::Whole => Err(self.cut(got, answer.size, "the server sent no more".into())),
            End::Cut(e) => Err(self.cut(got, answer.size, e.to_string())),
        }
    }

    fn copy(&self, out: &mut File, answer: &mut Answer, listener: &mut dyn FnMut(Fetching<'_>)) -> io::Result<End> {
        if out.metadata()?.len() != answer.from {
            out.set_len(answer.from)?;
        }
        out.seek(SeekFrom::Start(answer.from))?;
        let (mut done, mut said) = (answer.from, Instant::now());
        let mut say = |done| listener(Fetching::File { file: self.file, done, of: answer.size });
        say(done);
        let mut buffer = vec![0; BUFFER];
        let end = loop {
            match answer.body.read(&mut buffer) {
                Ok(0) => break End::Whole,
                Ok(n) => {
                    out.write_all(&buffer[..n])?;
                    done += n as u64;
                    // Whoever sends more than was promised is not listened to until the disk is full.
                    if answer.size.is_some_and(|size| done > size) {
                        break End::Whole;
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => break End::Cut(e),
            }
            if said.elapsed() >= EVERY {
                say(done);
                said = Instant::now();
            }
        };
        out.sync_all()?;
        Ok(end)
    }

    /// Makes what has arrived the blob, if it is what the server promised; else throws it away.
    pub(super) fn finish(&self, blob: &Path, etag: &str, size: Option<u64>) -> Result<(), HubError> {
        if let Some(why) = self.fault(etag, size)? {
            self.forget()?;
            return Err(HubError::Damaged { name: self.name.clone(), file: self.file.into(), why });
        }
        fs::rename(self.part, blob).map_err(io_at(blob, "write the file"))
    }

    /// What is wrong with it. Etags of large files are their SHA-256; those of small ones say nothing of their bytes that
    /// every server means the same way.
    fn fault(&self, etag: &str, size: Option<u64>) -> Result<Option<String>, HubError> {
        let got = self.arrived();
        if let Some(size) = size.filter(|&size| size != got) {
            return Ok(Some(format!("{got} bytes instead of {size}")));
        }
        let promised = etag.to_ascii_lowercase();
        if promised.len() != 64 || !promised.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let mut file = File::open(self.part).map_err(io_at(self.part, "read the file"))?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read(&mut buffer).map_err(io_at(self.part, "read the file"))? {
                0 => break,
                n => hash.update(&buffer[..n]),
            }
        }
        let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        Ok((found != promised).then(|| format!("its SHA-256 is {found} instead of {promised}")))
    }

    fn cut(&self, got: u64, of: Option<u64>, why: String) -> HubError {
        HubError::Cut { name: self.name.clone(), file: self.file.into(), got, of, why }
    }

    fn unwritten(&self, source: io::Error, of: Option<u64>) -> HubError {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                HubError::NoSpace { path: self.part.into(), file: self.file.into(), of }
            }
            _ => io_at(self.part, "write the file")(source),
        }
    }
}

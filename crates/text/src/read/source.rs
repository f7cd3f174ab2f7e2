//! From a file to text: bytes, decompression, hash, encoding.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Compression, ReadError};

/// The whole content as text, and what was found on the way.
pub(super) struct Source {
    pub text: String,
    pub compression: Compression,
    pub bytes: u64,
    pub hash: String,
    pub bom: bool,
    pub invalid_lines: usize,
}

pub(super) fn open(path: &Path) -> Result<File, ReadError> {
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing(path.to_owned()),
        _ => ReadError::Io { name: path.display().to_string(), source },
    };
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.is_dir() {
        return Err(ReadError::Directory(path.to_owned()));
    }
    Ok(file)
}

pub(super) fn load(mut input: impl Read, name: &str, lossy: bool) -> Result<Source, ReadError> {
    let mut raw = Vec::new();
    input.read_to_end(&mut raw).map_err(|source| ReadError::Io { name: name.to_owned(), source })?;
    let (raw, compression) = decompress(raw, name)?;
    if raw.is_empty() {
        return Err(ReadError::Empty { name: name.to_owned() });
    }
    let hash = Sha256::digest(&raw).iter().map(|b| format!("{b:02x}")).collect();
    let bytes = raw.len() as u64;
    refuse_binary(&raw, name, lossy)?;
    let (mut text, invalid_lines) = decode(raw, name, lossy)?;
    let bom = text.starts_with('\u{feff}');
    if bom {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(Source { text, compression, bytes, hash, bom, invalid_lines })
}

fn decompress(raw: Vec<u8>, name: &str) -> Result<(Vec<u8>, Compression), ReadError> {
    let damaged = |compression, why: String| ReadError::Decompress { name: name.to_owned(), compression, why };
    let mut out = Vec::new();
    if raw.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(&raw[..])
            .read_to_end(&mut out)
            .map_err(|e| damaged("gzip", e.to_string()))?;
        return Ok((out, Compression::Gzip));
    }
    if raw.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut rest = &raw[..];
        // A file may hold several frames, one after the other.
        while !rest.is_empty() {
            ruzstd::decoding::StreamingDecoder::new(&mut rest)
                .map_err(|e| damaged("zstd", e.to_string()))?
                .read_to_end(&mut out)
                .map_err(|e| damaged("zstd", e.to_string()))?;
        }
        return Ok((out, Compression::Zstd));
    }
    Ok((raw, Compression::None))
}

/// First bytes of formats that people pass by mistake.
const MAGIC: [(&[u8], &str); 8] = [
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"%PDF", "a PDF"),
    (b"\xfd7zXZ\0", "xz data; unpack it first"),
    (b"BZh", "bzip2 data; unpack it first"),
    (b"\x89PNG", "a PNG image"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
];

fn refuse_binary(raw: &[u8], name: &str, lossy: bool) -> Result<(), ReadError> {
    let wide = |encoding| Err(ReadError::WideEncoding { name: name.to_owned(), encoding });
    match raw {
        [0xff, 0xfe, 0, 0, ..] => return wide("UTF-32LE"),
        [0xff, 0xfe, ..] => return wide("UTF-16LE"),
        [0, 0, 0xfe, 0xff, ..] => return wide("UTF-32BE"),
        [0xfe, 0xff, ..] => return wide("UTF-16BE"),
        _ => {}
    }
    let binary = |what: String| Err(ReadError::Binary { name: name.to_owned(), what });
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| raw.starts_with(magic)) {
        // "BZh" and "%PDF" are possible beginnings of a text; text goes on as UTF-8 without NUL.
        if raw.contains(&0) || std::str::from_utf8(raw).is_err() {
            return binary((*what).to_owned());
        }
    }
    match raw.iter().take(1 << 16).position(|&b| b == 0) {
        Some(at) if !lossy => binary(format!(
            "a zero byte in line {}; it may be binary, or UTF-16 without a byte-order mark",
            line_of(raw, at)
        )),
        _ => Ok(()),
    }
}

fn decode(raw: Vec<u8>, name: &str, lossy: bool) -> Result<(String, usize), ReadError> {
    let error = match String::from_utf8(raw) {
        Ok(text) => return Ok((text, 0)),
        Err(error) => error,
    };
    let at = error.utf8_error().valid_up_to();
    let raw = error.into_bytes();
    if lossy {
        let bad = raw.split(|&b| b == b'\n').filter(|line| std::str::from_utf8(line).is_err()).count();
        return Ok((String::from_utf8_lossy(&raw).into_owned(), bad));
    }
    let line_start = raw[..at].iter().rposition(|&b| b == b'\n').map_or(0, |p| p + 1);
    Err(ReadError::InvalidUtf8 {
        name: name.to_owned(),
        line: line_of(&raw, at),
        column: at - line_start + 1,
        byte: raw[at],
    })
}

fn line_of(raw: &[u8], at: usize) -> usize {
    1 + raw[..at].iter().filter(|&&b| b == b'\n').count()
}

//! The bytes of an index, in memory or mapped from a file. All numbers are little-endian.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `STRAITIX` |
//! | 8 | 4 | version of this format: 1 |
//! | 12 | 4 | metric: 0 Euclidean, 1 cosine |
//! | 16 | 8 | rows, n |
//! | 24 | 4 | values in a row, d |
//! | 28 | 4 | cells, c |
//! | 32 | 4 | cells that a search reads |
//! | 36 | 4 | recall that was measured with them (f32) |
//! | 40 | 32 | SHA-256 of the latents: n and d as u64, then the values as f32 |
//! | 72 | 32 | SHA-256 of everything from 128 on |
//! | 104 | 24 | the first bytes of the SHA-256 of what stands before |
//! | 128 | 4 c d | centres (f32) |
//! | | 4 (c + 1) | first entry of each cell (u32), and n |
//! | | 4 n | row of each entry (u32), rising within a cell |
//! | | 4 n d | the prepared row of each entry (f32) |
//!
//! Nothing stands behind. A file that breaks one of these rules is not read.

use std::io::Write;
use std::path::Path;

use memmap2::Mmap;
use sha2::{Digest, Sha256};

use super::Metric;
use super::index::IndexError;
use crate::matrix::Matrix;

#[cfg(target_endian = "big")]
compile_error!("an index is mapped as little-endian numbers");

const MAGIC: &[u8; 8] = b"STRAITIX";
const VERSION: u32 = 1;
const HEAD: usize = 128;
/// Where the head's own checksum stands.
const SEAL: usize = 104;

/// What stands at the beginning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Head {
    pub metric: Metric,
    pub rows: usize,
    pub dim: usize,
    pub cells: usize,
    pub probes: usize,
    pub recall: f32,
    pub latents: [u8; 32],
    pub body: [u8; 32],
}

/// The hash by which an index knows its latents.
pub(super) fn hash(latents: Matrix<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((latents.rows() as u64).to_le_bytes());
    hash.update((latents.dim() as u64).to_le_bytes());
    let mut block = Vec::with_capacity(4 << 14);
    for values in latents.data().chunks(1 << 14) {
        block.clear();
        block.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        hash.update(&block);
    }
    hash.finalize().into()
}

impl Head {
    fn write(&self) -> [u8; HEAD] {
        let mut out = [0; HEAD];
        out[..8].copy_from_slice(MAGIC);
        let metric = match self.metric {
            Metric::Euclidean => 0u32,
            Metric::Cosine => 1,
        };
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(8, &VERSION.to_le_bytes());
        put(12, &metric.to_le_bytes());
        put(16, &(self.rows as u64).to_le_bytes());
        put(24, &(self.dim as u32).to_le_bytes());
        put(28, &(self.cells as u32).to_le_bytes());
        put(32, &(self.probes as u32).to_le_bytes());
        put(36, &self.recall.to_le_bytes());
        put(40, &self.latents);
        put(72, &self.body);
        let seal: [u8; 32] = Sha256::digest(&out[..SEAL]).into();
        out[SEAL..].copy_from_slice(&seal[..HEAD - SEAL]);
        out
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let head = bytes.get(..HEAD).ok_or("it is shorter than its head")?;
        if &head[..8] != MAGIC {
            return Err("it does not begin as an index does".into());
        }
        let u32_at = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let hash_at = |at: usize| std::array::from_fn(|i| head[at + i]);
        if u32_at(8) != VERSION {
            return Err(format!("it is of version {}, this program reads version {VERSION}", u32_at(8)));
        }
        let seal: [u8; 32] = Sha256::digest(&head[..SEAL]).into();
        if seal[..HEAD - SEAL] != head[SEAL..] {
            return Err("the checksum of its head is wrong".into());
        }
        let metric = match u32_at(12) {
            0 => Metric::Euclidean,
            1 => Metric::Cosine,
            other => return Err(format!("its metric {other} is not known")),
        };
        let rows = u64::from(u32_at(16)) | u64::from(u32_at(20)) << 32;
        let head = Self {
            metric,
            rows: usize::try_from(rows).map_err(|_| "it has too many rows for this machine")?,
            dim: u32_at(24) as usize,
            cells: u32_at(28) as usize,
            probes: u32_at(32) as usize,
            recall: f32::from_bits(u32_at(36)),
            latents: hash_at(40),
            body: hash_at(72),
        };
        let sound = head.rows > 0 && head.dim > 0 && (1..=head.rows).contains(&head.cells);
        if sound && (1..=head.cells).contains(&head.probes) {
            Ok(head)
        } else {
            Err("the numbers in its head make no sense".into())
        }
    }

    /// Length of the whole, unless that is no number.
    fn length(&self) -> Option<usize> {
        let values = (self.cells.checked_add(self.rows)?).checked_mul(self.dim)?;
        let numbers = values.checked_add(self.cells + 1)?.checked_add(self.rows)?;
        numbers.checked_mul(4)?.checked_add(HEAD)
    }
}

enum Bytes {
    /// u32 so that they are aligned.
    Owned(Vec<u32>),
    Mapped(Mmap),
}

/// An index's bytes, checked.
pub(super) struct Image {
    pub head: Head,
    bytes: Bytes,
}

impl Image {
    /// Lays out an index. `starts` has c + 1 entries, `names` n, `values` n d.
    pub fn new(mut head: Head, centres: &[f32], starts: &[u32], names: &[u32], values: &[f32]) -> Self {
        let mut words = vec![0u32; HEAD / 4];
        words.extend(centres.iter().map(|v| v.to_bits()));
        words.extend(starts.iter().chain(names));
        words.extend(values.iter().map(|v| v.to_bits()));
        head.body = Sha256::digest(bytemuck::cast_slice::<u32, u8>(&words[HEAD / 4..])).into();
        bytemuck::cast_slice_mut::<u32, u8>(&mut words[..HEAD / 4]).copy_from_slice(&head.write());
        Self { head, bytes: Bytes::Owned(words) }
    }

    /// Maps a file and checks all but the rows themselves, which [`Image::check`] does.
    pub fn map(path: &Path) -> Result<Self, IndexError> {
        let io = |source| IndexError::Io { path: path.into(), source };
        let damaged = |why: String| IndexError::Damaged { path: path.into(), why };
        let file = std::fs::File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() == 0 {
            return Err(damaged("it is empty".into()));
        }
        // SAFETY: sound as long as nobody changes the file in place; an index is only ever replaced by a rename, which
        // leaves the mapped file as it is.
        let mapped = unsafe { Mmap::map(&file) }.map_err(io)?;
        let head = Head::read(&mapped).map_err(damaged)?;
        match head.length() {
            Some(length) if length == mapped.len() => {}
            Some(length) => return Err(damaged(format!("it has {} bytes instead of {length}", mapped.len()))),
            None => return Err(damaged("the numbers in its head make no sense".into())),
        }
        let image = Self { head, bytes: Bytes::Mapped(mapped) };
        let starts = image.starts();
        let sound = starts[0] == 0 && starts.is_sorted() && starts[image.head.cells] as usize == image.head.rows;
        if !sound || image.names().iter().any(|&row| row as usize >= image.head.rows) {
            return Err(damaged("its cells do not hold its rows".into()));
        }
        Ok(image)
    }

    /// Whether the whole is as it was written.
    pub fn check(&self) -> bool {
        let body: [u8; 32] = Sha256::digest(&self.bytes()[HEAD..]).into();
        body == self.head.body
    }

    /// Writes the file under another name, flushes and renames it.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let name = path.file_name().ok_or_else(|| std::io::Error::other("that is no name of a file"))?;
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}.part", std::process::id()));
        let beside = path.with_file_name(beside);
        let written = std::fs::File::create(&beside)
            .and_then(|mut file| file.write_all(self.bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, path));
        if written.is_err() {
            std::fs::remove_file(&beside).ok(); // it may not be there; the first error is the one to tell
        }
        written
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Owned(words) => bytemuck::cast_slice(words),
            Bytes::Mapped(mapped) => mapped,
        }
    }

    /// The numbers from word `at` of the body on.
    fn words<T: bytemuck::Pod>(&self, at: usize, len: usize) -> &[T] {
        bytemuck::cast_slice(&self.bytes()[HEAD + 4 * at..][..4 * len])
    }

    /// (c, d).
    pub fn centres(&self) -> &[f32] {
        self.words(0, self.head.cells * self.head.dim)
    }

    /// c + 1 numbers.
    pub fn starts(&self) -> &[u32] {
        self.words(self.head.cells * self.head.dim, self.head.cells + 1)
    }

    /// The row of each entry, n numbers.
    pub fn names(&self) -> &[u32] {
        self.words(self.head.cells * (self.head.dim + 1) + 1, self.head.rows)
    }

    /// The prepared rows in the order of the entries, (n, d).
    pub fn values(&self) -> &[f32] {
        self.words(self.head.cells * (self.head.dim + 1) + 1 + self.head.rows, self.head.rows * self.head.dim)
    }
}

//! Latents as plain rows, and the two files they are kept in: npy (NumPy) and jsonl.

use std::io::{BufRead, Read, Write};

/// A matrix of latents, one row for each text. Those of a language model are empty rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Latents {
    data: Vec<f32>,
    dim: usize,
    rows: usize,
}

/// Why a file does not hold latents.
#[derive(Debug, thiserror::Error)]
pub enum LatentFileError {
    #[error("{name}: cannot read it: {source}")]
    Io { name: String, source: std::io::Error },
    #[error("{name}: {why}; make it with `strait encode -m DIR FILE --format npy` (or jsonl)")]
    Npy { name: String, why: String },
    #[error("{name}, line {line}: {why}; a line is {{\"latent\": [numbers]}} or [numbers], all of one length")]
    Line { name: String, line: usize, why: String },
}

const MAGIC: &[u8] = b"\x93NUMPY";

impl Latents {
    /// From row-major values.
    ///
    /// # Panics
    /// If they do not fill rows of `dim` values.
    pub fn new(data: Vec<f32>, dim: usize) -> Self {
        assert!(dim > 0 && data.len().is_multiple_of(dim));
        Latents { rows: data.len() / dim, data, dim }
    }

    /// `rows` rows without values: what a language model is given.
    pub fn without_values(rows: usize) -> Self {
        Latents { data: Vec::new(), dim: 0, rows }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
    /// Values in a row, Z.
    pub fn dim(&self) -> usize {
        self.dim
    }
    /// All values, row-major.
    pub fn data(&self) -> &[f32] {
        &self.data
    }
    /// All values, row-major, without a copy.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }
    /// Row `i`.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.dim..][..self.dim]
    }
    /// All rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.rows).map(|i| self.row(i))
    }

    /// Writes NumPy's npy format, version 1.0: (n, Z) little-endian f32.
    pub fn write_npy(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut header =
            format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", self.len(), self.dim);
        // The whole head is a multiple of 64 bytes and ends in a newline.
        let total = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
        header.extend(std::iter::repeat_n(' ', total - MAGIC.len() - 4 - header.len() - 1));
        header.push('\n');
        out.write_all(MAGIC)?;
        out.write_all(&[1, 0])?;
        out.write_all(&(header.len() as u16).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        self.data.iter().try_for_each(|v| out.write_all(&v.to_le_bytes()))
    }

    /// Reads npy or jsonl, whichever it is; `name` is for messages.
    ///
    /// # Errors
    /// If it is neither, cut short, or of other types than f32 or f64; the message names the line.
    pub fn read(input: &mut impl Read, name: &str) -> Result<Self, LatentFileError> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(|source| LatentFileError::Io { name: name.into(), source })?;
        if bytes.starts_with(MAGIC) {
            return read_npy(&bytes).map_err(|why| LatentFileError::Npy { name: name.into(), why });
        }
        read_jsonl(&bytes, name)
    }
}

fn read_npy(bytes: &[u8]) -> Result<Latents, String> {
    let cut = || "the file is cut short".to_string();
    let major = *bytes.get(6).ok_or_else(cut)?;
    let (size, at): (usize, usize) = match major {
        1 => (u16::from_le_bytes(bytes.get(8..10).ok_or_else(cut)?.try_into().unwrap_or_default()) as usize, 10),
        2 | 3 => (u32::from_le_bytes(bytes.get(8..12).ok_or_else(cut)?.try_into().unwrap_or_default()) as usize, 12),
        v => return Err(format!("npy version {v} is not known")),
    };
    let header = bytes.get(at..at.saturating_add(size)).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text".to_string())?;
    let body = &bytes[at + size..];
    if header.contains("'fortran_order': True") {
        return Err("it is in Fortran order; save it with numpy.ascontiguousarray".into());
    }
    let shape = header.split_once("'shape': (").and_then(|(_, s)| s.split_once(')')).map(|(s, _)| s);
    let shape = shape.ok_or("its header names no shape")?;
    let sizes: Result<Vec<usize>, _> =
        shape.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::parse).collect();
    let &[rows, dim] = &sizes.map_err(|_| format!("its shape ({shape}) is not of whole numbers"))?[..] else {
        return Err(format!("its shape is ({shape}), not (texts, dimensions)"));
    };
    let n = rows.checked_mul(dim).filter(|_| dim > 0).ok_or_else(|| format!("its shape ({shape}) makes no sense"))?;
    let data: Vec<f32> = if header.contains("'<f4'") {
        body.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
    } else if header.contains("'<f8'") {
        body.as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect()
    } else {
        return Err("its numbers are neither float32 nor float64".into());
    };
    if data.len() != n {
        return Err(format!("it holds {} numbers, its header says {n}", data.len()));
    }
    Ok(Latents::new(data, dim))
}

fn read_jsonl(bytes: &[u8], name: &str) -> Result<Latents, LatentFileError> {
    let (mut data, mut dim) = (Vec::new(), 0);
    for (i, line) in bytes.lines().enumerate() {
        let error = |why: String| LatentFileError::Line { name: name.into(), line: i + 1, why };
        let line = line.map_err(|_| error("not UTF-8 text".into()))?;
        if line.trim().is_empty() {
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(&line).map_err(|e| error(e.to_string()))?;
        let list =
            value.get("latent").unwrap_or(&value).as_array().ok_or_else(|| error("no list of numbers".into()))?;
        let numbers: Option<Vec<f32>> = list.iter().map(|v| v.as_f64().map(|v| v as f32)).collect();
        let numbers = numbers.ok_or_else(|| error("something in the list is not a number".into()))?;
        if numbers.is_empty() || (dim > 0 && numbers.len() != dim) {
            return Err(error(format!("{} numbers, the lines before have {dim}", numbers.len())));
        }
        dim = numbers.len();
        data.extend(numbers);
    }
    if dim == 0 {
        return Err(LatentFileError::Npy { name: name.into(), why: "it holds no latents".into() });
    }
    Ok(Latents::new(data, dim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_round_trip_and_damage() {
        let latents = Latents::new(vec![1.0, -2.5, 3.0, f32::MIN_POSITIVE, 0.0, 1e30], 3);
        let mut file = Vec::new();
        latents.write_npy(&mut file).unwrap();
        assert_eq!(Latents::read(&mut &file[..], "x").unwrap(), latents);
        assert!((file.len() - 24) % 64 == 0);
        for cut in [7, 9, 30, file.len() - 1] {
            assert!(Latents::read(&mut &file[..cut], "x.npy").unwrap_err().to_string().contains("x.npy"), "{cut}");
        }
    }

    #[test]
    fn jsonl_in_both_forms_and_its_mistakes() {
        let two = "{\"text\":\"a\",\"latent\":[1,2]}\n\n[3.5,4]\n";
        assert_eq!(Latents::read(&mut two.as_bytes(), "x").unwrap().data(), [1.0, 2.0, 3.5, 4.0]);
        for (bad, line) in [("[1]\n[1,2]", "line 2"), ("[1]\nx", "line 2"), ("[\"a\"]", "line 1"), ("{}", "line 1")] {
            assert!(Latents::read(&mut bad.as_bytes(), "x").unwrap_err().to_string().contains(line), "{bad}");
        }
        assert!(Latents::read(&mut &b""[..], "x").is_err());
    }
}

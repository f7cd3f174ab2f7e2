//! The two files that the Embedding Projector (projector.tensorflow.org) loads.

use std::io::{self, Write};

use crate::error::LatentError;
use crate::matrix::Matrix;

/// Writes `vectors.tsv`: a line for each row (n, d), its values between tabs, no head.
///
/// # Errors
/// Those of `out`.
pub fn write_vectors(out: &mut impl Write, rows: Matrix<'_>) -> io::Result<()> {
    for row in rows.iter() {
        for (i, value) in row.iter().enumerate() {
            let tab = if i == 0 { "" } else { "\t" };
            write!(out, "{tab}{value}")?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes `metadata.tsv`: a line for each row with its entry in each named column; the names are the head, except that
/// a single column has none, as the projector wants it. Tabs and line breaks inside an entry become spaces.
///
/// ```
/// let mut out = Vec::new();
/// let columns: [(&str, &[&str]); 2] = [("text", &["a\tb", "c"]), ("cluster", &["0", "1"])];
/// strait_latent::projector::write_metadata(&mut out, &columns).unwrap();
/// assert_eq!(String::from_utf8(out).unwrap(), "text\tcluster\na b\t0\nc\t1\n");
/// ```
///
/// # Errors
/// Those of `out`; [`LatentError`] inside an [`io::Error`] when columns differ in length or there are none.
pub fn write_metadata<S: AsRef<str>>(out: &mut impl Write, columns: &[(&str, &[S])]) -> io::Result<()> {
    let rows = columns.first().ok_or_else(|| io::Error::other(LatentError::Empty))?.1.len();
    if let Some(other) = columns.iter().find(|c| c.1.len() != rows) {
        let error = LatentError::Length { what: "entries of a column", expected: rows, found: other.1.len() };
        return Err(io::Error::other(error));
    }
    if columns.len() > 1 {
        line(out, columns.iter().map(|c| c.0))?;
    }
    (0..rows).try_for_each(|row| line(out, columns.iter().map(|c| c.1[row].as_ref())))
}

fn line<'s>(out: &mut impl Write, entries: impl Iterator<Item = &'s str>) -> io::Result<()> {
    for (i, entry) in entries.enumerate() {
        let tab = if i == 0 { "" } else { "\t" };
        write!(out, "{tab}{}", entry.replace(['\t', '\n', '\r'], " "))?;
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_can_be_read_again() {
        let values = [0.1, -2.5e-8, 3.0, 1.0 / 3.0, 1e14, 0.0];
        let mut out = Vec::new();
        write_vectors(&mut out, Matrix::new(&values, 3).unwrap()).unwrap();
        let text = String::from_utf8(out).unwrap();
        let read: Vec<Vec<f32>> = text.lines().map(|l| l.split('\t').map(|v| v.parse().unwrap()).collect()).collect();
        assert_eq!(read, [values[..3].to_vec(), values[3..].to_vec()]);
    }

    #[test]
    fn a_single_column_has_no_head_and_uneven_ones_are_refused() {
        let mut out = Vec::new();
        write_metadata(&mut out, &[("text", &["one\r\nline", "two"])]).unwrap();
        assert_eq!(out, b"one  line\ntwo\n");
        let error = write_metadata(&mut out, &[("a", &["1"][..]), ("b", &["1", "2"])]).unwrap_err();
        assert!(error.to_string().contains("2 entries of a column"), "{error}");
        assert!(write_metadata::<&str>(&mut out, &[]).is_err());
    }
}

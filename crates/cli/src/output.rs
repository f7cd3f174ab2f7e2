//! Where data go: standard output, or a file that is complete or absent.

use std::{
    fs,
    io::{self, BufWriter, StdoutLock, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::quote::one_line;

/// An open output.
pub enum Output {
    Stdout(BufWriter<StdoutLock<'static>>),
    /// Written beside its place and renamed at the end.
    File {
        file: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
    /// Something that is no regular file, such as /dev/null or a named pipe.
    Device {
        file: BufWriter<fs::File>,
        path: PathBuf,
    },
}

impl Output {
    /// Opens `path`, or standard output for `None` and `-`.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path.filter(|p| *p != Path::new("-")) else {
            return Ok(Output::Stdout(BufWriter::new(io::stdout().lock())));
        };
        // A link stays a link: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let cannot =
            || format!("{}: cannot be written; check the folder, or name another file with -o", path.display());
        if fs::metadata(&path).is_ok_and(|m| !m.is_file()) {
            let file = BufWriter::new(fs::OpenOptions::new().write(true).open(&path).with_context(cannot)?);
            return Ok(Output::Device { file, path });
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".strait-");
        #[cfg(unix)]
        {
            // The usual permissions, less the umask: temporary files are private otherwise.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = BufWriter::new(builder.tempfile_in(folder).with_context(cannot)?);
        Ok(Output::File { file, path })
    }

    /// Writes all there is to a file, or to standard output for `None` and `-`.
    pub fn write_whole(path: Option<&Path>, bytes: &[u8]) -> Result<()> {
        let mut out = Output::open(path)?;
        out.bytes(bytes)?;
        out.finish()
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        match self {
            Output::Stdout(_) => "standard output".into(),
            Output::File { path, .. } | Output::Device { path, .. } => path.display().to_string(),
        }
    }

    fn checked(&mut self, result: io::Result<()>) -> Result<()> {
        result.with_context(|| format!("{}: cannot be written; is the disk full?", self.name()))
    }

    /// A text on its own line.
    pub fn line(&mut self, text: &str) -> Result<()> {
        let result = writeln!(self, "{}", one_line(text));
        self.checked(result)
    }

    /// A value as a line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        let result = self.write_all(&line);
        self.checked(result)
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let result = self.write_all(bytes);
        self.checked(result)
    }

    /// Lets readers see what was written so far.
    pub fn flush_part(&mut self) -> Result<()> {
        let result = self.flush();
        self.checked(result)
    }

    /// All is written: a file comes into its place.
    pub fn finish(mut self) -> Result<()> {
        self.flush_part()?;
        let Output::File { file, path } = self else { return Ok(()) };
        let cannot = || format!("{}: cannot be put in its place", path.display());
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .with_context(cannot)?
            .persist(&path)
            .with_context(cannot)?;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Stdout(out) => out.write(bytes),
            Output::File { file, .. } => file.write(bytes),
            Output::Device { file, .. } => file.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Stdout(out) => out.flush(),
            Output::File { file, .. } => file.flush(),
            Output::Device { file, .. } => file.flush(),
        }
    }
}

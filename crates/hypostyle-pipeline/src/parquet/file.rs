//! A file that many readers share, each at a place of its own.
//!
//! A clone of [`File`] shares its cursor, so that threads which seek in clones read each other's bytes; and a file a
//! column would run out of descriptors on a wide table.  Reading *at* a position needs neither.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

use crate::remote::{Object, Ranges};

/// What a page's header is read through: headers take some dozens of bytes.
const HEADER_BYTES: usize = 1 << 10;

/// A file of a length that was known when it was opened.
#[derive(Debug, Clone)]
pub(super) enum SharedFile {
    Local { file: Arc<File>, bytes: u64 },
    Remote(Ranges),
}

impl SharedFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self::Local { file: Arc::new(file), bytes })
    }

    pub fn open_remote(object: &Arc<Object>) -> io::Result<Self> {
        Ranges::open(object).map(Self::Remote)
    }

    /// Announces which chunks will be read, of this number of columns; only remote files need it.
    pub fn plan(&self, chunks: impl FnOnce() -> Vec<Range<u64>>, columns: usize) {
        if let Self::Remote(ranges) = self {
            ranges.plan(chunks(), columns);
        }
    }

    /// The file for one reader of the chunks that `chunks` gives: those of each of its leaves, and those that others will
    /// begin with soon.
    pub fn lane(&self, chunks: impl FnOnce() -> (Vec<Vec<Range<u64>>>, Vec<Range<u64>>)) -> Self {
        match self {
            Self::Local { .. } => self.clone(),
            Self::Remote(ranges) => {
                let (leaves, beside) = chunks();
                Self::Remote(ranges.lane(leaves, &beside))
            }
        }
    }

    /// Some bytes from this place on; `first` where the reader goes there, rather than on.
    fn read_at(&self, buffer: &mut [u8], start: u64, first: bool) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Local { file, .. } => std::os::unix::fs::FileExt::read_at(&**file, buffer, start),
            #[cfg(windows)]
            Self::Local { file, .. } => std::os::windows::fs::FileExt::seek_read(&**file, buffer, start),
            Self::Remote(ranges) => ranges.read_at(buffer, start, first),
        }
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        match self {
            Self::Local { bytes, .. } => *bytes,
            Self::Remote(ranges) => ranges.len(),
        }
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::with_capacity(HEADER_BYTES, Cursor { file: self.clone(), place: start, first: true }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // A damaged file may ask for any length: nothing is set aside for what the file cannot hold.
        if start.saturating_add(length as u64) > self.len() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Self::Remote(ranges) = self {
            return Ok(ranges.bytes(start, length)?);
        }
        let mut buffer = vec![0; length];
        Cursor { file: self.clone(), place: start, first: true }.read_exact(&mut buffer)?;
        Ok(buffer.into())
    }
}

/// A place in the file, moved on by reading.
#[derive(Debug)]
pub(super) struct Cursor {
    file: SharedFile,
    place: u64,
    first: bool,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read_at(buffer, self.place, self.first)?;
        self.first = false;
        self.place += bytes as u64;
        Ok(bytes)
    }
}

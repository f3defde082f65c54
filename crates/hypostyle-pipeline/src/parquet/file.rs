//! A file that many readers share, each at a place of its own.
//!
//! A clone of [`File`] shares its cursor, so that threads which seek in clones read each other's bytes; and a file a
//! column would run out of descriptors on a wide table.  Reading *at* a position needs neither.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

/// What a page's header is read through: headers take some dozens of bytes.
const HEADER_BYTES: usize = 1 << 10;

/// A file of a length that was known when it was opened.
#[derive(Debug, Clone)]
pub(super) struct SharedFile {
    file: Arc<File>,
    bytes: u64,
}

impl SharedFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), bytes })
    }

    fn read_at(&self, buffer: &mut [u8], start: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(&*self.file, buffer, start);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, start);
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::with_capacity(HEADER_BYTES, Cursor { file: self.clone(), place: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // A damaged file may ask for any length: nothing is set aside for what the file can't hold.
        if start.saturating_add(length as u64) > self.bytes {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let mut buffer = vec![0; length];
        Cursor { file: self.clone(), place: start }.read_exact(&mut buffer)?;
        Ok(buffer.into())
    }
}

/// A place in the file, moved on by reading.
#[derive(Debug)]
pub(super) struct Cursor {
    file: SharedFile,
    place: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read_at(buffer, self.place)?;
        self.place += bytes as u64;
        Ok(bytes)
    }
}

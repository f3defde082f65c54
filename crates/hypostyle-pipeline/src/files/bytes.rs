//! A file as a stream of bytes: from the disk, standard input or elsewhere, decompressed on the way where its name or first
//! bytes say so.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::input::{InputFile, is_standard};
use crate::error::{Error, ErrorKind, Result};
use crate::remote::Stream;

/// A stream of a file's bytes, decompressed.
pub(crate) struct Bytes {
    inner: Box<dyn Read + Send>,
    file: InputFile,
}

/// So much memory is cleared at first to be read into, and then as much again as was filled: most files are small.
const STEP: usize = 64 << 10;

/// Bytes that were read, followed by memory that was cleared once and is read into again and again.
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// These bytes, in memory that isn't needed any more.
    pub fn reusing(mut memory: Vec<u8>, bytes: &[u8]) -> Self {
        if memory.len() < bytes.len() {
            memory.resize(bytes.len(), 0);
        }
        memory[..bytes.len()].copy_from_slice(bytes);
        Self { memory, len: bytes.len() }
    }

    pub fn push(&mut self, byte: u8) {
        self.memory.truncate(self.len);
        self.memory.push(byte);
        self.len += 1;
    }

    /// Removes bytes at the beginning.
    pub fn skip(&mut self, bytes: usize) {
        self.memory.drain(..bytes);
        self.len -= bytes;
    }

    pub fn into_vec(mut self) -> Vec<u8> {
        self.memory.truncate(self.len);
        self.memory
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Gzip,
    Zstd,
}

impl Codec {
    /// As the name's last extension says.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(name) if name.eq_ignore_ascii_case("gz") => Self::Gzip,
            Some(name) if name.eq_ignore_ascii_case("zst") || name.eq_ignore_ascii_case("zstd") => Self::Zstd,
            _ => Self::None,
        }
    }
}

impl Bytes {
    /// Opens the file and goes to this place of what it holds; `read` counts the bytes taken from the disk.
    pub fn open(file: &InputFile, skip: u64, read: &Arc<AtomicU64>) -> Result<Self> {
        let path = &file.path;
        let fault = |error: io::Error| {
            let message = format!("cannot open the input: {error}");
            file.blame(Error::new(ErrorKind::Source, message).in_file(path).because(error))
        };
        let mut inner = if is_standard(path) {
            Box::new(Counted { inner: io::stdin(), read: Arc::clone(read) })
        } else if let Some(object) = file.remote() {
            decompressed(Stream::open(object, 0), path, skip, read).map_err(fault)?
        } else {
            decompressed(File::open(path).map_err(fault)?, path, skip, read).map_err(fault)?
        };
        if is_standard(path) || Codec::of(path) != Codec::None {
            io::copy(&mut (&mut inner).take(skip), &mut io::sink()).map_err(fault)?;
        }
        Ok(Self { inner, file: file.clone() })
    }

    /// Reads until `buffer` holds `size` bytes; whether the stream has ended.
    pub fn fill(&mut self, buffer: &mut Buffer, size: usize) -> Result<bool> {
        while buffer.len < size {
            if buffer.memory.len() == buffer.len {
                buffer.memory.resize(size.min(buffer.len + buffer.len.max(STEP)), 0);
            }
            let end = size.min(buffer.memory.len());
            match self.inner.read(&mut buffer.memory[buffer.len..end]) {
                Ok(0) => return Ok(true),
                Ok(got) => buffer.len += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let message = format!("cannot read the input: {error}");
                    let error = Error::new(ErrorKind::Source, message).in_file(&self.file.path).because(error);
                    return Err(self.file.blame(error));
                }
            }
        }
        Ok(false)
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

/// What a file holds: from `skip` on if it is not compressed.
fn decompressed<R: Read + Seek + Send + 'static>(
    mut file: R,
    path: &Path,
    skip: u64,
    read: &Arc<AtomicU64>,
) -> io::Result<Box<dyn Read + Send>> {
    let counted = |file| Counted { inner: file, read: Arc::clone(read) };
    Ok(match Codec::of(path) {
        Codec::None => {
            file.seek(SeekFrom::Start(skip))?;
            read.fetch_add(skip, Ordering::Relaxed);
            Box::new(counted(file))
        }
        // Files of several members are common: tools append to them.
        Codec::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(io::BufReader::with_capacity(1 << 18, counted(file))))
        }
        Codec::Zstd => Box::new(zstd::Decoder::new(counted(file))?),
    })
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.read.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

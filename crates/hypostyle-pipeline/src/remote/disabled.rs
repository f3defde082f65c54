//! The stub of [`super`] without the feature `remote`: URLs are errors, and there are no objects.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::options::StorageOptions;
use super::url::shown;
use crate::error::{Error, ErrorKind, Result};

pub(crate) struct Stores;

#[derive(Debug)]
pub(crate) struct Object {
    pub ranges: bool,
    never: Infallible,
}

/// An object that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its URL, without what may be secret in it.
    pub shown: PathBuf,
    pub bytes: u64,
    /// Nanoseconds since 1970; `None` if there is an e_tag, so that a copy of the object with a new time is still the same.
    pub modified: Option<u64>,
    pub e_tag: Option<String>,
    pub object: Arc<Object>,
}

pub(crate) struct Stream(Infallible);

#[derive(Debug, Clone)]
pub(crate) struct Place(Infallible);

pub(crate) struct Upload(Infallible);

#[derive(Debug, Clone)]
pub(crate) struct Ranges(Infallible);

impl Stores {
    pub fn new(_: &StorageOptions, _: &[PathBuf]) -> Result<Self> {
        Ok(Self)
    }

    pub fn find(&mut self, path: &Path, _: &impl Fn(&Path) -> bool) -> Result<Vec<Found>> {
        Err(unknown(ErrorKind::Source, path))
    }

    pub fn place(&mut self, path: &Path) -> Result<Place> {
        Err(unknown(ErrorKind::Sink, path))
    }
}

fn unknown(kind: ErrorKind, path: &Path) -> Error {
    Error::new(kind, "this build of Hypostyle supports local files only")
        .in_file(Path::new(shown(&path.to_string_lossy())))
        .help("enable the feature `remote` of hypostyle-pipeline, which is on by default")
}

impl Place {
    pub fn shown(&self) -> &Path {
        match self.0 {}
    }

    pub fn begin(&self) -> Result<Upload> {
        match self.0 {}
    }
}

impl Upload {
    pub fn send(self, _: &mut File, _: &AtomicBool) -> Result<u64> {
        match self.0 {}
    }
}

impl Object {
    pub fn failure(&self, _: &Path) -> Option<Error> {
        match self.never {}
    }

    pub fn is_unchanged(&self, _: &Path) -> Result<bool> {
        match self.never {}
    }
}

impl Stream {
    pub fn open(object: &Arc<Object>, _: u64) -> Self {
        match object.never {}
    }
}

impl Read for Stream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

impl Seek for Stream {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        match self.0 {}
    }
}

impl Ranges {
    pub fn open(object: &Arc<Object>) -> io::Result<Self> {
        match object.never {}
    }

    pub fn len(&self) -> u64 {
        match self.0 {}
    }

    pub fn plan(&self, _: Vec<Range<u64>>, _: usize) {
        match self.0 {}
    }

    pub fn lane(&self, _: Vec<Vec<Range<u64>>>, _: &[Range<u64>]) -> Self {
        match self.0 {}
    }

    pub fn bytes(&self, _: u64, _: usize) -> io::Result<Bytes> {
        match self.0 {}
    }

    pub fn read_at(&self, _: &mut [u8], _: u64, _: bool) -> io::Result<usize> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_refused_and_the_feature_named() {
        let path = Path::new("https://host/x.csv?sig=hunter2");
        let error = Stores.find(path, &|_: &Path| true).unwrap_err().to_string();
        assert!(error.starts_with("https://host/x.csv: ") && error.contains("feature `remote`"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

//! An object that is written: begun before the first row, so that a refusal comes early, and sent in parts when its file is
//! whole.  It appears with the last request, or not at all.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};

use super::error::{Cause, Fault};
use super::runtime::{self, Waiting};
use super::store::Stores;
use super::url::{Kind, Url};
use crate::error::{Error, ErrorKind, Result};

/// Parts are of this size, larger where there would be more of them than a store takes.
const PART: u64 = 8 << 20;
const MOST_PARTS: u64 = 10_000;
/// So many parts are under way.
const AT_ONCE: usize = 4;
/// So long the store has to take note that an upload is given up.
const ABORT: Duration = Duration::from_millis(500);

/// Where an object is to be written.
#[derive(Clone)]
pub(crate) struct Place {
    store: Arc<dyn ObjectStore>,
    key: Key,
    kind: Kind,
    secrets: Arc<[String]>,
    shown: PathBuf,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

impl Stores {
    /// The place of a URL.
    pub fn place(&mut self, path: &Path) -> Result<Place> {
        let url = Url::parse(&path.to_string_lossy())?;
        let shown = PathBuf::from(url.shown());
        let fault = |message: &str| Error::new(ErrorKind::Sink, message).in_file(&shown);
        if url.kind == Kind::Http {
            return Err(
                fault("HTTP is read-only").help("write a local file, or to an object store: s3://, gs://, az://")
            );
        }
        if url.key.is_empty() || url.key.ends_with('/') {
            return Err(fault("the URL of the output has no key").help("add a key: s3://bucket/features.parquet"));
        }
        let key = Key::parse(&url.key).map_err(|error| fault(&format!("invalid key: {error}")))?;
        let (store, secrets) = (self.store(&url, "sink")?, self.secrets(&url).into());
        Ok(Place { store, key, kind: url.kind, secrets, shown })
    }
}

impl Place {
    pub fn shown(&self) -> &Path {
        &self.shown
    }

    /// Tells the store that an object will come.
    pub fn begin(&self) -> Result<Upload> {
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        let begun = runtime::wait(async move { store.put_multipart(&key).await });
        let upload = self.checked(begun)?;
        Ok(Upload { place: self.clone(), upload: Some(upload) })
    }

    fn checked<T>(&self, outcome: io::Result<object_store::Result<T>>) -> Result<T> {
        let fault = match outcome {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => Fault::of(&error, &self.secrets),
            Err(error) => Fault::new(Cause::Other, error.to_string()),
        };
        Err(fault.output_error(&self.shown, self.kind))
    }
}

/// An object that was begun; dropped, it is given up.
pub(crate) struct Upload {
    place: Place,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    /// Sends the file, unless and until `stop` is set.  The number of its bytes.
    pub fn send(mut self, file: &mut File, stop: &AtomicBool) -> Result<u64> {
        let Self { place, upload } = &mut self;
        let Some(running) = upload else { return Err(lost()) };
        let unreadable = |error| Error::unwritable(error).in_file(&place.shown);
        let length = file.metadata().map_err(unreadable)?.len();
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let size = PART.max(length.div_ceil(MOST_PARTS));
        let mut under_way: VecDeque<Waiting<object_store::Result<()>>> = VecDeque::new();
        let finished = |part: Waiting<_>| {
            let outcome = part.wait_until(stop).transpose().ok_or_else(interrupted)?;
            place.checked(outcome)
        };
        let mut left = length;
        while left > 0 {
            let mut part = Vec::new();
            file.by_ref().take(size.min(left)).read_to_end(&mut part).map_err(unreadable)?;
            if part.is_empty() {
                return Err(unreadable(io::ErrorKind::UnexpectedEof.into()));
            }
            left -= part.len() as u64;
            if under_way.len() == AT_ONCE
                && let Some(first) = under_way.pop_front()
            {
                finished(first)?;
            }
            under_way.push_back(runtime::begin(running.put_part(part.into())).map_err(unreadable)?);
        }
        under_way.into_iter().try_for_each(finished)?;
        let Some(mut running) = upload.take() else { return Err(lost()) };
        let done = runtime::wait(async move {
            let done = running.complete().await;
            if done.is_err() {
                let _ = tokio::time::timeout(ABORT, running.abort()).await;
            }
            done
        });
        place.checked(done).map(|_| length)
    }
}

/// An upload goes away with the value that holds it.
fn lost() -> Error {
    Error::internal("the upload of the output has ended already")
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted: no output was written")
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            // The process may be about to end, and whoever interrupted it waits.
            if let Ok(request) = runtime::begin(async move { upload.abort().await }) {
                request.wait_at_most(ABORT);
            }
        }
    }
}

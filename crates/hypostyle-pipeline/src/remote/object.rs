//! One object: what it was when it was found, and its bytes.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::time::{Instant, sleep};

use super::error::{Cause, Fault};
use super::runtime::{self, Waiting};
use super::url::Kind;
use crate::error::{Error, Result};

/// What tells an object from a later one of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub bytes: u64,
    /// Nanoseconds since 1970, in whole seconds, as some answers of a store round it and others don't.
    pub modified: Option<u64>,
    /// Without quotes, as some answers of a store have them and others don't.
    pub e_tag: Option<String>,
}

impl Version {
    pub(super) fn of(about: &ObjectMeta) -> Self {
        let seconds = u64::try_from(about.last_modified.timestamp()).ok().filter(|seconds| *seconds > 0);
        Self {
            bytes: about.size,
            modified: seconds.map(|seconds| seconds * 1_000_000_000),
            e_tag: about.e_tag.as_ref().map(|e_tag| e_tag.replace('"', "")),
        }
    }

    /// Whether an answer is of this version; a server need not say everything every time.
    fn fits(&self, other: &Self) -> bool {
        self.bytes == other.bytes
            && match (&self.e_tag, &other.e_tag) {
                (Some(mine), Some(theirs)) => bare(mine) == bare(theirs),
                _ => self.modified.is_none() || other.modified.is_none() || self.modified == other.modified,
            }
    }
}

/// An e_tag, whether it is a weak one or not.
pub(super) fn bare(e_tag: &str) -> &str {
    e_tag.trim_start_matches("W/")
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

/// An object that can be read.
pub(crate) struct Object {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) location: object_store::path::Path,
    pub(super) kind: Kind,
    pub(super) retry: RetryConfig,
    pub(super) secrets: Vec<String>,
    pub version: Version,
    /// Whether the server gives parts of it.
    pub ranges: bool,
    /// The first failure, which comes back through readers that keep no more of an error than its text.
    pub(super) failed: OnceLock<Fault>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("location", &self.location).field("version", &self.version).finish()
    }
}

impl Object {
    /// What a failed read meant, if one has failed.
    pub fn failure(&self, shown: &Path) -> Option<Error> {
        self.failed.get().map(|fault| fault.error(shown, self.kind))
    }

    /// Asks again what the object is, and whether it is the same.
    pub fn is_unchanged(&self, shown: &Path) -> Result<bool> {
        let (store, location, secrets) = (Arc::clone(&self.store), self.location.clone(), self.secrets.clone());
        let (kind, ranges) = (self.kind, self.ranges);
        let asked = runtime::wait(async move { about(&*store, &location, kind, ranges, &secrets).await });
        let asked = asked.unwrap_or_else(|error| Err(Fault::new(Cause::Other, error.to_string())));
        let (found, _) = asked.map_err(|fault| fault.error(shown, kind))?;
        Ok(self.version.fits(&found))
    }

    /// Begins to fetch a part.
    pub(super) fn fetch(self: &Arc<Self>, range: Range<u64>) -> io::Result<Waiting<Outcome>> {
        let object = Arc::clone(self);
        runtime::begin(async move { object.part(range).await })
    }

    /// Takes note of a failure, and makes of it what readers pass on.
    pub(super) fn fail(&self, fault: Fault) -> io::Error {
        io::Error::other(self.failed.get_or_init(|| fault).server_message.clone())
    }

    /// A part of the object.  A body that breaks off is asked for again from there.
    pub(super) async fn part(&self, range: Range<u64>) -> Outcome {
        let length =
            usize::try_from(range.end - range.start).map_err(|_| Fault::new(Cause::Other, "it is too long"))?;
        let mut got = BytesMut::new();
        let (mut tries, mut since) = (0, Instant::now());
        loop {
            let from = range.start + got.len() as u64;
            if from == range.end {
                return Ok(got.freeze());
            }
            let mut body = self.get(Some(from..range.end)).await?.into_stream();
            let before = got.len();
            let broken = loop {
                match body.next().await {
                    // An answer of one piece is not copied.
                    Some(Ok(bytes)) if bytes.len() == length && got.is_empty() => return Ok(bytes),
                    Some(Ok(bytes)) => {
                        if got.is_empty() {
                            got.reserve(length);
                        }
                        got.extend_from_slice(&bytes);
                        if got.len() > length {
                            return Err(Fault::new(Cause::Other, "the server sent more than was requested"));
                        }
                    }
                    Some(Err(error)) => break Fault::of(&error, &self.secrets),
                    None if got.len() == length => break Fault::new(Cause::Other, String::new()),
                    None => break Fault::new(Cause::Other, "the connection was closed early"),
                }
            };
            if got.len() == length {
                continue;
            }
            tries += 1;
            if got.len() > before {
                (tries, since) = (0, Instant::now());
            }
            if tries > self.retry.max_retries || since.elapsed() > self.retry.retry_timeout {
                return Err(broken);
            }
            let doublings = tries.min(10) as i32;
            sleep(self.retry.backoff.init_backoff.mul_f64(2_f64.powi(doublings)).min(self.retry.backoff.max_backoff))
                .await;
        }
    }

    /// The whole object as a stream, for servers that give no parts.
    pub(super) async fn whole(&self) -> std::result::Result<BoxStream<'static, object_store::Result<Bytes>>, Fault> {
        Ok(self.get(None).await?.into_stream())
    }

    async fn get(&self, range: Option<Range<u64>>) -> std::result::Result<GetResult, Fault> {
        // A weak e_tag never matches.
        let e_tag = self.version.e_tag.as_ref().filter(|e_tag| !e_tag.starts_with("W/"));
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            if_match: e_tag.map(|e_tag| format!("\"{e_tag}\"")),
            ..GetOptions::default()
        };
        let answer = self.store.get_opts(&self.location, options).await;
        let answer = answer.map_err(|error| match Fault::of(&error, &self.secrets) {
            // No part is asked for that was not there.
            fault if fault.server_message.starts_with("416") => Fault::new(Cause::Changed, fault.server_message),
            fault => fault,
        })?;
        if !self.version.fits(&Version::of(&answer.meta)) {
            return Err(Fault::new(Cause::Changed, "another version"));
        }
        Ok(answer)
    }
}

/// A part, or why there is none.
pub(super) type Outcome = std::result::Result<Bytes, Fault>;

/// What an object is, and whether the server gives parts of it.
pub(super) async fn about(
    store: &dyn ObjectStore,
    location: &object_store::path::Path,
    kind: Kind,
    ranges: bool,
    secrets: &[String],
) -> std::result::Result<(Version, bool), Fault> {
    if kind == Kind::Http && ranges {
        // A link that was signed for GET refuses HEAD, and only an answer tells whether parts are given.
        let options = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
        match store.get_opts(location, options).await.map_err(|error| Fault::of(&error, secrets)) {
            Ok(answer) => return Ok((Version::of(&answer.meta), true)),
            Err(fault) if matches!(fault.cause, Cause::Missing | Cause::Denied) => return Err(fault),
            Err(fault) if fault.cause == Cause::Other && !fault.server_message.starts_with("416") => return Err(fault),
            Err(_) => {}
        }
    }
    let found = store.head(location).await.map_err(|error| Fault::of(&error, secrets))?;
    Ok((Version::of(&found), kind != Kind::Http || found.size == 0))
}

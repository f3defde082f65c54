//! An object from one place to its end: parts of some MiB, a few of them under way at a time, taken in order.
//!
//! Reading begins with a small part, since often no more than a header is wanted, and goes on with larger ones and more of
//! them.  A reader that goes elsewhere, as that of Arrow IPC files does to the footer and back, begins again there.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::error::{Cause, Fault};
use super::object::{Object, Outcome};
use super::runtime::{self, Waiting};

/// The first part, and the largest ones.
const FIRST: u64 = 1 << 20;
const MOST: u64 = 4 << 20;
/// So many parts may be under way.
const AHEAD: usize = 4;
/// Who goes close to the end gets all of it.
const TAIL: u64 = 64 << 10;

/// A place in an object, moved on by reading.
pub(crate) struct Stream {
    object: Arc<Object>,
    place: u64,
    /// The part that was read last, and the first one, to which readers come back.
    current: Part,
    first: Part,
    under_way: VecDeque<(u64, Waiting<Outcome>)>,
    /// Where the part begins that will be asked for next, and how long it and how many there may be.
    next: u64,
    size: u64,
    ahead: usize,
    whole: Option<Whole>,
}

#[derive(Clone, Default)]
struct Part {
    start: u64,
    bytes: Bytes,
}

impl Part {
    fn from(&self, place: u64) -> Option<&[u8]> {
        let at = usize::try_from(place.checked_sub(self.start)?).ok()?;
        self.bytes.get(at..).filter(|bytes| !bytes.is_empty())
    }
}

impl Stream {
    pub fn open(object: &Arc<Object>, place: u64) -> Self {
        let whole =
            (!object.ranges).then(|| Whole { object: Arc::clone(object), place: 0, rest: Bytes::new(), next: None });
        Self {
            object: Arc::clone(object),
            place,
            current: Part::default(),
            first: Part::default(),
            under_way: VecDeque::new(),
            next: place,
            size: FIRST,
            ahead: 1,
            whole,
        }
    }

    /// Sees to it that the current part holds the place.
    fn advance(&mut self) -> io::Result<()> {
        let within = self.under_way.front().is_some_and(|(start, _)| *start <= self.place) && self.place < self.next;
        let beyond = self.current.start + self.current.bytes.len() as u64;
        let behind = self.under_way.is_empty() && self.place == self.next && self.place == beyond;
        if !within && !behind {
            self.under_way.clear();
            self.next = self.place.min(self.object.version.bytes.saturating_sub(TAIL));
            (self.size, self.ahead) = (FIRST, 1);
        }
        loop {
            self.ask()?;
            let Some((start, part)) = self.under_way.pop_front() else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            let bytes = part.wait()?.map_err(|fault| self.object.fail(fault))?;
            self.current = Part { start, bytes };
            if start == 0 {
                self.first = self.current.clone();
            }
            if self.current.from(self.place).is_some() {
                // Who has read the first part may want no more.
                if self.ahead > 1 {
                    self.ask()?;
                }
                self.ahead = (self.ahead + 1).min(AHEAD);
                return Ok(());
            }
        }
    }

    /// Asks for as many parts as may be under way.
    fn ask(&mut self) -> io::Result<()> {
        while self.under_way.len() < self.ahead && self.next < self.object.version.bytes {
            let end = (self.next + self.size).min(self.object.version.bytes);
            self.under_way.push_back((self.next, self.object.fetch(self.next..end)?));
            self.next = end;
            self.size = (self.size * 2).min(MOST);
        }
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(whole) = &mut self.whole {
            return whole.read(self.place, buffer).inspect(|got| self.place += *got as u64);
        }
        if self.place >= self.object.version.bytes || buffer.is_empty() {
            return Ok(0);
        }
        if self.current.from(self.place).is_none() && self.first.from(self.place).is_none() {
            self.advance()?;
        }
        let bytes = self.current.from(self.place).or(self.first.from(self.place)).unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        self.place += length as u64;
        Ok(length)
    }
}

impl Seek for Stream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.object.version.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

/// The body of one answer, for servers that give no parts.  Some of it is fetched ahead; what breaks off cannot go on.
struct Whole {
    object: Arc<Object>,
    place: u64,
    rest: Bytes,
    next: Option<Waiting<std::result::Result<(Bytes, Body), Fault>>>,
}

type Body = BoxStream<'static, object_store::Result<Bytes>>;

impl Whole {
    fn read(&mut self, place: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if place < self.place {
            return Err(io::ErrorKind::Unsupported.into());
        }
        loop {
            let skip = usize::try_from(place - self.place).map_or(self.rest.len(), |skip| skip.min(self.rest.len()));
            self.rest.advance(skip);
            self.place += skip as u64;
            if !self.rest.is_empty() || self.place >= self.object.version.bytes {
                let length = self.rest.len().min(buffer.len());
                self.rest.copy_to_slice(&mut buffer[..length]);
                self.place += length as u64;
                return Ok(length);
            }
            let object = Arc::clone(&self.object);
            let next = match self.next.take() {
                Some(next) => next,
                None => runtime::begin(async move { some(&object, object.whole().await?).await })?,
            };
            let (bytes, body) = next.wait()?.map_err(|fault| self.object.fail(fault))?;
            if bytes.is_empty() {
                return Err(self.object.fail(Fault::new(Cause::Other, "the connection was closed early")));
            }
            self.rest = bytes;
            let object = Arc::clone(&self.object);
            self.next = Some(runtime::begin(async move { some(&object, body).await })?);
        }
    }
}

/// The next of a body, and what follows.
async fn some(object: &Object, mut body: Body) -> std::result::Result<(Bytes, Body), Fault> {
    let mut bytes = BytesMut::new();
    while (bytes.len() as u64) < FIRST
        && let Some(more) = body.next().await
    {
        bytes.extend_from_slice(&more.map_err(|error| Fault::of(&error, &object.secrets))?);
    }
    Ok((bytes.freeze(), body))
}

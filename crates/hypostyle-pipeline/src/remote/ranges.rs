//! An object read at many places by many threads, as Parquet is: by small reads of page headers and pages, a request for each
//! of which would be slow.
//!
//! What will be read is known once the footer is: the chunks of the wanted columns.  From these the requests follow ahead of
//! time, as *segments*: a large chunk is cut into some, small neighbours share one.  A [`Lane`] goes over the chunks of one
//! column; when it enters a segment, that one and the one after it are fetched, and a segment's bytes are let go when every
//! lane that it serves has left it.  So each byte of the wanted columns is fetched once, nothing else is, and no more than two
//! segments a column are held.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::Semaphore;

use super::error::{Cause, Fault};
use super::object::{Object, Outcome};
use super::runtime;

/// The footer and what else lies so close to the end is fetched at once.
const TAIL: u64 = 64 << 10;
/// All columns' segments together take about so much; one alone is no smaller and no larger than these.
const HELD: u64 = 64 << 20;
const SMALLEST: u64 = 256 << 10;
const LARGEST: u64 = 4 << 20;
/// So many requests may be under way.
const AT_ONCE: usize = 8;

/// An object, with or without a lane of one's own.
#[derive(Clone)]
pub(crate) struct Ranges {
    shared: Arc<Shared>,
    lane: Option<Arc<Lane>>,
}

struct Shared {
    object: Arc<Object>,
    tail_start: u64,
    tail: Bytes,
    plan: OnceLock<Plan>,
    requests: Arc<Semaphore>,
}

/// The requests, in the order of the object, and what came of each.
#[derive(Default)]
struct Plan {
    ranges: Vec<Range<u64>>,
    segments: Vec<Arc<Segment>>,
}

struct Segment {
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    /// How many lanes have yet to leave it.
    users: usize,
    data: Data,
}

enum Data {
    Unasked,
    UnderWay,
    Here(Bytes),
    Failed(String),
}

/// The way of one reader through the chunks of a column: of each leaf, where the column is nested.
struct Lane {
    shared: Arc<Shared>,
    leaves: Mutex<Vec<Leaf>>,
}

struct Leaf {
    /// The pieces of its chunks, each with the segment that it lies in.
    steps: Vec<(Range<u64>, usize)>,
    at: usize,
}

impl fmt::Debug for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.object.fmt(f)
    }
}

impl Ranges {
    /// Fetches the end of the object.
    pub fn open(object: &Arc<Object>) -> io::Result<Self> {
        if !object.ranges {
            return Err(object.fail(Fault::new(Cause::NoRanges, "it gives files as a whole")));
        }
        let bytes = object.version.bytes;
        let tail_start = bytes.saturating_sub(TAIL);
        let tail = fetch(object, tail_start..bytes)?;
        let shared = Shared {
            object: Arc::clone(object),
            tail_start,
            tail,
            plan: OnceLock::new(),
            requests: Arc::new(Semaphore::new(AT_ONCE)),
        };
        Ok(Self { shared: Arc::new(shared), lane: None })
    }

    pub fn len(&self) -> u64 {
        self.shared.object.version.bytes
    }

    /// Takes note of all chunks that will be read, of so many columns.
    pub fn plan(&self, chunks: Vec<Range<u64>>, columns: usize) {
        let largest = (HELD / 2 / columns.max(1) as u64).clamp(SMALLEST, LARGEST);
        let ranges = segments(chunks.clone(), self.shared.tail_start, largest);
        let mut users = vec![0; ranges.len()];
        for chunk in &chunks {
            for (_, segment) in steps(chunk, &ranges) {
                users[segment] += 1;
            }
        }
        let segment = |users| {
            let state = Mutex::new(State { users, data: Data::Unasked });
            Arc::new(Segment { state, arrived: Condvar::new() })
        };
        let segments = users.into_iter().map(segment).collect();
        // Planned twice, the first plan stays.
        let _ = self.shared.plan.set(Plan { ranges, segments });
    }

    /// A reader of the chunks of these leaves; `beside` are chunks that other lanes will begin with soon.
    pub fn lane(&self, leaves: Vec<Vec<Range<u64>>>, beside: &[Range<u64>]) -> Self {
        let Some(plan) = self.shared.plan.get() else { return self.clone() };
        let leaf = |chunks: Vec<Range<u64>>| {
            let steps = chunks.iter().flat_map(|chunk| steps(chunk, &plan.ranges)).collect();
            Leaf { steps, at: 0 }
        };
        let leaves = leaves.into_iter().map(leaf).collect();
        let lane = Lane { shared: Arc::clone(&self.shared), leaves: Mutex::new(leaves) };
        for chunk in beside {
            if let Some((_, segment)) = steps(chunk, &plan.ranges).first() {
                self.shared.ask(plan, *segment);
            }
        }
        Self { shared: Arc::clone(&self.shared), lane: Some(Arc::new(lane)) }
    }

    /// Exactly these bytes.
    pub fn bytes(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let end = start + length as u64;
        let mut piece = self.piece(start, end, true)?;
        if piece.len() >= length {
            return Ok(piece.split_to(length));
        }
        let mut whole = BytesMut::with_capacity(length);
        loop {
            whole.extend_from_slice(&piece[..piece.len().min(length - whole.len())]);
            if whole.len() == length {
                return Ok(whole.freeze());
            }
            piece = self.piece(start + whole.len() as u64, end, false)?;
        }
    }

    /// Some bytes from this place on.  The `first` read of a page tells how far the reader has come; a later one may look
    /// beyond a segment's end and come back.
    pub fn read_at(&self, buffer: &mut [u8], start: u64, first: bool) -> io::Result<usize> {
        if start >= self.len() || buffer.is_empty() {
            return Ok(0);
        }
        let end = (start + buffer.len() as u64).min(self.len());
        let piece = self.piece(start, end, first)?;
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        Ok(length)
    }

    /// What is at hand or planned from `start` on; else what lies before `end`, asked for alone.
    fn piece(&self, start: u64, end: u64, arrives: bool) -> io::Result<Bytes> {
        let shared = &self.shared;
        if let Some(at) = start.checked_sub(shared.tail_start) {
            // The tail is no longer than there are addresses.
            return Ok(shared.tail.slice((at as usize).min(shared.tail.len())..));
        }
        if let (Some(plan), Some(lane)) = (shared.plan.get(), &self.lane)
            && let Some((step, segment)) = lane.step(plan, start, arrives)
            && let Some(bytes) = shared.get(plan, segment)?
        {
            let from = plan.ranges[segment].start;
            return Ok(bytes.slice((start - from) as usize..(step.end - from) as usize));
        }
        fetch(&shared.object, start..end.min(shared.tail_start))
    }
}

fn fetch(object: &Arc<Object>, range: Range<u64>) -> io::Result<Bytes> {
    if range.is_empty() {
        return Ok(Bytes::new());
    }
    object.fetch(range)?.wait()?.map_err(|fault| object.fail(fault))
}

impl Shared {
    /// Sees to it that a segment is under way.
    fn ask(&self, plan: &Plan, index: usize) {
        let segment = &plan.segments[index];
        let mut state = segment.lock();
        if state.users == 0 || !matches!(state.data, Data::Unasked) {
            return;
        }
        state.data = Data::UnderWay;
        drop(state);
        let (object, requests, range) =
            (Arc::clone(&self.object), Arc::clone(&self.requests), plan.ranges[index].clone());
        let answer = Answer { object: Arc::clone(&object), segment: Arc::clone(segment), outcome: None };
        let begun = runtime::spawn(async move {
            let _permit = requests.acquire().await;
            answer.give(object.part(range).await);
        });
        if let Err(error) = begun {
            segment.lock().data = Data::Failed(error.to_string());
        }
    }

    /// A segment's bytes, waited for; `None` if they were let go.
    fn get(&self, plan: &Plan, index: usize) -> io::Result<Option<Bytes>> {
        self.ask(plan, index);
        let segment = &plan.segments[index];
        let mut state = segment.lock();
        loop {
            match &state.data {
                Data::Here(bytes) => return Ok(Some(bytes.clone())),
                Data::Failed(said) => return Err(io::Error::other(said.clone())),
                Data::Unasked => return Ok(None),
                Data::UnderWay => {
                    state = segment.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl Segment {
    /// One lane has left the segment.
    fn leave(&self) {
        let mut state = self.lock();
        state.users = state.users.saturating_sub(1);
        if state.users == 0 && matches!(state.data, Data::Here(_)) {
            state.data = Data::Unasked;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, so that the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of a request on its way to the segment, which gets one even if the request is lost.
struct Answer {
    object: Arc<Object>,
    segment: Arc<Segment>,
    outcome: Option<Outcome>,
}

impl Answer {
    fn give(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err(Fault::new(Cause::Other, "a request was lost")));
        let mut state = self.segment.lock();
        state.data = match outcome {
            Ok(_) if state.users == 0 => Data::Unasked,
            Ok(bytes) => Data::Here(bytes),
            Err(fault) => Data::Failed(self.object.fail(fault).to_string()),
        };
        self.segment.arrived.notify_all();
    }
}

impl Lane {
    /// The step that holds the place, with its segment.  What lies before it is left if the reader `arrives` there.
    fn step(&self, plan: &Plan, place: u64, arrives: bool) -> Option<(Range<u64>, usize)> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
        let found = leaves.iter_mut().find_map(|leaf| {
            let ahead = leaf.steps[leaf.at..].iter().position(|(range, _)| range.contains(&place))?;
            Some((leaf.at + ahead, leaf))
        });
        let (at, leaf) = found?;
        if arrives {
            leaf.steps[leaf.at..at].iter().for_each(|(_, segment)| plan.segments[*segment].leave());
            leaf.at = at;
        }
        leaf.steps[at..].iter().take(2).for_each(|(_, segment)| self.shared.ask(plan, *segment));
        Some(leaf.steps[at].clone())
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let Some(plan) = self.shared.plan.get() else { return };
        let leaves = self.leaves.get_mut().unwrap_or_else(PoisonError::into_inner);
        let left = leaves.iter().flat_map(|leaf| &leaf.steps[leaf.at..]);
        left.for_each(|(_, segment)| plan.segments[*segment].leave());
    }
}

/// The requests for these chunks, none beyond `end` or longer than `largest`.
fn segments(mut chunks: Vec<Range<u64>>, end: u64, largest: u64) -> Vec<Range<u64>> {
    chunks.iter_mut().for_each(|chunk| chunk.end = chunk.end.min(end));
    chunks.retain(|chunk| !chunk.is_empty());
    chunks.sort_by_key(|chunk| (chunk.start, chunk.end));
    let mut made: Vec<Range<u64>> = Vec::new();
    for chunk in chunks {
        // Only the chunks of a damaged file overlap.
        let mut start = made.last().map_or(0, |last| last.end).max(chunk.start);
        match made.last_mut() {
            Some(last) if last.end == chunk.start && chunk.end - last.start <= largest => last.end = chunk.end,
            _ if start >= chunk.end => {}
            _ => {
                let length = chunk.end - start;
                let size = length.div_ceil(length.div_ceil(largest));
                while start < chunk.end {
                    made.push(start..chunk.end.min(start + size));
                    start += size;
                }
            }
        }
    }
    made
}

/// The pieces of a chunk that lie in these ranges, each with the range's number.
fn steps(chunk: &Range<u64>, ranges: &[Range<u64>]) -> Vec<(Range<u64>, usize)> {
    let first = ranges.partition_point(|range| range.end <= chunk.start);
    let met = ranges.iter().enumerate().skip(first).take_while(|(_, range)| range.start < chunk.end);
    met.map(|(index, range)| (range.start.max(chunk.start)..range.end.min(chunk.end), index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_chunks_are_cut_and_small_neighbours_joined() {
        assert_eq!(segments(vec![0..10, 10..20, 25..30, 30..60], 100, 20), [0..20, 25..30, 30..45, 45..60]);
        assert_eq!(segments(vec![90..120, 0..5], 100, 20), [0..5, 90..100]);
        assert_eq!(segments(vec![5..5, 200..300], 100, 20), []);
        // Chunks of a damaged file may overlap.
        let made = segments(vec![0..10, 5..30], 100, 20);
        assert_eq!(made, [0..10, 10..30]);
        assert_eq!(steps(&(8..20), &made), [(8..10, 0), (10..20, 1)]);
        assert_eq!(steps(&(30..40), &made), []);
    }
}

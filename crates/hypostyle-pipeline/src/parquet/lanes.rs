//! Columns that threads decode ahead of the one who reads whole batches.
//!
//! The rows are a row of *spans* (some row groups each), and every span has a *lane* a column: an iterator over the
//! column's arrays, batch by batch.  A thread that is free takes the lane furthest behind in the earliest span that has
//! room, decodes one batch of it, and puts the lane back.  So the columns keep step whatever each of them costs, one
//! giant row group is decoded by as many threads as it has columns, and where there are more threads than that, they go
//! on to the spans after it.
//!
//! Room is what bounds the memory.  A lane of the span being read may be [`AHEAD`] batches in front of the reader, always,
//! which is why the reader never waits in vain; the spans after it fill up only while less than a budget of bytes is
//! waiting in all.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use arrow::array::{Array, ArrayRef};

use crate::error::{Error, ErrorKind, Result};
use crate::model::fault::Reason;

/// The batches of a column that may wait in the span that is being read.
const AHEAD: usize = 2;

/// The bytes per thread that may wait before later spans pause.
const BYTES_AHEAD: usize = 8 << 20;

/// Some values of a column, and those that its type cannot hold: their rows, why, and how they are shown.
#[derive(Debug)]
pub(super) struct Decoded {
    pub array: ArrayRef,
    pub misfits: Vec<(usize, Reason, String)>,
}

impl From<ArrayRef> for Decoded {
    fn from(array: ArrayRef) -> Self {
        Self { array, misfits: Vec::new() }
    }
}

/// A column's values in the order of the rows.
pub(super) type Lane = Box<dyn Iterator<Item = Result<Decoded>> + Send>;

/// Opens the lane of a column (the second number) in a span (the first).
type Open = dyn Fn(usize, usize) -> Result<Lane> + Send + Sync;

/// The reader's end; dropped, it stops the threads and waits for them.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    open: Box<Open>,
    spans: usize,
    columns: usize,
    budget: usize,
    state: Mutex<State>,
    /// There may be room, or nothing left to do.
    room: Condvar,
    /// An array has come, or a lane's end.
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// The spans from the one being read to the furthest begun, a lane a column.
    begun: VecDeque<Vec<Slot>>,
    /// How many spans have been read.
    done: usize,
    /// Bytes of the arrays that wait.
    bytes: usize,
    stopped: bool,
}

#[derive(Default)]
struct Slot {
    work: Work,
    /// Arrays made so far.
    made: usize,
    waiting: VecDeque<(Result<Decoded>, usize)>,
}

#[derive(Default)]
enum Work {
    #[default]
    Closed,
    Ready(Lane),
    /// A thread has it.
    Away,
    Ended,
}

/// A lane in the hands of a thread.
struct Job {
    span: usize,
    column: usize,
    lane: Option<Lane>,
}

impl Lanes {
    /// Starts this number of threads on the lanes of `spans` spans of `columns` columns.
    pub fn start(
        threads: usize,
        spans: usize,
        columns: usize,
        open: impl Fn(usize, usize) -> Result<Lane> + Send + Sync + 'static,
    ) -> Result<Self> {
        let threads = threads.clamp(1, spans.saturating_mul(columns).max(1));
        let shared = Arc::new(Shared {
            open: Box::new(open),
            spans,
            columns,
            budget: threads * BYTES_AHEAD,
            state: Mutex::default(),
            room: Condvar::new(),
            news: Condvar::new(),
        });
        let mut lanes = Self { shared, threads: Vec::with_capacity(threads) };
        for _ in 0..threads {
            let shared = Arc::clone(&lanes.shared);
            let thread = thread::Builder::new().name("parquet-read".to_string()).spawn(move || shared.work());
            lanes.threads.push(thread.map_err(|error| {
                Error::new(ErrorKind::Source, format!("cannot start a thread to read the input: {error}"))
                    .help("use fewer threads")
            })?);
        }
        Ok(lanes)
    }

    /// The next array of every column, `None` at the end.  After an error there is nothing more to be had.
    pub fn next(&mut self) -> Option<Result<Vec<Decoded>>> {
        let mut state = self.shared.lock();
        while state.done < self.shared.spans {
            let Some(slots) = state.begun.front_mut().filter(|slots| slots.iter().all(Slot::has_news)) else {
                state = self.shared.news.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let mut freed = 0;
            let mut arrays = Vec::with_capacity(slots.len());
            for (array, bytes) in slots.iter_mut().filter_map(|slot| slot.waiting.pop_front()) {
                freed += bytes;
                arrays.push(array);
            }
            let ended = arrays.is_empty();
            if ended {
                state.begun.pop_front();
                state.done += 1;
            }
            state.bytes -= freed;
            self.shared.room.notify_all();
            if !ended {
                return Some(arrays.into_iter().collect());
            }
        }
        None
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.room.notify_all();
        for thread in self.threads.drain(..) {
            // The panic of a lane was reported as an error.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, so that the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does until there is nothing left.
    fn work(&self) {
        while let Some(mut job) = self.take() {
            let made = catch_unwind(AssertUnwindSafe(|| self.decode(&mut job))).unwrap_or_else(|_| Err(panicked()));
            self.put(job, made.transpose());
        }
    }

    fn decode(&self, job: &mut Job) -> Result<Option<Decoded>> {
        let lane = match &mut job.lane {
            Some(lane) => lane,
            none => none.insert((self.open)(job.span, job.column)?),
        };
        lane.next().transpose()
    }

    /// Waits for a lane that has room.
    fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        while !state.stopped && state.done < self.spans {
            if let Some(job) = self.furthest_behind(&mut state).or_else(|| self.begin(&mut state)) {
                return Some(job);
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn furthest_behind(&self, state: &mut State) -> Option<Job> {
        let spare = state.bytes < self.budget;
        for (ahead, slots) in state.begun.iter_mut().enumerate() {
            let free = slots.iter_mut().enumerate().filter(|(_, slot)| {
                matches!(slot.work, Work::Closed | Work::Ready(_))
                    && if ahead == 0 { slot.waiting.len() < AHEAD } else { spare }
            });
            let Some((column, slot)) = free.min_by_key(|(_, slot)| slot.made) else { continue };
            let lane = match std::mem::replace(&mut slot.work, Work::Away) {
                Work::Ready(lane) => Some(lane),
                _ => None,
            };
            return Some(Job { span: state.done + ahead, column, lane });
        }
        None
    }

    /// Begins the next span where there is one and room for it.
    fn begin(&self, state: &mut State) -> Option<Job> {
        let next = state.done + state.begun.len();
        if next >= self.spans || !(state.begun.is_empty() || state.bytes < self.budget) {
            return None;
        }
        state.begun.push_back((0..self.columns).map(|_| Slot::default()).collect());
        self.room.notify_all();
        self.furthest_behind(state)
    }

    fn put(&self, job: Job, made: Option<Result<Decoded>>) {
        let mut state = self.lock();
        let state = &mut *state;
        // A span stays until all of its lanes have ended, or the reader is gone.
        let Some(slot) = state.begun.get_mut(job.span - state.done).and_then(|slots| slots.get_mut(job.column)) else {
            return;
        };
        slot.work = match (&made, job.lane) {
            (Some(Ok(_)), Some(lane)) => Work::Ready(lane),
            _ => Work::Ended,
        };
        if let Some(made) = made {
            let bytes = made.as_ref().map_or(0, |decoded| decoded.array.get_array_memory_size());
            slot.made += 1;
            slot.waiting.push_back((made, bytes));
            state.bytes += bytes;
        }
        self.news.notify_one();
    }
}

impl Slot {
    fn has_news(&self) -> bool {
        !self.waiting.is_empty() || matches!(self.work, Work::Ended)
    }
}

fn panicked() -> Error {
    Error::panicked("decoding Parquet")
        .help("the file may be damaged; if other tools can read it, this is a bug in Hypostyle")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    /// A lane of `batches` arrays whose one value says span, column and batch.
    fn lane(span: usize, column: usize, batches: usize) -> Lane {
        Box::new((0..batches).map(move |batch| {
            let value = (span * 10_000 + column * 1_000 + batch) as i64;
            Ok(Decoded::from(Arc::new(Int64Array::from(vec![value])) as ArrayRef))
        }))
    }

    #[test]
    fn every_batch_comes_once_and_in_order() {
        for threads in [1, 2, 3, 8, 50] {
            let mut lanes = Lanes::start(threads, 5, 3, |span, column| {
                thread::sleep(Duration::from_micros(((span * 7 + column * 3) % 5 * 100) as u64));
                Ok(lane(span, column, 4))
            })
            .unwrap();
            for span in 0..5 {
                for batch in 0..4 {
                    let arrays = lanes.next().unwrap().unwrap();
                    let values: Vec<i64> =
                        arrays.iter().map(|a| a.array.as_primitive::<Int64Type>().value(0)).collect();
                    let wanted = [0, 1, 2].map(|column| span * 10_000 + column * 1_000 + batch);
                    assert_eq!(values, wanted);
                }
            }
            assert!(lanes.next().is_none() && lanes.next().is_none());
        }
    }

    #[test]
    fn a_panic_is_an_error_at_its_place() {
        for threads in [1, 4] {
            let mut lanes = Lanes::start(threads, 2, 2, |span, column| {
                if (span, column) != (1, 1) {
                    return Ok(lane(span, column, 3));
                }
                Ok(Box::new(lane(1, 1, 3).inspect(|array| {
                    assert!(array.as_ref().unwrap().array.as_primitive::<Int64Type>().value(0) != 11_001, "on purpose");
                })))
            })
            .unwrap();
            for _ in 0..4 {
                lanes.next().unwrap().unwrap();
            }
            assert_eq!(lanes.next().unwrap().unwrap_err().kind(), &ErrorKind::Internal);
        }
    }

    #[test]
    fn dropped_early_the_threads_end() {
        for taken in [0, 1, 5] {
            let mut lanes = Lanes::start(4, 1_000, 3, |span, column| Ok(lane(span, column, 1_000))).unwrap();
            for _ in 0..taken {
                lanes.next().unwrap().unwrap();
            }
        }
    }

    #[test]
    fn no_more_waits_than_there_is_room_for() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![0; 1 << 17]));
        let mut lanes = Lanes::start(2, 100, 2, move |_, _| {
            let array = Arc::clone(&array);
            Ok(Box::new((0..100).map(move |_| Ok(Arc::clone(&array).into()))))
        })
        .unwrap();
        lanes.next().unwrap().unwrap();
        thread::sleep(Duration::from_millis(50));
        let bytes = lanes.shared.lock().bytes;
        assert!(bytes <= 2 * BYTES_AHEAD + (4 << 20), "{bytes}");
    }
}

//! A column of the open row group, as it is encoded: by one thread at a time, whichever has time, array after array.
//!
//! So a column that takes long never holds up the others, and at the end of a row group no thread waits: those that are
//! done go on with the next one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::{ParquetError, Result as ParquetResult};
use rayon::ThreadPool;

use crate::error::{Error, Result};

/// The number of arrays that may wait to be encoded.
const AHEAD: usize = 2;

/// A column, shared by who gives the arrays and who encodes them.
pub(super) struct Column {
    field: FieldRef,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// What is to be done, in order.
    waiting: VecDeque<Task>,
    /// One a leaf; a thread has them while it encodes.
    writers: Option<Vec<ArrowColumnWriter>>,
    outcome: Option<Result<Vec<ArrowColumnChunk>>>,
}

enum Task {
    Write(ArrayRef),
    Close,
}

impl Column {
    pub fn new(field: &FieldRef, writers: Vec<ArrowColumnWriter>) -> Arc<Self> {
        let state = State { waiting: VecDeque::new(), writers: Some(writers), outcome: None };
        Arc::new(Self { field: Arc::clone(field), state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Has an array encoded, behind those before it.  Waits while too many of them wait.
    pub fn write(self: &Arc<Self>, array: &ArrayRef, pool: Option<&ThreadPool>) {
        self.give(Task::Write(Arc::clone(array)), pool);
    }

    /// Has the chunk closed when everything is encoded.
    pub fn close(self: &Arc<Self>, pool: Option<&ThreadPool>) {
        self.give(Task::Close, pool);
    }

    /// Whether the column was closed, or cannot be.
    pub fn is_done(&self) -> bool {
        self.lock().outcome.is_some()
    }

    /// What came of it, waited for.
    pub fn outcome(&self) -> Result<Vec<ArrowColumnChunk>> {
        let mut state = self.lock();
        loop {
            match state.outcome.take() {
                Some(outcome) => return outcome,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn give(self: &Arc<Self>, task: Task, pool: Option<&ThreadPool>) {
        let mut state = self.lock();
        while state.waiting.len() >= AHEAD {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.push_back(task);
        let Some(writers) = state.writers.take() else { return };
        drop(state);
        match pool {
            Some(pool) => {
                let column = Arc::clone(self);
                pool.spawn_fifo(move || column.work(writers));
            }
            None => self.work(writers),
        }
    }

    /// Does what waits.
    fn work(&self, mut writers: Vec<ArrowColumnWriter>) {
        loop {
            let mut state = self.lock();
            let task = state.waiting.pop_front();
            self.changed.notify_all();
            let Some(task) = task else {
                state.writers = Some(writers);
                return;
            };
            let failed = state.outcome.is_some();
            drop(state);
            let outcome = match task {
                _ if failed => continue,
                Task::Write(array) => match self.guarded(|| self.encode(&array, &mut writers)) {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                Task::Close => {
                    let writers = std::mem::take(&mut writers);
                    self.guarded(|| writers.into_iter().map(ArrowColumnWriter::close).collect())
                }
            };
            self.lock().outcome = Some(outcome);
            self.changed.notify_all();
        }
    }

    fn encode(&self, array: &ArrayRef, writers: &mut [ArrowColumnWriter]) -> ParquetResult<()> {
        let leaves = compute_leaves(&self.field, array)?;
        if leaves.len() != writers.len() {
            return Err(ParquetError::General(format!("{} leaves for {} writers", leaves.len(), writers.len())));
        }
        writers.iter_mut().zip(&leaves).try_for_each(|(writer, leaf)| writer.write(leaf))
    }

    /// A panic in the pool would end the process.
    fn guarded<T>(&self, job: impl FnOnce() -> ParquetResult<T>) -> Result<T> {
        match catch_unwind(AssertUnwindSafe(job)) {
            Ok(done) => done.map_err(Error::unwritable),
            Err(_) => Err(Error::panicked(&format!("encoding column '{}'", self.field.name()))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

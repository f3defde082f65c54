//! What passes between the threads of a run, and how a thread waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use arrow::array::RecordBatch;

use crate::model::bad_row::BadRow;
use crate::model::chunk::{FilterCounts, InputPosition};
use crate::state::state_file::StateFile;

/// How often a waiting thread checks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Rows behind the stages, with what is known at their end.
pub(super) struct OutputBatch {
    pub batch: RecordBatch,
    /// Bytes of the input that were read by then.
    pub bytes: u64,
    pub file: usize,
    pub bad: Vec<BadRow>,
    pub ends_group: bool,
    pub checkpoint: Option<Box<Snapshot>>,
}

/// What a checkpoint needs to know of the stages and the source.
pub(super) struct Snapshot {
    pub position: InputPosition,
    pub rows_read: u64,
    pub filtered: FilterCounts,
    pub saved: StateFile,
}

/// Receives the next value; `None` at the end, and when the run is to stop.
pub(super) fn received<T>(from: &Receiver<T>, stop: &AtomicBool) -> Option<T> {
    while !stop.load(Ordering::Relaxed) {
        match from.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            outcome => return outcome.ok(),
        }
    }
    None
}

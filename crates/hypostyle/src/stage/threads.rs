//! How many threads a batch is worth.

use crate::run::pool;

/// Batches shorter than this run on the calling thread.
const ROWS_FOR_THREADS: usize = 1 << 13;

/// Runs `action` on up to this many threads, if the rows are worth it.
pub(super) fn on_threads<R: Send>(threads: usize, rows: usize, action: impl FnOnce(usize) -> R + Send) -> R {
    pool::run(if rows < ROWS_FOR_THREADS { 1 } else { threads }, action)
}

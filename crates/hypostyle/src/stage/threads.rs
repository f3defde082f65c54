//! How many threads a batch is worth.

use crate::run::pool;

/// Work that takes one thread less than this many nanoseconds stays on the calling thread: waking others and waiting for them
/// takes some tens of microseconds, more on a busy machine, and what is gained is at most half of the work.  Tests use threads
/// for short batches too.
const WORTH: usize = if cfg!(test) { 1 << 13 } else { 1 << 20 };

/// Runs `action` on up to this many threads, if they have this many nanoseconds of work to share.
pub(super) fn on_threads<R: Send>(threads: usize, nanos: usize, action: impl FnOnce(usize) -> R + Send) -> R {
    pool::run(if nanos < WORTH { 1 } else { threads }, action)
}

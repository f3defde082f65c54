//! Thread pools.  A pool is started once per number of threads and kept for the life of the process, so that short calls do
//! not pay for it.
//!
//! A process made by `fork` has none of its parent's threads, and waiting for them would hang: such a process starts its own
//! pools.  If the fork happened while another thread held the lock of this list, work runs on one thread instead; the results
//! are bit-identical.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, ErrorKind, Result};

struct Started {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static POOLS: Mutex<Vec<Started>> = Mutex::new(Vec::new());

/// The default number of threads of stages; 0 is rayon's global pool.
static DEFAULT: AtomicUsize = AtomicUsize::new(0);

/// Sets the default number of threads: stages without a number of their own use a pool of this library with as many threads.  0
/// is rayon's global pool, which is the initial default.  A process that may fork needs its own pool, because the threads of
/// the global pool do not survive a fork and cannot be restarted.
pub fn set_default_threads(threads: usize) {
    DEFAULT.store(threads, Relaxed);
}

/// How often the lock is tried; another thread holds it for as long as threads take to start.
const PATIENCE: usize = 10_000;

/// The pool of this many threads; `None` if the lock is not available.
///
/// # Errors
/// If the threads cannot be started.
fn pool(threads: usize) -> Result<Option<Arc<ThreadPool>>> {
    let process = std::process::id();
    for _ in 0..PATIENCE {
        let mut pools = match POOLS.try_lock() {
            Ok(pools) => pools,
            Err(TryLockError::Poisoned(pools)) => PoisonError::into_inner(pools),
            Err(TryLockError::WouldBlock) => {
                std::thread::yield_now();
                continue;
            }
        };
        if let Some(known) = pools.iter().find(|known| known.process == process && known.threads == threads) {
            return Ok(Some(known.pool.clone()));
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|at| format!("hypostyle-{at}"))
            .build()
            .map_err(|e| {
                Error::new(ErrorKind::Io, format!("cannot start {threads} threads: {e}")).with_help("use fewer threads")
            })?;
        let pool = Arc::new(pool);
        // A parent's pools stay in the list: their threads are gone, and dropping the pools would wait for them.
        pools.push(Started { process, threads, pool: pool.clone() });
        return Ok(Some(pool));
    }
    Ok(None)
}

/// Starts this many threads, unless they are running.
///
/// # Errors
/// If the threads cannot be started.
pub(crate) fn start(threads: usize) -> Result<()> {
    if threads > 1 {
        pool(threads)?;
    }
    Ok(())
}

/// Runs `action` on a pool of this many threads (0: the default), with their number.
pub(crate) fn run<R: Send>(threads: usize, action: impl FnOnce(usize) -> R + Send) -> R {
    let threads = if threads == 0 { DEFAULT.load(Relaxed) } else { threads };
    match threads {
        0 => action(rayon::current_num_threads()),
        1 => action(1),
        _ => match pool(threads) {
            Ok(Some(pool)) => pool.install(|| action(threads)),
            _ => action(1),
        },
    }
}

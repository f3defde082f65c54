//! Thread pools.  A pool is started once for each number of threads and kept for the life of the process, so that short
//! calls don't pay for it.
//!
//! A process made by `fork` has none of its parent's threads, and waiting for them would hang: such a process starts pools
//! of its own.  Where the fork came while another thread was at this register, work is done on one thread instead; the bits
//! are the same.

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

/// The threads of stages that don't say how many; 0 where rayon's global pool is meant.
static DEFAULT: AtomicUsize = AtomicUsize::new(0);

/// Lets stages that don't say how many threads they use have so many, of a pool of this library, rather than those of
/// rayon's global pool; 0 is the global pool again.  A process that may fork needs it, as the threads of the global pool
/// don't come along and can't be started anew.
pub fn set_default_threads(threads: usize) {
    DEFAULT.store(threads, Relaxed);
}

/// How often another thread may be found at the register; it stays there for as long as threads take to start.
const PATIENCE: usize = 10_000;

/// The pool of so many threads; `None` if the register can't be had.
///
/// # Errors
/// Where the threads can't be started.
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
            .map_err(|e| Error::new(ErrorKind::Io, format!("can't start {threads} threads: {e}")))?;
        let pool = Arc::new(pool);
        // A parent's pools stay where they are: their threads are gone, and ending them would wait for them.
        pools.push(Started { process, threads, pool: pool.clone() });
        return Ok(Some(pool));
    }
    Ok(None)
}

/// Starts so many threads, unless they are there.
///
/// # Errors
/// Where the threads can't be started.
pub(crate) fn start(threads: usize) -> Result<()> {
    if threads > 1 {
        pool(threads)?;
    }
    Ok(())
}

/// Runs `action` on a pool of so many threads, by default if 0, and tells it how many there are.
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

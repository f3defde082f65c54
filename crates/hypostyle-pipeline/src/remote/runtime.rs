//! The threads that requests run on, and the way from there to a thread that waits.

use std::future::Future;
use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

/// Requests wait more than they work.
const THREADS: usize = 2;
/// How often who waits looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// The runtime, and the process that made it: a process that was forked from that one has none of its threads.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

fn runtime() -> io::Result<&'static Runtime> {
    let mut made = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match *made {
        Some((id, runtime)) if id == process::id() => Ok(runtime),
        _ => {
            let runtime =
                Builder::new_multi_thread().worker_threads(THREADS).thread_name("remote").enable_all().build()?;
            let runtime: &'static Runtime = Box::leak(Box::new(runtime));
            *made = Some((process::id(), runtime));
            Ok(runtime)
        }
    }
}

/// What a request will bring; dropped, the request is given up.
pub(super) struct Waiting<T> {
    outcome: Receiver<T>,
    task: AbortHandle,
}

/// Begins a request.
pub(super) fn begin<T: Send + 'static>(request: impl Future<Output = T> + Send + 'static) -> io::Result<Waiting<T>> {
    let (send, outcome) = sync_channel(1);
    let task = runtime()?.spawn(async move {
        let _ = send.send(request.await);
    });
    Ok(Waiting { outcome, task: task.abort_handle() })
}

/// Begins what nobody waits for.
pub(super) fn spawn(request: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    runtime()?.spawn(request);
    Ok(())
}

/// Makes a request and waits for it.
pub(super) fn wait<T: Send + 'static>(request: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
    begin(request)?.wait()
}

impl<T> Waiting<T> {
    pub fn wait(self) -> io::Result<T> {
        self.outcome.recv().map_err(|_| lost())
    }

    /// Lets the request go on, and waits for its end no longer than this.
    pub fn wait_at_most(self, time: Duration) {
        let _ = self.outcome.recv_timeout(time);
    }

    /// The outcome, or `None` as soon as `stop` is set.
    pub fn wait_until(self, stop: &AtomicBool) -> io::Result<Option<T>> {
        while !stop.load(Ordering::Relaxed) {
            match self.outcome.recv_timeout(LOOK) {
                Ok(outcome) => return Ok(Some(outcome)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(lost()),
            }
        }
        Ok(None)
    }
}

fn lost() -> io::Error {
    io::Error::other("a request ended without an answer")
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! Work of a thread pool whose results are consumed in the order of submission.
//!
//! For each job a ticket goes into a queue of bounded length; the job itself goes to the pool, and its outcome to the ticket.
//! Who takes the tickets waits for the first job, however many later ones are done; who gives them out waits while the queue
//! is full.  So the outcomes keep their order, all threads have work, and no more than the queue's length is ever under way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::ThreadPool;

/// The end that gives jobs out.
pub(crate) struct Jobs<T> {
    pool: Arc<ThreadPool>,
    tickets: SyncSender<Receiver<T>>,
}

/// The end that takes the outcomes.
pub(crate) struct Outcomes<T>(Receiver<Receiver<T>>);

/// Both ends; at most `ahead` jobs are under way or waiting to be taken.
pub(crate) fn channel<T>(pool: Arc<ThreadPool>, ahead: usize) -> (Jobs<T>, Outcomes<T>) {
    let (tickets, taken) = sync_channel(ahead.max(1));
    (Jobs { pool, tickets }, Outcomes(taken))
}

impl<T: Send + 'static> Jobs<T> {
    /// Gives out a job, as soon as there is room; whether anybody still takes outcomes.
    pub fn give(&self, job: impl FnOnce() -> T + Send + 'static) -> bool {
        let (outcome, ticket) = sync_channel(1);
        if self.tickets.send(ticket).is_err() {
            return false;
        }
        self.pool.spawn_fifo(move || {
            // A panic loses the outcome, which its taker sees; unwinding further would end the process.
            if let Ok(done) = catch_unwind(AssertUnwindSafe(job)) {
                let _ = outcome.send(done);
            }
        });
        true
    }
}

impl<T> Outcomes<T> {
    /// The next outcome; `None` when no more jobs will come; `Some(None)` for a job that panicked.
    pub fn next(&self) -> Option<Option<T>> {
        self.0.recv().ok().map(|ticket| ticket.recv().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_keep_their_order_and_a_panic_is_one_of_them() {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap());
        let (jobs, outcomes) = channel(pool, 3);
        let giver = std::thread::spawn(move || {
            for i in 0..100_u64 {
                let job = move || {
                    std::thread::sleep(std::time::Duration::from_micros(i * 7919 % 300));
                    assert_ne!(i, 50, "a job that fails");
                    i
                };
                if !jobs.give(job) {
                    return i;
                }
            }
            100
        });
        for i in 0..90 {
            assert_eq!(outcomes.next(), Some((i != 50).then_some(i)));
        }
        drop(outcomes);
        assert!(giver.join().unwrap() <= 94, "the giver stops when nobody takes");
    }
}

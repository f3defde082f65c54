//! Jobs for several threads: each a closure behind a pointer, so that the machinery of the pool is compiled once rather than
//! for each driver.  A job runs for many microseconds, which hides what the pointer costs.

use rayon::prelude::*;

/// A part of a kernel's work.
pub(crate) type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs all jobs on the threads of the pool that this is called on, and waits for them.
pub(crate) fn run_jobs(jobs: Vec<Job>) {
    jobs.into_par_iter().for_each(|job| job());
}

//! In which order a batch's rows go to the kernels of a stage, and on which threads.

use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch};
use rayon::prelude::*;

use crate::error::Result;
use crate::keys::groups::Groups;
use crate::run::{Batch, Running};

/// Grouped rows are processed in slices of this many, so that a slice's columns stay in cache while they are put into key
/// order and back.  Tests have slices in short batches too.
const SLICE: usize = if cfg!(test) { 1 << 5 } else { 1 << 17 };

/// As [`SLICE`], if the states of all keys do not fit into the cache: fetching a state then costs more than reading a column
/// from memory, so each key should have many rows per slice.
const LONG_SLICE: usize = 1 << 23;

/// The maximum bytes of all states for short slices.
const CACHED_STATES: usize = 2 << 20;

/// Each row's number within its key, if a kernel needs it; `seen` counts the rows of each key.
fn number_rows(seen: Option<&mut [i64]>, keys: Option<&[u32]>, rows: usize) -> Vec<i64> {
    let Some(seen) = seen else { return Vec::new() };
    match keys {
        None => {
            let Some(next) = seen.first_mut() else { return Vec::new() };
            let first = *next;
            *next += i64::try_from(rows).unwrap_or(i64::MAX);
            (first..*next).collect()
        }
        Some(keys) => {
            let mut next = |key: u32| {
                seen[key as usize] += 1;
                seen[key as usize] - 1
            };
            keys.iter().map(|key| next(*key)).collect()
        }
    }
}

/// A batch's rows, ready to be shared among kernels.
struct Work<'a> {
    rows: &'a RecordBatch,
    /// Each row's number within its key, if a kernel needs it.
    positions: &'a [i64],
    threads: usize,
}

/// Some of a batch's rows and their key order.
struct Slice<'a> {
    rows: RecordBatch,
    groups: Groups<'a>,
    positions: &'a [i64],
}

impl<'a> Slice<'a> {
    fn batch(&'a self, threads: usize, kernels: &Chosen) -> Result<Batch<'a>> {
        let wirings = kernels.iter().map(|timed| timed.kernel.wiring());
        Batch::new(&self.rows, &self.groups, threads, wirings, self.positions)
    }
}

/// A kernel of a stage, and how long it ran.
struct Timed<'k> {
    kernel: &'k mut dyn Running,
    ran: &'k mut Duration,
}

impl Timed<'_> {
    fn run(&mut self, batch: &Batch) -> Result<()> {
        let start = Instant::now();
        let result = self.kernel.run(batch);
        *self.ran += start.elapsed();
        result
    }
}

/// Some of a stage's kernels.
type Chosen<'k> = Vec<Timed<'k>>;

impl Work<'_> {
    /// All rows at once.
    fn run_whole(&self, kernels: &mut Chosen, groups: &Groups) -> Result<()> {
        if kernels.is_empty() {
            return Ok(());
        }
        let wirings = kernels.iter().map(|timed| timed.kernel.wiring());
        let batch = Batch::new(self.rows, groups, self.threads, wirings, self.positions)?;
        self.run_all(kernels, &batch)
    }

    fn run_all(&self, kernels: &mut Chosen, batch: &Batch) -> Result<()> {
        if self.threads > 1 && kernels.len() > 1 {
            kernels.par_iter_mut().try_for_each(|timed| timed.run(batch))
        } else {
            kernels.iter_mut().try_for_each(|timed| timed.run(batch))
        }
    }

    /// Slice by slice, each in key order.
    fn run_slices(&self, kernels: &mut Chosen, keys: &[u32], key_count: usize) -> Result<()> {
        if kernels.is_empty() {
            return Ok(());
        }
        let threads = self.threads;
        let state_size = kernels.iter().map(|timed| timed.kernel.wiring().state_size).max().unwrap_or(0);
        let cached = state_size.saturating_mul(key_count) <= CACHED_STATES;
        let slice_rows = if cached { SLICE } else { LONG_SLICE.min(keys.len().div_ceil(threads)) }.max(key_count);
        // As many slices as there are threads are put into key order at once; each then runs on all threads.
        for (i, wave) in keys.chunks(slice_rows * threads).enumerate() {
            let group = |(j, keys): (usize, &[u32])| {
                let start = (i * threads + j) * slice_rows;
                let positions = self.positions.get(start..start + keys.len()).unwrap_or_default();
                Slice { rows: self.rows.slice(start, keys.len()), groups: Groups::by_key(keys, key_count), positions }
            };
            let slices: Vec<Slice> = if threads > 1 {
                wave.par_chunks(slice_rows).enumerate().map(group).collect()
            } else {
                wave.chunks(slice_rows).enumerate().map(group).collect()
            };
            let batches: Vec<Batch> = if threads > 1 {
                slices.par_iter().map(|slice| slice.batch(threads, kernels)).collect::<Result<_>>()?
            } else {
                slices.iter().map(|slice| slice.batch(threads, kernels)).collect::<Result<_>>()?
            };
            batches.iter().try_for_each(|batch| self.run_all(kernels, batch))?;
        }
        Ok(())
    }
}

fn in_turn_or_at_once(
    threads: usize,
    one: impl FnOnce() -> Result<()> + Send,
    other: impl FnOnce() -> Result<()> + Send,
) -> Result<()> {
    if threads > 1 {
        let (one, other) = rayon::join(one, other);
        one.and(other)
    } else {
        one().and_then(|()| other())
    }
}

/// Runs all kernels over a batch and returns their columns; `ran` adds up how long each one ran.  If the rows are not in key
/// order, kernels with small states read them in row order; for the others they are put into key order.
pub(crate) fn run_kernels(
    kernels: &mut [Box<dyn Running>],
    ran: &mut [Duration],
    rows: &RecordBatch,
    keys: Option<Vec<u32>>,
    key_count: usize,
    seen: Option<&mut [i64]>,
    threads: usize,
) -> Result<Vec<ArrayRef>> {
    kernels.iter_mut().for_each(|kernel| kernel.expect_rows(rows.num_rows()));
    let positions = number_rows(seen, keys.as_deref(), rows.num_rows());
    let work = Work { rows, positions: &positions, threads };
    let mut all: Chosen =
        kernels.iter_mut().zip(ran).map(|(kernel, ran)| Timed { kernel: &mut **kernel, ran }).collect();
    match keys {
        None => work.run_whole(&mut all, &Groups::One)?,
        Some(keys) if keys.is_sorted() => work.run_whole(&mut all, &Groups::by_key(&keys, key_count))?,
        Some(keys) => {
            let (mut interleaved, grouped): (Chosen, Chosen) =
                all.into_iter().partition(|timed| timed.kernel.wiring().interleaved);
            let (mut ahead, mut grouped): (Chosen, Chosen) =
                grouped.into_iter().partition(|timed| timed.kernel.wiring().looks_ahead);
            let run_grouped = || {
                work.run_slices(&mut grouped, &keys, key_count)?;
                if ahead.is_empty() {
                    return Ok(());
                }
                work.run_whole(&mut ahead, &Groups::by_key(&keys, key_count))
            };
            let run_interleaved = || work.run_whole(&mut interleaved, &Groups::Interleaved { keys: &keys });
            in_turn_or_at_once(threads, run_grouped, run_interleaved)?;
        }
    }
    Ok(kernels.iter_mut().map(|kernel| kernel.take_results()).collect())
}

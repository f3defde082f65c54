//! Running a plan: one thread reads and decodes, one advances the stages, this one writes and shows progress.  The
//! channels between them hold a few batches, so that a slow end holds the others back and memory stays bounded; batches
//! keep their order, and the first failure stops all three.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;

use crate::error::{Error, ErrorKind, Result};
use crate::memory;
use crate::plan::{Plan, PlannedStage};
use crate::sink::write::Writing;
use crate::source::Batches;

/// So many batches wait between two threads.
const AHEAD: usize = 2;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Rows written.
    pub rows: u64,
    /// Bytes of the input that these rows were read from.
    pub bytes: u64,
    /// Bytes of the input in all.
    pub total_bytes: u64,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Rows written.
    pub rows: u64,
    /// Bytes of the input that were read.
    pub bytes_read: u64,
    /// Bytes of the output.
    pub bytes_written: u64,
    /// The time it took, without planning.
    pub elapsed: Duration,
    /// The most memory that the process has held so far, where the system says.
    pub peak_memory: Option<u64>,
    /// The output.
    pub output: PathBuf,
}

/// A batch on its way, with the bytes that had been read by then.
struct Parcel {
    batch: RecordBatch,
    bytes: u64,
}

type Parcels = Receiver<Result<Parcel>>;

impl Plan {
    /// Runs the plan; `progress` is called after every batch that was written.
    ///
    /// # Errors
    /// As [`crate::Pipeline::run`].
    pub fn run(self, progress: &mut dyn FnMut(Status)) -> Result<Summary> {
        let start = Instant::now();
        let Self { source, mut stages, sink, schema, limit } = self;
        let (output, total_bytes, input) = (sink.path.clone(), source.bytes, source.path.clone());
        let mut sink = Writing::create(sink, &schema)?;
        let mut batches = source.batches()?;
        let mut status = Status { rows: 0, bytes: 0, total_bytes };
        thread::scope(|scope| {
            let (send_read, to_advance) = sync_channel(AHEAD);
            let (send_advanced, to_write) = sync_channel(AHEAD);
            let reader = scope.spawn(move || read(batches.as_mut(), limit, &send_read));
            let worker = scope.spawn(move || {
                advance(&mut stages, &to_advance, &send_advanced).map_err(|error| error.in_file(&input))
            });
            let written = write(&mut sink, to_write, &mut status, progress);
            // A thread ends when its channel does, so that joining never waits for long.
            let advanced = worker.join().unwrap_or_else(|_| Err(panicked()));
            reader.join().map_err(|_| panicked())?;
            advanced.and(written)
        })?;
        let bytes_written = sink.finish()?;
        let Status { rows, bytes, .. } = status;
        let (elapsed, peak_memory) = (start.elapsed(), memory::peak());
        Ok(Summary { rows, bytes_read: bytes, bytes_written, elapsed, peak_memory, output })
    }
}

fn panicked() -> Error {
    Error::new(ErrorKind::Internal, "a thread of the pipeline panicked")
        .help("this is a mistake in Hypostyle: please report it")
}

/// Reads until the end, the limit, an error, or until nobody listens.
fn read(batches: &mut dyn Batches, limit: Option<u64>, out: &SyncSender<Result<Parcel>>) {
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 {
        let parcel = match batches.next() {
            Ok(None) => return,
            Ok(Some(batch)) => {
                let rows = usize::try_from(left).map_or(batch.num_rows(), |left| left.min(batch.num_rows()));
                left -= rows as u64;
                Ok(Parcel { batch: batch.slice(0, rows), bytes: batches.bytes_read() })
            }
            Err(error) => Err(error),
        };
        let failed = parcel.is_err();
        if out.send(parcel).is_err() || failed {
            return;
        }
    }
}

/// Takes every batch through all stages.  What the reader complains of is handed on to the writer's end.
fn advance(stages: &mut [PlannedStage], parcels: &Parcels, out: &SyncSender<Result<Parcel>>) -> Result<()> {
    let mut first = 1;
    for parcel in parcels {
        let Parcel { mut batch, bytes } = match parcel {
            Ok(parcel) => parcel,
            Err(error) => {
                let _ = out.send(Err(error));
                return Ok(());
            }
        };
        let rows = first..first + batch.num_rows() as u64;
        first = rows.end;
        for (index, planned) in stages.iter_mut().enumerate() {
            batch = planned.stage.advance(&batch).map_err(|error| refused(index, &rows, &error))?;
        }
        if out.send(Ok(Parcel { batch, bytes })).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn refused(index: usize, rows: &Range<u64>, error: &hypostyle::Error) -> Error {
    let place = format!("stage {}, in rows {} to {} of the input", index + 1, rows.start, rows.end - 1);
    Error::stage(place, error)
}

fn write(sink: &mut Writing, parcels: Parcels, status: &mut Status, progress: &mut dyn FnMut(Status)) -> Result<()> {
    for parcel in parcels {
        let Parcel { batch, bytes } = parcel?;
        sink.write(&batch)?;
        status.rows += batch.num_rows() as u64;
        status.bytes = bytes;
        progress(*status);
    }
    Ok(())
}

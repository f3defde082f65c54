//! Running a plan.  One thread reads (and has its chunks decoded by a pool), one advances the stages, this one has the rows
//! encoded, writes them and shows progress.  The channels between them hold a few batches, so that a slow end holds the others
//! back and memory stays bounded; batches keep their order, and the first failure stops all three.

use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::bad::Bad;
use crate::error::{Error, ErrorKind, Result};
use crate::memory;
use crate::plan::{Plan, PlannedStage};
use crate::policy::Account;
use crate::sink::write::Writing;
use crate::source::Mark;
use crate::source::chunks::Chunks;

/// So many batches wait between two threads.
const AHEAD: usize = 1;
/// Rows and bytes in memory that a group of the output is closed at, whichever comes first.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 128 << 20;
/// How often a thread that waits looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Rows written.
    pub rows: u64,
    /// Bytes of the input that had been read by then; compressed files count as they are on the disk.
    pub bytes: u64,
    /// Bytes of the input in all; 0 where that can't be known, as for standard input.
    pub total_bytes: u64,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Rows written.
    pub rows: u64,
    /// Rows that were bad: made null, left out or rejected, as the pipeline says.
    pub bad_rows: u64,
    /// What was wrong with them, and how often.
    pub reasons: Vec<(String, u64)>,
    /// Where the rejects are.
    pub rejects: Option<PathBuf>,
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

/// Some rows on their way, with what is known at their end.
struct Parcel {
    batch: RecordBatch,
    bytes: u64,
    file: usize,
    bad: Vec<Bad>,
    /// Where reading could go on behind it, at the end of a chunk.
    after: Option<Mark>,
    ends_group: bool,
}

type Parcels = Receiver<Result<Parcel>>;

impl Plan {
    /// Runs the plan; `progress` is called after every batch that was written.
    ///
    /// # Errors
    /// As [`crate::Pipeline::run`].
    pub fn run(self, progress: &mut dyn FnMut(Status)) -> Result<Summary> {
        self.run_until(&AtomicBool::new(false), progress)
    }

    /// Runs the plan unless and until `stop` is set; then the run fails with [`ErrorKind::Interrupted`] and leaves no output.
    ///
    /// # Errors
    /// As [`crate::Pipeline::run`].
    pub fn run_until(self, stop: &AtomicBool, progress: &mut dyn FnMut(Status)) -> Result<Summary> {
        let start = Instant::now();
        let Self { source, mut stages, sink, limit, threads, .. } = self;
        let (output, total_bytes, input) = (sink.name(), source.files.bytes(), Arc::clone(&source.files.list[0].path));
        let mut account = Account::open(source.policy.clone(), source.columns.clone(), Vec::new())?;
        let pool = pool(threads)?;
        let mut sink = Writing::begin(sink, &pool)?;
        let batch_rows = source.batch_rows;
        let ahead = 2 * pool.current_num_threads() + 1;
        let mut chunks = source.chunks(Arc::clone(&pool), ahead, None)?;
        let mut status = Status { rows: 0, bytes: 0, total_bytes };
        thread::scope(|scope| {
            let (send_read, to_advance) = sync_channel(AHEAD);
            let (send_advanced, to_write) = sync_channel(AHEAD);
            let reader = scope.spawn(move || read(&mut chunks, batch_rows, limit, &send_read));
            let worker = scope.spawn(move || {
                advance(&mut stages, &to_advance, &send_advanced).map_err(|error| error.in_file(&input))
            });
            let written = write(&mut sink, &mut account, to_write, &mut status, stop, progress);
            // A thread ends when its channel does, so that joining never waits for long.
            let advanced = worker.join().unwrap_or_else(|_| Err(Error::panicked("advancing the stages")));
            reader.join().map_err(|_| Error::panicked("reading"))?;
            advanced.and(written)
        })?;
        let written = sink.finish()?;
        let (bad_rows, reasons) = (account.rows(), account.reasons());
        let rejects = account.finish()?;
        let rejects_path = rejects.as_ref().map(|rejects| rejects.path().to_path_buf());
        if let Some(rejects) = rejects {
            rejects.persist()?;
        }
        let bytes_written = written.place()?;
        let Status { rows, bytes, .. } = status;
        let (elapsed, peak_memory) = (start.elapsed(), memory::peak());
        Ok(Summary {
            rows,
            bad_rows,
            reasons,
            rejects: rejects_path,
            bytes_read: bytes,
            bytes_written,
            elapsed,
            peak_memory,
            output,
        })
    }
}

/// The threads that decode and encode.
fn pool(threads: Option<usize>) -> Result<Arc<ThreadPool>> {
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("pipeline-{index}")).build();
    pool.map(Arc::new).map_err(|error| {
        Error::new(ErrorKind::Pipeline, format!("can't start {threads} threads")).help("give fewer").because(error)
    })
}

/// Reads until the end, the limit, an error, or until nobody listens.
fn read(chunks: &mut Chunks, batch_rows: Option<usize>, limit: Option<u64>, out: &SyncSender<Result<Parcel>>) {
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 {
        let chunk = match chunks.next() {
            Ok(None) => return,
            Ok(Some(chunk)) => chunk,
            Err(error) => {
                let _ = out.send(Err(error));
                return;
            }
        };
        let rows = usize::try_from(left).map_or(chunk.batch.num_rows(), |left| left.min(chunk.batch.num_rows()));
        left -= rows as u64;
        let step = batch_rows.unwrap_or(rows).max(1);
        let (mut bad, mut from) = (chunk.bad, 0);
        loop {
            let length = step.min(rows - from);
            let last = from + length == rows;
            let parcel = Parcel {
                batch: chunk.batch.slice(from, length),
                bytes: chunk.bytes,
                file: chunk.file,
                bad: std::mem::take(&mut bad),
                after: last.then_some(chunk.after),
                ends_group: false,
            };
            if out.send(Ok(parcel)).is_err() {
                return;
            }
            if last {
                break;
            }
            from += length;
        }
    }
}

/// Takes every batch through all stages.  What the reader complains of is handed on to the writer's end.
fn advance(stages: &mut [PlannedStage], parcels: &Parcels, out: &SyncSender<Result<Parcel>>) -> Result<()> {
    let mut first = 1;
    let mut group = Group::default();
    for parcel in parcels {
        let mut parcel = match parcel {
            Ok(parcel) => parcel,
            Err(error) => {
                let _ = out.send(Err(error));
                return Ok(());
            }
        };
        let rows = first..first + parcel.batch.num_rows() as u64;
        first = rows.end;
        for (index, planned) in stages.iter_mut().enumerate() {
            parcel.batch = planned.stage.advance(&parcel.batch).map_err(|error| refused(index, &rows, &error))?;
        }
        parcel.ends_group = parcel.after.is_some() && group.is_full_with(&parcel.batch);
        if out.send(Ok(parcel)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Counts the rows of a group of the output.  Groups end where chunks do, at places that follow from the input alone.
#[derive(Default)]
struct Group {
    rows: usize,
    bytes: usize,
}

impl Group {
    /// Adds some rows; whether the group is full, and another begins.
    fn is_full_with(&mut self, batch: &RecordBatch) -> bool {
        self.rows += batch.num_rows();
        self.bytes += batch
            .columns()
            .iter()
            .map(|column| column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()))
            .sum::<usize>();
        let full = self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES;
        if full {
            *self = Self::default();
        }
        full
    }
}

fn refused(index: usize, rows: &Range<u64>, error: &hypostyle::Error) -> Error {
    let place = format!("stage {}, in rows {} to {} of the input", index + 1, rows.start, rows.end - 1);
    Error::stage(place, error)
}

fn write(
    sink: &mut Writing,
    account: &mut Account,
    parcels: Parcels,
    status: &mut Status,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Status),
) -> Result<()> {
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted: no output was written"));
        }
        let Parcel { batch, bytes, file, bad, ends_group, .. } = match parcels.recv_timeout(LOOK) {
            Ok(parcel) => parcel?,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        account.take(file, &bad)?;
        sink.write(&batch)?;
        if ends_group {
            sink.end_group()?;
        }
        status.rows += batch.num_rows() as u64;
        status.bytes = bytes;
        progress(*status);
    }
}

//! Running a plan.  One thread reads (and has its chunks decoded by a pool), one advances the stages, this one has the rows
//! encoded, writes them and shows progress.  The channels between them hold a few batches, so that a slow end holds the others
//! back and memory stays bounded; batches keep their order, and the first failure stops all three.

mod advance;
mod write;

use std::io::BufWriter;
use std::num::NonZero;
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
use crate::plan::Plan;
use crate::policy::{Account, OnBad};
use crate::saved::{About, Saved};
use crate::sink::place::Pending;
use crate::sink::write::Writing;
use crate::source::chunks::Chunks;
use crate::source::filter::LeftOut;
use crate::source::{Chunk, Mark, Source};
use advance::{Advancing, Group};
use write::Write;

/// So many batches wait between two threads.
const AHEAD: usize = 1;
/// How often a thread that waits looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Rows written.
    pub rows: u64,
    /// Bytes of the input that had been read, or passed over for the filter, by then; compressed files count as they are on
    /// the disk.
    pub bytes: u64,
    /// Bytes of the input in all; 0 where that can't be known, as for standard input.
    pub total_bytes: u64,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Rows written.
    pub rows: u64,
    /// Rows of the input: those written, those that the filter left out, and those that were left out for being bad.
    pub rows_read: u64,
    /// Rows that the filter left out, with those of the row groups that were never read.
    pub filtered_rows: u64,
    /// Row groups of Parquet that were never read, as the filter takes none of their rows.
    pub skipped_groups: u64,
    /// Files that were never opened, as the filter leaves them out by their folders.  How many rows they have isn't known.
    pub skipped_files: u64,
    /// Rows that were bad: made null, left out or rejected, as the pipeline says.
    pub bad_rows: u64,
    /// What was wrong with them, and how often.
    pub reasons: Vec<(String, u64)>,
    /// Whether bad rows are among the rows, with nulls for what was bad.
    pub nulled: bool,
    /// Where the rejects are.
    pub rejects: Option<PathBuf>,
    /// Bytes of the input that were read.
    pub bytes_read: u64,
    /// Bytes of the output.
    pub bytes_written: u64,
    /// The time it took, without planning.
    pub elapsed: Duration,
    /// The keys of the stage that has the most.
    pub keys: usize,
    /// The bytes of all stages' states at the end.
    pub state_bytes: u64,
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
    ends_group: bool,
    checkpoint: Option<Box<Snapshot>>,
}

/// What a checkpoint needs to know of the stages and the source.
struct Snapshot {
    mark: Mark,
    rows_read: u64,
    left_out: LeftOut,
    saved: Saved,
}

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
        let Self { source, stages, judge, sink, limit, trial, threads, memory, state, checkpoints, resume, about } =
            self;
        let (output, files) = (sink.name(), source.files.clone());
        let pool = pool(threads)?;
        if let Some(checkpoints) = &checkpoints {
            checkpoints.prepare(resume.as_ref())?;
        }
        let kept = checkpoints.as_ref().map(|checkpoints| {
            (checkpoints.rejects(), resume.as_ref().map(|progress| (progress.bad.clone(), progress.rejects_bytes)))
        });
        let nulled = source.policy.on_bad == OnBad::Null;
        let account = Account::open(source.policy.clone(), source.columns.clone(), judge.texts.clone(), kept)?;
        let whole = resume.as_ref().map(|progress| progress.output.clone());
        let parts = checkpoints.clone().map(|checkpoints| (checkpoints, whole));
        let group = Group::new(sink.group_rows, memory);
        let sink = Writing::begin(sink, &pool, parts)?;
        let batch_rows = source.batch_rows;
        let filtered = !source.filter.conditions.is_empty();
        let ahead = ahead(&pool, &source, memory);
        let mark = resume.as_ref().map(|progress| progress.mark);
        let mut chunks = source.chunks(Arc::clone(&pool), ahead, mark, !judge.orders.is_empty())?;
        let mut status = Status { rows: 0, bytes: 0, total_bytes: files.bytes() };
        status.rows = resume.as_ref().map_or(0, |progress| progress.rows_written);
        let rows_read = resume.as_ref().map_or(0, |progress| progress.rows_read);
        let left_out = resume.as_ref().map_or_else(LeftOut::default, |progress| progress.left_out);
        let every = checkpoints.as_ref().map(|checkpoints| checkpoints.every);
        let paths = files.paths();
        let mut advancing = Advancing {
            stages,
            judge,
            files: paths,
            limit,
            trial,
            filtered,
            batch_rows,
            memory,
            rows_read,
            left_out,
            group,
            every,
        };
        let mut writing = Write { sink, account, checkpoints, status, stop, progress };
        let (send_read, to_advance) = sync_channel(AHEAD);
        let reader = thread::spawn(move || read(&mut chunks, &send_read));
        thread::scope(|scope| {
            let (send_advanced, to_write) = sync_channel(AHEAD);
            let advancing = &mut advancing;
            let worker = scope.spawn(move || advancing.run(&to_advance, &send_advanced, stop));
            let written = writing.run(to_write);
            // A thread ends when its channel does, so that joining never waits for long.
            let advanced = worker.join().unwrap_or_else(|_| Err(Error::panicked("advancing the stages")));
            // What the writer complains of comes earlier in the file.
            written.and(advanced)
        })?;
        // After a failure, or where the limit was reached, the reader is left to end by itself: it may be waiting for
        // standard input.
        if !advancing.is_done() {
            reader.join().map_err(|_| Error::panicked("reading"))?;
        }
        let Write { sink, account, checkpoints, status, .. } = writing;
        let written = sink.finish()?;
        let (bad, rejects) = account.finish()?;
        if state.is_some() || checkpoints.is_some() {
            files.check_unchanged()?;
        }
        let rejects_path = rejects.as_ref().map(|rejects| rejects.path().to_path_buf());
        // What goes far may fail late, when the old rejects should still be there.
        let bytes_written = written.place(stop)?;
        if let Some(rejects) = rejects {
            rejects.persist()?;
        }
        if let Some(state) = state {
            let inputs = about.inputs.into_iter().chain(files.identities()).filter(|file| !file.is_standard());
            let about = About::new(about.rows + advancing.rows_read, inputs.collect());
            let pending = Pending::create(&state)?;
            let fault = |error| Error::new(ErrorKind::Sink, "can't write the state").in_file(&state).because(error);
            advancing.saved(about)?.write(BufWriter::new(pending.handle()?)).map_err(fault)?;
            pending.persist()?;
        }
        // The checkpoint goes last: whenever the process is killed, what is left can be done again.
        if let Some(checkpoints) = checkpoints {
            checkpoints.remove()?;
        }
        let Status { rows, bytes, .. } = status;
        let left_out = advancing.left_out;
        Ok(Summary {
            rows,
            rows_read: rows + left_out.rows + if nulled { 0 } else { bad.rows },
            filtered_rows: left_out.rows,
            skipped_groups: left_out.groups,
            skipped_files: files.left_out.len() as u64,
            bad_rows: bad.rows,
            reasons: bad.reasons.into_iter().collect(),
            nulled,
            rejects: rejects_path,
            bytes_read: bytes.saturating_sub(left_out.bytes),
            bytes_written,
            elapsed: start.elapsed(),
            keys: advancing.keys(),
            state_bytes: advancing.state_bytes(),
            peak_memory: memory::peak(),
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

/// How many chunks may be under way: enough for every thread, and no more than a quarter of the memory, where it is bounded;
/// what becomes of a chunk takes some four times its bytes.
fn ahead(pool: &ThreadPool, source: &Source, memory: Option<u64>) -> usize {
    let wanted = 2 * pool.current_num_threads() + 1;
    let bound = memory.map_or(u64::MAX, |memory| memory / 16 / source.chunk_bytes as u64);
    wanted.min(usize::try_from(bound).unwrap_or(wanted)).max(1)
}

/// Reads until the end, an error, or until nobody listens.
fn read(chunks: &mut Chunks, out: &SyncSender<Result<Chunk>>) {
    while let Some(chunk) = chunks.next().transpose() {
        let failed = chunk.is_err();
        if out.send(chunk).is_err() || failed {
            return;
        }
    }
}

/// What comes next; `None` at the end, and when the run is to stop.
fn received<T>(from: &Receiver<T>, stop: &AtomicBool) -> Option<T> {
    while !stop.load(Ordering::Relaxed) {
        match from.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            outcome => return outcome.ok(),
        }
    }
    None
}

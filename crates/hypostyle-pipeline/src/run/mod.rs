//! Running a plan.  One thread reads (and has its chunks decoded by a pool), one advances the stages, this one has the rows
//! encoded, writes them and reports progress.  The channels between them hold one batch each, which gives backpressure and bounds
//! memory; batches keep their order, and the first failure stops all three.

mod advance;
mod batch;
mod report;
mod write;

use std::io::BufWriter;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, ErrorKind, Result};
use crate::files::list::Files;
use crate::memory;
use crate::model::bad_row::OnBadRow;
use crate::model::chunk::{Chunk, FilterCounts};
use crate::plan::Plan;
use crate::sink::atomic::Pending;
use crate::sink::bad_row_log::BadRowLog;
use crate::sink::write::Writing;
use crate::source::Source;
use crate::source::chunks::Chunks;
use crate::state::state_file::{StateFile, StateHeader};
use advance::{Advancing, Group};
use write::{Writer, resumable};

pub use report::{Progress, Summary};

/// The number of batches that wait between two threads.
const AHEAD: usize = 1;

impl Plan {
    /// Runs the plan.  `progress` is called after every batch that was written.
    ///
    /// # Errors
    /// As [`crate::Pipeline::run`].
    pub fn run(self, progress: &mut dyn FnMut(Progress)) -> Result<Summary> {
        self.run_until(&AtomicBool::new(false), progress)
    }

    /// Runs the plan until `stop` is set, if ever.  A run that was stopped fails with [`ErrorKind::Interrupted`] and leaves no
    /// output.
    ///
    /// # Errors
    /// As [`crate::Pipeline::run`].
    pub fn run_until(self, stop: &AtomicBool, progress: &mut dyn FnMut(Progress)) -> Result<Summary> {
        let start = Instant::now();
        let Started { chunks, mut advancing, mut writer, ending } = start_plan(self)?;
        pass_rows(chunks, &mut advancing, &mut writer, stop, progress)?;
        let mut summary = ending.finish(&mut advancing, writer, stop)?;
        summary.elapsed = start.elapsed();
        summary.peak_memory = memory::peak();
        Ok(summary)
    }
}

/// The three ends of a run, and what is needed when they are done.
struct Started {
    chunks: Chunks,
    advancing: Advancing,
    writer: Writer,
    ending: Ending,
}

/// What is left to do when all rows were written.
struct Ending {
    files: Files,
    /// Where the state goes, and what it had processed before.
    state: Option<(PathBuf, StateHeader)>,
    nulled: bool,
    output: PathBuf,
}

/// Opens input and output, where a checkpoint left them or at their beginning.
fn start_plan(plan: Plan) -> Result<Started> {
    let Plan { source, stages, validator, sink, options, state, state_header, checkpoints, resume } = plan;
    let (output, files) = (sink.name(), source.files.clone());
    let pool = pool(options.threads)?;
    sink.make_folders()?;
    if let Some(checkpoints) = &checkpoints {
        checkpoints.prepare(resume.as_ref())?;
    }
    let kept = checkpoints.as_ref().map(|checkpoints| {
        (checkpoints.paths.rejects(), resume.as_ref().map(|point| (point.bad.clone(), point.rejects_bytes)))
    });
    let (policy, columns) = (source.policy.clone(), source.columns.clone());
    let bad_rows = BadRowLog::open(policy, columns, validator.rule_texts.clone(), kept)?;
    let parts = checkpoints
        .as_ref()
        .map(|checkpoints| (checkpoints.paths.clone(), resume.as_ref().map(|point| point.output.clone())));
    let advancing = Advancing {
        stages,
        validator,
        files: files.paths(),
        limit: options.limit,
        dry_run: options.dry_run,
        has_filter: !source.filter.conditions.is_empty(),
        batch_rows: source.batch_rows,
        memory_limit: options.memory_limit,
        memory_before: memory::current().unwrap_or(0),
        rows_read: resume.as_ref().map_or(0, |point| point.rows_read),
        filtered: resume.as_ref().map_or_else(FilterCounts::default, |point| point.left_out),
        group: Group::new(sink.row_group_size, options.memory_limit),
        every: checkpoints.as_ref().map(|checkpoints| checkpoints.every),
    };
    let progress = Progress {
        rows_written: resume.as_ref().map_or(0, |point| point.rows_written),
        bytes_read: 0,
        total_bytes: files.bytes(),
    };
    let nulled = source.policy.on_bad == OnBadRow::Null;
    let sink = Writing::begin(sink, &pool, options.memory_limit, parts)?;
    let ahead = ahead(&pool, &source, options.memory_limit);
    let chunks = source.chunks(pool, ahead, resume.as_ref().map(|point| point.mark))?;
    Ok(Started {
        chunks,
        advancing,
        writer: Writer { sink, bad_rows, checkpoints, progress },
        ending: Ending { files, state: state.map(|path| (path, state_header)), nulled, output },
    })
}

/// Passes all rows from the reader through the stages to the writer.
fn pass_rows(
    mut chunks: Chunks,
    advancing: &mut Advancing,
    writer: &mut Writer,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<()> {
    let (send_read, to_advance) = sync_channel(AHEAD);
    let reader = thread::spawn(move || read(&mut chunks, &send_read));
    thread::scope(|scope| {
        let (send_advanced, to_write) = sync_channel(AHEAD);
        let worker = scope.spawn(|| {
            // Its end of the channel goes with the thread, so that the writer sees the end.
            let (to_advance, send_advanced) = (to_advance, send_advanced);
            advancing.run(&to_advance, &send_advanced, stop)
        });
        let written = writer.run(&to_write, stop, progress);
        // A worker that still sends is released by this.
        drop(to_write);
        // A thread ends when its channel does, so that joining never waits for long.
        let advanced = worker.join().unwrap_or_else(|_| Err(Error::panicked("advancing the stages")));
        // The writer's error is about an earlier place in the file.
        written.and(advanced)
    })?;
    // After a failure, or at the limit, the reader is left to end by itself: it may be waiting for standard input.
    if !advancing.is_done() {
        reader.join().map_err(|_| Error::panicked("reading"))?;
    }
    Ok(())
}

impl Ending {
    /// Puts output, rejects and state in their places, in an order in which a kill at any moment loses nothing.
    fn finish(self, advancing: &mut Advancing, writer: Writer, stop: &AtomicBool) -> Result<Summary> {
        let Writer { sink, bad_rows, checkpoints, progress } = writer;
        let written = sink.finish(stop).map_err(|error| resumable(error, checkpoints.is_some()))?;
        let (bad, rejects) = bad_rows.finish()?;
        if self.state.is_some() || checkpoints.is_some() {
            self.files.check_unchanged()?;
        }
        let rejects_path = rejects.as_ref().map(|rejects| rejects.path().to_path_buf());
        // An upload may fail late, when the old rejects should still be there.
        let bytes_written = written.place(stop)?;
        if let Some(rejects) = rejects {
            rejects.persist()?;
        }
        if let Some((path, before)) = self.state {
            let inputs = before.inputs.into_iter().chain(self.files.identities()).filter(|file| !file.is_standard());
            let header = StateHeader::new(before.rows + advancing.rows_read, inputs.collect());
            write_state(&path, &advancing.saved(header)?)?;
        }
        // The checkpoint goes last: whenever the process is killed, the rest can be done again.
        if let Some(checkpoints) = checkpoints {
            checkpoints.remove()?;
        }
        let (rows_written, filtered) = (progress.rows_written, advancing.filtered);
        Ok(Summary {
            rows_written,
            rows_read: rows_written + filtered.rows + if self.nulled { 0 } else { bad.rows },
            filtered_rows: filtered.rows,
            skipped_row_groups: filtered.groups,
            skipped_files: self.files.left_out.len() as u64,
            filled_rows: filtered.filled,
            cut_rows: filtered.cut_off,
            bad_rows: bad.rows,
            bad_row_counts: bad.reasons.into_iter().collect(),
            nulled: self.nulled,
            rejects: rejects_path,
            bytes_read: progress.bytes_read.saturating_sub(filtered.bytes),
            bytes_written,
            elapsed: Default::default(),
            n_keys: advancing.n_keys(),
            state_bytes: advancing.state_bytes(),
            peak_memory: None,
            output: self.output,
        })
    }
}

fn write_state(path: &Path, state: &StateFile) -> Result<()> {
    let pending = Pending::create(path)?;
    let fault = |error| Error::new(ErrorKind::Sink, "cannot write the state").in_file(path).because(error);
    state.write(BufWriter::new(pending.handle()?)).map_err(fault)?;
    pending.persist().map(drop)
}

/// The threads that decode and encode.
fn pool(threads: Option<usize>) -> Result<Arc<ThreadPool>> {
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("pipeline-{index}")).build();
    pool.map(Arc::new).map_err(|error| {
        Error::new(ErrorKind::Pipeline, format!("cannot start {threads} threads"))
            .help("use fewer threads")
            .because(error)
    })
}

/// The number of chunks that may be under way: enough for every thread, and no more than a quarter of the memory limit.  A chunk
/// takes about four times its bytes.
fn ahead(pool: &ThreadPool, source: &Source, memory_limit: Option<u64>) -> usize {
    let wanted = 2 * pool.current_num_threads() + 1;
    let most = memory_limit.map_or(u64::MAX, |memory| memory / 16 / source.chunk_bytes as u64);
    wanted.min(usize::try_from(most).unwrap_or(wanted)).max(1)
}

/// Reads until the end, an error, or until the receiver is gone.
fn read(chunks: &mut Chunks, out: &SyncSender<Result<Chunk>>) {
    while let Some(chunk) = chunks.next().transpose() {
        let failed = chunk.is_err();
        if out.send(chunk).is_err() || failed {
            return;
        }
    }
}

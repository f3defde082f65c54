//! The middle thread of a run: rules, filter, the limit, the stages, and where the row groups of the output end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, RecordBatch};
use indicatif::{HumanBytes, HumanCount};

use super::batch::{OutputBatch, Snapshot, received};
use crate::error::{Error, ErrorKind, Result};
use crate::memory;
use crate::model::chunk::{Chunk, FilterCounts};
use crate::plan::stages::PlannedStage;
use crate::source::validate::Validator;
use crate::state::state_file::{StateFile, StateHeader};

/// Rows and bytes in memory that a group of the output is closed at, whichever comes first.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 128 << 20;

/// What chunks go through on their way from the reader to the writer.
pub(super) struct Advancing {
    pub stages: Vec<PlannedStage>,
    pub validator: Validator,
    pub files: Vec<Arc<Path>>,
    pub limit: Option<u64>,
    pub dry_run: Option<u64>,
    /// Whether there is a filter.
    pub has_filter: bool,
    pub batch_rows: Option<usize>,
    pub memory_limit: Option<u64>,
    /// What the process held before the first row.
    pub memory_before: u64,
    /// Rows that the stages processed.
    pub rows_read: u64,
    /// What the filter removed.
    pub filtered: FilterCounts,
    pub group: Group,
    /// The interval of checkpoints.
    pub every: Option<Duration>,
}

impl Advancing {
    /// Passes every chunk through all stages.  Errors of the reader are passed on to the writer.
    pub fn run(
        &mut self,
        chunks: &Receiver<Result<Chunk>>,
        out: &SyncSender<Result<OutputBatch>>,
        stop: &AtomicBool,
    ) -> Result<()> {
        let mut checkpoint = Instant::now();
        // A checkpoint may have been made at the limit.
        if self.is_done() {
            return Ok(());
        }
        while let Some(chunk) = received(chunks, stop) {
            let valid = chunk.and_then(|mut chunk| self.validator.validate(&mut chunk).map(|()| chunk));
            let chunk = match valid {
                Ok(chunk) => chunk,
                Err(error) => {
                    let _ = out.send(Err(error));
                    return Ok(());
                }
            };
            let Chunk { batch, mut bad, file, after, bytes, filtered, .. } = chunk;
            self.filtered += filtered;
            let left = self.limit.map_or(u64::MAX, |limit| limit - self.rows_read);
            let rows = usize::try_from(left).map_or(batch.num_rows(), |left| left.min(batch.num_rows()));
            let step = self.batch_rows.unwrap_or(rows).max(1);
            let mut from = 0;
            loop {
                let length = step.min(rows - from);
                let batch =
                    self.advance(batch.slice(from, length)).map_err(|error| error.in_file(&self.files[file]))?;
                from += length;
                let last = from == rows;
                let ends_group = self.group.is_full_with(&batch, last);
                let due = ends_group && self.every.is_some_and(|every| checkpoint.elapsed() >= every);
                let snapshot = due.then(|| {
                    checkpoint = Instant::now();
                    let saved = self.saved(StateHeader::new(self.rows_read, Vec::new()))?;
                    let (rows_read, filtered) = (self.rows_read, self.filtered);
                    Ok(Box::new(Snapshot { position: after, rows_read, filtered, saved }))
                });
                let checkpoint = snapshot.transpose()?;
                let output = OutputBatch { batch, bytes, file, bad: std::mem::take(&mut bad), ends_group, checkpoint };
                if out.send(Ok(output)).is_err() {
                    return Ok(());
                }
                if last {
                    break;
                }
            }
            if self.is_done() {
                return Ok(());
            }
            self.check_memory()?;
        }
        Ok(())
    }

    /// Whether the run ends before the input does.
    pub fn is_done(&self) -> bool {
        let seen = self.rows_read + self.filtered.rows - self.filtered.unread;
        self.limit == Some(self.rows_read) || self.dry_run.is_some_and(|rows| seen >= rows)
    }

    fn advance(&mut self, mut batch: RecordBatch) -> Result<RecordBatch> {
        let rows = self.rows_read + 1..self.rows_read + 1 + batch.num_rows() as u64;
        let of = if self.has_filter { "that match the filter" } else { "of the input" };
        for (index, planned) in self.stages.iter_mut().enumerate() {
            batch = planned.stage.advance(&batch).map_err(|error| {
                Error::stage(format!("stage {}, rows {} to {} {of}", index + 1, rows.start, rows.end - 1), &error)
            })?;
        }
        self.rows_read = rows.end - 1;
        Ok(batch)
    }

    /// The states of all stages and rules.
    pub fn saved(&mut self, header: StateHeader) -> Result<StateFile> {
        let fault = |error| Error::stage("cannot save the state", &error);
        let stages = self.stages.iter().map(|planned| planned.stage.to_bytes().map_err(fault));
        let stages = stages.collect::<Result<_>>()?;
        let rules = self.validator.orders.iter_mut().map(|rule| rule.stage().to_bytes().map_err(fault));
        Ok(StateFile { header, stages, rules: rules.collect::<Result<_>>()? })
    }

    /// The keys of the stage that has the most.
    pub fn n_keys(&self) -> usize {
        self.stages.iter().map(|planned| planned.stage.n_keys()).max().unwrap_or(0)
    }

    pub fn state_bytes(&self) -> u64 {
        self.stages.iter().map(|planned| planned.stage.state_bytes() as u64).sum()
    }

    /// Fails if the process uses more memory than the limit.
    fn check_memory(&mut self) -> Result<()> {
        let (Some(bound), Some(held)) = (self.memory_limit, memory::current()) else { return Ok(()) };
        if held <= bound {
            return Ok(());
        }
        let (states, keys, group) = (self.state_bytes(), self.n_keys(), self.group.bytes as u64);
        let rest = held.saturating_sub(states + group + self.memory_before);
        let message = format!(
            "memory limit exceeded after {} rows: {} in use, limit {}; {} before the first row, {} for the state of {} keys, \
             {} for the rows of the open row group, {} for reading and writing",
            HumanCount(self.rows_read),
            HumanBytes(held),
            HumanBytes(bound),
            HumanBytes(self.memory_before),
            HumanBytes(states),
            HumanCount(keys as u64),
            HumanBytes(group),
            HumanBytes(rest),
        );
        let most = [self.memory_before, states, group, rest].into_iter().max().unwrap_or(0);
        Err(Error::new(ErrorKind::Memory, message).help(match most {
            _ if most == self.memory_before => "raise --memory-limit: the program itself needs most of it",
            _ if most == states => "raise --memory-limit, or use shorter windows or fewer keys",
            _ if most == group => "raise --memory-limit, or set row_group_size in [sink] to fewer rows",
            _ => "raise --memory-limit, or use fewer threads, or set batch_rows or chunk_bytes in [source] to less",
        }))
    }
}

/// Counts the rows of a group of the output.  Groups end where chunks do, at places that follow from the input alone.
pub(super) struct Group {
    rows: usize,
    bytes: usize,
    most_rows: usize,
    most_bytes: usize,
}

impl Group {
    pub fn new(rows: Option<usize>, memory: Option<u64>) -> Self {
        let bytes =
            memory.map_or(GROUP_BYTES, |memory| GROUP_BYTES.min(usize::try_from(memory / 4).unwrap_or(GROUP_BYTES)));
        Self { rows: 0, bytes: 0, most_rows: rows.unwrap_or(GROUP_ROWS), most_bytes: bytes }
    }

    /// Adds some rows, the `last` of a chunk or not; whether the group ends with them.
    fn is_full_with(&mut self, batch: &RecordBatch, last: bool) -> bool {
        self.rows += batch.num_rows();
        let bytes = |column: &ArrayRef| {
            column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
        };
        self.bytes += batch.columns().iter().map(bytes).sum::<usize>();
        let full = last && (self.rows >= self.most_rows || self.bytes >= self.most_bytes);
        if full {
            (self.rows, self.bytes) = (0, 0);
        }
        full
    }
}

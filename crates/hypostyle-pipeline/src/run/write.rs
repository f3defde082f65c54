//! The last thread of a run: rows, rejects and checkpoints go to the disk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use super::batch::{OutputBatch, received};
use super::report::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::sink::bad_row_log::BadRowLog;
use crate::sink::write::Writing;
use crate::state::checkpoint::{Checkpoints, ResumePoint};

/// What the rows behind the stages go through.
pub(super) struct Writer {
    pub sink: Writing,
    pub bad_rows: BadRowLog,
    pub checkpoints: Option<Checkpoints>,
    pub progress: Progress,
}

impl Writer {
    pub fn run(
        &mut self,
        batches: &Receiver<Result<OutputBatch>>,
        stop: &AtomicBool,
        report: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        while let Some(batch) = received(batches, stop) {
            let OutputBatch { batch, bytes, file, bad, ends_group, checkpoint } = batch?;
            self.bad_rows.add(file, &bad)?;
            self.sink.write(&batch)?;
            self.progress.rows_written += batch.num_rows() as u64;
            self.progress.bytes_read = bytes;
            if ends_group {
                self.sink.end_group()?;
            }
            if let (Some(checkpoints), Some(snapshot)) = (&self.checkpoints, checkpoint) {
                let point = ResumePoint {
                    mark: snapshot.position,
                    rows_read: snapshot.rows_read,
                    rows_written: self.progress.rows_written,
                    left_out: snapshot.filtered,
                    output: self.sink.end_part()?,
                    rejects_bytes: self.bad_rows.sync()?,
                    bad: self.bad_rows.counts().clone(),
                };
                checkpoints.write(&point, &snapshot.saved)?;
            }
            report(self.progress);
        }
        if !stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(resumable(Error::interrupted(), self.checkpoints.is_some()))
    }
}

/// The error of an interruption, with the way to go on where there is one.
pub(super) fn resumable(error: Error, checkpoints: bool) -> Error {
    match error.kind() {
        ErrorKind::Interrupted if checkpoints => {
            error.help("run it again to resume from the last checkpoint, or pass --restart to start over")
        }
        _ => error,
    }
}

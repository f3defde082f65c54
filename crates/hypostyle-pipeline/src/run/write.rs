//! The end of the line: rows, rejects and checkpoints go to the disk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use super::{Parcel, Status, received};
use crate::checkpoint::{Checkpoints, Progress};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Account;
use crate::sink::write::Writing;

/// What the rows that come out of the stages go through.
pub(super) struct Write<'a> {
    pub sink: Writing,
    pub account: Account,
    pub checkpoints: Option<Checkpoints>,
    pub status: Status,
    pub stop: &'a AtomicBool,
    pub progress: &'a mut dyn FnMut(Status),
}

impl Write<'_> {
    pub fn run(&mut self, parcels: Receiver<Result<Parcel>>) -> Result<()> {
        while let Some(parcel) = received(&parcels, self.stop) {
            let Parcel { batch, bytes, file, bad, ends_group, checkpoint } = parcel?;
            self.account.take(file, &bad)?;
            self.sink.write(&batch)?;
            self.status.rows += batch.num_rows() as u64;
            self.status.bytes = bytes;
            if ends_group {
                self.sink.end_group()?;
            }
            if let (Some(checkpoints), Some(snapshot)) = (&self.checkpoints, checkpoint) {
                let progress = Progress {
                    mark: snapshot.mark,
                    rows_read: snapshot.rows_read,
                    rows_written: self.status.rows,
                    left_out: snapshot.left_out,
                    output: self.sink.end_part()?,
                    rejects_bytes: self.account.sync()?,
                    bad: self.account.counts().clone(),
                };
                checkpoints.write(&progress, &snapshot.saved)?;
            }
            (self.progress)(self.status);
        }
        if !self.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Interrupted, "interrupted: no output was written");
        Err(match self.checkpoints {
            Some(_) => error.help("run it again to go on from the last checkpoint, or with --restart to begin anew"),
            None => error,
        })
    }
}

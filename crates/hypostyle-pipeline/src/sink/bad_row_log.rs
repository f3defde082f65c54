//! The log of bad rows: each is counted, and written to the rejects if the pipeline says so.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::atomic::Pending;
use crate::error::{Error, ErrorKind, Result};
use crate::model::bad_row::{BadRow, BadRowPolicy, OnBadRow, shown};
use crate::model::column::Column;
use crate::model::fault::Reason;

/// Counts the bad rows of a run, and writes the rejects.
pub(crate) struct BadRowLog {
    policy: BadRowPolicy,
    columns: Vec<Column>,
    rules: Vec<String>,
    counts: BadRowCounts,
    last: Option<(usize, u64)>,
    rejects: Option<Rejects>,
}

/// How many rows were bad, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BadRowCounts {
    pub rows: u64,
    /// The number of each reason, such as `invalid value in 'price'`.
    pub reasons: BTreeMap<String, u64>,
}

struct Rejects {
    path: PathBuf,
    place: RejectsPlace,
    writer: csv::Writer<BufWriter<File>>,
}

/// Where rejects grow until the run is done.
enum RejectsPlace {
    Pending(Pending),
    /// In the folder of the checkpoints.
    Kept(PathBuf),
}

const HEADER: [&str; 7] = ["file", "line", "record", "byte_offset", "column", "reason", "row"];

impl BadRowLog {
    /// Begins to count; with checkpoints, from where the last one was.
    pub fn open(
        policy: BadRowPolicy,
        columns: Vec<Column>,
        rules: Vec<String>,
        kept: Option<(PathBuf, Option<(BadRowCounts, u64)>)>,
    ) -> Result<Self> {
        let mut counts = BadRowCounts::default();
        let mut rejects = None;
        if policy.on_bad == OnBadRow::Reject {
            let Some(path) = &policy.rejects else {
                return Err(Error::internal("the file for the rejects is not set"));
            };
            rejects = Some(match &kept {
                None => Rejects::create(path)?,
                Some((kept, before)) => Rejects::keep(path, kept, before.as_ref().map(|(_, bytes)| *bytes))?,
            });
        }
        if let Some((_, Some((before, _)))) = kept {
            counts = before;
        }
        Ok(Self { policy, columns, rules, counts, last: None, rejects })
    }

    /// Adds the bad rows of a chunk of the `file`-th file.
    pub fn add(&mut self, file: usize, found: &[BadRow]) -> Result<()> {
        for bad in found {
            let kind = kind(bad.reason);
            let reason = match bad.column {
                Some(column) => format!("{kind} in '{}'", self.columns[column].name),
                None => kind.to_string(),
            };
            *self.counts.reasons.entry(reason).or_default() += 1;
            let row = (file, bad.position.record);
            self.counts.rows += u64::from(self.last != Some(row));
            self.last = Some(row);
            if let Some(limit) = self.policy.limit.filter(|limit| self.counts.rows > *limit) {
                let error = bad.error(&self.columns, &self.rules);
                return Err(error.prefix(&format!("more bad rows than max_bad_rows = {limit}; the last: ")));
            }
            if let Some(rejects) = &mut self.rejects {
                rejects.write(bad, &self.columns, &self.rules)?;
            }
        }
        Ok(())
    }

    pub fn counts(&self) -> &BadRowCounts {
        &self.counts
    }

    /// Brings the rejects so far to the disk; how many bytes they are.
    pub fn sync(&mut self) -> Result<u64> {
        let Some(rejects) = &mut self.rejects else { return Ok(0) };
        let path = &rejects.path;
        rejects.writer.flush().map_err(|error| unwritable(path).because(error))?;
        let file = rejects.writer.get_ref().get_ref();
        file.sync_all().map_err(|error| unwritable(path).because(error))?;
        Ok(file.metadata().map_err(|error| unwritable(path).because(error))?.len())
    }

    /// Writes the rest of the rejects, which are then ready to be put in their place.
    pub fn finish(self) -> Result<(BadRowCounts, Option<Pending>)> {
        let rejects = self.rejects.map(Rejects::finish).transpose()?;
        Ok((self.counts, rejects))
    }
}

fn kind(reason: Reason) -> &'static str {
    match reason {
        Reason::Text | Reason::Infinity => "invalid value",
        Reason::Precision(_) | Reason::Decimals => "too many decimals",
        Reason::Range => "out of range",
        Reason::Offset => "UTC offset",
        Reason::NoOffset => "missing UTC offset",
        Reason::Kept(_) => "a number that would lose something",
        Reason::ClockChange => "time of a clock change",
        Reason::Zone => "unknown time zone",
        Reason::Widened => "not in the common type",
        Reason::Quote => "text behind the closing quote",
        Reason::Header => "repeated header",
        Reason::Encoding => "invalid UTF-8",
        Reason::Fields { .. } => "wrong number of fields",
        Reason::Rule(_) => "rule violation",
    }
}

impl Rejects {
    fn create(path: &Path) -> Result<Self> {
        let pending = Pending::create(path)?;
        let writer = csv::WriterBuilder::new().from_writer(BufWriter::new(pending.handle()?));
        let mut rejects = Self { path: path.to_path_buf(), place: RejectsPlace::Pending(pending), writer };
        rejects.record(HEADER.map(str::as_bytes))?;
        Ok(rejects)
    }

    /// Rejects that survive a kill, of which `before` bytes are there already.
    fn keep(path: &Path, kept: &Path, before: Option<u64>) -> Result<Self> {
        let fault = |error: std::io::Error| unwritable(path).because(error);
        let mut options = File::options();
        let mut file = options.write(true).read(true).create(true).truncate(false).open(kept).map_err(fault)?;
        file.set_len(before.unwrap_or(0)).map_err(fault)?;
        file.seek(SeekFrom::End(0)).map_err(fault)?;
        let writer = csv::WriterBuilder::new().from_writer(BufWriter::new(file));
        let mut rejects = Self { path: path.to_path_buf(), place: RejectsPlace::Kept(kept.to_path_buf()), writer };
        if before.unwrap_or(0) == 0 {
            rejects.record(HEADER.map(str::as_bytes))?;
        }
        Ok(rejects)
    }

    fn write(&mut self, bad: &BadRow, columns: &[Column], rules: &[String]) -> Result<()> {
        let place = &bad.position;
        let file = place.file.to_string_lossy();
        let [line, record, offset] = [place.line, place.record, place.offset].map(|number| number.to_string());
        let column = bad.column.map_or("", |column| columns[column].name.as_str());
        let reason = match bad.column {
            Some(_) => format!("{} {}", shown(&bad.text), bad.summary(columns, rules)),
            None => bad.summary(columns, rules),
        };
        let texts = [&*file, &line, &record, &offset, column, &reason].map(str::as_bytes);
        let [file, line, record, offset, column, reason] = texts;
        self.record([file, line, record, offset, column, reason, &bad.row])
    }

    fn record(&mut self, fields: [&[u8]; 7]) -> Result<()> {
        self.writer.write_record(fields).map_err(|error| unwritable(&self.path).because(error))
    }

    fn finish(self) -> Result<Pending> {
        let Self { path, place, writer } = self;
        let fault = |error: std::io::Error| unwritable(&path).because(error);
        writer.into_inner().map_err(|error| fault(error.into_error()))?.flush().map_err(fault)?;
        match place {
            RejectsPlace::Pending(pending) => Ok(pending),
            RejectsPlace::Kept(kept) => {
                let pending = Pending::create(&path)?;
                let mut from = File::open(kept).map_err(fault)?;
                std::io::copy(&mut from, &mut pending.handle()?).map_err(fault)?;
                Ok(pending)
            }
        }
    }
}

fn unwritable(path: &Path) -> Error {
    Error::new(ErrorKind::Sink, "cannot write the rejects").in_file(path)
}

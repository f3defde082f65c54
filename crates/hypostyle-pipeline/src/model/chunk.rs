//! Rows on their way from the source to the stages, and where in the input they are.

use std::collections::HashSet;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, nullif};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use super::bad_row::BadRow;
use super::fault::{Fault, Misfit};

/// How many rows formats without lines are read in at once.
pub(crate) const BATCH_ROWS: usize = 65_536;

/// Where reading can resume: between two chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputPosition {
    /// The number of the file.
    pub file: usize,
    /// The byte in it (decompressed); the row for formats that have no lines.
    pub offset: u64,
    /// The line and the record that begin there.
    pub line: u64,
    pub record: u64,
}

impl InputPosition {
    /// The first row of a file that has no lines.
    pub fn first_row(file: usize) -> Self {
        Self { file, offset: 0, line: 0, record: 1 }
    }
}

/// Rows of one file, with the bad ones among them.
pub(crate) struct Chunk {
    pub batch: RecordBatch,
    pub bad: Vec<BadRow>,
    /// Values that are still to be made bad rows, in the order of their rows.
    pub misfits: Vec<Misfit>,
    /// Finds the rows in the file, for text formats whose rows are still to be checked.
    pub positions: Option<Box<dyn RowPositions>>,
    /// The number of the file.
    pub file: usize,
    /// The number of the first record.
    pub first_record: u64,
    /// The numbers of the records that are not part of the table any more.
    pub deleted: Vec<u64>,
    pub after: InputPosition,
    /// Bytes read from the disk by then, or skipped.
    pub bytes: u64,
    /// What the filter removed from these rows, and between them and those before.
    pub filtered: FilterCounts,
}

impl Chunk {
    /// Leaves out records of a format without lines that were deleted.
    pub fn delete(&mut self, records: Vec<u64>) -> Result<(), ArrowError> {
        if records.is_empty() {
            return Ok(());
        }
        let row = |record: &u64| usize::try_from(record - self.first_record).unwrap_or(usize::MAX);
        let rows: Vec<usize> = records.iter().map(row).collect();
        self.batch = without(&self.batch, rows.iter().copied())?;
        self.misfits.retain(|misfit| rows.binary_search(&misfit.fault.row).is_err());
        for misfit in &mut self.misfits {
            misfit.fault.row -= rows.partition_point(|row| *row < misfit.fault.row);
        }
        self.deleted = records;
        Ok(())
    }

    /// The numbers of the records in its rows, and of those that follow, without these.
    pub fn records<'a>(&'a self, gone: &'a HashSet<u64>) -> impl Iterator<Item = u64> + 'a {
        let is_there = |record: &u64| !gone.contains(record) && self.deleted.binary_search(record).is_err();
        (self.first_record..).filter(is_there)
    }
}

/// Where the rows of a chunk are in the file that it was read from.
pub(crate) trait RowPositions: Send {
    /// Notes that these of the batch's `count` rows were removed.
    fn remove(&mut self, count: usize, rows: &mut dyn Iterator<Item = usize>);

    /// The bad rows that these faults make.  Their rows are those of the batch.
    fn bad_rows(&self, faults: &[Fault]) -> Vec<BadRow>;
}

/// What a filter has removed, and which rows were made to fit the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FilterCounts {
    /// Rows, with those of the row groups.
    pub rows: u64,
    /// Row groups that were never read.
    pub groups: u64,
    /// Their rows.
    pub unread: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows with too few fields that were filled up with nulls, since the pipeline says so.
    #[serde(default)]
    pub filled: u64,
    /// Rows with too many fields that were cut off.
    #[serde(default)]
    pub cut_off: u64,
}

impl std::ops::AddAssign for FilterCounts {
    fn add_assign(&mut self, more: Self) {
        self.rows += more.rows;
        self.groups += more.groups;
        self.unread += more.unread;
        self.bytes += more.bytes;
        self.filled += more.filled;
        self.cut_off += more.cut_off;
    }
}

/// The batch without these rows.
pub(crate) fn without(batch: &RecordBatch, rows: impl Iterator<Item = usize>) -> Result<RecordBatch, ArrowError> {
    let mut keep = vec![true; batch.num_rows()];
    rows.for_each(|row| keep[row] = false);
    filter_record_batch(batch, &BooleanArray::from(keep))
}

/// The column with nulls in these rows.
pub(crate) fn nulled(column: &ArrayRef, rows: impl Iterator<Item = usize>) -> Result<ArrayRef, ArrowError> {
    let mut gone = vec![false; column.len()];
    rows.for_each(|row| gone[row] = true);
    nullif(column, &BooleanArray::from(gone))
}

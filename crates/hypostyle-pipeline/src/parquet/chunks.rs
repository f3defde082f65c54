//! Several Parquet files as one sequence of chunks.

use std::ops::Range;
use std::sync::Arc;

use super::columns::Known;
use super::read::{ParquetBatches, ParquetFile};
use crate::error::{Error, Result};
use crate::files::list::Files;
use crate::model::chunk::{BATCH_ROWS, Chunk, InputPosition};
use crate::model::fault::{Fault, Misfit};
use crate::model::matching::Table;
use crate::rules::test::Test;
use arrow::array::RecordBatch;

/// What is read of the files.
pub(crate) struct Wanted {
    /// Without the files' metadata: what another tool noted there doesn't hold for the output.
    pub table: Table,
    pub known: Known,
    /// What rows must meet, by the numbers of the columns: where none of a row group can, it is left unread.
    pub tests: Vec<(usize, Test)>,
}

/// The rows of some Parquet files, in order.
pub(crate) struct ParquetChunks {
    files: Files,
    wanted: Wanted,
    batch_rows: usize,
    threads: usize,
    first: Option<ParquetFile>,
    open: Option<ParquetBatches>,
    next: InputPosition,
    /// Bytes of the files that have been read to their end.
    bytes: u64,
}

impl ParquetChunks {
    pub fn begin(
        first: ParquetFile,
        files: Files,
        wanted: Wanted,
        batch_rows: Option<usize>,
        threads: usize,
        mark: Option<InputPosition>,
    ) -> Result<Self> {
        let next = mark.unwrap_or(InputPosition::first_row(0));
        let bytes = files.list[..next.file].iter().map(|file| file.bytes).sum();
        let batch_rows = batch_rows.unwrap_or(BATCH_ROWS);
        let first = Some(first).filter(|_| next.file == 0);
        Ok(Self { files, wanted, batch_rows, threads, first, open: None, next, bytes })
    }

    pub fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            let batches = match &mut self.open {
                Some(batches) => batches,
                none => {
                    let Some(file) = self.files.list.get(self.next.file) else { return Ok(None) };
                    let opened = match self.first.take() {
                        Some(first) => first,
                        None => ParquetFile::open(file, &self.wanted.known)?,
                    };
                    let places = self.wanted.table.places(&file.path, &opened.columns())?;
                    let schema = Arc::clone(&self.wanted.table.schema);
                    let opened = opened.skip_groups(&self.wanted.table.placed(&places, &self.wanted.tests));
                    none.insert(opened.batches(&places, schema, self.batch_rows, self.threads, self.next.offset)?)
                }
            };
            let batch = batches.next()?;
            let (batch, misfits) = batch.unzip();
            let (rows, place) = (batch.as_ref().map_or(0, RecordBatch::num_rows) as u64, batches.place());
            let mut filtered = batches.filtered(self.next.offset..place - rows);
            let (file, first_record) = (self.next.file, place - rows + 1);
            let deleted = self.files.list[file].deleted.as_ref();
            let deleted_within = |rows: Range<u64>| deleted.map_or(&[][..], |deleted| deleted.within(rows));
            let never_seen = deleted_within(self.next.offset..place - rows).len() as u64;
            filtered.rows -= never_seen.min(filtered.rows);
            filtered.unread -= never_seen.min(filtered.unread);
            let deleted: Vec<u64> = deleted_within(place - rows..place).iter().map(|row| row + 1).collect();
            (self.next.offset, self.next.record) = (place, place + 1);
            let bytes = self.bytes + batches.bytes_of(place);
            let ended = batch.is_none();
            if ended {
                self.open = None;
                self.bytes += self.files.list[file].bytes;
                self.next = InputPosition::first_row(file + 1);
            }
            // Rows skipped at the end of a file are reported in a chunk without rows.
            if let Some(batch) = batch
                .or_else(|| (filtered.rows > 0).then(|| RecordBatch::new_empty(Arc::clone(&self.wanted.table.schema))))
            {
                let after = self.next;
                let read = &self.wanted.table.read;
                let misfits = misfits.into_iter().flatten().map(|(column, row, reason, text)| Misfit {
                    fault: Fault { row, column: read[column], reason },
                    text,
                });
                let mut chunk = Chunk {
                    batch,
                    bad: Vec::new(),
                    misfits: misfits.collect(),
                    positions: None,
                    file,
                    first_record,
                    deleted: Vec::new(),
                    after,
                    bytes,
                    filtered,
                };
                chunk.delete(deleted).map_err(|error| {
                    Error::internal("deleted rows cannot be left out")
                        .because(error)
                        .in_file(&self.files.list[file].path)
                })?;
                return Ok(Some(chunk));
            }
        }
    }
}

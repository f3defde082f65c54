//! Several Parquet files as one sequence of chunks.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::read::{ParquetBatches, ParquetFile};
use crate::error::Result;
use crate::source::files::Files;
use crate::source::{BATCH_ROWS, Chunk, Mark, check_same_columns};

/// The rows of some Parquet files, in order.
pub(crate) struct ParquetChunks {
    files: Files,
    columns: Vec<usize>,
    /// Of the wanted columns, without the files' metadata: what another tool noted there doesn't hold for the output.
    schema: SchemaRef,
    batch_rows: usize,
    threads: usize,
    first: Option<ParquetFile>,
    open: Option<ParquetBatches>,
    next: Mark,
    /// Bytes of the files that have been read to their end.
    bytes: u64,
}

impl ParquetChunks {
    pub fn begin(
        first: ParquetFile,
        files: Files,
        columns: Vec<usize>,
        schema: SchemaRef,
        batch_rows: Option<usize>,
        threads: usize,
        mark: Option<Mark>,
    ) -> Result<Self> {
        let next = mark.unwrap_or(Mark::first_row(0));
        let bytes = files.list[..next.file].iter().map(|file| file.bytes).sum();
        let batch_rows = batch_rows.unwrap_or(BATCH_ROWS);
        let first = Some(first).filter(|_| next.file == 0);
        Ok(Self { files, columns, schema, batch_rows, threads, first, open: None, next, bytes })
    }

    pub fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            if self.open.is_none() {
                let Some(file) = self.files.list.get(self.next.file) else { return Ok(None) };
                let opened = match self.first.take() {
                    Some(first) => first,
                    None => {
                        let (opened, columns) = ParquetFile::open(file)?;
                        check_same_columns(&file.path, &columns, &self.columns, &self.schema)?;
                        opened
                    }
                };
                let schema = Arc::clone(&self.schema);
                let batches = opened.batches(&self.columns, schema, self.batch_rows, self.threads, self.next.offset)?;
                self.open = Some(batches);
            }
            let Some(batches) = &mut self.open else { return Ok(None) };
            if let Some(batch) = batches.next()? {
                let rows = batch.num_rows() as u64;
                let first_record = self.next.record;
                self.next.offset += rows;
                self.next.record += rows;
                let bytes = self.bytes + batches.bytes_read();
                let (file, after) = (self.next.file, self.next);
                return Ok(Some(Chunk { batch, bad: Vec::new(), places: None, file, first_record, after, bytes }));
            }
            self.open = None;
            self.bytes += self.files.list[self.next.file].bytes;
            self.next = Mark::first_row(self.next.file + 1);
        }
    }
}

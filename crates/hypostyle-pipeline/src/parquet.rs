//! Parquet as a source.  The file says its own types; row groups are read a batch at a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::{Error, ErrorKind, Result};
use crate::source::{Batches, Column, Origin};

/// A Parquet file whose footer has been read.
pub(crate) struct ParquetFile {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl ParquetFile {
    pub fn open(path: &Path) -> Result<(Self, Vec<Column>)> {
        let file = File::open(path)
            .map_err(|error| Error::new(ErrorKind::Source, format!("can't open the input: {error}")).in_file(path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| {
            Error::new(ErrorKind::Source, "the input is no Parquet file").in_file(path).because(error)
        })?;
        let columns = builder.schema().fields().iter().map(|field| Column {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
            origin: Origin::File,
            remark: None,
        });
        let columns = columns.collect();
        Ok((Self { path: path.to_path_buf(), builder }, columns))
    }

    pub fn batches(self, schema: SchemaRef, rows: usize, bytes: u64) -> Result<ParquetBatches> {
        let total = u64::try_from(self.builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader =
            self.builder.with_batch_size(rows).build().map_err(|error| unreadable(&self.path).because(error))?;
        Ok(ParquetBatches { path: self.path, reader, schema, read: 0, total, bytes })
    }
}

fn unreadable(path: &Path) -> Error {
    Error::new(ErrorKind::Source, "the Parquet file can't be read").in_file(path)
}

/// The rows of a Parquet file.
pub(crate) struct ParquetBatches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// Without the file's metadata: what another tool noted there about its own columns doesn't hold for the output.
    schema: SchemaRef,
    read: u64,
    total: u64,
    bytes: u64,
}

impl Batches for ParquetBatches {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch
            .and_then(|batch| RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec()))
            .map_err(|error| unreadable(&self.path).because(error))?;
        self.read += batch.num_rows() as u64;
        Ok(Some(batch))
    }

    fn bytes_read(&self) -> u64 {
        if self.read >= self.total {
            return self.bytes;
        }
        (u128::from(self.bytes) * u128::from(self.read) / u128::from(self.total.max(1))) as u64
    }
}

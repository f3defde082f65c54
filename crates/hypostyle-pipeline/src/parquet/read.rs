//! Parquet as a source.  The file says its own types; row groups are read a batch at a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::{Error, ErrorKind, Result};
use crate::source::{Column, Origin};

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
        let columns = builder
            .schema()
            .fields()
            .iter()
            .map(|field| Column::new(field.name(), field.data_type().clone(), Origin::File));
        let columns = columns.collect();
        Ok((Self { path: path.to_path_buf(), builder }, columns))
    }

    pub fn batches(
        self,
        columns: &[usize],
        schema: SchemaRef,
        rows: usize,
        _threads: usize,
        skip: u64,
    ) -> Result<ParquetBatches> {
        let total = u64::try_from(self.builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let mask = parquet::arrow::ProjectionMask::roots(self.builder.parquet_schema(), columns.iter().copied());
        let bytes = std::fs::metadata(&self.path).map_or(0, |m| m.len());
        let reader = self
            .builder
            .with_batch_size(rows)
            .with_projection(mask)
            .with_offset(skip as usize)
            .build()
            .map_err(|error| unreadable(&self.path).because(error))?;
        Ok(ParquetBatches { path: self.path, reader, schema, read: skip, total, bytes })
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

impl ParquetBatches {
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch
            .and_then(|batch| RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec()))
            .map_err(|error| unreadable(&self.path).because(error))?;
        self.read += batch.num_rows() as u64;
        Ok(Some(batch))
    }

    pub fn bytes_read(&self) -> u64 {
        if self.read >= self.total {
            return self.bytes;
        }
        (u128::from(self.bytes) * u128::from(self.read) / u128::from(self.total.max(1))) as u64
    }
}

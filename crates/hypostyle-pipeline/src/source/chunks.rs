//! The rows of a source as the runner takes them, whatever the format: chunks in order, with the folders' columns added.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, UInt32Array, new_null_array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use rayon::ThreadPool;

use super::ipc::IpcChunks;
use super::{Chunk, Column, Kind, Mark, Source, schema};
use crate::csv::chunk::Reading;
use crate::csv::reader::CsvChunks;
use crate::error::{Error, ErrorKind, Result};
use crate::parquet::ParquetChunks;
use crate::rules::ValueRule;

/// The rows of a source.
pub(crate) struct Chunks {
    rows: Rows,
    /// The folders' columns: each file's value as an array of one row.
    folders: Vec<Vec<ArrayRef>>,
    schema: SchemaRef,
}

enum Rows {
    Csv(CsvChunks),
    Parquet(ParquetChunks),
    Ipc(IpcChunks),
}

impl Source {
    /// Begins to read, at the mark or at the beginning, with so many chunks under way at most.  `keep_text` where it will be
    /// asked where rows stand.
    pub fn chunks(self, pool: Arc<ThreadPool>, ahead: usize, mark: Option<Mark>, keep_text: bool) -> Result<Chunks> {
        let schema_of_all = self.schema();
        let mut folders = Vec::new();
        for (column, (_, values)) in self.columns.iter().filter(|column| !column.in_file()).zip(&self.files.partitions)
        {
            if !self.wanted().any(|wanted| wanted.name == column.name) {
                continue;
            }
            let options = CastOptions { safe: false, ..CastOptions::default() };
            let one = |value: &Option<String>| match value {
                None => Ok(new_null_array(&column.data_type, 1)),
                Some(text) => {
                    let text = StringArray::from(vec![text.as_str()]);
                    cast_with_options(&text, &column.data_type, &options).map_err(|error| {
                        let message = format!("a folder's name is no value of column '{}'", column.name);
                        Error::new(ErrorKind::Source, message).because(error)
                    })
                }
            };
            folders.push(values.iter().map(one).collect::<Result<Vec<_>>>()?);
        }
        let in_file: Vec<usize> =
            self.wanted.iter().copied().filter(|column| self.columns[*column].in_file()).collect();
        let file_schema = schema(in_file.iter().map(|column| &self.columns[*column]));
        let rows = match self.kind {
            Kind::Csv(csv, opened) => {
                let wanted = in_file.iter().map(|column| {
                    let Column { data_type, written, .. } = &self.columns[*column];
                    (*column, data_type.clone(), written.clone())
                });
                let place = |rule: &ValueRule| in_file.iter().position(|column| *column == rule.column);
                let rules = self.rules.values.iter().filter_map(|rule| Some((place(rule)?, rule.clone())));
                let reading = Reading {
                    files: self.files.list,
                    width: csv.names.len(),
                    wanted: wanted.collect(),
                    names: csv.names,
                    dialect: csv.dialect,
                    schema: file_schema,
                    rules: rules.collect(),
                    on_bad: self.policy.on_bad,
                    keep_text,
                    chunk_bytes: self.chunk_bytes,
                    read: csv.read,
                };
                Rows::Csv(CsvChunks::begin(reading, *opened, mark, pool, ahead)?)
            }
            Kind::Ipc(first, read) => {
                Rows::Ipc(IpcChunks::begin(first, self.files, in_file, file_schema, self.batch_rows, read, mark))
            }
            Kind::Parquet(first) => {
                let threads = pool.current_num_threads();
                Rows::Parquet(ParquetChunks::begin(
                    first,
                    self.files,
                    in_file,
                    file_schema,
                    self.batch_rows,
                    threads,
                    mark,
                )?)
            }
        };
        Ok(Chunks { rows, folders, schema: schema_of_all })
    }
}

impl Chunks {
    /// The next rows; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Chunk>> {
        let chunk = match &mut self.rows {
            Rows::Csv(rows) => rows.next()?,
            Rows::Parquet(rows) => rows.next()?,
            Rows::Ipc(rows) => rows.next()?,
        };
        let Some(mut chunk) = chunk else { return Ok(None) };
        if !self.folders.is_empty() {
            let rows = chunk.batch.num_rows();
            let mut columns = chunk.batch.columns().to_vec();
            let first = UInt32Array::from(vec![0; rows]);
            for values in &self.folders {
                columns.push(take(&values[chunk.file], &first, None).map_err(misfit)?);
            }
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            chunk.batch =
                RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(misfit)?;
        }
        Ok(Some(chunk))
    }
}

fn misfit(error: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "the folders' columns don't fit").because(error)
}

//! The rows of a source as the runner takes them, whatever the format: chunks in order, with the folders' columns added.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use rayon::ThreadPool;

use super::filter::Sieve;
use super::ipc::IpcChunks;
use super::{Chunk, Column, Kind, Mark, Source, folders, schema};
use crate::csv::chunk::Reading;
use crate::csv::reader::CsvChunks;
use crate::error::{Error, Result};
use crate::parquet::{ParquetChunks, Wanted};
use crate::rules::ValueRule;

/// The rows of a source.
pub(crate) struct Chunks {
    rows: Rows,
    /// The filter, where the threads that decode don't apply it themselves and no rule waits.
    sieve: Option<Sieve>,
    /// The folders' columns: each file's value as an array of one row.
    folders: Vec<Vec<ArrayRef>>,
    schema: SchemaRef,
}

enum Rows {
    Csv(CsvChunks),
    Parquet(Box<ParquetChunks>),
    Ipc(Box<IpcChunks>),
    /// All files are left out.
    None,
}

impl Source {
    /// Begins to read, at the mark or at the beginning, with so many chunks under way at most.  `keep_text` where it will be
    /// asked where rows stand.
    pub fn chunks(self, pool: Arc<ThreadPool>, ahead: usize, mark: Option<Mark>, keep_text: bool) -> Result<Chunks> {
        let read = self.read();
        let in_file = |columns: &[usize]| -> Vec<usize> {
            columns.iter().copied().filter(|column| self.columns[*column].in_file()).collect()
        };
        let (in_file, wanted) = (in_file(&read), in_file(&self.wanted));
        let mut folders = Vec::new();
        for (column, (_, values)) in self.columns.iter().filter(|column| !column.in_file()).zip(&self.files.partitions)
        {
            if self.wanted().any(|wanted| wanted.name == column.name) {
                let all = folders::values(column, values)?;
                folders.push((0..all.len()).map(|file| all.slice(file, 1)).collect());
            }
        }
        let file_schema = schema(in_file.iter().map(|column| &self.columns[*column]));
        // Where no rule waits, the rows are filtered here, and have no more columns than the stages see.
        let (schema, sieve) = match self.filters_late {
            true => (self.read_schema(), None),
            false => (self.schema(), self.filter.sieve(&self.columns, &in_file, &wanted)?),
        };
        let tests = self.group_tests();
        if self.files.unread {
            return Ok(Chunks { rows: Rows::None, sieve, folders, schema });
        }
        let rows = match self.kind {
            Kind::Csv(csv, opened) => {
                let wanted = in_file.iter().map(|column| {
                    let Column { data_type, written, .. } = &self.columns[*column];
                    (*column, data_type.clone(), written.clone())
                });
                let place = |rule: &ValueRule| super::filter::place(&self.columns, &in_file, rule.column);
                let rules = self.rules.values.iter().map(|rule| Ok((place(rule)?, rule.clone())));
                let reading = Reading {
                    files: self.files.list,
                    width: csv.names.len(),
                    wanted: wanted.collect(),
                    names: csv.names,
                    dialect: csv.dialect,
                    schema: file_schema,
                    rules: rules.collect::<Result<_>>()?,
                    sieve,
                    on_bad: self.policy.on_bad,
                    fitted_are_bad: csv.fitted_are_bad,
                    keep_text,
                    chunk_bytes: self.chunk_bytes,
                    read: csv.read,
                };
                return Ok(Chunks {
                    rows: Rows::Csv(CsvChunks::begin(reading, *opened, mark, pool, ahead)?),
                    sieve: None,
                    folders,
                    schema,
                });
            }
            Kind::Ipc(first, read) => {
                let chunks = IpcChunks::begin(first, self.files, in_file, file_schema, self.batch_rows, read, mark);
                Rows::Ipc(Box::new(chunks))
            }
            Kind::Parquet(first) => {
                let threads = pool.current_num_threads();
                let wanted = Wanted { columns: in_file, schema: file_schema, tests };
                let chunks = ParquetChunks::begin(first, self.files, wanted, self.batch_rows, threads, mark)?;
                Rows::Parquet(Box::new(chunks))
            }
        };
        Ok(Chunks { rows, sieve, folders, schema })
    }
}

impl Chunks {
    /// The next rows; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Chunk>> {
        let chunk = match &mut self.rows {
            Rows::Csv(rows) => rows.next()?,
            Rows::Parquet(rows) => rows.next()?,
            Rows::Ipc(rows) => rows.next()?,
            Rows::None => None,
        };
        let Some(mut chunk) = chunk else { return Ok(None) };
        if let Some(sieve) = &self.sieve {
            sieve.sift(&mut chunk)?;
        }
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
    Error::internal("the partition columns do not fit").because(error)
}

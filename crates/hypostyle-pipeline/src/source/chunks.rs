//! The rows of a source, whatever the format: chunks in order, with the partition columns added.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use rayon::ThreadPool;

use super::{Kind, Source, partition};
use crate::csv::chunk::Reading;
use crate::csv::decode;
use crate::csv::reader::CsvChunks;
use crate::error::{Error, Result};
use crate::ipc::IpcChunks;
use crate::model::chunk::{Chunk, InputPosition};
use crate::model::column::schema;
use crate::parquet::{ParquetChunks, Wanted};
use crate::rules::ValueRule;
use crate::rules::filter::{RowFilter, place};

/// The rows of a source.
pub(crate) struct Chunks {
    rows: Rows,
    /// The filter, if the decoding threads do not apply it and no rule comes before it.
    row_filter: Option<RowFilter>,
    /// The partition columns: each file's value as an array of one row.
    partitions: Vec<Vec<ArrayRef>>,
    schema: SchemaRef,
}

enum Rows {
    Csv(CsvChunks),
    Parquet(Box<ParquetChunks>),
    Ipc(Box<IpcChunks>),
    /// All files were filtered out.
    None,
}

impl Source {
    /// Begins to read, at the position or at the beginning, with at most this number of chunks under way.
    pub fn chunks(self, pool: Arc<ThreadPool>, ahead: usize, position: Option<InputPosition>) -> Result<Chunks> {
        let in_file = self.in_file(&self.read());
        let mut partitions = Vec::new();
        for (column, (_, values)) in self.columns.iter().filter(|column| !column.in_file()).zip(&self.files.partitions)
        {
            if self.wanted().any(|wanted| wanted.name == column.name) {
                let all = partition::values(column, values)?;
                partitions.push((0..all.len()).map(|file| all.slice(file, 1)).collect());
            }
        }
        let file_schema = schema(in_file.iter().map(|column| &self.columns[*column]));
        // Filtered here, rows have no more columns than the stages see.
        let schema = if self.early.row_filter.is_some() { self.schema() } else { self.read_schema() };
        let tests = self.group_tests();
        let row_filter = self.early.row_filter;
        if self.files.unread {
            return Ok(Chunks { rows: Rows::None, row_filter, partitions, schema });
        }
        let rows = match self.kind {
            Kind::Csv(csv, opened) => {
                let wanted = in_file.iter().map(|column| {
                    let about = &self.columns[*column];
                    let (data_type, format) = (about.data_type.clone(), about.time_format.clone());
                    decode::Wanted { column: *column, joins: about.joined(), data_type, format, zone: about.zone() }
                });
                let place = |rule: &ValueRule| place(&self.columns, &in_file, rule.column);
                let rules = self.early.values.iter().map(|rule| Ok((place(rule)?, rule.clone())));
                let reading = Reading {
                    files: self.files.list,
                    width: csv.names.len(),
                    wanted: wanted.collect(),
                    names: csv.names,
                    dialect: csv.dialect,
                    schema: file_schema,
                    rules: rules.collect::<Result<_>>()?,
                    row_filter,
                    on_bad: self.policy.on_bad,
                    fitted_are_bad: csv.fitted_are_bad,
                    keep_text: self.early.keep_text,
                    chunk_bytes: self.chunk_bytes,
                    read: csv.read,
                };
                return Ok(Chunks {
                    rows: Rows::Csv(CsvChunks::begin(reading, *opened, position, pool, ahead)?),
                    row_filter: None,
                    partitions,
                    schema,
                });
            }
            Kind::Ipc(first, read) => {
                let chunks = IpcChunks::begin(first, self.files, in_file, file_schema, self.batch_rows, read, position);
                Rows::Ipc(Box::new(chunks))
            }
            Kind::Parquet(first) => {
                let threads = pool.current_num_threads();
                let wanted = Wanted { columns: in_file, schema: file_schema, tests };
                let chunks = ParquetChunks::begin(first, self.files, wanted, self.batch_rows, threads, position)?;
                Rows::Parquet(Box::new(chunks))
            }
        };
        Ok(Chunks { rows, row_filter, partitions, schema })
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
        if let Some(filter) = &self.row_filter {
            filter.apply(&mut chunk)?;
        }
        if !self.partitions.is_empty() {
            let rows = chunk.batch.num_rows();
            let mut columns = chunk.batch.columns().to_vec();
            let first = UInt32Array::from(vec![0; rows]);
            for values in &self.partitions {
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

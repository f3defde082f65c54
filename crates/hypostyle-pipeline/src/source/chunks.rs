//! The rows of a source, whatever the format: chunks in order, with the partition columns added.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use rayon::ThreadPool;

use super::partition::{self, Doubled};
use super::settle::Settler;
use super::{Kind, Source};
use crate::csv::chunk::Reading;
use crate::csv::decode;
use crate::csv::reader::CsvChunks;
use crate::error::{Error, Result};
use crate::files::list::Files;
use crate::ipc::IpcChunks;
use crate::model::bad_row::OnBadRow;
use crate::model::chunk::{Chunk, InputPosition};
use crate::model::column::Origin;
use crate::model::matching::Table;
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
    /// The columns that the files have too.
    doubled: Vec<Doubled>,
    settler: Settler,
    files: Files,
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
        let mut doubled = Vec::new();
        for (name, texts) in &self.files.partitions {
            let Some(column) = self.columns.iter().position(|column| column.name == *name) else { continue };
            let values = || {
                let all = partition::values(&self.columns[column], &self.files, texts)?;
                Ok::<_, Error>((0..all.len()).map(|file| all.slice(file, 1)).collect())
            };
            if in_file.contains(&column) {
                let nulls_are_bad = self.policy.on_bad == OnBadRow::Null;
                doubled.push(Doubled { name: name.clone(), values: values()?, nulls_are_bad });
            } else if self.wanted.contains(&column) {
                partitions.push(values()?);
            }
        }
        let table = self.table(in_file.clone());
        let settler = self.settler();
        let files = self.files.clone();
        // Filtered here, rows have no more columns than the stages see.
        let schema = if self.early.row_filter.is_some() { self.schema() } else { self.read_schema() };
        let tests = self.group_tests();
        let row_filter = self.early.row_filter;
        if self.files.unread {
            return Ok(Chunks { rows: Rows::None, row_filter, partitions, doubled, settler, files, schema });
        }
        let rows = match self.kind {
            Kind::Csv(csv, opened) => {
                let wanted = in_file.iter().map(|column| {
                    let about = &self.columns[*column];
                    let (data_type, format) = (about.data_type.clone(), about.time_format.clone());
                    let inferred = matches!(about.origin, Origin::Inferred { .. });
                    decode::Wanted {
                        column: *column,
                        joins: about.joined(),
                        data_type,
                        format,
                        zone: about.zone(),
                        inferred,
                    }
                });
                let place = |rule: &ValueRule| place(&self.columns, &in_file, rule.column);
                // Where a column is compared with the directory's, it is compared in every row.
                let (early_filter, late_filter) =
                    if doubled.is_empty() { (row_filter, None) } else { (None, row_filter) };
                let rules = self.early.values.iter().map(|rule| Ok((place(rule)?, rule.clone())));
                let reading = Reading {
                    files: self.files.list,
                    wanted: wanted.collect(),
                    // Without those that join others.
                    table: Table { names: csv.names, ..table },
                    dialect: csv.dialect,
                    blocks: csv.blocks,
                    rules: rules.collect::<Result<_>>()?,
                    row_filter: early_filter,
                    on_bad: self.policy.on_bad,
                    fitted_are_bad: csv.fitted_are_bad,
                    keep_text: self.early.keep_text,
                    chunk_bytes: self.chunk_bytes,
                    read: csv.read,
                };
                let rows = Rows::Csv(CsvChunks::begin(reading, *opened, position, pool, ahead)?);
                return Ok(Chunks { rows, row_filter: late_filter, partitions, doubled, settler, files, schema });
            }
            Kind::Ipc(first, read) => {
                let chunks = IpcChunks::begin(first, self.files, table, self.batch_rows, read, position)?;
                Rows::Ipc(Box::new(chunks))
            }
            Kind::Nothing => Rows::None,
            Kind::Parquet(first, known) => {
                let threads = pool.current_num_threads();
                let wanted = Wanted { table, known, tests };
                let chunks = ParquetChunks::begin(first, self.files, wanted, self.batch_rows, threads, position)?;
                Rows::Parquet(Box::new(chunks))
            }
        };
        Ok(Chunks { rows, row_filter, partitions, doubled, settler, files, schema })
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
        self.doubled.iter().try_for_each(|doubled| doubled.check(&chunk, &self.files))?;
        self.settler.settle_misfits(&mut chunk)?;
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

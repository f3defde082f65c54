//! A CSV file as a source: its columns found and typed when it is opened, its rows decoded block by block.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};

use super::infer::Guess;
use super::records::{Block, Records};
use super::{Dialect, decode};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{Batches, Column, Origin};

/// So many rows are looked at for types that aren't declared.
const SAMPLE_ROWS: usize = 10_000;

/// A CSV file whose columns are known.
pub(crate) struct CsvFile {
    path: PathBuf,
    dialect: Dialect,
}

impl CsvFile {
    /// Opens the file and types its columns: as `declared` says, else by a sample.
    pub fn open(
        path: &Path,
        dialect: Dialect,
        declared: impl FnOnce(&[String]) -> Result<Vec<Option<DataType>>>,
    ) -> Result<(Self, Vec<Column>)> {
        let names = names(path, &dialect)?;
        let declared = declared(&names)?;
        let file = Self { path: path.to_path_buf(), dialect };
        let (guesses, rows) =
            if declared.iter().all(Option::is_some) { (vec![], 0) } else { file.sample(names.len())? };
        let columns = names.into_iter().zip(declared).enumerate().map(|(i, (name, declared))| match declared {
            Some(data_type) => Column { name, data_type, origin: Origin::Declared, remark: None },
            None => {
                let guess: &Guess = &guesses[i];
                Column { name, data_type: guess.data_type(), origin: Origin::Inferred { rows }, remark: guess.remark() }
            }
        });
        let columns = columns.collect();
        Ok((file, columns))
    }

    /// Guesses the types from the first rows.  A row that is wrong is an error here already.
    fn sample(&self, columns: usize) -> Result<(Vec<Guess>, usize)> {
        let mut records = self.records()?;
        let mut block = Block::default();
        if let Some(error) = records.fill(&mut block, columns, SAMPLE_ROWS)? {
            return Err(error);
        }
        let mut guesses = vec![Guess::default(); columns];
        for (column, guess) in guesses.iter_mut().enumerate() {
            for row in 0..block.rows() {
                guess.observe(block.field(row, column), &self.dialect.nulls);
            }
        }
        Ok((guesses, block.rows()))
    }

    /// The records below the header.
    fn records(&self) -> Result<Records> {
        let mut records = Records::open(&self.path, &self.dialect)?;
        if self.dialect.header {
            records.first()?;
        }
        Ok(records)
    }

    pub fn batches(self, columns: Vec<Column>, schema: SchemaRef, rows: usize) -> Result<CsvBatches> {
        Ok(CsvBatches {
            records: self.records()?,
            block: Block::default(),
            late: None,
            file: self,
            columns,
            schema,
            rows,
        })
    }
}

/// The names of the columns: the header's; `column_1`, `column_2` ... where the header is empty or there is none.
fn names(path: &Path, dialect: &Dialect) -> Result<Vec<String>> {
    let Some(first) = Records::open(path, dialect)?.first()? else {
        return Err(Error::new(ErrorKind::Source, "the input is empty: it has not even a header").in_file(path));
    };
    let header_error = |message: String| {
        Error::new(ErrorKind::Malformed { line: super::fault::locate(path, 0), record: 0, column: None }, message)
            .in_file(path)
    };
    let mut names = Vec::with_capacity(first.len());
    for (index, field) in first.into_iter().enumerate() {
        let name = if dialect.header { field } else { Vec::new() };
        names.push(match String::from_utf8(name) {
            Ok(name) if name.is_empty() => format!("column_{}", index + 1),
            Ok(name) => name,
            Err(_) => {
                return Err(header_error(format!("the header of column {} is no UTF-8", index + 1))
                    .help("convert the file to UTF-8, with iconv for instance"));
            }
        });
    }
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(header_error(format!("the header has column '{twice}' twice"))
            .help("rename one; or, if the first row is data, header = false under [source]"));
    }
    Ok(names)
}

/// The rows of a CSV file.
pub(crate) struct CsvBatches {
    file: CsvFile,
    records: Records,
    columns: Vec<Column>,
    schema: SchemaRef,
    rows: usize,
    block: Block,
    /// What was wrong behind the block that was handed out last.
    late: Option<Error>,
}

impl Batches for CsvBatches {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(error) = self.late.take() {
            return Err(error);
        }
        let first = self.records.count() + 1;
        self.late = self.records.fill(&mut self.block, self.columns.len(), self.rows)?;
        let block = &self.block;
        if block.rows() == 0 {
            return self.late.take().map_or(Ok(None), Err);
        }
        let nulls = &self.file.dialect.nulls;
        let (mut arrays, mut fault) = (Vec::with_capacity(self.columns.len()), None::<super::fault::Fault>);
        for (index, column) in self.columns.iter().enumerate() {
            match decode::column(block, index, &column.data_type, nulls) {
                Ok(array) => arrays.push(array),
                Err(found) if fault.is_none_or(|earlier| found.row < earlier.row) => fault = Some(found),
                Err(_) => {}
            }
        }
        if let Some(fault) = fault {
            return Err(fault.error(&self.file.path, block, first, &self.columns[fault.column]));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(block.rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map(Some)
            .map_err(|error| Error::new(ErrorKind::Internal, "the decoded columns don't fit together").because(error))
    }

    fn bytes_read(&self) -> u64 {
        self.records.bytes_read()
    }
}

//! `[source.filter]`: the row filter.
//!
//! Bad rows and rules come first, over every row that is read; then the filter; then the stages.  Conditions on folders'
//! columns leave out whole files before they are opened ([`super::folders`]).  Row groups of Parquet in which no row can
//! meet the others are never read, unless a rule must see them ([`crate::parquet`]).  The rest is evaluated on rows, in the
//! decoding threads if no rule comes first.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch};
use arrow::error::ArrowError;

use super::test::Test;
use crate::config::PipelineFile;
use crate::error::{Error, Result};
use crate::model::chunk::Chunk;
use crate::model::column::{Column, not_found};

/// The conditions that all must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub conditions: Vec<Condition>,
}

/// A condition on a column.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub column: usize,
    pub name: String,
    pub test: Test,
    /// How it is written.
    pub text: String,
}

impl Filter {
    /// Reads `[source.filter]` against the columns: against all, or only what it says of some.
    pub fn read(file: &PipelineFile, columns: &[Column], all: bool) -> Result<Self> {
        let mut conditions = Vec::new();
        for (name, table) in &file.config.source.filter {
            let line = file.line(table.span().start);
            let Some(column) = columns.iter().position(|column| column.name == *name) else {
                if !all {
                    continue;
                }
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                return Err(not_found("[source.filter]", name, &names).at_line(line));
            };
            let tests = Test::read(table.get_ref().conditions(), &columns[column], "[source.filter]");
            let tests = match tests {
                // The files may have the column too, of a type for which the condition is right.
                Err(_) if !all => continue,
                tests => tests.map_err(|error| error.at_line(line))?,
            };
            conditions.extend(tests.into_iter().map(|(test, text)| Condition {
                column,
                name: name.clone(),
                test,
                text,
            }));
        }
        Ok(Self { conditions })
    }

    /// The columns of the conditions.
    pub fn looks_at(&self) -> impl Iterator<Item = usize> {
        self.conditions.iter().map(|condition| condition.column)
    }

    /// The filter of batches with the columns `read`, of which it keeps those `wanted`; `None` if there are no conditions on rows.
    pub fn row_filter(&self, columns: &[Column], read: &[usize], wanted: &[usize]) -> Result<Option<RowFilter>> {
        // The files that are read meet the conditions on their folders.
        let in_file = self.conditions.iter().filter(|condition| columns[condition.column].in_file());
        let tests = in_file.map(|condition| Ok((place(columns, read, condition.column)?, condition.test.clone())));
        let tests = tests.collect::<Result<Vec<_>>>()?;
        let kept = wanted.iter().map(|column| place(columns, read, *column)).collect::<Result<_>>()?;
        Ok((!tests.is_empty()).then_some(RowFilter { tests, kept }))
    }
}

/// The position of a column among those that are read.
pub(crate) fn place(columns: &[Column], read: &[usize], column: usize) -> Result<usize> {
    let place = read.iter().position(|read| *read == column);
    place.ok_or_else(|| Error::internal(format_args!("column '{}' is needed but not read", columns[column].name)))
}

/// A filter that knows its columns' places in a batch.
#[derive(Debug, Clone)]
pub(crate) struct RowFilter {
    tests: Vec<(usize, Test)>,
    /// The columns that are wanted behind it.
    kept: Vec<usize>,
}

impl RowFilter {
    /// The matching rows.
    pub fn kept(&self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
        let mut taken: Option<BooleanArray> = None;
        for (place, test) in &self.tests {
            let kept = test.kept(batch.column(*place))?;
            taken = Some(match taken {
                None => kept,
                Some(taken) => and(&taken, &kept)?,
            });
            if taken.as_ref().is_some_and(|taken| taken.true_count() == 0) {
                break;
            }
        }
        let batch = if self.kept.len() == batch.num_columns() { batch.clone() } else { batch.project(&self.kept)? };
        match taken {
            Some(taken) if taken.true_count() < taken.len() => filter_record_batch(&batch, &taken),
            _ => Ok(batch),
        }
    }

    /// Removes the rows of a chunk that do not match.
    pub fn apply(&self, chunk: &mut Chunk) -> Result<()> {
        let kept = self.kept(&chunk.batch).map_err(misfit)?;
        chunk.filtered.rows += (chunk.batch.num_rows() - kept.num_rows()) as u64;
        chunk.batch = kept;
        Ok(())
    }
}

pub(crate) fn misfit(error: ArrowError) -> Error {
    Error::internal("the filter cannot be applied").because(error)
}

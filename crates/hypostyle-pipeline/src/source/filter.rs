//! `[source.filter]`: which rows are taken.
//!
//! Bad rows and rules come first, over every row that is read; then the filter; then the stages.  Conditions on folders'
//! columns leave out whole files before they are opened ([`super::folders`]).  Row groups of Parquet in which no row can
//! meet the others are never read, unless a rule must see them ([`crate::parquet`]).  What is left is asked of the rows, in
//! the threads that decode where no rule waits for its turn.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{and, filter_record_batch};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use super::settings::no_column;
use super::{Chunk, Column};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::rules::test::Test;

/// What a filter has left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    /// Rows, with those of the groups.
    pub rows: u64,
    /// Row groups that were never read.
    pub groups: u64,
    /// Their rows.
    pub unread: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl std::ops::AddAssign for LeftOut {
    fn add_assign(&mut self, more: Self) {
        self.rows += more.rows;
        self.groups += more.groups;
        self.unread += more.unread;
        self.bytes += more.bytes;
    }
}

/// The conditions that all must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub conditions: Vec<Condition>,
}

/// What is asked of a column.
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
    pub fn read(pipeline: &Pipeline, columns: &[Column], all: bool) -> Result<Self> {
        let mut conditions = Vec::new();
        for (name, table) in &pipeline.config.source.filter {
            let line = pipeline.line(table.span().start);
            let Some(column) = columns.iter().position(|column| column.name == *name) else {
                if !all {
                    continue;
                }
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                return Err(no_column("[source.filter]", name, &names).at_line(line));
            };
            let tests = Test::read(table.get_ref().asked(), &columns[column], "[source.filter]");
            let tests = tests.map_err(|error| error.at_line(line))?;
            conditions.extend(tests.into_iter().map(|(test, text)| Condition {
                column,
                name: name.clone(),
                test,
                text,
            }));
        }
        Ok(Self { conditions })
    }

    /// The columns that the filter looks at.
    pub fn looks_at(&self) -> impl Iterator<Item = usize> {
        self.conditions.iter().map(|condition| condition.column)
    }

    /// The filter of batches with the columns `read`, of which it keeps those `wanted`; `None` if no row is asked anything.
    pub fn sieve(&self, columns: &[Column], read: &[usize], wanted: &[usize]) -> Result<Option<Sieve>> {
        // The files that are read meet the conditions on their folders.
        let in_file = self.conditions.iter().filter(|condition| columns[condition.column].in_file());
        let tests = in_file.map(|condition| Ok((place(columns, read, condition.column)?, condition.test.clone())));
        let tests = tests.collect::<Result<Vec<_>>>()?;
        let kept = wanted.iter().map(|column| place(columns, read, *column)).collect::<Result<_>>()?;
        Ok((!tests.is_empty()).then_some(Sieve { tests, kept }))
    }
}

/// The position of a column among those that are read.
pub(super) fn place(columns: &[Column], read: &[usize], column: usize) -> Result<usize> {
    let place = read.iter().position(|read| *read == column);
    place.ok_or_else(|| Error::internal(format_args!("column '{}' is needed but not read", columns[column].name)))
}

/// A filter that knows its columns' places in a batch.
#[derive(Debug, Clone)]
pub(crate) struct Sieve {
    tests: Vec<(usize, Test)>,
    /// The columns that are wanted behind it.
    kept: Vec<usize>,
}

impl Sieve {
    /// The rows that are taken.
    pub fn taken(&self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
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

    /// Leaves out of a chunk what isn't taken.
    pub fn sift(&self, chunk: &mut Chunk) -> Result<()> {
        let taken = self.taken(&chunk.batch).map_err(misfit)?;
        chunk.left_out.rows += (chunk.batch.num_rows() - taken.num_rows()) as u64;
        chunk.batch = taken;
        Ok(())
    }
}

pub(super) fn misfit(error: ArrowError) -> Error {
    Error::internal("the filter cannot be applied").because(error)
}

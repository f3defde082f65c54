//! The rules that can't be asked where the rows are decoded: those of order, and all of formats that aren't text.  They are
//! asked chunk by chunk, in order, before the stages see the rows.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::filter::Sieve;
use super::{Chunk, Column};
use crate::bad::{Bad, Place, Reason};
use crate::csv::decode::Fault;
use crate::error::{Error, Result};
use crate::policy::{OnBad, nulled, without};
use crate::rules::{Broken, OrderRule, ValueRule};
use crate::types::in_utc;

/// The rules, and what is done about rows that break them.
pub(crate) struct Judge {
    pub values: Vec<ValueRule>,
    pub orders: Vec<OrderRule>,
    /// The filter, where it waits for rules: every row is judged, taken or not.
    pub sieve: Option<Sieve>,
    pub on_bad: OnBad,
    pub files: Vec<Arc<Path>>,
    pub columns: Vec<Column>,
    /// How the rules are written.
    pub texts: Vec<String>,
    /// Each rule's column.
    pub ruled: Vec<String>,
}

impl Judge {
    /// Judges a chunk, and filters it then.  Where bad rows fail the run, the first of them is the error.
    pub fn judge(&mut self, chunk: &mut Chunk) -> Result<()> {
        for index in 0..self.values.len() {
            let rule = &self.values[index];
            let name = &self.columns[rule.column].name;
            let Some(column) = chunk.batch.column_by_name(name) else {
                return Err(Error::internal(format_args!("column '{name}' has a rule but is not read")));
            };
            let broken = rule.broken(column).map_err(misfit)?;
            self.settle(chunk, &broken)?;
        }
        for index in 0..self.orders.len() {
            let broken = self.orders[index].broken(&chunk.batch)?;
            self.settle(chunk, &broken)?;
        }
        match (chunk.bad.first(), &self.sieve) {
            (Some(bad), _) if self.on_bad == OnBad::Fail => Err(bad.error(&self.columns, &self.texts)),
            (_, Some(sieve)) => sieve.sift(chunk),
            _ => Ok(()),
        }
    }

    /// Does with the rows what the policy says, and puts them on the chunk's list.
    fn settle(&self, chunk: &mut Chunk, broken: &[Broken]) -> Result<()> {
        let Some(first) = broken.first() else { return Ok(()) };
        let name = &self.columns[first.column].name;
        let found = match &chunk.places {
            Some(places) => places.bad(broken.iter().map(|broken| Fault::from(*broken))),
            None => self.bad(chunk, name, broken)?,
        };
        chunk.bad.extend(found);
        chunk.bad.sort_by_key(|bad| bad.place.record);
        let rows = || broken.iter().map(|broken| broken.row);
        match self.on_bad {
            OnBad::Fail => {}
            OnBad::Null => {
                let schema = chunk.batch.schema();
                let index = schema.index_of(name).map_err(misfit)?;
                let mut columns = chunk.batch.columns().to_vec();
                columns[index] = nulled(&columns[index], rows()).map_err(misfit)?;
                chunk.batch = RecordBatch::try_new(schema, columns).map_err(misfit)?;
            }
            OnBad::Skip | OnBad::Reject => {
                if let Some(places) = &mut chunk.places {
                    places.leave_out(chunk.batch.num_rows(), rows());
                }
                chunk.batch = without(&chunk.batch, rows()).map_err(misfit)?;
            }
        }
        Ok(())
    }

    /// Bad rows of a format that has no lines, by their values in the column of this name: the record's number must do for a
    /// place, and a line of the values that are read for the row.
    fn bad(&self, chunk: &Chunk, name: &str, broken: &[Broken]) -> Result<Vec<Bad>> {
        // Rows left out by an earlier rule shift the later ones.
        let gone: HashSet<u64> = match self.on_bad {
            OnBad::Skip | OnBad::Reject => chunk.bad.iter().map(|bad| bad.place.record).collect(),
            _ => HashSet::new(),
        };
        let mut rows = (chunk.first_record..).filter(|record| !gone.contains(record));
        let mut next = 0;
        let columns = chunk.batch.columns().iter().map(|column| cast(column, &in_utc(column.data_type())));
        let columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>().map_err(misfit)?;
        let options = FormatOptions::default().with_display_error(true);
        let shown: Vec<_> = columns.iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
        // What can't be shown must not end a run that bears bad rows.
        let text = |index: usize, row: usize| match &shown[index] {
            Ok(shown) => shown.value(row).to_string(),
            Err(error) => format!("ERROR: {error}"),
        };
        let ruled = chunk.batch.schema().index_of(name).map_err(misfit)?;
        let found = broken.iter().map(|Broken { row, column, rule }| {
            let record = rows.nth(row - next).unwrap_or(0);
            next = row + 1;
            let place = Place { file: Arc::clone(&self.files[chunk.file]), line: 0, record, offset: 0 };
            Ok(Bad {
                place,
                reason: Reason::Rule(*rule),
                column: Some(*column),
                text: text(ruled, *row).into_bytes(),
                row: match self.on_bad {
                    OnBad::Reject => line((0..shown.len()).map(|index| text(index, *row)))?,
                    _ => Vec::new(),
                },
            })
        });
        found.collect()
    }
}

/// A line of CSV, without its end.
fn line(fields: impl Iterator<Item = String>) -> Result<Vec<u8>> {
    let fault = |error| Error::internal("a rejected row cannot be written as CSV").because(error);
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(fields).map_err(fault)?;
    let mut line = writer.into_inner().map_err(|error| fault(error.into_error().into()))?;
    line.pop();
    Ok(line)
}

fn misfit(error: ArrowError) -> Error {
    Error::internal("a rule cannot be checked").because(error)
}

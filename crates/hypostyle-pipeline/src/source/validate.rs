//! The checks that are left when rows have been decoded: rules about values for formats that know their types, rules on row
//! order, and the filter if it must wait for them.  They are made chunk by chunk, in order, before the stages see the rows.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Result};
use crate::model::bad_row::{BadRow, OnBadRow, RowPosition};
use crate::model::chunk::{Chunk, nulled, without};
use crate::model::column::Column;
use crate::model::fault::Fault;
use crate::model::types::in_utc;
use crate::rules::filter::RowFilter;
use crate::rules::{OrderRule, ValueRule};

/// Rules and the filter, and what is done about rows that violate a rule.
pub(crate) struct Validator {
    pub values: Vec<ValueRule>,
    pub orders: Vec<OrderRule>,
    /// The filter, if it waits for rules: they apply to every row, whether it matches or not.
    pub row_filter: Option<RowFilter>,
    pub on_bad: OnBadRow,
    pub files: Vec<Arc<Path>>,
    pub columns: Vec<Column>,
    /// The text of each rule.
    pub rule_texts: Vec<String>,
    /// The column of each rule.
    pub rule_columns: Vec<String>,
}

impl Validator {
    /// Tells the rules on row order which columns will come.
    pub fn begin(&mut self, schema: &Schema) -> Result<()> {
        let fault = |error| Error::stage("[source.rules]", &error);
        self.orders.iter_mut().try_for_each(|rule| rule.stage().set_schema(schema).map_err(fault))
    }

    /// Applies rules, policy and filter to a chunk.  If bad rows fail the run, the first of them is the error.
    pub fn validate(&mut self, chunk: &mut Chunk) -> Result<()> {
        for index in 0..self.values.len() {
            let rule = &self.values[index];
            let name = &self.columns[rule.column].name;
            let Some(column) = chunk.batch.column_by_name(name) else {
                return Err(Error::internal(format_args!("column '{name}' has a rule but is not read")));
            };
            let violations = rule.violations(column).map_err(misfit)?;
            self.settle(chunk, &violations)?;
        }
        for index in 0..self.orders.len() {
            let violations = self.orders[index].violations(&chunk.batch)?;
            self.settle(chunk, &violations)?;
        }
        match (chunk.bad.first(), &self.row_filter) {
            (Some(bad), _) if self.on_bad == OnBadRow::Fail => Err(bad.error(&self.columns, &self.rule_texts)),
            (_, Some(filter)) => filter.apply(chunk),
            _ => Ok(()),
        }
    }

    /// Treats the rows as the policy says, and adds them to the chunk's bad rows.
    fn settle(&self, chunk: &mut Chunk, violations: &[Fault]) -> Result<()> {
        let Some(first) = violations.first() else { return Ok(()) };
        let name = &self.columns[first.column].name;
        let found = match &chunk.positions {
            Some(positions) => positions.bad_rows(violations),
            None => self.bad_rows(chunk, name, violations)?,
        };
        chunk.bad.extend(found);
        chunk.bad.sort_by_key(|bad| bad.position.record);
        let rows = || violations.iter().map(|fault| fault.row);
        match self.on_bad {
            OnBadRow::Fail => {}
            OnBadRow::Null => {
                let schema = chunk.batch.schema();
                let index = schema.index_of(name).map_err(misfit)?;
                let mut columns = chunk.batch.columns().to_vec();
                columns[index] = nulled(&columns[index], rows()).map_err(misfit)?;
                chunk.batch = RecordBatch::try_new(schema, columns).map_err(misfit)?;
            }
            OnBadRow::Skip | OnBadRow::Reject => {
                if let Some(positions) = &mut chunk.positions {
                    positions.remove(chunk.batch.num_rows(), &mut rows());
                }
                chunk.batch = without(&chunk.batch, rows()).map_err(misfit)?;
            }
        }
        Ok(())
    }

    /// Bad rows of a format that has no lines, by their values in the column of this name: the record's number must do for a
    /// place, and a line of the values that are read for the row.
    fn bad_rows(&self, chunk: &Chunk, name: &str, violations: &[Fault]) -> Result<Vec<BadRow>> {
        // Rows left out by an earlier rule shift the later ones.
        let gone: HashSet<u64> = match self.on_bad {
            OnBadRow::Skip | OnBadRow::Reject => chunk.bad.iter().map(|bad| bad.position.record).collect(),
            _ => HashSet::new(),
        };
        let mut rows = (chunk.first_record..).filter(|record| !gone.contains(record));
        let mut next = 0;
        let columns = chunk.batch.columns().iter().map(|column| cast(column, &in_utc(column.data_type())));
        let columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>().map_err(misfit)?;
        let options = FormatOptions::default().with_display_error(true);
        let shown: Vec<_> = columns.iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
        // What cannot be shown must not end a run that bears bad rows.
        let text = |index: usize, row: usize| match &shown[index] {
            Ok(shown) => shown.value(row).to_string(),
            Err(error) => format!("ERROR: {error}"),
        };
        let ruled = chunk.batch.schema().index_of(name).map_err(misfit)?;
        let found = violations.iter().map(|Fault { row, column, reason }| {
            let record = rows.nth(row - next).unwrap_or(0);
            next = row + 1;
            let position = RowPosition { file: Arc::clone(&self.files[chunk.file]), line: 0, record, offset: 0 };
            Ok(BadRow {
                position,
                reason: *reason,
                column: Some(*column),
                text: text(ruled, *row).into_bytes(),
                row: match self.on_bad {
                    OnBadRow::Reject => line((0..shown.len()).map(|index| text(index, *row)))?,
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

//! What is done about bad rows once they are decoded: those that violate a rule, and those with a value that the type of
//! its column cannot hold.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Result};
use crate::model::bad_row::{BadRow, OnBadRow, RowPosition};
use crate::model::chunk::{Chunk, nulled, without};
use crate::model::column::Column;
use crate::model::fault::Fault;
use crate::model::types::in_utc;

/// The policy, and what is needed to say where a row is.
#[derive(Debug, Clone)]
pub(crate) struct Settler {
    pub on_bad: OnBadRow,
    pub files: Vec<Arc<Path>>,
    pub columns: Vec<Column>,
}

impl Settler {
    /// Treats the rows of these faults, all of one column, as the policy says, and adds them to the chunk's bad rows.
    pub fn settle(&self, chunk: &mut Chunk, violations: &[Fault]) -> Result<()> {
        self.settle_shown(chunk, violations, &[])
    }

    /// Treats the values that the types of their columns cannot hold, a column after the other.
    pub fn settle_misfits(&self, chunk: &mut Chunk) -> Result<()> {
        let mut misfits = std::mem::take(&mut chunk.misfits);
        while let Some(column) = misfits.first().map(|misfit| misfit.fault.column) {
            let (here, rest) = misfits.into_iter().partition::<Vec<_>, _>(|misfit| misfit.fault.column == column);
            let (faults, texts): (Vec<_>, Vec<_>) = here.into_iter().map(|misfit| (misfit.fault, misfit.text)).unzip();
            self.settle_shown(chunk, &faults, &texts)?;
            misfits = rest;
            if matches!(self.on_bad, OnBadRow::Skip | OnBadRow::Reject) {
                // The rows that are gone are bad already, and those behind them are further to the front.
                misfits.retain(|misfit| faults.iter().all(|fault| fault.row != misfit.fault.row));
                for misfit in &mut misfits {
                    misfit.fault.row -= faults.partition_point(|fault| fault.row < misfit.fault.row);
                }
            }
        }
        Ok(())
    }

    /// `texts` are the values as they are shown, where the column cannot tell.
    fn settle_shown(&self, chunk: &mut Chunk, violations: &[Fault], texts: &[String]) -> Result<()> {
        let Some(first) = violations.first() else { return Ok(()) };
        let name = &self.columns[first.column].name;
        let found = match &chunk.positions {
            Some(positions) => positions.bad_rows(violations),
            None => self.bad_rows(chunk, name, violations, texts)?,
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
    fn bad_rows(&self, chunk: &Chunk, name: &str, violations: &[Fault], texts: &[String]) -> Result<Vec<BadRow>> {
        // Rows left out by an earlier rule shift the later ones.
        let gone: HashSet<u64> = match self.on_bad {
            OnBadRow::Skip | OnBadRow::Reject => chunk.bad.iter().map(|bad| bad.position.record).collect(),
            _ => HashSet::new(),
        };
        let mut rows = chunk.records(&gone);
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
        let found = violations.iter().enumerate().map(|(index, Fault { row, column, reason })| {
            let own = texts.get(index).cloned();
            let field = |place: usize| own.clone().filter(|_| place == ruled).unwrap_or_else(|| text(place, *row));
            let record = rows.nth(row - next).unwrap_or(0);
            next = row + 1;
            let position = RowPosition { file: Arc::clone(&self.files[chunk.file]), line: 0, record, offset: 0 };
            Ok(BadRow {
                position,
                reason: *reason,
                column: Some(*column),
                text: field(ruled).into_bytes(),
                row: match self.on_bad {
                    OnBadRow::Reject => line((0..shown.len()).map(field))?,
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
    Error::internal("a bad row cannot be settled").because(error)
}

//! The checks that are left when rows have been decoded: rules about values for formats that know their types, rules on row
//! order, and the filter if it must wait for them.  They are made chunk by chunk, in order, before the stages see the rows.

use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::settle::Settler;
use crate::error::{Error, Result};
use crate::model::bad_row::OnBadRow;
use crate::model::chunk::Chunk;
use crate::rules::filter::RowFilter;
use crate::rules::{OrderRule, ValueRule};

/// Rules and the filter, and what is done about rows that violate a rule.
pub(crate) struct Validator {
    pub values: Vec<ValueRule>,
    pub orders: Vec<OrderRule>,
    /// The filter, if it waits for rules: they apply to every row, whether it matches or not.
    pub row_filter: Option<RowFilter>,
    pub settler: Settler,
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
            let name = &self.settler.columns[rule.column].name;
            let Some(column) = chunk.batch.column_by_name(name) else {
                return Err(Error::internal(format_args!("column '{name}' has a rule but is not read")));
            };
            let violations = rule.violations(column).map_err(misfit)?;
            self.settler.settle(chunk, &violations)?;
        }
        for index in 0..self.orders.len() {
            let violations = self.orders[index].violations(&chunk.batch)?;
            self.settler.settle(chunk, &violations)?;
        }
        match (chunk.bad.first(), &self.row_filter) {
            (Some(bad), _) if self.settler.on_bad == OnBadRow::Fail => {
                Err(bad.error(&self.settler.columns, &self.rule_texts))
            }
            (_, Some(filter)) => filter.apply(chunk),
            _ => Ok(()),
        }
    }
}

fn misfit(error: ArrowError) -> Error {
    Error::internal("a rule cannot be checked").because(error)
}

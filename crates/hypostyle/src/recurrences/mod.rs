//! Recurrences: state machines that read rows in order and answer each.

pub mod affine_scan;
pub mod cumsum_clip;
pub mod ewm_mean;
pub mod session_id;

use arrow::datatypes::Schema;

use crate::arguments::{Arguments, NumberOrColumn, find_column};
use crate::column::{Domain, Input, Output};
use crate::error::{Error, Result};
use crate::kernel::Source;
use crate::record::Record;

/// A state machine over the rows of a key.
pub trait Recurrence: Clone + Send + Sync + 'static {
    /// A row; the driver never passes a null to [`Recurrence::step`].
    type Input: Input;
    /// The answer.
    type Output: Output;
    /// The state; small, as it is looked up for each row.
    type State: Clone + Send + Sync + Record;

    /// The state before the first row.
    fn start(&self) -> Self::State;

    /// Reads a row and answers it; `None` is null.
    fn step(&self, state: &mut Self::State, row: Self::Input) -> Option<Self::Output>;

    /// Answers a row in which an input is null.
    fn skip(&self, state: &mut Self::State) -> Option<Self::Output>;
}

/// The source of a parameter that may be a number or a column.
pub(crate) fn number_or_column(arguments: &Arguments, schema: &Schema, parameter: &str) -> Result<Source> {
    match arguments.number_or_column(parameter)? {
        NumberOrColumn::Number(x) => Ok(Source::Constant(x)),
        NumberOrColumn::Column(name) => {
            let (index, data_type) = find_column(schema, arguments.kernel_name(), &name)?;
            if !Domain::Float.reads(data_type) {
                let kernel = arguments.kernel_name();
                return Err(Error::column_type(kernel, &name, "a number or a boolean", data_type));
            }
            Ok(Source::Column { index, domain: Domain::Float })
        }
    }
}

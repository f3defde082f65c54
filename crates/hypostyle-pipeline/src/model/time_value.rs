//! Times of day and durations of the pipeline file and of directories' names, as arrays of one row.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::clock::time_of_day;
use super::duration::duration;

/// Whether columns of the type hold times of day or durations.
pub(crate) fn is_clock(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_))
}

/// The text as a value of the type, exactly; `None` if it is none.
pub(crate) fn of_text(text: &str, data_type: &DataType) -> Option<ArrayRef> {
    let text = text.trim().as_bytes();
    let value: ArrayRef = match data_type {
        DataType::Time32(unit) => Arc::new(Int32Array::from(vec![i32::try_from(time_of_day(text, *unit).ok()?).ok()?])),
        DataType::Time64(unit) => Arc::new(Int64Array::from(vec![time_of_day(text, *unit).ok()?])),
        DataType::Duration(unit) => Arc::new(Int64Array::from(vec![duration(text, *unit).ok()?])),
        _ => return None,
    };
    cast(&value, data_type).ok()
}

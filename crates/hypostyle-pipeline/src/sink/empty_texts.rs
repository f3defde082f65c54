//! Empty strings in CSV as `""`, and null as nothing, so that readers which tell them apart (PostgreSQL, Polars, pyarrow, DuckDB) do.
//!
//! Arrow's writer of CSV writes nothing for both.  A batch with an empty string is given to it as strings that have their quotes
//! already; the others are written as ever.  What is written is the same either way, whatever the batches.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

/// The batch as strings with their quotes; `None` if there is no empty string in it.
pub(super) fn quoted(batch: &RecordBatch, delimiter: u8) -> Result<Option<RecordBatch>, ArrowError> {
    let mut found = false;
    for column in batch.columns() {
        found = found || has_empty(column)?;
    }
    if !found {
        return Ok(None);
    }
    // A delimiter may be a character of numbers and times.
    let odd = delimiter.is_ascii_alphanumeric() || matches!(delimiter, b'.' | b'-' | b'+' | b':' | b' ');
    let column = |column: &ArrayRef| match is_text(column.data_type()) || odd {
        true => quote_all(column, delimiter),
        false => Ok(Arc::clone(column)),
    };
    let columns = batch.columns().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let fields = batch.schema();
    let fields = fields.fields().iter().zip(&columns);
    let fields = fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).map(Some)
}

/// The name of the only column, if it is one of strings and has a null: a row that would be a blank line.
pub(super) fn blank_line(batch: &RecordBatch) -> Option<String> {
    let [column] = batch.columns() else { return None };
    let is_blank = is_text(column.data_type()) && column.logical_null_count() > 0;
    is_blank.then(|| batch.schema().field(0).name().clone())
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn has_empty(column: &ArrayRef) -> Result<bool, ArrowError> {
    Ok(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().iter().flatten().any(str::is_empty),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().flatten().any(str::is_empty),
        DataType::Utf8View => column.as_string_view().iter().flatten().any(str::is_empty),
        // One that no row has does no harm.
        DataType::Dictionary(_, values) if is_text(values) => has_empty(column.as_any_dictionary().values())?,
        _ => false,
    })
}

fn quote_all(column: &ArrayRef, delimiter: u8) -> Result<ArrayRef, ArrowError> {
    let texts = cast(column, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>().iter().map(|text| text.map(|text| quote(text, delimiter)));
    Ok(Arc::new(texts.collect::<StringArray>()))
}

fn quote(text: &str, delimiter: u8) -> String {
    let special = |byte: u8| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n');
    match text.is_empty() || text.bytes().any(special) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}

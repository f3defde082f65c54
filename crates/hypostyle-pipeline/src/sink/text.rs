//! Columns as CSV shows them, where Arrow's writer of CSV would show something else: moments in UTC, dates of milliseconds, UUIDs with their hyphens,
//! times of day beyond 24 hours, durations, run-end encoded values, and lists and structs, which are JSON.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, make_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date64Type, Field, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::nested;
use crate::model::duration;
use crate::model::types::in_utc;

/// The columns as they are shown.
pub(super) fn shown(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::new(field.name(), shown_type(field), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn shown_type(field: &Field) -> DataType {
    match field.data_type() {
        _ if is_uuid(field) => DataType::Utf8,
        DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => DataType::Utf8,
        DataType::RunEndEncoded(_, values) => in_utc(values.data_type()),
        found if nested::is_json(found) => DataType::Utf8,
        other => in_utc(other),
    }
}

fn is_uuid(field: &Field) -> bool {
    field.extension_type_name() == Some("arrow.uuid") && *field.data_type() == DataType::FixedSizeBinary(16)
}

/// The rows as they are shown.
pub(super) fn show(batch: &RecordBatch, schema: &Schema) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| show_column(column, field));
    RecordBatch::try_new(shown(schema), columns.collect::<Result<_, _>>()?)
}

fn show_column(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    let wanted = shown_type(field);
    match column.data_type() {
        found if *found == wanted => Ok(Arc::clone(column)),
        found if nested::is_json(found) => nested::as_json(column),
        DataType::FixedSizeBinary(_) => {
            let texts = column.as_fixed_size_binary().iter().map(|bytes| bytes.map(hyphenated));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        DataType::Date64 => dates(column),
        DataType::Time32(unit) => {
            let times = cast(column, &DataType::Int32)?;
            let times = times.as_primitive::<Int32Type>().iter().map(|time| time.map(i64::from));
            Ok(times_of_day(times.collect(), *unit))
        }
        DataType::Time64(unit) => {
            let times = cast(column, &DataType::Int64)?;
            Ok(times_of_day(times.as_primitive::<Int64Type>().clone(), *unit))
        }
        DataType::Duration(unit) => {
            let values = cast(column, &DataType::Int64)?;
            let texts =
                values.as_primitive::<Int64Type>().iter().map(|value| value.map(|value| duration::shown(value, *unit)));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        DataType::Timestamp(..) => column.to_data().into_builder().data_type(wanted).build().map(make_array),
        _ => cast(column, &wanted),
    }
}

/// Dates of milliseconds: days, as they should be whole ones, or moments.
fn dates(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let (days, moments) = (cast(&cast(column, &DataType::Date32)?, &DataType::Utf8)?, cast(column, &DataType::Utf8)?);
    let texts = column.as_primitive::<Date64Type>().iter().enumerate().map(|(row, time)| {
        let texts = if time? % DAY == 0 { &days } else { &moments };
        Some(texts.as_string::<i32>().value(row))
    });
    Ok(Arc::new(texts.collect::<StringArray>()))
}

const DAY: i64 = 86_400_000;

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
fn hyphenated(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // A string takes all that is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `HH:MM:SS`, with 3, 6 or 9 decimals where there are any.
fn times_of_day(times: Int64Array, unit: TimeUnit) -> ArrayRef {
    let per_second: i64 = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let shown = |time: i64| {
        let (seconds, nanos) =
            (time.div_euclid(per_second), time.rem_euclid(per_second) * (1_000_000_000 / per_second));
        let sign = if seconds < 0 { "-" } else { "" };
        // What is before midnight counts back from it.
        let (seconds, nanos) =
            if seconds < 0 && nanos > 0 { (seconds + 1, 1_000_000_000 - nanos) } else { (seconds, nanos) };
        let seconds = seconds.unsigned_abs();
        let mut text = format!("{sign}{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let _ = match nanos {
            0 => Ok(()),
            _ if nanos % 1_000_000 == 0 => write!(text, ".{:03}", nanos / 1_000_000),
            _ if nanos % 1_000 == 0 => write!(text, ".{:06}", nanos / 1_000),
            _ => write!(text, ".{nanos:09}"),
        };
        text
    };
    Arc::new(times.iter().map(|time| time.map(shown)).collect::<StringArray>())
}

#[cfg(test)]
mod tests {
    use arrow::array::Date64Array;

    use super::*;

    #[test]
    fn dates_of_milliseconds_are_days() {
        let days: ArrayRef = Arc::new(Date64Array::from(vec![Some(DAY), None, Some(-DAY), Some(DAY + 1_500)]));
        let texts = dates(&days).unwrap();
        let texts: Vec<_> = texts.as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some("1970-01-02"), None, Some("1969-12-31"), Some("1970-01-02T00:00:01.500")]);
    }

    #[test]
    fn times_of_day_have_no_end() {
        let times = Int64Array::from(vec![
            Some(0),
            Some(86_400_000_000),
            Some(90_061_000_500),
            None,
            Some(-1),
            Some(1_500_000),
        ]);
        let texts = times_of_day(times, TimeUnit::Microsecond);
        let texts: Vec<_> = texts.as_string::<i32>().iter().collect();
        let expected = ["00:00:00", "24:00:00", "25:01:01.000500", "", "-00:00:00.000001", "00:00:01.500"];
        assert_eq!(texts.iter().map(|text| text.unwrap_or("")).collect::<Vec<_>>(), expected);
    }
}

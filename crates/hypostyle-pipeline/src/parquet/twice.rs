//! Values that the reader cannot decode in one go: the column is decoded in two forms, and they are put together.
//!
//! A moment of `INT96` is a day and its nanoseconds.  As nanoseconds in 64 bits it wraps beyond 2262, as seconds it loses
//! what is finer; but what is lost is the difference of the two, which is never beyond a second whatever wrapped.  An
//! `INTERVAL` is months in one form, days and milliseconds in the other.

use std::sync::Arc;

use arrow::array::types::IntervalMonthDayNano;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, IntervalMonthDayNanoArray, make_array};
use arrow::datatypes::{DataType, IntervalDayTimeType, IntervalUnit, IntervalYearMonthType, TimeUnit};
use arrow::error::ArrowError;
use chrono::DateTime;

use crate::model::fault::Reason;
use crate::model::logical::children;

const SECOND: i128 = 1_000_000_000;

/// An array, and its values that the type cannot hold: their rows, what is wrong, and how they are shown.
pub(super) type Combined = (ArrayRef, Vec<(usize, Reason, String)>);

/// The array of this type whose two forms these are.
pub(super) fn combine(first: &ArrayRef, second: &ArrayRef, wanted: &DataType) -> Result<Combined, ArrowError> {
    if first.data_type() == second.data_type() {
        return Ok((Arc::clone(first), Vec::new()));
    }
    match wanted {
        DataType::Timestamp(unit, _) => moments(first, second, *unit, wanted),
        DataType::Interval(IntervalUnit::MonthDayNano) => intervals(first, second),
        _ => nested(first, second, wanted).map(|array| (array, Vec::new())),
    }
}

fn moments(seconds: &ArrayRef, nanos: &ArrayRef, unit: TimeUnit, wanted: &DataType) -> Result<Combined, ArrowError> {
    let plain =
        |array: &ArrayRef| array.to_data().into_builder().data_type(DataType::Int64).build().map(Int64Array::from);
    let (seconds, nanos) = (plain(seconds)?, plain(nanos)?);
    let in_unit: i128 = match unit {
        TimeUnit::Second => SECOND,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    let mut misfits = Vec::new();
    let values = seconds.iter().zip(nanos.values()).enumerate().map(|(row, (second, nanos))| {
        let second = second?;
        let finer = nanos.wrapping_sub(second.wrapping_mul(SECOND as i64));
        let exact = i128::from(second) * SECOND + i128::from(finer);
        let reason = match i64::try_from(exact.div_euclid(in_unit)) {
            Ok(value) if exact.rem_euclid(in_unit) == 0 => return Some(value),
            Ok(_) => Reason::Precision(unit),
            Err(_) => Reason::Range,
        };
        misfits.push((row, reason, shown(exact)));
        None
    });
    let values: Int64Array = values.collect();
    let data = values.into_data().into_builder().data_type(wanted.clone()).build()?;
    Ok((make_array(data), misfits))
}

fn shown(nanos: i128) -> String {
    let (seconds, finer) = (nanos.div_euclid(SECOND), nanos.rem_euclid(SECOND));
    let known = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, finer as u32));
    known.map_or_else(|| format!("{seconds} seconds from 1970"), |time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string())
}

fn intervals(months: &ArrayRef, rest: &ArrayRef) -> Result<Combined, ArrowError> {
    let (months, rest) = (months.as_primitive::<IntervalYearMonthType>(), rest.as_primitive::<IntervalDayTimeType>());
    let mut misfits = Vec::new();
    let values = months.iter().zip(rest).enumerate().map(|(row, pair)| {
        let (Some(months), Some(rest)) = pair else { return None };
        // All three are unsigned in the file.
        let millis = rest.milliseconds as u32;
        if months < 0 || rest.days < 0 {
            let text = format!("{} months {} days {millis} ms", months as u32, rest.days as u32);
            misfits.push((row, Reason::Range, text));
            return None;
        }
        Some(IntervalMonthDayNano::new(months, rest.days, i64::from(millis) * 1_000_000))
    });
    let values: IntervalMonthDayNanoArray = values.collect();
    Ok((Arc::new(values), misfits))
}

/// In lists and structs, where a value that doesn't fit has no row of its own.
fn nested(first: &ArrayRef, second: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if children(wanted).is_empty() {
        return Err(ArrowError::NotYetImplemented(format!("values of type {wanted} in two forms")));
    }
    let (first, second) = (first.to_data(), second.to_data());
    let pairs = first.child_data().iter().zip(second.child_data()).zip(children(wanted));
    let parts = pairs.map(|((first, second), wanted)| {
        let (array, misfits) = combine(&make_array(first.clone()), &make_array(second.clone()), wanted)?;
        match misfits.first() {
            Some((_, _, text)) => Err(ArrowError::InvalidArgumentError(format!("{text} does not fit {wanted}"))),
            None => Ok(array.into_data()),
        }
    });
    let parts = parts.collect::<Result<_, ArrowError>>()?;
    first.into_builder().data_type(wanted.clone()).child_data(parts).build().map(make_array)
}

#[cfg(test)]
mod tests {
    use arrow::array::{TimestampNanosecondArray, TimestampSecondArray};
    use arrow::datatypes::{TimestampMicrosecondType, TimestampNanosecondType};

    use super::*;

    #[test]
    fn a_moment_of_any_year_is_exact() {
        // Seconds, and the nanoseconds behind them.
        let moments =
            [(253_402_300_799, 999_999_000), (-62_135_596_800, 0), (0, 1), (9_300_000_000_000, 0), (-1, 5_000)];
        let seconds: ArrayRef = Arc::new(TimestampSecondArray::from_iter_values(moments.map(|(second, _)| second)));
        let wrapped = moments.map(|(second, nano)| i64::wrapping_mul(second, 1_000_000_000).wrapping_add(nano));
        let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from_iter_values(wrapped));
        let (micros, misfits) = combine(&seconds, &nanos, &DataType::Timestamp(TimeUnit::Microsecond, None)).unwrap();
        let read: Vec<_> = micros.as_primitive::<TimestampMicrosecondType>().iter().collect();
        let expected = [Some(253_402_300_799_999_999), Some(-62_135_596_800_000_000), None, None, Some(-999_995)];
        assert_eq!(read, expected);
        let texts: Vec<_> = misfits.iter().map(|(row, reason, text)| (*row, *reason, text.as_str())).collect();
        let [fine, far] = [Reason::Precision(TimeUnit::Microsecond), Reason::Range];
        assert_eq!(texts, [(2, fine, "1970-01-01T00:00:00.000000001"), (3, far, "9300000000000 seconds from 1970")]);
        let (nanos, misfits) = combine(&seconds, &nanos, &DataType::Timestamp(TimeUnit::Nanosecond, None)).unwrap();
        assert_eq!(nanos.as_primitive::<TimestampNanosecondType>().value(2), 1);
        assert_eq!(misfits.iter().map(|(row, ..)| *row).collect::<Vec<_>>(), [0, 1, 3]);
    }
}

//! The type that holds the values of two others, and arrays taken there: an `i32` column of one file and an `i64` column of
//! another are both `i64`.
//!
//! A value is never changed.  Where the wider type does not hold all values of the narrower one, such as `f64` those of
//! `i64`, each value is taken there and back; one that comes back as another is reported.

use arrow::array::{Array, ArrayRef};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::fault::Reason;
use super::logical::{conform, is_same};
use super::types::in_utc;

/// The type of both, if there is one: of the first, if they differ in their encoding only.
pub(crate) fn common(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Date32, Date64, Duration, Time32, Time64, Timestamp};
    if is_same(right, left) {
        return Some(left.clone());
    }
    if is_same(left, right) {
        return Some(right.clone());
    }
    Some(match (left, right) {
        (Date32, Date64) | (Date64, Date32) => Date64,
        (Date32, Timestamp(unit, None)) | (Timestamp(unit, None), Date32) => Timestamp(*unit, None),
        (Timestamp(left, None), Timestamp(right, None)) => Timestamp(*left.max(right), None),
        (Timestamp(left, Some(zone)), Timestamp(right, Some(other))) => {
            let zone = if zone == other { zone.clone() } else { "UTC".into() };
            Timestamp(*left.max(right), Some(zone))
        }
        (Duration(left), Duration(right)) => Duration(*left.max(right)),
        (Time32(left) | Time64(left), Time32(right) | Time64(right)) => match left.max(right) {
            unit @ (TimeUnit::Second | TimeUnit::Millisecond) => Time32(*unit),
            unit => Time64(*unit),
        },
        _ => return numbers(left, right),
    })
}

/// Whether the first type is that of both.
pub(crate) fn holds(wide: &DataType, narrow: &DataType) -> bool {
    common(wide, narrow).as_ref() == Some(wide)
}

fn numbers(left: &DataType, right: &DataType) -> Option<DataType> {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => return integers(left, right),
        (Some((_, bits)), None) if right.is_floating() => return Some(float(bits, right)),
        (None, Some((_, bits))) if left.is_floating() => return Some(float(bits, left)),
        _ => {}
    }
    if left.is_floating() && right.is_floating() {
        let wide = left.primitive_width() >= right.primitive_width();
        return Some(if wide { left.clone() } else { right.clone() });
    }
    // A decimal and a float have no type in which both are exact.
    let ((digits, decimals), (other_digits, other_decimals)) = (decimal(left)?, decimal(right)?);
    let decimals_of_both = decimals.max(other_decimals);
    let whole = (digits - decimals).max(other_digits - other_decimals);
    let digits = u8::try_from(whole + decimals_of_both).ok()?;
    let decimals_of_both = i8::try_from(decimals_of_both).ok()?;
    match digits {
        0..=DECIMAL128_MAX_PRECISION => Some(DataType::Decimal128(digits, decimals_of_both)),
        39..=DECIMAL256_MAX_PRECISION => Some(DataType::Decimal256(digits, decimals_of_both)),
        _ => None,
    }
}

/// Whether an integer type has a sign, and its bits.
fn integer(data_type: &DataType) -> Option<(bool, usize)> {
    let bits = data_type.primitive_width().filter(|_| data_type.is_integer())? * 8;
    Some((data_type.is_signed_integer(), bits))
}

fn integers((signed, bits): (bool, usize), (other_signed, other_bits): (bool, usize)) -> Option<DataType> {
    let bits = match (signed, other_signed) {
        (true, false) => bits.max(2 * other_bits),
        (false, true) => other_bits.max(2 * bits),
        _ => bits.max(other_bits),
    };
    Some(match (signed || other_signed, bits) {
        (true, 8) => DataType::Int8,
        (true, 16) => DataType::Int16,
        (true, 32) => DataType::Int32,
        (true, 64) => DataType::Int64,
        // The largest of 64 bits without a sign has 20 digits.
        (true, _) => DataType::Decimal128(20, 0),
        (false, 8) => DataType::UInt8,
        (false, 16) => DataType::UInt16,
        (false, 32) => DataType::UInt32,
        (false, _) => DataType::UInt64,
    })
}

/// The float type of integers of so many bits and of this type.
fn float(bits: usize, data_type: &DataType) -> DataType {
    if bits <= 16 && *data_type != DataType::Float64 { DataType::Float32 } else { DataType::Float64 }
}

/// The digits of a type of exact numbers, and how many of them are behind the point.
fn decimal(data_type: &DataType) -> Option<(i16, i16)> {
    match data_type {
        DataType::Decimal32(digits, decimals)
        | DataType::Decimal64(digits, decimals)
        | DataType::Decimal128(digits, decimals)
        | DataType::Decimal256(digits, decimals) => Some(((*digits).into(), (*decimals).into())),
        _ => {
            let digits = match integer(data_type)? {
                (_, 8) => 3,
                (_, 16) => 5,
                (_, 32) => 10,
                (signed, _) => 20 - i16::from(signed),
            };
            Some((digits, 0))
        }
    }
}

/// A value that the wider type does not hold: its row, why, and how it is shown.  In its place stands a null.
pub(crate) type Unheld = (usize, Reason, String);

/// The array as one of the type that holds its own.
pub(crate) fn widen(array: ArrayRef, wanted: &DataType) -> Result<(ArrayRef, Vec<Unheld>), ArrowError> {
    let found = array.data_type();
    if is_same(found, wanted) {
        return Ok((conform(array, wanted)?, Vec::new()));
    }
    let may_lose = match wanted {
        DataType::Float32 | DataType::Float64 => found.is_integer(),
        DataType::Timestamp(..) | DataType::Duration(_) | DataType::Date64 => true,
        _ => false,
    };
    let options = CastOptions { safe: may_lose, format_options: FormatOptions::new() };
    let wide = cast_with_options(&array, wanted, &options)?;
    if !may_lose {
        return Ok((wide, Vec::new()));
    }
    let same = not_distinct(&array, &cast_with_options(&wide, found, &options)?)?;
    if same.true_count() == same.len() {
        return Ok((wide, Vec::new()));
    }
    let display = cast_with_options(&array, &in_utc(found), &options)?;
    let display = ArrayFormatter::try_new(&display, &options.format_options)?;
    let unheld = (0..same.len()).filter(|row| !same.value(*row));
    let unheld = unheld.map(|row| (row, Reason::Widened, display.value(row).to_string())).collect();
    Ok((arrow::compute::nullif(&wide, &arrow::compute::not(&same)?)?, unheld))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        AsArray, Date32Array, Decimal32Array, Int32Array, Int64Array, TimestampSecondArray, UInt64Array,
    };
    use arrow::datatypes::{Decimal128Type, Float64Type, TimestampNanosecondType};

    use super::*;
    use crate::model::types::parse;

    #[test]
    fn the_common_type_holds_both() {
        for (left, right, both) in [
            ("i32", "i64", Some("i64")),
            ("u8", "i8", Some("i16")),
            ("u32", "i32", Some("i64")),
            ("u64", "i8", Some("decimal[20, 0]")),
            ("u8", "u16", Some("u16")),
            ("i16", "f32", Some("f32")),
            ("i32", "f32", Some("f64")),
            ("i64", "f64", Some("f64")),
            ("f32", "f64", Some("f64")),
            ("decimal[10, 2]", "decimal[12, 4]", Some("decimal[12, 4]")),
            ("decimal[10, 2]", "i64", Some("decimal[21, 2]")),
            ("decimal[38, 0]", "decimal[38, 38]", Some("Decimal256(76, 38)")),
            ("date", "timestamp[ms]", Some("timestamp[ms]")),
            ("timestamp[ms]", "timestamp[ns]", Some("timestamp[ns]")),
            ("timestamp[ms, UTC]", "timestamp[us, +02:00]", Some("timestamp[us, UTC]")),
            ("string", "large_string", Some("string")),
            ("decimal[10, 2]", "f64", None),
            ("string", "i64", None),
            ("bool", "i64", None),
            ("timestamp[us]", "timestamp[us, UTC]", None),
        ] {
            let (left, right) = (parse(left).unwrap(), parse(right).unwrap());
            for (one, other) in [(&left, &right), (&right, &left)] {
                let found = common(one, other).map(|found| crate::model::types::name(&found));
                let encodings = found.as_deref() == Some("large_string");
                assert!(encodings || found.as_deref() == both, "{one} {other}: {found:?}");
                assert!(common(one, other).is_none_or(|both| holds(&both, one) && holds(&both, other)));
            }
        }
    }

    #[test]
    fn values_stay_or_are_reported() {
        let wide = |array: ArrayRef, wanted: &str| widen(array, &parse(wanted).unwrap()).unwrap();
        let (array, unheld) = wide(Arc::new(Int64Array::from(vec![Some(1), None, Some((1 << 53) + 1)])), "f64");
        let floats: Vec<_> = array.as_primitive::<Float64Type>().iter().collect();
        assert_eq!(floats, [Some(1.0), None, None]);
        assert_eq!(unheld, [(2, Reason::Widened, "9007199254740993".to_string())]);
        let (array, unheld) = wide(Arc::new(TimestampSecondArray::from(vec![1, 253_402_300_799])), "timestamp[ns]");
        assert_eq!((array.as_primitive::<TimestampNanosecondType>().value(0), unheld.len()), (1_000_000_000, 1));
        assert_eq!(unheld[0].2, "9999-12-31T23:59:59");
        let (array, unheld) = wide(Arc::new(Date32Array::from(vec![0, i32::MAX])), "timestamp[ns]");
        assert_eq!((array.null_count(), unheld[0].0), (1, 1));
        let (array, unheld) = wide(Arc::new(UInt64Array::from(vec![u64::MAX])), "decimal[20, 0]");
        assert_eq!((array.as_primitive::<Decimal128Type>().value(0), unheld.len()), (u64::MAX.into(), 0));
        let small = Decimal32Array::from(vec![150]).with_precision_and_scale(5, 2).unwrap();
        assert_eq!(wide(Arc::new(small), "decimal[12, 4]").0.as_primitive::<Decimal128Type>().value(0), 15_000);
        assert!(wide(Arc::new(Int32Array::from(vec![i32::MIN])), "i64").1.is_empty());
    }
}

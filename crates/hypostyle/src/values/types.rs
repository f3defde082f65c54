//! Arrow's integer and temporal types as one: each is converted to `i64` and back, and keeps its order.  `u64` flips its top
//! bit, which keeps the order and loses nothing.

use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float16Type};
use arrow::util::display::array_value_to_string;

/// Calls `$body` with `$t` bound to the Arrow type of an integer or temporal `DataType`.
macro_rules! with_integer_type {
    ($data_type:expr, $t:ident => $body:expr, _ => $other:expr) => {
        match $data_type {
            arrow::datatypes::DataType::Int8 => {
                type $t = arrow::datatypes::Int8Type;
                $body
            }
            arrow::datatypes::DataType::Int16 => {
                type $t = arrow::datatypes::Int16Type;
                $body
            }
            arrow::datatypes::DataType::Int32 => {
                type $t = arrow::datatypes::Int32Type;
                $body
            }
            arrow::datatypes::DataType::Int64 => {
                type $t = arrow::datatypes::Int64Type;
                $body
            }
            arrow::datatypes::DataType::UInt8 => {
                type $t = arrow::datatypes::UInt8Type;
                $body
            }
            arrow::datatypes::DataType::UInt16 => {
                type $t = arrow::datatypes::UInt16Type;
                $body
            }
            arrow::datatypes::DataType::UInt32 => {
                type $t = arrow::datatypes::UInt32Type;
                $body
            }
            arrow::datatypes::DataType::UInt64 => {
                type $t = arrow::datatypes::UInt64Type;
                $body
            }
            arrow::datatypes::DataType::Date32 => {
                type $t = arrow::datatypes::Date32Type;
                $body
            }
            arrow::datatypes::DataType::Date64 => {
                type $t = arrow::datatypes::Date64Type;
                $body
            }
            arrow::datatypes::DataType::Time32(arrow::datatypes::TimeUnit::Second) => {
                type $t = arrow::datatypes::Time32SecondType;
                $body
            }
            arrow::datatypes::DataType::Time32(arrow::datatypes::TimeUnit::Millisecond) => {
                type $t = arrow::datatypes::Time32MillisecondType;
                $body
            }
            arrow::datatypes::DataType::Time64(arrow::datatypes::TimeUnit::Microsecond) => {
                type $t = arrow::datatypes::Time64MicrosecondType;
                $body
            }
            arrow::datatypes::DataType::Time64(arrow::datatypes::TimeUnit::Nanosecond) => {
                type $t = arrow::datatypes::Time64NanosecondType;
                $body
            }
            arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Second, _) => {
                type $t = arrow::datatypes::TimestampSecondType;
                $body
            }
            arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, _) => {
                type $t = arrow::datatypes::TimestampMillisecondType;
                $body
            }
            arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => {
                type $t = arrow::datatypes::TimestampMicrosecondType;
                $body
            }
            arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, _) => {
                type $t = arrow::datatypes::TimestampNanosecondType;
                $body
            }
            arrow::datatypes::DataType::Duration(arrow::datatypes::TimeUnit::Second) => {
                type $t = arrow::datatypes::DurationSecondType;
                $body
            }
            arrow::datatypes::DataType::Duration(arrow::datatypes::TimeUnit::Millisecond) => {
                type $t = arrow::datatypes::DurationMillisecondType;
                $body
            }
            arrow::datatypes::DataType::Duration(arrow::datatypes::TimeUnit::Microsecond) => {
                type $t = arrow::datatypes::DurationMicrosecondType;
                $body
            }
            arrow::datatypes::DataType::Duration(arrow::datatypes::TimeUnit::Nanosecond) => {
                type $t = arrow::datatypes::DurationNanosecondType;
                $body
            }
            _ => $other,
        }
    };
}

/// A native integer as `i64` and back, keeping order.
pub(crate) trait Ordinal: Copy {
    fn widen(self) -> i64;
    fn narrow(wide: i64) -> Self;
}

macro_rules! ordinal_by_cast {
    ($($native:ty),*) => { $(
        impl Ordinal for $native {
            fn widen(self) -> i64 {
                i64::from(self)
            }
            #[expect(clippy::allow_attributes, reason = "i64 is among the types")]
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only results of `widen` are narrowed")]
            fn narrow(wide: i64) -> Self {
                wide as Self
            }
        }
    )* };
}
ordinal_by_cast!(i8, i16, i32, i64, u8, u16, u32);

impl Ordinal for u64 {
    fn widen(self) -> i64 {
        (self ^ (1 << 63)).cast_signed()
    }
    fn narrow(wide: i64) -> Self {
        wide.cast_unsigned() ^ (1 << 63)
    }
}

pub(crate) use with_integer_type;

/// Whether a column of this type, which is not `u64`, can hold an integer.
pub(crate) fn holds_integer(data_type: &DataType, x: i64) -> bool {
    with_integer_type!(data_type, T => {
        type Native = <T as ArrowPrimitiveType>::Native;
        Ordinal::widen(Native::narrow(x)) == x
    }, _ => false)
}

/// The data type of a computed result: f32 if all inputs are f32, else f64.
pub(crate) fn computed_type(inputs: &[&DataType]) -> DataType {
    match inputs {
        [first, rest @ ..] if **first == DataType::Float32 && rest.iter().all(|t| **t == DataType::Float32) => {
            DataType::Float32
        }
        _ => DataType::Float64,
    }
}

/// A float as a column of this type holds it.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
pub(crate) fn narrow_float(x: f64, data_type: &DataType) -> f64 {
    match data_type {
        DataType::Float32 => f64::from(x as f32),
        DataType::Float16 => f64::from(half_from_f64(x)),
        _ => x,
    }
}

pub(crate) fn half_from_f64(x: f64) -> <Float16Type as ArrowPrimitiveType>::Native {
    <Float16Type as ArrowPrimitiveType>::Native::from_f64(x)
}

/// A value for messages; a timestamp with a time zone is shown in UTC, which needs no time zone database.
pub(crate) fn shown(column: &ArrayRef, row: usize) -> String {
    let value = column.slice(row, 1);
    let value = match value.data_type() {
        DataType::Timestamp(unit, Some(_)) => cast(&value, &DataType::Timestamp(*unit, Some("+00:00".into()))),
        _ => Ok(value),
    };
    value.and_then(|value| array_value_to_string(&value, 0)).unwrap_or_default()
}

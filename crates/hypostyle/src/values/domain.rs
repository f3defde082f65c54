//! Arrow columns to slices.  The data type is resolved here, once per column: a driver sees plain slices of rows.
//!
//! Everything computes in one of two domains: `f64` for arithmetic, `i64` for what keeps its type and order (integers,
//! booleans, dates, times).

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, UInt64Type,
};

use super::types::{Ordinal, with_integer_type};
use crate::error::{Error, Result, type_name};

/// How a column's values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// As `f64`; integers and booleans are converted.
    Float,
    /// As `i64`, exactly; for integers, booleans, dates and times.
    Integer,
    /// Only whether there is a value.
    Presence,
}

/// A column's values in one of the domains, in row order or grouped by key.
#[derive(Debug, Clone)]
pub enum Values<'a> {
    /// Numbers.
    Float(Cow<'a, [f64]>),
    /// Exact integers.
    Integer(Cow<'a, [i64]>),
    /// The same number in every row.
    Constant(f64),
    /// Only the validity matters.
    Nothing,
}

impl Values<'_> {
    /// Some of the rows.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Values<'_> {
        match self {
            Self::Float(values) => Values::Float(Cow::Borrowed(&values[start..end])),
            Self::Integer(values) => Values::Integer(Cow::Borrowed(&values[start..end])),
            Self::Constant(x) => Values::Constant(*x),
            Self::Nothing => Values::Nothing,
        }
    }
}

impl Domain {
    /// Whether columns of this type can be read in this domain.
    pub fn reads(self, data_type: &DataType) -> bool {
        match self {
            Self::Float => data_type.is_numeric() && !data_type.is_decimal() || matches!(data_type, DataType::Boolean),
            Self::Integer => {
                data_type.is_integer()
                    || matches!(
                        data_type,
                        DataType::Boolean
                            | DataType::Date32
                            | DataType::Date64
                            | DataType::Time32(_)
                            | DataType::Time64(_)
                            | DataType::Timestamp(..)
                            | DataType::Duration(_)
                    )
            }
            Self::Presence => true,
        }
    }
}

fn map_values<T: ArrowPrimitiveType, O>(array: &dyn Array, f: impl Fn(T::Native) -> O) -> Vec<O> {
    array.as_primitive::<T>().values().iter().map(|x| f(*x)).collect()
}

/// Bits as numbers, four at a time.
fn flags<O: Copy>(bits: &BooleanBuffer, number: impl Fn(u8) -> O) -> Vec<O> {
    let four: [[O; 4]; 16] = std::array::from_fn(|bits| std::array::from_fn(|bit| number((bits >> bit & 1) as u8)));
    let mut numbers = Vec::with_capacity(bits.len() + 64);
    for word in bits.bit_chunks().iter_padded() {
        numbers.extend(
            std::array::from_fn::<_, 16, _>(|quarter| four[(word >> (4 * quarter) & 15) as usize]).as_flattened(),
        );
    }
    numbers.truncate(bits.len());
    numbers
}

/// The error for a data type that a reader does not support; callers check [`Domain::reads`] when they bind.
fn unread(data_type: &DataType, wanted: &str) -> Error {
    Error::internal(format!("a column of type {} was read as {wanted}", type_name(data_type)))
}

/// The values of an array in a domain that reads its type; those under nulls are arbitrary.
///
/// # Errors
/// An internal one if the domain does not read the type.
pub(crate) fn read(array: &ArrayRef, domain: Domain) -> Result<Values<'_>> {
    Ok(match domain {
        Domain::Presence => Values::Nothing,
        Domain::Float => Values::Float(read_float(array)?),
        Domain::Integer => Values::Integer(read_integer(array)?),
    })
}

/// The values of a numeric or boolean column as `f64`.
///
/// # Errors
/// An internal one if the column has another type.
#[expect(clippy::cast_precision_loss, reason = "kernels compute in f64")]
pub(crate) fn read_float(array: &ArrayRef) -> Result<Cow<'_, [f64]>> {
    let array = array.as_ref();
    Ok(match array.data_type() {
        DataType::Float64 => Cow::Borrowed(array.as_primitive::<Float64Type>().values()),
        DataType::Float32 => map_values::<Float32Type, _>(array, f64::from).into(),
        DataType::Float16 => map_values::<Float16Type, _>(array, f64::from).into(),
        DataType::UInt64 => map_values::<UInt64Type, _>(array, |x| x as f64).into(),
        DataType::Boolean => flags(array.as_boolean().values(), f64::from).into(),
        other => with_integer_type!(
            other,
            T => map_values::<T, _>(array, |x| Ordinal::widen(x) as f64).into(),
            _ => return Err(unread(other, "numbers"))
        ),
    })
}

/// The values of a time, integer or boolean column as `i64`.
///
/// # Errors
/// An internal one if the column has another type.
pub(crate) fn read_integer(array: &ArrayRef) -> Result<Cow<'_, [i64]>> {
    let array = array.as_ref();
    Ok(match array.data_type() {
        DataType::Int64 => Cow::Borrowed(array.as_primitive::<Int64Type>().values()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Cow::Borrowed(array.as_primitive::<TimestampMicrosecondType>().values())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Cow::Borrowed(array.as_primitive::<TimestampNanosecondType>().values())
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Cow::Borrowed(array.as_primitive::<TimestampMillisecondType>().values())
        }
        DataType::Boolean => flags(array.as_boolean().values(), i64::from).into(),
        other => with_integer_type!(
            other,
            T => map_values::<T, _>(array, Ordinal::widen).into(),
            _ => return Err(unread(other, "integers"))
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn a_type_that_no_domain_reads_is_an_error_and_no_empty_column() {
        let array: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
        for domain in [Domain::Float, Domain::Integer] {
            let error = read(&array, domain).unwrap_err().to_string();
            assert!(error.contains("internal error") && error.contains("string"), "{error}");
        }
    }
}

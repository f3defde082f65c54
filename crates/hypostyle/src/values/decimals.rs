//! Decimals as integers, in steps of their last digit.  Arrow's widest decimals have 76 digits; here those of 64 bits are read,
//! which is all of up to 18 digits.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Int64Array, PrimitiveArray};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use arrow::datatypes::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Int64Type, i256};

use crate::error::{Error, ErrorKind, Result};

/// Calls `$body` with `$t` bound to the Arrow type of a decimal `DataType`.
macro_rules! with_decimal_type {
    ($data_type:expr, $t:ident => $body:expr, _ => $other:expr) => {
        match $data_type {
            DataType::Decimal32(..) => {
                type $t = Decimal32Type;
                $body
            }
            DataType::Decimal64(..) => {
                type $t = Decimal64Type;
                $body
            }
            DataType::Decimal128(..) => {
                type $t = Decimal128Type;
                $body
            }
            DataType::Decimal256(..) => {
                type $t = Decimal256Type;
                $body
            }
            _ => $other,
        }
    };
}

/// A decimal of some width as an integer of 64 bits, and back.
trait Steps: Sized {
    /// None if it does not fit.
    fn narrow(self) -> Option<i64>;
    /// Those of `narrow` come back unchanged.
    fn widen(steps: i64) -> Self;
}

impl Steps for i32 {
    fn narrow(self) -> Option<i64> {
        Some(i64::from(self))
    }
    #[expect(clippy::cast_possible_truncation, reason = "it was one")]
    fn widen(steps: i64) -> Self {
        steps as Self
    }
}

impl Steps for i64 {
    fn narrow(self) -> Option<i64> {
        Some(self)
    }
    fn widen(steps: i64) -> Self {
        steps
    }
}

impl Steps for i128 {
    fn narrow(self) -> Option<i64> {
        i64::try_from(self).ok()
    }
    fn widen(steps: i64) -> Self {
        Self::from(steps)
    }
}

impl Steps for i256 {
    fn narrow(self) -> Option<i64> {
        self.to_i128().and_then(i128::narrow)
    }
    fn widen(steps: i64) -> Self {
        Self::from_i128(i128::from(steps))
    }
}

/// How many digits of a decimal stand behind its point.
pub(super) fn scale_of(decimal: &DataType) -> Option<i8> {
    match decimal {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

/// The type of sums and differences of decimals of this type: of the same scale, with as many digits as there are.
pub(crate) fn type_of_sum(decimal: &DataType) -> DataType {
    match decimal {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale)
        }
        other => other.clone(),
    }
}

/// A column of decimals as integers, in steps of their last digit.
///
/// # Errors
/// A decimal that does not fit into 64 bits.
pub(super) fn steps(column: &ArrayRef) -> Result<ArrayRef> {
    with_decimal_type!(column.data_type(), T => steps_of::<T>(column), _ => Ok(column.clone()))
}

fn steps_of<T: DecimalType>(column: &ArrayRef) -> Result<ArrayRef>
where
    T::Native: Steps,
{
    let decimals = column.as_primitive::<T>();
    let nulls = decimals.nulls().cloned();
    let steps: Vec<Option<i64>> = decimals.values().iter().map(|decimal| decimal.narrow()).collect();
    if let Some(row) = (0..steps.len()).find(|row| steps[*row].is_none() && decimals.is_valid(*row)) {
        return Err(too_long(&decimals.value_as_string(row)).at_row(row as u64));
    }
    let steps: Vec<i64> = steps.into_iter().map(Option::unwrap_or_default).collect();
    Ok(Arc::new(Int64Array::new(steps.into(), nulls)))
}

fn too_long(decimal: &str) -> Error {
    let problem = format!("the decimal {decimal} has too many digits: without its point it is outside 64 bits");
    Error::new(ErrorKind::Refused, problem)
        .with_help("use fewer digits behind the point, or cast the column to a float")
}

/// A decimal of a single row, as [`steps`].
///
/// # Errors
/// As [`steps`].
pub(super) fn step(decimal: i128, scale: i8) -> Result<i64> {
    decimal.narrow().ok_or_else(|| too_long(&format!("{decimal}e{}", -i32::from(scale))))
}

/// A column of such integers as decimals of this type.
pub(super) fn decimals(steps: &ArrayRef, data_type: &DataType) -> ArrayRef {
    with_decimal_type!(data_type, T => decimals_of::<T>(steps, data_type), _ => steps.clone())
}

fn decimals_of<T: ArrowPrimitiveType>(steps: &ArrayRef, data_type: &DataType) -> ArrayRef
where
    T::Native: Steps,
{
    let steps = steps.as_primitive::<Int64Type>();
    let decimals = steps.values().iter().map(|steps| T::Native::widen(*steps)).collect();
    Arc::new(PrimitiveArray::<T>::new(decimals, steps.nulls().cloned()).with_data_type(data_type.clone()))
}

//! A plain value as kernels and keys read it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use smallvec::SmallVec;

use super::decimals::scale_of;
use super::domain::Domain;
use super::output::Output;
use super::scalar_value::ScalarValue;
use super::types::{Ordinal, holds_integer, narrow_float};
use crate::error::{Error, ErrorKind, Result, type_name};

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Operand<'a> {
    pub(crate) valid: bool,
    pub(crate) float: f64,
    pub(crate) integer: i64,
    pub(crate) text: &'a str,
    /// In steps of its last digit.
    pub(crate) decimal: i128,
}

/// A row's values, in the order of the stage's fields.
pub(crate) type Operands<'a> = SmallVec<[Operand<'a>; 12]>;

/// Reads a value for a column.
///
/// # Errors
/// If the column cannot hold it.
#[inline]
pub(crate) fn read_value<'a>(value: ScalarValue<'a>, name: &str, data_type: &DataType) -> Result<Operand<'a>> {
    operand(value, data_type).ok_or_else(|| {
        let found = match value {
            ScalarValue::Text(text) => format!("{text:?}"),
            ScalarValue::Code(code) => format!("the code {code}"),
            ScalarValue::Decimal(steps) => format!("a decimal of the digits {steps}"),
            ScalarValue::Integer(x) => x.to_string(),
            ScalarValue::Unsigned(x) => x.to_string(),
            ScalarValue::Float(x) => format!("{x:?}"),
            ScalarValue::Boolean(x) => x.to_string(),
            ScalarValue::Null => "null".to_string(),
        };
        Error::new(ErrorKind::ColumnType, format!("expected a value of type {}, got {found}", type_name(data_type)))
            .at_column(name)
            .with_help("give a value of the column's type")
    })
}

#[expect(clippy::cast_precision_loss, reason = "kernels compute in f64")]
fn operand<'a>(value: ScalarValue<'a>, data_type: &DataType) -> Option<Operand<'a>> {
    let float = |float: f64| Some(Operand { valid: true, float: narrow_float(float, data_type), ..Operand::default() });
    let integer = |integer: i64, float: f64| Some(Operand { valid: true, float, integer, ..Operand::default() });
    match (value, data_type) {
        (ScalarValue::Null, _) => Some(Operand::default()),
        (ScalarValue::Float(x), DataType::Float64 | DataType::Float32 | DataType::Float16) => float(x),
        (ScalarValue::Integer(x), DataType::Float64 | DataType::Float32 | DataType::Float16) => float(x as f64),
        (ScalarValue::Unsigned(x), DataType::Float64 | DataType::Float32 | DataType::Float16) => float(x as f64),
        (ScalarValue::Boolean(x), DataType::Boolean) => integer(i64::from(x), f64::from(u8::from(x))),
        (ScalarValue::Integer(x), DataType::UInt64) => {
            let x = u64::try_from(x).ok()?;
            integer(Ordinal::widen(x), x as f64)
        }
        (ScalarValue::Unsigned(x), DataType::UInt64) => integer(Ordinal::widen(x), x as f64),
        (ScalarValue::Unsigned(x), _) => operand(ScalarValue::Integer(i64::try_from(x).ok()?), data_type),
        (ScalarValue::Integer(x), other) if holds_integer(other, x) => integer(x, x as f64),
        (ScalarValue::Text(text), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            Some(Operand { valid: true, text, ..Operand::default() })
        }
        (ScalarValue::Text(_), DataType::Dictionary(_, values)) => operand(value, values),
        (ScalarValue::Decimal(decimal), other) if other.is_decimal() => {
            Some(Operand { valid: true, decimal, ..Operand::default() })
        }
        _ => None,
    }
}

/// The value as an array of one row.
pub(crate) fn array_of(operand: &Operand, data_type: &DataType) -> Result<ArrayRef> {
    if let Some(scale) = scale_of(data_type).filter(|_| operand.valid) {
        let widest = DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale);
        let steps: ArrayRef = Arc::new(Decimal128Array::from(vec![operand.decimal]).with_data_type(widest));
        return Ok(cast(&steps, data_type)?);
    }
    Ok(match data_type {
        _ if !operand.valid => new_null_array(data_type, 1),
        DataType::Float64 | DataType::Float32 | DataType::Float16 => {
            f64::into_array(vec![operand.float], None, data_type)
        }
        integer if Domain::Integer.reads(integer) => i64::into_array(vec![operand.integer], None, data_type),
        _ => cast(&(Arc::new(StringArray::from(vec![operand.text])) as ArrayRef), data_type)?,
    })
}

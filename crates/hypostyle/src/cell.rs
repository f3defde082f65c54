//! Rows that come alone, as plain values: no Arrow array is made for them.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use smallvec::SmallVec;

use crate::column::{Domain, Ordinal, Output, holds_integer, narrow_float};
use crate::error::{Error, ErrorKind, Result, type_name};
use crate::kernel::Source;
use crate::record::Scalar;

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// For boolean columns.
    Boolean(bool),
    /// For integers; for dates, times and durations in the column's unit, dates and timestamps from 1970-01-01; and, if it is
    /// meant, for floats.
    Integer(i64),
    /// For integers beyond `i64`.
    Unsigned(u64),
    /// For floats.
    Float(f64),
    /// For strings and dictionaries of strings.
    Text(&'a str),
}

/// A value as the kernels and keys read it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    pub(crate) valid: bool,
    pub(crate) float: f64,
    pub(crate) integer: i64,
    pub(crate) text: &'a str,
}

/// A row's values, in the order of the stage's fields.
pub(crate) type Givens<'a> = SmallVec<[Given<'a>; 12]>;

/// A row of a known key.
#[derive(Clone, Copy)]
pub struct LiveRow<'a> {
    pub(crate) given: &'a [Given<'a>],
    /// Its number within its key.
    pub(crate) position: i64,
}

impl LiveRow<'_> {
    /// The number that a kernel reads from a source.
    #[inline]
    pub(crate) fn scalar(&self, source: &Source) -> Scalar {
        match source {
            Source::Column { index, domain: Domain::Float } => Scalar::Float(self.given[*index].float),
            Source::Column { index, .. } => Scalar::Integer(self.given[*index].integer),
            Source::Constant(x) => Scalar::Float(*x),
            Source::Position => Scalar::Integer(self.position),
        }
    }

    /// Whether all of these have a value.
    pub(crate) fn is_valid(&self, sources: &[Source]) -> bool {
        sources.iter().all(|source| match source {
            Source::Column { index, .. } => self.given[*index].valid,
            _ => true,
        })
    }
}

/// Reads a value for a column.
///
/// # Errors
/// Where the column can't hold it.
#[inline]
pub(crate) fn read_cell<'a>(cell: Cell<'a>, name: &str, data_type: &DataType) -> Result<Given<'a>> {
    given(cell, data_type).ok_or_else(|| {
        let found = match cell {
            Cell::Text(text) => format!("{text:?}"),
            Cell::Integer(x) => x.to_string(),
            Cell::Unsigned(x) => x.to_string(),
            Cell::Float(x) => format!("{x:?}"),
            Cell::Boolean(x) => x.to_string(),
            Cell::Null => "null".to_string(),
        };
        Error::new(
            ErrorKind::ColumnType,
            format!("column '{name}' has type {}, which can't hold the value {found}", type_name(data_type)),
        )
    })
}

#[expect(clippy::cast_precision_loss, reason = "kernels compute in f64")]
fn given<'a>(cell: Cell<'a>, data_type: &DataType) -> Option<Given<'a>> {
    let float = |float: f64| Some(Given { valid: true, float: narrow_float(float, data_type), ..Given::default() });
    let integer = |integer: i64, float: f64| Some(Given { valid: true, float, integer, text: "" });
    match (cell, data_type) {
        (Cell::Null, _) => Some(Given::default()),
        (Cell::Float(x), DataType::Float64 | DataType::Float32 | DataType::Float16) => float(x),
        (Cell::Integer(x), DataType::Float64 | DataType::Float32 | DataType::Float16) => float(x as f64),
        (Cell::Unsigned(x), DataType::Float64 | DataType::Float32 | DataType::Float16) => float(x as f64),
        (Cell::Boolean(x), DataType::Boolean) => integer(i64::from(x), f64::from(u8::from(x))),
        (Cell::Integer(x), DataType::UInt64) => {
            let x = u64::try_from(x).ok()?;
            integer(Ordinal::widen(x), x as f64)
        }
        (Cell::Unsigned(x), DataType::UInt64) => integer(Ordinal::widen(x), x as f64),
        (Cell::Unsigned(x), _) => given(Cell::Integer(i64::try_from(x).ok()?), data_type),
        (Cell::Integer(x), other) if holds_integer(other, x) => integer(x, x as f64),
        (Cell::Text(text), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            Some(Given { valid: true, text, ..Given::default() })
        }
        (Cell::Text(_), DataType::Dictionary(_, values)) => given(cell, values),
        _ => None,
    }
}

/// The value as an array of one row.
pub(crate) fn array_of(given: &Given, data_type: &DataType) -> Result<ArrayRef> {
    Ok(match data_type {
        _ if !given.valid => new_null_array(data_type, 1),
        DataType::Float64 | DataType::Float32 | DataType::Float16 => {
            f64::into_array(vec![given.float], None, data_type)
        }
        integer if Domain::Integer.reads(integer) => i64::into_array(vec![given.integer], None, data_type),
        _ => cast(&(Arc::new(StringArray::from(vec![given.text])) as ArrayRef), data_type)?,
    })
}

//! From a column of a block to an Arrow array: the type is matched once a column, and the loop over its rows is compiled
//! for that type.
//!
//! Spaces around numbers, dates and booleans are ignored; in texts they are kept.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanBuilder, GenericStringBuilder, OffsetSizeTrait, PrimitiveBuilder,
};
use arrow::datatypes::{DataType, TimeUnit};

use super::Nulls;
use super::fault::{Fault, Reason};
use super::moment;
use super::records::Block;
use crate::types::zone_offset;

/// Decodes a column; the first field that can't be read is the fault.
pub(crate) fn column(block: &Block, column: usize, data_type: &DataType, nulls: &Nulls) -> Result<ArrayRef, Fault> {
    let fields = Fields { block, column, nulls };
    match data_type {
        DataType::Boolean => fields.booleans(),
        DataType::Int8 => fields.primitive::<Int8Type>(data_type, number),
        DataType::Int16 => fields.primitive::<Int16Type>(data_type, number),
        DataType::Int32 => fields.primitive::<Int32Type>(data_type, number),
        DataType::Int64 => fields.primitive::<Int64Type>(data_type, number),
        DataType::UInt8 => fields.primitive::<UInt8Type>(data_type, number),
        DataType::UInt16 => fields.primitive::<UInt16Type>(data_type, number),
        DataType::UInt32 => fields.primitive::<UInt32Type>(data_type, number),
        DataType::UInt64 => fields.primitive::<UInt64Type>(data_type, number),
        DataType::Float32 => fields.primitive::<Float32Type>(data_type, number),
        DataType::Float64 => fields.primitive::<Float64Type>(data_type, number),
        DataType::Date32 => fields.primitive::<Date32Type>(data_type, |field| moment::date(field).ok_or(Reason::Text)),
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_deref().and_then(zone_offset);
            let unit = *unit;
            let parse = |field: &[u8]| moment::moment(field).ok_or(Reason::Text)?.in_unit(unit, zone);
            match unit {
                TimeUnit::Second => fields.primitive::<TimestampSecondType>(data_type, parse),
                TimeUnit::Millisecond => fields.primitive::<TimestampMillisecondType>(data_type, parse),
                TimeUnit::Microsecond => fields.primitive::<TimestampMicrosecondType>(data_type, parse),
                TimeUnit::Nanosecond => fields.primitive::<TimestampNanosecondType>(data_type, parse),
            }
        }
        DataType::LargeUtf8 => fields.texts::<i64>(),
        _ => fields.texts::<i32>(),
    }
}

/// A number as Rust writes it: `1`, `+1`, `-1.5`, `1e-3`, `NaN`, `inf`.
#[inline]
pub(crate) fn number<N: FromStr>(field: &[u8]) -> Result<N, Reason> {
    let text = std::str::from_utf8(field).map_err(|_| Reason::Text)?;
    text.parse().map_err(|_| {
        let digits = text.trim_start_matches(['+', '-']);
        let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole { Reason::Range } else { Reason::Text }
    })
}

pub(crate) fn boolean(field: &[u8]) -> Result<bool, Reason> {
    match field {
        b"true" | b"True" | b"TRUE" | b"1" => Ok(true),
        b"false" | b"False" | b"FALSE" | b"0" => Ok(false),
        _ => Err(Reason::Text),
    }
}

struct Fields<'a> {
    block: &'a Block,
    column: usize,
    nulls: &'a Nulls,
}

impl Fields<'_> {
    /// Calls `each` with every row's field, trimmed, or with `None` for a null.
    #[inline]
    fn visit(&self, mut each: impl FnMut(Option<&[u8]>) -> Result<(), Reason>) -> Result<(), Fault> {
        for row in 0..self.block.rows() {
            let field = self.block.field(row, self.column).trim_ascii();
            let field = if self.nulls.contains(field) { None } else { Some(field) };
            each(field).map_err(|reason| self.fault(row, reason))?;
        }
        Ok(())
    }

    fn fault(&self, row: usize, reason: Reason) -> Fault {
        Fault { row, column: self.column, reason }
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        data_type: &DataType,
        parse: impl Fn(&[u8]) -> Result<T::Native, Reason>,
    ) -> Result<ArrayRef, Fault> {
        let mut values = PrimitiveBuilder::<T>::with_capacity(self.block.rows()).with_data_type(data_type.clone());
        self.visit(|field| {
            values.append_option(field.map(&parse).transpose()?);
            Ok(())
        })?;
        Ok(Arc::new(values.finish()))
    }

    fn booleans(&self) -> Result<ArrayRef, Fault> {
        let mut values = BooleanBuilder::with_capacity(self.block.rows());
        self.visit(|field| {
            values.append_option(field.map(boolean).transpose()?);
            Ok(())
        })?;
        Ok(Arc::new(values.finish()))
    }

    fn texts<O: OffsetSizeTrait>(&self) -> Result<ArrayRef, Fault> {
        let rows = self.block.rows();
        let bytes = (0..rows).map(|row| self.block.field(row, self.column).len()).sum();
        let mut values = GenericStringBuilder::<O>::with_capacity(rows, bytes);
        for row in 0..rows {
            let field = self.block.field(row, self.column);
            if self.nulls.contains(field) {
                values.append_null();
            } else {
                values.append_value(std::str::from_utf8(field).map_err(|_| self.fault(row, Reason::Encoding))?);
            }
        }
        Ok(Arc::new(values.finish()))
    }
}

//! From a column of a chunk to an Arrow array: the type is matched once per column, and the loop over its rows is compiled for
//! that type.  A field that cannot be read becomes null and is put on a list; what is done about it is decided elsewhere.
//!
//! Spaces around numbers, dates and booleans are ignored; in texts they are kept.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, GenericStringArray, OffsetSizeTrait,
    PrimitiveArray, make_array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;

use super::dialect::Dialect;
use super::field_index::FieldIndex;
use crate::model::clock::time_of_day;
use crate::model::duration::duration;
use crate::model::fault::{Fault, Reason};
use crate::model::time_format::TimeFormat;
use crate::model::timestamp::{LastDate, Zone};
use crate::model::values::{decimal, float, integer, whole_float, whole_integer};

/// Strings of at most this number of bytes are short.
const SHORT: usize = 16;

/// A chunk and its fields.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub bytes: &'a [u8],
    pub table: &'a FieldIndex,
    pub dialect: &'a Dialect,
    /// Whether the whole chunk is valid UTF-8, so that fields need not be checked.
    pub utf8: bool,
}

impl<'a> Fields<'a> {
    /// What a field says; `None` if text follows its closing quote.
    fn text(&self, row: usize, column: usize) -> Option<Cow<'a, [u8]>> {
        let (start, end) = self.table.field(row, column);
        self.dialect.unquoted(self.dialect.trimmed(&self.bytes[start..end]))
    }
}

/// A column to decode.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Its number.
    pub column: usize,
    /// The numbers of the columns that it joins, if it is not in the file.
    pub joins: Option<[usize; 2]>,
    pub data_type: DataType,
    pub format: TimeFormat,
    pub zone: Zone,
    /// Whether the type was inferred, so that what would lose something as one of the type is none.
    pub inferred: bool,
}

/// Where a file has a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Missing,
    One(usize),
    /// The columns that it joins.
    Joined([usize; 2]),
}

/// Decodes the column at a place, where an empty field means `default`; what cannot be read is null and added to `faults`.
pub(crate) fn column(
    fields: Fields,
    wanted: &Wanted,
    place: Place,
    default: &[u8],
    faults: &mut Vec<Fault>,
) -> Result<ArrayRef, ArrowError> {
    let Wanted { column, data_type, format, zone, inferred, .. } = wanted;
    let (place, joins) = match place {
        Place::Missing => return Ok(new_null_array(data_type, fields.table.rows())),
        Place::One(place) => (place, None),
        Place::Joined(places) => (places[0], Some(places)),
    };
    let mut decoder = Decoder { fields, column: *column, place, joins, default, faults };
    Ok(match data_type {
        DataType::Boolean => decoder.booleans(*inferred),
        DataType::Int64 if *inferred => decoder.number::<Int64Type>(data_type, whole_integer),
        DataType::Float64 if *inferred => decoder.number::<Float64Type>(data_type, whole_float),
        DataType::Int8 => decoder.number::<Int8Type>(data_type, integer),
        DataType::Int16 => decoder.number::<Int16Type>(data_type, integer),
        DataType::Int32 => decoder.number::<Int32Type>(data_type, integer),
        DataType::Int64 => decoder.number::<Int64Type>(data_type, integer),
        DataType::UInt8 => decoder.number::<UInt8Type>(data_type, integer),
        DataType::UInt16 => decoder.number::<UInt16Type>(data_type, integer),
        DataType::UInt32 => decoder.number::<UInt32Type>(data_type, integer),
        DataType::UInt64 => decoder.number::<UInt64Type>(data_type, integer),
        DataType::Float32 => decoder.number::<Float32Type>(data_type, float),
        DataType::Float64 => decoder.number::<Float64Type>(data_type, float),
        DataType::Decimal128(precision, scale) => {
            decoder.number::<Decimal128Type>(data_type, |field| decimal(field, *precision, *scale))
        }
        DataType::Date32 => decoder.primitive::<Date32Type>(data_type, |field| format.date(field)),
        DataType::Timestamp(unit, _) => match format {
            TimeFormat::Iso => {
                let mut last = LastDate::default();
                decoder.times(data_type, *unit, |field| match last.timestamp(field) {
                    Some(found) => found.in_unit(*unit, *zone),
                    None => format.instant(field, *unit, *zone),
                })
            }
            _ => decoder.times(data_type, *unit, |field| format.instant(field, *unit, *zone)),
        },
        DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => decoder.clocks(data_type)?,
        DataType::Utf8 => decoder.texts::<i32>()?,
        DataType::LargeUtf8 => decoder.texts::<i64>()?,
        DataType::Dictionary(..) => cast(&decoder.texts::<i32>()?, data_type)?,
        other => return Err(ArrowError::NotYetImplemented(format!("a CSV column of type {other}"))),
    })
}

struct Decoder<'a> {
    fields: Fields<'a>,
    /// Its number.
    column: usize,
    /// Its place in the file.
    place: usize,
    joins: Option<[usize; 2]>,
    default: &'a [u8],
    faults: &'a mut Vec<Fault>,
}

impl Decoder<'_> {
    /// Calls `each` with every row's value as `parse` reads it, trimmed; `None` for a null.
    #[inline]
    fn visit<T>(&mut self, mut parse: impl FnMut(&[u8]) -> Result<T, Reason>, mut each: impl FnMut(Option<T>)) {
        if let Some(columns) = self.joins {
            return self.visit_joined(columns, &mut parse, &mut each);
        }
        let Fields { bytes, table, dialect, .. } = self.fields;
        let nulls = &dialect.style.nulls;
        let escapes = dialect.has_null_escape();
        for (row, (start, end)) in table.column(self.place).enumerate() {
            let field = bytes[start..end].trim_ascii();
            let field = if field.is_empty() { self.default } else { field };
            let value = if escapes && dialect.is_null_escape(field) {
                Ok(None)
            } else if dialect.is_quoted(field) {
                match dialect.unquoted(field) {
                    Some(text) if nulls.contains_quoted(text.trim_ascii()) => Ok(None),
                    Some(text) => parse(text.trim_ascii()).map(Some),
                    None => Err(Reason::Quote),
                }
            } else if nulls.contains(field) {
                Ok(None)
            } else {
                parse(field).map(Some)
            };
            each(value.unwrap_or_else(|reason| {
                self.faults.push(Fault { row, column: self.column, reason });
                None
            }));
        }
    }

    /// As [`Decoder::visit`] for the texts of two columns with a blank between them.  Both or none of them are null.
    fn visit_joined<T>(
        &mut self,
        columns: [usize; 2],
        parse: &mut dyn FnMut(&[u8]) -> Result<T, Reason>,
        each: &mut dyn FnMut(Option<T>),
    ) {
        let Fields { table, dialect, .. } = self.fields;
        for row in 0..table.rows() {
            let [date, time] = columns.map(|column| self.fields.text(row, column));
            let value = match (date, time) {
                (Some(date), Some(time)) => {
                    let (date, time) = (date.trim_ascii(), time.trim_ascii());
                    match [date, time].map(|text| dialect.style.nulls.contains(text)) {
                        [true, true] => Ok(None),
                        [false, false] => parse(&[date, time].join(&b' ')).map(Some),
                        _ => Err(Reason::Text),
                    }
                }
                _ => Err(Reason::Quote),
            };
            each(value.unwrap_or_else(|reason| {
                self.faults.push(Fault { row, column: self.column, reason });
                None
            }));
        }
    }

    /// A column of numbers, in the way the file writes them.
    fn number<T: ArrowPrimitiveType>(
        &mut self,
        data_type: &DataType,
        mut parse: impl FnMut(&[u8]) -> Result<T::Native, Reason>,
    ) -> ArrayRef {
        let style = &self.fields.dialect.style;
        if style.is_plain() && !style.nulls.has_numbers() {
            return self.primitive::<T>(data_type, parse);
        }
        let mut room = Vec::new();
        self.nullable::<T>(data_type, |field| {
            let plain = style.plain(field, &mut room)?;
            let value = parse(plain);
            // The word may have decimals, and the type none.
            if style.nulls.contains_number(plain) { Ok(None) } else { value.map(Some) }
        })
    }

    fn primitive<T: ArrowPrimitiveType>(
        &mut self,
        data_type: &DataType,
        mut parse: impl FnMut(&[u8]) -> Result<T::Native, Reason>,
    ) -> ArrayRef {
        self.nullable::<T>(data_type, |field| parse(field).map(Some))
    }

    #[inline]
    fn nullable<T: ArrowPrimitiveType>(
        &mut self,
        data_type: &DataType,
        parse: impl FnMut(&[u8]) -> Result<Option<T::Native>, Reason>,
    ) -> ArrayRef {
        let mut values = Vec::with_capacity(self.fields.table.rows());
        let mut nulls = Nulls::new();
        self.visit(parse, |value| {
            let value = value.flatten();
            if value.is_none() {
                nulls.push(values.len());
            }
            values.push(value.unwrap_or_default());
        });
        let nulls = nulls.finish(values.len());
        let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls);
        Arc::new(array.with_data_type(data_type.clone()))
    }

    fn times(
        &mut self,
        data_type: &DataType,
        unit: TimeUnit,
        parse: impl FnMut(&[u8]) -> Result<i64, Reason>,
    ) -> ArrayRef {
        match unit {
            TimeUnit::Second => self.primitive::<TimestampSecondType>(data_type, parse),
            TimeUnit::Millisecond => self.primitive::<TimestampMillisecondType>(data_type, parse),
            TimeUnit::Microsecond => self.primitive::<TimestampMicrosecondType>(data_type, parse),
            TimeUnit::Nanosecond => self.primitive::<TimestampNanosecondType>(data_type, parse),
        }
    }

    fn clocks(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let values = match data_type {
            DataType::Time32(unit) => {
                // A day has fewer milliseconds than this type holds.
                let read = |field: &[u8]| time_of_day(field, *unit).map(|time| time as i32);
                self.primitive::<Int32Type>(&DataType::Int32, read)
            }
            DataType::Time64(unit) => self.primitive::<Int64Type>(&DataType::Int64, |field| time_of_day(field, *unit)),
            DataType::Duration(unit) => self.primitive::<Int64Type>(&DataType::Int64, |field| duration(field, *unit)),
            other => return Err(ArrowError::NotYetImplemented(format!("times of type {other}"))),
        };
        values.to_data().into_builder().data_type(data_type.clone()).build().map(make_array)
    }

    fn booleans(&mut self, words_alone: bool) -> ArrayRef {
        let mut values = BooleanBufferBuilder::new(self.fields.table.rows());
        let mut nulls = Nulls::new();
        let known = &self.fields.dialect.style.booleans;
        self.visit(
            |field| if words_alone { known.parse_word(field) } else { known.parse(field) },
            |value| {
                if value.is_none() {
                    nulls.push(values.len());
                }
                values.append(value.unwrap_or_default());
            },
        );
        let nulls = nulls.finish(values.len());
        Arc::new(BooleanArray::new(values.finish(), nulls))
    }

    fn texts<O: OffsetSizeTrait>(&mut self) -> Result<ArrayRef, ArrowError> {
        let Fields { bytes, table, dialect, utf8 } = self.fields;
        let style = &dialect.style;
        let size: usize = table.column(self.place).map(|(start, end)| end - start).sum();
        let mut values: Vec<u8> = Vec::with_capacity(size + SHORT);
        let mut offsets = Vec::with_capacity(table.rows() + 1);
        offsets.push(O::default());
        let mut nulls = Nulls::new();
        for (row, (start, end)) in table.column(self.place).enumerate() {
            let field = dialect.trimmed(&bytes[start..end]);
            let field = if field.is_empty() { self.default } else { field };
            let plain = !dialect.is_quoted(field);
            let text;
            let mut null;
            let field = if plain {
                null = style.nulls.contains_text(field);
                field
            } else if let Some(unquoted) = dialect.unquoted(field) {
                text = unquoted;
                null = dialect.is_null_escape(field) || style.nulls.contains_quoted_text(&text);
                text.as_ref()
            } else {
                self.faults.push(Fault { row, column: self.column, reason: Reason::Quote });
                null = true;
                field
            };
            if !null && !utf8 && std::str::from_utf8(field).is_err() {
                self.faults.push(Fault { row, column: self.column, reason: Reason::Encoding });
                null = true;
            }
            if null {
                nulls.push(row);
            } else if plain
                && field.len() <= SHORT
                && field.len() <= end - start
                && let Some(wide) = bytes[start..].first_chunk::<SHORT>()
            {
                // Copies of a fixed length are faster.
                values.extend_from_slice(wide);
                values.truncate(values.len() - SHORT + field.len());
            } else {
                values.extend_from_slice(field);
            }
            offsets.push(O::usize_as(values.len()));
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        // All of it is UTF-8: each field was checked, or the whole, whose fields end at ASCII bytes.
        Ok(Arc::new(GenericStringArray::<O>::try_new(offsets, values.into(), nulls.finish(table.rows()))?))
    }
}

/// Which rows are null: few of them mostly, so that they are noted one by one.
struct Nulls(Vec<u32>);

impl Nulls {
    fn new() -> Self {
        Self(Vec::new())
    }

    #[inline]
    fn push(&mut self, row: usize) {
        self.0.push(row as u32);
    }

    fn finish(self, rows: usize) -> Option<NullBuffer> {
        if self.0.is_empty() {
            return None;
        }
        let mut valid = BooleanBufferBuilder::new(rows);
        valid.append_n(rows, true);
        for row in self.0 {
            valid.set_bit(row as usize, false);
        }
        Some(NullBuffer::new(valid.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One column of one chunk.  With `utf8` the caller vouches for its encoding.
    fn decoded(bytes: &[u8], data_type: &DataType, utf8: bool) -> (Result<ArrayRef, ArrowError>, usize) {
        let dialect = Dialect::default();
        let mut table = FieldIndex::default();
        table.scan(bytes, &dialect, 1);
        let fields = Fields { bytes, table: &table, dialect: &dialect, utf8 };
        let mut faults = Vec::new();
        let wanted = Wanted {
            column: 0,
            joins: None,
            data_type: data_type.clone(),
            format: TimeFormat::Iso,
            zone: Zone::None,
            inferred: false,
        };
        (column(fields, &wanted, Place::One(0), b"", &mut faults), faults.len())
    }

    /// What cannot happen must end the run: a column of nulls, or one of another type, would go unseen.
    #[test]
    fn a_column_that_cannot_be_built_is_an_error() {
        let broken = b"a\n\xff\n";
        let (array, faults) = decoded(broken, &DataType::Utf8, false);
        assert_eq!((array.unwrap().null_count(), faults), (1, 1));
        assert!(decoded(broken, &DataType::Utf8, true).0.is_err(), "not UTF-8, though the chunk was taken for it");
        assert!(decoded(broken, &DataType::LargeUtf8, true).0.is_err());
        let narrow = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let many: String = (0..200).map(|i| format!("{i}\n")).collect();
        assert!(decoded(many.as_bytes(), &narrow, true).0.is_err(), "more values than the dictionary has keys");
        assert!(decoded(b"1\n", &DataType::Float16, true).0.is_err(), "a type that no pipeline file names");
    }
}

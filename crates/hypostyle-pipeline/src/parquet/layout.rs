//! Columns as Parquet holds them: a type that it lacks becomes the next finer one that it has, wherever it is nested.
//!
//! | here | there |
//! |---|---|
//! | timestamp[s] | timestamp[ms] |
//! | time32[s] | time32[ms] |
//! | date64 | date32, where it holds whole days |
//! | intervals of months, days and nanoseconds | INTERVAL, where it holds whole milliseconds |
//! | run-end encoded | its values |

use std::sync::Arc;

use arrow::array::types::IntervalMonthDayNanoType;
use arrow::array::{Array, ArrayData, ArrayRef, AsArray, FixedSizeBinaryBuilder, make_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date64Type, Field, FieldRef, IntervalUnit, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::errors::Result as ParquetResult;
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

use crate::model::logical::children;

const DAY: i64 = 86_400_000;
/// The bytes of an INTERVAL: months, days and milliseconds, each without a sign.
const INTERVAL_BYTES: i32 = 12;

/// The columns as they are stored.
pub(super) fn stored(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new_with_metadata(
        schema.fields().iter().map(stored_field).collect::<Vec<_>>(),
        schema.metadata().clone(),
    ))
}

fn stored_field(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(stored_type(field.data_type())))
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(TimeUnit::Second, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone.clone()),
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Date64 => DataType::Date32,
        DataType::Interval(IntervalUnit::MonthDayNano) => DataType::FixedSizeBinary(INTERVAL_BYTES),
        DataType::RunEndEncoded(_, values) => stored_type(values.data_type()),
        DataType::Dictionary(keys, values) => DataType::Dictionary(keys.clone(), Box::new(stored_type(values))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(stored_field).collect()),
        DataType::List(item) => DataType::List(stored_field(item)),
        DataType::LargeList(item) => DataType::LargeList(stored_field(item)),
        DataType::ListView(item) => DataType::ListView(stored_field(item)),
        DataType::LargeListView(item) => DataType::LargeListView(stored_field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(stored_field(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(stored_field(entries), *sorted),
        other => other.clone(),
    }
}

/// The values as they are stored.
pub(super) fn store(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match (array.data_type(), to) {
        (DataType::Date64, DataType::Date32) => {
            let times = array.as_primitive::<Date64Type>();
            if let Some(time) = times.iter().flatten().find(|time| time % DAY != 0) {
                return Err(unfit(format!("a date64 of {time} ms is not a whole day, as Parquet's dates are")));
            }
            cast_with_options(array, to, &strict())
        }
        (DataType::Interval(IntervalUnit::MonthDayNano), DataType::FixedSizeBinary(_)) => intervals(array),
        (DataType::Dictionary(..), DataType::Dictionary(_, values)) => {
            let dictionary = array.as_any_dictionary();
            Ok(dictionary.with_values(store(dictionary.values(), values)?))
        }
        (DataType::RunEndEncoded(..), _) => cast_with_options(array, to, &strict()),
        (from, _) if from.is_nested() => nested(&array.to_data(), to).map(make_array),
        _ => cast_with_options(array, to, &strict()),
    }
}

fn strict() -> CastOptions<'static> {
    CastOptions { safe: false, format_options: FormatOptions::new() }
}

fn nested(data: &ArrayData, to: &DataType) -> Result<ArrayData, ArrowError> {
    let parts = data.child_data().iter().zip(children(to));
    let parts = parts.map(|(child, to)| store(&make_array(child.clone()), to).map(|array| array.into_data()));
    data.clone().into_builder().data_type(to.clone()).child_data(parts.collect::<Result<_, _>>()?).build()
}

fn intervals(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let mut bytes = FixedSizeBinaryBuilder::with_capacity(array.len(), INTERVAL_BYTES);
    for interval in array.as_primitive::<IntervalMonthDayNanoType>() {
        let Some(interval) = interval else {
            bytes.append_null();
            continue;
        };
        let millis =
            u32::try_from(interval.nanoseconds / 1_000_000).ok().filter(|_| interval.nanoseconds % 1_000_000 == 0);
        let parts = (u32::try_from(interval.months).ok(), u32::try_from(interval.days).ok(), millis);
        let (Some(months), Some(days), Some(millis)) = parts else {
            return Err(unfit(format!(
                "an interval of {} months, {} days and {} ns is negative or finer than milliseconds, which Parquet's are not",
                interval.months, interval.days, interval.nanoseconds
            )));
        };
        bytes.append_value([months, days, millis].map(u32::to_le_bytes).concat())?;
    }
    Ok(Arc::new(bytes.finish()))
}

fn unfit(message: String) -> ArrowError {
    ArrowError::InvalidArgumentError(message)
}

/// The schema of the file: that of the columns as they are stored, with intervals under their name.
pub(super) fn descriptor(schema: &Schema) -> ParquetResult<SchemaDescriptor> {
    let plain = ArrowSchemaConverter::new().convert(&stored(schema))?;
    let roots = plain.root_schema().get_fields().iter().zip(schema.fields());
    let roots = roots.map(|(root, field)| named(root, field.data_type())).collect::<ParquetResult<Vec<TypePtr>>>()?;
    let root = Type::group_type_builder(plain.root_schema().name()).with_fields(roots).build()?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

/// The part of the schema that holds values of this type.
fn named(part: &TypePtr, data_type: &DataType) -> ParquetResult<TypePtr> {
    let fields: Vec<&Field> = match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let is_required = part.get_basic_info().repetition() == Repetition::REQUIRED;
            let interval = Type::primitive_type_builder(part.name(), Physical::FIXED_LEN_BYTE_ARRAY)
                .with_converted_type(ConvertedType::INTERVAL)
                .with_length(INTERVAL_BYTES)
                .with_repetition(if is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL });
            return Ok(Arc::new(interval.build()?));
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => {
            // The group of the list has one of its items.
            let Some(items) = part.get_fields().first() else { return Ok(Arc::clone(part)) };
            let Some(inner) = items.get_fields().first() else { return Ok(Arc::clone(part)) };
            let items = with_fields(items, vec![named(inner, item.data_type())?])?;
            return with_fields(part, vec![items]);
        }
        DataType::Map(entries, _) => {
            let Some(pairs) = part.get_fields().first() else { return Ok(Arc::clone(part)) };
            return with_fields(part, vec![named(pairs, entries.data_type())?]);
        }
        DataType::Struct(fields) => fields.iter().map(|field| field.as_ref()).collect(),
        _ => return Ok(Arc::clone(part)),
    };
    let parts = part.get_fields().iter().zip(fields);
    with_fields(part, parts.map(|(part, field)| named(part, field.data_type())).collect::<ParquetResult<_>>()?)
}

fn with_fields(group: &TypePtr, fields: Vec<TypePtr>) -> ParquetResult<TypePtr> {
    let about = group.get_basic_info();
    let mut builder = Type::group_type_builder(group.name())
        .with_converted_type(about.converted_type())
        .with_logical_type(about.logical_type_ref().cloned())
        .with_fields(fields);
    if about.has_repetition() {
        builder = builder.with_repetition(about.repetition());
    }
    Ok(Arc::new(builder.build()?))
}

//! What the columns of a file are: which leaves hold their values, and which types they are read as.
//!
//! A column is found by its name and its leaves, never by its number: groups without a field have no values, and no place
//! among the columns of Arrow.  The types are those that the reader gives, but for three that lose something:
//!
//! - `ENUM` is text, not bytes.
//! - `INT96` is a moment of any year.  The reader gives nanoseconds, which end in 2262: here microseconds.  Where the file
//!   has Arrow's schema, its writer had the values in the type that stands there.
//! - `INTERVAL` is months, days and milliseconds, of which the reader gives a part.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{Compression, ConvertedType, LogicalType, Type};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, SchemaDescriptor};

use crate::files::list::TableVersion;

/// What is known of the columns from elsewhere than the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// The units of the moments of some columns.
    pub units: BTreeMap<String, TimeUnit>,
    /// The table that the file is part of.
    pub table: Option<Arc<TableVersion>>,
}

impl Known {
    /// What the table calls a column; nothing if it has none such.
    fn name<'a>(&'a self, field: &'a Field) -> &'a str {
        match &self.table {
            Some(table) => table.columns.of_field(field).map_or("", |column| &column.name),
            None => field.name(),
        }
    }

    /// The unit and the time zone of a column of moments that has none in the file.
    fn moment(&self, field: &Field) -> (Option<TimeUnit>, Option<Arc<str>>) {
        let column = self.table.as_ref().and_then(|table| table.columns.of_field(field));
        match column.map(|column| &column.data_type) {
            Some(DataType::Timestamp(unit, zone)) => (Some(*unit), zone.clone()),
            _ => (self.units.get(field.name()).copied(), None),
        }
    }
}

/// The columns of a file.
#[derive(Clone)]
pub(super) struct FileColumns {
    /// What they are read as.
    pub schema: SchemaRef,
    /// What they are called.
    pub names: Vec<String>,
    /// The leaves of each.
    pub leaves: Vec<Range<usize>>,
    /// How a column is decoded.
    pub decoding: Vec<Decoding>,
    /// For the columns that are decoded in one go.
    pub footer: ArrowReaderMetadata,
    /// For those that are decoded in two forms.
    pub forms: Option<[ArrowReaderMetadata; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoding {
    Once,
    /// In two forms, each of which holds what the other loses.
    Twice,
}

/// The part of a value that a column is read for.
#[derive(Clone, Copy)]
enum Form {
    Whole,
    First,
    Second,
}

impl FileColumns {
    pub fn of(footer: ArrowReaderMetadata, known: &Known) -> Result<Self> {
        let parquet = footer.parquet_schema();
        let leaves = leaves(&footer)?;
        let said = footer.metadata().file_metadata().key_value_metadata();
        let said = said.is_some_and(|pairs| pairs.iter().any(|pair| pair.key == ARROW_SCHEMA_META_KEY));
        let decoding = leaves.iter().map(|leaves| {
            let twofold =
                leaves.clone().any(|leaf| is_moment(&parquet.column(leaf)) || is_interval(&parquet.column(leaf)));
            if twofold { Decoding::Twice } else { Decoding::Once }
        });
        let decoding: Vec<Decoding> = decoding.collect();
        let typed = |form: Form| {
            let fields = footer.schema().fields().iter().zip(&leaves).map(|(field, leaves)| {
                let mut leaves = leaves.clone().map(|leaf| parquet.column(leaf));
                let (unit, zone) = known.moment(field);
                retyped(field, &mut leaves, &|leaf, data_type| match form {
                    Form::Whole => whole(leaf, data_type, unit, zone.clone(), said),
                    Form::First => part(leaf, data_type, TimeUnit::Second, IntervalUnit::YearMonth),
                    Form::Second => part(leaf, data_type, TimeUnit::Nanosecond, IntervalUnit::DayTime),
                })
            });
            let metadata = footer.schema().metadata().clone();
            Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata))
        };
        let read_as = |schema: SchemaRef| {
            let options = ArrowReaderOptions::new().with_schema(schema);
            ArrowReaderMetadata::try_new(Arc::clone(footer.metadata()), options)
        };
        let forms = match decoding.contains(&Decoding::Twice) {
            true => Some([read_as(typed(Form::First))?, read_as(typed(Form::Second))?]),
            false => None,
        };
        let schema = typed(Form::Whole);
        // Columns that are read twice have types which the reader doesn't know.
        let plain = forms.as_ref().map_or_else(|| Arc::clone(&schema), |forms| Arc::clone(forms[0].schema()));
        let footer = if plain == *footer.schema() { footer.clone() } else { read_as(plain)? };
        let names = schema.fields().iter().map(|field| known.name(field).to_string()).collect();
        Ok(Self { schema, names, leaves, decoding, footer, forms })
    }

    /// The names of the columns that are moments of `INT96`.
    pub fn moments(&self) -> Vec<String> {
        let parquet = self.footer.parquet_schema();
        let fields = self.schema.fields().iter().zip(&self.leaves);
        let found =
            fields.filter(|(field, leaves)| !field.data_type().is_nested() && is_moment(&parquet.column(leaves.start)));
        found.map(|(field, _)| field.name().clone()).collect()
    }

    /// The first column with a chunk of a compression that cannot be read, and its name.
    pub fn unreadable(&self) -> Option<(&str, Compression)> {
        let groups = self.footer.metadata().row_groups();
        self.schema.fields().iter().zip(&self.leaves).find_map(|(field, leaves)| {
            let chunks = groups.iter().flat_map(|group| group.columns().get(leaves.clone()).unwrap_or_default());
            let codecs = chunks.map(|chunk| chunk.compression());
            let odd = codecs.into_iter().find(|codec| matches!(codec, Compression::LZO));
            odd.map(|codec| (field.name().as_str(), codec))
        })
    }
}

/// The leaves of each column: those of the roots that have any.
fn leaves(footer: &ArrowReaderMetadata) -> Result<Vec<Range<usize>>> {
    let (schema, fields) = (footer.parquet_schema(), footer.schema().fields());
    let mut found: Vec<(usize, Range<usize>)> = Vec::new();
    for leaf in 0..schema.num_columns() {
        let root = schema.get_column_root_idx(leaf);
        match found.last_mut() {
            Some((last, leaves)) if *last == root => leaves.end = leaf + 1,
            _ => found.push((root, leaf..leaf + 1)),
        }
    }
    let names = found.iter().map(|(_, leaves)| schema.column(leaves.start).path().parts()[0].clone());
    if !names.eq(fields.iter().map(|field| field.name().clone())) {
        return Err(ParquetError::General("the columns of the schema have other names than their values".to_string()));
    }
    Ok(found.into_iter().map(|(_, leaves)| leaves).collect())
}

fn is_moment(leaf: &ColumnDescriptor) -> bool {
    leaf.physical_type() == Type::INT96
}

fn is_interval(leaf: &ColumnDescriptor) -> bool {
    leaf.converted_type() == ConvertedType::INTERVAL
}

/// Whether the bounds that the file notes for a leaf are those of the values that are read.
pub(super) fn has_bounds(schema: &SchemaDescriptor, leaf: usize) -> bool {
    let leaf = schema.column(leaf);
    !is_moment(&leaf) && !is_interval(&leaf)
}

fn is_enum(leaf: &ColumnDescriptor) -> bool {
    matches!(leaf.logical_type_ref(), Some(LogicalType::Enum)) || leaf.converted_type() == ConvertedType::ENUM
}

/// What a leaf is read as.
fn whole(
    leaf: &ColumnDescriptor,
    data_type: &DataType,
    unit: Option<TimeUnit>,
    zone: Option<Arc<str>>,
    said: bool,
) -> DataType {
    match data_type {
        DataType::Timestamp(known, own) if is_moment(leaf) && unit.is_some() => {
            DataType::Timestamp(unit.unwrap_or(*known), zone.or_else(|| own.clone()))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) if is_moment(leaf) && !said => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        DataType::Interval(_) if is_interval(leaf) => DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Binary if is_enum(leaf) => DataType::Utf8,
        DataType::LargeBinary if is_enum(leaf) => DataType::LargeUtf8,
        other => other.clone(),
    }
}

/// What a leaf is read as for a part of its values.
fn part(leaf: &ColumnDescriptor, data_type: &DataType, unit: TimeUnit, interval: IntervalUnit) -> DataType {
    match data_type {
        DataType::Timestamp(_, zone) if is_moment(leaf) => DataType::Timestamp(unit, zone.clone()),
        DataType::Interval(_) if is_interval(leaf) => DataType::Interval(interval),
        other => whole(leaf, other, None, None, true),
    }
}

/// The field with other types where its values are: those that `leaf_type` says of each of its leaves.
fn retyped(
    field: &FieldRef,
    leaves: &mut impl Iterator<Item = ColumnDescPtr>,
    leaf_type: &impl Fn(&ColumnDescriptor, &DataType) -> DataType,
) -> FieldRef {
    let mut inner = |field: &FieldRef| retyped(field, leaves, leaf_type);
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::ListView(item) => DataType::ListView(inner(item)),
        DataType::LargeListView(item) => DataType::LargeListView(inner(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => leaves.next().map_or_else(|| other.clone(), |leaf| leaf_type(&leaf, other)),
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

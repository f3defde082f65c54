//! Types as values rather than as bytes: which encodings hold the same values, and one turned into the other.
//!
//! Text is text, be it `string`, `large_string`, `string_view` or a dictionary of one of them; lists are lists whatever
//! their offsets and the name of their item; a column without a value has no type of its own.

use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, make_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;

/// Whether a column of one type can be read as the other without a value changing.
pub(crate) fn is_same(found: &DataType, wanted: &DataType) -> bool {
    found == wanted || *found == DataType::Null || logical(found) == logical(wanted)
}

/// The array as one of the type, which is the same but for its encoding.
pub(crate) fn conform(array: ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted {
        return Ok(array);
    }
    let strict = CastOptions { safe: false, format_options: FormatOptions::new() };
    match array.data_type() {
        // Lists and structs may differ in what their fields are called and in nothing else.
        found if found.is_nested() && is_like(found, wanted) => relabel(array.to_data(), wanted).map(make_array),
        _ => cast_with_options(&array, wanted, &strict),
    }
}

/// The encoding that stands for all that hold the same values.
fn logical(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => logical(values),
        DataType::RunEndEncoded(_, values) => logical(values.data_type()),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            DataType::List(nameless(item))
        }
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(nameless(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(bare).collect()),
        DataType::Map(entries, _) => match logical(entries.data_type()) {
            DataType::Struct(fields) => {
                let fields: Fields = fields.iter().map(nameless).collect();
                DataType::Map(Arc::new(Field::new("", DataType::Struct(fields), true)), false)
            }
            other => other,
        },
        DataType::Timestamp(unit, Some(zone)) if matches!(&**zone, "UTC" | "Etc/UTC" | "Z" | "+00:00") => {
            DataType::Timestamp(*unit, Some("UTC".into()))
        }
        other => other.clone(),
    }
}

fn bare(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new(field.name(), logical(field.data_type()), true))
}

fn nameless(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new("", logical(field.data_type()), true))
}

/// Whether nested types differ in the labels of their fields only, so that the data is laid out alike.
fn is_like(found: &DataType, wanted: &DataType) -> bool {
    let alike = |found: &FieldRef, wanted: &FieldRef| is_like(found.data_type(), wanted.data_type());
    match (found, wanted) {
        (DataType::List(found), DataType::List(wanted))
        | (DataType::LargeList(found), DataType::LargeList(wanted))
        | (DataType::ListView(found), DataType::ListView(wanted))
        | (DataType::LargeListView(found), DataType::LargeListView(wanted))
        | (DataType::Map(found, _), DataType::Map(wanted, _)) => alike(found, wanted),
        (DataType::FixedSizeList(found, one), DataType::FixedSizeList(wanted, other)) => {
            one == other && alike(found, wanted)
        }
        (DataType::Struct(found), DataType::Struct(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| alike(found, wanted))
        }
        (found, wanted) => found == wanted,
    }
}

/// The same data under another type, with the data of its fields under theirs.
fn relabel(data: ArrayData, wanted: &DataType) -> Result<ArrayData, ArrowError> {
    if !wanted.is_nested() {
        return Ok(data);
    }
    let children = data.child_data().iter().zip(children(wanted));
    let children = children.map(|(child, wanted)| relabel(child.clone(), wanted));
    let children = children.collect::<Result<_, _>>()?;
    data.into_builder().data_type(wanted.clone()).child_data(children).build()
}

/// What is found first in the type or in one that it is made of.
pub(crate) fn first_within<T>(data_type: &DataType, find: &impl Fn(&DataType) -> Option<T>) -> Option<T> {
    let inner = match data_type {
        DataType::Dictionary(_, values) => vec![&**values],
        DataType::RunEndEncoded(_, values) => vec![values.data_type()],
        other => children(other),
    };
    find(data_type).or_else(|| inner.into_iter().find_map(|inner| first_within(inner, find)))
}

/// The types of the arrays that a list or a struct is made of.
pub(crate) fn children(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => vec![item.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, DictionaryArray, ListArray, NullArray, StringArray, StringViewArray};
    use arrow::datatypes::{Int8Type, Int64Type};

    use super::*;

    fn list(name: &str, item: DataType) -> DataType {
        DataType::List(Arc::new(Field::new(name, item, true)))
    }

    #[test]
    fn encodings_of_the_same_values_are_the_same() {
        let dictionary = |values| DataType::Dictionary(Box::new(DataType::UInt32), Box::new(values));
        for (left, right) in [
            (DataType::Utf8, DataType::LargeUtf8),
            (DataType::Utf8View, dictionary(DataType::Utf8)),
            (DataType::Binary, DataType::BinaryView),
            (DataType::Null, DataType::Int64),
            (list("item", DataType::Utf8), list("element", DataType::Utf8View)),
        ] {
            assert!(is_same(&left, &right), "{left} {right}");
        }
        for (left, right) in [
            (DataType::Utf8, DataType::Binary),
            (DataType::Int32, DataType::Int64),
            (DataType::Int64, DataType::Null),
            (list("item", DataType::Int32), list("item", DataType::Int64)),
        ] {
            assert!(!is_same(&left, &right), "{left} {right}");
        }
    }

    #[test]
    fn values_stay_what_they_are() {
        let texts = vec![Some("a"), None, Some("b")];
        let arrays: [ArrayRef; 2] = [
            Arc::new(StringViewArray::from(texts.clone())),
            Arc::new(texts.clone().into_iter().collect::<DictionaryArray<Int8Type>>()),
        ];
        for array in arrays {
            let read = conform(array, &DataType::Utf8).unwrap();
            assert_eq!(*read.as_string::<i32>(), StringArray::from(texts.clone()));
        }
        let nulls = conform(Arc::new(NullArray::new(2)), &DataType::Int64).unwrap();
        assert_eq!((nulls.len(), nulls.null_count()), (2, 2));
        let items = vec![Some(vec![Some(1), None]), None];
        let array: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(items));
        let wanted = list("element", DataType::Int64);
        let read = conform(Arc::clone(&array), &wanted).unwrap();
        assert_eq!(*read.data_type(), wanted);
        assert_eq!(read.as_list::<i32>().value(0).as_ref(), array.as_list::<i32>().value(0).as_ref());
    }
}

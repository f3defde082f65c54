//! Lists, structs and maps in CSV, which has no place for them: as JSON.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, make_array};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;

use crate::model::types::in_utc;

/// Whether a type can be shown so.
pub(super) fn is_json(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_value(item.data_type())
        }
        DataType::Struct(fields) => fields.iter().all(|field| is_value(field.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields.iter().all(|field| is_value(field.data_type())),
            _ => false,
        },
        _ => false,
    }
}

fn is_value(data_type: &DataType) -> bool {
    !data_type.is_nested() || is_json(data_type)
}

/// A column of them as texts.
pub(super) fn as_json(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let texts = (0..column.len()).map(|row| {
        if column.is_null(row) {
            return Ok(None);
        }
        let mut text = String::new();
        write_value(&mut text, column, row).map(|()| Some(text))
    });
    Ok(Arc::new(texts.collect::<Result<StringArray, ArrowError>>()?))
}

fn write_value(out: &mut String, column: &ArrayRef, row: usize) -> Result<(), ArrowError> {
    if column.is_null(row) {
        out.push_str("null");
        return Ok(());
    }
    match column.data_type() {
        DataType::List(_) => write_items(out, &column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => write_items(out, &column.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => write_items(out, &column.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns();
            let names = fields.iter().map(|field| quoted(field.name()));
            write_fields(out, names.zip(columns.iter().map(|column| (column, row))))
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let names = (0..entries.len()).map(|entry| quoted(&shown(keys, entry)?));
            write_fields(out, names.zip((0..entries.len()).map(|entry| (values, entry))))
        }
        data_type => {
            let text = shown(column, row)?;
            let is_plain = match data_type {
                DataType::Boolean => true,
                // JSON has neither NaN nor infinity.
                found if found.is_integer() || found.is_floating() => text.parse::<f64>().is_ok_and(f64::is_finite),
                _ => false,
            };
            out.push_str(&if is_plain { text } else { quoted(&text)? });
            Ok(())
        }
    }
}

fn write_items(out: &mut String, items: &ArrayRef) -> Result<(), ArrowError> {
    out.push('[');
    for item in 0..items.len() {
        if item > 0 {
            out.push(',');
        }
        write_value(out, items, item)?;
    }
    out.push(']');
    Ok(())
}

fn write_fields<'a>(
    out: &mut String,
    fields: impl Iterator<Item = (Result<String, ArrowError>, (&'a ArrayRef, usize))>,
) -> Result<(), ArrowError> {
    out.push('{');
    for (index, (name, (column, row))) in fields.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&name?);
        out.push(':');
        write_value(out, column, row)?;
    }
    out.push('}');
    Ok(())
}

/// The value as a column of its type shows it.
fn shown(column: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    match column.data_type() {
        found @ DataType::Timestamp(_, Some(_)) => {
            let value = column.slice(row, 1).to_data().into_builder().data_type(in_utc(found)).build()?;
            array_value_to_string(&make_array(value), 0)
        }
        _ => array_value_to_string(column, row),
    }
}

fn quoted(text: &str) -> Result<String, ArrowError> {
    serde_json::to_string(text).map_err(|error| ArrowError::JsonError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use arrow::array::builder::{Int64Builder, MapBuilder, StringBuilder};
    use arrow::array::{Float64Array, Int64Array, ListArray, StringArray, StructArray, TimestampSecondArray};
    use arrow::datatypes::{Field, Int64Type};

    use super::*;

    fn texts(column: ArrayRef) -> Vec<Option<String>> {
        assert!(is_json(column.data_type()));
        let texts = as_json(&column).unwrap();
        texts.as_string::<i32>().iter().map(|text| text.map(String::from)).collect()
    }

    #[test]
    fn lists_structs_and_maps_are_json() {
        let lists = [Some(vec![Some(1), None]), None, Some(vec![])];
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists));
        assert_eq!(texts(lists), [Some("[1,null]".into()), None, Some("[]".into())]);
        let columns: [(&str, ArrayRef); 4] = [
            ("z", Arc::new(Int64Array::from(vec![Some(7), None]))),
            ("a \"b\"", Arc::new(StringArray::from(vec!["x, \"y\"\n", ""]))),
            ("f", Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
            ("t", Arc::new(TimestampSecondArray::from(vec![0, 1]).with_timezone("Europe/Berlin"))),
        ];
        let fields =
            columns.map(|(name, column)| (Arc::new(Field::new(name, column.data_type().clone(), true)), column));
        let expected = [
            r#"{"z":7,"a \"b\"":"x, \"y\"\n","f":0.5,"t":"1970-01-01T00:00:00Z"}"#,
            r#"{"z":null,"a \"b\"":"","f":"NaN","t":"1970-01-01T00:00:01Z"}"#,
        ];
        let structs: ArrayRef = Arc::new(StructArray::from(fields.to_vec()));
        assert_eq!(texts(structs), expected.map(|text| Some(text.to_string())));
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
        maps.keys().append_value("k");
        maps.values().append_value(1);
        maps.append(true).unwrap();
        let maps: ArrayRef = Arc::new(maps.finish());
        assert_eq!(texts(maps), [Some(r#"{"k":1}"#.to_string())]);
    }
}

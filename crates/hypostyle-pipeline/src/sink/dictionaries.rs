//! The dictionaries of an Arrow IPC file, of which each column has one: values that come later are put behind those that are
//! there, and keys are counted anew.
//!
//! Batches come with dictionaries of their own, as the input's batches had them or a decoder made them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array, make_array};
use arrow::compute::{CastOptions, cast, cast_with_options, concat, take};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow::util::display::FormatOptions;

/// The dictionaries so far, by column.
pub(super) struct Dictionaries(Vec<Option<Dictionary>>);

struct Dictionary {
    values: ArrayRef,
    /// Where each value stands.
    places: HashMap<OwnedRow, i64>,
    rows: RowConverter,
}

impl Dictionaries {
    pub fn new(schema: &SchemaRef) -> Result<Self, ArrowError> {
        let of_column = |data_type: &DataType| match data_type {
            DataType::Dictionary(_, values) => Dictionary::new(values).map(Some),
            _ => Ok(None),
        };
        schema.fields().iter().map(|field| of_column(field.data_type())).collect::<Result<_, _>>().map(Self)
    }

    /// The batch with the keys of the file's dictionaries.
    pub fn unify(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.0.iter().all(Option::is_none) {
            return Ok(batch.clone());
        }
        let columns = batch.columns().iter().zip(&mut self.0).map(|(column, known)| match known {
            Some(known) => known.unify(column),
            None => Ok(Arc::clone(column)),
        });
        RecordBatch::try_new(batch.schema(), columns.collect::<Result<_, _>>()?)
    }
}

impl Dictionary {
    fn new(values: &DataType) -> Result<Self, ArrowError> {
        let rows = RowConverter::new(vec![SortField::new(values.clone())])?;
        Ok(Self { values: arrow::array::new_empty_array(values), places: HashMap::new(), rows })
    }

    fn unify(&mut self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let (dictionary, data_type) = (column.as_any_dictionary(), column.data_type());
        let rows = self.rows.convert_columns(&[Arc::clone(dictionary.values())])?;
        let mut places = Vec::with_capacity(rows.num_rows());
        let mut new = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let next = (self.values.len() + new.len()) as i64;
            places.push(*self.places.entry(row.owned()).or_insert_with(|| {
                new.push(index as u32);
                next
            }));
        }
        if !new.is_empty() {
            let new = take(dictionary.values(), &UInt32Array::from(new), None)?;
            self.values = concat(&[&*self.values, &*new])?;
        }
        let keys = cast(dictionary.keys(), &DataType::Int64)?;
        let keys = take(&Int64Array::from(places), keys.as_primitive::<Int64Type>(), None)?;
        let DataType::Dictionary(key_type, _) = data_type else { return Ok(Arc::clone(column)) };
        let strict = CastOptions { safe: false, format_options: FormatOptions::new() };
        let keys = cast_with_options(&keys, key_type, &strict).map_err(|_| ArrowError::DictionaryKeyOverflowError)?;
        let data = keys.into_data().into_builder().data_type(data_type.clone()).child_data(vec![self.values.to_data()]);
        data.build().map(make_array)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::DictionaryArray;
    use arrow::datatypes::{Field, Int8Type, Schema};

    use super::*;

    #[test]
    fn a_column_has_one_dictionary_that_grows() {
        let data_type = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let schema = Arc::new(Schema::new(vec![Field::new("d", data_type, true)]));
        let mut dictionaries = Dictionaries::new(&schema).unwrap();
        let mut before: Option<ArrayRef> = None;
        for texts in [&[Some("a"), None, Some("b")][..], &[Some("c"), Some("b")], &[Some("a")]] {
            let column: DictionaryArray<Int8Type> = texts.iter().copied().collect();
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(column)]).unwrap();
            let unified = dictionaries.unify(&batch).unwrap();
            let dictionary = unified.column(0).as_any_dictionary();
            let read = cast(unified.column(0), &DataType::Utf8).unwrap();
            assert_eq!(read.as_string::<i32>().iter().collect::<Vec<_>>(), texts);
            if let Some(before) = before {
                assert_eq!(dictionary.values().slice(0, before.len()).as_ref(), before.as_ref());
            }
            before = Some(Arc::clone(dictionary.values()));
        }
        assert_eq!(before.unwrap().len(), 3);
    }
}

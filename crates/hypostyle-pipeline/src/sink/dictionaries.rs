//! Arrow IPC files with dictionaries, of which each column has one: values that come later are put behind those that are there,
//! and keys are counted anew.
//!
//! Batches come with dictionaries of their own, as the input's batches had them or a decoder made them.  The format lets a
//! dictionary grow from batch to batch, but not every reader does.  So the batches go to a temporary file with dictionaries that
//! grow, and from there to the output, with those that are whole.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array, make_array};
use arrow::compute::{CastOptions, cast, cast_with_options, concat, take};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions};
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow::util::display::FormatOptions;

use super::Out;
use crate::error::{Error, ErrorKind, Result};

/// A file with dictionaries that is being written.
pub(crate) struct DictionaryFile {
    out: Out,
    options: IpcWriteOptions,
    schema: SchemaRef,
    dictionaries: Dictionaries,
    /// The temporary file.
    file: File,
    writer: FileWriter<BufWriter<File>>,
}

impl DictionaryFile {
    /// Whether one of the columns has a dictionary.
    pub fn is_for(schema: &SchemaRef) -> bool {
        schema.fields().iter().any(|field| matches!(field.data_type(), DataType::Dictionary(..)))
    }

    pub fn begin(out: Out, schema: &SchemaRef, options: IpcWriteOptions) -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| {
            let message = format!("cannot create a temporary file for the output: {error}");
            Error::new(ErrorKind::Sink, message).in_file(&std::env::temp_dir()).because(error)
        })?;
        let growing = IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta);
        let buffered = BufWriter::with_capacity(1 << 20, file.try_clone().map_err(Error::unwritable)?);
        let writer = FileWriter::try_new_with_options(buffered, schema, growing).map_err(Error::unwritable)?;
        let dictionaries = Dictionaries::new(schema).map_err(Error::unwritable)?;
        Ok(Self { out, options, schema: Arc::clone(schema), dictionaries, file, writer })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = self.dictionaries.unify(batch).map_err(|error| match error {
            ArrowError::DictionaryKeyOverflowError => {
                Error::new(ErrorKind::Sink, "a dictionary has more values than its keys can count")
                    .help("write Parquet, or leave the column out of columns in [sink]")
            }
            error => Error::unwritable(error),
        })?;
        self.writer.write(&batch).map_err(Error::unwritable)
    }

    /// Writes the output, which is given back.
    pub fn finish(mut self) -> Result<Out> {
        self.writer.finish().map_err(Error::unwritable)?;
        self.file.seek(SeekFrom::Start(0)).map_err(Error::unwritable)?;
        let batches = FileReader::try_new(BufReader::new(self.file), None).map_err(Error::unwritable)?;
        let writer = FileWriter::try_new_with_options(self.out, &self.schema, self.options);
        let mut writer = writer.map_err(Error::unwritable)?;
        for batch in batches {
            batch.and_then(|batch| writer.write(&batch)).map_err(Error::unwritable)?;
        }
        writer.finish().and_then(|()| writer.into_inner()).map_err(Error::unwritable)
    }
}

/// The dictionaries so far, by column.
struct Dictionaries(Vec<Option<Dictionary>>);

struct Dictionary {
    values: ArrayRef,
    /// Where each value stands.
    places: HashMap<OwnedRow, i64>,
    rows: RowConverter,
}

impl Dictionaries {
    fn new(schema: &SchemaRef) -> std::result::Result<Self, ArrowError> {
        let of_column = |data_type: &DataType| match data_type {
            DataType::Dictionary(_, values) => Dictionary::new(values).map(Some),
            _ => Ok(None),
        };
        schema
            .fields()
            .iter()
            .map(|field| of_column(field.data_type()))
            .collect::<std::result::Result<_, _>>()
            .map(Self)
    }

    /// The batch with the keys of the file's dictionaries.
    fn unify(&mut self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
        if self.0.iter().all(Option::is_none) {
            return Ok(batch.clone());
        }
        let columns = batch.columns().iter().zip(&mut self.0).map(|(column, known)| match known {
            Some(known) => known.unify(column),
            None => Ok(Arc::clone(column)),
        });
        RecordBatch::try_new(batch.schema(), columns.collect::<std::result::Result<_, _>>()?)
    }
}

impl Dictionary {
    fn new(values: &DataType) -> std::result::Result<Self, ArrowError> {
        let rows = RowConverter::new(vec![SortField::new(values.clone())])?;
        Ok(Self { values: arrow::array::new_empty_array(values), places: HashMap::new(), rows })
    }

    fn unify(&mut self, column: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
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

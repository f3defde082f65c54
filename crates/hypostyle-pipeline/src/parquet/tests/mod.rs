//! Reading and writing beside the plain reader and writer of the `parquet` crate, which stay as the reference.

mod read;
mod write;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListBuilder,
    PrimitiveBuilder, RecordBatch, RecordBatchOptions, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;

use super::ParquetFile;
use crate::error::Result;
use crate::files::input::InputFile;

const KINDS: usize = 9;

/// Noise that is the same every time.
fn noise(seed: usize, row: usize) -> usize {
    let mut x =
        (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (row as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 31;
    (x.wrapping_mul(0x94D0_49BB_1331_11EB) >> 33) as usize
}

/// A column of one of the [`KINDS`], with nulls.
fn column(kind: usize, rows: usize) -> ArrayRef {
    let some = |row: usize| (!noise(kind, row).is_multiple_of(7)).then(|| noise(kind + 100, row));
    let words = |row: usize| some(row).map(|x| format!("word{}", x % 50));
    let numbers = (0..rows).map(|row| some(row).map(|x| x as i64));
    let lists = || {
        let mut lists = ListBuilder::new(PrimitiveBuilder::<Int64Type>::new());
        for row in 0..rows {
            lists.append_option(some(row).map(|x| (0..x % 4).map(move |i| (i != 2).then_some((x + i) as i64))));
        }
        Arc::new(lists.finish()) as ArrayRef
    };
    match kind {
        0 => Arc::new(Int64Array::from_iter(numbers)),
        1 => Arc::new(Float64Array::from_iter(
            numbers.map(|x| x.map(|x| if x % 11 == 0 { f64::NAN } else { 1.0 / x as f64 })),
        )),
        2 => Arc::new(StringArray::from_iter((0..rows).map(words))),
        3 => {
            let words: Vec<Option<String>> = (0..rows).map(words).collect();
            Arc::new(words.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>())
        }
        4 => {
            let decimals = Decimal128Array::from_iter(numbers.map(|x| x.map(i128::from)));
            Arc::new(decimals.with_precision_and_scale(30, 4).unwrap())
        }
        5 => Arc::new(BooleanArray::from_iter((0..rows).map(|row| some(row).map(|x| x % 2 == 0)))),
        6 => {
            let moments = (0..rows).map(|row| (row * 1_000 + noise(6, row) % 1_000) as i64);
            Arc::new(TimestampMicrosecondArray::from_iter_values(moments).with_timezone("UTC"))
        }
        7 => lists(),
        _ => {
            let fields: Vec<Field> = [("a", DataType::Float64), ("b", lists().data_type().clone())]
                .map(|(name, data_type)| Field::new(name, data_type, true))
                .to_vec();
            let valid = (0..rows).map(|row| !noise(kind, row).is_multiple_of(5)).collect();
            Arc::new(StructArray::new(Fields::from(fields), vec![column(1, rows), lists()], Some(valid)))
        }
    }
}

/// A table with a column of each of these kinds.
fn table(kinds: &[usize], rows: usize) -> RecordBatch {
    let arrays: Vec<ArrayRef> = kinds.iter().map(|kind| column(*kind, rows)).collect();
    let fields = arrays.iter().enumerate();
    let fields: Vec<Field> = fields.map(|(i, a)| Field::new(format!("c{i}"), a.data_type().clone(), true)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).unwrap()
}

fn write_plain(path: &Path, table: &RecordBatch, group_rows: usize) {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .set_data_page_row_count_limit(37)
        .set_write_batch_size(16);
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, table.schema(), Some(properties.build())).unwrap();
    writer.write(table).unwrap();
    writer.close().unwrap();
}

fn read_plain(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = Arc::clone(builder.schema());
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(|batch| batch.unwrap()).collect();
    concat_batches(&schema, &batches).unwrap()
}

fn schema_of(file: &ParquetFile, columns: &[usize]) -> SchemaRef {
    let fields = file.schema().fields();
    let field = |column: &usize| Field::new(fields[*column].name(), fields[*column].data_type().clone(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// The rows of these columns until the end or an error, and how it ended.
fn read(path: &Path, columns: &[usize], rows: usize, threads: usize, skip: u64) -> (Vec<RecordBatch>, Result<()>) {
    let file = ParquetFile::open(&InputFile::local(path), &Default::default()).unwrap();
    let schema = schema_of(&file, columns);
    let mut batches =
        file.batches(&columns.iter().copied().map(Some).collect::<Vec<_>>(), schema, rows, threads, skip).unwrap();
    let mut all = Vec::new();
    loop {
        match batches.next() {
            Ok(Some((batch, _))) => all.push(batch),
            Ok(None) => return (all, Ok(())),
            Err(error) => {
                assert!(batches.next().unwrap().is_none(), "there is nothing after an error");
                return (all, Err(error));
            }
        }
    }
}

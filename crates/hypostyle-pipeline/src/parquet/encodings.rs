//! How the columns of a row group are encoded, by what its first batch holds.
//!
//! A dictionary is right for prices, sizes and names, and a waste for values that hardly repeat: they are hashed until the
//! dictionary is full, and then written out as they are.  So the first rows of the row group are looked at.  A column
//! whose values hardly repeat there goes without a dictionary, integers and timestamps as differences
//! (`DELTA_BINARY_PACKED`), everything else plainly.  Such a column may hardly become smaller by compression either, and
//! is not compressed then, which saves whoever reads it time as well.
//!
//! Tried on trades, against the default of the `parquet` crate: increasing times and rolling means and deviations become
//! smaller and faster so; prices without a dictionary would become larger and slower.  `BYTE_STREAM_SPLIT` makes
//! deviations a little smaller and means much larger; longer pages help nothing.
//!
//! Statistics cost a good part of the time of short strings, and little elsewhere.  Texts that come again and again in no
//! order span all of their values in every page and row group, so that no reader can skip any by them: they have none.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::kernels::cmp::gt;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use foldhash::fast::FixedState;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, Encoding, Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::SchemaDescriptor;

/// The number of rows sampled.
const SAMPLE: usize = 8_192;

/// Fewer values than this say nothing.
const ENOUGH: usize = SAMPLE / 2;

/// Fewer neighbours than this say nothing either; where many values are null, few have one.
const ENOUGH_PAIRS: usize = SAMPLE / 64;

/// Compression that saves less than one byte in this number is not worth its time.
const SAVED: i64 = 10;

/// What holds for all row groups.
pub(super) fn properties(compression: Codec) -> WriterProperties {
    WriterProperties::builder().set_compression(compression).build()
}

/// What holds for the row group that begins with this batch.
pub(super) fn for_group(
    common: &WriterProperties,
    schema: &SchemaDescriptor,
    first: &RecordBatch,
) -> ParquetResult<WriterProperties> {
    let mut properties = common.clone().into_builder();
    let mut bare = Vec::new();
    for (index, leaf) in schema.columns().iter().enumerate() {
        let array = first.column(schema.get_column_root_idx(index));
        if array.data_type().is_nested() {
            continue;
        }
        let sample = array.slice(0, array.len().min(SAMPLE));
        if !hardly_repeats(&sample)? {
            if leaf.physical_type() == Type::BYTE_ARRAY && has_no_order(&sample)? {
                properties = properties.set_column_statistics_enabled(leaf.path().clone(), EnabledStatistics::None);
            }
            continue;
        }
        properties = properties.set_column_dictionary_enabled(leaf.path().clone(), false);
        if matches!(leaf.physical_type(), Type::INT32 | Type::INT64) {
            properties = properties.set_column_encoding(leaf.path().clone(), Encoding::DELTA_BINARY_PACKED);
        }
        if common.compression(leaf.path()) != Codec::UNCOMPRESSED {
            bare.push((schema.get_column_root_idx(index), leaf.path().clone()));
        }
    }
    let properties = properties.build();
    if bare.is_empty() {
        return Ok(properties);
    }
    let (columns, paths): (Vec<_>, Vec<_>) = bare.into_iter().unzip();
    let hardly_shrink = hardly_shrink(&first.slice(0, first.num_rows().min(SAMPLE)).project(&columns)?, &properties)?;
    let mut properties = properties.into_builder();
    for (path, _) in paths.into_iter().zip(hardly_shrink).filter(|(_, hardly_shrinks)| *hardly_shrinks) {
        properties = properties.set_column_compression(path, Codec::UNCOMPRESSED);
    }
    Ok(properties.build())
}

/// For each column of the sample, whether compression saves hardly anything: it is tried.
fn hardly_shrink(sample: &RecordBatch, properties: &WriterProperties) -> ParquetResult<Vec<bool>> {
    let mut writer = ArrowWriter::try_new(std::io::sink(), sample.schema(), Some(properties.clone()))?;
    writer.write(sample)?;
    let about = writer.close()?;
    let columns = about.row_groups().iter().flat_map(|group| group.columns());
    Ok(columns.map(|column| column.compressed_size() > column.uncompressed_size() * (SAVED - 1) / SAVED).collect())
}

/// Whether more than one value in eight is followed by a smaller one.
fn has_no_order(sample: &ArrayRef) -> Result<bool, ArrowError> {
    if sample.len() < ENOUGH {
        return Ok(false);
    }
    let pairs = sample.len() - 1;
    let falls = gt(&sample.slice(0, pairs), &sample.slice(1, pairs))?;
    let pairs = falls.len() - falls.null_count();
    Ok(pairs >= ENOUGH_PAIRS && falls.true_count() * 8 > pairs)
}

/// Whether more than three in four of the values differ.
fn hardly_repeats(sample: &ArrayRef) -> Result<bool, ArrowError> {
    let values = sample.len() - sample.logical_null_count();
    if values < ENOUGH {
        return Ok(false);
    }
    let fields = vec![SortField::new(sample.data_type().clone())];
    let rows = RowConverter::new(fields)?.convert_columns(std::slice::from_ref(sample))?;
    let mut different = HashSet::with_capacity_and_hasher(rows.num_rows(), FixedState::default());
    for (row, value) in rows.iter().enumerate() {
        different.insert(value);
        let left = rows.num_rows() - row - 1;
        if different.len() * 4 > values * 3 {
            return Ok(true);
        }
        if (different.len() + left) * 4 <= values * 3 {
            break;
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Float64Array, Int64Array, StringArray};
    use arrow::datatypes::Int32Type;
    use parquet::arrow::ArrowSchemaConverter;
    use parquet::schema::types::ColumnPath;

    use super::*;

    #[test]
    fn only_values_that_hardly_repeat_go_without_a_dictionary() {
        let n = SAMPLE as i64;
        let arrays: [(bool, ArrayRef); 7] = [
            (true, Arc::new(Int64Array::from_iter_values(0..n))),
            (false, Arc::new(Int64Array::from_iter_values((0..n).map(|i| i / 2)))),
            (true, Arc::new(Float64Array::from_iter_values((0..n).map(|i| 1.0 / i as f64)))),
            (true, Arc::new(StringArray::from_iter_values((0..n).map(|i| i.to_string())))),
            (false, Arc::new((0..n).map(|i| ["a", "b", "c"][i as usize % 3]).collect::<DictionaryArray<Int32Type>>())),
            (false, Arc::new(Int64Array::from_iter_values(0..100))),
            (false, Arc::new(Int64Array::from_iter((0..n).map(|i| (i % 9 == 0).then_some(i))))),
        ];
        for (index, (wanted, array)) in arrays.iter().enumerate() {
            assert_eq!(hardly_repeats(array).unwrap(), *wanted, "array {index}");
        }
    }

    #[test]
    fn texts_that_repeat_in_no_order_have_no_statistics() {
        let n = SAMPLE;
        let text = |of: &dyn Fn(usize) -> Option<String>| Arc::new((0..n).map(of).collect::<StringArray>()) as ArrayRef;
        let mix = |i: usize| i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let spread = |i: usize| mix(mix(i) >> 32) >> 40;
        let columns = [
            (false, "random", text(&|i| Some(format!("S{}", spread(i) % 500)))),
            (false, "two", text(&|i| Some(["buy", "sell"][spread(i) % 2].into()))),
            (false, "mostly_null", text(&|i| (spread(i) % 4 == 0).then(|| format!("note {}", spread(i) % 1000)))),
            (true, "sorted", text(&|i| Some(format!("{:05}", i / 9)))),
            (true, "in_blocks", text(&|i| Some(format!("{}", spread(i / 100) % 500)))),
            (true, "never_again", text(&|i| Some(format!("2024-01-01 {}", spread(i))))),
            (true, "null", text(&|_| None)),
            (true, "number", Arc::new((0..n as i64).map(|i| i * 7 % 10).collect::<Int64Array>())),
        ];
        let batch = RecordBatch::try_from_iter(columns.iter().map(|(_, name, array)| (*name, array.clone()))).unwrap();
        let common = properties(Codec::UNCOMPRESSED);
        let schema = ArrowSchemaConverter::new().convert(&batch.schema()).unwrap();
        let chosen = for_group(&common, &schema, &batch).unwrap();
        for (wanted, name, _) in columns {
            let statistics = chosen.statistics_enabled(&ColumnPath::from(name));
            assert_eq!(statistics == EnabledStatistics::Page, wanted, "{name}: {statistics:?}");
        }
        let few = for_group(&common, &schema, &batch.slice(0, ENOUGH - 1)).unwrap();
        assert_eq!(few.statistics_enabled(&ColumnPath::from("random")), EnabledStatistics::Page);
    }
}

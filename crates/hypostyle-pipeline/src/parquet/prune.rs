//! The row groups that a filter skips: those in which, by their statistics, no row can match.
//!
//! Statistics are bounds: texts may be cut short, NaNs are left out, and what is missing says nothing.  Where there is doubt
//! the group is read: without statistics, with a bound that is a NaN or lies on the wrong side of the other, with the
//! old fields `min` and `max` (whose order depended on the writer), with an order that isn't the one that we compare by.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::cmp::lt_eq;
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::SortOrder;
use parquet::file::statistics::Statistics;

use super::columns::{FileColumns, has_bounds};
use crate::rules::bounds::Bounds;
use crate::rules::test::Test;

/// Whether each row group can be skipped, by the tests of the columns of these numbers.
pub(super) fn skipped(columns: &FileColumns, tests: &[(usize, Test)]) -> Vec<bool> {
    let footer = &columns.footer;
    let groups = footer.metadata().row_groups();
    let mut skipped = vec![false; groups.len()];
    for (column, test) in tests {
        let Some(leaf) = leaf(columns, *column) else { continue };
        let could = bounds(footer, *column, leaf).and_then(|bounds| test.could_keep(&bounds).ok());
        for (group, skipped) in skipped.iter_mut().enumerate() {
            // A missing value meets no condition.
            let nulls = groups[group].column(leaf).statistics().and_then(Statistics::null_count_opt);
            let rows = u64::try_from(groups[group].num_rows()).unwrap_or(0);
            let could = could.as_ref().is_none_or(|could| could.is_null(group) || could.value(group));
            *skipped |= rows > 0 && (nulls == Some(rows) || !could);
        }
    }
    skipped
}

/// The number of a column among those that hold values, if it is one of them itself.
fn leaf(columns: &FileColumns, column: usize) -> Option<usize> {
    let leaves = columns.leaves.get(column)?;
    (leaves.len() == 1 && !columns.schema.field(column).data_type().is_nested()).then_some(leaves.start)
}

/// The bounds of a column in each row group; null where they aren't known, or cannot be believed.
fn bounds(footer: &ArrowReaderMetadata, column: usize, leaf: usize) -> Option<Bounds> {
    let (field, schema) = (footer.schema().field(column), footer.parquet_schema());
    if !has_bounds(schema, leaf) {
        return None;
    }
    if field.data_type().is_unsigned_integer() && schema.column(leaf).sort_order() != SortOrder::UNSIGNED {
        return None;
    }
    let groups = footer.metadata().row_groups();
    let statistics: Vec<_> = groups.iter().map(|group| group.column(leaf).statistics()).collect();
    if !statistics.iter().flatten().all(|statistics| is_readable(statistics, field.data_type())) {
        return None;
    }
    let converter = StatisticsConverter::from_column_index(leaf, field, schema).ok()?;
    let (least, greatest) = (converter.row_group_mins(groups).ok()?, converter.row_group_maxes(groups).ok()?);
    let known = [lt_eq(&least, &greatest), no_nan(&least), no_nan(&greatest)];
    let known = known.into_iter().collect::<Result<Vec<_>, ArrowError>>().ok()?;
    let doubtful = statistics.iter().enumerate().map(|(group, statistics)| {
        statistics.is_none_or(Statistics::is_min_max_deprecated)
            || known.iter().any(|known| known.is_null(group) || !known.value(group))
    });
    let doubtful = BooleanArray::from(doubtful.collect::<Vec<bool>>());
    let exact = statistics.iter().map(|statistics| statistics.is_some_and(|s| s.min_is_exact() && s.max_is_exact()));
    Some(Bounds {
        least: nullif(&least, &doubtful).ok()?,
        greatest: nullif(&greatest, &doubtful).ok()?,
        exact: exact.collect::<Vec<bool>>().into(),
    })
}

/// Whether the converter can read the statistics: it panics at a decimal of more bytes than its type has.
fn is_readable(statistics: &Statistics, data_type: &DataType) -> bool {
    match (statistics, data_type) {
        (Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_), data_type) if data_type.is_decimal() => {
            let bounds = [statistics.min_bytes_opt(), statistics.max_bytes_opt()];
            let most = data_type.primitive_width().unwrap_or(0);
            bounds.into_iter().flatten().all(|bytes| (1..=most).contains(&bytes.len()))
        }
        _ => true,
    }
}

/// Which bounds are no NaN.
fn no_nan(bounds: &ArrayRef) -> Result<BooleanArray, ArrowError> {
    if !bounds.data_type().is_floating() {
        return Ok(vec![true; bounds.len()].into());
    }
    let wide = cast(bounds, &DataType::Float64)?;
    Ok(wide.as_primitive::<Float64Type>().iter().map(|bound| bound.map(|bound| !bound.is_nan())).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::arrow::arrow_reader::ArrowReaderOptions;
    use parquet::data_type::{ByteArray, FixedLenByteArray};
    use parquet::file::metadata::{ColumnChunkMetaData, FileMetaData, ParquetMetaData, RowGroupMetaData};
    use parquet::file::statistics::ValueStatistics;
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;
    use crate::config::FilterTable;
    use crate::model::column::{Column, Origin};

    /// Whether a group of ten rows of this column and these statistics is left unread.
    fn is_skipped(column: &str, statistics: Option<Statistics>, condition: &str) -> bool {
        let end = if column.ends_with('}') { "" } else { ";" };
        let message = parse_message_type(&format!("message m {{ {column}{end} }}")).unwrap();
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(message)));
        let mut chunk = ColumnChunkMetaData::builder(schema.column(0));
        if let Some(statistics) = statistics {
            chunk = chunk.set_statistics(statistics);
        }
        let group = RowGroupMetaData::builder(Arc::clone(&schema)).set_num_rows(10);
        let group = group.set_column_metadata(vec![chunk.build().unwrap()]).build().unwrap();
        let file = FileMetaData::new(1, 10, None, None, schema, None);
        let footer = Arc::new(ParquetMetaData::new(file, vec![group]));
        let footer = ArrowReaderMetadata::try_new(footer, ArrowReaderOptions::new()).unwrap();
        let footer = FileColumns::of(footer, &Default::default()).unwrap();
        let column = Column::new("x", footer.schema.field(0).data_type().clone(), Origin::File);
        let table: FilterTable = toml::from_str(condition).unwrap();
        let tests = Test::read(table.conditions(), &column, "[source.filter]").unwrap();
        skipped(&footer, &tests.into_iter().map(|(test, _)| (0, test)).collect::<Vec<_>>())[0]
    }

    fn doubles(min: f64, max: f64) -> Option<Statistics> {
        Some(Statistics::double(Some(min), Some(max), None, Some(0), false))
    }

    #[test]
    fn what_is_not_known_is_read() {
        let column = "optional int64 x";
        assert!(!is_skipped(column, None, "min = 5"));
        assert!(!is_skipped(column, Some(Statistics::int64(None, None, None, None, false)), "min = 5"));
        assert!(!is_skipped(column, Some(Statistics::int64(None, Some(4), None, None, false)), "min = 5"));
        assert!(is_skipped(column, Some(Statistics::int64(Some(1), Some(4), None, None, false)), "min = 5"));
        assert!(!is_skipped(column, Some(Statistics::int64(Some(1), Some(5), None, None, false)), "min = 5"));
        // The old fields, and bounds that are no bounds.
        assert!(!is_skipped(column, Some(Statistics::int64(Some(1), Some(4), None, None, true)), "min = 5"));
        assert!(!is_skipped(column, Some(Statistics::int64(Some(4), Some(1), None, None, false)), "min = 5"));
    }

    #[test]
    fn nulls_meet_nothing() {
        let nulls = |count| Some(Statistics::int64(None, None, None, count, false));
        for condition in ["not_null = true", "min = 5", "none_of = [1]"] {
            assert!(is_skipped("optional int64 x", nulls(Some(10)), condition), "{condition}");
            assert!(!is_skipped("optional int64 x", nulls(Some(9)), condition), "{condition}");
            assert!(!is_skipped("optional int64 x", nulls(None), condition), "{condition}");
        }
        let nulls = Statistics::byte_array(None, None, None, Some(10), false);
        assert!(is_skipped("optional binary x (STRING)", Some(nulls), "regex = \"a\""));
    }

    #[test]
    fn floats_have_two_zeros_and_nans() {
        let column = "optional double x";
        assert!(is_skipped(column, doubles(-2.0, -1.0), "min = 0"));
        assert!(is_skipped(column, doubles(1.0, 2.0), "one_of = [0, 3]"));
        // A zero of either sign may be there where one of them is a bound.
        for (min, max) in [(-2.0, -0.0), (-2.0, 0.0), (0.0, 0.0), (-0.0, -0.0)] {
            for condition in ["min = 0.0", "min = -0.0", "one_of = [0.0]", "one_of = [-0.0]"] {
                assert!(!is_skipped(column, doubles(min, max), condition), "{min} {max} {condition}");
            }
        }
        for condition in ["max = 0.0", "max = -0.0"] {
            assert!(!is_skipped(column, doubles(0.0, 2.0), condition), "{condition}");
        }
        assert!(!is_skipped(column, doubles(f64::NAN, 1.0), "min = 5"));
        assert!(!is_skipped(column, doubles(1.0, f64::NAN), "max = 0"));
        assert!(!is_skipped(column, doubles(1.0, 2.0), "one_of = [nan]"));
        assert!(!is_skipped(column, doubles(1.0, 1.0), "none_of = [1.0]"));
    }

    #[test]
    fn unsigned_numbers_are_above_signed_ones() {
        // As bits u64::MAX is -1.
        let high = |min: i64| Some(Statistics::int64(Some(min), Some(-1), None, Some(0), false));
        assert!(is_skipped("optional int64 x (INTEGER(64,false))", high(i64::MIN), "max = 5"));
        assert!(!is_skipped("optional int64 x (INTEGER(64,false))", high(3), "max = 5"));
        assert!(!is_skipped("optional int64 x (INTEGER(64,false))", high(3), "min = 5"));
        assert!(!is_skipped("optional int64 x", high(3), "max = 2"), "a least value above the greatest");
    }

    #[test]
    fn texts_may_be_cut_short() {
        let texts = |min: &str, max: &str, exact: bool| {
            let statistics =
                ValueStatistics::new(Some(ByteArray::from(min)), Some(ByteArray::from(max)), None, None, false);
            Some(Statistics::ByteArray(statistics.with_min_is_exact(exact).with_max_is_exact(exact)))
        };
        let column = "optional binary x (STRING)";
        assert!(is_skipped(column, texts("b", "c", false), "max = \"az\""));
        assert!(is_skipped(column, texts("b", "c", false), "one_of = [\"a\", \"d\"]"));
        assert!(!is_skipped(column, texts("b", "c", false), "one_of = [\"a\", \"bb\"]"));
        assert!(is_skipped(column, texts("b", "b", true), "none_of = [\"b\"]"));
        assert!(!is_skipped(column, texts("b", "b", false), "none_of = [\"b\"]"));
        let broken = Statistics::byte_array(Some(vec![0xff].into()), Some(vec![0xff, 0xff].into()), None, None, false);
        assert!(!is_skipped(column, Some(broken), "max = \"a\""), "no UTF-8");
    }

    #[test]
    fn decimals_are_numbers_whatever_their_bytes() {
        let bytes = |value: i64, count: usize| FixedLenByteArray::from(value.to_be_bytes()[8 - count..].to_vec());
        let decimals = |min: i64, max: i64| {
            Some(Statistics::fixed_len_byte_array(Some(bytes(min, 3)), Some(bytes(max, 3)), None, None, false))
        };
        let column = "optional fixed_len_byte_array(3) x (DECIMAL(6,2))";
        assert!(is_skipped(column, decimals(-500, -1), "min = 0"));
        assert!(!is_skipped(column, decimals(-500, 1), "min = 0.01"));
        let long = |count| Some(ByteArray::from(vec![1; count]));
        for count in [0, 17] {
            let odd = Statistics::byte_array(long(count), long(count), None, None, false);
            assert!(!is_skipped("optional binary x (DECIMAL(30,2))", Some(odd), "max = 0"), "{count}");
        }
    }

    #[test]
    fn timestamps_have_units_and_zones() {
        let timestamps = |min: i64, max: i64| Some(Statistics::int64(Some(min), Some(max), None, None, false));
        let second = 1_704_067_200; // 2024-01-01
        for (unit, factor) in [("MILLIS", 1_000), ("MICROS", 1_000_000), ("NANOS", 1_000_000_000)] {
            for zone in ["true", "false"] {
                let column = format!("optional int64 x (TIMESTAMP({unit},{zone}))");
                let day = timestamps(second * factor, (second + 86_400) * factor - 1);
                assert!(is_skipped(&column, day.clone(), "min = \"2024-01-02\""), "{column}");
                assert!(!is_skipped(&column, day.clone(), "max = \"2024-01-01\""), "{column}");
                assert!(is_skipped(&column, day, "max = \"2023-12-31T23:59:59.999\""), "{column}");
            }
        }
        let day = Statistics::int32(Some(19_723), Some(19_723), None, None, false);
        assert!(is_skipped("optional int32 x (DATE)", Some(day.clone()), "min = \"2024-01-02\""));
        assert!(!is_skipped("optional int32 x (DATE)", Some(day), "min = \"2024-01-01\""));
    }

    #[test]
    fn lists_have_no_bounds() {
        let column = "optional group x (LIST) { repeated group list { optional int64 element; } }";
        let statistics = Some(Statistics::int64(Some(1), Some(4), None, Some(10), false));
        assert!(!is_skipped(column, statistics, "not_null = true"));
    }
}

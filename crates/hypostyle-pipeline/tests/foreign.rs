//! Files as other tools write them, from `tests/files/` (the script there says which tool wrote each, and how): what is in
//! them comes in, whole and right, or is refused with the way out.

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Int8Type, Int32Type, Int64Type, IntervalUnit, Time32MillisecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType,
};
use arrow::ipc::reader::FileReader;
use common::{Folder, read_parquet, write_parquet};
use hypostyle_pipeline::{ErrorKind, Pipeline, Result, Summary};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type as ParquetInt64, Int96, Int96Type};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

fn foreign(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/files").join(name)
}

/// Runs a pipeline over the file of another tool.
fn run(folder: &Folder, toml: &str, input: impl AsRef<Path>, output: &str) -> Result<Summary> {
    let pipeline: Pipeline = toml.parse()?;
    pipeline.with_input(input.as_ref()).with_output(folder.path(output)).run(&mut |_| ())
}

fn complaint(toml: &str, input: impl AsRef<Path>) -> String {
    let folder = Folder::new();
    let error = run(&folder, toml, input, "out.parquet").unwrap_err();
    assert_ne!(*error.kind(), ErrorKind::Internal, "{error}");
    error.to_string()
}

fn ipc(path: &Path) -> RecordBatch {
    let mut batches = FileReader::try_new(File::open(path).unwrap(), None).unwrap();
    batches.next().unwrap().unwrap()
}

fn parquet_schema(path: &Path) -> String {
    let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let mut text = Vec::new();
    parquet::schema::printer::print_schema(&mut text, file.metadata().file_metadata().schema());
    String::from_utf8(text).unwrap()
}

fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    let array = arrow::compute::cast(array, &DataType::Utf8).unwrap();
    array.as_string::<i32>().iter().map(|text| text.map(str::to_string)).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_string())).collect()
}

#[cfg(feature = "delta")]
#[test]
fn a_table_of_delta_is_what_its_log_says() {
    let folder = Folder::new();
    let table = foreign("deltalake/table");
    run(&folder, "", &table, "out.csv").unwrap();
    let rows = folder.read("out.csv");
    let mut rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows.remove(0), "v,at,note,day");
    rows.sort_unstable();
    assert_eq!(rows.len(), 4, "one of five was deleted: {rows:?}");
    for (row, (v, day, note)) in rows.iter().zip([("1.5", 1, ""), ("3.5", 2, ""), ("4.5", 2, ""), ("5.5", 3, "late")]) {
        assert!(
            row.starts_with(&format!("{v},2024-01-0{day}")) && row.ends_with(&format!("{note},2024-01-0{day}")),
            "{row}"
        );
    }
    run(&folder, "[source]\nversion = 0", &table, "out.csv").unwrap();
    assert_eq!(folder.read("out.csv").lines().count(), 4);
}

#[cfg(feature = "delta")]
#[test]
fn moments_of_a_table_of_delta_are_utc() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("t/_delta_log")).unwrap();
    moments(&folder.path("t/a.parquet"), &[(19_724, 1_000), (2_932_896, 0)]);
    let field =
        |name: &str, kind: &str| serde_json::json!({"name": name, "type": kind, "nullable": true, "metadata": {}});
    let fields = [field("ts", "timestamp"), field("n", "long"), field("other", "timestamp")];
    let schema = serde_json::json!({"type": "struct", "fields": fields}).to_string();
    let actions = [
        serde_json::json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}),
        serde_json::json!({"metaData": {"id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", "schemaString": schema, "configuration": {},
            "format": {"provider": "parquet", "options": {}}, "partitionColumns": [], "createdTime": 0}}),
        serde_json::json!({"add": {"path": "a.parquet", "partitionValues": {}, "size": 1, "modificationTime": 0,
            "dataChange": true}}),
    ];
    folder.write("t/_delta_log/00000000000000000000.json", actions.map(|action| action.to_string()).join("\n"));
    run(&folder, "[source]\ncolumns = [\"ts\", \"n\"]", folder.path("t"), "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "ts,n\n2024-01-02T00:00:00.000001Z,0\n9999-12-31T00:00:00Z,1\n");
}

/// A directory of files, copied from elsewhere.
fn gathered(folder: &Folder, names: &[(&str, &str)]) -> PathBuf {
    for (from, to) in names {
        let to = folder.path("in").join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(foreign(from), to).unwrap();
    }
    folder.path("in")
}

#[test]
fn what_ipc_files_note_about_themselves_is_no_obstacle() {
    let folder = Folder::new();
    for (name, rows) in [
        ("pandas/metadata.feather", 1),
        ("pyarrow/metadata.arrows", 2),
        ("pyarrow/extension.arrow", 2),
        ("polars/categories.arrow", 3),
        ("pyarrow/delta.arrows", 4),
    ] {
        for output in ["out.parquet", "out.arrow", "out.csv"] {
            let summary = run(&folder, "", foreign(name), output).unwrap();
            assert_eq!(summary.rows_written, rows, "{name} to {output}");
        }
    }
    run(&folder, "", foreign("pyarrow/delta.arrows"), "out.parquet").unwrap();
    assert_eq!(texts(folder.parquet("out.parquet").column(0)), some(&["a", "b", "c", "a"]));
    // A file has one dictionary, which is whole from its first batch on: not every reader lets it grow.
    run(&folder, "", foreign("pyarrow/delta.arrows"), "out.arrow").unwrap();
    let batches = FileReader::try_new(File::open(folder.path("out.arrow")).unwrap(), None).unwrap();
    for batch in batches {
        assert_eq!(texts(batch.unwrap().column(0).as_any_dictionary().values()), some(&["a", "b", "c"]));
    }
}

#[test]
fn categories_keep_their_order() {
    let folder = Folder::new();
    run(&folder, "", foreign("polars/categories.arrow"), "out.arrow").unwrap();
    let (before, after) = (ipc(&foreign("polars/categories.arrow")), ipc(&folder.path("out.arrow")));
    for (before, after) in before.schema().fields().iter().zip(after.schema().fields()) {
        assert_eq!((before.metadata(), before.data_type()), (after.metadata(), after.data_type()));
        assert_eq!(before.dict_is_ordered(), after.dict_is_ordered());
    }
    let sizes = after.column(0).as_any_dictionary();
    assert_eq!(texts(sizes.values()), some(&["S", "M", "L"]));
}

#[test]
fn every_compression_of_parquet_is_read() {
    let folder = Folder::new();
    for name in ["gzip", "brotli", "lz4", "snappy", "zstd"] {
        run(&folder, "", foreign(&format!("pyarrow/{name}.parquet")), "out.parquet").unwrap();
        let batch = folder.parquet("out.parquet");
        assert_eq!(batch.column(0).as_primitive::<Int64Type>().values()[..], (0..200).collect::<Vec<_>>(), "{name}");
        assert_eq!(batch.column(1).as_string::<i32>().value(199), "text 3", "{name}");
    }
}

#[test]
fn a_moment_of_any_year_comes_in() {
    let folder = Folder::new();
    run(&folder, "[source]\ncolumns = [\"id\", \"ts\", \"list\"]", foreign("spark/int96.parquet"), "out.parquet")
        .unwrap();
    let batch = folder.parquet("out.parquet");
    let expected =
        vec![Some(1_704_164_645_123_456), Some(253_402_300_799_999_999), Some(-62_135_596_800_000_000), None];
    assert_eq!(*batch.column(1).as_primitive::<TimestampMicrosecondType>(), TimestampMicrosecondArray::from(expected));
    let first = batch.column(2).as_list::<i32>().value(0);
    assert_eq!(first.as_primitive::<TimestampMicrosecondType>().value(0), 253_402_214_400_000_000);
    // A filter sees the moments as they are.
    let toml = "[source.filter]\nts = { min = \"9999-01-01\" }";
    assert_eq!(run(&folder, toml, foreign("spark/int96.parquet"), "out.parquet").unwrap().rows_written, 1);
    run(&folder, "", foreign("fastparquet/int96.parquet"), "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    let ts = batch.column_by_name("ts").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(ts.values()[..], [1_704_164_645_123_456, -999_999]);
}

/// A file of `INT96` days and nanoseconds, and of a number.
fn moments(path: &Path, moments: &[(i64, i64)]) {
    let schema = "message m { optional int96 ts; optional int96 other; required int64 n; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(File::create(path).unwrap(), schema, Default::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let days = |(day, nanos): &(i64, i64)| {
        let mut value = Int96::new();
        value.set_data(*nanos as u32, (*nanos >> 32) as u32, (*day + 2_440_588) as u32);
        value
    };
    let values: Vec<Int96> = moments.iter().map(days).collect();
    let mut other = values.clone();
    other.reverse();
    for values in [values, other] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int96Type>().write_batch(&values, Some(&vec![1; moments.len()]), None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    let numbers: Vec<i64> = (0..moments.len() as i64).collect();
    column.typed::<ParquetInt64>().write_batch(&numbers, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
}

#[test]
fn a_moment_that_does_not_fit_is_a_bad_row() {
    let folder = Folder::new();
    // 2024-01-02, 1 ns after it, the year 9999, 1970, and one that no unit finer than a second reaches.
    moments(&folder.path("in.parquet"), &[(19_724, 0), (19_724, 1), (2_932_896, 1_000), (0, 0), (200_000_000, 0)]);
    let error = run(&folder, "", folder.path("in.parquet"), "out.parquet").unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("record 1, column 'other': \"17280000000000 seconds from 1970\" is out of range"),
        "{message}"
    );
    let toml = "[source]\ncolumns = [\"ts\", \"n\"]\n";
    let message = run(&folder, toml, folder.path("in.parquet"), "out.parquet").unwrap_err().to_string();
    assert!(
        message.contains(
            "record 2, column 'ts': \"2024-01-02T00:00:00.000000001\" has more decimals than timestamp[us] holds"
        ) && message.contains("set ts = \"timestamp[ns]\" in [source.schema]"),
        "{message}"
    );
    // Bad rows go before the filter, and the rest of them is read.
    let reject = "on_bad_row = \"reject\"\nrejects = 'R'\nfilter = { n = { min = 1 } }";
    let reject = reject.replace('R', folder.path("rejects.csv").to_str().unwrap());
    let summary = run(&folder, &format!("{toml}{reject}"), folder.path("in.parquet"), "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.bad_rows, summary.filtered_rows), (2, 2, 1));
    let rejects = folder.read("rejects.csv");
    let rejected: Vec<&str> = rejects.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
    assert_eq!(rejected, ["2", "5"], "{rejects}");
    assert!(rejects.contains("2024-01-02T00:00:00.000000001") && rejects.contains("is out of range"), "{rejects}");
    // A row with two of them is one bad row, and those behind it are told apart.
    let skip = "[source]\non_bad_row = \"skip\"";
    let summary = run(&folder, skip, folder.path("in.parquet"), "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.bad_rows), (1, 4));
    assert_eq!(folder.parquet("out.parquet").column(2).as_primitive::<Int64Type>().values()[..], [2]);
    let null = "[source]\non_bad_row = \"null\"";
    let summary = run(&folder, null, folder.path("in.parquet"), "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.bad_rows), (5, 4));
    let batch = folder.parquet("out.parquet");
    assert_eq!((batch.column(0).null_count(), batch.column(1).null_count()), (2, 2));
    // Another unit holds other moments.
    let nanos = "[source]\ncolumns = [\"ts\"]\non_bad_row = \"null\"\nschema = { ts = \"timestamp[ns]\" }";
    run(&folder, nanos, folder.path("in.parquet"), "out.parquet").unwrap();
    let expected = vec![Some(1_704_153_600_000_000_000), Some(1_704_153_600_000_000_001), None, Some(0), None];
    let batch = folder.parquet("out.parquet");
    assert_eq!(batch.column(0).as_ref(), &TimestampNanosecondArray::from(expected) as &dyn Array);
    let message =
        run(&folder, "[source.schema]\nn = \"f64\"", folder.path("in.parquet"), "o.csv").unwrap_err().to_string();
    assert!(message.contains("[source.schema] n: types are for CSV"), "{message}");
}

#[test]
fn intervals_keep_their_months() {
    let folder = Folder::new();
    let toml = "[source]\ncolumns = [\"span\"]";
    for output in ["out.arrow", "out.parquet", "out.csv"] {
        run(&folder, toml, foreign("duckdb/types.parquet"), output).unwrap();
    }
    let array = ipc(&folder.path("out.arrow")).column(0).clone();
    assert_eq!(*array.data_type(), DataType::Interval(IntervalUnit::MonthDayNano));
    let shown = |array: &ArrayRef| arrow::util::display::array_value_to_string(array, 0).unwrap();
    assert!(shown(&array).starts_with("14 mons 3 days 4 hours"), "{}", shown(&array));
    assert!(parquet_schema(&folder.path("out.parquet")).contains("span (INTERVAL)"));
    run(&folder, "", folder.path("out.parquet"), "again.arrow").unwrap();
    assert_eq!(ipc(&folder.path("again.arrow")).column(0).as_ref(), array.as_ref());
    assert!(folder.read("out.csv").contains("14 mons 3 days 4 hours"), "{}", folder.read("out.csv"));
    // And those of Arrow, which Parquet has no other type for.
    run(&folder, "", foreign("pyarrow/intervals.arrow"), "out.parquet").unwrap();
    run(&folder, "[source]\ncolumns = [\"span\"]", folder.path("out.parquet"), "again.arrow").unwrap();
    let before = ipc(&foreign("pyarrow/intervals.arrow"));
    assert_eq!(ipc(&folder.path("again.arrow")).column(0).as_ref(), before.column(0).as_ref());
}

#[test]
fn logical_types_stay_what_they_are() {
    let folder = Folder::new();
    run(&folder, "", foreign("duckdb/types.parquet"), "out.parquet").unwrap();
    let schema = parquet_schema(&folder.path("out.parquet"));
    assert!(schema.contains("id (UUID)") && schema.contains("doc (JSON)"), "{schema}");
    run(&folder, "", folder.path("out.parquet"), "out.arrow").unwrap();
    run(&folder, "", folder.path("out.arrow"), "again.parquet").unwrap();
    assert_eq!(parquet_schema(&folder.path("again.parquet")), schema);
    run(&folder, "", foreign("pyarrow/extension.arrow"), "out.parquet").unwrap();
    let schema = parquet_schema(&folder.path("out.parquet"));
    assert!(schema.contains("id (UUID)") && schema.contains("doc (JSON)"), "{schema}");
    run(&folder, "[source]\ncolumns = [\"id\"]", foreign("duckdb/types.parquet"), "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "id\n00000000-0000-0000-0000-000000000007\n\"\"\n");
}

#[test]
fn types_that_parquet_lacks_become_finer_ones() {
    let folder = Folder::new();
    run(&folder, "", foreign("pyarrow/seconds.arrow"), "out.parquet").unwrap();
    let schema = parquet_schema(&folder.path("out.parquet"));
    for part in
        ["ts (TIMESTAMP(MILLIS,false))", "tz (TIMESTAMP(MILLIS,true))", "day (DATE)", "clock (TIME(MILLIS,false))"]
    {
        assert!(schema.contains(part), "{part} is not in {schema}");
    }
    assert_eq!(schema.matches("TIMESTAMP(MILLIS").count(), 4, "{schema}");
    let batch = folder.parquet("out.parquet");
    assert_eq!(batch.column(0).as_primitive::<TimestampMillisecondType>().value(0), 1_704_164_645_000);
    assert_eq!(batch.column(2).as_primitive::<Date32Type>().value(0), 19_724);
    assert_eq!(batch.column(3).as_primitive::<Time32MillisecondType>().value(0), 11_045_000);
    let list = batch.column(4).as_list::<i32>().value(0);
    assert_eq!(list.as_primitive::<TimestampMillisecondType>().value(0), 1_704_164_645_000);
    let pair = Arc::clone(batch.column(5).as_struct().column(0));
    assert_eq!(pair.as_primitive::<TimestampMillisecondType>().value(0), 1_704_164_645_000);
    assert!(batch.columns().iter().all(|column| column.is_null(1)));
}

#[test]
fn columns_are_found_by_their_names() {
    let folder = Folder::new();
    let path = folder.path("in.parquet");
    // A group without fields has no values, and no place among the columns.
    let field = |name: &str| {
        let column = Type::primitive_type_builder(name, parquet::basic::Type::INT64);
        Arc::new(column.with_repetition(parquet::basic::Repetition::REQUIRED).build().unwrap())
    };
    let group = Type::group_type_builder("g").with_repetition(parquet::basic::Repetition::REQUIRED).build().unwrap();
    let fields = vec![Arc::new(group), field("a"), field("b"), field("c")];
    let schema = Arc::new(Type::group_type_builder("m").with_fields(fields).build().unwrap());
    let mut file = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Default::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for values in [[1, 2], [10, 20], [100, 200]] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ParquetInt64>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    run(&folder, "", &path, "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "a,b,c\n1,10,100\n2,20,200\n");
    run(&folder, "[source]\ncolumns = [\"c\"]", &path, "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "c\n100\n200\n");
    run(&folder, "[source.filter]\nb = { min = 15 }\n[sink]\ncolumns = [\"a\"]", &path, "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "a\n2\n");
}

#[test]
fn what_is_not_passed_on_is_said() {
    let folder = Folder::new();
    let pipeline: Pipeline = "".parse().unwrap();
    let plan = |name: &str| {
        pipeline.clone().with_input(foreign(name)).with_output(folder.path("o.csv")).plan().unwrap().to_string()
    };
    assert!(plan("pandas/metadata.feather").contains("what the file notes under 'pandas' is not passed on"));
    assert!(!plan("polars/categories.arrow").contains("not passed on"));
    for name in ["polars/int128.arrow", "polars/int128.parquet"] {
        let message = complaint("", foreign(name));
        assert!(message.contains("a column of 128-bit integers") && message.contains("help: cast it"), "{message}");
    }
}

#[test]
fn enums_are_text() {
    let folder = Folder::new();
    let path = folder.path("in.parquet");
    let schema = "message m { optional binary e (ENUM); optional group l (LIST) { repeated group list { optional binary element (ENUM); } } }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Default::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for levels in [(1, None), (3, Some([0, 0].as_slice()))] {
        let mut column = group.next_column().unwrap().unwrap();
        let texts = [ByteArray::from("buy"), ByteArray::from("sell")];
        column.typed::<ByteArrayType>().write_batch(&texts, Some(&[levels.0; 2]), levels.1).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    run(&folder, "[source.filter]\ne = { one_of = [\"sell\"] }", &path, "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    assert_eq!(texts(batch.column(0)), some(&["sell"]));
    assert_eq!(*batch.column(1).as_list::<i32>().value(0).data_type(), DataType::Utf8);
}

#[test]
fn conditions_on_decimals_are_exact() {
    let folder = Folder::new();
    let rows = |condition: &str| {
        let toml = format!("[source.filter]\n{condition}");
        run(&folder, &toml, foreign("pyarrow/decimals.parquet"), "out.csv").unwrap().rows_written
    };
    for (condition, expected) in [
        ("long = { max = 12345678901234567.89 }", 2),
        ("long = { max = \"12345678901234567.89\" }", 2),
        ("long = { one_of = [12345678901234567.88, 12345678901234567.90] }", 2),
        ("long = { none_of = [\"12345678901234567.89\"] }", 2),
        ("short = { min = 0.25, max = 749.75 }", 2),
        ("short = { one_of = [\"749.75\"] }", 1),
        ("wide = { one_of = [0.25] }", 1),
    ] {
        assert_eq!(rows(condition), expected, "{condition}");
    }
    let rule = "[source]\non_bad_row = \"skip\"\n[source.rules]\nlong = { max = 12345678901234567.89 }";
    assert_eq!(run(&folder, rule, foreign("pyarrow/decimals.parquet"), "out.csv").unwrap().bad_rows, 1);
    let message = complaint("[source.filter]\nshort = { max = 0.125 }", foreign("pyarrow/decimals.parquet"));
    assert!(message.contains("0.125 is not a valid Decimal32(9, 2)"), "{message}");
    let rows = |condition: &str| {
        let toml = format!("[source.filter]\n{condition}");
        run(&folder, &toml, foreign("pyarrow/large_u64.parquet"), "out.csv").unwrap().rows_written
    };
    assert_eq!(rows("u = { min = 9223372036854775808 }"), 2);
    assert_eq!(rows("u = { one_of = [\"18446744073709551615\"] }"), 1);
}

#[test]
fn encodings_of_the_same_values_are_one_column() {
    let folder = Folder::new();
    let names = ["polars/encodings/a.parquet", "duckdb/encodings/b.parquet", "pyarrow/encodings/c.parquet"];
    let input = gathered(&folder, &[(names[0], "a.parquet"), (names[1], "b.parquet"), (names[2], "c.parquet")]);
    run(&folder, "", &input, "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    assert_eq!(texts(batch.column_by_name("s").unwrap()), some(&["a", "b", "c"]));
    let numbers = batch.column_by_name("n").unwrap().as_primitive::<Int32Type>();
    assert_eq!(numbers.iter().collect::<Vec<_>>(), [None, Some(5), Some(6)]);
    let lists = batch.column_by_name("l").unwrap();
    assert_eq!(lists.len() - lists.null_count(), 3);
    // Whichever comes first.
    let input = gathered(&folder, &[(names[2], "a.parquet"), (names[1], "b.parquet"), (names[0], "c.parquet")]);
    run(&folder, "", &input, "out.parquet").unwrap();
    assert_eq!(texts(folder.parquet("out.parquet").column_by_name("s").unwrap()), some(&["c", "b", "a"]));
    // And as Arrow IPC.
    for name in ["a", "b", "c"] {
        run(&folder, "", input.join(format!("{name}.parquet")), &format!("{name}.arrow")).unwrap();
    }
    run(&folder, "", folder.path("?.arrow"), "out.parquet").unwrap();
    assert_eq!(texts(folder.parquet("out.parquet").column_by_name("s").unwrap()), some(&["c", "b", "a"]));
}

#[test]
fn a_later_file_may_have_more_categories() {
    let folder = Folder::new();
    fs::create_dir(folder.path("in")).unwrap();
    let few: DictionaryArray<Int8Type> = [Some("a"), None].into_iter().collect();
    let many = StringArray::from_iter_values((0..300).map(|category| format!("category {category}")));
    for (name, array) in [("in/a.parquet", Arc::new(few) as ArrayRef), ("in/b.parquet", Arc::new(many))] {
        write_parquet(&folder.path(name), &RecordBatch::try_from_iter([("d", array)]).unwrap());
    }
    for output in ["out.parquet", "out.arrow"] {
        assert_eq!(run(&folder, "", folder.path("in"), output).unwrap().rows_written, 302);
    }
    assert_eq!(texts(folder.parquet("out.parquet").column(0))[301], Some("category 299".to_string()));
}

#[test]
fn a_column_of_a_later_file_is_not_dropped() {
    let folder = Folder::new();
    let numbers = || Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
    let batch = |names: &[&str]| RecordBatch::try_from_iter(names.iter().map(|name| (*name, numbers()))).unwrap();
    fs::create_dir(folder.path("in")).unwrap();
    write_parquet(&folder.path("in/a.parquet"), &batch(&["x", "y"]));
    write_parquet(&folder.path("in/b.parquet"), &batch(&["x", "y", "z"]));
    for format in ["parquet", "arrow"] {
        if format == "arrow" {
            run(&folder, "", folder.path("in/a.parquet"), "in/a.arrow").unwrap();
            run(&folder, "", folder.path("in/b.parquet"), "in/b.arrow").unwrap();
        }
        let pattern = folder.path(&format!("in/?.{format}"));
        let message = run(&folder, "", &pattern, "out.parquet").unwrap_err().to_string();
        let expected = format!("b.{format}: column 'z' is not in the first file\nhelp: set extra_columns");
        assert!(message.contains(&expected), "{message}");
        let summary = run(&folder, "[source]\ncolumns = [\"y\"]", &pattern, "out.parquet").unwrap();
        assert_eq!(summary.rows_written, 4);
    }
    write_parquet(&folder.path("in/b.parquet"), &batch(&["X", "y"]));
    let message =
        run(&folder, "[source]\ncolumns = [\"x\"]", folder.path("in/?.parquet"), "o.csv").unwrap_err().to_string();
    assert!(message.contains("b.parquet: column 'x' of the first file is missing; did you mean 'X'?"), "{message}");
    let strings = Arc::new(StringArray::from(vec!["1"])) as ArrayRef;
    write_parquet(
        &folder.path("in/b.parquet"),
        &RecordBatch::try_from_iter([("y", numbers().slice(0, 1)), ("x", strings)]).unwrap(),
    );
    let message = run(&folder, "", folder.path("in/?.parquet"), "o.csv").unwrap_err().to_string();
    assert!(message.contains("b.parquet: column 'x': got string, expected i64, as in the first file"), "{message}");
}

#[test]
fn folders_of_other_tools_are_columns() {
    let folder = Folder::new();
    // A column that is in the file too.
    for (name, column, values) in
        [("duckdb/partitions", "side", &["B", "S"][..]), ("polars/partitions", "day", &["2024-01-02", "2024-01-03"])]
    {
        run(&folder, "", foreign(name), "out.parquet").unwrap();
        let batch = folder.parquet("out.parquet");
        assert_eq!(
            (batch.num_columns(), batch.schema().fields().iter().filter(|f| f.name() == column).count()),
            (2, 1)
        );
        assert_eq!(texts(batch.column_by_name(column).unwrap())[..2], some(values));
        let filter = format!("[source.filter]\n{column} = {{ one_of = [\"{}\"] }}", values[1]);
        let summary = run(&folder, &filter, foreign(name), "out.parquet").unwrap();
        assert_eq!((summary.rows_written, summary.skipped_files > 0), (1, true), "{name}");
    }
    // Moments, and nulls beside numbers.
    run(&folder, "", foreign("spark/partitions"), "out.csv").unwrap();
    let rows = folder.read("out.csv");
    assert!(rows.contains("1,2024-01-02T03:04:05,7") && rows.contains("2,2024-01-02T04:00:00,\n"), "{rows}");
}

#[test]
fn a_column_that_contradicts_its_folder_is_an_error() {
    let folder = Folder::new();
    let name = "duckdb/partitions/side=B/data_0.parquet";
    let input = gathered(&folder, &[(name, "side=B/x.parquet"), (name, "side=S/x.parquet")]);
    let message = complaint("", &input);
    assert!(
        message.contains(
            "side=S/x.parquet: record 1: column 'side' is \"B\" in the file and \"S\" in its directory's name"
        ),
        "{message}"
    );
    assert_eq!(run(&folder, "[source]\ncolumns = [\"v\"]", &input, "out.csv").unwrap().rows_written, 2);
    // The same for CSV.
    for (place, text) in [("n=1", "n,x\n1,a\n"), ("n=2", "n,x\n2,b\n1,c\n")] {
        fs::create_dir_all(folder.path("csv").join(place)).unwrap();
        fs::write(folder.path("csv").join(place).join("x.csv"), text).unwrap();
    }
    let message = complaint("", folder.path("csv"));
    assert!(message.contains("n=2/x.csv: record 2: column 'n' is \"1\" in the file and \"2\""), "{message}");
    fs::write(folder.path("csv/n=2/x.csv"), "n,x\n2,b\n").unwrap();
    run(&folder, "[source.filter]\nx = { one_of = [\"b\"] }", folder.path("csv"), "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "n,x\n2,b\n");
}

#[test]
fn folders_have_the_types_that_are_declared() {
    let folder = Folder::new();
    let name = "pyarrow/zstd.parquet";
    let input = gathered(&folder, &[(name, "m=01/x.parquet"), (name, "m=__HIVE_DEFAULT_PARTITION__/x.parquet")]);
    let toml = "[source]\ncolumns = [\"m\"]\nschema = { m = \"TYPE\" }";
    run(&folder, &toml.replace("TYPE", "i64"), &input, "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    let months = batch.column(0).as_primitive::<Int64Type>();
    assert_eq!((months.value(0), months.null_count()), (1, 200));
    let message = complaint(&toml.replace("TYPE", "date"), &input);
    assert!(message.contains("partition column 'm': \"01\" in the path is not a valid date"), "{message}");
    // What is written here is read here.
    let input = gathered(
        &folder,
        &[(name, "t=2024-01-02T03%3A04%3A05Z/x.parquet"), (name, "t=2024-01-02 03:04:06Z/x.parquet")],
    );
    fs::remove_dir_all(folder.path("in/m=01")).unwrap();
    fs::remove_dir_all(folder.path("in/m=__HIVE_DEFAULT_PARTITION__")).unwrap();
    run(&folder, "[source]\ncolumns = [\"t\"]", &input, "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    assert_eq!(*batch.column(0).data_type(), DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    let times = batch.column(0).as_primitive::<TimestampMicrosecondType>();
    let mut times = [times.value(0), times.value(200)];
    times.sort_unstable();
    assert_eq!(times, [1_704_164_645_000_000, 1_704_164_646_000_000]);
}

#[test]
fn what_cannot_be_read_or_written_is_refused_by_name() {
    let message = complaint("", foreign("pyarrow/union.arrow"));
    assert!(message.contains("column 'u'") && message.contains("columns in [source]"), "{message}");
    let folder = Folder::new();
    run(&folder, "[source]\ncolumns = [\"k\"]", foreign("pyarrow/union.arrow"), "out.csv").unwrap();
    for output in ["out.parquet", "out.csv", "out.arrow"] {
        run(&folder, "", foreign("pyarrow/intervals.arrow"), output).unwrap();
    }
    let message = complaint("", foreign("pyarrow/twice.arrow"));
    assert!(message.contains("two columns are called 'a'"), "{message}");
    run(&folder, "", foreign("pyarrow/twice.arrow"), "out.arrow").unwrap();
    folder.write("old.feather", b"FEA1\0\0\0\0 and so on FEA1");
    let message = complaint("", folder.path("old.feather"));
    assert!(message.contains("a Feather file of version 1"), "{message}");
    run(&folder, "", foreign("fastparquet/empty.parquet"), "out.parquet").unwrap();
    assert_eq!(read_parquet(&folder.path("out.parquet")).num_rows(), 0);
    run(&folder, "[source]\ncolumns = [\"midnight\"]", foreign("duckdb/types.parquet"), "out.csv").unwrap();
    assert!(folder.read("out.csv").starts_with("midnight\n24:00:00"), "{}", folder.read("out.csv"));
}

//! Filters: the rows that are taken are those of a reference implementation that tests row by row, in every format; what need not be read is
//! never touched; and every row that is left out is counted.

mod common;

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use common::{Folder, KERNELS, assert_same_bits, trades};
use hypostyle_pipeline::{Pipeline, Summary};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use proptest::prelude::*;
use regex::Regex;

/// A row: an integer, a float, a text.
type Row = (Option<i64>, Option<f64>, Option<String>);

fn integers() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 6 => (-4_i64..5).prop_map(Some), 1 => any::<i64>().prop_map(Some)]
}

fn floats() -> impl Strategy<Value = Option<f64>> {
    let odd = prop::sample::select(vec![0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300]);
    prop_oneof![1 => Just(None), 3 => (-3_i32..4).prop_map(|x| Some(f64::from(x) / 2.0)), 2 => odd.prop_map(Some)]
}

fn texts() -> impl Strategy<Value = Option<String>> {
    prop_oneof![1 => Just(None), 4 => "[a-c]{1,2}".prop_map(Some), 1 => "é[a-c]{70}".prop_map(Some)]
}

/// A condition: its column, how it is written, and what the reference makes of it.
#[derive(Clone)]
struct Asked {
    column: &'static str,
    text: String,
    holds: Arc<dyn Fn(&Row) -> bool>,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {{ {} }}", self.column, self.text)
    }
}

fn asked(column: &'static str, text: String, holds: impl Fn(&Row) -> bool + 'static) -> Asked {
    Asked { column, text, holds: Arc::new(holds) }
}

/// A float as TOML has it.
fn written(x: f64) -> String {
    format!("{x:?}")
}

fn conditions() -> impl Strategy<Value = Asked> {
    let bound = || floats().prop_filter_map("a bound is a number", |x| x.filter(|x| !x.is_nan()));
    let some_texts = || prop::collection::vec(texts().prop_filter_map("a text", |text| text), 1..4);
    prop_oneof![
        (integers(), integers()).prop_map(|(a, b)| {
            let (a, b) = (a.unwrap_or(0), b.unwrap_or(0));
            let (low, high) = (a.min(b), a.max(b));
            asked("i", format!("min = {low}, max = {high}"), move |row| row.0.is_some_and(|x| x >= low && x <= high))
        }),
        prop::collection::vec(-4_i64..9, 1..4).prop_map(|list| {
            asked("i", format!("one_of = {list:?}"), move |row| row.0.is_some_and(|x| list.contains(&x)))
        }),
        prop::collection::vec(-4_i64..5, 1..4).prop_map(|list| {
            asked("i", format!("none_of = {list:?}"), move |row| row.0.is_some_and(|x| !list.contains(&x)))
        }),
        bound()
            .prop_map(|low| asked("f", format!("min = {}", written(low)), move |row| row.1.is_some_and(|x| x >= low))),
        bound().prop_map(|high| {
            asked("f", format!("max = {}", written(high)), move |row| row.1.is_some_and(|x| x <= high))
        }),
        prop::collection::vec(bound(), 1..3).prop_map(|list| {
            let text = list.iter().map(|x| written(*x)).collect::<Vec<_>>().join(", ");
            asked("f", format!("one_of = [{text}]"), move |row| row.1.is_some_and(|x| list.contains(&x)))
        }),
        prop::collection::vec(bound(), 1..3).prop_map(|list| {
            let text = list.iter().map(|x| written(*x)).collect::<Vec<_>>().join(", ");
            asked("f", format!("none_of = [{text}]"), move |row| row.1.is_some_and(|x| !list.contains(&x)))
        }),
        Just(asked("f", "not_null = true".to_string(), |row| row.1.is_some())),
        texts().prop_map(|low| {
            let low = low.unwrap_or_default();
            asked("t", format!("min = {low:?}"), move |row| row.2.as_ref().is_some_and(|x| *x >= low))
        }),
        texts().prop_map(|high| {
            let high = high.unwrap_or_default();
            asked("t", format!("max = {high:?}"), move |row| row.2.as_ref().is_some_and(|x| *x <= high))
        }),
        some_texts().prop_map(|list| {
            asked("t", format!("one_of = {list:?}"), move |row| row.2.as_ref().is_some_and(|x| list.contains(x)))
        }),
        some_texts().prop_map(|list| {
            asked("t", format!("none_of = {list:?}"), move |row| row.2.as_ref().is_some_and(|x| !list.contains(x)))
        }),
        "\\^?[a-c]\\$?".prop_map(|pattern| {
            let regex = Regex::new(&pattern).unwrap();
            asked("t", format!("regex = {pattern:?}"), move |row| row.2.as_ref().is_some_and(|x| regex.is_match(x)))
        }),
    ]
}

/// The rows as a table, with each row's number.
fn table(rows: &[Row], dictionary: bool) -> RecordBatch {
    let texts: Vec<Option<&str>> = rows.iter().map(|row| row.2.as_deref()).collect();
    let texts: ArrayRef = match dictionary {
        true => Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
        false => Arc::new(StringArray::from(texts)),
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values(0..rows.len() as i64))),
        ("i", Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>())),
        ("f", Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>())),
        ("t", texts),
    ];
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn write_groups(path: &Path, batch: &RecordBatch, group_rows: usize, statistics: EnabledStatistics) {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .set_statistics_enabled(statistics)
        .set_statistics_truncate_length(Some(5));
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn read_ipc(path: &Path) -> RecordBatch {
    let reader = FileReader::try_new(File::open(path).unwrap(), None).unwrap();
    let schema = reader.schema();
    concat_batches(&schema, &reader.map(|batch| batch.unwrap()).collect::<Vec<_>>()).unwrap()
}

fn groups_of(path: &Path) -> Vec<(i64, u64)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let groups = reader.metadata().row_groups().iter();
    groups.map(|group| (group.num_rows(), group.column(0).byte_range().0)).collect()
}

/// Every row is accounted for.
#[track_caller]
fn assert_sums_up(summary: &Summary) {
    let left_out = if summary.nulled { 0 } else { summary.bad_rows };
    assert_eq!(summary.rows_read, summary.rows_written + summary.filtered_rows + left_out);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn the_rows_are_those_of_the_reference(
        mut rows in prop::collection::vec((integers(), floats(), texts()), 0..120),
        filter in prop::collection::vec(conditions(), 1..4),
        sorted: bool,
        dictionary: bool,
        stated: bool,
        group_rows in 1_usize..40,
        batch_rows in 1_usize..50,
        chunk_bytes in 1_usize..400,
        threads in 1_usize..4,
    ) {
        if sorted {
            rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.2.cmp(&b.2)));
        }
        // TOML has each column once.
        let mut columns: Vec<&str> = Vec::new();
        let filter: Vec<Asked> =
            filter.into_iter().filter(|asked| !columns.contains(&asked.column) && { columns.push(asked.column); true }).collect();
        let lines: Vec<String> = filter.iter().map(|asked| format!("{asked:?}")).collect();
        let source = format!("[source]\nbatch_rows = {batch_rows}\n");
        let conditions = format!("[source.filter]\n{}\n", lines.join("\n"));
        let folder = Folder::new();
        let whole = table(&rows, dictionary);
        let statistics = if stated { EnabledStatistics::Chunk } else { EnabledStatistics::None };
        write_groups(&folder.path("in.parquet"), &whole, group_rows, statistics);
        let run = |toml: &str, input: &str, output: &str| {
            let summary = folder.pipeline(toml, input, output).with_threads(threads).run(&mut |_| ()).unwrap();
            assert_sums_up(&summary);
            assert_eq!(summary.rows_read, rows.len() as u64);
            summary
        };
        let mut writer = FileWriter::try_new(File::create(folder.path("in.arrow")).unwrap(), &whole.schema()).unwrap();
        writer.write(&whole).unwrap();
        writer.finish().unwrap();
        run(&source, "in.parquet", "in.csv");
        let taken: BooleanArray = rows.iter().map(|row| Some(filter.iter().all(|asked| (asked.holds)(row)))).collect();
        let expected = filter_record_batch(&whole, &taken).unwrap();

        let toml = source.clone() + &conditions;
        let summary = run(&toml, "in.parquet", "out.parquet");
        prop_assert_eq!(summary.filtered_rows, (rows.len() - expected.num_rows()) as u64);
        prop_assert!(stated || summary.skipped_row_groups == 0);
        assert_same_bits(&folder.parquet("out.parquet"), &expected);
        run(&toml, "in.arrow", "of_arrow.parquet");
        assert_same_bits(&folder.parquet("of_arrow.parquet"), &expected);
        if !dictionary {
            run(&toml, "in.arrow", "out.arrow");
            assert_same_bits(&read_ipc(&folder.path("out.arrow")), &expected);
        }
        let text = if dictionary { "dictionary" } else { "string" };
        let toml = format!(
            "{source}chunk_bytes = {chunk_bytes}\nschema = {{ n = \"i64\", i = \"i64\", f = \"f64\", t = \"{text}\" }}\n{conditions}"
        );
        run(&toml, "in.csv", "of_csv.parquet");
        let of_csv = folder.parquet("of_csv.parquet");
        prop_assert_eq!(of_csv.column(0).as_ref(), expected.column(0).as_ref());
        // A rule that holds for every row makes all of them be seen, and nothing else.
        let ruled = format!("{source}{conditions}\n[source.rules]\nn = {{ min = 0, unique = true }}\n");
        let summary = run(&ruled, "in.parquet", "ruled.parquet");
        prop_assert_eq!(summary.skipped_row_groups, 0);
        assert_same_bits(&folder.parquet("ruled.parquet"), &expected);
    }
}

/// A table of many types in ascending order, a hundred rows, in groups of ten.
fn ascending() -> RecordBatch {
    let numbers = || 0..100_i64;
    let decimals = |digits| {
        let decimals = Decimal128Array::from_iter_values(numbers().map(|x| i128::from(x - 50) * 10));
        Arc::new(decimals.with_precision_and_scale(digits, 1).unwrap())
    };
    let moments = || TimestampMicrosecondArray::from_iter_values(numbers().map(|day| day * 86_400_000_000));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values(numbers()))),
        (
            "u",
            Arc::new(UInt64Array::from_iter_values(
                numbers().map(|x| if x < 50 { x as u64 } else { u64::MAX - 100 + x as u64 }),
            )),
        ),
        (
            "f",
            Arc::new(Float64Array::from_iter_values(
                numbers().map(|x| if x % 10 == 3 { f64::NAN } else { x as f64 - 50.0 }),
            )),
        ),
        ("f32", Arc::new(Float32Array::from_iter_values(numbers().map(|x| x as f32 / 4.0)))),
        ("b", Arc::new(BooleanArray::from_iter(numbers().map(|x| Some(x >= 50))))),
        ("t", Arc::new(StringArray::from_iter_values(numbers().map(|x| format!("a text that is long {x:03}"))))),
        (
            "d",
            Arc::new(
                numbers()
                    .map(|x| Some(format!("w{x:02}")))
                    .collect::<Vec<_>>()
                    .iter()
                    .map(Option::as_deref)
                    .collect::<DictionaryArray<Int32Type>>(),
            ),
        ),
        ("short", decimals(9)),
        ("long", decimals(30)),
        ("day", Arc::new(Date32Array::from_iter_values(0..100))),
        ("at", Arc::new(moments())),
        ("utc", Arc::new(moments().with_timezone("+02:00"))),
        ("half", Arc::new(numbers().map(|x| (x >= 50).then_some(x)).collect::<Int64Array>())),
        ("same", Arc::new(Int64Array::from_iter_values(numbers().map(|x| x / 10)))),
    ];
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

#[test]
fn row_groups_without_a_row_to_take_are_never_read() {
    let folder = Folder::new();
    let path = folder.path("in.parquet");
    let table = ascending();
    write_groups(&path, &table, 10, EnabledStatistics::Chunk);
    let groups = groups_of(&path);
    let bytes = std::fs::read(&path).unwrap();
    // Each condition, the rows it takes, and the groups that are left to read.
    for (condition, rows, read) in [
        ("n = { min = 95 }", 95..100, 9..10),
        ("n = { max = 9 }", 0..10, 0..1),
        ("n = { min = 30, max = 49 }", 30..50, 3..5),
        ("n = { one_of = [33, 34] }", 33..35, 3..4),
        ("n = { min = 1000 }", 0..0, 0..0),
        ("n = { one_of = [-5] }", 0..0, 0..0),
        ("u = { max = 19 }", 0..20, 0..2),
        ("f = { min = 44.5 }", 95..100, 9..10),
        ("f = { min = 44 }", 94..100, 9..10),
        ("f = { max = -48.0 }", 0..3, 0..1),
        ("f = { one_of = [0, 1.0] }", 50..52, 5..6),
        ("f32 = { max = 0.25 }", 0..2, 0..1),
        ("b = { one_of = [true] }", 50..100, 5..10),
        ("b = { none_of = [true] }", 0..50, 0..5),
        ("d = { min = \"w95\" }", 95..100, 9..10),
        ("d = { one_of = [\"w10\", \"w11\"] }", 10..12, 1..2),
        ("short = { max = -41.0 }", 0..10, 0..1),
        ("long = { min = 40 }", 90..100, 9..10),
        ("long = { one_of = [-50.0] }", 0..1, 0..1),
        ("day = { min = \"1970-04-06\" }", 95..100, 9..10),
        ("at = { max = \"1970-01-10\" }", 0..10, 0..1),
        ("utc = { max = \"1970-01-10T02:00:00\" }", 0..10, 0..1),
        ("utc = { max = \"1970-01-10T00:00:00Z\" }", 0..10, 0..1),
        ("half = { not_null = true }", 50..100, 5..10),
        ("same = { none_of = [0, 1, 2] }", 30..100, 3..10),
        // The first five bytes, which are all that the statistics have, are the same for every text.
        ("t = { min = \"a text that is long 095\" }", 95..100, 0..10),
        ("t = { max = \"a\" }", 0..0, 0..0),
        ("t = { min = \"b\" }", 0..0, 0..0),
        ("t = { regex = \"095$\" }", 95..96, 0..10),
    ] {
        // What is in the way of the rows to be left out is no Parquet any more.
        let mut damaged = bytes.clone();
        for (index, (_, start)) in groups.iter().enumerate().filter(|(index, _)| !read.contains(index)) {
            let end = groups.get(index + 1).map_or(start + 100, |(_, start)| *start);
            damaged[*start as usize..end as usize].fill(0xff);
        }
        std::fs::write(&path, damaged).unwrap();
        let toml = format!("[source.filter]\n{condition}\n");
        let summary =
            folder.run(&toml, "in.parquet", "out.parquet").unwrap_or_else(|error| panic!("{condition}: {error}"));
        let skipped = 10 - read.len() as u64;
        assert_eq!((summary.rows_written, summary.skipped_row_groups), (rows.len() as u64, skipped), "{condition}");
        assert_eq!((summary.rows_read, summary.filtered_rows), (100, 100 - summary.rows_written), "{condition}");
        let whole = bytes.len() as u64;
        assert!(summary.bytes_read <= whole * (10 - skipped) / 10 + 1, "{condition}: {}", summary.bytes_read);
        let found = folder.parquet("out.parquet");
        assert_eq!(
            found.column(0).as_primitive::<Int64Type>().values(),
            &rows.clone().map(|x| x as i64).collect::<Vec<_>>()[..],
            "{condition}"
        );
        let plan = folder.pipeline(&toml, "in.parquet", "out.parquet").plan().unwrap().to_string();
        assert!(plan.contains(&format!("filter   skips {skipped} of 10 row groups\n")), "{plan}");
    }
}

#[test]
fn what_no_row_is_taken_of_is_a_valid_output() {
    let folder = Folder::new();
    folder.write("in.csv", "symbol,price\nA,1.5\nB,2.5\n");
    folder.run("", "in.csv", "in.parquet").unwrap();
    folder.run("", "in.csv", "in.arrow").unwrap();
    let stage = "[[stage]]\nover = \"symbol\"\n[[stage.kernel]]\nname = \"rolling_mean\"\ncolumn = \"price\"\nwindow = 2\nalias = \"mean\"\n";
    let toml = format!("[source.filter]\nprice = {{ min = 9 }}\n{stage}");
    for input in ["in.csv", "in.parquet", "in.arrow"] {
        for output in ["out.csv", "out.parquet", "out.arrow"] {
            let summary = folder.run(&toml, input, output).unwrap();
            assert_eq!((summary.rows_written, summary.filtered_rows, summary.rows_read), (0, 2, 2), "{input}");
        }
        assert_eq!(folder.read("out.csv"), "symbol,price,mean\n");
        for batch in [folder.parquet("out.parquet"), read_ipc(&folder.path("out.arrow"))] {
            assert_eq!((batch.num_rows(), batch.num_columns()), (0, 3));
            assert_eq!(batch.schema().field(2).data_type(), &DataType::Float64);
        }
    }
}

#[test]
fn columns_that_only_the_filter_needs_are_not_written() {
    let folder = Folder::new();
    folder.write("in.csv", "symbol,price,size\nA,1.5,1\nB,2.5,2\nA,3.5,3\n");
    folder.run("", "in.csv", "in.parquet").unwrap();
    folder.run("", "in.csv", "in.arrow").unwrap();
    let filter = "[source.filter]\nsymbol = { one_of = [\"A\"] }\n";
    let rules = "[source.rules]\nsize = { increasing = true }\n";
    for input in ["in.csv", "in.parquet", "in.arrow"] {
        let columns = "[source]\ncolumns = [\"size\"]\n";
        folder.run(&format!("{columns}{filter}"), input, "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), "size\n1\n3\n", "{input}");
        folder.run(&format!("{columns}{filter}{rules}"), input, "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), "size\n1\n3\n", "{input}");
        folder.run(&format!("{filter}[sink]\ncolumns = [\"price\"]\n"), input, "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), "price\n1.5\n3.5\n", "{input}");
        folder.run(&format!("{filter}[sink]\ncolumns = [\"price\", \"symbol\"]\n"), input, "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), "price,symbol\n1.5,A\n3.5,A\n", "{input}");
    }
}

/// Two files a day, `day=1` to `day=3`, and one of no day.
fn hive(folder: &Folder, format: &str) {
    for (day, from) in [("1", 0), ("2", 4), ("3", 8), ("__HIVE_DEFAULT_PARTITION__", 12)] {
        std::fs::create_dir_all(folder.path(&format!("in/day={day}"))).unwrap();
        for file in 0..2 {
            let rows = (from + file * 2..from + file * 2 + 2).map(|n| format!("{n},{}\n", n % 2)).collect::<String>();
            folder.write("part.csv", format!("n,odd\n{rows}"));
            folder.run("", "part.csv", &format!("in/day={day}/{file}.{format}")).unwrap();
        }
    }
    std::fs::remove_file(folder.path("part.csv")).unwrap();
}

#[test]
fn whole_files_are_left_out_by_their_folders() {
    for format in ["csv", "parquet", "arrow"] {
        let folder = Folder::new();
        hive(&folder, format);
        // Files that must not be opened can't be read.
        folder.write(&format!("in/day=1/0.{format}"), "");
        folder.write(&format!("in/day=3/1.{format}"), "\u{0}\u{0}\"no such file");
        let toml = "[source.filter]\nday = { min = 2, max = 2 }\nodd = { one_of = [1] }\n";
        let summary = folder.run(toml, "in", "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), "n,odd,day\n5,1,2\n7,1,2\n", "{format}");
        assert_eq!((summary.rows_written, summary.filtered_rows, summary.skipped_files), (2, 2, 6), "{format}");
        let plan = folder.pipeline(toml, "in", "out.csv").plan().unwrap().to_string();
        assert!(plan.contains("day=2") && plan.contains(" and 1 more files"), "{plan}");
        assert!(plan.contains("skips 6 of 8 files"), "{plan}");
        assert!(plan.contains("day  min = 2\n") && plan.contains("odd  one_of = [1]\n"), "{plan}");
        // The folder's column, and what only the filter needs, need not be read.
        let summary = folder.run(&format!("{toml}[sink]\ncolumns = [\"n\"]\n"), "in", "out.csv").unwrap();
        assert_eq!((folder.read("out.csv").as_str(), summary.rows_written), ("n\n5\n7\n", 2));
        let summary = folder.run(&format!("[source]\ncolumns = [\"day\"]\n{toml}"), "in", "out.csv").unwrap();
        assert_eq!((folder.read("out.csv").as_str(), summary.rows_read), ("day\n2\n2\n", 4), "{format}");
        // An output may not take the place of an input, read or not.
        let error = folder.run(&format!("{toml}[sink]\nformat = \"csv\"\n"), "in", &format!("in/day=3/0.{format}"));
        assert!(error.unwrap_err().to_string().contains("the output is also an input"));
    }
}

#[test]
fn all_files_may_be_left_out() {
    for format in ["csv", "parquet", "arrow"] {
        let folder = Folder::new();
        hive(&folder, format);
        let toml = format!("state = {:?}\n[source.filter]\nday = {{ min = 9 }}\n", folder.path("p.state"));
        let summary = folder.run(&toml, "in", "out.csv").unwrap();
        assert_eq!((folder.read("out.csv").as_str(), summary.skipped_files), ("n,odd,day\n", 8));
        assert_eq!((summary.rows_read, summary.bytes_read), (0, 0));
        let plan = folder.pipeline(&toml, "in", "out.csv").plan().unwrap().to_string();
        assert!(plan.starts_with("source   none of 8 files"), "{plan}");
        // No file was taken in, so that each may still come.
        let summary = folder.run(&toml.replace("min = 9", "min = 3"), "in", "out.csv").unwrap();
        assert_eq!((summary.rows_written, summary.skipped_files), (4, 6));
        let error = folder.run(&toml.replace("min = 9", "min = 2"), "in", "out.csv").unwrap_err().to_string();
        assert!(error.contains("was already processed"), "{error}");
        folder.run(&toml.replace("min = 9", "max = 2"), "in", "out.csv").unwrap();
    }
}

#[test]
fn bad_rows_come_before_the_filter() {
    let folder = Folder::new();
    folder.write("in.csv", "id,price\n1,5\n2,x\n3,50\n4,-1\n5,7\n");
    let rejects = folder.path("rejects.csv");
    let toml = |policy: &str| {
        format!(
            "[source]\nchunk_bytes = 7\n{policy}\nschema = {{ id = \"i64\", price = \"f64\" }}\n[source.rules]\nprice = {{ min = 0 }}\nid = {{ increasing = true }}\n[source.filter]\nid = {{ min = 3 }}\nprice = {{ max = 10 }}\n"
        )
    };
    for (policy, rows, filtered, bad) in [
        ("on_bad_row = \"skip\"".to_string(), "5,7.0\n", 2, 2),
        (format!("on_bad_row = \"reject\"\nrejects = {rejects:?}"), "5,7.0\n", 2, 2),
        // What became null meets no condition.
        ("on_bad_row = \"null\"".to_string(), "5,7.0\n", 4, 2),
    ] {
        let summary = folder.run(&toml(&policy), "in.csv", "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), format!("id,price\n{rows}"));
        assert_eq!((summary.filtered_rows, summary.bad_rows, summary.rows_read), (filtered, bad, 5), "{policy}");
    }
    let error = folder.run(&toml(""), "in.csv", "out.csv").unwrap_err().to_string();
    assert!(error.contains("in.csv:3: record 2"), "{error}");
}

/// Groups of Parquet that hold bad rows are seen, whether the filter takes rows of them or not.
#[test]
fn the_counts_of_bad_rows_do_not_depend_on_pushdown() {
    let folder = Folder::new();
    write_groups(&folder.path("in.parquet"), &ascending(), 10, EnabledStatistics::Chunk);
    let rejects = folder.path("rejects.csv");
    let rules = "[source.rules]\nf = { min = -45 }\n";
    let toml = format!(
        "[source]\non_bad_row = \"reject\"\nrejects = {rejects:?}\n{rules}[source.filter]\nn = {{ min = 85 }}\n[sink]\ncolumns = [\"n\"]\n"
    );
    let summary = folder.run(&toml, "in.parquet", "out.csv").unwrap();
    // Five below the bound, one of them a NaN, and nine other NaNs.
    assert_eq!((summary.bad_rows, summary.skipped_row_groups, summary.rows_written), (14, 0, 14));
    assert_eq!(summary.rows_read, 100);
    let text = folder.read("rejects.csv");
    let records: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
    assert_eq!(records, ["1", "2", "3", "4", "5", "14", "24", "34", "44", "54", "64", "74", "84", "94"]);
    let error = folder.run(&toml.replace("on_bad_row = \"reject\"\nrejects", "#"), "in.parquet", "out.csv");
    assert!(error.unwrap_err().to_string().contains("record 1, column 'f'"));
}

#[test]
fn the_limit_counts_rows_that_pass() {
    let folder = Folder::new();
    write_groups(&folder.path("in.parquet"), &ascending(), 10, EnabledStatistics::Chunk);
    folder.run("[sink]\ncolumns = [\"n\", \"f\"]\n", "in.parquet", "in.csv").unwrap();
    let toml = "[source]\nbatch_rows = 7\n[source.filter]\nn = { min = 42 }\n[sink]\ncolumns = [\"n\"]\n";
    for input in ["in.parquet", "in.csv"] {
        for limit in [0, 1, 5, 58, 59] {
            let summary = folder.pipeline(toml, input, "out.csv").with_limit(limit).run(&mut |_| ()).unwrap();
            assert_eq!(summary.rows_written, limit.min(58), "{input}");
            assert_sums_up(&summary);
            let first: Vec<String> = (42..42 + summary.rows_written).map(|n| n.to_string()).collect();
            assert_eq!(folder.read("out.csv").lines().skip(1).collect::<Vec<_>>(), first);
        }
    }
}

#[test]
fn a_trial_ends_though_the_filter_takes_nothing() {
    let folder = Folder::new();
    folder.write("in.csv", trades(20_000));
    let toml = "[source]\nchunk_bytes = 2000\n[source.filter]\nsymbol = { one_of = [\"X\"] }\n";
    let summary = folder.pipeline(toml, "in.csv", "out.csv").dry_run(100).unwrap().unwrap();
    assert!((100..1000).contains(&summary.rows_read), "{}", summary.rows_read);
    // What is never read costs no time.
    write_groups(&folder.path("in.parquet"), &ascending(), 10, EnabledStatistics::Chunk);
    let toml = "[source]\nbatch_rows = 2\n[source.filter]\nn = { min = 95 }\n";
    let summary = folder.pipeline(toml, "in.parquet", "out.csv").dry_run(7).unwrap().unwrap();
    assert_eq!((summary.rows_written, summary.filtered_rows), (3, 95));
}

#[test]
fn negative_zero_and_nan_are_what_they_are() {
    let folder = Folder::new();
    let values = [-0.0, 0.0, f64::NAN, -f64::NAN, -1.0, f64::INFINITY];
    let rows: Vec<Row> = values.iter().map(|x| (None, Some(*x), None)).collect();
    write_groups(&folder.path("in.parquet"), &table(&rows, false), 1, EnabledStatistics::Chunk);
    for (condition, expected) in [
        ("min = 0.0", vec![0, 1, 5]),
        ("max = -0.0", vec![0, 1, 4]),
        ("max = inf", vec![0, 1, 4, 5]),
        ("min = -inf", vec![0, 1, 4, 5]),
        ("one_of = [0]", vec![0, 1]),
        ("none_of = [-0.0, inf]", vec![2, 3, 4]),
        ("not_null = true", vec![0, 1, 2, 3, 4, 5]),
    ] {
        // As a rule the same words mean the same.
        for table in ["filter", "rules"] {
            let toml = format!("[source]\non_bad_row = \"skip\"\n[source.{table}]\nf = {{ {condition} }}\n");
            folder.run(&toml, "in.parquet", "out.parquet").unwrap();
            let found = folder.parquet("out.parquet");
            let found: Vec<i64> = found.column(0).as_primitive::<Int64Type>().values().to_vec();
            assert_eq!(found, expected, "{table}: {condition}");
        }
    }
}

/// A file with two groups of which a kill may leave the first in a checkpoint, for each format.
#[test]
fn killed_and_resumed_the_bytes_are_the_same() {
    for input in ["in.csv", "in.parquet", "in.arrow"] {
        let folder = Folder::new();
        folder.write("in.csv", trades(30_000));
        folder
            .run(
                "[source]\nschema = { price = \"f64\" }\n[sink]\nrow_group_size = 1000\n[source.rules]\n",
                "in.csv",
                "in.arrow",
            )
            .unwrap();
        write_groups(&folder.path("in.parquet"), &read_ipc(&folder.path("in.arrow")), 1000, EnabledStatistics::Chunk);
        let pipeline = |filter: &str, checkpoint: bool| {
            let csv = if input == "in.csv" {
                "chunk_bytes = 3000\nschema = { price = \"f64\" }\n"
            } else {
                "batch_rows = 500\n"
            };
            format!(
                "{}state = \"p.state\"\n[source]\npath = \"{input}\"\n{csv}[source.filter]\n{filter}\n{KERNELS}\n[sink]\npath = \"out.parquet\"\nrow_group_size = 300\n",
                if checkpoint { "checkpoint_interval = \"1ns\"\n" } else { "" }
            )
        };
        let filter =
            "symbol = { one_of = [\"A\", \"B\"] }\nprice = { max = 20 }\nts = { min = \"2024-01-02T12:00:00\" }";
        let start = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_hypostyle"));
            command.args(["run", "p.toml", "--progress", "json"]).args(arguments).current_dir(folder.path(""));
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let done = |child: std::process::Child| {
            let done = child.wait_with_output().unwrap();
            (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
        };
        let counts = |text: &str| {
            let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            ["rows_written", "rows_read", "filtered_rows", "skipped_row_groups"].map(|key| last[key].as_u64().unwrap())
        };
        folder.write("p.toml", pipeline(filter, false));
        let (success, text) = done(start(&["--threads", "3"]));
        assert!(success, "{text}");
        let expected =
            (std::fs::read(folder.path("out.parquet")).unwrap(), std::fs::read(folder.path("p.state")).unwrap());
        let whole = counts(&text);
        assert_eq!((whole[1], whole[0] + whole[2]), (30_000, 30_000));
        assert_eq!(whole[3] > 0, input == "in.parquet", "{text}");
        std::fs::remove_file(folder.path("p.state")).unwrap();
        std::fs::remove_file(folder.path("out.parquet")).unwrap();

        folder.write("p.toml", pipeline(filter, true));
        let checkpoint = folder.path(".out.parquet.checkpoint/checkpoint.json");
        let mut kills = 0;
        for round in 0..200 {
            let before = std::fs::read(&checkpoint).ok();
            let mut run = start(&["--threads", ["1", "2"][round % 2]]);
            // Until there is a checkpoint behind the one that it began with.
            while run.try_wait().unwrap().is_none()
                && std::fs::read(&checkpoint).ok().is_none_or(|now| before.as_ref() == Some(&now))
            {
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
            if kills < 3 {
                let _ = run.kill();
            }
            let (success, text) = done(run);
            if success {
                assert_eq!(counts(&text), whole, "{input}");
                break;
            }
            assert!(text.is_empty() || text.contains("progress"), "{text}");
            kills += 1;
            if kills == 1 {
                folder.write("p.toml", pipeline(&filter.replace("max = 20", "max = 21"), true));
                let (success, text) = done(start(&[]));
                assert!(!success && text.contains("the pipeline file or the memory limit has changed"), "{text}");
                folder.write("p.toml", pipeline(filter, true));
            }
        }
        assert!(kills > 0, "nothing was killed");
        assert!(std::fs::read(folder.path("out.parquet")).unwrap() == expected.0, "{input}, {kills} kills");
        assert!(std::fs::read(folder.path("p.state")).unwrap() == expected.1, "{input}, {kills} kills");
    }
}

#[test]
fn states_go_on_and_nothing_depends_on_threads_and_pieces() {
    let folder = Folder::new();
    folder.write("all.csv", trades(900));
    let filter = "[source.filter]\nsymbol = { none_of = [\"B\"] }\nprice = { min = 12, not_null = true }\n";
    let schema = "schema = { price = \"f64\" }\n";
    folder.run(&format!("[source]\n{schema}{filter}{KERNELS}"), "all.csv", "all.parquet").unwrap();
    let expected = std::fs::read(folder.path("all.parquet")).unwrap();
    folder.run(&format!("[source]\n{schema}"), "all.csv", "in.parquet").unwrap();
    for pieces in [1, 7, 100, 10_000] {
        for threads in [1, 3] {
            for (input, toml) in [
                (
                    "all.csv",
                    format!("[source]\nchunk_bytes = {pieces}\nbatch_rows = {pieces}\n{schema}{filter}{KERNELS}"),
                ),
                ("in.parquet", format!("[source]\nbatch_rows = {pieces}\n{filter}{KERNELS}")),
            ] {
                folder.pipeline(&toml, input, "again.parquet").with_threads(threads).run(&mut |_| ()).unwrap();
                assert!(
                    std::fs::read(folder.path("again.parquet")).unwrap() == expected,
                    "{input}, {pieces}, {threads}"
                );
            }
        }
    }
    let text = folder.read("all.csv");
    let lines: Vec<&str> = text.lines().collect();
    for (name, lines) in [("1.csv", &lines[1..300]), ("2.csv", &lines[300..])] {
        folder.write(name, format!("ts,symbol,price\n{}\n", lines.join("\n")));
        let toml = format!("state = {:?}\n[source]\n{schema}{filter}{KERNELS}", folder.path("p.state"));
        folder.run(&toml, name, &name.replace("csv", "parquet")).unwrap();
    }
    let parts = [folder.parquet("1.parquet"), folder.parquet("2.parquet")];
    assert_same_bits(&concat_batches(&parts[0].schema(), &parts).unwrap(), &folder.parquet("all.parquet"));
    let ewm = folder.parquet("all.parquet");
    assert!(ewm.column_by_name("ewm").unwrap().as_primitive::<Float64Type>().len() > 100);
}

#[test]
fn mistakes_name_their_place_and_the_way_out() {
    let folder = Folder::new();
    folder.write("in.csv", "symbol,price,ts,size\nA,1.5,2024-01-01T00:00:00,3\n");
    for (condition, words, way_out) in [
        ("nix = { min = 1 }", "column 'nix' not found", "the columns are 'symbol', 'price'"),
        ("price = { min = \"a\" }", "price: min: \"a\" is not a valid f64", "use a value of the column's type"),
        ("price = { one_of = [true] }", "price: one_of: true is not a valid f64", "use a value of the column's type"),
        (
            "price = { one_of = [9007199254740993] }",
            "price: one_of: 9007199254740993",
            "use a value of the column's type",
        ),
        ("symbol = { min = 5 }", "symbol: min: 5 is not a valid string", "use a value of the column's type"),
        (
            "ts = { max = \"tomorrow\" }",
            "ts: max: \"tomorrow\" is not a valid timestamp[us]",
            "use a value of the column's type",
        ),
        (
            "ts = { max = \"2024-01-01T00:00:00.1234567\" }",
            "is not a valid timestamp[us]",
            "use a value of the column's type",
        ),
        ("size = { min = 0.5 }", "size: min: 0.5 is not a valid i64", "use a value of the column's type"),
        ("price = { min = 2, max = 1 }", "price: min is 2, greater than max, 1", "swap them, or remove one"),
        ("ts = { min = \"2024-01-02\", max = \"2024-01-01\" }", "ts: min is", "swap them"),
        ("price = { min = nan }", "price: min: got nan", "use a number, or remove min"),
        ("price = { regex = \"1\" }", "price: regex: got a column of type f64, expected string", "remove regex"),
        ("symbol = { regex = \"(\" }", "symbol: regex: not a valid regular expression", "fix the regex"),
        ("symbol = { one_of = [] }", "symbol: one_of: the list is empty", "add a value, or remove one_of"),
        ("symbol = { none_of = [] }", "symbol: none_of: the list is empty", "add a value, or remove none_of"),
    ] {
        let toml = format!("[source.schema]\nts = \"timestamp[us]\"\n\n[source.filter]\n{condition}\n");
        let error = folder.run(&toml, "in.csv", "out.csv").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("[source.filter]") && text.contains(words) && text.contains(way_out), "{text}");
        assert_eq!(error.line(), Some(5), "{text}");
    }
    for word in ["unique = true", "increasing = true", "over = \"symbol\"", "mini = 1"] {
        let error = format!("[source.filter]\nprice = {{ {word} }}\n").parse::<Pipeline>().unwrap_err().to_string();
        assert!(error.contains("unknown setting") && error.contains("'none_of'"), "{error}");
    }
}

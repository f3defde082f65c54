//! Several files as one table: columns by their names, in any order, missing or extra ones as the pipeline file says, and types
//! that hold the values of all files.

mod common;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use common::{Folder, write_parquet};
use hypostyle_pipeline::Pipeline;

const NULL: &str = "missing_columns = \"null\"\n";
const ADD: &str = "missing_columns = \"null\"\nextra_columns = \"add\"\n";
const WIDEN: &str = "widen_types = true\n";

fn int32(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn int64(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn float(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Files of these columns, in each of the formats.
fn files(files: &[&[(&str, ArrayRef)]]) -> Folder {
    let folder = Folder::new();
    for (number, columns) in files.iter().enumerate() {
        let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, Arc::clone(array)))).unwrap();
        let path = folder.path(&format!("{number}.parquet"));
        write_parquet(&path, &batch);
        for format in ["arrow", "csv"] {
            folder.run("", &format!("{number}.parquet"), &format!("{number}.{format}")).unwrap();
        }
    }
    folder
}

/// The names and types of columns, and the rows as text; or what the run complains of.
type Read = Result<(String, Vec<String>), String>;

/// What comes of the files of each format.
fn read(folder: &Folder, settings: &str) -> Vec<(&'static str, Read)> {
    let toml = format!("[source]\n{settings}");
    let of_format = |format: &'static str| {
        let run = folder.run(&toml, &format!("[0-9].{format}"), "out.parquet").map_err(|error| error.to_string());
        (format, run.map(|_| (schema(&folder.parquet("out.parquet")), rows(folder))))
    };
    ["parquet", "arrow", "csv"].into_iter().map(of_format).collect()
}

fn schema(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let fields: Vec<String> = schema.fields().iter().map(|f| format!("{}: {}", f.name(), f.data_type())).collect();
    fields.join(", ")
}

fn rows(folder: &Folder) -> Vec<String> {
    folder.run("", "out.parquet", "out.csv").unwrap();
    folder.read("out.csv").lines().skip(1).map(String::from).collect()
}

#[test]
fn columns_are_found_by_their_names() {
    let folder = files(&[
        &[("a", int64(&[1])), ("b", text(&["x"])), ("c", float(&[0.5]))],
        &[("c", float(&[1.5])), ("a", int64(&[2])), ("b", text(&["y"]))],
        &[("b", text(&["z"])), ("c", float(&[2.5])), ("a", int64(&[3]))],
    ]);
    for (format, found) in read(&folder, "") {
        assert_eq!(found.unwrap().1, ["1,x,0.5", "2,y,1.5", "3,z,2.5"], "{format}");
    }
    for (format, found) in read(&folder, "columns = [\"c\", \"a\"]\nfilter.a = { min = 2 }") {
        assert_eq!(found.unwrap().1, ["2,1.5", "3,2.5"], "{format}");
    }
}

#[test]
fn missing_and_extra_columns_are_errors_by_default() {
    let folder = files(&[&[("a", int64(&[1])), ("bid", int64(&[5]))], &[("a", int64(&[2])), ("bids", int64(&[6]))]]);
    for (format, found) in read(&folder, "") {
        let message = found.unwrap_err();
        let expected = format!("1.{format}: column 'bids' is not in the first file; did you mean 'bid'?");
        assert!(message.contains(&expected) && message.contains("extra_columns = \"ignore\" or \"add\""), "{message}");
    }
    for (format, found) in read(&folder, "extra_columns = \"ignore\"") {
        let message = found.unwrap_err();
        let expected = format!("1.{format}: column 'bid' of the first file is missing; did you mean 'bids'?");
        assert!(message.contains(&expected) && message.contains("missing_columns = \"null\""), "{message}");
    }
    for (format, found) in read(&folder, "columns = [\"a\"]") {
        assert_eq!(found.unwrap().1, ["1", "2"], "{format}");
    }
    let message = "extra_columns = \"add\"\n[sink]\nformat = \"csv\"";
    let pipeline: Pipeline = format!("[source]\n{message}").parse().unwrap();
    let error = pipeline.with_input(folder.path("0.csv")).with_output(folder.path("out.csv")).plan().unwrap_err();
    assert!(error.to_string().contains("set missing_columns = \"null\" in [source]"), "{error}");
}

#[test]
fn missing_columns_are_null_and_extra_ones_are_added() {
    let folder = files(&[
        &[("a", int64(&[1, 2])), ("b", text(&["x", "y"]))],
        &[("c", float(&[2.5])), ("a", int64(&[3]))],
        &[("d", int64(&[9]))],
    ]);
    let ignore = format!("{NULL}extra_columns = \"ignore\"");
    for (format, found) in read(&folder, &ignore) {
        assert_eq!(
            found.unwrap(),
            ("a: Int64, b: Utf8".into(), vec!["1,x".into(), "2,y".into(), "3,".into(), ",".into()]),
            "{format}"
        );
    }
    for (format, found) in read(&folder, ADD) {
        let (schema, rows) = found.unwrap();
        assert_eq!(schema, "a: Int64, b: Utf8, c: Float64, d: Int64", "{format}");
        assert_eq!(rows, ["1,x,,", "2,y,,", "3,,2.5,", ",,,9"], "{format}");
    }
    // Columns that only some files have, none of them in some.
    for (format, found) in read(&folder, &format!("{ADD}columns = [\"d\"]")) {
        assert_eq!(found.unwrap().1, ["\"\"", "\"\"", "\"\"", "9"], "{format}");
    }
    for (format, found) in read(&folder, &format!("{ADD}filter.c = {{ min = 0 }}")) {
        assert_eq!(found.unwrap().1, ["3,,2.5,"], "{format}");
    }
    // A rule sees the nulls.
    for (format, found) in read(&folder, &format!("{ADD}on_bad_row = \"skip\"\nrules.b = {{ not_null = true }}")) {
        assert_eq!(found.unwrap().1, ["1,x,,", "2,y,,"], "{format}");
    }
    let settings = format!("[source]\n{ADD}");
    let plan = folder.pipeline(&settings, "[0-9].arrow", "out.csv").plan().unwrap().to_string();
    assert!(plan.contains("d  i64      (not in the first file)"), "{plan}");
}

#[test]
fn types_are_those_of_all_files() {
    let folder = files(&[&[("n", int32(&[1])), ("v", int64(&[7]))], &[("v", float(&[0.5])), ("n", int64(&[1 << 40]))]]);
    for (format, found) in read(&folder, "") {
        let message = found.unwrap_err();
        let widen = "set widen_types = true in [source] to read it as i64";
        assert!(format == "csv" || message.contains(widen), "{message}");
    }
    for (format, found) in read(&folder, WIDEN) {
        let (schema, rows) = found.unwrap();
        assert_eq!(schema, "n: Int64, v: Float64", "{format}");
        assert_eq!(rows, ["1,7.0", "1099511627776,0.5"], "{format}");
    }
    // By statistics of another type no row group is skipped that has rows.
    for (format, found) in read(&folder, &format!("{WIDEN}filter.v = {{ min = 6.5 }}")) {
        assert_eq!(found.unwrap().1, ["1,7.0"], "{format}");
    }
    // CSV has a type for everything.
    let folder = files(&[&[("n", int64(&[1]))], &[("n", text(&["x"]))]]);
    for (format, found) in read(&folder, WIDEN) {
        match format {
            "csv" => assert_eq!(found.unwrap(), ("n: Utf8".into(), vec!["1".into(), "x".into()])),
            _ => assert!(
                found.unwrap_err().contains("got string, expected i64, as in the first file\nhelp: no type holds")
            ),
        }
    }
}

#[test]
fn a_value_that_the_wider_type_does_not_hold_is_bad() {
    let long = (1 << 53) + 1;
    let folder = files(&[&[("v", float(&[0.5]))], &[("v", int64(&[1, long, 3]))]]);
    for (format, found) in read(&folder, WIDEN) {
        match format {
            // It is a string there.
            "csv" => assert_eq!(found.unwrap().1[2], long.to_string()),
            _ => {
                let message = found.unwrap_err();
                let expected = format!("1.{format}: record 2, column 'v': \"{long}\" cannot be held by f64");
                assert!(message.contains(&expected), "{message}");
            }
        }
    }
    for format in ["parquet", "arrow"] {
        let toml = format!("[source]\n{WIDEN}on_bad_row = \"null\"\nbatch_rows = 1");
        let summary = folder.run(&toml, &format!("[0-9].{format}"), "out.parquet").unwrap();
        assert_eq!((summary.bad_rows, summary.rows_written), (1, 4));
        assert!(folder.parquet("out.parquet").column(0).is_null(2), "{format}");
    }
}

#[test]
fn csv_keeps_its_positions_in_files_of_another_order() {
    let folder = Folder::new();
    folder.write("1.csv", "a,b,c\n1,x,2024-01-01\n");
    folder.write("2.csv", "c,extra,a\n2024-01-02,q,2\n2024-01-03,q\nsoon,q,3\na,b\nc,extra,a\n2024-01-05,q,x5\n");
    let toml = format!(
        "[source]\n{NULL}extra_columns = \"ignore\"\non_bad_row = \"reject\"\nrejects = \"{}\"",
        folder.path("rejects.csv").display()
    );
    for chunk in ["", "\nchunk_bytes = 5"] {
        let summary = folder.run(&format!("{toml}{chunk}"), "[12].csv", "out.csv").unwrap();
        assert_eq!((summary.rows_written, summary.bad_rows), (2, 5));
        assert_eq!(folder.read("out.csv"), "a,b,c\n1,x,2024-01-01\n2,,2024-01-02\n");
        let rejects = folder.read("rejects.csv");
        let found: Vec<String> =
            rejects.lines().skip(1).map(|line| line.split_once(".csv,").unwrap().1.into()).collect();
        assert_eq!(
            found,
            [
                "3,2,25,,\"got 2 fields, expected 3\",\"2024-01-03,q\"",
                "4,3,38,c,\"\"\"soon\"\" is not a valid date (such as 2024-12-31)\",\"soon,q,3\"",
                "5,4,47,,\"got 2 fields, expected 3\",\"a,b\"",
                "6,5,51,,repeats the header,\"c,extra,a\"",
                "7,6,61,a,\"\"\"x5\"\" is not a valid i64 (an integer)\",\"2024-01-05,q,x5\"",
            ]
        );
    }
}

#[test]
fn joined_columns_and_texts_of_csv() {
    let folder = Folder::new();
    folder.write("1.csv", "date,time,note\n2024-01-01,10:00:00,\"\"\n");
    folder.write("2.csv", "time,date\n11:00:00,2024-01-02\n");
    folder.write("3.csv", "note\nx\n");
    let toml = format!("[source]\n{NULL}empty = \"text\"\ndatetime_formats.ts = {{ from = [\"date\", \"time\"] }}");
    folder.run(&toml, "[123].csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    let note = batch.column_by_name("note").unwrap().as_string::<i32>();
    assert_eq!(note.iter().collect::<Vec<_>>(), [Some(""), None, Some("x")]);
    let ts = arrow::compute::cast(batch.column_by_name("ts").unwrap(), &DataType::Utf8).unwrap();
    let ts: Vec<_> = ts.as_string::<i32>().iter().collect();
    assert_eq!(ts, [Some("2024-01-01T10:00:00"), Some("2024-01-02T11:00:00"), None]);
    folder.write("3.csv", "date\n2024-01-03\n");
    let message = folder.run(&toml, "[123].csv", "out.parquet").unwrap_err().to_string();
    assert!(message.contains("3.csv: got column 'date' without 'time'"), "{message}");
}

#[test]
fn columns_from_the_paths_of_the_files() {
    let folder = Folder::new();
    folder.write("AB-2024-01-02.csv", "x\n1\n2\n");
    folder.write("CD-2024-01-03-late.csv", "x\n3\n");
    let toml = "[source]\npath_columns = '(?<symbol>[A-Z]+)-(?<day>[0-9-]{10})(-(?<note>[a-z]+))?\\.csv$'\n";
    folder.run(toml, "*.csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    assert_eq!(batch.schema().field_with_name("day").unwrap().data_type(), &DataType::Date32);
    folder.run("", "out.parquet", "out.txt").unwrap();
    assert_eq!(folder.read("out.txt"), "x,symbol,day,note\n1,AB,2024-01-02,\n2,AB,2024-01-02,\n3,CD,2024-01-03,late\n");
    // Files that a condition leaves out are not opened.
    folder.write("EF-2024-01-04.csv", "not,the,same\n");
    let late = format!("{toml}[source.filter]\nday = {{ max = \"2024-01-02\" }}\n");
    assert_eq!(folder.run(&late, "*.csv", "out.parquet").unwrap().rows_written, 2);
    std::fs::remove_file(folder.path("EF-2024-01-04.csv")).unwrap();
    // The path itself, and a declared type.
    let toml = "[source]\npath_columns = '(?<file>[^/]*)$'\n";
    folder.run(toml, "AB-2024-01-02.csv", "out.txt").unwrap();
    assert_eq!(folder.read("out.txt"), "x,file\n1,AB-2024-01-02.csv\n2,AB-2024-01-02.csv\n");
    let toml = "[source]\npath_columns = '(?<year>[0-9]{4})'\n[source.schema]\nyear = \"f64\"\n";
    folder.run(toml, "AB-2024-01-02.csv", "out.txt").unwrap();
    assert_eq!(folder.read("out.txt"), "x,year\n1,2024.0\n2,2024.0\n");
    for (pattern, words) in [
        ("(?<a>", "is not a valid regex"),
        ("[A-Z]+", "names no column"),
        ("(?<a>[0-9]{7})", "the path does not match path_columns = '(?<a>[0-9]{7})'"),
    ] {
        let toml = format!("[source]\npath_columns = '{pattern}'\n");
        let message = folder.run(&toml, "*.csv", "out.txt").unwrap_err().to_string();
        assert!(message.contains(words) && message.contains("help: "), "{words}: {message}");
    }
    std::fs::create_dir(folder.path("day=1")).unwrap();
    folder.write("day=1/x.csv", "x\n1\n");
    let message =
        folder.run("[source]\npath_columns = '(?<day>x)'\n", "day=1/x.csv", "out.txt").unwrap_err().to_string();
    assert!(message.contains("the directories have a column 'day' too"), "{message}");
}

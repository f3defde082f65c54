//! Tables of Delta: the rows of a version, from logs as the protocol describes them.
#![cfg(feature = "delta")]

mod common;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema};
use common::{Folder, assert_same_bits, write_parquet};
use hypostyle_pipeline::Pipeline;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

/// The rows 3, 4, 7, 11, 18 and 29, as the protocol's own example has them.
const DELETED: [usize; 6] = [3, 4, 7, 11, 18, 29];

fn deletion_vector() -> Value {
    let rows = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
    json!({"storageType": "i", "pathOrInlineDv": rows, "sizeInBytes": 44, "cardinality": 6})
}

fn field(name: &str, data_type: impl Into<Value>) -> Value {
    json!({"name": name, "type": data_type.into(), "nullable": true, "metadata": {}})
}

fn mapped(name: &str, data_type: &str, physical: &str, id: i64) -> Value {
    let metadata = json!({"delta.columnMapping.physicalName": physical, "delta.columnMapping.id": id});
    json!({"name": name, "type": data_type, "nullable": true, "metadata": metadata})
}

/// A table in a folder, made commit by commit.
struct Table<'a> {
    folder: &'a Folder,
    commits: usize,
}

impl<'a> Table<'a> {
    fn new(folder: &'a Folder, fields: &[Value], partitions: &[&str], mapping: Option<&str>) -> Self {
        fs::create_dir_all(folder.path("t/_delta_log")).unwrap();
        let mut table = Self { folder, commits: 0 };
        table.commit(&Self::begun(fields, partitions, mapping));
        table
    }

    fn begun(fields: &[Value], partitions: &[&str], mapping: Option<&str>) -> Vec<Value> {
        let features: &[&str] =
            if mapping.is_some() { &["deletionVectors", "columnMapping"] } else { &["deletionVectors"] };
        let configuration = mapping.map_or(
            json!({}),
            |mode| json!({"delta.columnMapping.mode": mode, "delta.columnMapping.maxColumnId": "9"}),
        );
        let schema = json!({"type": "struct", "fields": fields}).to_string();
        vec![
            json!({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features,
                "writerFeatures": features}}),
            json!({"metaData": {"id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", "schemaString": schema,
                "format": {"provider": "parquet", "options": {}}, "partitionColumns": partitions,
                "configuration": configuration, "createdTime": 1_700_000_000_000_i64}}),
        ]
    }

    fn commit(&mut self, actions: &[Value]) {
        let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
        self.folder.write(&format!("t/_delta_log/{:020}.json", self.commits), lines.join("\n"));
        self.commits += 1;
    }

    fn add(&mut self, name: &str, values: Value, deleted: Option<Value>) {
        let action = self.added(name, values, deleted);
        self.commit(&[action]);
    }

    fn added(&self, name: &str, values: Value, deleted: Option<Value>) -> Value {
        let bytes = fs::metadata(self.folder.path("t").join(name)).unwrap().len();
        let mut add = json!({"path": name, "partitionValues": values, "size": bytes, "dataChange": true,
            "modificationTime": 1_700_000_000_000_u64 + self.commits as u64});
        if let Some(deleted) = deleted {
            add["deletionVector"] = deleted;
        }
        json!({"add": add})
    }
}

fn write(folder: &Folder, name: &str, columns: Vec<(&str, ArrayRef)>) {
    write_parquet(&folder.path("t").join(name), &RecordBatch::try_from_iter(columns).unwrap());
}

fn numbers(rows: std::ops::Range<i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows))
}

/// Rows with a key and a value, in groups of 16.
fn write_keyed(path: &Path, rows: usize) -> RecordBatch {
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("k{}", row % 3))));
    let values: ArrayRef = Arc::new(Float64Array::from_iter_values((0..rows).map(|row| row as f64)));
    let batch = RecordBatch::try_from_iter([("k", keys), ("v", values)]).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(16)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    batch
}

/// A table of 40 rows, six of which are deleted, and its rows.
fn with_deleted(folder: &Folder) -> RecordBatch {
    let mut table = Table::new(folder, &[field("k", "string"), field("v", "double")], &[], None);
    let whole = write_keyed(&folder.path("t/a.parquet"), 40);
    table.add("a.parquet", json!({}), Some(deletion_vector()));
    let kept: Vec<bool> = (0..40).map(|row| !DELETED.contains(&row)).collect();
    arrow::compute::filter_record_batch(&whole, &kept.into()).unwrap()
}

fn run(folder: &Folder, source: &str) -> RecordBatch {
    folder.run(&format!("[source]\n{source}"), "t", "out.parquet").unwrap();
    folder.parquet("out.parquet")
}

fn complaint(folder: &Folder, source: &str) -> String {
    folder.run(&format!("[source]\n{source}"), "t", "out.parquet").unwrap_err().to_string()
}

#[test]
fn deleted_rows_are_left_out_whatever_the_batches() {
    let folder = Folder::new();
    let kept = with_deleted(&folder);
    for batch_rows in [1, 3, 5, 16, 100] {
        assert_same_bits(&run(&folder, &format!("batch_rows = {batch_rows}")), &kept);
    }
    let stage = "[[stage]]\nover = \"k\"\n[[stage.kernel]]\nname = \"rolling_mean\"\ncolumn = \"v\"\nwindow = 3\nalias = \"mean\"";
    write_parquet(&folder.path("kept.parquet"), &kept);
    folder.run(stage, "kept.parquet", "expected.parquet").unwrap();
    folder.run(&format!("[source]\nbatch_rows = 7\n{stage}"), "t", "out.parquet").unwrap();
    assert_same_bits(&folder.parquet("out.parquet"), &folder.parquet("expected.parquet"));
}

#[test]
fn deleted_rows_are_neither_filtered_nor_bad() {
    let folder = Folder::new();
    with_deleted(&folder);
    // Two row groups hold no row from 32 on, and are never read: five of their rows are deleted.
    let summary = folder.run("[source.filter]\nv = { min = 32 }", "t", "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.rows_read, summary.filtered_rows), (8, 34, 26));
    assert_eq!(summary.skipped_row_groups, 2);
    // A deleted row meets no rule.
    folder.run("[source.rules]\nv = { none_of = [3, 29] }", "t", "out.parquet").unwrap();
    let error = complaint(&folder, "rules = { v = { none_of = [8] } }");
    assert!(error.contains("record 9"), "{error}");
}

#[test]
fn columns_are_found_by_the_names_of_the_log() {
    let folder = Folder::new();
    let fields = [
        mapped("name", "long", "col-1", 1),
        mapped("dropped", "double", "col-2", 2),
        mapped("later", "string", "col-3", 3),
        mapped("part", "integer", "col-4", 4),
    ];
    let mut table = Table::new(&folder, &fields, &["part"], Some("name"));
    let old: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.5, 2.5]));
    // A column of this name was dropped before another got it.
    let columns = vec![("col-2", values), ("dropped", Arc::clone(&old)), ("col-1", numbers(0..2))];
    write(&folder, "a.parquet", columns);
    table.add("a.parquet", json!({"col-4": "7"}), None);
    write(&folder, "b.parquet", vec![("col-3", old), ("col-1", numbers(2..4))]);
    table.add("b.parquet", json!({"col-4": null}), None);
    let rows = run(&folder, "");
    assert_eq!(rows["name"].as_primitive::<Int64Type>().values(), &[0, 1, 2, 3]);
    let dropped: Vec<_> = rows["dropped"].as_primitive::<Float64Type>().iter().collect();
    assert_eq!(dropped, [Some(1.5), Some(2.5), None, None]);
    let later: Vec<_> = rows["later"].as_string::<i32>().iter().collect();
    assert_eq!(later, [None, None, Some("a"), Some("b")]);
    let parts: Vec<_> = rows["part"].as_primitive::<Int32Type>().iter().collect();
    assert_eq!(parts, [Some(7), Some(7), None, None]);
}

#[test]
fn columns_are_found_by_their_numbers() {
    let folder = Folder::new();
    let mut table = Table::new(&folder, &[mapped("x", "long", "p", 1), mapped("y", "long", "q", 2)], &[], Some("id"));
    let numbered = |name: &str, id: &str| {
        let id = HashMap::from([("PARQUET:field_id".to_string(), id.to_string())]);
        Field::new(name, DataType::Int64, true).with_metadata(id)
    };
    // The names are those of the other column.
    let schema = Schema::new(vec![numbered("q", "1"), numbered("p", "2")]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![numbers(0..2), numbers(5..7)]).unwrap();
    write_parquet(&folder.path("t/a.parquet"), &batch);
    table.add("a.parquet", json!({}), None);
    let rows = run(&folder, "");
    assert_eq!(rows["x"].as_primitive::<Int64Type>().values(), &[0, 1]);
    assert_eq!(rows["y"].as_primitive::<Int64Type>().values(), &[5, 6]);
}

#[test]
fn partition_columns_have_the_types_of_the_log_and_choose_files() {
    let folder = Folder::new();
    let fields = [field("x", "long"), field("day", "date"), field("sym", "string")];
    let mut table = Table::new(&folder, &fields, &["day", "sym"], None);
    for (file, day, sym) in [("a%20b.parquet", "2024-01-01", "01"), ("c.parquet", "2024-01-02", "")] {
        write(&folder, &file.replace("%20", " "), vec![("x", numbers(0..1))]);
        let bytes = fs::metadata(folder.path("t").join(file.replace("%20", " "))).unwrap().len();
        table.commit(&[json!({"add": {"path": file, "partitionValues": {"day": day, "sym": sym}, "size": bytes,
            "dataChange": true, "modificationTime": table.commits}})]);
    }
    let rows = run(&folder, "");
    assert_eq!(rows["day"].data_type(), &DataType::Date32);
    assert_eq!(rows["sym"].as_string::<i32>().iter().collect::<Vec<_>>(), [Some("01"), None]);
    let summary = folder.run("[source.filter]\nday = { min = \"2024-01-02\" }", "t", "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.skipped_files), (1, 1));
}

#[test]
fn a_version_is_read_and_none_that_is_not_there() {
    let folder = Folder::new();
    let mut table = Table::new(&folder, &[field("x", "integer")], &[], None);
    assert_eq!(run(&folder, "").num_rows(), 0, "a table without files");
    for (file, rows) in [("a.parquet", 0..3), ("b.parquet", 3..4)] {
        let rows: ArrayRef = Arc::new(arrow::array::Int32Array::from_iter_values(rows));
        write(&folder, file, vec![("x", rows)]);
    }
    table.add("b.parquet", json!({}), None);
    table.add("a.parquet", json!({}), None);
    let removed = json!({"remove": {"path": "a.parquet", "dataChange": true, "deletionTimestamp": 1}});
    table.commit(&[removed]);
    // The type of a column was widened since.
    let widened = Table::begun(&[field("x", "long")], &[], None);
    table.commit(&widened[1..]);
    let values = |source: &str| run(&folder, source)["x"].as_primitive::<Int64Type>().values().to_vec();
    assert_eq!(values(""), [3]);
    let then = run(&folder, "version = 2");
    assert_eq!(then["x"].as_primitive::<Int32Type>().values(), &[3, 0, 1, 2], "in the order of the commits");
    let error = complaint(&folder, "version = 9");
    assert!(error.contains("cannot read version 9 of this table of Delta"), "{error}");
    fs::remove_file(folder.path("t/b.parquet")).unwrap();
    let error = complaint(&folder, "");
    assert!(error.contains("b.parquet"), "{error}");
}

#[test]
fn columns_with_parts_have_the_types_of_the_files() {
    let folder = Folder::new();
    let parts = json!({"type": "struct", "fields": [field("a", "long")]});
    let mut table = Table::new(&folder, &[field("x", "long"), field("s", parts)], &[], None);
    write(&folder, "a.parquet", vec![("x", numbers(0..2))]);
    table.add("a.parquet", json!({}), None);
    let inner: ArrayRef = numbers(5..6);
    let parts = StructArray::from(vec![(Arc::new(Field::new("a", DataType::Int64, true)), inner)]);
    write(&folder, "b.parquet", vec![("s", Arc::new(parts)), ("x", numbers(2..3))]);
    table.add("b.parquet", json!({}), None);
    let rows = run(&folder, "");
    let parts = rows["s"].as_struct();
    assert!(parts.is_null(0) && parts.is_null(1));
    assert_eq!(parts.column(0).as_primitive::<Int64Type>().value(2), 5);
}

#[test]
fn what_the_log_decides_is_no_setting() {
    let folder = Folder::new();
    with_deleted(&folder);
    for setting in ["widen_types = true", "missing_columns = \"null\"", "path_columns = '(?<x>.*)'", "format = \"csv\""]
    {
        let error = complaint(&folder, setting);
        assert!(error.contains("whose log says it") && error.contains("help: remove"), "{setting}: {error}");
    }
    let error = folder.run("[source]\nversion = 1", "t/a.parquet", "out.parquet").unwrap_err().to_string();
    assert!(error.contains("[source] version: the input is not a table of Delta"), "{error}");
    let several = format!("[source]\npath = [{:?}, {:?}]", folder.path("t"), folder.path("t"));
    let several: Pipeline = several.parse().unwrap();
    let error = several.with_output(folder.path("out.parquet")).run(&mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("set path in [source] to the table as a whole"), "{error}");
    let plan = folder.pipeline("", "t", "out.parquet").plan().unwrap().to_string();
    assert!(plan.contains("version 1 of a table of Delta; 6 rows of these files are deleted"), "{plan}");
    folder.write("t/_delta_log/00000000000000000002.json", "{\"add\": ");
    let error = complaint(&folder, "");
    assert!(error.contains("cannot read this table of Delta"), "{error}");
}

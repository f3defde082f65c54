//! A folder of its own for a test, with the few ways in and out that the tests need.

#![allow(dead_code)] // each test file uses some of it

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use hypostyle_pipeline::{Error, Pipeline, Result, Summary};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all files, so that what a failed run left behind is seen.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs a pipeline from one file of the folder to another.
    pub fn run(&self, toml: &str, input: &str, output: &str) -> Result<Summary> {
        self.pipeline(toml, input, output).run(&mut |_| ())
    }

    pub fn pipeline(&self, toml: &str, input: &str, output: &str) -> Pipeline {
        let pipeline: Pipeline = toml.parse().unwrap();
        pipeline.with_input(self.path(input)).with_output(self.path(output))
    }

    /// What a run of this text complains of.
    pub fn complaint(&self, toml: &str, csv: impl AsRef<[u8]>) -> Error {
        self.write("in.csv", csv);
        self.run(toml, "in.csv", "out.parquet").unwrap_err()
    }

    pub fn parquet(&self, name: &str) -> RecordBatch {
        read_parquet(&self.path(name))
    }
}

pub fn read_parquet(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
    let schema = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().schema().clone();
    concat_batches(&schema, &batches).unwrap()
}

pub fn write_parquet(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// Whether two batches hold the same bits (a NaN is a NaN), whatever their metadata.
#[track_caller]
pub fn assert_same_bits(left: &RecordBatch, right: &RecordBatch) {
    let names = |batch: &RecordBatch| batch.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    assert_eq!(names(left), names(right));
    for (name, (left, right)) in names(left).iter().zip(left.columns().iter().zip(right.columns())) {
        assert_eq!(left.as_ref(), right.as_ref(), "column {name}");
    }
}

/// Kernels of every kind, by symbol.
pub const KERNELS: &str = r#"
[[stage]]
over = "symbol"
by = "ts"
[[stage.kernel]]
name = "rolling_mean"
column = "price"
window = 3
min_samples = 1
alias = "mean"
[[stage.kernel]]
name = "rolling_max"
column = "price"
window = "5s"
alias = "max"
[[stage.kernel]]
name = "ewm_mean"
column = "price"
span = 5
alias = "ewm"
[[stage.kernel]]
name = "session_id"
time = "ts"
gap = "10s"
alias = "session"
"#;

/// Trades of three symbols, with gaps, pauses and repeated times.
pub fn trades(rows: usize) -> String {
    let mut text = "ts,symbol,price\n".to_string();
    let mut second = 0;
    for i in 0..rows {
        second += (i * 7 % 5) / 2 + if i % 97 == 0 { 60 } else { 0 };
        let price = if i % 11 == 3 { String::new() } else { format!("{}.{:02}", 10 + i * 31 % 17, i * 13 % 100) };
        let (hour, minute, second) = (9 + second / 3600, second / 60 % 60, second % 60);
        text.push_str(&format!(
            "2024-01-02T{hour:02}:{minute:02}:{second:02},{},{price}\n",
            ["A", "B", "C"][i * i % 7 % 3]
        ));
    }
    text
}

//! The pipeline file as it is written: tables and keys, nothing judged yet.  Kernels and types keep their place in the
//! text so that a later complaint can name the line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use hypostyle::KernelSpec;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::csv::dialect::Encoding;
use crate::error::{Error, Result};
use crate::policy::OnBad;
use crate::schema::{ColumnType, Kernel};

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The file that the kernels' state is kept in from run to run: read before the first row where it is there,
    /// written after the last. Without it every run begins afresh.
    pub state: Option<PathBuf>,
    /// How often the run's progress is saved beside the output, such as `"30s"` or `"5m"`, so that a run that was
    /// killed can go on. Without it nothing is saved before the end.
    #[schemars(regex(pattern = r"^\s*([0-9]+(ns|us|µs|ms|s|m|h|d|w))+\s*$"))]
    pub checkpoint: Option<String>,
    /// How much memory the run may use, such as `"500MB"` or `"2GiB"`. Without it there is no bound.
    #[schemars(regex(pattern = r"^\s*[0-9.]+\s*([KkMmGg]?[Bb]|[KkMmGg][Ii][Bb])?\s*$"))]
    pub memory: Option<String>,
    /// The files to read, and how.
    #[serde(default)]
    pub source: SourceTable,
    /// The stages, run one after the other: each sees the columns of the input and of the stages before it.
    #[serde(default)]
    pub stage: Vec<StageTable>,
    /// The file to write, and how.
    #[serde(default)]
    pub sink: SinkTable,
}

/// `[source]`: files and how to read them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTable {
    /// The file; or a folder, a pattern such as `data/*.csv`, or a list of them; `-` is standard input. Relative
    /// paths start at the working directory. Files may lie in object stores (`s3://bucket/key.csv`, `gs://`, `az://`,
    /// `abfss://`) or behind `https://`. Needed here or as `--input`.
    pub path: Option<Names>,
    /// Settings for object stores and http, as texts, such as `{ aws_region = "eu-central-1" }`: those of the
    /// environment (AWS_*, GOOGLE_*, AZURE_*) in lower case, and timeout, connect_timeout, allow_http, max_retries,
    /// retry_timeout. They come before those of the environment.
    #[serde(default)]
    pub storage_options: StorageOptions,
    /// The files' format. By default their names say it: .csv, .tsv, .txt; .parquet, .pq; .arrow, .ipc, .feather,
    /// .arrows; and .gz or .zst behind it.
    pub format: Option<Format>,
    /// The columns that are read, by name. By default all.
    pub columns: Option<Vec<String>>,
    /// CSV: the ASCII character between fields. By default a comma; a tab for .tsv files.
    #[schemars(length(equal = 1))]
    pub delimiter: Option<String>,
    /// CSV: the ASCII character around texts that hold delimiters or line ends; `""` takes quotes for text. By
    /// default `"`.
    #[schemars(length(max = 1))]
    pub quote: Option<String>,
    /// CSV: the ASCII character that makes the one after it, inside quotes, plain text. By default none: a quote
    /// inside a text is written as two.
    #[schemars(length(equal = 1))]
    pub escape: Option<String>,
    /// CSV: the ASCII character that begins lines to pass over. By default none.
    #[schemars(length(equal = 1))]
    pub comment: Option<String>,
    /// CSV: whether the first row holds the columns' names; without it they are `column_1`, `column_2`, and so on. By
    /// default true.
    pub header: Option<bool>,
    /// CSV: the texts that stand for a missing value, such as `["NA"]`; the empty field always does. By default none.
    pub null_values: Option<Vec<String>>,
    /// CSV: whether `1,5` is one and a half. By default false.
    pub decimal_comma: Option<bool>,
    /// CSV: how characters stand in bytes. By default `"utf8"`.
    pub encoding: Option<Encoding>,
    /// CSV: what is done with rows of too few or too many fields. By default they are bad rows.
    pub ragged: Option<Ragged>,
    /// How many rows the stages take at once, at least 1; the result does not depend on it. By default 65536 of
    /// Parquet, and a chunk of CSV.
    #[schemars(range(min = 1))]
    pub batch_rows: Option<usize>,
    /// CSV: how many bytes a thread decodes at once, from 1 to 1073741824 (1 GiB); the result does not depend on it. By
    /// default 2097152 (2 MiB).
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub chunk_bytes: Option<usize>,
    /// What is done about a row that can't be read or breaks a rule. By default the run fails.
    pub on_bad_row: Option<OnBad>,
    /// With more bad rows than these the run fails. By default there is no limit; for an `on_bad_row` other than
    /// `"fail"`.
    pub max_bad_rows: Option<u64>,
    /// The CSV file that bad rows are written to, with place and reason; for `on_bad_row = "reject"`, which needs it.
    pub rejects: Option<PathBuf>,
    /// CSV: the types of columns, by name. Those of the others are inferred from the first 10,000 rows.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ColumnType>")]
    pub schema: BTreeMap<String, Spanned<String>>,
    /// CSV: how the dates and times of columns are written, by name: as for strftime, such as `"%d/%m/%Y %H:%M:%S"`,
    /// or `"epoch[s]"`, `"epoch[ms]"`, `"epoch[us]"`, `"epoch[ns]"`. By default as in ISO 8601.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub patterns: BTreeMap<String, Spanned<String>>,
    /// What the values of columns must be, by name. A row that breaks a rule is a bad row.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RuleTable>")]
    pub rules: BTreeMap<String, Spanned<RuleTable>>,
    /// Which rows are taken, by the values of columns, by name: those that meet all conditions. A missing value meets
    /// none. Bad rows and rules come first.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, FilterTable>")]
    pub filter: BTreeMap<String, Spanned<FilterTable>>,
}

/// Settings for object stores and http.  Printed, they tell their keys alone, since values may be secrets.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StorageOptions(#[schemars(with = "BTreeMap<String, String>")] BTreeMap<String, toml::Value>);

impl StorageOptions {
    /// The values as texts, by keys in lower case.
    #[cfg_attr(not(feature = "remote"), allow(dead_code))]
    pub fn texts(&self) -> Result<BTreeMap<String, String>> {
        let text =
            |(key, value): (&String, &toml::Value)| match value {
                toml::Value::String(text) => Ok((key.to_lowercase(), text.clone())),
                toml::Value::Boolean(_) | toml::Value::Integer(_) => Ok((key.to_lowercase(), value.to_string())),
                _ => Err(Error::pipeline(format!("storage_options: {key} is no text"))
                    .help(format!("write {key} = \"...\""))),
            };
        self.0.iter().map(text).collect()
    }
}

impl fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What is done with rows of too few or too many fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ragged {
    /// They are bad rows.
    #[default]
    Bad,
    /// They are filled up with nulls or cut off.
    Fit,
}

/// `[source.rules]`: what a column's values must be.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    /// Whether a value must be there. By default false.
    pub not_null: Option<bool>,
    /// The least value that is allowed; dates and times as texts. By default there is none.
    pub min: Option<Scalar>,
    /// The greatest value that is allowed; dates and times as texts. By default there is none.
    pub max: Option<Scalar>,
    /// The values that are allowed, at least one. By default all.
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Scalar>>,
    /// The values that are not allowed, at least one. By default there are none.
    #[schemars(length(min = 1))]
    pub none_of: Option<Vec<Scalar>>,
    /// The pattern that a text must match somewhere; `^` and `$` stand for its ends. By default there is none.
    pub regex: Option<String>,
    /// Whether each value may come only once, under each key of `over`. By default false.
    pub unique: Option<bool>,
    /// Whether no value may be below an earlier one, under each key of `over`; `"strictly"`: nor equal to one. By
    /// default false.
    pub increasing: Option<Increasing>,
    /// The key column or columns under which `unique` and `increasing` count. By default all rows count together.
    pub over: Option<Names>,
}

/// `[source.filter]`: the values of a column with which rows are taken.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterTable {
    /// Whether a value must be there. By default false.
    pub not_null: Option<bool>,
    /// The least value that is taken; dates and times as texts. By default there is none.
    pub min: Option<Scalar>,
    /// The greatest value that is taken; dates and times as texts. By default there is none.
    pub max: Option<Scalar>,
    /// The values that are taken, at least one. By default all.
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Scalar>>,
    /// The values that are left out, at least one. By default there are none.
    #[schemars(length(min = 1))]
    pub none_of: Option<Vec<Scalar>>,
    /// The pattern that a text must match somewhere; `^` and `$` stand for its ends. By default there is none.
    pub regex: Option<String>,
}

/// What rules and filters ask of a value, in the same words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub not_null: bool,
    pub min: Option<&'a Scalar>,
    pub max: Option<&'a Scalar>,
    pub one_of: Option<&'a [Scalar]>,
    pub none_of: Option<&'a [Scalar]>,
    pub regex: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(
        not_null: &Option<bool>,
        min: &'a Option<Scalar>,
        max: &'a Option<Scalar>,
        one_of: &'a Option<Vec<Scalar>>,
        none_of: &'a Option<Vec<Scalar>>,
        regex: &'a Option<String>,
    ) -> Self {
        Self {
            not_null: not_null.unwrap_or_default(),
            min: min.as_ref(),
            max: max.as_ref(),
            one_of: one_of.as_deref(),
            none_of: none_of.as_deref(),
            regex: regex.as_deref(),
        }
    }
}

impl RuleTable {
    pub fn asked(&self) -> Asked<'_> {
        let Self { not_null, min, max, one_of, none_of, regex, unique: _, increasing: _, over: _ } = self;
        Asked::of(not_null, min, max, one_of, none_of, regex)
    }
}

impl FilterTable {
    pub fn asked(&self) -> Asked<'_> {
        let Self { not_null, min, max, one_of, none_of, regex } = self;
        Asked::of(not_null, min, max, one_of, none_of, regex)
    }
}

/// Whether each value must be above the one before it, or at least not below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Increasing {
    /// `true`: not below.
    Weakly(bool),
    /// `"strictly"`: above.
    Named(Strictly),
}

/// The one word that a rule of order may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Strictly {
    Strictly,
}

/// A value in a rule, to be read as the column's type is.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

/// `[[stage]]`: kernels that share their keys; `over` and `by` are defaults for them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["kernel"]))]
pub(crate) struct StageTable {
    /// The key column, or a list of them: rows with equal keys are a sequence of their own. A default for the stage's
    /// kernels.
    pub over: Option<Names>,
    /// The time column of windows that are durations, such as `"5m"`. A default for the stage's kernels.
    pub by: Option<String>,
    /// The kernels of the stage, at least one.
    #[serde(default)]
    #[schemars(with = "Vec<Kernel>", length(min = 1))]
    pub kernel: Vec<Spanned<KernelSpec>>,
}

/// One name or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Several(names) => names.clone(),
        }
    }
}

/// `[sink]`: a file and how to write it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SinkTable {
    /// The file, replaced when the run is done; `-` is standard output. Relative paths start at the working
    /// directory. It may be an object (`s3://bucket/key.csv`, `gs://`, `az://`, `abfss://`). Needed here or as
    /// `--output`.
    pub path: Option<PathBuf>,
    /// Settings for the object store, as under `[source]`.
    #[serde(default)]
    pub storage_options: StorageOptions,
    /// The file's format. By default its name says it: .csv, .tsv, .txt; .parquet, .pq; .arrow, .ipc, .feather,
    /// .arrows.
    pub format: Option<Format>,
    /// Parquet and Arrow IPC: how data are compressed, in Parquet where it saves something. By default `"zstd"` for
    /// Parquet and `"none"` for Arrow IPC.
    pub compression: Option<Compression>,
    /// The columns that are written, by name and in this order. By default those of the input, then those of the
    /// kernels.
    pub columns: Option<Vec<String>>,
    /// CSV: the ASCII character between fields. By default a comma; a tab for .tsv files.
    #[schemars(length(equal = 1))]
    pub delimiter: Option<String>,
    /// Parquet and Arrow IPC: after how many rows a group of the output ends, at least 1. By default 1048576, or
    /// fewer where they take more than 128 MiB.
    #[schemars(range(min = 1))]
    pub group_rows: Option<usize>,
    /// The column or columns whose values make folders named `column=value`, as Hive does: `path` is a new folder then.
    /// State the format.
    pub partition_by: Option<Names>,
    /// With so many rows a file is full and another is begun, at least 1: `path` is a new folder then. State the format.
    #[schemars(range(min = 1))]
    pub max_file_rows: Option<usize>,
}

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Text, a line a row.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC: a file, or a stream where it goes through a pipe.
    Ipc,
    /// Nothing is written: for runs that only check.
    None,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Ipc => "ipc",
            Self::None => "none",
        }
    }
}

/// The compressions of Parquet and Arrow IPC; none means each format's own default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    /// Zstandard: smaller.
    #[default]
    Zstd,
    /// Snappy: faster; not for Arrow IPC.
    Snappy,
    /// No compression.
    None,
}

impl Compression {
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::None => "none",
        }
    }
}

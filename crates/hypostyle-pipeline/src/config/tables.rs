//! The tables and settings of a pipeline file, parsed but not checked yet.  Kernels and types keep their position in the text, so
//! that a later error can name the line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use hypostyle::KernelSpec;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::kernel::{ColumnType, Kernel};
use crate::model::bad_row::OnBadRow;
use crate::model::matching::{ExtraColumns, MissingColumns};
use crate::remote::options::StorageOptions;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The file that holds the kernels' state between runs: read before the first row if it exists, written after the last.
    /// Default: none, every run starts from scratch.
    pub state: Option<PathBuf>,
    /// How often a checkpoint is saved beside the output, such as `"30s"` or `"5m"`, so that a killed run can resume.
    /// Default: never.
    #[schemars(regex(pattern = r"^\s*([0-9]+(ns|us|µs|ms|s|m|h|d|w))+\s*$"))]
    pub checkpoint_interval: Option<String>,
    /// Limit on the memory of the run, such as `"500MB"` or `"2GiB"`. Default: none.
    #[schemars(regex(pattern = r"^\s*[0-9.]+\s*([KkMmGg]?[Bb]|[KkMmGg][Ii][Bb])?\s*$"))]
    pub memory_limit: Option<String>,
    /// The input.
    #[serde(default)]
    pub source: SourceTable,
    /// The stages, run in order: each sees the columns of the input and of the stages before it.
    #[serde(default)]
    pub stage: Vec<StageTable>,
    /// The output.
    #[serde(default)]
    pub sink: SinkTable,
}

/// `[source]`: files and how to read them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTable {
    /// A file, directory, glob pattern such as `data/*.csv`, or a list of them; `-` is standard input. Relative paths
    /// start at the working directory. The directory of a table of Delta is the table. URLs of object stores (`s3://bucket/key.csv`, `gs://`, `az://`, `abfss://`) and
    /// `https://` work too. Required here or as `--input`.
    pub path: Option<Names>,
    /// The version of a table of Delta. Default: the last one.
    pub version: Option<u64>,
    /// Columns from the paths of the files: a regex whose named groups are columns, as in
    /// `'(?<symbol>[A-Z]+)-(?<day>[0-9-]+)\.csv$'`. It must match somewhere in each path; `'(?<file>.*)'` is the path itself.
    /// Types are inferred, or given in `schema`. Default: none.
    pub path_columns: Option<String>,
    /// Settings for object stores and HTTP, as strings, such as `{ aws_region = "eu-central-1" }`: environment variables
    /// (AWS_*, GOOGLE_*, AZURE_*) in lower case, and timeout, connect_timeout, allow_http, max_retries, retry_timeout.
    /// They override the environment.
    #[serde(default)]
    pub storage_options: StorageOptions,
    /// The format of the files. Default: by extension: .csv, .tsv, .txt; .parquet, .pq; .arrow, .ipc, .feather, .arrows;
    /// each optionally followed by .gz or .zst.
    pub format: Option<Format>,
    /// The columns to read. Default: all.
    pub columns: Option<Vec<String>>,
    /// Several files: how a column of the first file that a later one lacks is treated. Default: the run fails.
    pub missing_columns: Option<MissingColumns>,
    /// Several files: how a column that the first file lacks is treated. `"add"` requires `missing_columns = "null"`.
    /// Default: the run fails, unless `columns` names the columns to read.
    pub extra_columns: Option<ExtraColumns>,
    /// Several files: whether a column gets a type that holds the values of all files, such as i64 for i32 and i64. The columns
    /// of all files are read before the run. Default: false, a column has the type of the first file.
    pub widen_types: Option<bool>,
    /// CSV: a set of settings for files of a program. Settings that are given too take precedence. Default: none.
    pub dialect: Option<DialectName>,
    /// CSV: the ASCII character between fields, or `"blanks"` for one or more spaces or tabs. Default: a comma, or a tab for
    /// .tsv files.
    #[schemars(regex(pattern = r"^(.|blanks)$"))]
    pub delimiter: Option<String>,
    /// CSV: the ASCII character around quoted fields, or `""` to disable quoting. Default: `"`.
    #[schemars(length(max = 1))]
    pub quote: Option<String>,
    /// CSV: the ASCII character that escapes the next one inside quotes. Default: none, a quote inside quotes is doubled.
    /// With `quote = ""` it escapes everywhere, `\\t` and `\\n` are a tab and a line end, and `\\N` is null.
    #[schemars(length(equal = 1))]
    pub escape: Option<String>,
    /// CSV: the ASCII character that begins comment lines, which are ignored. Default: none.
    #[schemars(length(equal = 1))]
    pub comment: Option<String>,
    /// CSV: whether the first row holds the column names. Without it they are `column_1`, `column_2`, and so on. Default:
    /// true.
    pub header: Option<bool>,
    /// CSV: what a comment above the rows begins with if the column names stand behind it, such as `"#Fields:"`; the rows begin
    /// below the comments. Default: none.
    pub header_prefix: Option<String>,
    /// CSV: the number of lines above the header that are ignored. Default: 0.
    pub skip_rows: Option<usize>,
    /// CSV: the number of rows below the header that are ignored, such as units or types. Default: 0.
    pub skip_rows_after_header: Option<usize>,
    /// CSV: strings that mean null, such as `["NA"]`, besides the empty field. Numbers among them count by value in columns of
    /// numbers. Default: none.
    pub null_values: Option<Vec<String>>,
    /// CSV: whether `null_values` mean null inside quotes too. Default: true.
    pub quoted_nulls: Option<bool>,
    /// CSV: what `""` means in a column of strings: `"null"`, as the empty field without quotes, or an empty `"text"`.
    /// Default: `"null"`.
    pub empty: Option<Empty>,
    /// CSV: whether blanks around fields and column names are ignored; numbers and times may have them in any case. Default:
    /// false.
    pub trim: Option<bool>,
    /// CSV: whether fields such as `="007"`, which keep a spreadsheet from reading a number, are the text in quotes. Default:
    /// false.
    pub text_formulas: Option<bool>,
    /// CSV: the words for true and false. Default: true, 1, t, yes and false, 0, f, no, also capitalized.
    pub boolean: Option<BooleanTable>,
    /// CSV: the ASCII character between the thousands of a number, such as `","`; a blank is a no-break space too. Default: none.
    #[schemars(length(equal = 1))]
    pub thousands: Option<String>,
    /// CSV: strings that may be before or behind a number and are ignored, such as `["%", "$", "EUR"]`: `12.5%` is 12.5. With
    /// `"()"`, a number in parentheses is negative, with `"-"` one that has a minus behind it. Default: none.
    pub symbols: Option<Vec<String>>,
    /// CSV: whether the decimal separator is a comma, as in `1,5`. Default: false.
    pub decimal_comma: Option<bool>,
    /// CSV: the character encoding. Default: `"utf8"`.
    pub encoding: Option<Encoding>,
    /// CSV: how rows with too few or too many fields are treated. Default: as bad rows.
    pub ragged: Option<Ragged>,
    /// Maximum number of rows per batch, at least 1. Results do not depend on it. Default: 65536; for CSV a chunk.
    #[schemars(range(min = 1))]
    pub batch_rows: Option<usize>,
    /// CSV: bytes per chunk, from 1 to 1073741824 (1 GiB). Results do not depend on it. Default: 2097152 (2 MiB).
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub chunk_bytes: Option<usize>,
    /// How rows that cannot be read or violate a rule are treated. Default: the run fails.
    pub on_bad_row: Option<OnBadRow>,
    /// The run fails if there are more bad rows. Requires an `on_bad_row` other than `"fail"`. Default: no limit.
    pub max_bad_rows: Option<u64>,
    /// The CSV file that bad rows are written to, with position and reason. Each run replaces it; in a path with `{run}`, such
    /// as `"rejects-{run}.csv"`, the time of the run stands there. Required by `on_bad_row = "reject"`.
    pub rejects: Option<PathBuf>,
    /// Data types by column: of CSV, of partition columns, and units of INT96 moments of Parquet. Others of CSV are inferred
    /// from the first 10,000 rows.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ColumnType>")]
    pub schema: BTreeMap<String, Spanned<String>>,
    /// CSV: formats of dates and times by column: strftime such as `"%d/%m/%Y %H:%M:%S"`, or `"epoch[s]"`, `"epoch[ms]"`,
    /// `"epoch[us]"`, `"epoch[ns]"`; a list of them, of which the first that fits counts; or `{ from = ["date", "time"] }` for
    /// a new column that joins two. Default: ISO 8601.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, TimeFormats>")]
    pub datetime_formats: BTreeMap<String, Spanned<TimeFormats>>,
    /// Rules by column. A row that violates a rule is a bad row.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RuleTable>")]
    pub rules: BTreeMap<String, Spanned<RuleTable>>,
    /// The row filter, by column: rows must match all conditions, and null matches none. It is applied after rules.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, FilterTable>")]
    pub filter: BTreeMap<String, Spanned<FilterTable>>,
}

/// The character encoding of CSV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// UTF-8. Invalid bytes make a bad row.
    #[default]
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// Western European, as Windows and Excel write it: ISO 8859-1 with the euro sign, dashes and curly quotes.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// Central European.
    #[serde(rename = "windows-1250")]
    Windows1250,
    /// Cyrillic.
    #[serde(rename = "windows-1251")]
    Windows1251,
    /// Central European.
    #[serde(rename = "iso-8859-2")]
    Iso8859_2,
    /// Western European with the euro sign.
    #[serde(rename = "iso-8859-15")]
    Iso8859_15,
}

/// The formats of a column of dates or times.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a format, a list of formats, or { from = [COLUMN, COLUMN], format = FORMAT }")]
pub(crate) enum TimeFormats {
    Names(Names),
    Joined(JoinedTime),
}

/// A column that two others make: the date and the time of day.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinedTime {
    /// The columns of the date and of the time. Their texts are joined by a blank.
    pub from: [String; 2],
    /// The format of both, or a list of formats. Default: ISO 8601.
    pub format: Option<Names>,
}

/// What the empty string is in CSV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Empty {
    /// The same as null.
    #[default]
    Null,
    /// A string, written as `""`; null is nothing.
    Text,
}

/// The words for true and false.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BooleanTable {
    /// The words for true, at least one.
    #[serde(rename = "true")]
    #[schemars(length(min = 1))]
    pub yes: Vec<String>,
    /// The words for false, at least one.
    #[serde(rename = "false")]
    #[schemars(length(min = 1))]
    pub no: Vec<String>,
}

/// Programs that write CSV in a way of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DialectName {
    /// PostgreSQL, `COPY ... (FORMAT csv)`: `""` is an empty string, and nothing is null.
    Postgres,
    /// PostgreSQL, `COPY` in text format: tabs, backslash escapes, `\\N`, no header.
    PostgresText,
    /// MySQL and MariaDB, `SELECT ... INTO OUTFILE`: tabs, backslash escapes, `\\N`, no header.
    Mysql,
    /// ClickHouse, `TabSeparatedWithNames`: tabs, backslash escapes, `\\N`.
    Clickhouse,
    /// Spark: quotes escaped by backslashes, `""` is an empty string.
    Spark,
    /// R, `write.csv`: `NA` without quotes is null.
    R,
    /// R, `write.table`: as `r`, with spaces and one name less in the header.
    RTable,
    /// USGS RDB: tabs, comments with `#`, a row of formats below the header.
    Rdb,
    /// InfluxDB, annotated CSV: tables below `#datatype`, `#group` and `#default`, each with a header. The file is read twice.
    Influx,
    /// Logs in W3C's extended format, as of IIS and CloudFront: blanks, names behind `#Fields:`, `-` is null.
    W3c,
    /// Logs of Zeek: tabs, names behind `#fields`, `-` is null.
    Zeek,
    /// Excel in Germany and its neighbors: semicolons, decimal commas, points between thousands.
    ExcelDe,
}

/// How rows with too few or too many fields are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ragged {
    /// They are bad rows.
    #[default]
    Bad,
    /// They are filled up with nulls or truncated.
    Fit,
}

/// `[source.rules]`: the rules of a column.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    /// Whether null is excluded. Default: false.
    pub not_null: Option<bool>,
    /// The smallest allowed value; dates and times as strings. Default: none.
    pub min: Option<Scalar>,
    /// The largest allowed value; dates and times as strings. Default: none.
    pub max: Option<Scalar>,
    /// The allowed values, at least one. Default: all.
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Scalar>>,
    /// The excluded values, at least one. Default: none.
    #[schemars(length(min = 1))]
    pub none_of: Option<Vec<Scalar>>,
    /// A regex that must match somewhere in the string; `^` and `$` are its ends. Default: none.
    pub regex: Option<String>,
    /// Whether values must be unique, per key of `over`. Default: false.
    pub unique: Option<bool>,
    /// Whether values must not decrease, per key of `over`. `"strictly"`: they must increase. Default: false.
    pub increasing: Option<Increasing>,
    /// Key columns of `unique` and `increasing`. Default: none, all rows together.
    pub over: Option<Names>,
}

/// `[source.filter]`: the conditions on a column.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterTable {
    /// Whether null is excluded. Default: false.
    pub not_null: Option<bool>,
    /// The smallest matching value; dates and times as strings. Default: none.
    pub min: Option<Scalar>,
    /// The largest matching value; dates and times as strings. Default: none.
    pub max: Option<Scalar>,
    /// The matching values, at least one. Default: all.
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Scalar>>,
    /// The excluded values, at least one. Default: none.
    #[schemars(length(min = 1))]
    pub none_of: Option<Vec<Scalar>>,
    /// A regex that must match somewhere in the string; `^` and `$` are its ends. Default: none.
    pub regex: Option<String>,
}

/// The conditions that rules and filters share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions<'a> {
    pub not_null: bool,
    pub min: Option<&'a Scalar>,
    pub max: Option<&'a Scalar>,
    pub one_of: Option<&'a [Scalar]>,
    pub none_of: Option<&'a [Scalar]>,
    pub regex: Option<&'a str>,
}

impl<'a> Conditions<'a> {
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
    pub fn conditions(&self) -> Conditions<'_> {
        let Self { not_null, min, max, one_of, none_of, regex, unique: _, increasing: _, over: _ } = self;
        Conditions::of(not_null, min, max, one_of, none_of, regex)
    }
}

impl FilterTable {
    pub fn conditions(&self) -> Conditions<'_> {
        let Self { not_null, min, max, one_of, none_of, regex } = self;
        Conditions::of(not_null, min, max, one_of, none_of, regex)
    }
}

/// Whether values must increase, or only not decrease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected true, false or \"strictly\"")]
pub(crate) enum Increasing {
    /// `true`: not decrease.
    Weakly(bool),
    /// `"strictly"`: increase.
    Named(Strictly),
}

/// The one string that the rule may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Strictly {
    Strictly,
}

/// A value in a condition, parsed as the column's type.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(from = "Spanned<WrittenScalar>")]
#[schemars(from = "WrittenScalar")]
pub(crate) enum Scalar {
    Bool(bool),
    Integer(i128),
    /// A number as it is written, of which a double may not hold all digits; and where that is in the text.
    Float(f64, String, Range<usize>),
    Text(String),
}

/// A value in a condition, parsed as the column's type.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a boolean, number or string")]
#[schemars(rename = "Scalar")]
enum WrittenScalar {
    Bool(bool),
    Integer(i64),
    #[schemars(skip)]
    Unsigned(u64),
    Float(f64),
    Text(String),
}

impl From<Spanned<WrittenScalar>> for Scalar {
    fn from(written: Spanned<WrittenScalar>) -> Self {
        let span = written.span();
        match written.into_inner() {
            WrittenScalar::Bool(value) => Self::Bool(value),
            WrittenScalar::Integer(value) => Self::Integer(value.into()),
            WrittenScalar::Unsigned(value) => Self::Integer(value.into()),
            WrittenScalar::Float(value) => Self::Float(value, value.to_string(), span),
            WrittenScalar::Text(value) => Self::Text(value),
        }
    }
}

impl SourceTable {
    /// Keeps the numbers of conditions as they are written in the text of the file.
    pub fn keep_digits(&mut self, text: &str) {
        let rules = self.rules.values_mut().map(|table| table.get_mut()).flat_map(|table| {
            let RuleTable { min, max, one_of, none_of, .. } = table;
            min.iter_mut().chain(max).chain(one_of.iter_mut().flatten()).chain(none_of.iter_mut().flatten())
        });
        let filter = self.filter.values_mut().map(|table| table.get_mut()).flat_map(|table| {
            let FilterTable { min, max, one_of, none_of, .. } = table;
            min.iter_mut().chain(max).chain(one_of.iter_mut().flatten()).chain(none_of.iter_mut().flatten())
        });
        for scalar in rules.chain(filter) {
            if let Scalar::Float(_, written, span) = scalar
                && let Some(found) = text.get(span.clone())
            {
                *written = found.replace('_', "");
            }
        }
    }
}

/// `[[stage]]`: kernels that share their keys; `over` and `by` are defaults for them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["kernel"]))]
pub(crate) struct StageTable {
    /// Key columns: each key is processed on its own. Default for the kernels of the stage.
    pub over: Option<Names>,
    /// Time column of time-based windows such as `"5m"`. Default for the kernels of the stage.
    pub by: Option<String>,
    /// The kernels of the stage, at least one.
    #[serde(default)]
    #[schemars(with = "Vec<Kernel>", length(min = 1))]
    pub kernel: Vec<Spanned<KernelSpec>>,
}

/// One name or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
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
    /// The file, replaced when the run is done; `-` is standard output. Relative paths start at the working directory. URLs
    /// of object stores (`s3://bucket/key.csv`, `gs://`, `az://`, `abfss://`) work too. Required here or as `--output`.
    pub path: Option<PathBuf>,
    /// Settings for the object store, as in `[source]`.
    #[serde(default)]
    pub storage_options: StorageOptions,
    /// The format of the file. Default: by extension: .csv, .tsv, .txt; .parquet, .pq; .arrow, .ipc, .feather, .arrows.
    pub format: Option<Format>,
    /// Parquet and Arrow IPC: the compression; columns of Parquet that would hardly shrink are not compressed. Default:
    /// `"zstd"` for Parquet, `"none"` for Arrow IPC.
    pub compression: Option<Compression>,
    /// The columns to write, in this order. Default: those of the input, then the outputs of the kernels.
    pub columns: Option<Vec<String>>,
    /// CSV: the ASCII character between fields. Default: a comma, or a tab for .tsv files.
    #[schemars(length(equal = 1))]
    pub delimiter: Option<String>,
    /// CSV: how the empty string is written: as `""`, an empty `"text"`, or as nothing, like `"null"`. Default: `"text"`.
    pub empty: Option<Empty>,
    /// Minimum rows per row group or checkpoint part, at least 1. It ends with the input chunk that reaches this number, or
    /// 128 MiB. Default: 1048576.
    #[schemars(range(min = 1))]
    pub row_group_size: Option<usize>,
    /// Partition columns: the output is a new directory with subdirectories named `column=value` (Hive partitioning), with a
    /// file for each value. `date(ts)` and `hour(ts)` are the date and the hour (UTC) of a timestamp. Requires `format`.
    pub partition_by: Option<Names>,
    /// Maximum rows per file, at least 1: the output is a new directory of files. Requires `format`.
    #[schemars(range(min = 1))]
    pub max_rows_per_file: Option<usize>,
    /// Whether the output is a directory that each run adds its files to. A run that is done again, with the same pipeline over
    /// the same files, adds nothing. Requires `format`. Default: false.
    #[serde(default)]
    pub append: bool,
    /// Whether the directories above the output are made where they are missing. Default: false.
    #[serde(default)]
    pub mkdir: bool,
}

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC: a file, or a stream in a pipe.
    Ipc,
    /// Nothing is written: for runs that only validate the input.
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
    /// LZ4: faster.
    Lz4,
    /// No compression.
    None,
}

impl Compression {
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::None => "none",
        }
    }
}

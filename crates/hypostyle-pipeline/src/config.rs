//! The pipeline file as it is written: tables and keys, nothing judged yet.  Kernels and types keep their place in the
//! text so that a later complaint can name the line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hypostyle::KernelSpec;
use serde::Deserialize;
use toml::Spanned;

use crate::csv::dialect::Encoding;
use crate::policy::OnBad;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub state: Option<PathBuf>,
    pub checkpoint: Option<String>,
    pub memory: Option<String>,
    #[serde(default)]
    pub source: SourceTable,
    #[serde(default)]
    pub stage: Vec<StageTable>,
    #[serde(default)]
    pub sink: SinkTable,
}

/// `[source]`: files and how to read them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTable {
    pub path: Option<Names>,
    pub format: Option<Format>,
    pub columns: Option<Vec<String>>,
    pub delimiter: Option<String>,
    pub quote: Option<String>,
    pub escape: Option<String>,
    pub comment: Option<String>,
    pub header: Option<bool>,
    pub null_values: Option<Vec<String>>,
    pub decimal_comma: Option<bool>,
    pub encoding: Option<Encoding>,
    pub ragged: Option<Ragged>,
    pub batch_rows: Option<usize>,
    pub chunk_bytes: Option<usize>,
    pub on_bad_row: Option<OnBad>,
    pub max_bad_rows: Option<u64>,
    pub rejects: Option<PathBuf>,
    #[serde(default)]
    pub schema: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub patterns: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub rules: BTreeMap<String, Spanned<RuleTable>>,
}

/// What is done with rows of too few or too many fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ragged {
    /// They are bad rows.
    #[default]
    Bad,
    /// They are filled up with nulls or cut off.
    Fit,
}

/// `[source.rules]`: what a column's values must be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    pub not_null: Option<bool>,
    pub min: Option<Scalar>,
    pub max: Option<Scalar>,
    pub one_of: Option<Vec<Scalar>>,
    pub regex: Option<String>,
    pub unique: Option<bool>,
    pub increasing: Option<Increasing>,
    pub over: Option<Names>,
}

/// Whether each value must be above the one before it, or at least not below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Increasing {
    /// `true`: not below.
    Weakly(bool),
    /// `"strictly"`: above.
    Named(Strictly),
}

/// The one word that a rule of order may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Strictly {
    Strictly,
}

/// A value in a rule, to be read as the column's type is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

/// `[[stage]]`: kernels that share their keys; `over` and `by` are defaults for them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StageTable {
    pub over: Option<Names>,
    pub by: Option<String>,
    #[serde(default)]
    pub kernel: Vec<Spanned<KernelSpec>>,
}

/// One name or several.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SinkTable {
    pub path: Option<PathBuf>,
    pub format: Option<Format>,
    pub compression: Option<Compression>,
    pub columns: Option<Vec<String>>,
    pub delimiter: Option<String>,
    pub group_rows: Option<usize>,
    pub partition_by: Option<Names>,
    pub max_file_rows: Option<usize>,
}

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Csv,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    #[default]
    Zstd,
    Snappy,
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

//! The pipeline file as it is written: tables and keys, nothing judged yet.  Kernels and types keep their place in the
//! text so that a later complaint can name the line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hypostyle::KernelSpec;
use serde::Deserialize;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub source: SourceTable,
    #[serde(default)]
    pub stage: Vec<StageTable>,
    #[serde(default)]
    pub sink: SinkTable,
}

/// `[source]`: a file and how to read it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTable {
    pub path: Option<PathBuf>,
    pub format: Option<Format>,
    pub delimiter: Option<String>,
    pub header: Option<bool>,
    pub null_values: Option<Vec<String>>,
    pub batch_rows: Option<usize>,
    #[serde(default)]
    pub schema: BTreeMap<String, Spanned<String>>,
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
    pub delimiter: Option<String>,
}

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Csv,
    Parquet,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// The compressions of Parquet.
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

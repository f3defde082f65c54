//! The pipeline file as data: its tables and settings, parsed but not checked yet.

mod kernel;
mod pipeline_file;
mod tables;

pub(crate) use pipeline_file::PipelineFile;
#[cfg(test)]
pub(crate) use tables::FilterTable;
pub(crate) use tables::{
    Compression, Conditions, Config, Encoding, Format, Increasing, Names, Ragged, RuleTable, Scalar, SinkTable,
    SourceTable, StageTable, Strictly,
};

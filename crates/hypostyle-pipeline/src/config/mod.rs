//! The pipeline file as data: its tables and settings, parsed but not checked yet.

mod kernel;
mod pipeline_file;
mod tables;

pub(crate) use pipeline_file::PipelineFile;
#[cfg(test)]
pub(crate) use tables::FilterTable;
pub(crate) use tables::{
    BooleanTable, Compression, Conditions, Config, DialectName, Empty, Encoding, Format, Increasing, JoinedTime, Names,
    Ragged, RuleTable, Scalar, SinkTable, SourceTable, StageTable, Strictly, TimeFormats,
};

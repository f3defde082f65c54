//! The files of a table, and where they are.

use std::path::PathBuf;

use crate::model::deleted::Deleted;
use crate::model::table_columns::TableColumns;
use crate::remote::Found;

/// A version of a table.
#[derive(Debug)]
pub(crate) struct DeltaTable {
    pub version: u64,
    pub columns: TableColumns,
    /// In the order in which they were written.
    pub files: Vec<DeltaFile>,
}

/// A file that is part of the table.
#[derive(Debug)]
pub(crate) struct DeltaFile {
    pub place: Place,
    /// The rows that were deleted since it was written.
    pub deleted: Option<Deleted>,
    /// The values of the partition columns.
    pub values: Vec<Option<String>>,
}

/// Where a file is.
#[cfg_attr(not(feature = "delta"), allow(dead_code))]
#[derive(Debug)]
pub(crate) enum Place {
    Local(PathBuf),
    Object(Found),
}

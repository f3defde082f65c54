//! Tables of Delta: which files hold the rows of a version, which of their rows were deleted since, and what their columns
//! are called, as the table's log says.
//!
//! The log is read by `delta_kernel` ([`log`]); the files that it names are read like any others.  Without the feature
//! `delta` no directory is such a table, and [`crate::model::table_format`] refuses it.

mod files;
#[cfg(feature = "delta")]
mod log;
#[cfg(feature = "delta")]
mod table;

use std::path::Path;

use crate::error::Result;
use crate::remote::Stores;
#[cfg(feature = "delta")]
use crate::remote::url::is_url;

pub(crate) use files::{DeltaTable, Place};

/// The table in this directory or below this URL, as it is or was in a version; `None` if there is none.  A URL that is named like
/// a file is taken for one, without asking.
#[cfg(feature = "delta")]
pub(crate) fn find(
    path: &Path,
    version: Option<u64>,
    stores: &mut Stores,
    like_a_file: bool,
) -> Result<Option<DeltaTable>> {
    match is_url(path) {
        true if like_a_file => Ok(None),
        true => table::remote(path, version, stores),
        false => table::local(path, version),
    }
}

/// There is none: tables need the feature `delta`.
#[cfg(not(feature = "delta"))]
pub(crate) fn find(_: &Path, _: Option<u64>, _: &mut Stores, _: bool) -> Result<Option<DeltaTable>> {
    Ok(None)
}

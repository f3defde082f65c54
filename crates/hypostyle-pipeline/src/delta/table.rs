//! Where the files of a table are: on the disk, or in the store that its log is in.

use std::path::Path;
use std::sync::Arc;

use delta_kernel::KernelError;
use object_store::local::LocalFileSystem;
use url::Url;

use super::files::{DeltaFile, DeltaTable, Place};
use super::log::{Log, LogFile};
use crate::error::{Error, ErrorKind, Result};
use crate::model::deleted::Deleted;
use crate::remote::Stores;

/// The table in this directory; `None` if there is none.
pub(super) fn local(path: &Path, version: Option<u64>) -> Result<Option<DeltaTable>> {
    if !path.join("_delta_log").is_dir() {
        return Ok(None);
    }
    let full = path.canonicalize().map_err(|error| {
        Error::new(ErrorKind::Source, format!("cannot open the table: {error}")).in_file(path).not_found_if(&error)
    })?;
    let root = Url::from_directory_path(&full)
        .map_err(|()| Error::new(ErrorKind::Source, "the path of the table is not a valid URL").in_file(path))?;
    let log = Log::read(&root, Arc::new(LocalFileSystem::new()), version)
        .map_err(|error| unreadable(path, version, &error))?;
    table(log, |file| {
        let url = root.join(&file.url).map_err(|_| lost(path, file))?;
        let found = url.to_file_path().map_err(|()| lost(path, file))?;
        // By the path as the pipeline has it, where that leads there.
        let shown = found.strip_prefix(&full).map_or_else(|_| found.clone(), |below| path.join(below));
        Ok(Place::Local(shown))
    })
    .map(Some)
}

/// The table below this URL; `None` if there is none.
pub(super) fn remote(path: &Path, version: Option<u64>, stores: &mut Stores) -> Result<Option<DeltaTable>> {
    let Some((root, store)) = stores.table_of_delta(path)? else { return Ok(None) };
    let log = Log::read(&root, store, version).map_err(|error| unreadable(path, version, &error))?;
    let mut keys = Vec::with_capacity(log.files.len());
    for file in &log.files {
        let url = root.join(&file.url).ok().filter(|url| url.as_str().starts_with(root.as_str()));
        let url = url.ok_or_else(|| lost(path, file))?;
        let below = &url.as_str()[root.as_str().len()..];
        keys.push(percent_encoding::percent_decode_str(below).decode_utf8_lossy().into_owned());
    }
    let mut found = stores.below_table(path, &keys)?.into_iter();
    table(log, |file| found.next().flatten().map(Place::Object).ok_or_else(|| lost(path, file))).map(Some)
}

fn table(log: Log, mut place: impl FnMut(&LogFile) -> Result<Place>) -> Result<DeltaTable> {
    let Log { version, columns, files } = log;
    let file = |file: LogFile| {
        let place = place(&file)?;
        Ok(DeltaFile { place, deleted: file.deleted.map(Deleted::new), values: file.values })
    };
    let files = files.into_iter().map(file).collect::<Result<_>>()?;
    Ok(DeltaTable { version, columns, files })
}

/// The error of a log that cannot be read.
fn unreadable(path: &Path, version: Option<u64>, error: &KernelError) -> Error {
    let what = version.map_or_else(String::new, |version| format!("version {version} of "));
    Error::new(ErrorKind::Source, format!("cannot read {what}this table of Delta: {error}")).in_file(path)
}

/// The error of a file that is not where the log says.
fn lost(path: &Path, file: &LogFile) -> Error {
    let message = format!("the table's log names the file {}, which is not there or not below the table", file.url);
    Error::new(ErrorKind::Source, message)
        .in_file(path)
        .help("read a version whose files are still there, by version in [source], or copy the table as a whole")
}

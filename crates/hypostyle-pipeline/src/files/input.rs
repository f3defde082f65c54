//! An input file: its path, and the size, time or e_tag by which it is recognized as the same.

use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::deleted::Deleted;
use crate::remote::url::is_url;
use crate::remote::{Found, Object, Remote};

/// A file to read, and what shows whether it is still the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputFile {
    pub path: Arc<Path>,
    pub bytes: u64,
    /// Nanoseconds since 1970, where the system says.
    pub modified: Option<u64>,
    /// The e_tag of an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_tag: Option<String>,
    /// Rows that are not part of the table any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deleted>,
    #[serde(skip)]
    pub remote: Remote,
}

impl InputFile {
    /// A local file of unknown size.
    pub fn local(path: &Path) -> Self {
        Self { path: path.into(), bytes: 0, modified: None, e_tag: None, deleted: None, remote: Remote::default() }
    }

    /// An object of a store, or a file behind HTTP.
    pub fn of_object(found: Found) -> Self {
        let Found { shown, bytes, modified, e_tag, object } = found;
        Self { path: shown.into(), bytes, modified, e_tag, deleted: None, remote: Remote(Some(object)) }
    }

    pub fn is_standard(&self) -> bool {
        is_standard(&self.path)
    }

    /// The object, if the file is remote.
    pub fn remote(&self) -> Option<&Arc<Object>> {
        self.remote.0.as_ref()
    }

    /// The error of a failed read: the server's if there is one, else this.
    pub fn blame(&self, error: Error) -> Error {
        self.remote().and_then(|object| object.failure(&self.path)).unwrap_or(error)
    }
}

pub(super) fn about(path: &Path) -> Result<InputFile> {
    if is_standard(path) {
        return Ok(InputFile::local(path));
    }
    let about = std::fs::metadata(path).map_err(|error| {
        Error::new(ErrorKind::Source, format!("cannot open the input: {error}"))
            .in_file(path)
            .help(relative(path))
            .not_found_if(&error)
    })?;
    if about.is_dir() {
        return Err(Error::new(ErrorKind::Source, "the input is not a regular file").in_file(path));
    }
    let modified = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|time| u64::try_from(time.as_nanos()).ok());
    Ok(InputFile { bytes: about.len(), modified, ..InputFile::local(path) })
}

/// Whether the path means standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The help about relative paths.
pub(crate) fn relative(path: &Path) -> String {
    match std::env::current_dir() {
        Ok(folder) if path.is_relative() && !is_url(path) => {
            format!("relative paths start at the working directory, {}", folder.display())
        }
        _ => "check the path".to_string(),
    }
}

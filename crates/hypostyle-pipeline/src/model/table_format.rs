//! Directories of table formats: which of their files hold rows that are still there only the table's log says.

use std::path::Path;

use crate::error::{Error, ErrorKind};

/// A format whose files must not be read by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableFormat {
    Delta,
    Iceberg,
    Hudi,
}

impl TableFormat {
    /// The format of the table with this file, by the file's name below the table's directory.
    #[cfg(feature = "remote")]
    pub fn of_file(below: &str) -> Option<Self> {
        match below.split_once('/') {
            Some(("_delta_log", _)) => Some(Self::Delta),
            Some((".hoodie", _)) => Some(Self::Hudi),
            Some(("metadata", file)) if file.ends_with(".metadata.json") => Some(Self::Iceberg),
            _ => None,
        }
    }

    /// The format of the table in this directory.
    pub fn of_directory(directory: &Path) -> Option<Self> {
        if directory.join("_delta_log").is_dir() {
            return Some(Self::Delta);
        }
        if directory.join(".hoodie").is_dir() {
            return Some(Self::Hudi);
        }
        let mut entries = std::fs::read_dir(directory.join("metadata")).ok()?.flatten();
        entries.any(|entry| entry.file_name().to_string_lossy().ends_with(".metadata.json")).then_some(Self::Iceberg)
    }

    /// The error about the table in this directory, with the recipe.
    pub fn refused(self, directory: &Path) -> Error {
        let shown = directory.display();
        let files =
            |recipe: &str| format!("set path in [source] to the list of the files that are part of it: {recipe}");
        let (name, help) = match self {
            Self::Delta if cfg!(feature = "delta") => {
                ("Delta", format!("set path in [source] to the table as a whole: path = \"{shown}\""))
            }
            Self::Delta => {
                let recipe = "`deltalake.DeltaTable(...).file_uris()` in Python, if the table has no deletion vectors";
                ("Delta", format!("build with the feature delta, or {}", files(recipe)))
            }
            Self::Iceberg => (
                "Iceberg",
                files(
                    "in Python `[task.file.file_path for task in table.scan().plan_files()]` of pyiceberg, if no task \
                     has delete files",
                ),
            ),
            Self::Hudi => ("Hudi", files("by a tool that reads Hudi, which can write its rows as Parquet")),
        };
        let message = format!("this is a table of {name}: some of its files hold rows that were deleted or replaced");
        Error::new(ErrorKind::Source, message).in_file(directory).help(help)
    }
}

//! Columns from the paths of the files: the named groups of a pattern.

use regex::Regex;

use super::list::Files;
use crate::error::{Error, ErrorKind, Result};

/// A pattern of paths, which names the parts that are columns.
pub(crate) struct PathColumns {
    pattern: Regex,
    names: Vec<String>,
}

impl PathColumns {
    /// Reads the setting.
    pub fn of(text: &str) -> Result<Self> {
        let fault = |message: String| Error::pipeline(format!("[source] path_columns: {message}"));
        let pattern = Regex::new(text).map_err(|error| {
            fault(format!("{text:?} is not a valid regex")).help(error.to_string().replace('\n', " "))
        })?;
        let names: Vec<String> = pattern.capture_names().flatten().map(str::to_string).collect();
        if names.is_empty() {
            return Err(fault(format!("{text:?} names no column"))
                .help("name the parts of the path that are columns: '(?<symbol>[A-Z]+)-(?<day>[0-9-]+)\\.csv'"));
        }
        Ok(Self { pattern, names })
    }

    /// Adds the columns, with each file's part of its path; a group that is not in a path is null.
    pub fn add(self, files: &mut Files) -> Result<()> {
        let Self { pattern, names } = self;
        if let Some(name) = names.iter().find(|name| files.partitions.iter().any(|(known, _)| known == *name)) {
            let message = format!("[source] path_columns: the directories have a column '{name}' too");
            return Err(Error::pipeline(message).help("give it another name"));
        }
        let mut columns: Vec<(String, Vec<Option<String>>)> =
            names.into_iter().map(|name| (name, Vec::new())).collect();
        for file in &files.list {
            let path = file.path.to_string_lossy().replace('\\', "/");
            let found = pattern.captures(&path).ok_or_else(|| {
                Error::new(ErrorKind::Source, format!("the path does not match path_columns = '{pattern}'"))
                    .in_file(&file.path)
                    .help("let the pattern match it, or leave the file out of path in [source]")
            })?;
            for (name, values) in &mut columns {
                values.push(found.name(name).map(|part| part.as_str().to_string()));
            }
        }
        files.partitions.append(&mut columns);
        Ok(())
    }
}

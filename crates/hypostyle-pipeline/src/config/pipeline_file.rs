//! A pipeline file: its text, and what it says.

use std::path::PathBuf;
use std::str::FromStr;

use super::tables::Config;
use crate::error::{Error, Result};
use crate::model::column::{did_you_mean, quoted};
use crate::remote::url::shown;

/// The text of a pipeline file and its tables.
#[derive(Clone)]
pub(crate) struct PipelineFile {
    pub config: Config,
    pub path: Option<PathBuf>,
    text: String,
    public_text: String,
}

impl PipelineFile {
    /// The line of an offset in the text, counted from 1.
    pub fn line(&self, offset: usize) -> u64 {
        line_of(&self.text, offset)
    }

    /// The text without what may be secret in it: the storage options, and the queries of URLs.
    pub fn public_text(&self) -> &str {
        &self.public_text
    }
}

impl FromStr for PipelineFile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut config: Config = toml::from_str(text).map_err(|error| invalid(text, &error))?;
        config.source.keep_digits(text);
        let public_text = match may_hold_secrets(text) {
            true => without_secrets(text.parse().map_err(|error| invalid(text, &error))?),
            false => text.to_string(),
        };
        Ok(Self { config, path: None, text: text.to_string(), public_text })
    }
}

/// The error of a text that is not valid TOML, or not a pipeline.  The excerpt that the parser would show may hold a secret.
fn invalid(text: &str, error: &toml::de::Error) -> Error {
    let parsed = match unknown_setting(error.message()) {
        Some(unknown) => unknown,
        None => Error::pipeline(error.message().trim_end()),
    };
    match error.span() {
        Some(span) => parsed.at_line(line_of(text, span.start)),
        None => parsed,
    }
}

/// Names that settings had before, which resemble the new ones too little to be suggested.
const RENAMED: [(&str, &str); 5] = [
    ("memory", "memory_limit"),
    ("checkpoint", "checkpoint_interval"),
    ("patterns", "datetime_formats"),
    ("group_rows", "row_group_size"),
    ("max_file_rows", "max_rows_per_file"),
];

/// The parser's message about an unknown field, which lists the known ones between backticks, as an error of ours.
fn unknown_setting(message: &str) -> Option<Error> {
    let mut names = message.strip_prefix("unknown field `")?.split('`').step_by(2).map(String::from);
    let unknown = names.next()?;
    let known: Vec<String> = names.collect();
    let renamed = RENAMED.iter().find(|(old, new)| *old == unknown && known.iter().any(|name| name == new));
    let near = match renamed {
        Some((_, new)) => format!("; did you mean '{new}'?"),
        None => did_you_mean(&unknown, &known),
    };
    Some(
        Error::pipeline(format!("unknown setting '{unknown}'{near}"))
            .help(format!("the settings are {}", quoted(&known))),
    )
}

fn without_secrets(mut table: toml::Table) -> String {
    for name in ["source", "sink"] {
        let Some(toml::Value::Table(table)) = table.get_mut(name) else { continue };
        table.remove("storage_options");
        match table.get_mut("path") {
            Some(toml::Value::String(path)) => *path = shown(path).to_string(),
            Some(toml::Value::Array(paths)) => {
                for path in paths {
                    *path = path.as_str().map(shown).unwrap_or_default().into();
                }
            }
            _ => {}
        }
    }
    table.to_string()
}

fn may_hold_secrets(text: &str) -> bool {
    text.contains("storage_options") || text.contains("://")
}

fn line_of(text: &str, offset: usize) -> u64 {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_setting_is_an_error_with_its_line_and_a_suggestion() {
        for (toml, message) in [
            ("memory = \"1GB\"", "line 1: unknown setting 'memory'; did you mean 'memory_limit'?"),
            ("[sink]\ngroup_rows = 5", "line 2: unknown setting 'group_rows'; did you mean 'row_group_size'?"),
            ("[source]\n\nfilters = {}", "line 3: unknown setting 'filters'; did you mean 'filter'?"),
            ("[source]\nnix = 1", "line 2: unknown setting 'nix'\nhelp: the settings are 'path', "),
            ("[source]\npath = 's3://b/k?secret'\nstorage_options = 5", "line 3: "),
        ] {
            let error = toml.parse::<PipelineFile>().map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with(message) && !error.contains("secret"), "{toml}: {error}");
        }
    }
}

//! Where the rows go: what the pipeline file says of it, checked before any work.  [`write`] does the writing.

pub(crate) mod write;

use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;

use crate::config::{Compression, Format};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::source::{delimiter, format_of, relative};
use crate::types;

/// A sink that was checked.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    pub path: PathBuf,
    pub style: Style,
}

/// How the file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Csv { delimiter: u8 },
    Parquet { compression: Compression },
}

impl Sink {
    /// Checks what can be checked without writing, against the input's path and the columns to come.
    pub fn check(pipeline: &Pipeline, input: &Path, schema: &Schema) -> Result<Self> {
        let table = &pipeline.config.sink;
        let Some(path) = table.path.clone() else {
            return Err(
                Error::pipeline("there is no output").help("name it: path = \"...\" under [sink], or --output PATH")
            );
        };
        let style = match format_of(&path, table.format, "[sink]")? {
            Format::Csv if table.compression.is_some() => {
                return Err(Error::pipeline("[sink] compression is for Parquet, but the output is CSV")
                    .help("remove compression"));
            }
            Format::Csv => Style::Csv { delimiter: delimiter(table.delimiter.as_deref(), Some(&path), "[sink]")? },
            Format::Parquet if table.delimiter.is_some() => {
                return Err(
                    Error::pipeline("[sink] delimiter is for CSV, but the output is Parquet").help("remove delimiter")
                );
            }
            Format::Parquet => Style::Parquet { compression: table.compression.unwrap_or_default() },
        };
        let nested = schema.fields().iter().find(|field| field.data_type().is_nested());
        if let (Style::Csv { .. }, Some(field)) = (style, nested) {
            let message =
                format!("column '{}' is {}, which CSV has no form for", field.name(), types::name(field.data_type()));
            return Err(Error::pipeline(message).help("write Parquet: path = \"....parquet\" under [sink]"));
        }
        let fault = |message: &str| Error::new(ErrorKind::Sink, message).in_file(&path);
        if !folder(&path).is_dir() {
            return Err(fault("the output's folder does not exist").help(format!("create it; {}", relative(&path))));
        }
        // A link is followed, so that the file it names is replaced and not the link.
        let place = path.canonicalize().unwrap_or_else(|_| path.clone());
        if place.exists() && !place.is_file() {
            return Err(fault("the output is there already and is no regular file"));
        }
        if input.canonicalize().is_ok_and(|input| input == place) {
            return Err(fault("the output is the input").help("write another file"));
        }
        Ok(Self { path: place, style })
    }
}

pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

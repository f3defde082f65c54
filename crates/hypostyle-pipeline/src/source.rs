//! Where the rows come from: opened and typed at planning, read batch by batch when the pipeline runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::config::{Format, SourceTable};
use crate::csv::reader::CsvFile;
use crate::csv::{Dialect, Nulls};
use crate::error::{Error, ErrorKind, Result};
use crate::parquet::ParquetFile;
use crate::pipeline::Pipeline;
use crate::types;

const BATCH_ROWS: usize = 65_536;

/// A column of the input and how its type came about.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: String,
    pub data_type: DataType,
    pub origin: Origin,
    pub remark: Option<String>,
}

/// How a column's type came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The pipeline file says it.
    Declared,
    /// It was inferred from so many rows.
    Inferred { rows: usize },
    /// The file itself says it.
    File,
}

/// A source that stands ready.
pub(crate) struct Source {
    pub path: PathBuf,
    pub bytes: u64,
    pub columns: Vec<Column>,
    pub batch_rows: usize,
    file: Opened,
}

enum Opened {
    Csv(CsvFile),
    Parquet(ParquetFile),
}

/// Batches in the order of the file.
pub(crate) trait Batches: Send {
    /// The next batch, `None` at the end.
    fn next(&mut self) -> Result<Option<RecordBatch>>;
    /// How many of the file's bytes have been read, as near as can be told.
    fn bytes_read(&self) -> u64;
}

impl Source {
    pub fn open(pipeline: &Pipeline) -> Result<Self> {
        let table = &pipeline.config.source;
        let Some(path) = table.path.clone() else {
            return Err(
                Error::pipeline("there is no input").help("name it: path = \"...\" under [source], or --input PATH")
            );
        };
        let format = format_of(&path, table.format, "[source]")?;
        let about = std::fs::metadata(&path).map_err(|error| {
            Error::new(ErrorKind::Source, format!("can't open the input: {error}")).in_file(&path).help(relative(&path))
        })?;
        if !about.is_file() {
            return Err(Error::new(ErrorKind::Source, "the input is no regular file").in_file(&path));
        }
        let batch_rows = table.batch_rows.unwrap_or(BATCH_ROWS);
        if batch_rows == 0 {
            return Err(Error::pipeline("[source] batch_rows is 0").help("leave it out, or give at least 1"));
        }
        let (file, columns) = match format {
            Format::Csv => {
                let dialect = dialect(table)?;
                let (file, columns) = CsvFile::open(&path, dialect, |names| declared(pipeline, names))?;
                (Opened::Csv(file), columns)
            }
            Format::Parquet => {
                only_csv(table)?;
                let (file, columns) = ParquetFile::open(&path)?;
                (Opened::Parquet(file), columns)
            }
        };
        Ok(Self { path, bytes: about.len(), columns, batch_rows, file })
    }

    pub fn format(&self) -> Format {
        match self.file {
            Opened::Csv(_) => Format::Csv,
            Opened::Parquet(_) => Format::Parquet,
        }
    }

    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| Field::new(&column.name, column.data_type.clone(), true);
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// Begins to read.
    pub fn batches(self) -> Result<Box<dyn Batches>> {
        let schema = self.schema();
        Ok(match self.file {
            Opened::Csv(file) => Box::new(file.batches(self.columns, schema, self.batch_rows)?),
            Opened::Parquet(file) => Box::new(file.batches(schema, self.batch_rows, self.bytes)?),
        })
    }
}

/// The format that a table states, else the one that the path's extension says.
pub(crate) fn format_of(path: &Path, stated: Option<Format>, table: &str) -> Result<Format> {
    if let Some(format) = stated {
        return Ok(format);
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv" | "txt") => Ok(Format::Csv),
        Some("parquet" | "pq") => Ok(Format::Parquet),
        _ => Err(Error::pipeline(format!("the format of '{}' can't be told from its name", path.display()))
            .help(format!("say it: format = \"csv\" or format = \"parquet\" under {table}"))),
    }
}

/// The byte of `delimiter = "..."`; a tab for `.tsv` files that don't say.
pub(crate) fn delimiter(stated: Option<&str>, path: Option<&Path>, table: &str) -> Result<u8> {
    match stated.map(str::as_bytes) {
        None if path.and_then(Path::extension).is_some_and(|extension| extension == "tsv") => Ok(b'\t'),
        None => Ok(b','),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        Some(_) => Err(Error::pipeline(format!(
            "{table} delimiter {:?} is not one ASCII character",
            stated.unwrap_or_default()
        ))
        .help("give one character that is no quote or line end, such as \";\" or \"\\t\"")),
    }
}

fn dialect(table: &SourceTable) -> Result<Dialect> {
    Ok(Dialect {
        delimiter: delimiter(table.delimiter.as_deref(), table.path.as_deref(), "[source]")?,
        header: table.header.unwrap_or(true),
        nulls: Nulls(table.null_values.clone().unwrap_or_default()),
    })
}

/// The declared type of each column of the file, where there is one; every declaration must meet a column.
fn declared(pipeline: &Pipeline, names: &[String]) -> Result<Vec<Option<DataType>>> {
    let mut found = vec![None; names.len()];
    for (name, type_name) in &pipeline.config.source.schema {
        let line = pipeline.line(type_name.span().start);
        let Some(index) = names.iter().position(|known| known == name) else {
            return Err(Error::pipeline(format!(
                "[source.schema] names column '{name}', which the input doesn't have"
            ))
            .at_line(line)
            .help(format!("its columns are {}", quoted(names))));
        };
        let data_type = types::parse(type_name.get_ref())
            .map_err(|message| Error::pipeline(format!("[source.schema] column '{name}': {message}")).at_line(line))?;
        found[index] = Some(data_type);
    }
    Ok(found)
}

/// Parquet says itself what CSV must be told.
fn only_csv(table: &SourceTable) -> Result<()> {
    let given = [
        ("delimiter", table.delimiter.is_some()),
        ("header", table.header.is_some()),
        ("null_values", table.null_values.is_some()),
        ("schema", !table.schema.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(Error::pipeline(format!(
            "[source] {key} is for CSV, but the input is Parquet, which knows its own types"
        ))
        .help(format!("remove {key} from the pipeline file"))),
        None => Ok(()),
    }
}

pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// Says what a relative path was relative to.
pub(crate) fn relative(path: &Path) -> String {
    match std::env::current_dir() {
        Ok(folder) if path.is_relative() => {
            format!("relative paths start at the working directory, {}", folder.display())
        }
        _ => "check the path".to_string(),
    }
}

//! Where the rows come from: found and typed at planning, read chunk by chunk when the pipeline runs.

pub(crate) mod bytes;
pub(crate) mod chunks;
pub(crate) mod files;
pub(crate) mod ipc;
pub(crate) mod judge;
pub(crate) mod settings;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::bad::Bad;
use crate::config::Format;
use crate::csv::chunk::Places;
use crate::csv::infer::Guess;
use crate::csv::moment::Written;
use crate::csv::open::Opened;
use crate::csv::reader::CHUNK_BYTES;
use crate::error::{Error, ErrorKind, Result};
use crate::parquet::ParquetFile;
use crate::pipeline::Pipeline;
use crate::policy::{OnBad, Policy};
use crate::remote::address::is_address;
use crate::rules::Rules;
use crate::types;
use files::Files;
use ipc::IpcFile;
use judge::Judge;

/// A column of the input and how its type came about.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: String,
    pub data_type: DataType,
    pub origin: Origin,
    pub remark: Option<String>,
    /// How dates and times are written, as the pipeline file says it and as it is read.
    pub pattern: Option<String>,
    pub written: Written,
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
    /// The names of the files' folders say it.
    Folder,
}

impl Column {
    pub fn new(name: &str, data_type: DataType, origin: Origin) -> Self {
        Self { name: name.to_string(), data_type, origin, remark: None, pattern: None, written: Written::Iso }
    }

    /// Whether the column stands in the file itself.
    pub fn in_file(&self) -> bool {
        self.origin != Origin::Folder
    }
}

/// Where reading can go on: a place between two chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The number of the file.
    pub file: usize,
    /// The byte in it (decompressed); for formats that have no lines, the row.
    pub offset: u64,
    /// The line and the record that begin there.
    pub line: u64,
    pub record: u64,
}

/// How many rows formats without lines are read in at once.
pub(crate) const BATCH_ROWS: usize = 65_536;

impl Mark {
    /// The first row of a file that has no lines.
    pub fn first_row(file: usize) -> Self {
        Self { file, offset: 0, line: 0, record: 1 }
    }
}

/// Some rows, with the bad ones among them.
pub(crate) struct Chunk {
    pub batch: RecordBatch,
    pub bad: Vec<Bad>,
    /// Where the rows stand, for formats that are text and where it will be asked.
    pub places: Option<Places>,
    /// The number of the file.
    pub file: usize,
    /// The number of the first record.
    pub first_record: u64,
    pub after: Mark,
    /// Bytes taken from the disk by then.
    pub bytes: u64,
}

/// A source that stands ready.
pub(crate) struct Source {
    pub files: Files,
    /// All columns, those of the folders last.
    pub columns: Vec<Column>,
    /// Which of them are read.
    pub wanted: Vec<usize>,
    pub policy: Policy,
    rules: Rules,
    pub batch_rows: Option<usize>,
    pub chunk_bytes: usize,
    kind: Kind,
}

enum Kind {
    Csv(Box<settings::Csv>, Box<Opened>),
    Parquet(ParquetFile),
    Ipc(IpcFile, Arc<AtomicU64>),
}

impl Source {
    pub fn open(pipeline: &Pipeline) -> Result<Self> {
        let table = &pipeline.config.source;
        let (files, format) = settings::files(table)?;
        for (key, value) in [("batch_rows", table.batch_rows), ("chunk_bytes", table.chunk_bytes)] {
            if value == Some(0) {
                return Err(Error::pipeline(format!("[source] {key} is 0")).help("leave it out, or give at least 1"));
            }
        }
        let policy = settings::policy(table)?;
        let (kind, mut columns) = match format {
            Format::Csv => {
                let csv = settings::csv(table, &files)?;
                let bear = policy.on_bad != OnBad::Fail;
                let (csv, opened, columns) =
                    csv.open(&files, bear, |names| settings::declared(pipeline, names, &files))?;
                (Kind::Csv(Box::new(csv), Box::new(opened)), columns)
            }
            Format::Ipc => {
                settings::only_csv(table, "Arrow IPC")?;
                let read = Arc::default();
                let file = IpcFile::open(&files.list[0], &read)?;
                let columns = file.columns();
                (Kind::Ipc(file, read), columns)
            }
            _ => {
                settings::only_csv(table, "Parquet")?;
                let (file, columns) = ParquetFile::open(&files.list[0])?;
                (Kind::Parquet(file), columns)
            }
        };
        settings::patterns(pipeline, &mut columns)?;
        add_folders(pipeline, &files, &mut columns)?;
        let rules = Rules::read(pipeline, &columns)?;
        let wanted = (0..columns.len()).collect();
        let mut source = Self {
            files,
            columns,
            wanted,
            policy,
            rules,
            batch_rows: table.batch_rows,
            chunk_bytes: table.chunk_bytes.unwrap_or(CHUNK_BYTES),
            kind,
        };
        if let Some(names) = &table.columns {
            let known: Vec<String> = source.columns.iter().map(|column| column.name.clone()).collect();
            if let Some(name) = names.iter().find(|name| !known.contains(name)) {
                return Err(settings::no_column("[source] columns", name, &known));
            }
            if let Some(column) = source.rules.looks_at().find(|column| !names.contains(&source.columns[*column].name))
            {
                let name = &source.columns[column].name;
                return Err(Error::pipeline(format!("[source.rules] looks at column '{name}', which isn't read"))
                    .help("add it to columns under [source]; columns under [sink] says what is written"));
            }
            source.wanted.retain(|column| names.contains(&source.columns[*column].name));
        }
        Ok(source)
    }

    pub fn format(&self) -> Format {
        match self.kind {
            Kind::Csv(..) => Format::Csv,
            Kind::Parquet(_) => Format::Parquet,
            Kind::Ipc(..) => Format::Ipc,
        }
    }

    /// Reads no columns but these and those that the rules look at.
    pub fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        let Self { columns, wanted, rules, .. } = self;
        wanted.retain(|column| is_wanted(&columns[*column].name) || rules.looks_at().any(|ruled| ruled == *column));
    }

    /// The rules that are left to ask when the rows have been read.
    pub fn take_judge(&mut self) -> Judge {
        let values = if matches!(self.kind, Kind::Csv(..)) { Vec::new() } else { self.rules.values.clone() };
        Judge {
            values,
            orders: std::mem::take(&mut self.rules.orders),
            on_bad: self.policy.on_bad,
            files: self.files.paths(),
            columns: self.columns.clone(),
            texts: self.rules.texts.clone(),
            ruled: self.rules.columns.clone(),
        }
    }

    /// The columns that are read.
    pub fn wanted(&self) -> impl Iterator<Item = &Column> {
        self.wanted.iter().map(|column| &self.columns[*column])
    }

    pub fn schema(&self) -> SchemaRef {
        schema(self.wanted())
    }
}

pub(crate) fn schema<'a>(columns: impl Iterator<Item = &'a Column>) -> SchemaRef {
    let field = |column: &Column| Field::new(&column.name, column.data_type.clone(), true);
    Arc::new(Schema::new(columns.map(field).collect::<Vec<_>>()))
}

/// The wanted columns of a file against those of the first.
pub(crate) fn check_same_columns(path: &Path, columns: &[Column], wanted: &[usize], schema: &SchemaRef) -> Result<()> {
    for (field, index) in schema.fields().iter().zip(wanted) {
        let expected = types::name(field.data_type());
        let found = match columns.get(*index) {
            Some(column) if column.name == *field.name() && column.data_type == *field.data_type() => continue,
            Some(column) => format!("it is '{}', {}", column.name, types::name(&column.data_type)),
            None => "there is none".to_string(),
        };
        let message =
            format!("column {} is '{}', {expected}, in the first file; here {found}", index + 1, field.name());
        return Err(Error::new(ErrorKind::Source, message)
            .in_file(path)
            .help("files that are read together have the same columns in the same order"));
    }
    Ok(())
}

/// Adds the columns that the folders make.
fn add_folders(pipeline: &Pipeline, files: &Files, columns: &mut Vec<Column>) -> Result<()> {
    for (name, values) in &files.partitions {
        if columns.iter().any(|column| column.name == *name) {
            return Err(Error::new(
                ErrorKind::Source,
                format!("column '{name}' is in the file and in its folder's name"),
            )
            .in_file(&files.list[0].path)
            .help("rename one of them"));
        }
        let declared = pipeline.config.source.schema.get(name);
        let data_type = match declared {
            Some(type_name) => types::parse(type_name.get_ref()).map_err(Error::pipeline)?,
            None => {
                let mut guess = Guess::default();
                for value in values.iter().flatten() {
                    guess.observe(value.as_bytes(), &Default::default());
                }
                guess.data_type()
            }
        };
        columns.push(Column::new(name, data_type, Origin::Folder));
    }
    Ok(())
}

/// The format that a table states, else the one that the path's extension says; a packed file's is the one before.
pub(crate) fn format_of(path: &Path, stated: Option<Format>, table: &str) -> Result<Format> {
    if let Some(format) = stated {
        return Ok(format);
    }
    format_by_name(path).ok_or_else(|| {
        Error::pipeline(format!("the format of '{}' can't be told from its name", path.display()))
            .help(format!("say it: format = \"csv\", \"parquet\" or \"ipc\" under {table}"))
    })
}

pub(crate) fn format_by_name(path: &Path) -> Option<Format> {
    let unpacked;
    let path = match bytes::Packing::of(path) {
        bytes::Packing::None => path,
        _ => {
            unpacked = path.with_extension("");
            &unpacked
        }
    };
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv" | "txt") => Some(Format::Csv),
        Some("parquet" | "pq") => Some(Format::Parquet),
        Some("arrow" | "ipc" | "feather" | "arrows") => Some(Format::Ipc),
        _ => None,
    }
}

pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// Says what a relative path was relative to.
pub(crate) fn relative(path: &Path) -> String {
    match std::env::current_dir() {
        Ok(folder) if path.is_relative() && !is_address(path) => {
            format!("relative paths start at the working directory, {}", folder.display())
        }
        _ => "check the path".to_string(),
    }
}

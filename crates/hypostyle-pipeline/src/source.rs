//! Where the rows come from: found and typed at planning, read chunk by chunk when the pipeline runs.

pub(crate) mod bytes;
pub(crate) mod chunks;
pub(crate) mod files;
pub(crate) mod filter;
mod folders;
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
use crate::csv::moment::Written;
use crate::csv::open::Opened;
use crate::csv::reader::{CHUNK_BYTES, MOST_CHUNK_BYTES};
use crate::error::{Error, ErrorKind, Result};
use crate::parquet::ParquetFile;
use crate::pipeline::Pipeline;
use crate::policy::{OnBad, Policy};
use crate::remote::address::is_address;
use crate::rules::Rules;
use crate::rules::test::Test;
use crate::types;
use files::Files;
use filter::{Filter, LeftOut};
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
    /// Bytes taken from the disk by then, or passed over.
    pub bytes: u64,
    /// What the filter left out of these rows, and between them and those before.
    pub left_out: LeftOut,
}

/// A source that stands ready.
pub(crate) struct Source {
    pub files: Files,
    /// All columns, those of the folders last.
    pub columns: Vec<Column>,
    /// Which of them the stages see; those that only the filter looks at are read besides.
    pub wanted: Vec<usize>,
    pub policy: Policy,
    rules: Rules,
    pub filter: Filter,
    /// Whether the judge filters, as there are rules left to ask before.
    filters_late: bool,
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
        let (mut files, format) = settings::files(table)?;
        for (key, value, most) in
            [("batch_rows", table.batch_rows, usize::MAX), ("chunk_bytes", table.chunk_bytes, MOST_CHUNK_BYTES)]
        {
            if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                let most = if most == usize::MAX { String::new() } else { format!(", at most {most}") };
                return Err(Error::pipeline(format!("[source] {key} is {value}"))
                    .help(format!("leave it out, or give at least 1{most}")));
            }
        }
        let policy = settings::policy(table)?;
        let folders = folders::columns(pipeline, &files)?;
        let conditions = Filter::read(pipeline, &folders, false)?;
        folders::leave_out(&mut files, &folders, &conditions)?;
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
        folders::add(folders, &files, &mut columns)?;
        let rules = Rules::read(pipeline, &columns)?;
        if let Kind::Csv(..) = kind
            && let Some(column) = rules.looks_at().find(|column| !columns[*column].in_file())
        {
            let name = &columns[column].name;
            return Err(Error::pipeline(format!("[source.rules] {name}: the column is made by folders, not by rows"))
                .help("say under [source.filter] which folders are read"));
        }
        let filter = Filter::read(pipeline, &columns, true)?;
        let wanted = (0..columns.len()).collect();
        let mut source = Self {
            files,
            columns,
            wanted,
            policy,
            rules,
            filter,
            filters_late: false,
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

    /// Shows the stages no columns but these and those that the rules look at.
    pub fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        let Self { columns, wanted, rules, .. } = self;
        wanted.retain(|column| is_wanted(&columns[*column].name) || rules.looks_at().any(|ruled| ruled == *column));
    }

    /// What is left to ask when the rows have been read: rules, and the filter where it must wait for them.
    pub fn take_judge(&mut self) -> Result<Judge> {
        let values = if matches!(self.kind, Kind::Csv(..)) { Vec::new() } else { self.rules.values.clone() };
        let orders = std::mem::take(&mut self.rules.orders);
        self.filters_late = !values.is_empty() || !orders.is_empty();
        let read = self.read();
        let sieve = if self.filters_late { self.filter.sieve(&self.columns, &read, &self.wanted)? } else { None };
        Ok(Judge {
            values,
            orders,
            sieve,
            on_bad: self.policy.on_bad,
            files: self.files.paths(),
            columns: self.columns.clone(),
            texts: self.rules.texts.clone(),
            ruled: self.rules.columns.clone(),
        })
    }

    /// The columns that are read.
    fn read(&self) -> Vec<usize> {
        let filtered = self.filter.looks_at().filter(|column| self.columns[*column].in_file());
        let mut read: Vec<usize> = self.wanted.iter().copied().chain(filtered).collect();
        read.sort_unstable();
        read.dedup();
        read
    }

    /// The schema of the columns that are read.
    pub fn read_schema(&self) -> SchemaRef {
        schema(self.read().iter().map(|column| &self.columns[*column]))
    }

    /// What tells row groups that no row is taken of: nothing where a rule must see every row.
    fn group_tests(&self) -> Vec<(usize, Test)> {
        let tests = if self.rules.texts.is_empty() { &self.filter.conditions[..] } else { &[] };
        let in_file = tests.iter().filter(|condition| self.columns[condition.column].in_file());
        in_file.map(|condition| (condition.column, condition.test.clone())).collect()
    }

    /// How many row groups the filter leaves unread, and of how many; `None` where that isn't known, or there are none.
    pub fn groups(&self) -> Option<(usize, usize)> {
        let tests = self.group_tests();
        let Kind::Parquet(first) = &self.kind else { return None };
        if self.filter.conditions.is_empty() || self.files.unread {
            return None;
        }
        let mut counts = first.skipped_groups(&tests);
        for file in &self.files.list[1..] {
            let (skipped, all) = ParquetFile::open(file).ok()?.0.skipped_groups(&tests);
            counts = (counts.0 + skipped, counts.1 + all);
        }
        Some(counts)
    }

    /// The columns that the stages see.
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

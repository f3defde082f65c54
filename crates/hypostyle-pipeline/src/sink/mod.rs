//! The output: its settings, checked before any work.  [`write`] does the writing.

mod append;
pub(crate) mod atomic;
pub(crate) mod bad_row_log;
mod below;
mod dictionaries;
mod directory;
mod empty_texts;
mod encode;
mod nested;
mod partitioned;
mod partitions;
pub(crate) mod parts;
pub(crate) mod run_name;
mod spool;
mod syncing;
mod text;
pub(crate) mod write;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};

use crate::config::{Compression, Empty, Format, Names, SinkTable};
use crate::error::{Error, ErrorKind, Result};
use crate::files::format::{delimiter, format_of};
use crate::files::input::{is_standard, relative};
use crate::files::list::Files;
use crate::model::column::{did_you_mean, quoted};
use crate::model::types;
use crate::remote::url::{host, is_url};
use crate::remote::{Place, Stores};
use atomic::folder;
use run_name::RunName;

/// Where bytes go.
pub(crate) type Out = Box<dyn Write + Send>;

/// A sink that was checked.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    pub target: Target,
    pub style: Style,
    /// Which columns are written, of those that come out of the stages.
    pub columns: Vec<usize>,
    /// The schema of these.
    pub schema: SchemaRef,
    pub row_group_size: Option<usize>,
    /// Whether the directories above the output are made.
    mkdir: bool,
}

/// Where the rows go.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    File(PathBuf),
    Object(Place),
    Directory(PathBuf, Directory),
    StandardOutput,
    Nowhere,
}

/// How rows are distributed over the files of a directory.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub partition_by: Vec<PartitionKey>,
    /// The maximum rows per file.
    pub max_rows: Option<usize>,
    /// The run that adds its files to those that are there.
    pub append: Option<RunName>,
}

/// What the rows of a directory have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionKey {
    /// The name in the names of the directories.
    pub name: String,
    pub column: usize,
    pub part: KeyPart,
}

/// The part of a column's value that rows are partitioned by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyPart {
    Value,
    Date,
    Hour,
}

/// How the rows are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Csv { delimiter: u8, empty: Empty },
    Parquet { compression: Compression },
    Ipc { compression: Compression },
    None,
}

impl Sink {
    /// Checks what can be checked without writing, against the inputs' paths and the columns to come; `run` is given if its
    /// files are to be added to others.
    pub fn check(table: &SinkTable, inputs: &Files, schema: &Schema, run: Option<RunName>) -> Result<Self> {
        let (target, style, columns, schema) = Self::checked(table, inputs, schema, run)?;
        let (row_group_size, mkdir) = (table.row_group_size, table.mkdir);
        Ok(Self { target, style, columns, schema, row_group_size, mkdir })
    }

    fn checked(
        table: &SinkTable,
        inputs: &Files,
        schema: &Schema,
        run: Option<RunName>,
    ) -> Result<(Target, Style, Vec<usize>, SchemaRef)> {
        let columns = columns(table, schema)?;
        let kept = columns.iter().map(|column| schema.field(*column).clone()).collect::<Vec<_>>();
        let schema = Arc::new(Schema::new(kept));
        if table.row_group_size == Some(0) {
            return Err(Error::pipeline("[sink] row_group_size: got 0, expected at least 1"));
        }
        if table.format == Some(Format::None) {
            return Ok((Target::Nowhere, Style::None, columns, schema));
        }
        let Some(path) = table.path.clone() else {
            return Err(Error::pipeline("no output")
                .help("set path in [sink], pass --output PATH, or set format = \"none\" in [sink] to write nothing"));
        };
        let object =
            is_url(&path).then(|| Stores::new(&table.storage_options, std::slice::from_ref(&path))?.place(&path));
        let object = object.transpose()?;
        let format = format_of(&path, table.format, "[sink]")?;
        let style = style(table, &path, format)?;
        let twice = schema
            .fields()
            .iter()
            .enumerate()
            .find(|(index, field)| schema.fields()[..*index].iter().any(|before| before.name() == field.name()));
        if let (Style::Csv { .. } | Style::Parquet { .. }, Some((_, field))) = (style, twice) {
            let message = format!(
                "two columns are called '{}', which readers of {} cannot tell apart",
                field.name(),
                shown(format)
            );
            return Err(Error::pipeline(message).help("write Arrow IPC, or rename one of them where the input is made"));
        }
        let odd = |data_type: &DataType| data_type.is_nested() && !nested::is_json(data_type);
        let nested = schema.fields().iter().find(|field| odd(field.data_type()));
        if let (Style::Csv { .. }, Some(field)) = (style, nested) {
            let message =
                format!("column '{}': CSV does not support type {}", field.name(), types::name(field.data_type()));
            return Err(Error::pipeline(message)
                .help("set path to a .parquet file in [sink], or leave the column out of columns in [sink]"));
        }
        if let Some(object) = object {
            let target = Self::check_object(table, object, inputs)?;
            return Ok((target, style, columns, schema));
        }
        if let Some(target) = Self::check_directory(table, &path, inputs, &schema, run)? {
            return Ok((target, style, columns, schema));
        }
        if is_standard(&path) {
            return Ok((Target::StandardOutput, style, columns, schema));
        }
        check_output_folder(&path, table.mkdir)?;
        Ok((Target::File(place_of(&path, inputs)?), style, columns, schema))
    }

    /// One object, which is none of the inputs.
    fn check_object(table: &SinkTable, object: Place, inputs: &Files) -> Result<Target> {
        if table.partition_by.is_some() || table.max_rows_per_file.is_some() || table.append {
            return Err(Error::new(ErrorKind::Sink, "several files cannot be written to an object store")
                .in_file(object.shown())
                .help("write one object, or a local directory"));
        }
        if inputs.list.iter().chain(&inputs.left_out).any(|input| *input.path == *object.shown()) {
            return Err(is_input(object.shown()));
        }
        Ok(Target::Object(object))
    }

    /// The output directory, if the output is one.
    fn check_directory(
        table: &SinkTable,
        path: &Path,
        inputs: &Files,
        schema: &Schema,
        run: Option<RunName>,
    ) -> Result<Option<Target>> {
        let names = table.partition_by.as_ref().map(Names::to_vec).unwrap_or_default();
        if names.is_empty() && table.max_rows_per_file.is_none() && run.is_none() {
            return Ok(None);
        }
        if table.max_rows_per_file == Some(0) {
            return Err(Error::pipeline("[sink] max_rows_per_file: got 0, expected at least 1"));
        }
        if is_standard(path) {
            return Err(Error::pipeline("several files cannot be written to standard output")
                .help("set path to a directory in [sink]"));
        }
        let known: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let partition_by = names.iter().map(|name| partition_key(name, schema, &known));
        let partition_by = partition_by.collect::<Result<Vec<PartitionKey>>>()?;
        if let Some(column) = partition_by.iter().find(|key| schema.field(key.column).data_type().is_nested()) {
            return Err(Error::pipeline(format!(
                "[sink] partition_by: column '{}' has a nested type",
                known[column.column]
            ))
            .help("partition by a column of a simple type"));
        }
        let twice = partition_by.iter().enumerate().find(|(index, key)| {
            let others = partition_by[..*index].iter().map(|other| &other.name);
            others.chain(known.iter().filter(|_| key.part != KeyPart::Value)).any(|name| *name == key.name)
        });
        if let Some((_, key)) = twice {
            let message = format!("[sink] partition_by: there are two columns '{}'", key.name);
            return Err(
                Error::pipeline(message).help("partition by one of them, or leave the other out of columns in [sink]")
            );
        }
        let whole = partition_by.iter().filter(|key| key.part == KeyPart::Value).count();
        if whole > 0 && whole == known.len() {
            return Err(Error::pipeline("[sink] partition_by: names all columns")
                .help("leave at least one column for the files"));
        }
        check_output_folder(path, table.mkdir)?;
        if let (Some(_), Ok(place)) = (&run, path.canonicalize())
            && inputs.local().any(|input| input.canonicalize().is_ok_and(|input| input.starts_with(&place)))
        {
            return Err(is_input(path));
        }
        let directory = Directory { partition_by, max_rows: table.max_rows_per_file, append: run };
        Ok(Some(Target::Directory(path.to_path_buf(), directory)))
    }

    /// Makes the directories above the output, if it was asked for.
    pub fn make_folders(&self) -> Result<()> {
        match &self.target {
            Target::File(path) | Target::Directory(path, _) if self.mkdir => {
                let fault =
                    |error| Error::new(ErrorKind::Sink, "cannot make the directory of the output").because(error);
                std::fs::create_dir_all(folder(path)).map_err(|error| fault(error).in_file(folder(path)))
            }
            _ => Ok(()),
        }
    }

    /// Whether there is an output of this name on the disk.
    pub fn exists(&self) -> bool {
        matches!(&self.target, Target::File(path) | Target::Directory(path, _) if path.exists())
    }

    /// The name of the output in messages and summaries.
    pub fn name(&self) -> PathBuf {
        match &self.target {
            Target::File(path) | Target::Directory(path, _) => path.clone(),
            Target::Object(object) => object.shown().to_path_buf(),
            Target::StandardOutput => "standard output".into(),
            Target::Nowhere => "nowhere".into(),
        }
    }
}

impl Directory {
    /// The columns that its files have, of so many: the directories' names say the others.
    pub fn kept(&self, columns: usize) -> Vec<usize> {
        let whole =
            |column: &usize| self.partition_by.iter().any(|key| key.part == KeyPart::Value && key.column == *column);
        (0..columns).filter(|column| !whole(column)).collect()
    }
}

/// A column to partition by, or the date or the hour of one: `date(ts)`.
fn partition_key(text: &str, schema: &Schema, known: &[String]) -> Result<PartitionKey> {
    let (name, part) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        Some(("date", name)) if schema.index_of(text).is_err() => (name, KeyPart::Date),
        Some(("hour", name)) if schema.index_of(text).is_err() => (name, KeyPart::Hour),
        _ => (text, KeyPart::Value),
    };
    let column = schema.index_of(name).map_err(|_| {
        Error::pipeline(format!("[sink] partition_by: column '{name}' not found{}", did_you_mean(name, known)))
            .help(format!("the columns are {}", quoted(known)))
    })?;
    let data_type = schema.field(column).data_type();
    if part != KeyPart::Value && !matches!(data_type, DataType::Timestamp(..)) {
        let message = format!(
            "[sink] partition_by: {text}: got a column of type {}, expected a timestamp",
            types::name(data_type)
        );
        return Err(Error::pipeline(message).help("partition by the column itself"));
    }
    let name = match part {
        KeyPart::Value => name,
        KeyPart::Date => "date",
        KeyPart::Hour => "hour",
    };
    Ok(PartitionKey { name: name.to_string(), column, part })
}

/// The place that a file may be put in: its folder is there, and it is none of the inputs.  A link is followed, so that the file
/// it names is replaced and not the link.
pub(crate) fn free_place(path: &Path, inputs: &Files) -> Result<PathBuf> {
    check_folder_of(path, "create it")?;
    place_of(path, inputs)
}

/// As [`free_place`], of a folder that was checked.
fn place_of(path: &Path, inputs: &Files) -> Result<PathBuf> {
    let fault = |message: &str| Error::new(ErrorKind::Sink, message).in_file(path);
    let place = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if place.exists() && !place.is_file() {
        return Err(fault("the output exists and is not a regular file"));
    }
    if inputs.local().any(|input| input.canonicalize().is_ok_and(|input| input == place)) {
        return Err(is_input(path));
    }
    Ok(place)
}

/// The error about a directory that is not empty.
fn is_there(path: &Path) -> Error {
    Error::new(ErrorKind::Sink, "the output exists and is not an empty directory")
        .in_file(path)
        .help("write several files to a new directory, or delete this one")
}

fn is_input(path: &Path) -> Error {
    Error::new(ErrorKind::Sink, "the output is also an input").in_file(path).help("write a different file")
}

/// Fails if the folder of the output is not there, and is not to be made.
fn check_output_folder(path: &Path, mkdir: bool) -> Result<()> {
    if mkdir && !is_url(path) {
        return Ok(());
    }
    check_folder_of(path, "create it, or set mkdir = true in [sink]")
}

fn check_folder_of(path: &Path, help: &str) -> Result<()> {
    if is_url(path) {
        return Err(Error::new(ErrorKind::Sink, "this must be a local file")
            .in_file(Path::new(&host(&path.to_string_lossy())))
            .help("only the input and the output can be remote"));
    }
    if folder(path).is_dir() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Sink, "the directory of the output does not exist")
        .in_file(path)
        .not_found()
        .help(format!("{help}; {}", relative(path))))
}

impl Style {
    /// How the names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv { delimiter: b'\t', .. } => "tsv",
            Self::Csv { .. } => "csv",
            Self::Parquet { .. } => "parquet",
            Self::Ipc { .. } => "arrow",
            Self::None => "",
        }
    }
}

fn style(table: &SinkTable, path: &Path, format: Format) -> Result<Style> {
    let misplaced = |key: &str, only: &str| {
        Err(Error::pipeline(format!("[sink] {key}: is for {only}, but the output is {}", shown(format)))
            .help(format!("remove {key} from [sink]")))
    };
    match format {
        Format::Csv if table.compression.is_some() => misplaced("compression", "Parquet and Arrow IPC"),
        Format::Csv => Ok(Style::Csv {
            delimiter: delimiter(table.delimiter.as_deref(), Some(path), "[sink]")?,
            empty: table.empty.unwrap_or(Empty::Text),
        }),
        _ if table.delimiter.is_some() => misplaced("delimiter", "CSV"),
        _ if table.empty.is_some() => misplaced("empty", "CSV"),
        Format::Parquet => Ok(Style::Parquet { compression: table.compression.unwrap_or_default() }),
        Format::Ipc => match table.compression.unwrap_or(Compression::None) {
            Compression::Snappy => Err(Error::pipeline("[sink] compression: Arrow IPC does not support \"snappy\"")
                .help("use \"lz4\", \"zstd\" or \"none\"")),
            compression => Ok(Style::Ipc { compression }),
        },
        Format::None => Ok(Style::None),
    }
}

fn shown(format: Format) -> &'static str {
    match format {
        Format::Csv => "CSV",
        Format::Parquet => "Parquet",
        Format::Ipc => "Arrow IPC",
        Format::None => "none",
    }
}

/// The columns that `[sink] columns` names, in its order; all of them where it doesn't.
fn columns(table: &SinkTable, schema: &Schema) -> Result<Vec<usize>> {
    let Some(names) = &table.columns else { return Ok((0..schema.fields().len()).collect()) };
    let known: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let find = |name: &String| {
        schema.index_of(name).map_err(|_| {
            Error::pipeline(format!("[sink] columns: column '{name}' not found{}", did_you_mean(name, &known)))
                .help(format!("the columns are {}", quoted(&known)))
        })
    };
    let found = names.iter().map(find).collect::<Result<Vec<usize>>>()?;
    if let Some(twice) = (1..found.len()).find(|index| found[..*index].contains(&found[*index])) {
        return Err(
            Error::pipeline(format!("[sink] columns: column '{}' is named twice", names[twice])).help("remove one")
        );
    }
    Ok(found)
}

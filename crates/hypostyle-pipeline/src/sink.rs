//! Where the rows go: what the pipeline file says of it, checked before any work.  [`write`] does the writing.

pub(crate) mod encode;
pub(crate) mod folder;
mod parts;
pub(crate) mod place;
pub(crate) mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use crate::config::{Compression, Format, Names, SinkTable};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::remote::address::{host, is_address};
use crate::remote::{Place, Stores};
use crate::source::bytes::is_standard;
use crate::source::files::Files;
use crate::source::settings::delimiter;
use crate::source::{format_of, quoted, relative};
use crate::types;
use place::folder;

/// A sink that was checked.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    pub target: Target,
    pub style: Style,
    /// Which columns are written, of those that come out of the stages.
    pub columns: Vec<usize>,
    /// The schema of these.
    pub schema: SchemaRef,
    pub group_rows: Option<usize>,
}

/// Where the rows go.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    File(PathBuf),
    Object(Place),
    Folder(PathBuf, Folder),
    StandardOutput,
    Nowhere,
}

/// How the rows are dealt out to the files of a folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// The columns that make folders.
    pub partition_by: Vec<usize>,
    /// A file is full with so many rows.
    pub max_rows: Option<usize>,
}

/// How the rows are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Csv { delimiter: u8 },
    Parquet { compression: Compression },
    Ipc { compression: Compression },
    None,
}

impl Sink {
    /// Checks what can be checked without writing, against the inputs' paths and the columns to come.
    pub fn check(pipeline: &Pipeline, inputs: &Files, schema: &Schema) -> Result<Self> {
        let table = &pipeline.config.sink;
        let columns = columns(table, schema)?;
        let kept = columns.iter().map(|column| schema.field(*column).clone()).collect::<Vec<_>>();
        let schema = Arc::new(Schema::new(kept));
        let group_rows = table.group_rows;
        if group_rows == Some(0) {
            return Err(Error::pipeline("[sink] group_rows is 0").help("leave it out, or give at least 1"));
        }
        if table.format == Some(Format::None) {
            return Ok(Self { target: Target::Nowhere, style: Style::None, columns, schema, group_rows });
        }
        let Some(path) = table.path.clone() else {
            return Err(Error::pipeline("there is no output").help(
                "name it: path = \"...\" under [sink], or --output PATH; or, to write nothing, format = \"none\" under [sink]",
            ));
        };
        let object =
            is_address(&path).then(|| Stores::new(&table.storage_options, std::slice::from_ref(&path))?.place(&path));
        let object = object.transpose()?;
        let format = format_of(&path, table.format, "[sink]")?;
        let style = style(table, &path, format)?;
        let nested = schema.fields().iter().find(|field| field.data_type().is_nested());
        if let (Style::Csv { .. }, Some(field)) = (style, nested) {
            let message =
                format!("column '{}' is {}, which CSV has no form for", field.name(), types::name(field.data_type()));
            return Err(Error::pipeline(message).help("write Parquet: path = \"....parquet\" under [sink]"));
        }
        if let Some(object) = object {
            let target = Self::check_object(table, object, inputs)?;
            return Ok(Self { target, style, columns, schema, group_rows });
        }
        if let Some(target) = Self::check_folder(table, &path, &schema)? {
            return Ok(Self { target, style, columns, schema, group_rows });
        }
        if is_standard(&path) {
            return Ok(Self { target: Target::StandardOutput, style, columns, schema, group_rows });
        }
        let place = free_place(&path, inputs)?;
        Ok(Self { target: Target::File(place), style, columns, schema, group_rows })
    }

    /// One object, which is none of the inputs.
    fn check_object(table: &SinkTable, object: Place, inputs: &Files) -> Result<Target> {
        if table.partition_by.is_some() || table.max_file_rows.is_some() {
            return Err(Error::new(ErrorKind::Sink, "many files can't be written to an object store")
                .in_file(object.shown())
                .help("write one object, or a folder of this machine"));
        }
        if inputs.list.iter().chain(&inputs.left_out).any(|input| *input.path == *object.shown()) {
            return Err(is_input(object.shown()));
        }
        Ok(Target::Object(object))
    }

    /// The folder that is asked for, if one is.
    fn check_folder(table: &SinkTable, path: &Path, schema: &Schema) -> Result<Option<Target>> {
        let names = table.partition_by.as_ref().map(Names::to_vec).unwrap_or_default();
        if names.is_empty() && table.max_file_rows.is_none() {
            return Ok(None);
        }
        if table.max_file_rows == Some(0) {
            return Err(Error::pipeline("[sink] max_file_rows is 0").help("leave it out, or give at least 1"));
        }
        if is_standard(path) {
            return Err(Error::pipeline("many files can't go to standard output").help("name a folder: path = \"...\""));
        }
        let known: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let find = |name: &String| {
            schema.index_of(name).map_err(|_| {
                Error::pipeline(format!("[sink] partition_by names '{name}', which is not written"))
                    .help(format!("there are {}", quoted(&known)))
            })
        };
        let partition_by = names.iter().map(find).collect::<Result<Vec<usize>>>()?;
        if let Some(column) = partition_by.iter().find(|column| schema.field(**column).data_type().is_nested()) {
            return Err(Error::pipeline(format!("[sink] partition_by: column '{}' is nested", known[*column]))
                .help("partition by a column of plain values"));
        }
        if !partition_by.is_empty() && partition_by.len() == known.len() {
            return Err(Error::pipeline("[sink] partition_by names all columns").help("leave one for the files"));
        }
        check_folder_of(path)?;
        Ok(Some(Target::Folder(path.to_path_buf(), Folder { partition_by, max_rows: table.max_file_rows })))
    }

    /// Complains about a folder for many files that holds something.
    pub fn check_empty(&self) -> Result<()> {
        let Target::Folder(path, _) = &self.target else { return Ok(()) };
        let empty = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !path.exists(),
        };
        if empty { Ok(()) } else { Err(folder::is_there(path)) }
    }

    /// How the output is called in messages and summaries.
    pub fn name(&self) -> PathBuf {
        match &self.target {
            Target::File(path) | Target::Folder(path, _) => path.clone(),
            Target::Object(object) => object.shown().to_path_buf(),
            Target::StandardOutput => "standard output".into(),
            Target::Nowhere => "nowhere".into(),
        }
    }
}

/// The place that a file may be put in: its folder is there, and it is none of the inputs.  A link is followed, so that the file
/// it names is replaced and not the link.
pub(crate) fn free_place(path: &Path, inputs: &Files) -> Result<PathBuf> {
    let fault = |message: &str| Error::new(ErrorKind::Sink, message).in_file(path);
    check_folder_of(path)?;
    let place = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if place.exists() && !place.is_file() {
        return Err(fault("the output is there already and is no regular file"));
    }
    if inputs
        .list
        .iter()
        .chain(&inputs.left_out)
        .any(|input| input.remote().is_none() && input.path.canonicalize().is_ok_and(|input| input == place))
    {
        return Err(is_input(path));
    }
    Ok(place)
}

fn is_input(path: &Path) -> Error {
    Error::new(ErrorKind::Sink, "the output is the input").in_file(path).help("write another file")
}

fn check_folder_of(path: &Path) -> Result<()> {
    if is_address(path) {
        return Err(Error::new(ErrorKind::Sink, "this must be a file of this machine")
            .in_file(Path::new(&host(&path.to_string_lossy())))
            .help("of what a run writes, the output alone may be an object"));
    }
    if folder(path).is_dir() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Sink, "the output's folder does not exist")
        .in_file(path)
        .help(format!("create it; {}", relative(path))))
}

impl Style {
    /// How the names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv { delimiter: b'\t' } => "tsv",
            Self::Csv { .. } => "csv",
            Self::Parquet { .. } => "parquet",
            Self::Ipc { .. } => "arrow",
            Self::None => "",
        }
    }
}

fn style(table: &SinkTable, path: &Path, format: Format) -> Result<Style> {
    let misplaced = |key: &str, only: &str| {
        Err(Error::pipeline(format!("[sink] {key} is for {only}, but the output is {}", shown(format)))
            .help(format!("remove {key}")))
    };
    match format {
        Format::Csv if table.compression.is_some() => misplaced("compression", "Parquet and Arrow IPC"),
        Format::Csv => Ok(Style::Csv { delimiter: delimiter(table.delimiter.as_deref(), Some(path), "[sink]")? }),
        _ if table.delimiter.is_some() => misplaced("delimiter", "CSV"),
        Format::Parquet => Ok(Style::Parquet { compression: table.compression.unwrap_or_default() }),
        Format::Ipc => match table.compression.unwrap_or(Compression::None) {
            Compression::Snappy => Err(Error::pipeline("[sink] compression \"snappy\" is not known to Arrow IPC")
                .help("say \"zstd\", or leave it out")),
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
            Error::pipeline(format!("[sink] columns names '{name}', which neither the input nor a stage has"))
                .help(format!("there are {}", quoted(&known)))
        })
    };
    let found = names.iter().map(find).collect::<Result<Vec<usize>>>()?;
    if let Some(twice) = (1..found.len()).find(|index| found[..*index].contains(&found[*index])) {
        return Err(Error::pipeline(format!("[sink] columns names '{}' twice", names[twice])).help("remove one"));
    }
    Ok(found)
}

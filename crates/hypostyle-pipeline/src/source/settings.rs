//! `[source]` as the pipeline file has it, judged and turned into what the readers take.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::DataType;

use super::files::Files;
use super::{Column, format_by_name, format_of, quoted};
use crate::config::{Format, Ragged, SourceTable};
use crate::csv::dialect::{Dialect, Nulls};
use crate::csv::moment::Written;
use crate::csv::open::{self, Opened};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::policy::{OnBad, Policy};
use crate::types;

/// How CSV files are read.
pub(crate) struct Csv {
    pub dialect: Dialect,
    /// Whether rows that were filled up or cut off are bad ones all the same.
    pub fitted_are_bad: bool,
    pub names: Vec<String>,
    pub read: Arc<AtomicU64>,
}

/// The files, and their format.
pub(crate) fn files(table: &SourceTable) -> Result<(Files, Format)> {
    let Some(path) = &table.path else {
        return Err(
            Error::pipeline("there is no input").help("name it: path = \"...\" under [source], or --input PATH")
        );
    };
    let paths: Vec<PathBuf> = path.to_vec().iter().map(PathBuf::from).collect();
    if paths.is_empty() {
        return Err(Error::pipeline("[source] path is an empty list").help("name at least one file"));
    }
    let is_data = |path: &Path| match table.format {
        Some(format) => format_by_name(path).is_none_or(|found| found == format),
        None => format_by_name(path).is_some(),
    };
    let files = Files::find(&paths, &table.storage_options, is_data)?;
    let format = format_of(&files.list[0].path, table.format, "[source]")?;
    if format == Format::None {
        return Err(Error::pipeline("[source] format is \"none\", which is for sinks")
            .help("say \"csv\", \"parquet\" or \"ipc\""));
    }
    let odd = |path: &Path| table.format.is_none() && format_by_name(path).is_some_and(|found| found != format);
    if let Some(other) = files.list.iter().find(|file| odd(&file.path)) {
        let message = format!("its name says another format than that of the first file, {}", format.name());
        return Err(Error::new(ErrorKind::Source, message)
            .in_file(&other.path)
            .help(format!("read files of one format; or, if they are, say it: format = \"{}\"", format.name())));
    }
    Ok((files, format))
}

pub(crate) fn policy(table: &SourceTable) -> Result<Policy> {
    let on_bad = table.on_bad_row.unwrap_or_default();
    match (on_bad, &table.rejects) {
        (OnBad::Reject, None) => {
            return Err(Error::pipeline("[source] on_bad_row is \"reject\", but there is no file for the rejects")
                .help("name it: rejects = \"rejects.csv\" under [source]"));
        }
        (OnBad::Reject, Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            return Err(Error::pipeline("[source] names a file for rejects, but on_bad_row isn't \"reject\"")
                .help("add on_bad_row = \"reject\", or remove rejects"));
        }
    }
    if on_bad == OnBad::Fail && table.max_bad_rows.is_some() {
        return Err(Error::pipeline("[source] max_bad_rows is given, but the first bad row fails the run")
            .help("add on_bad_row = \"reject\", \"skip\" or \"null\", or remove max_bad_rows"));
    }
    Ok(Policy { on_bad, limit: table.max_bad_rows, rejects: table.rejects.clone() })
}

/// The byte of `delimiter = "..."`; a tab for `.tsv` files that don't say.
pub(crate) fn delimiter(stated: Option<&str>, path: Option<&Path>, table: &str) -> Result<u8> {
    let tabs = || path.is_some_and(|path| path.to_string_lossy().trim_end_matches(".gz").ends_with(".tsv"));
    match byte(stated, "delimiter", table)? {
        Some(b'"') => Err(not_one_byte("\"", "delimiter", table)),
        Some(byte) => Ok(byte),
        None if tabs() => Ok(b'\t'),
        None => Ok(b','),
    }
}

/// A key that is one ASCII character and no line end.
fn byte(stated: Option<&str>, key: &str, table: &str) -> Result<Option<u8>> {
    match stated.map(str::as_bytes) {
        None => Ok(None),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(Some(*byte)),
        Some(_) => Err(not_one_byte(stated.unwrap_or_default(), key, table)),
    }
}

fn not_one_byte(stated: &str, key: &str, table: &str) -> Error {
    let example = if key == "delimiter" { "\";\" or \"\\t\"" } else { "\"'\"" };
    Error::pipeline(format!("{table} {key} {stated:?} is not one ASCII character"))
        .help(format!("give one character that is no quote or line end, such as {example}"))
}

pub(crate) fn csv(table: &SourceTable, files: &Files) -> Result<Csv> {
    let quote = match table.quote.as_deref() {
        Some("") => None,
        stated => Some(byte(stated, "quote", "[source]")?.unwrap_or(b'"')),
    };
    let on_demand = table.ragged == Some(Ragged::Fit);
    let dialect = Dialect {
        delimiter: delimiter(table.delimiter.as_deref(), Some(&files.list[0].path), "[source]")?,
        quote,
        escape: byte(table.escape.as_deref(), "escape", "[source]")?,
        comment: byte(table.comment.as_deref(), "comment", "[source]")?,
        line_end: b'\n',
        header: table.header.unwrap_or(true),
        nulls: Nulls(table.null_values.clone().unwrap_or_default()),
        decimal_comma: table.decimal_comma.unwrap_or_default(),
        encoding: table.encoding.unwrap_or_default(),
        fit: on_demand || table.on_bad_row == Some(OnBad::Null),
    };
    let special = [Some(dialect.delimiter), dialect.quote, dialect.escape, dialect.comment];
    for (index, byte) in special.iter().enumerate() {
        if byte.is_some() && special[..index].contains(byte) {
            let shown = char::from(byte.unwrap_or_default());
            return Err(Error::pipeline(format!("[source] gives {shown:?} two meanings"))
                .help("delimiter, quote, escape and comment must be different characters"));
        }
    }
    if dialect.quote.is_none() && dialect.escape.is_some() {
        return Err(Error::pipeline("[source] has an escape, but no quotes in which it would count")
            .help("remove escape, or quote = \"\""));
    }
    if dialect.decimal_comma && dialect.delimiter == b',' {
        return Err(Error::pipeline("[source] takes the comma for a delimiter and for a decimal point")
            .help("say what separates the fields: delimiter = \";\""));
    }
    Ok(Csv { dialect, fitted_are_bad: !on_demand, names: Vec::new(), read: Arc::default() })
}

impl Csv {
    /// Opens the first file and types the columns.  Files without rows or header are passed over as long as another follows.
    pub fn open(
        mut self,
        files: &Files,
        bear: bool,
        declared: impl FnOnce(&[String]) -> Result<Vec<Option<DataType>>>,
    ) -> Result<(Self, Opened, Vec<Column>)> {
        for (index, file) in files.list.iter().enumerate() {
            let Some(mut opened) = open::open(file, index, &self.dialect, &self.read)? else { continue };
            self.names.clone_from(&opened.names);
            let declared = declared(&opened.names)?;
            let bear = bear || self.dialect.fit;
            let columns = opened.columns(&file.path, declared, bear)?;
            return Ok((self, opened, columns));
        }
        let message = "the input is empty: it has not even a header";
        Err(Error::new(ErrorKind::Source, message).in_file(&files.list[0].path))
    }
}

/// The declared type of each column of the file, where there is one; every declaration must meet a column.
pub(crate) fn declared(pipeline: &Pipeline, names: &[String], files: &Files) -> Result<Vec<Option<DataType>>> {
    let mut found = vec![None; names.len()];
    for (name, type_name) in &pipeline.config.source.schema {
        let line = pipeline.line(type_name.span().start);
        let data_type = types::parse(type_name.get_ref())
            .map_err(|message| Error::pipeline(format!("[source.schema] column '{name}': {message}")).at_line(line))?;
        match names.iter().position(|known| known == name) {
            Some(index) => found[index] = Some(data_type),
            None if files.partitions.iter().any(|(folder, _)| folder == name) => {}
            None => return Err(no_column("[source.schema]", name, names).at_line(line)),
        }
    }
    Ok(found)
}

pub(crate) fn no_column(table: &str, name: &str, names: &[String]) -> Error {
    Error::pipeline(format!("{table} names column '{name}', which the input doesn't have"))
        .help(format!("its columns are {}", quoted(names)))
}

/// Takes the patterns of dates and times into the columns.
pub(crate) fn patterns(pipeline: &Pipeline, columns: &mut [Column]) -> Result<()> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    for (name, pattern) in &pipeline.config.source.patterns {
        let line = pipeline.line(pattern.span().start);
        let pattern = pattern.get_ref();
        let Some(column) = columns.iter_mut().find(|column| column.name == *name) else {
            return Err(no_column("[source.patterns]", name, &names).at_line(line));
        };
        if !matches!(column.data_type, DataType::Date32 | DataType::Timestamp(..)) {
            return Err(Error::pipeline(format!(
                "[source.patterns] column '{name}' is {}, which has no pattern",
                types::name(&column.data_type)
            ))
            .at_line(line)
            .help(format!("declare it: {name} = \"date\" or \"timestamp[us]\" under [source.schema]")));
        }
        let Some(written) = Written::parse(pattern) else {
            return Err(Error::pipeline(format!("[source.patterns] column '{name}': {pattern:?} is no pattern"))
                .at_line(line)
                .help("write it as strftime does, \"%d/%m/%Y %H:%M:%S\", or as epoch[s], epoch[ms], epoch[us] or epoch[ns]"));
        };
        (column.pattern, column.written) = (Some(pattern.clone()), written);
    }
    Ok(())
}

/// Other formats say themselves what CSV must be told.
pub(crate) fn only_csv(table: &SourceTable, format: &str) -> Result<()> {
    let given = [
        ("delimiter", table.delimiter.is_some()),
        ("quote", table.quote.is_some()),
        ("escape", table.escape.is_some()),
        ("comment", table.comment.is_some()),
        ("header", table.header.is_some()),
        ("null_values", table.null_values.is_some()),
        ("decimal_comma", table.decimal_comma.is_some()),
        ("encoding", table.encoding.is_some()),
        ("ragged", table.ragged.is_some()),
        ("schema", !table.schema.is_empty()),
        ("patterns", !table.patterns.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(Error::pipeline(format!(
            "[source] {key} is for CSV, but the input is {format}, which knows its own types"
        ))
        .help(format!("remove {key} from the pipeline file"))),
        None => Ok(()),
    }
}

//! The settings of `[source]`, checked and turned into what the readers need.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::datatypes::DataType;
use chrono::DateTime;

use crate::config::{Format, PipelineFile, Ragged, SourceTable};
use crate::csv::dialect::Dialect;
use crate::csv::header::{self, Opened};
use crate::error::{Error, ErrorKind, Result};
use crate::files::format::{byte, delimiter, format_by_name, format_of};
use crate::files::list::Files;
use crate::model::bad_row::{BadRowPolicy, OnBadRow};
use crate::model::column::{Column, not_found};
use crate::model::time_format::TimeFormat;
use crate::model::types;
use crate::model::values::NullValues;
use crate::parquet::Moments;

/// What stands for the time of the run in the path of the rejects.
const RUN: &str = "{run}";

/// How CSV files are read.
pub(super) struct Csv {
    pub dialect: Dialect,
    /// Whether rows that were filled up or cut off still count as bad.
    pub fitted_are_bad: bool,
    pub names: Vec<String>,
    pub read: Arc<AtomicU64>,
}

/// The files, and their format.
pub(super) fn files(table: &SourceTable) -> Result<(Files, Format)> {
    let Some(path) = &table.path else {
        return Err(Error::pipeline("no input").help("set path in [source], or pass --input PATH"));
    };
    let paths: Vec<PathBuf> = path.to_vec().iter().map(PathBuf::from).collect();
    if paths.is_empty() {
        return Err(Error::pipeline("[source] path: the list is empty").help("name at least one file"));
    }
    let is_data = |path: &Path| match table.format {
        Some(format) => format_by_name(path).is_none_or(|found| found == format),
        None => format_by_name(path).is_some(),
    };
    let files = Files::find(&paths, &table.storage_options, is_data)?;
    let format = format_of(&files.list[0].path, table.format, "[source]")?;
    if format == Format::None {
        return Err(
            Error::pipeline("[source] format: \"none\" is for [sink] only").help("use \"csv\", \"parquet\" or \"ipc\"")
        );
    }
    let odd = |path: &Path| table.format.is_none() && format_by_name(path).is_some_and(|found| found != format);
    if let Some(other) = files.list.iter().find(|file| odd(&file.path)) {
        let found = format_by_name(&other.path).map_or("unknown", Format::name);
        let message = format!("format is {found}, but the first file is {}", format.name());
        return Err(Error::new(ErrorKind::Source, message).in_file(&other.path).help(format!(
            "read one format at a time, or set format = \"{}\" in [source] if the extension is wrong",
            format.name()
        )));
    }
    Ok((files, format))
}

pub(super) fn policy(table: &SourceTable) -> Result<BadRowPolicy> {
    let on_bad = table.on_bad_row.unwrap_or_default();
    match (on_bad, &table.rejects) {
        (OnBadRow::Reject, None) => {
            return Err(Error::pipeline("[source] rejects: required by on_bad_row = \"reject\"")
                .help("set rejects = \"rejects.csv\" in [source]"));
        }
        (OnBadRow::Reject, Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            return Err(Error::pipeline("[source] rejects: requires on_bad_row = \"reject\"")
                .help("set on_bad_row = \"reject\" in [source], or remove rejects"));
        }
    }
    if on_bad == OnBadRow::Fail && table.max_bad_rows.is_some() {
        return Err(Error::pipeline("[source] max_bad_rows: requires an on_bad_row other than \"fail\"")
            .help("set on_bad_row = \"reject\", \"skip\" or \"null\" in [source], or remove max_bad_rows"));
    }
    Ok(BadRowPolicy { on_bad, limit: table.max_bad_rows, rejects: table.rejects.as_deref().map(of_this_run) })
}

/// The path with the time of the run in the place of `{run}`.
fn of_this_run(path: &Path) -> PathBuf {
    let Some(text) = path.to_str().filter(|text| text.contains(RUN)) else { return path.to_path_buf() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    text.replace(RUN, &now.format("%Y%m%dT%H%M%S%3fZ").to_string()).into()
}

pub(super) fn csv(table: &SourceTable, files: &Files) -> Result<Csv> {
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
        nulls: NullValues(table.null_values.clone().unwrap_or_default()),
        decimal_comma: table.decimal_comma.unwrap_or_default(),
        encoding: table.encoding.unwrap_or_default(),
        fit: on_demand || table.on_bad_row == Some(OnBadRow::Null),
    };
    const NAMES: [&str; 4] = ["delimiter", "quote", "escape", "comment"];
    let special = [Some(dialect.delimiter), dialect.quote, dialect.escape, dialect.comment];
    for (index, byte) in special.iter().enumerate() {
        if byte.is_some() && special[..index].contains(byte) {
            let shown = char::from(byte.unwrap_or_default()).to_string();
            let first = special.iter().position(|other| other == byte).unwrap_or(index);
            return Err(Error::pipeline(format!("[source]: {} and {} are both {shown:?}", NAMES[first], NAMES[index]))
                .help("use a different character for each"));
        }
    }
    if dialect.quote.is_none() && dialect.escape.is_some() {
        return Err(
            Error::pipeline("[source] escape: has no effect with quote = \"\"").help("remove escape, or set quote")
        );
    }
    if dialect.decimal_comma && dialect.delimiter == b',' {
        return Err(Error::pipeline("[source]: decimal_comma = true conflicts with delimiter = \",\"")
            .help("set delimiter = \";\" in [source]"));
    }
    Ok(Csv { dialect, fitted_are_bad: !on_demand, names: Vec::new(), read: Arc::default() })
}

impl Csv {
    /// Opens the first file and types the columns.  Empty files are skipped if another follows.
    pub fn open(
        mut self,
        files: &Files,
        allow_ragged: bool,
        declared: impl FnOnce(&[String]) -> Result<Vec<Option<DataType>>>,
    ) -> Result<(Self, Opened, Vec<Column>)> {
        for (index, file) in files.list.iter().enumerate() {
            let Some(mut opened) = header::open(file, index, &self.dialect, &self.read)? else { continue };
            self.names.clone_from(&opened.names);
            let declared = declared(&opened.names)?;
            let allow_ragged = allow_ragged || self.dialect.fit;
            let columns = opened.columns(&file.path, declared, allow_ragged)?;
            return Ok((self, opened, columns));
        }
        let message = "the input is empty: it has no header";
        Err(Error::new(ErrorKind::Source, message).in_file(&files.list[0].path))
    }
}

/// The declared type of each column of the file, where there is one; every declaration must meet a column.
pub(super) fn declared(file: &PipelineFile, names: &[String], files: &Files) -> Result<Vec<Option<DataType>>> {
    let mut found = vec![None; names.len()];
    for (name, type_name) in &file.config.source.schema {
        let line = file.line(type_name.span().start);
        let data_type = types::parse(type_name.get_ref())
            .map_err(|message| Error::pipeline(format!("[source.schema] {name}: {message}")).at_line(line))?;
        match names.iter().position(|known| known == name) {
            Some(index) => found[index] = Some(data_type),
            None if files.partitions.iter().any(|(folder, _)| folder == name) => {}
            None => return Err(not_found("[source.schema]", name, names).at_line(line)),
        }
    }
    Ok(found)
}

/// Sets the formats of dates and times.
pub(super) fn time_formats(file: &PipelineFile, columns: &mut [Column]) -> Result<()> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    for (name, format) in &file.config.source.datetime_formats {
        let line = file.line(format.span().start);
        let format = format.get_ref();
        let Some(column) = columns.iter_mut().find(|column| column.name == *name) else {
            return Err(not_found("[source.datetime_formats]", name, &names).at_line(line));
        };
        if !matches!(column.data_type, DataType::Date32 | DataType::Timestamp(..)) {
            let data_type = types::name(&column.data_type);
            let message =
                format!("[source.datetime_formats] {name}: got type {data_type}, expected a date or timestamp");
            return Err(Error::pipeline(message)
                .at_line(line)
                .help(format!("set {name} = \"date\" or \"timestamp[us]\" in [source.schema]")));
        }
        let Some(time_format) = TimeFormat::parse(format) else {
            let message = format!("[source.datetime_formats] {name}: {format:?} is not a valid format string");
            return Err(Error::pipeline(message).at_line(line).help(
                "use strftime fields, such as \"%d/%m/%Y %H:%M:%S\", or epoch[s], epoch[ms], epoch[us] or epoch[ns]",
            ));
        };
        (column.format_text, column.time_format) = (Some(format.clone()), time_format);
    }
    Ok(())
}

/// The units that the pipeline file declares for moments.
pub(super) fn moments(file: &PipelineFile) -> Moments {
    let mut units = Moments::new();
    for (name, type_name) in &file.config.source.schema {
        if let Ok(DataType::Timestamp(unit, None)) = types::parse(type_name.get_ref()) {
            units.insert(name.clone(), unit);
        }
    }
    units
}

/// Checks that types are declared for the directories' columns only, and units for these moments, where the format says the
/// types of the files' columns.
pub(super) fn declared_by_folders(file: &PipelineFile, files: &Files, format: &str, moments: &[String]) -> Result<()> {
    for (name, type_name) in &file.config.source.schema {
        let at_line = |error: Error| error.at_line(file.line(type_name.span().start));
        let data_type = types::parse(type_name.get_ref());
        let data_type =
            data_type.map_err(|message| at_line(Error::pipeline(format!("[source.schema] {name}: {message}"))))?;
        let in_folders = files.partitions.iter().any(|(folder, _)| folder == name);
        let is_unit = matches!(data_type, DataType::Timestamp(_, None)) && moments.contains(name);
        if !in_folders && !is_unit {
            let message =
                format!("[source.schema] {name}: types are for CSV and for directories, but the input is {format}");
            let help = match moments.contains(name) {
                true => format!("{name} is INT96: set timestamp[us], timestamp[ns] or another unit without a zone"),
                false => format!("remove {name}: {format} files have their own types"),
            };
            return Err(at_line(Error::pipeline(message).help(help)));
        }
    }
    Ok(())
}

/// Checks that no setting of CSV is used with another format.
pub(super) fn only_csv(table: &SourceTable, format: &str) -> Result<()> {
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
        ("datetime_formats", !table.datetime_formats.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(Error::pipeline(format!("[source] {key}: is for CSV, but the input is {format}"))
            .help(format!("remove {key} from [source]"))),
        None => Ok(()),
    }
}

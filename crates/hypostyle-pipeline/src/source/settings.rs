//! The settings of `[source]`, checked and turned into what the readers need; those of CSV are in [`super::csv_files`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::datatypes::DataType;
use chrono::DateTime;

use crate::config::{DialectName, Format, JoinedTime, PipelineFile, SourceTable, TimeFormats};
use crate::error::{Error, ErrorKind, Result};
use crate::files::PathColumns;
use crate::files::format::{format_by_name, format_of};
use crate::files::list::Files;
use crate::model::bad_row::{BadRowPolicy, OnBadRow};
use crate::model::column::{Column, Origin, not_found};
use crate::model::matching::{ExtraColumns, Matching, MissingColumns};
use crate::model::time_format::TimeFormat;
use crate::model::types;
use crate::parquet::Known;

/// What stands for the time of the run in the path of the rejects.
const RUN: &str = "{run}";

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
    let mut files = Files::find(&paths, &table.storage_options, table.version, is_data)?;
    if files.table.is_some() {
        only_files(table)?;
        return Ok((files, Format::Parquet));
    }
    if let Some(pattern) = &table.path_columns {
        PathColumns::of(pattern)?.add(&mut files)?;
    }
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

/// How the columns of several files are made those of one table.
pub(super) fn matching(table: &SourceTable) -> Result<Matching> {
    // One such file may have several tables.
    let is_annotated = table.dialect == Some(DialectName::Influx);
    let missing = if is_annotated { MissingColumns::Null } else { MissingColumns::Error };
    let missing = table.missing_columns.unwrap_or(missing);
    let extra = table.extra_columns.unwrap_or(match table.columns {
        _ if is_annotated => ExtraColumns::Add,
        Some(_) => ExtraColumns::Ignore,
        None => ExtraColumns::Error,
    });
    if extra == ExtraColumns::Add && missing == MissingColumns::Error {
        return Err(Error::pipeline("[source] extra_columns = \"add\": requires missing_columns = \"null\"")
            .help("set missing_columns = \"null\" in [source]: the first file lacks the columns that are added"));
    }
    Ok(Matching { missing, extra, widen: table.widen_types.unwrap_or_default() })
}

/// The path with the time of the run in the place of `{run}`.
fn of_this_run(path: &Path) -> PathBuf {
    let Some(text) = path.to_str().filter(|text| text.contains(RUN)) else { return path.to_path_buf() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    text.replace(RUN, &now.format("%Y%m%dT%H%M%S%3fZ").to_string()).into()
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
            None if joined(file, name).is_some() => {}
            None => return Err(not_found("[source.schema]", name, names).at_line(line)),
        }
    }
    Ok(found)
}

/// What joins two columns under this name, if anything does.
fn joined<'a>(file: &'a PipelineFile, name: &str) -> Option<&'a JoinedTime> {
    match file.config.source.datetime_formats.get(name)?.get_ref() {
        TimeFormats::Joined(joined) => Some(joined),
        TimeFormats::Names(_) => None,
    }
}

/// Adds a column that joins two others.
fn join(file: &PipelineFile, name: &str, joined: &JoinedTime, columns: &mut Vec<Column>) -> Result<()> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let place = |name: &String| {
        let found = names.iter().position(|known| known == name).filter(|place| columns[*place].joined().is_none());
        found.ok_or_else(|| not_found("[source.datetime_formats] from", name, &names))
    };
    let places = [place(&joined.from[0])?, place(&joined.from[1])?];
    if names.iter().any(|known| known == name) {
        return Err(Error::pipeline(format!("[source.datetime_formats] {name}: the file has a column of this name"))
            .help("use another name for the joined column"));
    }
    let data_type = match file.config.source.schema.get(name) {
        Some(type_name) => types::parse(type_name.get_ref())
            .map_err(|message| Error::pipeline(format!("[source.schema] {name}: {message}")))?,
        // Settled when its format is known.
        None => DataType::Utf8,
    };
    columns.push(Column::new(name, data_type, Origin::Joined(places)));
    Ok(())
}

/// Sets the formats of dates and times.
pub(super) fn time_formats(file: &PipelineFile, columns: &mut Vec<Column>) -> Result<()> {
    for (name, format) in &file.config.source.datetime_formats {
        if let TimeFormats::Joined(joined) = format.get_ref() {
            join(file, name, joined, columns).map_err(|error| error.at_line(file.line(format.span().start)))?;
        }
    }
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    for (name, format) in &file.config.source.datetime_formats {
        let line = file.line(format.span().start);
        let formats = match format.get_ref() {
            TimeFormats::Names(names) | TimeFormats::Joined(JoinedTime { format: Some(names), .. }) => names.to_vec(),
            TimeFormats::Joined(_) => Vec::new(),
        };
        let Some(column) = columns.iter_mut().find(|column| column.name == *name) else {
            return Err(not_found("[source.datetime_formats]", name, &names).at_line(line));
        };
        let is_joined = column.joined().is_some();
        let parsed =
            if is_joined && formats.is_empty() { Ok(TimeFormat::Iso) } else { TimeFormat::parse_all(&formats) };
        let time_format = parsed.map_err(|what| {
            Error::pipeline(format!("[source.datetime_formats] {name}: {what}")).at_line(line).help(
                "use strftime fields, such as \"%d/%m/%Y %H:%M:%S\", or epoch[s], epoch[ms], epoch[us] or epoch[ns]",
            )
        })?;
        let is_open = match column.origin {
            Origin::Inferred { .. } => true,
            Origin::Joined(_) => column.data_type == DataType::Utf8,
            _ => false,
        };
        if is_open {
            // A column of a format is what the format reads.
            column.data_type = time_format.data_type();
            column.origin = if is_joined { column.origin } else { Origin::Declared };
        }
        if !matches!(column.data_type, DataType::Date32 | DataType::Timestamp(..)) {
            let data_type = types::name(&column.data_type);
            let message =
                format!("[source.datetime_formats] {name}: got type {data_type}, expected a date or timestamp");
            return Err(Error::pipeline(message)
                .at_line(line)
                .help(format!("set {name} = \"date\" or \"timestamp[us]\" in [source.schema]")));
        }
        column.remark = None;
        column.format_text = (!formats.is_empty()).then(|| formats.join(" or "));
        column.time_format = time_format;
    }
    Ok(())
}

/// What is known of the columns of Parquet files: the units that the pipeline file declares for moments, and their table.
pub(super) fn known(file: &PipelineFile, files: &Files) -> Known {
    let mut units = BTreeMap::new();
    for (name, type_name) in &file.config.source.schema {
        if let Ok(DataType::Timestamp(unit, None)) = types::parse(type_name.get_ref()) {
            units.insert(name.clone(), unit);
        }
    }
    Known { units, table: files.table.clone() }
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

/// Checks that no setting is used that a table's log decides.
fn only_files(table: &SourceTable) -> Result<()> {
    let given = [
        ("format", table.format.is_some_and(|format| format != Format::Parquet)),
        ("path_columns", table.path_columns.is_some()),
        ("missing_columns", table.missing_columns.is_some()),
        ("extra_columns", table.extra_columns.is_some()),
        ("widen_types", table.widen_types.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((key, _)) => {
            let message = format!("[source] {key}: is for files, but the input is a table of Delta, whose log says it");
            Err(Error::pipeline(message).help(format!("remove {key} from [source]")))
        }
        None => Ok(()),
    }
}

/// Checks that no setting of CSV is used with another format.
pub(super) fn only_csv(table: &SourceTable, format: &str) -> Result<()> {
    let given = [
        ("delimiter", table.delimiter.is_some()),
        ("quote", table.quote.is_some()),
        ("escape", table.escape.is_some()),
        ("comment", table.comment.is_some()),
        ("header", table.header.is_some()),
        ("header_prefix", table.header_prefix.is_some()),
        ("dialect", table.dialect.is_some()),
        ("skip_rows", table.skip_rows.is_some()),
        ("skip_rows_after_header", table.skip_rows_after_header.is_some()),
        ("null_values", table.null_values.is_some()),
        ("quoted_nulls", table.quoted_nulls.is_some()),
        ("empty", table.empty.is_some()),
        ("trim", table.trim.is_some()),
        ("text_formulas", table.text_formulas.is_some()),
        ("boolean", table.boolean.is_some()),
        ("thousands", table.thousands.is_some()),
        ("symbols", table.symbols.is_some()),
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

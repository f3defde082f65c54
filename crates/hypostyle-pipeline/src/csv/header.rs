//! The beginning of a CSV file: its header, its line ends, and a sample to infer types from.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::DataType;

use super::annotated::{Block, is_annotated};
use super::dialect::Dialect;
use super::field_index::{FieldIndex, OddKind, made_name};
use super::sniff::{HEAD_BYTES, proposal};
use super::split::{last_record, line_end};
use crate::error::{Error, ErrorKind, Result};
use crate::files::bytes::{Buffer, Bytes};
use crate::files::input::InputFile;
use crate::model::bad_row::{BadRow, NOT_UTF8, RowPosition};
use crate::model::chunk::InputPosition;
use crate::model::column::{Column, Origin};
use crate::model::fault::Reason;
use crate::model::infer::TypeGuess;
use crate::model::types;

/// The number of rows that types are inferred from.
const SAMPLE_ROWS: usize = 10_000;
/// At most this number of bytes.
const SAMPLE_BYTES: usize = 16 << 20;
/// The number of bytes read at first.
const FIRST_BYTES: usize = 1 << 20;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The help for a quote that is never closed.
pub(crate) const UNCLOSED_QUOTE: &str = "close the quote; inside a quoted field write a quote as \"\", or set escape = \"\\\\\" in \
                                         [source] if a backslash escapes it";

/// A file that was opened, with what has been read of it already.
pub(crate) struct Opened {
    pub input: Bytes,
    /// With the line end that the file has.
    pub dialect: Arc<Dialect>,
    /// What was read and not yet taken; it begins with the first record below the header.
    pub buffer: Buffer,
    pub ended: bool,
    /// Where the buffer begins.
    pub mark: InputPosition,
    /// The beginning of the file.
    pub head: Vec<u8>,
    /// The names of the columns; `column_1` and so on where the file doesn't say.
    pub names: Vec<String>,
}

/// Opens a file, finds out how its lines end, and reads its header; `None` if it has no record.
pub(crate) fn open(input: &InputFile, file: usize, dialect: &Dialect, read: &Arc<AtomicU64>) -> Result<Option<Opened>> {
    let path = &input.path;
    let mut dialect = dialect.clone();
    let mut input = Bytes::open(input, 0, read)?;
    let mut buffer = Buffer::default();
    let mut size = FIRST_BYTES;
    let mut table = FieldIndex::default();
    let [above, below] = dialect.skip;
    let (header, last, ended, begin) = loop {
        let ended = input.fill(&mut buffer, size)?;
        check_text(&buffer, &dialect, path)?;
        let begin = if buffer.starts_with(BOM) { BOM.len() } else { 0 };
        let begin = begin + length_of_lines(&buffer[begin..], above);
        dialect.line_end = line_end(&buffer[begin..], &dialect);
        if ended {
            close_last_line(&mut buffer, &dialect);
            let text = &buffer[begin..];
            if text.trim_ascii().is_empty() || dialect.header_prefix.is_none() && has_no_record(text, &dialect) {
                return Ok(None);
            }
        }
        if let Some(prefix) = &dialect.header_prefix {
            let names = stated_names(&buffer[begin..], prefix, &dialect, path, 1 + above as u64)?;
            let mark = InputPosition { file, offset: begin as u64, line: 1 + above as u64, record: 1 };
            let head = buffer[..buffer.len().min(HEAD_BYTES)].to_vec();
            buffer.skip(begin);
            return Ok(Some(Opened { input, dialect: Arc::new(dialect), buffer, ended, mark, head, names }));
        }
        let end = last_record(&buffer[begin..], &dialect).end.unwrap_or(0);
        // With no columns to expect, every record is an odd one.
        table.scan(&buffer[begin..begin + end], &dialect, 0);
        match table.odd.first() {
            Some(header) if ended || below == 0 || table.odd.len() > below => {
                let last = table.odd.get(below).or(table.odd.last()).unwrap_or(header);
                break (*header, last.end as usize, ended, begin);
            }
            Some(_) if size >= SAMPLE_BYTES => {
                let message = format!("skip_rows_after_header = {below}: the rows are longer than 16 MiB");
                return Err(Error::pipeline(message).in_file(path).help("use a smaller number"));
            }
            Some(_) => size *= 2,
            None if ended || size >= SAMPLE_BYTES => {
                let what = if ended { "the file ends inside a quoted field" } else { "longer than 16 MiB" };
                let message = format!("the first record: unclosed quote: {what}");
                return Err(Error::new(ErrorKind::Malformed { line: 1, record: 0, column: None }, message)
                    .in_file(path)
                    .help(UNCLOSED_QUOTE));
            }
            None => size *= 2,
        }
    };
    let after = |end: usize| memchr::memchr(dialect.line_end, &buffer[begin + end..]).map_or(end, |at| end + at + 1);
    let row = &buffer[begin..begin + after(header.end as usize)];
    // What stands below it is longer, and a quoted field may hold line ends.
    let line_end = if below == 0 { row.len() } else { after(last) };
    table.scan(row, &dialect, header.fields);
    let first_line = 1 + above as u64;
    let line = first_line + lines(&row[..table.start(0)], &dialect);
    let mut fields = fields_of(row, &table, header.fields, &dialect);
    if dialect.short_header {
        fields.insert(0, Vec::new());
    }
    let mut mark = InputPosition { file, offset: begin as u64, line: first_line, record: 1 };
    let head = buffer[..buffer.len().min(HEAD_BYTES)].to_vec();
    let names = names(fields, &dialect, path, line).map_err(|error| match proposal(&head, &dialect, true) {
        Some(proposal) if proposal.contains("skip_rows = ") => error.help(format!("the file {proposal}")),
        _ => error,
    })?;
    if dialect.header {
        mark.offset += line_end as u64;
        mark.line += lines(&buffer[begin..begin + line_end], &dialect);
        buffer.skip(begin + line_end);
    } else {
        buffer.skip(begin);
    }
    Ok(Some(Opened { input, dialect: Arc::new(dialect), buffer, ended, mark, head, names }))
}

/// Whether there are blank lines and comments only.
fn has_no_record(text: &[u8], dialect: &Dialect) -> bool {
    let is_comment = |line: &[u8]| dialect.comment.is_some() && line.first() == dialect.comment.as_ref();
    text.split(|byte| *byte == dialect.line_end).all(|line| is_comment(line) || line.trim_ascii().is_empty())
}

/// The names behind the prefix, in the last of the comments above the rows that begins with it.
fn stated_names(text: &[u8], prefix: &str, dialect: &Dialect, path: &Path, first: u64) -> Result<Vec<String>> {
    let comments =
        text.split(|byte| *byte == dialect.line_end).take_while(|line| line.first() == dialect.comment.as_ref());
    let stated =
        comments.zip(first..).filter_map(|(line, number)| Some((line.strip_prefix(prefix.as_bytes())?, number)));
    let Some((stated, line)) = stated.filter(|(stated, _)| !stated.trim_ascii().is_empty()).last() else {
        let message = format!("no comment above the rows begins with {prefix:?}, behind which the column names stand");
        return Err(Error::new(ErrorKind::Source, message)
            .in_file(path)
            .help("set header_prefix in [source] to what it begins with, or header = false if there is none"));
    };
    let row = [stated.trim_ascii(), &[dialect.line_end]].concat();
    let mut table = FieldIndex::default();
    table.scan(&row, dialect, 0);
    let fields = table.odd.first().map_or(0, |header| header.fields);
    table.scan(&row, dialect, fields);
    let fields = fields_of(&row, &table, fields, dialect).into_iter().map(|name| name.trim_ascii().to_vec());
    names(fields.collect(), dialect, path, line)
}

/// The texts of the first row that was scanned.
fn fields_of(row: &[u8], table: &FieldIndex, fields: usize, dialect: &Dialect) -> Vec<Vec<u8>> {
    let field = |column: usize| {
        let (start, end) = table.field(0, column);
        dialect.decoded(dialect.trimmed(&row[start..end])).into_owned()
    };
    (0..fields).map(field).collect()
}

/// Opens annotated CSV at its first rows; `None` if there is no table in it.
pub(crate) fn open_annotated(
    input: &InputFile,
    file: usize,
    blocks: &[Block],
    dialect: &Dialect,
    read: &Arc<AtomicU64>,
) -> Result<Option<Opened>> {
    let Some(first) = blocks.first() else { return Ok(None) };
    let mark = InputPosition { file, offset: first.start, line: first.line, record: 1 };
    Ok(Some(Opened {
        input: Bytes::open(input, first.start, read)?,
        dialect: Arc::new(dialect.clone()),
        buffer: Buffer::default(),
        ended: false,
        mark,
        head: Vec::new(),
        names: first.names.clone(),
    }))
}

/// How many bytes the first lines are.
fn length_of_lines(bytes: &[u8], count: usize) -> usize {
    if count == 0 {
        return 0;
    }
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    memchr::memchr_iter(end, bytes).nth(count - 1).map_or(bytes.len(), |at| at + 1)
}

/// An error if the file is not text, with what it is.
fn check_text(bytes: &[u8], dialect: &Dialect, path: &Path) -> Result<()> {
    if is_annotated(bytes) && dialect.comment != Some(b'#') {
        return Err(Error::new(ErrorKind::Source, "the file is annotated CSV of InfluxDB")
            .in_file(path)
            .help("set dialect = \"influx\" in [source]"));
    }
    let (what, help) = match bytes {
        [0x1f, 0x8b, ..] => ("compressed by gzip", "rename it to end in .gz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("compressed by zstd", "rename it to end in .zst"),
        [b'P', b'K', 3, 4, ..] => ("a zip archive or an Excel file", "unpack it, or save it as CSV"),
        [b'P', b'A', b'R', b'1', 0..b'\t', ..] | [b'P', b'A', b'R', b'1', 14..32, ..] => {
            ("Parquet", "set format = \"parquet\" in [source]")
        }
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => ("Arrow IPC", "set format = \"ipc\" in [source]"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            ("UTF-16", "convert it to UTF-8, for instance by iconv -f UTF-16 -t UTF-8")
        }
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Source, format!("the file is not CSV in UTF-8 or Latin-1, but {what}"))
        .in_file(path)
        .help(help))
}

/// Reads until the buffer holds so much; whether the file has ended, its last line closed then.
pub(crate) fn fill(input: &mut Bytes, buffer: &mut Buffer, size: usize, dialect: &Dialect) -> Result<bool> {
    let ended = input.fill(buffer, size)?;
    if ended {
        close_last_line(buffer, dialect);
    }
    Ok(ended)
}

/// Sees to it that the last line has an end, like the others.
fn close_last_line(buffer: &mut Buffer, dialect: &Dialect) {
    if buffer.last().is_some_and(|last| *last != dialect.line_end) {
        buffer.push(dialect.line_end);
    }
}

/// How many lines end in these bytes.
pub(crate) fn lines(bytes: &[u8], dialect: &Dialect) -> u64 {
    memchr::memchr_iter(dialect.line_end, bytes).count() as u64
}

/// The names of the columns: the header's; `column_1`, `column_2` ... where the header is empty or there is none.
fn names(fields: Vec<Vec<u8>>, dialect: &Dialect, path: &Path, line: u64) -> Result<Vec<String>> {
    let header_error =
        |message: String| Error::new(ErrorKind::Malformed { line, record: 0, column: None }, message).in_file(path);
    let mut names = Vec::with_capacity(fields.len());
    for (index, field) in fields.into_iter().enumerate() {
        let name = if dialect.header { field } else { Vec::new() };
        names.push(match String::from_utf8(name) {
            Ok(name) if name.is_empty() => made_name(index),
            Ok(name) => name,
            Err(_) => {
                return Err(
                    header_error(format!("the header of column {} is not valid UTF-8", index + 1)).help(NOT_UTF8)
                );
            }
        });
    }
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        let error = header_error(format!("the header names column '{twice}' twice"));
        let is_value = !twice.bytes().any(|byte| byte.is_ascii_alphabetic());
        return Err(if dialect.header_prefix.is_some() {
            error.help(
                "rename one; or set header = false in [source], without header_prefix, which names the columns column_1, column_2 \
                 and so on",
            )
        } else if is_value {
            error.help("set header = false in [source] if the first row is data, or rename one")
        } else {
            let skip = dialect.skip[0] + 1;
            error.help(format!(
                "rename one; or set skip_rows = {skip}, header = false in [source], which names the columns column_1, column_2 \
                 and so on; or header = false alone if the first row is data"
            ))
        });
    }
    Ok(names)
}

impl Opened {
    /// Finds the fields of the first rows, and reads on until there are enough of them.
    fn sample(&mut self, table: &mut FieldIndex, columns: usize) -> Result<()> {
        let dialect = &*self.dialect;
        loop {
            let end = last_record(&self.buffer, dialect).end.unwrap_or(0);
            table.scan(&self.buffer[..end], dialect, columns);
            if table.rows() >= SAMPLE_ROWS || self.ended || self.buffer.len() >= SAMPLE_BYTES {
                return Ok(());
            }
            let size = self.buffer.len().max(FIRST_BYTES) * 2;
            self.ended = fill(&mut self.input, &mut self.buffer, size, dialect)?;
        }
    }

    /// What the first rows say about the types of the columns, and how many rows were looked at.  A row with too few or too many
    /// fields among them is an error, unless such rows are allowed.
    pub fn guesses(&mut self, path: &Arc<Path>, allow_ragged: bool) -> Result<(Vec<TypeGuess>, usize)> {
        let mut table = FieldIndex::default();
        self.sample(&mut table, self.names.len())?;
        let dialect = &*self.dialect;
        if dialect.header && self.names.len() > 1 {
            let repeats = |row: &usize| table.repeats(&self.names, *row, &self.buffer, dialect);
            let headers: Vec<usize> = (0..table.rows()).filter(repeats).collect();
            table.set_aside(&headers);
        }
        let rows = table.rows().min(SAMPLE_ROWS);
        let guess = |column: usize| {
            let mut guess = TypeGuess::default();
            for row in 0..rows {
                let (start, end) = table.field(row, column);
                let field = dialect.trimmed(&self.buffer[start..end]);
                if dialect.is_null_escape(field) {
                    continue;
                }
                let text = dialect.decoded(field);
                guess.named |= *text == *self.names[column].as_bytes();
                match dialect.is_quoted(field.trim_ascii()) {
                    true => guess.observe_quoted(&text, &dialect.style),
                    false => guess.observe(&text, &dialect.style),
                }
            }
            guess
        };
        let guesses = (0..self.names.len()).map(guess).collect();
        let ragged = table.odd.iter().find(|odd| odd.kind != OddKind::Header);
        if let Some(odd) = ragged.filter(|odd| !allow_ragged && odd.before < SAMPLE_ROWS) {
            let before = &self.buffer[..odd.start as usize];
            let position = RowPosition {
                file: Arc::clone(path),
                line: self.mark.line + lines(before, dialect),
                record: self.mark.record + odd.before as u64,
                offset: self.mark.offset + u64::from(odd.start),
            };
            let reason = Reason::Fields { found: odd.fields, expected: self.names.len() };
            let bad = BadRow { position, reason, column: None, text: Vec::new(), row: Vec::new() };
            let columns: Vec<Column> =
                self.names.iter().map(|name| Column::new(name, DataType::Utf8, Origin::Declared)).collect();
            return Err(bad.error(&columns, &[]));
        }
        Ok((guesses, rows))
    }
}

/// A column of the type that a sample of this number of rows suggests.
pub(crate) fn inferred(name: &str, guess: &TypeGuess, rows: usize) -> Column {
    let origin = Origin::Inferred { rows };
    let Some((data_type, text, time_format)) = guess.by_format() else {
        return Column { remark: guess.remark(name), ..Column::new(name, guess.data_type(), origin) };
    };
    let (remark, format_text) = (Some(format!("format {text:?}")), Some(text.to_string()));
    Column { remark, format_text, time_format, ..Column::new(name, data_type, origin) }
}

/// An error if the header has values of the types that the columns below it have: the file has none, then.
pub(crate) fn check_names(names: &[String], guesses: &[TypeGuess], dialect: &Dialect, path: &Path) -> Result<()> {
    let columns: Vec<Column> = names.iter().zip(guesses).map(|(name, guess)| inferred(name, guess, 0)).collect();
    let typed = || columns.iter().filter(|column| column.data_type != DataType::Utf8);
    let is_value = |column: &Column| {
        let mut guess = TypeGuess::default();
        guess.observe(column.name.as_bytes(), &dialect.style);
        let found = inferred(&column.name, &guess, 0).data_type;
        found == column.data_type || found.is_numeric() && column.data_type.is_numeric()
    };
    // The names of columns may be years, or other small numbers, if there is nothing else that speaks for data.
    let repeated = guesses.iter().any(|guess| guess.named) || typed().count() == columns.len();
    let is_sure = |column: &&Column| {
        let digits = column.name.bytes().filter(u8::is_ascii_digit).count();
        digits > 4 || repeated && column.name.contains('.') && digits > 1
    };
    let Some(sure) = typed().find(is_sure).filter(|_| typed().all(is_value)) else { return Ok(()) };
    let (name, data_type) = (&sure.name, types::name(&sure.data_type));
    let message = format!(
        "the first row looks like data, not like a header: '{name}' is a valid {data_type}, as the values below it"
    );
    Err(Error::new(ErrorKind::Source, message)
        .in_file(path)
        .help("set header = false in [source], or header = true if the row does hold the names"))
}

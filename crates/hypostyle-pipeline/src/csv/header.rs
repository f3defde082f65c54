//! The beginning of a CSV file: its header, its line ends, and a sample to infer types from.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::DataType;

use super::dialect::Dialect;
use super::field_index::FieldIndex;
use super::split::{last_record, line_end};
use crate::error::{Error, ErrorKind, Result};
use crate::files::bytes::{Buffer, Bytes};
use crate::files::input::InputFile;
use crate::model::bad_row::{BadRow, NOT_UTF8, RowPosition};
use crate::model::chunk::InputPosition;
use crate::model::column::{Column, Origin};
use crate::model::fault::Reason;
use crate::model::infer::TypeGuess;

/// The number of rows that types are inferred from.
const SAMPLE_ROWS: usize = 10_000;
/// At most this number of bytes.
const SAMPLE_BYTES: usize = 16 << 20;
/// The number of bytes read at first.
const FIRST_BYTES: usize = 1 << 20;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The help for a quote that is never closed.
pub(crate) const UNCLOSED_QUOTE: &str = "close the quote; inside a quoted field write a quote as \"\"";

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
    let (header, ended, begin) = loop {
        let ended = input.fill(&mut buffer, size)?;
        let begin = if buffer.starts_with(BOM) { BOM.len() } else { 0 };
        dialect.line_end = line_end(&buffer[begin..], &dialect);
        if ended {
            close_last_line(&mut buffer, &dialect);
        }
        let end = last_record(&buffer[begin..], &dialect).end.unwrap_or(0);
        // With no columns to expect, every record is an odd one.
        table.scan(&buffer[begin..begin + end], &dialect, 0);
        match table.odd.first() {
            Some(header) => break (*header, ended, begin),
            None if ended && buffer[begin..].trim_ascii().is_empty() => return Ok(None),
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
    let end = header.end as usize;
    let line_end = memchr::memchr(dialect.line_end, &buffer[begin + end..]).map_or(end, |at| end + at + 1);
    let row = &buffer[begin..begin + line_end];
    table.scan(row, &dialect, header.fields);
    let line = 1 + lines(&row[..table.start(0)], &dialect);
    let fields: Vec<Vec<u8>> = (0..header.fields)
        .map(|column| {
            let (start, end) = table.field(0, column);
            dialect.decoded(&row[start..end]).into_owned()
        })
        .collect();
    let mut mark = InputPosition { file, offset: begin as u64, line: 1, record: 1 };
    let names = names(fields, &dialect, path, line)?;
    if dialect.header {
        mark.offset += line_end as u64;
        mark.line += lines(row, &dialect);
        buffer.skip(begin + line_end);
    } else {
        buffer.skip(begin);
    }
    Ok(Some(Opened { input, dialect: Arc::new(dialect), buffer, ended, mark, names }))
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
            Ok(name) if name.is_empty() => format!("column_{}", index + 1),
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
        return Err(header_error(format!("the header names column '{twice}' twice"))
            .help("rename one, or set header = false in [source] if the first row is data"));
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

    /// The types of the columns: declared, or inferred from the first rows.  A row with too few or too many fields among them is
    /// an error, unless such rows are allowed.
    pub fn columns(
        &mut self,
        path: &Arc<Path>,
        declared: Vec<Option<DataType>>,
        allow_ragged: bool,
    ) -> Result<Vec<Column>> {
        let mut table = FieldIndex::default();
        if !declared.iter().all(Option::is_some) {
            self.sample(&mut table, declared.len())?;
        }
        let dialect = &*self.dialect;
        let rows = table.rows().min(SAMPLE_ROWS);
        let guess = |column: usize| {
            let mut guess = TypeGuess::default();
            for row in 0..rows {
                let (start, end) = table.field(row, column);
                let field = dialect.decoded(&self.buffer[start..end]);
                guess.observe_written(&field, &dialect.nulls, dialect.decimal_comma);
            }
            guess
        };
        let columns = self.names.iter().zip(declared).enumerate().map(|(index, (name, declared))| match declared {
            Some(data_type) => Column::new(name, data_type, Origin::Declared),
            None => {
                let guess = guess(index);
                let mut column = Column::new(name, guess.data_type(), Origin::Inferred { rows });
                column.remark = guess.remark();
                column
            }
        });
        let columns: Vec<Column> = columns.collect();
        if let Some(odd) = table.odd.first().filter(|odd| !allow_ragged && odd.before < SAMPLE_ROWS) {
            let before = &self.buffer[..odd.start as usize];
            let position = RowPosition {
                file: Arc::clone(path),
                line: self.mark.line + lines(before, dialect),
                record: self.mark.record + odd.before as u64,
                offset: self.mark.offset + u64::from(odd.start),
            };
            let bad = BadRow {
                position,
                reason: Reason::Fields(odd.fields),
                column: None,
                text: Vec::new(),
                row: Vec::new(),
            };
            return Err(bad.error(&columns, &[]));
        }
        Ok(columns)
    }
}

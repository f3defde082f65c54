//! What is wrong with a field, and where it stands: the one place that words the complaint.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use arrow::datatypes::{DataType, TimeUnit};

use super::Nulls;
use super::infer::Guess;
use super::records::Block;
use crate::error::{Error, ErrorKind};
use crate::source::{Column, Origin};
use crate::types;

/// Why a field can't be read as its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It doesn't look like one.
    Text,
    /// It has more decimals of a second than the unit holds.
    Precision(TimeUnit),
    /// It is too large or too small for the type.
    Range,
    /// It names an offset from UTC, which the type has no place for.
    Offset,
    /// It is no UTF-8.
    Encoding,
}

/// A field that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub row: usize,
    pub column: usize,
    pub reason: Reason,
}

impl Fault {
    /// The complaint about this field of the block, whose first record is the file's `first`-th.
    pub fn error(self, path: &Path, block: &Block, first: u64, column: &Column) -> Error {
        let field = block.field(self.row, self.column);
        let text = shown(field);
        let type_name = types::name(&column.data_type);
        let (problem, help) = match self.reason {
            Reason::Encoding => {
                ("is no UTF-8".to_string(), "convert the file to UTF-8, with iconv for instance".to_string())
            }
            Reason::Precision(unit) => (
                format!("has more decimals than {type_name} holds"),
                declare(&column.name, &type_name.replace(&format!("[{}", types::unit_name(unit)), "[ns")),
            ),
            Reason::Range => {
                (format!("is out of the range of {type_name}"), wider(&column.name, &column.data_type, field))
            }
            Reason::Offset => (
                format!("names an offset from UTC, but the column is {type_name}, which has no zone"),
                declare(&column.name, &type_name.replace(']', ", UTC]")),
            ),
            Reason::Text => (
                format!("is no {type_name}{}", expected(&column.data_type)),
                wider(&column.name, &column.data_type, field),
            ),
        };
        let origin = match column.origin {
            Origin::Inferred { rows } => format!(" (inferred from the first {rows} rows)"),
            _ => String::new(),
        };
        let record = first + self.row as u64;
        let inside: usize = (0..self.column).map(|column| line_ends(block.field(self.row, column))).sum();
        let line = locate(path, block.offset(self.row)) + inside as u64;
        let name = &column.name;
        Error::new(
            ErrorKind::Malformed { line, record, column: Some(name.clone()) },
            format!("record {record}, column '{name}'{origin}: {text} {problem}"),
        )
        .in_file(path)
        .help(help)
    }
}

fn expected(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => " (true or false)",
        DataType::Date32 => " (such as 2024-12-31)",
        DataType::Timestamp(..) => " (such as 2024-12-31T23:59:59.5)",
        other if other.is_integer() => " (a whole number)",
        _ => " (a number)",
    }
}

fn declare(column: &str, type_name: &str) -> String {
    let key = if column.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') && !column.is_empty() {
        column.to_string()
    } else {
        format!("{column:?}")
    };
    format!("declare it in the pipeline file: {key} = \"{type_name}\" under [source.schema]")
}

/// The way out for a text that the type has no place for: the type that has, or a null value.
fn wider(column: &str, data_type: &DataType, field: &[u8]) -> String {
    let mut guess = Guess::default();
    guess.observe(field.trim_ascii(), &Nulls::default());
    let found = match guess.data_type() {
        DataType::Float64 if matches!(data_type, DataType::Float16 | DataType::Float32 | DataType::Float64) => {
            DataType::Utf8
        }
        DataType::Int64 if *data_type == DataType::Int64 => DataType::Utf8,
        DataType::Int64 if data_type.is_floating() => DataType::Float64,
        found => found,
    };
    let means = declare(column, &types::name(&found));
    if found == DataType::Utf8 {
        format!(
            "mend the row; or, if it stands for a missing value, null_values = [{:?}] under [source]; or {means}",
            String::from_utf8_lossy(field)
        )
    } else {
        means
    }
}

/// A field's text for a message: quoted, cut short, whatever its bytes.
fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// The line of the record at this place of the file.  Counting lines only when something is wrong keeps it off the hot
/// path and lets blank lines and `\r\n`, which the tokeniser takes as part of the next record, count right.
pub(crate) fn locate(path: &Path, offset: u64) -> u64 {
    let Ok(file) = File::open(path) else { return 0 };
    let mut input = BufReader::with_capacity(1 << 20, file);
    let (mut line, mut left) = (1, offset);
    let mut before = (&mut input).take(offset);
    while let Ok(bytes @ [_, ..]) = before.fill_buf() {
        line += line_ends(bytes) as u64;
        let taken = bytes.len();
        left = left.saturating_sub(taken as u64);
        before.consume(taken);
    }
    if left == 0 {
        for byte in input.bytes().map_while(Result::ok) {
            match byte {
                b'\n' => line += 1,
                b'\r' => {}
                _ => break,
            }
        }
    }
    line
}

//! Rows that can't be taken as they are: why, where they stand, and the words for it.  The one place that words such a
//! complaint; what is done about it, the policy, stands in [`crate::policy`].

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, TimeUnit};

use crate::csv::dialect::Nulls;
use crate::csv::infer::Guess;
use crate::error::{Error, ErrorKind};
use crate::source::{Column, Origin};
use crate::types;

/// Why a row can't be taken as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// The field doesn't look like its type.
    Text,
    /// It has more decimals of a second than the unit holds.
    Precision(TimeUnit),
    /// It has more decimals than the type holds.
    Decimals,
    /// It is too large or too small for the type.
    Range,
    /// It names an offset from UTC, which the type has no place for.
    Offset,
    /// It is no UTF-8.
    Encoding,
    /// The row has so many fields, which is not the number of columns.
    Fields(usize),
    /// It breaks the rule of this number.
    Rule(usize),
}

/// A bad row.
#[derive(Debug, Clone)]
pub(crate) struct Bad {
    pub place: Place,
    pub reason: Reason,
    /// The column at fault, by its number; none where the whole row is.
    pub column: Option<usize>,
    /// The field's text.
    pub text: Vec<u8>,
    /// The row as it stands in the file, kept where it will be wanted.
    pub row: Vec<u8>,
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub file: Arc<Path>,
    /// The line, counted from 1; for a field the line that it begins in.  0 where files have no lines.
    pub line: u64,
    /// The record below the header, counted from 1.
    pub record: u64,
    /// The row's first byte in the file (decompressed), counted from 0.
    pub offset: u64,
}

impl Bad {
    /// In few words, for a list of rejects.
    pub fn summary(&self, columns: &[Column], rules: &[String]) -> String {
        match self.reason {
            Reason::Rule(rule) => format!("breaks the rule {}", rules[rule]),
            Reason::Fields(found) => {
                let s = if found == 1 { "" } else { "s" };
                format!("{found} field{s} for {} columns", columns.iter().filter(|column| column.in_file()).count())
            }
            _ => self.column.map_or_else(String::new, |column| problem(self.reason, &columns[column])),
        }
    }

    /// The complaint, with the way out.
    pub fn error(&self, columns: &[Column], rules: &[String]) -> Error {
        let Place { file, line, record, .. } = &self.place;
        let column = self.column.map(|column| &columns[column]);
        let (message, help) = match (self.reason, column) {
            (Reason::Fields(found), _) => {
                let s = if found == 1 { "" } else { "s" };
                let expected = columns.iter().filter(|column| column.in_file()).count();
                (
                    format!("record {record} has {found} field{s}, but the file has {expected} columns"),
                    "mend the row: perhaps a delimiter in a text that isn't quoted, or a line that was cut off; or let \
                     the run go on: on_bad_row = \"reject\" under [source]"
                        .to_string(),
                )
            }
            (Reason::Rule(rule), column) => (
                format!(
                    "record {record}{}: {} breaks the rule {}",
                    column.map_or_else(String::new, |column| format!(", column '{}'", column.name)),
                    shown(&self.text),
                    rules[rule]
                ),
                "mend the row, or let the run go on: on_bad_row = \"reject\" under [source]".to_string(),
            ),
            (reason, Some(column)) => {
                let origin = match column.origin {
                    Origin::Inferred { rows } => format!(" (inferred from the first {rows} rows)"),
                    _ => String::new(),
                };
                (
                    format!(
                        "record {record}, column '{}'{origin}: {} {}",
                        column.name,
                        shown(&self.text),
                        problem(reason, column)
                    ),
                    way_out(reason, column, &self.text),
                )
            }
            (_, None) => (format!("record {record} can't be read"), "mend the row".to_string()),
        };
        let column = column.map(|column| column.name.clone());
        Error::new(ErrorKind::Malformed { line: *line, record: *record, column }, message).in_file(file).help(help)
    }
}

fn problem(reason: Reason, column: &Column) -> String {
    let name = types::name(&column.data_type);
    match reason {
        Reason::Encoding => "is no UTF-8".to_string(),
        Reason::Precision(_) | Reason::Decimals => format!("has more decimals than {name} holds"),
        Reason::Range => format!("is out of the range of {name}"),
        Reason::Offset => format!("names an offset from UTC, but the column is {name}, which has no zone"),
        _ => match &column.pattern {
            Some(pattern) => format!("is no {name} written as {pattern:?}"),
            None => format!("is no {name}{}", expected(&column.data_type)),
        },
    }
}

fn way_out(reason: Reason, column: &Column, field: &[u8]) -> String {
    let name = types::name(&column.data_type);
    match (reason, &column.data_type) {
        (Reason::Encoding, _) => {
            "convert the file to UTF-8, with iconv for instance; or say what it is: encoding = \"latin1\" under [source]"
                .to_string()
        }
        (Reason::Precision(unit), _) => {
            declare(&column.name, &name.replace(&format!("[{}", types::unit_name(unit)), "[ns"))
        }
        (Reason::Decimals | Reason::Range, DataType::Decimal128(digits, decimals)) => {
            declare(&column.name, &roomier(field, *digits, *decimals))
        }
        (Reason::Offset, _) => declare(&column.name, &name.replace(']', ", UTC]")),
        (Reason::Text, _) if column.pattern.is_some() => {
            "mend the row or the pattern under [source.patterns]; or let the run go on: on_bad_row = \"reject\" under [source]"
                .to_string()
        }
        _ => wider(&column.name, &column.data_type, field),
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

/// The decimal type that holds the field too; a text where there is none.
fn roomier(field: &[u8], digits: u8, decimals: i8) -> String {
    let (digits, decimals) = (usize::from(digits), usize::from(decimals.unsigned_abs()));
    let count = |part: &[u8]| part.iter().filter(|byte| byte.is_ascii_digit()).count();
    let point = field.iter().position(|byte| matches!(byte, b'.' | b',')).unwrap_or(field.len());
    let (whole, part) = field.split_at(point);
    let (whole, decimals) = (count(whole).max(digits.saturating_sub(decimals)), count(part).max(decimals));
    if whole + decimals > usize::from(DECIMAL128_MAX_PRECISION) {
        return types::name(&DataType::Utf8);
    }
    types::name(&DataType::Decimal128((whole + decimals) as u8, decimals as i8))
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
pub(crate) fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

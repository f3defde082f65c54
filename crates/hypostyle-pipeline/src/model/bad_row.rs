//! Bad rows: why, where they are, and the message about it.  All messages about bad rows are made here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use schemars::JsonSchema;
use serde::Deserialize;

use super::column::{Column, Origin};
use super::fault::{Kept, Reason};
use super::infer::TypeGuess;
use super::infer::is_word;
use super::remark::{epoch_unit, toml_key};
use super::types;
use super::values::{ValueStyle, integer};
use crate::error::{Error, ErrorKind};

/// What is done about a bad row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnBadRow {
    /// The run fails, and the error names the row.
    #[default]
    Fail,
    /// Bad values become null. A row with too few fields is filled up, one with too many truncated.
    Null,
    /// The row is left out.
    Skip,
    /// The row is left out and written to the rejects.
    Reject,
}

/// How a source treats bad rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct BadRowPolicy {
    pub on_bad: OnBadRow,
    /// With more bad rows than this the run fails.
    pub limit: Option<u64>,
    pub rejects: Option<PathBuf>,
}

/// A bad row.
#[derive(Debug, Clone)]
pub(crate) struct BadRow {
    pub position: RowPosition,
    pub reason: Reason,
    /// The number of the bad column; `None` if the whole row is bad.
    pub column: Option<usize>,
    /// The field's text.
    pub text: Vec<u8>,
    /// The row as it is in the file, if it goes to the rejects.
    pub row: Vec<u8>,
}

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowPosition {
    pub file: Arc<Path>,
    /// The line, counted from 1; for a field the line that it begins in.  0 for formats without lines.
    pub line: u64,
    /// The record below the header, counted from 1.
    pub record: u64,
    /// The row's first byte in the file (decompressed), counted from 0.
    pub offset: u64,
}

impl BadRow {
    /// The reason in short, for the rejects.
    pub fn summary(&self, columns: &[Column], rules: &[String]) -> String {
        match self.reason {
            Reason::Rule(rule) => format!("violates {}", rules[rule]),
            Reason::Fields { found, expected } => fields(found, expected),
            Reason::Header => "repeats the header".to_string(),
            _ => self.column.map_or_else(String::new, |column| problem(self.reason, &columns[column])),
        }
    }

    /// The error about this row.
    pub fn error(&self, columns: &[Column], rules: &[String]) -> Error {
        let RowPosition { file, line, record, .. } = &self.position;
        let column = self.column.map(|column| &columns[column]);
        let place = match column {
            None => format!("record {record}"),
            Some(Column { name, origin: Origin::Inferred { rows }, .. }) if !matches!(self.reason, Reason::Rule(_)) => {
                format!("record {record}, column '{name}' (inferred from the first {rows} rows)")
            }
            Some(Column { name, .. }) => format!("record {record}, column '{name}'"),
        };
        let (message, help) = match (self.reason, column) {
            (Reason::Fields { found, expected }, _) => {
                (fields(found, expected), format!("check for an unquoted delimiter or a truncated line, or {REJECT}"))
            }
            (Reason::Header, _) => (
                "repeats the header".to_string(),
                format!("the file may be several files in one: remove the line, or {REJECT}"),
            ),
            (Reason::Rule(rule), _) => {
                (format!("{} violates {}", shown(&self.text), rules[rule]), format!("fix the value, or {REJECT}"))
            }
            (reason, Some(column)) => {
                (format!("{} {}", shown(&self.text), problem(reason, column)), help(reason, column, &self.text))
            }
            (reason, None) => {
                return Error::internal(format_args!("{place}: no column for {reason:?}")).in_file(file);
            }
        };
        let column = column.map(|column| column.name.clone());
        let kind = ErrorKind::Malformed { line: *line, record: *record, column };
        Error::new(kind, format!("{place}: {message}")).in_file(file).help(help)
    }
}

const REJECT: &str = "set on_bad_row = \"reject\" in [source]";

fn fields(found: usize, expected: usize) -> String {
    let s = if found == 1 { "" } else { "s" };
    format!("got {found} field{s}, expected {expected}")
}

fn problem(reason: Reason, column: &Column) -> String {
    let name = types::name(&column.data_type);
    match reason {
        Reason::Encoding => "is not valid UTF-8".to_string(),
        Reason::Precision(_) | Reason::Decimals => format!("has more decimals than {name} holds"),
        Reason::Range => format!("is out of range for {name}"),
        Reason::Offset => format!("has a UTC offset, but {name} has no time zone"),
        Reason::NoOffset => format!("has no UTC offset, unlike the values that {name} was inferred from"),
        Reason::Kept(kept) => format!("would lose {} as {name}", lost(kept)),
        Reason::Zone => "names a time zone that is not known here".to_string(),
        Reason::ClockChange => "is a time that the clocks of its time zone show twice or never".to_string(),
        Reason::Infinity => format!("is beyond all times, which {name} cannot hold"),
        Reason::Widened => format!("cannot be held by {name}, which the files have in common"),
        Reason::Quote => "has text behind the closing quote".to_string(),
        Reason::Text | Reason::Fields { .. } | Reason::Header | Reason::Rule(_) => match &column.format_text {
            Some(format) => format!("does not match the {name} format {format:?}"),
            None => format!("is not a valid {name}{}", expected(&column.data_type)),
        },
    }
}

fn help(reason: Reason, column: &Column, field: &[u8]) -> String {
    let name = types::name(&column.data_type);
    match (reason, &column.data_type) {
        (Reason::Encoding, _) => NOT_UTF8.to_string(),
        (Reason::Precision(unit), _) => {
            declare(&column.name, &name.replace(&format!("[{}", types::unit_name(unit)), "[ns"))
        }
        (Reason::Decimals | Reason::Range, DataType::Decimal128(digits, decimals)) => {
            declare(&column.name, &roomier(field, *digits, *decimals))
        }
        (Reason::Range, DataType::Time32(_) | DataType::Time64(_)) => {
            format!("{} if it is a duration, or {REJECT}", declare(&column.name, &name.replace("time[", "duration[")))
        }
        (Reason::Kept(_), _) => {
            format!("{}, or {:?} if it is to be read as a number", declare(&column.name, "string"), name)
        }
        (Reason::NoOffset, _) => {
            format!("{}, which takes such values for UTC, or {REJECT}", declare(&column.name, &name))
        }
        (Reason::Zone, _) => format!("write UTC offsets such as +01:00 or names such as Europe/Berlin, or {REJECT}"),
        (Reason::Widened, _) => {
            format!("remove widen_types from [source] and read the files of each type by themselves, or {REJECT}")
        }
        (Reason::ClockChange, _) => format!("write the UTC offset, such as +01:00, or {REJECT}"),
        (Reason::Infinity, _) => {
            format!("set null_values = [{:?}] in [source], or {REJECT}", String::from_utf8_lossy(field))
        }
        (Reason::Quote, _) if field.windows(2).any(|pair| pair == b"\\\"") => {
            format!("set escape = \"\\\\\" in [source] if a backslash escapes quotes, or {REJECT}")
        }
        (Reason::Quote, _) => format!("inside a quoted field write a quote as \"\", or {REJECT}"),
        (Reason::Text, DataType::Date32 | DataType::Timestamp(..))
            if column.format_text.is_none() && epoch(field).is_some() =>
        {
            let unit = epoch(field).unwrap_or_default();
            format!("set {} = \"epoch[{unit}]\" in [source.datetime_formats]", toml_key(&column.name))
        }
        (Reason::Text, DataType::Boolean) if is_word(field) => format!(
            "set boolean = {{ true = [...], false = [...] }} in [source] if it is a word for one of them, or null_values = [{:?}] if it \
             means null",
            String::from_utf8_lossy(field)
        ),
        (Reason::Offset, _) => declare(&column.name, &name.replace(']', ", UTC]")),
        (Reason::Text, _) if column.format_text.is_some() => {
            format!("fix the value, change the format in [source.datetime_formats], or {REJECT}")
        }
        _ => wider(&column.name, &column.data_type, field),
    }
}

/// What a number would lose.
pub(crate) fn lost(kept: Kept) -> &'static str {
    match kept {
        Kept::LeadingZero => "its leading zeros",
        Kept::Plus => "its plus sign",
        Kept::LongInteger | Kept::LongDecimal => "digits",
    }
}

/// The help for bytes that are not valid UTF-8.
pub(crate) const NOT_UTF8: &str =
    "set encoding = \"windows-1252\" in [source] if Windows wrote it, or convert the file to UTF-8";

fn expected(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => " (true or false)",
        DataType::Date32 => " (such as 2024-12-31)",
        DataType::Timestamp(..) => " (such as 2024-12-31T23:59:59.5)",
        DataType::Time32(_) | DataType::Time64(_) => " (such as 23:59:59.5)",
        DataType::Duration(_) => " (such as 1 day 02:03:04.5, 26:03:04 or PT26H3M4S)",
        other if other.is_integer() => " (an integer)",
        _ => " (a number)",
    }
}

fn declare(column: &str, type_name: &str) -> String {
    let key = toml_key(column);
    format!("set {key} = \"{type_name}\" in [source.schema]")
}

/// The unit of a number that is a time of our days.
fn epoch(field: &[u8]) -> Option<&'static str> {
    let value = integer(field).ok()?;
    epoch_unit((value, value)).map(|(unit, _)| unit)
}

/// The decimal type that holds the field too; string if there is none.
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

/// The help for text that the type cannot hold: a type that can, or a null value.
fn wider(column: &str, data_type: &DataType, field: &[u8]) -> String {
    let mut guess = TypeGuess::default();
    guess.observe(field.trim_ascii(), &ValueStyle::default());
    let found = match guess.data_type() {
        // A word, in a column of other things.
        DataType::Float64 if is_word(field) => DataType::Utf8,
        DataType::Float64 if matches!(data_type, DataType::Float16 | DataType::Float32 | DataType::Float64) => {
            DataType::Utf8
        }
        DataType::Int64 if *data_type == DataType::Int64 => DataType::Utf8,
        DataType::Int64 if data_type.is_floating() => DataType::Float64,
        found => found,
    };
    let wider = declare(column, &types::name(&found));
    if found == DataType::Utf8 {
        match is_word(field) {
            true => {
                let field = String::from_utf8_lossy(field);
                format!("fix the value, set null_values = [{field:?}] in [source] if it means null, or {wider}")
            }
            false => format!("fix the value, or {wider}"),
        }
    } else {
        wider
    }
}

/// A field's text for a message: quoted, and cut short if it is long.
pub(crate) fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

//! The first rows of a table: whether there is a header, what is below it, and how numbers are written.

use arrow::datatypes::DataType;

use crate::model::infer::TypeGuess;
use crate::model::values::{ValueStyle, float, has_thousands, with_blanks};

/// At most this number of lines of units or rules may be below a header.
pub(super) const BELOW: usize = 3;

/// Words for null: a row of them is a row.
const NULLS: [&str; 12] = ["", "na", "n/a", "n.a.", "nan", "nil", "none", "null", "missing", "unknown", "tbd", "void"];

pub(super) fn is_number(field: &[u8]) -> bool {
    float::<f64>(field.trim_ascii()).is_ok()
}

/// Whether a field is a number, a date or a time.
pub(super) fn is_typed(field: &[u8]) -> bool {
    let field = unquoted(field.trim_ascii(), b'"').trim_ascii();
    if is_number(field) || has_decimal_comma(field) || is_german(field) {
        return true;
    }
    is_time(field)
}

fn is_time(field: &[u8]) -> bool {
    if !field.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let mut guess = TypeGuess::default();
    guess.observe(field, &ValueStyle::default());
    let data_type = guess.by_format().map_or_else(|| guess.data_type(), |(data_type, ..)| data_type);
    matches!(data_type, DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_))
}

/// Whether the first of these rows is data, although it stands where the header should.
pub(super) fn lacks_header(rows: &[Vec<&[u8]>], quote: u8) -> bool {
    let [header, first, rest @ ..] = rows else { return false };
    let pairs = || header.iter().zip(first).map(|(name, value)| (unquoted(name, quote), unquoted(value, quote)));
    // Small numbers, such as years, may be names.
    let is_sure = |name: &[u8]| name.iter().filter(|byte| byte.is_ascii_digit()).count() > 4 || name.contains(&b'.');
    if pairs().any(|(name, value)| {
        is_number(name) && is_number(value) && is_sure(name) || is_time(name) && is_sure(name) && is_time(value)
    }) {
        return true;
    }
    let is_twice = |name: &&[u8]| !name.is_empty() && header.iter().filter(|other| *other == name).count() > 1;
    if header.iter().any(is_twice) && pairs().any(|(name, value)| is_number(name) && is_number(value)) {
        return true;
    }
    // Names are hardly ever the values of their columns, in several columns and rows.
    let again = |column: usize| {
        !header[column].trim_ascii().is_empty()
            && [first].into_iter().chain(rest.first()).all(|row| row.get(column) == Some(&header[column]))
    };
    (0..header.len()).filter(|column| again(*column)).count() > 1
}

/// How many rows below the header are not data, and what they are.
pub(super) fn below_header(rows: &[Vec<&[u8]>], quote: u8) -> Option<(usize, &'static str)> {
    let below = rows.get(1..).unwrap_or_default();
    if below.first().is_some_and(|row| is_rule(row)) {
        return Some((1, "a line below the header"));
    }
    if let Some(count) = described(rows, quote) {
        return Some((count, "rows of words below the header"));
    }
    let count = below.iter().take_while(|row| !row.iter().any(|field| is_typed(field))).count();
    let (words, data) = below.split_at(count);
    if !(1..=BELOW).contains(&count) || data.len() < 2 {
        return None;
    }
    let value = |row: &Vec<&[u8]>, column: usize| row.get(column).map(|field| unquoted(field, quote).to_vec());
    let is_typed_column = |column: &usize| {
        let mut values =
            data.iter().filter_map(|row| value(row, *column)).filter(|field| !field.trim_ascii().is_empty());
        let first = values.next();
        first.is_some_and(|first| is_typed(&first)) && values.all(|field| is_typed(&field) || is_null(&field))
    };
    let typed: Vec<usize> = (0..rows[0].len()).filter(is_typed_column).collect();
    let units_of = || words.iter().filter(|row| !is_rule(row));
    let texts = || units_of().flat_map(|row| typed.iter().filter_map(move |column| value(row, *column)));
    let units = texts().filter(|text| !text.trim_ascii().is_empty()).count();
    let are_units = units > 1 || units == 1 && rows[0].len() <= 2;
    let is_alike = |row: &Vec<&[u8]>| row.len() == rows[0].len();
    (are_units && texts().all(|text| text.trim_ascii().is_empty() || !is_null(&text)) && words.iter().all(is_alike)
        || !typed.is_empty() && words.iter().any(|row| !is_alike(row)))
    .then_some((count, if count == 1 { "a row of words below the header" } else { "rows of words below the header" }))
}

/// The line with the names, found from below: the rows of data are those whose columns are of the types of the last ones, and
/// the names are in the fullest of the lines right above them that have none of these types.  `None` if the types tell nothing.
pub(super) fn header_above_data(lines: &[Vec<&[u8]>], fields: usize, quote: u8) -> Option<usize> {
    const LEAST: usize = 4;
    let rows: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].len() == fields).collect();
    let value = |line: usize, column: usize| unquoted(lines[line][column].trim_ascii(), quote).trim_ascii();
    let is_numeric = |field: &[u8]| is_number(field) || has_decimal_comma(field) || is_german(field);
    let later = rows.get(rows.len() / 2..).filter(|later| later.len() >= LEAST)?;
    let kind = |column: usize| {
        let values = || later.iter().map(|line| value(*line, column)).filter(|field| !is_null(field));
        let is_sure = values().count() * 2 > later.len();
        let all = |is_kind: &dyn Fn(&[u8]) -> bool| is_sure && values().all(is_kind);
        if all(&is_numeric) { Some((column, true)) } else { all(&is_time).then_some((column, false)) }
    };
    let kinds: Vec<(usize, bool)> = (0..fields).filter_map(kind).collect();
    let fits = |line: usize, (column, numeric): (usize, bool)| {
        let field = value(line, column);
        if numeric { is_numeric(field) } else { is_time(field) }
    };
    let is_data = |line: usize| {
        let mut any = false;
        kinds.iter().all(|kind| {
            let fits = fits(line, *kind);
            any |= fits;
            fits || is_null(value(line, kind.0))
        }) && any
    };
    let data = rows.iter().rev().take_while(|line| is_data(**line)).count();
    let above = &rows[..rows.len() - data];
    let first = *rows.get(above.len())?;
    let words = above
        .iter()
        .rev()
        .zip((0..first).rev())
        .take_while(|(line, next)| **line == *next && !kinds.iter().any(|kind| fits(**line, *kind)));
    let words: Vec<usize> = words.map(|(line, _)| *line).collect();
    let top = words.last()?;
    if above.iter().any(|line| line < top && is_data(*line)) {
        return None;
    }
    let full = |line: &usize| lines[*line].iter().filter(|field| !field.trim_ascii().is_empty()).count();
    // The first one of those with as many names.
    words.into_iter().max_by_key(|line| (full(line), std::cmp::Reverse(*line)))
}

/// How many rows below the header tell of the table, in columns of which the later rows are numbers: title, unit, source.
fn described(rows: &[Vec<&[u8]>], quote: u8) -> Option<usize> {
    /// Fewer words in a column of numbers are values that are missing.
    const LEAST: usize = 3;
    let later = rows.get(rows.len() / 2..).filter(|later| later.len() > LEAST)?;
    let is_value = |row: &Vec<&[u8]>, column: usize| {
        row.get(column).is_some_and(|field| is_number(unquoted(field.trim_ascii(), quote)))
    };
    let numbers: Vec<usize> =
        (0..rows[0].len()).filter(|column| later.iter().all(|row| is_value(row, *column))).collect();
    let rest = rows.get(1..)?;
    let count = rest.iter().take_while(|row| !numbers.iter().any(|column| is_value(row, *column))).count();
    let is_word = |field: &&&[u8]| !is_null(unquoted(field.trim_ascii(), quote));
    let words = |column: &usize| rest[..count].iter().filter_map(|row| row.get(*column)).filter(is_word).count();
    let are_numbers = rest[count..].iter().all(|row| numbers.iter().all(|column| is_value(row, *column)));
    (numbers.iter().any(|column| words(column) >= LEAST) && are_numbers).then_some(count)
}

/// Whether a row is a line of dashes under the names, as databases draw it.
fn is_rule(row: &[&[u8]]) -> bool {
    let is_drawn = |field: &&[u8]| field.trim_ascii().iter().all(|byte| matches!(byte, b'-' | b'+' | b'=' | b':'));
    let bytes: usize = row.iter().map(|field| field.trim_ascii().len()).sum();
    row.iter().all(is_drawn) && bytes >= 4 && row.iter().any(|field| field.trim_ascii().len() > 2)
}

fn is_null(field: &[u8]) -> bool {
    let text = String::from_utf8_lossy(field.trim_ascii()).to_lowercase();
    NULLS.contains(&text.as_str()) || text.chars().all(|c| matches!(c, '-' | '.' | '?' | '*' | ':' | '#'))
}

/// The field without the quotes around it.
pub(super) fn unquoted(field: &[u8], quote: u8) -> &[u8] {
    field.strip_prefix(&[quote]).and_then(|field| field.strip_suffix(&[quote])).unwrap_or(field)
}

/// Whether these rows, below the header, are the further levels of pandas' column names: names, and then the name of the index.
pub(super) fn is_levels(rows: &[Vec<&[u8]>]) -> bool {
    let [header, names, index, first, ..] = rows else { return false };
    let has_values = |fields: &[&[u8]]| fields.iter().skip(1).any(|field| is_number(field));
    let alone = index.len() > 1 && !index[0].is_empty() && index[1..].iter().all(|field| field.is_empty());
    alone && names.len() == header.len() && !has_values(header) && !has_values(names) && has_values(first)
}

/// Whether these are the formats of USGS's columns, or types of ClickHouse's.
pub(super) fn is_formats(fields: &[&[u8]]) -> bool {
    let rdb = |field: &&[u8]| {
        let (last, digits) = field.split_last().unwrap_or((&b' ', &[]));
        matches!(last, b's' | b'n' | b'd') && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    let typed = |field: &&[u8]| {
        let name = field.split(|byte| *byte == b'(').next().unwrap_or_default();
        let name = if name == b"Nullable" { field.get(9..).unwrap_or_default() } else { name };
        [
            "UInt",
            "Int",
            "Float",
            "String",
            "Date",
            "Bool",
            "Decimal",
            "LowCardinality",
            "Enum",
            "UUID",
            "Array",
            "FixedString",
        ]
        .iter()
        .any(|known| name.starts_with(known.as_bytes()))
    };
    fields.len() > 1 && (fields.iter().all(rdb) || fields.iter().all(typed))
}

fn is_decimal_comma(field: &[u8]) -> bool {
    let mut parts = field.strip_prefix(b"-").unwrap_or(field).split(|byte| *byte == b',');
    let digits = |part: Option<&[u8]>| part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    digits(parts.next()) && digits(parts.next()) && parts.next().is_none()
}

/// A number such as `1,5` or `1.234,5`.
pub(super) fn has_decimal_comma(field: &[u8]) -> bool {
    is_decimal_comma(field) || field.contains(&b',') && is_german(field)
}

/// A number such as `1.234,5` or `1.234`.
pub(super) fn is_german(field: &[u8]) -> bool {
    let end = field.iter().position(|byte| *byte == b',').unwrap_or(field.len());
    let (whole, decimals) = field.split_at(end);
    whole.contains(&b'.') && has_thousands(whole, b'.') && decimals.iter().skip(1).all(u8::is_ascii_digit)
}

/// The mark between the thousands of a number with a decimal comma, such as `1 234,5`; points have a dialect.
pub(super) fn mark_of_thousands(field: &[u8]) -> Option<char> {
    let field = with_blanks(field);
    let end = field.iter().position(|byte| *byte == b',')?;
    let (whole, decimals) = field.split_at(end);
    let marked = [b' ', b'\''].into_iter().find(|mark| whole.contains(mark) && has_thousands(whole, *mark))?;
    decimals[1..].iter().all(u8::is_ascii_digit).then_some(char::from(marked))
}

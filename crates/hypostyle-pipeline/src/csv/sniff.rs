//! What a file looks like, whatever the pipeline says: for proposals of `hypostyle check` and of error messages, never for reading.
//!
//! The first lines are split at each of the usual delimiters.  One that gives most lines the same number of fields, more than
//! one, is likely the file's; lines above the first of these are a preamble.  The rest are marks of programs: nulls as `\N` or
//! `NA`, quotes behind backslashes, a row of types below the header.

use super::dialect::Dialect;
use crate::model::values::{float, has_thousands};

/// So many lines are looked at.
const LINES: usize = 200;

/// The delimiters that are tried; blanks stand for runs of them.
const DELIMITERS: [(Delimiter, &str, &str); 5] = [
    (Delimiter::Byte(b','), "commas", ","),
    (Delimiter::Byte(b';'), "semicolons", ";"),
    (Delimiter::Byte(b'\t'), "tabs", "\\t"),
    (Delimiter::Byte(b'|'), "bars", "|"),
    (Delimiter::Blanks, "blanks", "blanks"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Byte(u8),
    Blanks,
}

/// How the lines look when they are split at a delimiter.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// The number of fields that most lines have.
    fields: usize,
    /// How many lines have it, and which one is the first.
    lines: usize,
    first: usize,
}

/// What the file looks like and the settings that would read it; `None` if there is nothing to say.
pub(crate) fn proposal(text: &[u8], dialect: &Dialect) -> Option<String> {
    let lines: Vec<&[u8]> = lines(text);
    let (mark, comments) = comment_mark(&lines).map_or((None, 0), |(mark, count)| (Some(mark), count));
    let kept: Vec<&[u8]> =
        lines.iter().copied().filter(|line| mark.is_none() || line.first().copied() != mark).collect();
    let quote = dialect.quote.unwrap_or(b'"');
    let shapes = DELIMITERS.map(|(delimiter, ..)| shape(&kept, delimiter, quote));
    let best = (0..shapes.len()).filter_map(|index| Some((index, shapes[index]?))).max_by_key(|(index, shape)| {
        // Blanks are in texts too: they are the last resort.
        let last_resort = DELIMITERS[*index].0 == Delimiter::Blanks && shape.lines < kept.len();
        let same = is_same(DELIMITERS[*index].0, dialect);
        (!last_resort, shape.lines * 20 / kept.len().max(1), same, shape.fields, std::cmp::Reverse(*index))
    });
    let (mut looks, mut settings) = (Vec::new(), Vec::new());
    if let Some((index, shape)) = best {
        let (delimiter, name, written) = DELIMITERS[index];
        if !is_same(delimiter, dialect) {
            looks.push(format!("{} fields separated by {name}", shape.fields));
            settings.push(format!("delimiter = \"{written}\""));
        }
        // The last comment may be the header.
        let is_header = |line: &[u8]| split(line, delimiter, quote).len() == shape.fields;
        let eaten = comments.checked_sub(1).and_then(|last| lines.get(last)).is_some_and(|line| is_header(line));
        let above = if eaten { comments - 1 } else { shape.first };
        if let Some(mark) = mark.filter(|mark| !eaten && dialect.comment != Some(*mark)) {
            let mark = char::from(mark);
            looks.push(format!("comments that begin with {mark}"));
            settings.push(format!("comment = \"{mark}\""));
        }
        let header_is_short = above == 1 && split(kept[0], delimiter, quote).len() + 1 == shape.fields;
        if above > 0 && (mark.is_none() || eaten) && dialect.skip[0] == 0 && shape.lines >= 2 && !header_is_short {
            looks.push(if above == 1 {
                "a line above the table".to_string()
            } else {
                format!("{above} lines above the table")
            });
            settings.push(format!("skip_rows = {above}"));
        }
        let row = |number: usize| kept.get(shape.first + number).map(|line| split(line, delimiter, quote));
        if let (Some(header), Some(first)) = (row(0), row(1)) {
            let body = || (1..=20).filter_map(row);
            let values = header.iter().zip(&first).filter(|(name, value)| is_number(name) && is_number(value));
            let is_sure =
                |name: &&[u8]| name.iter().filter(|byte| byte.is_ascii_digit()).count() > 4 || name.contains(&b'.');
            if dialect.header && mark.is_none() && values.map(|(name, _)| *name).any(|name| is_sure(&name)) {
                looks.push("no header".to_string());
                settings.push("header = false".to_string());
            }
            if is_formats(&first) && dialect.skip[1] == 0 {
                looks.push("a row of types below the header".to_string());
                match delimiter {
                    Delimiter::Byte(b'\t') if mark == Some(b'#') => settings = vec!["dialect = \"rdb\"".to_string()],
                    _ => settings.push("skip_rows_after_header = 1".to_string()),
                }
            }
            let fields = || body().flatten();
            if !dialect.style.decimal_comma && delimiter != Delimiter::Byte(b',') && fields().any(has_decimal_comma) {
                looks.push("decimal commas".to_string());
                if delimiter == Delimiter::Byte(b';') && dialect.style.thousands.is_none() && fields().any(is_german) {
                    looks.push("points between thousands".to_string());
                    settings.retain(|setting| !setting.starts_with("delimiter"));
                    settings.push("dialect = \"excel-de\"".to_string());
                } else {
                    settings.push("decimal_comma = true".to_string());
                }
            }
            if first.len() == header.len() + 1 && first[0].first() == Some(&quote) && !dialect.short_header {
                looks.push("a header one name short, as R writes it".to_string());
                settings.retain(|setting| delimiter != Delimiter::Blanks || !setting.starts_with("delimiter"));
                settings.push("dialect = \"r-table\"".to_string());
            }
        }
    }
    if dialect.escape.is_none() {
        let unquoted_escapes = delimiter_of(best.map(|(index, _)| index)) == Some(b'\t') && contains(text, b"\\N");
        if unquoted_escapes {
            looks.push("backslash escapes and \\N for null".to_string());
            settings =
                vec!["dialect = \"postgres-text\" (\"mysql\"), or \"clickhouse\" if it has a header".to_string()];
        } else if has_escaped_quotes(text, dialect) {
            looks.push("quotes behind backslashes".to_string());
            settings.push("escape = \"\\\\\"".to_string());
        }
    }
    if settings.is_empty() {
        return None;
    }
    Some(format!("looks like {}: set {} in [source]", looks.join(", "), settings.join(", ")))
}

fn delimiter_of(index: Option<usize>) -> Option<u8> {
    match DELIMITERS[index?].0 {
        Delimiter::Byte(byte) => Some(byte),
        Delimiter::Blanks => None,
    }
}

/// The first lines; one that is cut off is left out.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    let end = if text.contains(&b'\n') { b'\n' } else { b'\r' };
    let whole = memchr::memrchr(end, text).unwrap_or(text.len());
    let lines = text[..whole].split(|byte| *byte == end).map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.take(LINES).collect()
}

fn is_same(delimiter: Delimiter, dialect: &Dialect) -> bool {
    match delimiter {
        Delimiter::Byte(byte) => byte == dialect.delimiter && !dialect.blanks,
        Delimiter::Blanks => dialect.blanks,
    }
}

fn is_number(field: &[u8]) -> bool {
    float::<f64>(field.trim_ascii()).is_ok()
}

/// The byte that begins the first lines, if they look like comments, and how many they are.
fn comment_mark(lines: &[&[u8]]) -> Option<(u8, usize)> {
    let mark = *lines.first()?.first()?;
    let comments = lines.iter().take_while(|line| line.first() == Some(&mark)).count();
    (matches!(mark, b'#' | b'%' | b'!' | b'*') && comments < lines.len()).then_some((mark, comments))
}

fn shape(lines: &[&[u8]], delimiter: Delimiter, quote: u8) -> Option<Shape> {
    let counts: Vec<usize> = lines.iter().map(|line| split(line, delimiter, quote).len()).collect();
    let many = |count: usize| counts.iter().filter(|other| **other == count).count();
    let fields = counts.iter().copied().filter(|count| *count > 1).max_by_key(|count| (many(*count), *count))?;
    let first = counts.iter().position(|count| *count == fields)?;
    // Names of rows are quoted where R leaves their column without a name.
    let is_short = first > 0 && counts[first - 1] + 1 == fields && lines[first].first() == Some(&quote);
    let (first, lines) = (first - usize::from(is_short), many(fields) + usize::from(is_short));
    let rest = counts.len() - first;
    (lines * 10 >= rest * 8).then_some(Shape { fields, lines, first })
}

/// The fields of a line, quotes followed.
fn split(line: &[u8], delimiter: Delimiter, quote: u8) -> Vec<&[u8]> {
    let line = if delimiter == Delimiter::Blanks { line.trim_ascii() } else { line };
    let (mut fields, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, byte) in line.iter().enumerate() {
        let separates = match delimiter {
            Delimiter::Byte(delimiter) => *byte == delimiter,
            Delimiter::Blanks => matches!(byte, b' ' | b'\t'),
        };
        quoted ^= *byte == quote && (quoted || at == start);
        if separates && !quoted {
            if delimiter != Delimiter::Blanks || at > start {
                fields.push(&line[start..at]);
            }
            start = at + 1;
        }
    }
    fields.push(&line[start..]);
    fields
}

/// Whether these are the formats of USGS's columns, or types of ClickHouse's.
fn is_formats(fields: &[&[u8]]) -> bool {
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
fn has_decimal_comma(field: &[u8]) -> bool {
    is_decimal_comma(field) || field.contains(&b',') && is_german(field)
}

/// A number such as `1.234,5` or `1.234`.
fn is_german(field: &[u8]) -> bool {
    let end = field.iter().position(|byte| *byte == b',').unwrap_or(field.len());
    let (whole, decimals) = field.split_at(end);
    whole.contains(&b'.') && has_thousands(whole, b'.') && decimals.iter().skip(1).all(u8::is_ascii_digit)
}

/// Whether text follows a quote behind a backslash; a path may well end in one.
fn has_escaped_quotes(text: &[u8], dialect: &Dialect) -> bool {
    let Some(quote) = dialect.quote else { return false };
    memchr::memmem::find_iter(text, &[b'\\', quote]).any(|at| {
        let next = text.get(at + 2);
        next.is_some_and(|next| !dialect.is_delimiter(*next) && *next != quote && !matches!(next, b'\n' | b'\r'))
    })
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(text, what).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_lines() {
        for (text, words) in [
            ("a,b\n1,2\n", None),
            ("word\none\ntwo\n", None),
            (
                "a;b\n1,5;2\n3,5;x\n",
                Some("2 fields separated by semicolons, decimal commas: set delimiter = \";\", decimal_comma = true"),
            ),
            ("a\tb\n1\t2\n", Some("delimiter = \"\\t\"")),
            ("a|b|c\n1|2|3\n", Some("delimiter = \"|\"")),
            ("a  b\n1   2\n10  3\n", Some("delimiter = \"blanks\"")),
            ("# made by x\n# on y\na,b\n1,2\n", Some("comment = \"#\"")),
            ("Report\n2024\n\na,b,c\n1,2,3\n1,2,3\n4,5,6\n", Some("skip_rows = 3")),
            ("# x\nsite\tdt\n5s\t20d\n01\t2024-01-01\n", Some("dialect = \"rdb\"")),
            ("a\tb\nUInt8\tNullable(String)\n1\tx\n", Some("skip_rows_after_header = 1")),
            ("1\tx\\tb\n2\t\\N\n", Some("dialect = \"postgres-text\"")),
            ("a,b\n1,\"q\\\"q\"\n", Some("escape = \"\\\\\"")),
            ("\"x\" \"y\"\n\"1\" 2 3\n\"2\" 4 5\n", Some("dialect = \"r-table\"")),
            ("a,b\n1,\"C:\\x\\\"\n", None),
            ("a;b\n1.234,5;x\n", Some("points between thousands: set dialect = \"excel-de\"")),
            ("\"x\"\t\"y\"\n\"1\"\t2\t3\n\"2\"\t4\t5\n", Some("delimiter = \"\\t\", dialect = \"r-table\"")),
            ("# a;b\n1;2\n3;4\n", Some("2 fields separated by semicolons: set delimiter = \";\" in")),
            ("# x\n# a,b\n1,2\n3,4\n", Some("skip_rows = 1")),
            ("1.5;2024\n2.5;2025\n", Some("no header: set delimiter = \";\", header = false")),
            ("1 2   \"x y\"\n1 3   \"x z\"\n", Some("delimiter = \"blanks\"")),
            ("title\na,b,c\n1,2,3\n1,2,3\n", Some("a line above the table")),
            ("a,b\n1,\"x;y;z\"\n2,\"x;y;z\"\n", None),
        ] {
            let found = proposal(text.as_bytes(), &Dialect::default());
            match words {
                None => assert_eq!(found, None, "{text:?}"),
                Some(words) => {
                    assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{text:?}: {found:?}")
                }
            }
        }
    }
}

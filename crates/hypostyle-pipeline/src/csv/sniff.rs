//! What a file looks like, whatever the pipeline says: for proposals of `hypostyle check` and of error messages, never for reading.
//!
//! The first lines are split at each of the usual delimiters.  One that gives most lines the same number of fields, more than
//! one, is likely the file's; lines above the first of these are a preamble.  The rest are marks of programs: nulls as `\N` or
//! `NA`, quotes behind backslashes, a row of types below the header.

use std::cmp::Reverse;

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
    if let Some(delimiter) = stated_delimiter(&lines) {
        return (dialect.skip[0] == 0).then(|| said_by_excel(&lines, delimiter, dialect));
    }
    let (mark, comments) = comment_mark(&lines).map_or((None, 0), |(mark, count)| (Some(mark), count));
    let kept: Vec<&[u8]> =
        lines.iter().copied().filter(|line| mark.is_none() || line.first().copied() != mark).collect();
    let quote = dialect.quote.unwrap_or(b'"');
    let mut proposal = Proposal { dialect, quote, looks: Vec::new(), settings: Vec::new() };
    let best = best(&kept, dialect, quote);
    if let Some((delimiter, shape)) = best {
        proposal.delimiter(delimiter, shape);
        // The last comment may be the header.
        let last = comments.checked_sub(1).and_then(|last| lines.get(last));
        let has_header = last.is_some_and(|line| split(line, delimiter, quote).len() == shape.fields);
        match mark {
            Some(_) if has_header => proposal.above(comments - 1),
            Some(mark) => proposal.comment(mark),
            None if shape.first == 1 && split(kept[0], delimiter, quote).len() + 1 == shape.fields => {}
            None => proposal.above(shape.first),
        }
        let rows: Vec<Vec<&[u8]>> =
            kept[shape.first..].iter().take(20).map(|line| split(line, delimiter, quote)).collect();
        proposal.table(delimiter, mark, &rows);
    }
    proposal.escapes(text, best.map(|(delimiter, _)| delimiter));
    let Proposal { looks, settings, .. } = proposal;
    (!settings.is_empty()).then(|| format!("looks like {}: set {} in [source]", looks.join(", "), settings.join(", ")))
}

/// The delimiter that the first line states, as Excel reads and writes it.
fn stated_delimiter(lines: &[&[u8]]) -> Option<u8> {
    match lines.first()?.strip_prefix(b"\xef\xbb\xbf").unwrap_or(lines[0]) {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some(*delimiter),
        _ => None,
    }
}

/// The proposal for a file with such a line.
fn said_by_excel(lines: &[&[u8]], delimiter: u8, dialect: &Dialect) -> String {
    let below = Dialect { delimiter, skip: [1, 0], ..dialect.clone() };
    let rest = [lines[1..].join(&b'\n'), vec![b'\n']].concat();
    let rest = proposal(&rest, &below).unwrap_or_default();
    let rest = rest.split_once(": set ").and_then(|(_, settings)| settings.strip_suffix(" in [source]"));
    let rest = rest.map(|settings| format!(", {settings}")).unwrap_or_default();
    let delimiter = char::from(delimiter).to_string();
    format!(
        "looks like a line that states the delimiter: set skip_rows = 1, delimiter = {delimiter:?}{rest} in [source]"
    )
}

/// A note about a comment that may be the header.
pub(crate) fn eaten_header(head: &[u8], dialect: &Dialect) -> Option<String> {
    let comment = dialect.comment.filter(|_| dialect.header)?;
    let mut lines =
        head.split(|byte| *byte == dialect.line_end || *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let above = lines.by_ref().take_while(|line| line.first() == Some(&comment)).last()?;
    let row = head
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty() && line.first() != Some(&comment))?;
    let fields = |line: &[u8]| line.iter().filter(|byte| **byte == dialect.delimiter).count();
    (fields(row) > 0 && fields(above) == fields(row)).then(|| {
        format!(
            "comment = {:?} ignores a line that may be the header, as it has as many fields as the rows: {:?}",
            char::from(comment).to_string(),
            String::from_utf8_lossy(&above[..above.len().min(60)])
        )
    })
}

/// What was found, and the settings for it.
struct Proposal<'a> {
    dialect: &'a Dialect,
    quote: u8,
    looks: Vec<String>,
    settings: Vec<String>,
}

impl Proposal<'_> {
    fn add(&mut self, looks: impl Into<String>, setting: impl Into<String>) {
        self.looks.push(looks.into());
        self.settings.push(setting.into());
    }

    /// Puts a set of settings in the place of those that it has.
    fn replace(&mut self, looks: &str, setting: &str, replaced: fn(&str) -> bool) {
        self.settings.retain(|setting| !replaced(setting));
        self.add(looks, setting);
    }

    fn delimiter(&mut self, delimiter: Delimiter, shape: Shape) {
        let known = DELIMITERS.iter().find(|(known, ..)| *known == delimiter);
        if let Some((_, name, written)) = known.filter(|_| !is_same(delimiter, self.dialect)) {
            self.add(format!("{} fields separated by {name}", shape.fields), format!("delimiter = \"{written}\""));
        }
    }

    fn comment(&mut self, mark: u8) {
        if self.dialect.comment != Some(mark) {
            let mark = char::from(mark);
            self.add(format!("comments that begin with {mark}"), format!("comment = \"{mark}\""));
        }
    }

    fn above(&mut self, lines: usize) {
        let looks = match lines {
            0 => return,
            1 => "a line above the table".to_string(),
            _ => format!("{lines} lines above the table"),
        };
        if self.dialect.skip[0] == 0 {
            self.add(looks, format!("skip_rows = {lines}"));
        }
    }

    /// Looks at the first rows, of which the first one may be the header.
    fn table(&mut self, delimiter: Delimiter, mark: Option<u8>, rows: &[Vec<&[u8]>]) {
        let Dialect { style, skip, short_header, header: has_header, .. } = self.dialect;
        let [header, first, ..] = rows else { return };
        let is_sure =
            |name: &[u8]| name.iter().filter(|byte| byte.is_ascii_digit()).count() > 4 || name.contains(&b'.');
        let is_data = |(name, value): (&&[u8], &&[u8])| is_number(name) && is_number(value) && is_sure(name);
        // With the delimiter that is set, the types of the columns tell more.
        let may_lack = *has_header && mark.is_none() && !is_same(delimiter, self.dialect);
        if may_lack && header.iter().zip(first).any(is_data) {
            self.add("no header", "header = false");
        }
        if is_levels(rows) && skip[1] == 0 {
            self.add("a second row of names and one of the index, as pandas writes them", "skip_rows_after_header = 2");
        }
        if is_formats(first) && skip[1] == 0 {
            let looks = "a row of types below the header";
            match delimiter {
                Delimiter::Byte(b'\t') if mark == Some(b'#') => self.replace(looks, "dialect = \"rdb\"", |_| true),
                _ => self.add(looks, "skip_rows_after_header = 1"),
            }
        }
        let quote = self.quote;
        let bare = |field: &&'_ [u8]| -> Vec<u8> { unquoted(field, quote).to_vec() };
        let fields = || rows[1..].iter().flatten().map(bare);
        if !style.decimal_comma && delimiter != Delimiter::Byte(b',') && fields().any(|field| has_decimal_comma(&field))
        {
            if delimiter == Delimiter::Byte(b';')
                && style.thousands.is_none()
                && fields().any(|field| is_german(&field))
            {
                let looks = "decimal commas, points between thousands";
                self.replace(looks, "dialect = \"excel-de\"", |setting| setting.starts_with("delimiter"));
            } else {
                self.add("decimal commas", "decimal_comma = true");
            }
        }
        if first.len() == header.len() + 1 && first[0].first() == Some(&self.quote) && !short_header {
            let looks = "a header one name short, as R writes it";
            self.replace(looks, "dialect = \"r-table\"", |setting| setting == "delimiter = \"blanks\"");
        }
    }

    fn escapes(&mut self, text: &[u8], delimiter: Option<Delimiter>) {
        if self.dialect.escape.is_some() {
            return;
        }
        if delimiter == Some(Delimiter::Byte(b'\t')) && memchr::memmem::find(text, b"\\N").is_some() {
            let settings = "dialect = \"postgres-text\" (\"mysql\"), or \"clickhouse\" if it has a header";
            self.replace("backslash escapes and \\N for null", settings, |_| true);
        } else if has_escaped_quotes(text, self.dialect) {
            self.add("quotes behind backslashes", "escape = \"\\\\\"");
        }
    }
}

/// The delimiter that fits most lines.
fn best(lines: &[&[u8]], dialect: &Dialect, quote: u8) -> Option<(Delimiter, Shape)> {
    let shapes = DELIMITERS.iter().enumerate().filter_map(|(index, (delimiter, ..))| {
        let shape = shape(lines, *delimiter, quote)?;
        // Blanks are in texts too: they are the last resort.
        let last_resort = *delimiter == Delimiter::Blanks && shape.lines < lines.len();
        let share = shape.lines * 20 / lines.len().max(1);
        // Tabs are hardly ever in texts.
        let is_sure = *delimiter == Delimiter::Byte(b'\t') && shape.fields > 2 && shape.lines == lines.len();
        let rank =
            (!last_resort, share, is_sure || is_same(*delimiter, dialect), is_sure, shape.fields, Reverse(index));
        Some((rank, (*delimiter, shape)))
    });
    shapes.max_by_key(|(rank, _)| *rank).map(|(_, found)| found)
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

/// The fields of a line, quotes followed.  Where text follows a closing quote, this is not the delimiter.
fn split(line: &[u8], delimiter: Delimiter, quote: u8) -> Vec<&[u8]> {
    let line = if delimiter == Delimiter::Blanks { line.trim_ascii() } else { line };
    let (mut fields, mut start, mut quoted) = (Vec::new(), 0, false);
    let mut closed = false;
    for (at, byte) in line.iter().enumerate() {
        let separates = match delimiter {
            Delimiter::Byte(delimiter) => *byte == delimiter,
            Delimiter::Blanks => matches!(byte, b' ' | b'\t'),
        };
        match *byte == quote {
            true if quoted => (quoted, closed) = (false, true),
            // A doubled quote.
            true if closed && at > 0 && line[at - 1] == quote => (quoted, closed) = (true, false),
            true if at == start => quoted = true,
            _ if closed && !separates && !matches!(byte, b' ' | b'\t' | b'\r') => return vec![line],
            _ => {}
        }
        closed &= !separates;
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

/// The field without the quotes around it.
fn unquoted(field: &[u8], quote: u8) -> &[u8] {
    field.strip_prefix(&[quote]).and_then(|field| field.strip_suffix(&[quote])).unwrap_or(field)
}

/// Whether these rows, below the header, are the further levels of pandas' column names: names, and then the name of the index.
fn is_levels(rows: &[Vec<&[u8]>]) -> bool {
    let [header, names, index, first, ..] = rows else { return false };
    let has_values = |fields: &[&[u8]]| fields.iter().skip(1).any(|field| is_number(field));
    let alone = index.len() > 1 && !index[0].is_empty() && index[1..].iter().all(|field| field.is_empty());
    alone && names.len() == header.len() && !has_values(header) && !has_values(names) && has_values(first)
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
            ("sep=;\na;b\nx;1,5\ny;2,5\n", Some("set skip_rows = 1, delimiter = \";\", decimal_comma = true in")),
            ("a,b,c\tx\ty\n1,2,3\t1\t2\n1,2,3\t1\t2\n", Some("delimiter = \"\\t\"")),
            ("\"a\";\"b\"\n\"1,5\";\"x\"\n\"2,5\";\"y, z\"\n", Some("separated by semicolons, decimal commas")),
            ("a,b\n1,\"x \"\"y, z\"\" w\"\n2,\"x, y\"\n", None),
            ("Price,Close\nTicker,X\nDate,\n2024-01-02,1.5\n2024-01-03,2.5\n", Some("skip_rows_after_header = 2")),
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

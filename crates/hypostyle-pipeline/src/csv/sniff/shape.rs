//! The shape of a file: its delimiter, and where its table begins and ends.

use std::cmp::Reverse;

use super::rows::{BELOW, header_above_data, is_typed};
use crate::csv::dialect::Dialect;

/// So many lines are looked at.
const LINES: usize = 200;

/// The delimiters that are tried; blanks stand for runs of them.
pub(super) const DELIMITERS: [(Delimiter, &str, &str); 5] = [
    (Delimiter::Byte(b','), "commas", ","),
    (Delimiter::Byte(b';'), "semicolons", ";"),
    (Delimiter::Byte(b'\t'), "tabs", "\\t"),
    (Delimiter::Byte(b'|'), "bars", "|"),
    (Delimiter::Blanks, "blanks", "blanks"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Byte(u8),
    Blanks,
}

/// How the lines look when they are split at a delimiter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The number of fields that most lines have.
    pub fields: usize,
    /// How many lines have it, and which one is the first of the table.
    pub lines: usize,
    pub first: usize,
    /// How many lines that are not blank are behind the last line that has it.
    pub behind: usize,
}

/// The delimiter that fits most lines.
pub(super) fn best(lines: &[&[u8]], dialect: &Dialect, quotes: Quotes) -> Option<(Delimiter, Shape)> {
    let shapes: Vec<(Delimiter, Shape)> =
        DELIMITERS.iter().filter_map(|(delimiter, ..)| Some((*delimiter, shape(lines, *delimiter, quotes)?))).collect();
    // Commas in `1,5;2` and in `10:15:02,123;x` stand in numbers, if there is another delimiter.
    let comma = Delimiter::Byte(b',');
    let with_commas = shapes.iter().find(|(delimiter, _)| *delimiter == comma).map_or(0, |(_, shape)| shape.lines);
    let fits = |(delimiter, shape): &(Delimiter, Shape)| {
        let is_all = shape.lines == lines.len() || shape.fields > 2 && shape.lines >= with_commas;
        *delimiter != comma && *delimiter != Delimiter::Blanks && is_all
    };
    let other = shapes.iter().any(fits);
    let in_numbers = other && lines.iter().all(|line| commas_are_in_numbers(line));
    let ranked = shapes.into_iter().enumerate().map(|(index, (delimiter, shape))| {
        // Blanks are in texts too: they are the last resort.
        let last_resort = delimiter == Delimiter::Blanks && shape.lines < lines.len();
        let share = shape.lines * 20 / lines.len().max(1);
        // Tabs are hardly ever in texts.
        let is_sure = delimiter == Delimiter::Byte(b'\t') && shape.fields > 2 && shape.lines == lines.len();
        let is_set = is_same(delimiter, dialect) && !(delimiter == comma && in_numbers);
        let in_text = delimiter == comma && in_numbers;
        // Blanks around bars are none; a lone tab among blanks is one of them.
        let is_lone_tab = delimiter == Delimiter::Byte(b'\t') && shape.fields == 2;
        let is_byte = delimiter != Delimiter::Blanks && !is_lone_tab;
        let rank = (!last_resort, share, is_sure || is_set, is_sure, !in_text, is_byte, shape.fields, Reverse(index));
        (rank, (delimiter, shape))
    });
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, found)| found)
}

fn commas_are_in_numbers(line: &[u8]) -> bool {
    let is_digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
    line.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b',')
        .all(|(at, _)| at > 0 && is_digit(at - 1) && is_digit(at + 1))
}

/// How the file quotes fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quotes {
    pub mark: u8,
    /// Whether a backslash stands before those inside of a field.
    pub escaped: bool,
}

/// The first lines; one that is cut off is left out.  Line ends in quotes are none.
pub(super) fn lines(text: &[u8], quotes: Quotes) -> Vec<&[u8]> {
    let end = line_end(text);
    let whole = memchr::memrchr(end, text).unwrap_or(text.len());
    let (mut lines, mut rest) = (Vec::new(), &text[..whole]);
    while lines.len() < LINES {
        let length = record(rest, end, quotes);
        lines.push(rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]));
        let Some(behind) = rest.get(length + 1..) else { break };
        rest = behind;
    }
    lines
}

fn line_end(text: &[u8]) -> u8 {
    if text.contains(&b'\n') { b'\n' } else { b'\r' }
}

/// How many lines of the file these are.
pub(super) fn lines_of_file(lines: &[&[u8]]) -> usize {
    lines.iter().map(|line| line.split(|byte| *byte == line_end(line)).count()).sum()
}

/// The length of the first line with those that a quoted field of it goes on in.  A quote that is not closed soon is none.
fn record(text: &[u8], end: u8, quotes: Quotes) -> usize {
    /// A field has hardly more lines.
    const LINES_OF_FIELD: usize = 40;
    let first = memchr::memchr(end, text).unwrap_or(text.len());
    let (mut open, mut at, mut ends) = (false, 0, 0);
    while let Some(byte) = text.get(at) {
        let is_doubled = || text.get(at + 1) == Some(&quotes.mark);
        let begins = || at == 0 || matches!(text[at - 1], b',' | b';' | b'\t' | b'|') || text[at - 1] == end;
        match *byte {
            b'\\' if open && quotes.escaped => at += 1,
            byte if byte == quotes.mark && open && is_doubled() => at += 1,
            byte if byte == quotes.mark && open => open = false,
            byte if byte == quotes.mark && begins() => open = true,
            byte if byte == end && !open => return at,
            byte if byte == end => ends += 1,
            _ => {}
        }
        if ends > LINES_OF_FIELD {
            return first;
        }
        at += 1;
    }
    if open { first } else { text.len() }
}

/// Whether these lines are all that the file has.
pub(super) fn is_whole(lines: &[&[u8]], text: &[u8], most_bytes: usize) -> bool {
    lines.len() < LINES && text.len() < most_bytes
}

pub(super) fn is_same(delimiter: Delimiter, dialect: &Dialect) -> bool {
    match delimiter {
        Delimiter::Byte(byte) => byte == dialect.delimiter && !dialect.blanks,
        Delimiter::Blanks => dialect.blanks,
    }
}

fn shape(lines: &[&[u8]], delimiter: Delimiter, quotes: Quotes) -> Option<Shape> {
    if matches!(delimiter, Delimiter::Byte(byte) if is_quoted_mostly(lines, &[byte], quotes))
        || delimiter == Delimiter::Blanks && is_quoted_mostly(lines, b" \t", quotes)
    {
        return None;
    }
    let split_lines: Vec<Vec<&[u8]>> = lines.iter().map(|line| split(line, delimiter, quotes)).collect();
    let counts: Vec<usize> = split_lines.iter().map(Vec::len).collect();
    let is_blank = |line: usize| lines[line].trim_ascii().is_empty();
    let many = |count: usize| counts.iter().filter(|other| **other == count).count();
    let fields = counts.iter().copied().filter(|count| *count > 1).max_by_key(|count| (many(*count), *count))?;
    let last = counts.iter().rposition(|count| *count == fields)?;
    let first = first_of_table(&split_lines, fields)?;
    let first = header_above_data(&split_lines, fields, quotes.mark).unwrap_or(first);
    // Names of rows are quoted where R leaves their column without a name.
    let is_short = first > 0 && counts[first - 1] + 1 == fields && lines[first].first() == Some(&quotes.mark);
    let (first, table) = (first - usize::from(is_short), many(fields) + usize::from(is_short));
    let behind = (last + 1..lines.len()).filter(|line| !is_blank(*line)).count();
    let rest = (first..=last).filter(|line| !is_blank(*line)).count();
    let shape = Shape { fields, lines: table, first, behind };
    // More text above than rows below are not a table of blanks, nor are times such as `2024-12-31 23:59`.
    let is_text = delimiter == Delimiter::Blanks && (table * 3 <= lines.len() || is_typed(lines[last]));
    // A line alone, above others, is none of a table.
    let is_table = table > 1 || behind == 0;
    (is_table && table * 10 >= rest * 8 && behind * 3 <= table.max(BELOW * 5) && !is_text).then_some(shape)
}

/// Whether most lines that have one of these bytes have them between quotes alone, wherever these begin: in a text, as of a
/// browser's name in a log.
fn is_quoted_mostly(lines: &[&[u8]], bytes: &[u8], quotes: Quotes) -> bool {
    let is_outside = |line: &&[u8]| {
        let mut open = false;
        line.iter().any(|byte| {
            open ^= *byte == quotes.mark;
            !open && bytes.contains(byte)
        })
    };
    let has_any = |line: &&&[u8]| line.iter().any(|byte| bytes.contains(byte));
    let with: Vec<&[u8]> = lines.iter().filter(has_any).copied().collect();
    let odd = |line: &&[u8]| memchr::memchr_iter(quotes.mark, line).count() % 2 == 1;
    with.len() > 1 && !with.iter().any(odd) && with.iter().filter(|line| is_outside(line)).count() * 2 < with.len()
}

/// The first line of the table: a line above may have as many fields by chance.
fn first_of_table(lines: &[Vec<&[u8]>], fields: usize) -> Option<usize> {
    let fits = |line: usize| lines.get(line).is_some_and(|line| line.len() == fields);
    let typed = |line: usize| lines[line].iter().any(|field| is_typed(field));
    let earliest = (0..lines.len()).find(|line| fits(*line))?;
    let first = (earliest..lines.len()).find(|line| fits(*line) && fits(line + 1)).unwrap_or(earliest);
    if !typed(first) {
        return Some(first);
    }
    // Rules, units and blank lines may be between it and the header.
    let above = (earliest..first).rev().take(BELOW + 1).take_while(|line| !typed(*line)).find(|line| fits(*line));
    Some(above.unwrap_or(first))
}

/// The fields of a line, quotes followed.  Where text follows a closing quote, this is not the delimiter.
pub(super) fn split(line: &[u8], delimiter: Delimiter, quotes: Quotes) -> Vec<&[u8]> {
    let quote = quotes.mark;
    let line = if delimiter == Delimiter::Blanks { line.trim_ascii() } else { line };
    let (mut fields, mut start, mut quoted) = (Vec::new(), 0, false);
    let (mut closed, mut escaped) = (false, false);
    for (at, byte) in line.iter().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        if quotes.escaped && quoted && *byte == b'\\' {
            escaped = true;
            continue;
        }
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

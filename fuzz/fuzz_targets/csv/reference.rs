//! The reference implementation: the `csv` crate, a record at a time, for files whose columns are all texts.

use csv::{ByteRecord, ReaderBuilder, Terminator};

use crate::case::{Case, Head};

/// What must become of a file.
pub struct Reference {
    /// The rows of the output, `None` for a null.
    pub rows: Vec<Vec<Option<String>>>,
    /// The numbers of the bad records, counted from 1.
    pub bad: Vec<u64>,
    /// How many records there are below the header.
    pub records: u64,
    /// Whether the file ends inside quotes.
    pub open: bool,
}

/// A record that stands at the end of the text if no quote is open there.
const END: &str = "END";

impl Reference {
    /// Reads the case's file; `None` where the crate has no such dialect.
    pub fn read(case: &Case) -> Option<Self> {
        let line_end = case.line_end();
        let strings = case.types.iter().all(|data_type| *data_type == Some("string"));
        let comment_by_cr = line_end == b'\r' && case.comment.is_some();
        if !strings || case.rule.is_some() || comment_by_cr || line_end == b'\n' && has_lone_cr(&case.bytes) {
            return None;
        }
        // Escapes outside quotes, and text behind a closing quote, are no business of the crate.
        if case.quote.is_none() && case.escape.is_some() || has_text_behind_quotes(case) {
            return None;
        }
        let terminator = if line_end == b'\r' { Terminator::Any(b'\r') } else { Terminator::CRLF };
        let mut text = case.bytes.clone();
        text.push(line_end);
        text.extend(END.as_bytes());
        let mut reader = ReaderBuilder::new()
            .delimiter(case.delimiter)
            .quoting(case.quote.is_some())
            .quote(case.quote.unwrap_or(b'"'))
            .escape(case.escape)
            .comment(case.comment)
            .terminator(terminator)
            .flexible(true)
            .has_headers(false)
            .from_reader(&*text);
        let mut records: Vec<ByteRecord> =
            reader.byte_records().map(|record| record.expect("memory can be read")).collect();
        let open = records.pop().is_none_or(|last| last != ByteRecord::from(vec![END]));
        let header = usize::from(case.head == Head::Names);
        let mut reference = Self { rows: Vec::new(), bad: Vec::new(), records: 0, open };
        for record in records.iter().skip(header) {
            reference.take(case, record);
        }
        Some(reference)
    }

    fn take(&mut self, case: &Case, record: &ByteRecord) {
        self.records += 1;
        let width = case.types.len();
        let null = case.on_bad == "null";
        let ragged = record.len() != width && case.ragged != Some("fit");
        let fields: Vec<Result<String, ()>> =
            (0..width).map(|column| text(case, record.get(column).unwrap_or(b""))).collect();
        let repeats = |(column, field): (usize, &[u8])| field == format!("c{}", column + 1).as_bytes();
        let header =
            width > 1 && case.head == Head::Names && record.len() == width && record.iter().enumerate().all(repeats);
        let bad = ragged || header || fields.iter().any(Result::is_err);
        if bad {
            self.bad.push(self.records);
        }
        if !header && (!bad || null) {
            let value = |field: Result<String, ()>| {
                field.ok().filter(|text| !text.is_empty() && !case.nulls.contains(&text.as_str()))
            };
            self.rows.push(fields.into_iter().map(value).collect());
        }
    }
}

fn text(case: &Case, field: &[u8]) -> Result<String, ()> {
    if case.latin1 {
        return Ok(field.iter().map(|byte| char::from(*byte)).collect());
    }
    String::from_utf8(field.to_vec()).map_err(|_| ())
}

fn has_text_behind_quotes(case: &Case) -> bool {
    let Some(quote) = case.quote else { return false };
    let (bytes, line_end) = (&case.bytes, case.line_end());
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let (mut at, mut row) = (0, 0);
    while at < bytes.len() {
        let first = at == row || bytes[at - 1] == case.delimiter;
        if first && bytes[at] == quote && Some(bytes[row]) != case.comment {
            at += 1;
            while at < bytes.len() {
                let escaped = Some(bytes[at]) == case.escape || bytes[at] == quote && bytes.get(at + 1) == Some(&quote);
                if bytes[at] == quote && !escaped {
                    break;
                }
                at += if escaped { 2 } else { 1 };
            }
            at += 1;
            match bytes.get(at..) {
                None | Some([]) => {}
                Some([b'\r', b'\n', ..]) if line_end == b'\n' => {}
                Some([next, ..]) if *next == case.delimiter || *next == line_end => {}
                _ => return true,
            }
            continue;
        }
        if bytes[at] == line_end {
            row = at + 1;
        }
        at += 1;
    }
    false
}

/// A `\r` that is no part of `\r\n` is text for the reader and a line end for the crate.
fn has_lone_cr(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}

//! Where a stretch of CSV can be cut: after its last whole record.
//!
//! The thread that reads must find a cut in every chunk, and must not fall behind the threads that decode.  It follows the
//! quotes alone, which `memchr` finds at many gigabytes a second: outside quotes a quote counts if it is a field's first
//! byte; inside, a doubled or escaped one doesn't.  That is exact, not a guess, so that no chunk has to be read twice.

use memchr::{memchr, memchr2, memrchr};

use super::dialect::Dialect;

/// What was found in a stretch that begins at the start of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The end of the last whole record; `None` if there is none.
    pub end: Option<usize>,
    /// The quote that is open at the end of the stretch.
    pub open: Option<usize>,
}

/// Follows the quotes through `bytes`.
pub(crate) fn last_record(bytes: &[u8], dialect: &Dialect) -> Cut {
    let line_end = |from: usize, to: usize| memrchr(dialect.line_end, &bytes[from..to]).map(|at| from + at + 1);
    let Some(quote) = dialect.quote else { return Cut { end: line_end(0, bytes.len()), open: None } };
    let mut end = None;
    // What lies outside quotes from here on.
    let mut from = 0;
    let mut next = 0;
    while let Some(at) = memchr(quote, &bytes[next..]).map(|at| next + at) {
        next = at + 1;
        if !opens(bytes, at, from, dialect) {
            continue;
        }
        end = line_end(from, at).or(end);
        let Some(after) = closing(bytes, next, quote, dialect.escape) else { return Cut { end, open: Some(at) } };
        (from, next) = (after, after);
    }
    Cut { end: line_end(from, bytes.len()).or(end), open: None }
}

/// Whether the quote outside quotes at `at` opens a field: it is the field's first byte, and its line is no comment.
fn opens(bytes: &[u8], at: usize, from: usize, dialect: &Dialect) -> bool {
    let first = at == 0 || bytes[at - 1] == dialect.delimiter || bytes[at - 1] == dialect.line_end;
    if !first {
        return false;
    }
    let Some(comment) = dialect.comment else { return true };
    // A comment holds no quoted fields, so that its whole line lies behind `from`.
    match memrchr(dialect.line_end, &bytes[from..at]) {
        Some(line) => bytes[from + line + 1] != comment,
        None => from > 0 || bytes[0] != comment,
    }
}

/// The place after the quote that closes the field whose text begins at `next`.
fn closing(bytes: &[u8], mut next: usize, quote: u8, escape: Option<u8>) -> Option<usize> {
    loop {
        let at = next + memchr2(quote, escape.unwrap_or(quote), &bytes[next..])?;
        if bytes[at] == quote && bytes.get(at + 1) != Some(&quote) {
            return Some(at + 1);
        }
        next = at + 2;
        if next > bytes.len() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lie_behind_whole_records() {
        let plain = Dialect::default();
        let special = Dialect { comment: Some(b'#'), escape: Some(b'\\'), ..Dialect::default() };
        for (dialect, text, end, open) in [
            (&plain, "", None, None),
            (&plain, "a,b", None, None),
            (&plain, "a,b\nc", Some(4), None),
            (&plain, "a,\"b\nc\"\nd", Some(8), None),
            (&plain, "x\na,\"b\nc", Some(2), Some(4)),
            (&plain, "x\n\"a\"\"", Some(2), Some(2)),
            (&plain, "5\" pipe\n6\"\n7", Some(11), None),
            (&plain, "\"a\"\n", Some(4), None),
            (&plain, "\"\"\n\"\"\"\n\"\n", Some(9), None),
            (&special, "# \"it's\n1\n", Some(10), None),
            (&special, "#\"\n1\n", Some(5), None),
            (&special, "a\n#,\"\n1\n", Some(8), None),
            (&special, "\"#\",\"\n\"\n1", Some(8), None),
            (&special, "\"a\\\"\n\"\n1", Some(7), None),
            (&special, "\"a\\", None, Some(0)),
        ] {
            assert_eq!(last_record(text.as_bytes(), dialect), Cut { end, open }, "{text:?}");
        }
    }
}

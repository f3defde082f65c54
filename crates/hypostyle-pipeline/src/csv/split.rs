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
    let Some(quote) = dialect.quote else {
        let mut end = line_end(0, bytes.len());
        while let (Some(at), Some(escape)) = (end, dialect.escape) {
            // A line end behind an odd number of escapes is text.
            if bytes[..at - 1].iter().rev().take_while(|byte| **byte == escape).count() % 2 == 0 {
                break;
            }
            end = line_end(0, at - 1);
        }
        return Cut { end, open: None };
    };
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

/// The byte that ends the lines: `\n` if there is one outside quotes, else `\r` if there is one.
pub(crate) fn line_end(bytes: &[u8], dialect: &Dialect) -> u8 {
    let (mut at, mut returns) = (0, false);
    // Either of the two may end a line, as long as it is not known which one does.
    let mut line = 0;
    while let Some(byte) = bytes.get(at) {
        let first = at == line || dialect.is_delimiter(bytes[at - 1]);
        let is_comment = || dialect.comment.is_some_and(|comment| bytes[line] == comment);
        at += 1;
        match byte {
            b'\n' => return b'\n',
            b'\r' => (returns, line) = (true, at),
            _ if first && Some(*byte) == dialect.quote && !is_comment() => {
                let Some(after) = closing(bytes, at, *byte, dialect.escape) else { break };
                at = after;
            }
            _ => {}
        }
    }
    if returns { b'\r' } else { b'\n' }
}

/// Whether the quote outside quotes at `at` opens a field: it is the field's first byte, and its line is no comment.
fn opens(bytes: &[u8], at: usize, from: usize, dialect: &Dialect) -> bool {
    let first = at == 0 || dialect.is_delimiter(bytes[at - 1]) || bytes[at - 1] == dialect.line_end;
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
pub(super) fn closing(bytes: &[u8], mut next: usize, quote: u8, escape: Option<u8>) -> Option<usize> {
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
    fn the_line_end_is_what_stands_outside_quotes() {
        let plain = Dialect::default();
        let unquoted = Dialect { quote: None, ..Dialect::default() };
        let special = Dialect { comment: Some(b'#'), escape: Some(b'\\'), ..Dialect::default() };
        for (dialect, text, expected) in [
            (&plain, "a,b", b'\n'),
            (&plain, "a,b\r1,2\r", b'\r'),
            (&plain, "a,b\r\n1,2\r\n", b'\n'),
            (&plain, "id,s,p\r0,\"a\nb\",x\r1,plain,y\r", b'\r'),
            (&plain, "\"a\nb\"\r\"\"\"\n\"\r", b'\r'),
            (&plain, "\"a\rb\"\n1\r\n", b'\n'),
            (&plain, "5\" pipe\r\"\n\"\r", b'\r'),
            (&plain, "\"never closed\n", b'\n'),
            (&unquoted, "\"a\nb\"\r1\r", b'\n'),
            (&special, "#\"\r\"a\\\"\n\"\r", b'\r'),
            (&special, "#\"\r1\n", b'\n'),
        ] {
            assert_eq!(line_end(text.as_bytes(), dialect), expected, "{text:?}");
        }
    }

    #[test]
    fn cuts_lie_behind_whole_records() {
        let plain = Dialect::default();
        let special = Dialect { comment: Some(b'#'), escape: Some(b'\\'), ..Dialect::default() };
        let tabs = Dialect { quote: None, escape: Some(b'\\'), ..Dialect::default() };
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
            (&tabs, "a\n\"b\\\nc", Some(2), None),
            (&tabs, "a\nb\\\\\nc", Some(6), None),
            (&tabs, "b\\\nc", None, None),
        ] {
            assert_eq!(last_record(text.as_bytes(), dialect), Cut { end, open }, "{text:?}");
        }
    }
}

//! The dialect of a CSV file.

use std::borrow::Cow;

use crate::config::Encoding;
use crate::model::values::NullValues;

/// The bytes and words that mean something, and what is done about rows that don't keep to the columns.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    /// `None`: quoting is disabled.
    pub quote: Option<u8>,
    /// Inside quotes: the byte after it is text, whatever it is.  A doubled quote is a quote in any case.
    pub escape: Option<u8>,
    /// A line that begins with it is no record.
    pub comment: Option<u8>,
    /// `\n` (with or without `\r` before it); `\r` for files that have no other.  It is detected per file.
    pub line_end: u8,
    pub header: bool,
    pub nulls: NullValues,
    /// `1,5` is one and a half.
    pub decimal_comma: bool,
    pub encoding: Encoding,
    /// Rows with too few or too many fields are filled up or cut off, rather than being bad.
    pub fit: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            comment: None,
            line_end: b'\n',
            header: true,
            nulls: NullValues::default(),
            decimal_comma: false,
            encoding: Encoding::Utf8,
            fit: false,
        }
    }
}

impl Dialect {
    /// Whether a field is quoted, so that [`Dialect::text`] has something to do.
    #[inline]
    pub fn is_quoted(&self, field: &[u8]) -> bool {
        self.quote.is_some() && field.first().copied() == self.quote
    }

    /// What a field says: without its quotes, and with doubled or escaped bytes as one.  What follows the closing quote is
    /// text too.
    pub fn text<'a>(&self, field: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(quote) = self.quote.filter(|_| self.is_quoted(field)) else { return Cow::Borrowed(field) };
        let inner = &field[1..];
        if let [plain @ .., last] = inner
            && *last == quote
            && memchr::memchr2(quote, self.escape.unwrap_or(quote), plain).is_none()
        {
            return Cow::Borrowed(plain);
        }
        let mut text = Vec::with_capacity(inner.len());
        let mut bytes = inner.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if Some(byte) == self.escape
                && let Some(next) = bytes.next()
            {
                text.push(next);
            } else if byte != quote {
                text.push(byte);
            } else if bytes.next_if_eq(&quote).is_some() {
                text.push(quote);
            } else {
                text.extend(bytes.by_ref());
            }
        }
        Cow::Owned(text)
    }

    /// What a field of the file itself says, as UTF-8 where its encoding is known.
    pub fn decoded<'a>(&self, field: &'a [u8]) -> Cow<'a, [u8]> {
        let text = self.text(field);
        match self.encoding {
            Encoding::Latin1 if !text.is_ascii() => Cow::Owned(latin1(&text)),
            _ => text,
        }
    }
}

/// Latin-1 as UTF-8.
pub(crate) fn latin1(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_their_quotes() {
        let plain = Dialect::default();
        let escaped = Dialect { escape: Some(b'\\'), ..Dialect::default() };
        for (dialect, field, text) in [
            (&plain, "a", "a"),
            (&plain, "", ""),
            (&plain, r#""a,b""#, "a,b"),
            (&plain, r#""""#, ""),
            (&plain, r#""a ""b"" c""#, r#"a "b" c"#),
            (&plain, r#""""""#, r#"""#),
            (&plain, r#""a" b"c""#, r#"a b"c""#),
            (&plain, r#"5" pipe"#, r#"5" pipe"#),
            (&escaped, r#""a \"b\" \\""#, r#"a "b" \"#),
            (&escaped, r#""a ""b""""#, r#"a "b""#),
        ] {
            assert_eq!(dialect.text(field.as_bytes()), text.as_bytes(), "{field}");
        }
    }
}

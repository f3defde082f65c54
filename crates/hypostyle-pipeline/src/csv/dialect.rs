//! The dialect of a CSV file.

use std::borrow::Cow;

use crate::config::Encoding;
use crate::model::values::ValueStyle;

/// The bytes and words that mean something, and what is done about rows that don't keep to the columns.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    /// One or more blanks or tabs are one delimiter, which is then a blank.
    pub blanks: bool,
    /// `None`: quoting is disabled.
    pub quote: Option<u8>,
    /// Inside quotes: the byte after it is text, whatever it is.  A doubled quote is a quote in any case.  Where quoting is
    /// disabled: anywhere, with `\t`, `\n` and so on for what is not text.
    pub escape: Option<u8>,
    /// A line that begins with it is no record.
    pub comment: Option<u8>,
    /// `\n` (with or without `\r` before it); `\r` for files that have no other.  It is detected per file.
    pub line_end: u8,
    pub header: bool,
    /// The names of the columns stand behind this, in a comment above the rows.
    pub header_prefix: Option<String>,
    /// The lines above the header, and the records below it, that are ignored.
    pub skip: [usize; 2],
    /// Tables of InfluxDB, each with annotations and a header.
    pub annotated: bool,
    /// Blanks around fields are ignored.
    pub trim: bool,
    /// Fields such as `="007"` are the text in quotes.
    pub text_formulas: bool,
    /// The header has no name for the first column.
    pub short_header: bool,
    pub style: ValueStyle,
    pub encoding: Encoding,
    /// Rows with too few or too many fields are filled up or cut off, rather than being bad.
    pub fit: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: b',',
            blanks: false,
            quote: Some(b'"'),
            escape: None,
            comment: None,
            line_end: b'\n',
            header: true,
            header_prefix: None,
            skip: [0; 2],
            annotated: false,
            trim: false,
            text_formulas: false,
            short_header: false,
            style: ValueStyle::default(),
            encoding: Encoding::Utf8,
            fit: false,
        }
    }
}

impl Dialect {
    /// Whether a field is quoted or has escapes, so that [`Dialect::text`] has something to do.
    #[inline]
    pub fn is_quoted(&self, field: &[u8]) -> bool {
        match self.quote {
            Some(quote) => field.first() == Some(&quote) || self.text_formulas && field.first() == Some(&b'='),
            None => self.escape.is_some_and(|escape| field.contains(&escape)),
        }
    }

    /// Whether the byte stands between fields.
    pub fn is_delimiter(&self, byte: u8) -> bool {
        byte == self.delimiter || self.blanks && byte == b'\t'
    }

    /// The field without the blanks around it, if blanks separate fields or are ignored.
    #[inline]
    pub fn trimmed<'a>(&self, field: &'a [u8]) -> &'a [u8] {
        if self.blanks || self.trim { field.trim_ascii() } else { field }
    }

    /// Whether `\N` is null.
    pub fn has_null_escape(&self) -> bool {
        self.quote.is_none() && self.escape.is_some()
    }

    /// Whether the field is `\N`, and that is null.
    pub fn is_null_escape(&self, field: &[u8]) -> bool {
        self.quote.is_none() && self.escape.is_some_and(|escape| *field == [escape, b'N'])
    }

    /// What a field with escapes outside quotes says.
    fn unescaped(&self, field: &[u8], escape: u8) -> Vec<u8> {
        let mut text = Vec::with_capacity(field.len());
        let mut bytes = field.iter().copied();
        while let Some(byte) = bytes.next() {
            let byte = if byte == escape { bytes.next().map_or(escape, escaped) } else { byte };
            text.push(byte);
        }
        text
    }

    /// What a field says: without its quotes, and with doubled or escaped bytes as one; `None` if text follows the closing
    /// quote.  Blanks behind it are ignored.
    pub fn unquoted<'a>(&self, field: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if !self.is_quoted(field) {
            return Some(Cow::Borrowed(field));
        }
        let Some(quote) = self.quote else {
            return Some(self.escape.map_or(Cow::Borrowed(field), |escape| Cow::Owned(self.unescaped(field, escape))));
        };
        if field.first() == Some(&b'=') {
            return Some(Cow::Borrowed(of_formula(field, quote)));
        }
        let inner = &field[1..];
        if let [plain @ .., last] = inner
            && *last == quote
            && memchr::memchr2(quote, self.escape.unwrap_or(quote), plain).is_none()
        {
            return Some(Cow::Borrowed(plain));
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
            } else if !bytes.all(|byte| byte == b' ' || byte == b'\t') {
                return None;
            } else {
                break;
            }
        }
        if self.text_formulas {
            text = of_formula(&text, quote).to_vec();
        }
        Some(Cow::Owned(text))
    }

    /// As [`Dialect::unquoted`]; the field as it is if text follows the closing quote.
    pub fn text<'a>(&self, field: &'a [u8]) -> Cow<'a, [u8]> {
        self.unquoted(field).unwrap_or(Cow::Borrowed(field))
    }

    /// What a field of the file itself says, as UTF-8 where its encoding is known.
    pub fn decoded<'a>(&self, field: &'a [u8]) -> Cow<'a, [u8]> {
        let text = self.text(field);
        match self.encoding {
            Encoding::Utf8 => text,
            _ if text.is_ascii() => text,
            encoding => Cow::Owned(as_utf8(encoding, &text)),
        }
    }
}

/// The text of a formula such as `="007"`; any other formula as it is.
fn of_formula(field: &[u8], quote: u8) -> &[u8] {
    let text = field.strip_prefix(&[b'=', quote]).and_then(|rest| rest.trim_ascii_end().strip_suffix(&[quote]));
    text.filter(|text| !text.contains(&quote)).unwrap_or(field)
}

/// What an escaped byte stands for outside quotes.
fn escaped(byte: u8) -> u8 {
    match byte {
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'0' => 0,
        other => other,
    }
}

/// Text of an encoding, each byte of which is a character, as UTF-8.
pub(crate) fn as_utf8(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    let other = match encoding {
        Encoding::Utf8 => return bytes.to_vec(),
        Encoding::Latin1 => return bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes(),
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252,
        Encoding::Windows1250 => encoding_rs::WINDOWS_1250,
        Encoding::Windows1251 => encoding_rs::WINDOWS_1251,
        Encoding::Iso8859_2 => encoding_rs::ISO_8859_2,
        Encoding::Iso8859_15 => encoding_rs::ISO_8859_15,
    };
    other.decode_without_bom_handling(bytes).0.into_owned().into_bytes()
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
            (&plain, r#""a" b"c""#, r#""a" b"c""#),
            (&plain, "\"a\" \t", "a"),
            (&plain, r#"5" pipe"#, r#"5" pipe"#),
            (&escaped, r#""a \"b\" \\""#, r#"a "b" \"#),
            (&escaped, r#""a ""b""""#, r#"a "b""#),
        ] {
            assert_eq!(dialect.text(field.as_bytes()), text.as_bytes(), "{field}");
        }
        let formulas = Dialect { text_formulas: true, ..Dialect::default() };
        for (field, text) in
            [(r#"="007""#, "007"), (r#""=""007""""#, "007"), ("=A1+2", "=A1+2"), (r#""a""#, "a"), (r#"="""#, "")]
        {
            assert_eq!(formulas.text(field.as_bytes()), text.as_bytes(), "{field}");
            assert!(!text.starts_with('0') || plain.text(field.as_bytes()) != text.as_bytes());
        }
        let tabs = Dialect { quote: None, escape: Some(b'\\'), ..Dialect::default() };
        for (field, text) in [("a\\tb", "a\tb"), ("\\\\n", "\\n"), ("\"a\\\n", "\"a\n"), ("a\\", "a\\"), ("\\'x", "'x")]
        {
            assert_eq!(tabs.text(field.as_bytes()), text.as_bytes(), "{field}");
        }
        assert!(tabs.is_null_escape(b"\\N") && !plain.is_null_escape(b"\\N"));
        for field in [r#""a" b"c""#, r#""q\"q""#, r#""a"b"#] {
            assert_eq!(plain.unquoted(field.as_bytes()), None, "{field}");
        }
    }
}

//! What the fuzzer's bytes mean: a digit for each setting of the pipeline, a line end, then the text of the file.
//!
//! Digits and a plain text make a seed that can be read and written by hand.  In the text, bytes that UTF-8 never has stand
//! for what matters in the case's own dialect, so that random bytes are rich in delimiters, quotes and line ends whatever
//! these are; all other bytes stand for themselves.

use std::fmt::{self, Write};

use arbitrary::{Arbitrary, Result, Unstructured};

/// A file and a pipeline that reads it.
pub struct Case {
    pub delimiter: u8,
    /// `None`: there are no quotes.
    pub quote: Option<u8>,
    pub escape: Option<u8>,
    pub comment: Option<u8>,
    pub head: Head,
    /// The types of the columns; none for those that are left to be inferred.
    pub types: Vec<Option<&'static str>>,
    pub pattern: Option<&'static str>,
    pub nulls: &'static [&'static str],
    pub decimal_comma: bool,
    pub latin1: bool,
    pub ragged: Option<&'static str>,
    pub on_bad: &'static str,
    pub max_bad: Option<u64>,
    pub rule: Option<&'static str>,
    /// The delimiter of the output; none where nothing is written.
    pub sink: Option<u8>,
    pub again: Steps,
    pub bytes: Vec<u8>,
}

/// What the first record is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The names, written for the case.
    Names,
    /// Values, written for the case: the file has no header.
    Values,
    /// Whatever the text begins with, as a header or not.
    Any { header: bool },
}

/// The sizes that no answer may depend on.
#[derive(Clone, Copy)]
pub struct Steps {
    pub chunk_bytes: usize,
    pub batch_rows: usize,
    pub threads: usize,
}

impl Steps {
    /// The whole file at once, by one thread.
    pub const WHOLE: Self = Self { chunk_bytes: 1 << 21, batch_rows: 1 << 16, threads: 1 };
}

const TYPES: [Option<&str>; 16] = [
    None,
    Some("string"),
    Some("i64"),
    Some("f64"),
    Some("timestamp[us]"),
    Some("date"),
    Some("decimal[6, 2]"),
    Some("bool"),
    Some("i8"),
    Some("u64"),
    Some("f32"),
    Some("timestamp[s, +02:00]"),
    Some("timestamp[ns, UTC]"),
    Some("dictionary"),
    Some("large_string"),
    Some("decimal[38, 0]"),
];
const PATTERNS: [Option<&str>; 6] =
    [None, Some("%d/%m/%Y"), Some("epoch[ms]"), Some("%Y%m%d %H%M %z"), Some("%Y-%m-%d %H:%M:%S%.f"), Some("%s")];
const NULLS: [&[&str]; 4] = [&[], &["NA"], &["-", "n/a"], &["é", " "]];
const RULES: [Option<&str>; 8] = [
    None,
    None,
    None,
    Some("not_null = true"),
    Some("unique = true"),
    Some("increasing = true"),
    Some("increasing = \"strictly\""),
    Some("one_of = [\"a\", \"b\"]"),
];

/// The case's digits, one after the other.
struct Digits<'a, 'b>(&'a mut Unstructured<'b>);

impl Digits<'_, '_> {
    fn below(&mut self, count: usize) -> Result<usize> {
        Ok(usize::from(u8::arbitrary(self.0)?.wrapping_sub(b'0')) % count)
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> Result<T> {
        Ok(choices[self.below(choices.len())?])
    }
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut digits = Digits(u);
        let delimiter = digits.pick(b",;\t| :-x")?;
        let quote = digits.pick(&[Some(b'"'), Some(b'\''), None, Some(b'`')])?;
        let escape = digits.pick(&[None, Some(b'\\'), None, Some(b'^')])?;
        let comment = digits.pick(&[None, Some(b'#'), None, Some(b'/')])?;
        let head = [Head::Names, Head::Values, Head::Any { header: true }, Head::Any { header: false }];
        let head = digits.pick(&head)?;
        let bom = digits.pick(&[false, true])?;
        let line_end = digits.pick(&["\n", "\r\n", "\r"])?;
        let width = 1 + digits.below(4)?;
        let strings = digits.pick(&[true, false])?;
        let mut types = [TYPES[1]; 4];
        for data_type in &mut types {
            let picked = digits.pick(&TYPES)?;
            *data_type = if strings { *data_type } else { picked };
        }
        let types = match head {
            Head::Any { .. } => vec![None],
            _ => types[..width].to_vec(),
        };
        let mut case = Self {
            delimiter,
            quote,
            escape,
            comment,
            head,
            types,
            pattern: digits.pick(&PATTERNS)?,
            nulls: digits.pick(&NULLS)?,
            decimal_comma: digits.pick(&[false, true])?,
            latin1: digits.pick(&[false, true])?,
            ragged: digits.pick(&[None, Some("bad"), Some("fit")])?,
            on_bad: digits.pick(&["fail", "null", "skip", "reject"])?,
            max_bad: digits.pick(&[None, Some(0), Some(1), Some(3)])?,
            rule: digits.pick(&RULES)?,
            sink: digits.pick(&[Some(b','), None, Some(b';'), Some(b'\t')])?,
            again: Steps {
                chunk_bytes: 1 + digits.below(200)?,
                batch_rows: 1 + digits.below(9)?,
                threads: 1 + digits.below(3)?,
            },
            bytes: Vec::new(),
        };
        case.max_bad = case.max_bad.filter(|_| case.on_bad != "fail");
        u8::arbitrary(u)?;
        case.bytes = case.text(bom, width, line_end, u.bytes(u.len())?);
        Ok(case)
    }
}

/// The pipeline and the text, to be tried by hand.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}# threads = {}\n{}",
            self.toml("rejects.csv", self.again),
            self.again.threads,
            self.bytes.escape_ascii()
        )
    }
}

impl Case {
    /// The file: a byte order mark and a first record where the case has them, then what the fuzzer wrote.
    fn text(&self, bom: bool, width: usize, line_end: &str, raw: &[u8]) -> Vec<u8> {
        const BOM: &[u8] = "\u{feff}".as_bytes();
        let mut text = if bom { BOM.to_vec() } else { Vec::new() };
        if !matches!(self.head, Head::Any { .. }) {
            for column in 1..=width {
                text.extend(format!("c{column}").as_bytes());
                if column < width {
                    text.push(self.delimiter);
                }
            }
            text.extend(line_end.as_bytes());
        }
        for byte in raw {
            match byte {
                0xf5 => text.push(self.delimiter),
                0xf6 => text.extend(self.quote),
                0xf7 => text.extend([self.quote, self.quote].iter().flatten()),
                0xf8 => text.extend(self.escape),
                0xf9 => text.extend(self.comment),
                0xfa => text.push(b'\n'),
                0xfb => text.extend(b"\r\n"),
                0xfc => text.extend(BOM),
                0xfd => text.extend(self.nulls.first().unwrap_or(&"").as_bytes()),
                // Long enough to carry what follows over the border of a block.
                0xfe => text.extend([b'1'; 61]),
                0xff => text.extend([Some(self.delimiter), self.quote].iter().flatten()),
                byte => text.push(*byte),
            }
        }
        text
    }

    /// The first column's name, where it has one that is known.
    fn first(&self) -> Option<&'static str> {
        match self.head {
            Head::Names => Some("c1"),
            Head::Values | Head::Any { header: false } => Some("column_1"),
            Head::Any { header: true } => None,
        }
    }

    /// The pipeline file; `rejects` is where they would go.
    pub fn toml(&self, rejects: &str, steps: Steps) -> String {
        let mut toml = "[source]\n".to_string();
        let mut say = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(toml, "{key} = {value}");
            }
        };
        let shown = |byte: u8| format!("{:?}", char::from(byte).to_string());
        say("delimiter", (self.delimiter != b',').then(|| shown(self.delimiter)));
        say("quote", (self.quote != Some(b'"')).then(|| self.quote.map_or("\"\"".to_string(), shown)));
        say("escape", self.escape.map(shown));
        say("comment", self.comment.map(shown));
        let headless = matches!(self.head, Head::Values | Head::Any { header: false });
        say("header", headless.then(|| "false".to_string()));
        say("null_values", (!self.nulls.is_empty()).then(|| format!("{:?}", self.nulls)));
        say("decimal_comma", self.decimal_comma.then(|| "true".to_string()));
        say("encoding", self.latin1.then(|| "\"latin1\"".to_string()));
        say("ragged", self.ragged.map(|ragged| format!("{ragged:?}")));
        say("on_bad_row", (self.on_bad != "fail").then(|| format!("{:?}", self.on_bad)));
        say("max_bad_rows", self.max_bad.map(|rows| rows.to_string()));
        say("rejects", (self.on_bad == "reject").then(|| format!("{rejects:?}")));
        say("chunk_bytes", Some(steps.chunk_bytes.to_string()));
        say("batch_rows", Some(steps.batch_rows.to_string()));
        let prefix = if self.head == Head::Names { "c" } else { "column_" };
        for (index, data_type) in self.types.iter().enumerate() {
            say(&format!("schema.{prefix}{}", index + 1), data_type.map(|data_type| format!("{data_type:?}")));
        }
        if let Some(first) = self.first() {
            say(
                &format!("datetime_formats.{first}"),
                self.pattern.filter(|_| self.is_timed()).map(|text| format!("{text:?}")),
            );
            say(&format!("rules.{first}"), self.rule.map(|rule| format!("{{ {rule} }}")));
        }
        match self.sink {
            None => toml + "[sink]\nformat = \"none\"\n",
            Some(delimiter) => toml + &format!("[sink]\nformat = \"csv\"\ndelimiter = {}\n", shown(delimiter)),
        }
    }

    /// Whether the first column is one that a pattern is for.
    fn is_timed(&self) -> bool {
        self.types[0].is_some_and(|name| name == "date" || name.starts_with("timestamp"))
    }

    /// The byte that ends a line: `\r` in files that have no `\n`.
    pub fn line_end(&self) -> u8 {
        if !self.bytes.contains(&b'\n') && self.bytes.contains(&b'\r') { b'\r' } else { b'\n' }
    }
}

//! Annotated CSV of InfluxDB: several tables in a file, each below lines that say the types of its columns and what an empty field
//! means (`#datatype`, `#group`, `#default`), and a header of its own.
//!
//! The file is read twice: once for its tables, which is hardly more than a search for lines that begin with `#`, and once for
//! the rows.  So the columns of all tables are known before the first row.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};

use super::dialect::Dialect;
use super::split::last_record;
use crate::error::{Error, ErrorKind, Result};
use crate::files::bytes::{Buffer, Bytes};
use crate::files::input::InputFile;
use crate::model::time_format::TimeFormat;

/// The rows below one header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The names in the header; none for the column of the annotations.
    pub names: Vec<String>,
    pub types: Vec<String>,
    /// What an empty field means.
    pub defaults: Vec<String>,
    /// Where its rows begin and end.
    pub start: u64,
    pub end: u64,
    /// The line of the first.
    pub line: u64,
}

impl Block {
    /// All rows from a place on, below a header with these names.
    pub fn rest(names: Vec<String>, start: u64, line: u64) -> Self {
        Self { names, types: Vec::new(), defaults: Vec::new(), start, end: u64::MAX, line }
    }

    /// The names, types and formats of the columns that hold values.
    pub fn columns(&self) -> impl Iterator<Item = (&String, DataType, TimeFormat)> {
        let columns = self.names.iter().zip(&self.types).filter(|(name, _)| !name.is_empty());
        columns.map(|(name, data_type)| {
            let (data_type, format) = column_type(data_type);
            (name, data_type, format)
        })
    }
}

/// Whether a file begins like annotated CSV.
pub(crate) fn is_annotated(head: &[u8]) -> bool {
    let head = head.strip_prefix(BOM).unwrap_or(head);
    ANNOTATIONS.iter().any(|annotation| {
        let rest = head.strip_prefix(annotation.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b",") || rest.starts_with(b" "))
    })
}

const BOM: &[u8] = b"\xef\xbb\xbf";
const ANNOTATIONS: [&str; 4] = ["#datatype", "#group", "#default", "#constant"];

/// The type of a `#datatype`.
fn column_type(name: &str) -> (DataType, TimeFormat) {
    let nanos = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    let data_type = match name {
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "long" => DataType::Int64,
        "unsignedLong" => DataType::UInt64,
        "dateTime:number" => {
            return TimeFormat::parse_all(&["epoch[ns]".to_string()])
                .map_or((DataType::Utf8, TimeFormat::Iso), |format| (nanos, format));
        }
        "time" => nanos,
        _ if name.starts_with("dateTime") => nanos,
        _ => DataType::Utf8,
    };
    (data_type, TimeFormat::Iso)
}

/// The blocks of a file.
pub(crate) fn blocks(file: &InputFile) -> Result<Vec<Block>> {
    const SIZE: usize = 1 << 20;
    const MOST: usize = 64 << 20;
    let path = &file.path;
    let dialect = Dialect::default();
    let mut input = Bytes::open(file, 0, &Arc::default())?;
    let mut buffer = Buffer::default();
    let mut scan = Scan { line: 1, ..Scan::default() };
    let mut size = SIZE;
    loop {
        let ended = input.fill(&mut buffer, size)?;
        if scan.offset == 0 && !is_annotated(&buffer) && !buffer.is_empty() {
            let message = "the file does not begin with annotations of InfluxDB, such as #datatype";
            return Err(Error::new(ErrorKind::Source, message).in_file(path).help(NO_ANNOTATIONS));
        }
        if ended && buffer.last().is_some_and(|last| *last != b'\n') {
            buffer.push(b'\n');
        }
        let end = last_record(&buffer, &dialect).end.unwrap_or(0);
        scan.records(&buffer[..end]).map_err(|error| error.in_file(path))?;
        if ended {
            // A quote that is not closed is found when the rows are read.
            return Ok(scan.finish());
        }
        buffer.skip(end);
        // A record may be longer than what is read at once.
        size = if end == 0 { (size * 2).min(MOST) } else { SIZE };
        if end == 0 && buffer.len() >= MOST {
            return Ok(scan.finish());
        }
    }
}

const NO_ANNOTATIONS: &str = "remove dialect = \"influx\", or query with the annotations datatype, group and default";

#[derive(Default)]
struct Scan {
    blocks: Vec<Block>,
    /// The annotations above a header that is still to come.
    annotations: Option<Vec<Vec<String>>>,
    /// Where the next record begins.
    offset: u64,
    line: u64,
}

impl Scan {
    /// Takes whole records.
    fn records(&mut self, bytes: &[u8]) -> Result<()> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let length = match &mut self.annotations {
                None => match annotation(rest) {
                    Some(start) => {
                        self.end_block(self.offset + start as u64);
                        self.annotations = Some(Vec::new());
                        start
                    }
                    None => rest.len(),
                },
                Some(annotations) => {
                    let length = record(rest);
                    let fields = fields(&rest[..length])?;
                    let is_blank = fields.len() < 2 && fields.iter().all(String::is_empty);
                    if fields.first().is_some_and(|first| first.starts_with('#')) {
                        annotations.push(fields);
                    } else if !is_blank {
                        let annotations = std::mem::take(annotations);
                        self.annotations = None;
                        self.begin_block(fields, annotations, &rest[..length])?;
                    }
                    length
                }
            };
            self.line += memchr::memchr_iter(b'\n', &rest[..length]).count() as u64;
            self.offset += length as u64;
            at += length;
        }
        Ok(())
    }

    fn end_block(&mut self, end: u64) {
        if let Some(block) = self.blocks.last_mut() {
            block.end = block.end.min(end);
        }
    }

    fn begin_block(&mut self, names: Vec<String>, annotations: Vec<Vec<String>>, header: &[u8]) -> Result<()> {
        let line = self.line;
        let wrong = |message: String| {
            Error::new(ErrorKind::Malformed { line, record: 0, column: None }, message).help(NO_ANNOTATIONS)
        };
        let of = |wanted: &str| {
            annotations.iter().find_map(|fields| {
                let (name, first) = fields[0].split_once(' ').unwrap_or((fields[0].as_str(), ""));
                (name == wanted).then(|| [&[first.to_string()], &fields[1..]].concat())
            })
        };
        if of("#constant").is_some() {
            return Err(wrong("#constant is not supported".to_string())
                .help("write the constant as a column of its own, with its type in #datatype"));
        }
        let types = of("#datatype").ok_or_else(|| wrong("the header has no #datatype above it".to_string()))?;
        if types.len() != names.len() {
            return Err(wrong(format!("got {} types, but {} columns", types.len(), names.len())));
        }
        let mut seen = std::collections::HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(wrong(format!("the header names column '{twice}' twice")));
        }
        let defaults = of("#default").unwrap_or_default();
        let start = self.offset + header.len() as u64;
        let below = memchr::memchr_iter(b'\n', header).count() as u64;
        self.blocks.push(Block { names, types, defaults, start, end: u64::MAX, line: line + below });
        Ok(())
    }

    fn finish(mut self) -> Vec<Block> {
        self.end_block(self.offset);
        self.blocks
    }
}

/// Where the first annotation begins, among whole records.
fn annotation(bytes: &[u8]) -> Option<usize> {
    if bytes.strip_prefix(BOM).unwrap_or(bytes).starts_with(b"#") {
        return Some(0);
    }
    let (mut quotes, mut counted) = (0, 0);
    memchr::memmem::find_iter(bytes, b"\n#").find_map(|at| {
        // Inside quotes their number is odd.
        quotes += memchr::memchr_iter(b'"', &bytes[counted..at]).count();
        counted = at;
        (quotes % 2 == 0).then_some(at + 1)
    })
}

/// The length of the first record.
fn record(bytes: &[u8]) -> usize {
    let (mut quotes, mut counted) = (0, 0);
    let end = memchr::memchr_iter(b'\n', bytes).find(|at| {
        quotes += memchr::memchr_iter(b'"', &bytes[counted..*at]).count();
        counted = *at;
        quotes % 2 == 0
    });
    end.map_or(bytes.len(), |end| end + 1)
}

fn fields(record: &[u8]) -> Result<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).from_reader(record.strip_prefix(BOM).unwrap_or(record));
    let fields = reader.records().next().transpose().map_err(|error| {
        Error::new(ErrorKind::Source, "an annotation or a header is not valid UTF-8").because(error)
    })?;
    Ok(fields.map_or_else(Vec::new, |fields| fields.iter().map(str::to_string).collect()))
}

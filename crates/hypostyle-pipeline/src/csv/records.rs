//! Records: bytes from a file, cut by `csv-core` into one arena a block, without a copy or an allocation a record.
//!
//! Beyond what the tokeniser does, this file refuses what it would forgive: a record with too few or too many fields, and
//! a quote that is never closed (the tokeniser would swallow the rest of the file into one field).

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use csv_core::ReadRecordResult;

use super::Dialect;
use super::fault::locate;
use crate::error::{Error, ErrorKind, Result};

/// A block ends at so many bytes, however few its rows, which bounds the memory of files with fat fields.
const BLOCK_BYTES: usize = 32 << 20;
/// No record is longer than this; what is, is taken for an unclosed quote.
const RECORD_BYTES: usize = 64 << 20;
const READ_BYTES: usize = 256 << 10;

/// Records one after the other, each with the same number of fields.
#[derive(Debug, Default)]
pub(crate) struct Block {
    text: Vec<u8>,
    text_used: usize,
    /// The end of each field, counted from the record's first byte in `text`.
    ends: Vec<usize>,
    ends_used: usize,
    records: Vec<Record>,
    columns: usize,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// Where its fields begin in `text`.
    text: usize,
    /// Where it begins in the file.
    offset: u64,
}

impl Block {
    pub fn rows(&self) -> usize {
        self.records.len()
    }

    /// A field's bytes, without quotes.
    #[inline]
    pub fn field(&self, row: usize, column: usize) -> &[u8] {
        let ends = &self.ends[row * self.columns..(row + 1) * self.columns];
        let start = if column == 0 { 0 } else { ends[column - 1] };
        let text = self.records[row].text;
        &self.text[text + start..text + ends[column]]
    }

    /// Where the record begins in the file (or at the line ends before it).
    pub fn offset(&self, row: usize) -> u64 {
        self.records[row].offset
    }

    fn clear(&mut self, columns: usize) {
        self.records.clear();
        (self.text_used, self.ends_used, self.columns) = (0, 0, columns);
    }
}

/// The records of a file.
pub(crate) struct Records {
    path: PathBuf,
    input: BufReader<File>,
    core: csv_core::Reader,
    offset: u64,
    ended: bool,
    read: u64,
}

impl Records {
    pub fn open(path: &Path, dialect: &Dialect) -> Result<Self> {
        let file = File::open(path)
            .map_err(|error| Error::new(ErrorKind::Source, format!("can't open the input: {error}")).in_file(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            input: BufReader::with_capacity(READ_BYTES, file),
            core: csv_core::ReaderBuilder::new().delimiter(dialect.delimiter).build(),
            offset: 0,
            ended: false,
            read: 0,
        })
    }

    /// Bytes of the file that have been read.
    pub fn bytes_read(&self) -> u64 {
        self.offset
    }

    /// The first record as it stands, whatever its number of fields: the header, or a look at the first row.
    pub fn first(&mut self) -> Result<Option<Vec<Vec<u8>>>> {
        let mut block = Block::default();
        let Some(fields) = self.record(&mut block)? else { return Ok(None) };
        block.columns = fields;
        Ok(Some((0..fields).map(|column| block.field(0, column).to_vec()).collect()))
    }

    /// Fills the block with records of `columns` fields, at most `rows` of them; an empty block is the end.  A record that
    /// is wrong ends the block and is returned beside it, so that what is wrong before it in the file is reported first.
    pub fn fill(&mut self, block: &mut Block, columns: usize, rows: usize) -> Result<Option<Error>> {
        block.clear(columns);
        while block.rows() < rows && block.text_used < BLOCK_BYTES {
            match self.record(block) {
                Ok(None) => break,
                Ok(Some(fields)) => {
                    self.read += 1;
                    if fields != columns {
                        let row = block.rows() - 1;
                        let error = self.ragged(block.offset(row), fields, columns);
                        block.records.truncate(row);
                        return Ok(Some(error));
                    }
                }
                Err(error) if block.rows() == 0 => return Err(error),
                Err(error) => return Ok(Some(error)),
            }
        }
        Ok(None)
    }

    /// How many records below the header have been read.
    pub fn count(&self) -> u64 {
        self.read
    }

    /// Reads one record to the end of the block; the number of its fields.
    fn record(&mut self, block: &mut Block) -> Result<Option<usize>> {
        let record = Record { text: block.text_used, offset: self.offset };
        let (mut text, mut ends) = (block.text_used, block.ends_used);
        loop {
            reserve(&mut block.text, text, READ_BYTES);
            reserve(&mut block.ends, ends, 64);
            let (input, at_end) = match self.input.fill_buf() {
                Ok([]) if self.ended => (&b""[..], true),
                // The file's end closes its last line; inside quotes this line end would become text, which shows it.
                Ok([]) => (&b"\n"[..], true),
                Ok(input) => (input, false),
                Err(error) => {
                    let error = Error::new(ErrorKind::Source, format!("can't read the input: {error}"));
                    return Err(error.in_file(&self.path));
                }
            };
            let (result, taken, wrote, ended) =
                self.core.read_record(input, &mut block.text[text..], &mut block.ends[ends..]);
            text += wrote;
            ends += ended;
            if at_end {
                if !self.ended && wrote > 0 {
                    return Err(self.unclosed(record.offset, "the file ends inside a quoted field"));
                }
                self.ended |= taken > 0;
            } else {
                self.input.consume(taken);
                self.offset += taken as u64;
            }
            match result {
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => {
                    let fields = ends - block.ends_used;
                    (block.text_used, block.ends_used) = (text, ends);
                    block.records.push(record);
                    return Ok(Some(fields));
                }
                _ if text - record.text > RECORD_BYTES => {
                    return Err(self.unclosed(record.offset, "the record is longer than 64 MiB"));
                }
                _ => {}
            }
        }
    }

    fn malformed(&self, offset: u64, record: u64, message: String) -> Error {
        let line = locate(&self.path, offset);
        Error::new(ErrorKind::Malformed { line, record, column: None }, message).in_file(&self.path)
    }

    fn ragged(&self, offset: u64, found: usize, expected: usize) -> Error {
        let s = if found == 1 { "" } else { "s" };
        let record = self.read;
        self.malformed(
            offset,
            record,
            format!("record {record} has {found} field{s}, but the file has {expected} columns"),
        )
        .help("mend the row: perhaps a delimiter in a text that isn't quoted, or a line that was cut off")
    }

    fn unclosed(&self, offset: u64, what: &str) -> Error {
        let record = self.read + 1;
        self.malformed(offset, record, format!("a quote opened in record {record} is never closed: {what}"))
            .help("close the quote, or write a quote inside a text as two")
    }
}

/// Makes room for `more` items after the first `used`, and not an item at a time.
fn reserve<T: Copy + Default>(items: &mut Vec<T>, used: usize, more: usize) {
    if items.len() < used + more {
        items.resize((used + more).max(items.len() * 2), T::default());
    }
}

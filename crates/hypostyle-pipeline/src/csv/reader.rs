//! The rows of CSV files: a thread reads and cuts, a pool decodes, whoever calls [`CsvChunks::next`] gets the chunks in order
//! with every bad row's place.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use rayon::ThreadPool;

use super::cut::last_record;
use super::decode::{self, Fault, Fields};
use super::dialect::{Dialect, Encoding};
use super::moment::Written;
use super::open::{self, Opened, close_last_line, lines};
use super::table::{Odd, Table};
use crate::bad::{Bad, Place, Reason};
use crate::error::{Error, ErrorKind, Result};
use crate::ordered::{self, Jobs, Outcomes};
use crate::policy::{OnBad, nulled, without};
use crate::rules::ValueRule;
use crate::source::bytes::{Bytes, STANDARD};
use crate::source::{Chunk, Mark};

/// So much is decoded at once: large enough for a thread to be worth its while, small enough for its cache.
pub(crate) const CHUNK_BYTES: usize = 2 << 20;
/// No record is longer than this; what is, is taken for an unclosed quote.
const RECORD_BYTES: usize = 64 << 20;

/// What all chunks have in common.
pub(crate) struct Reading {
    pub files: Vec<Arc<Path>>,
    pub dialect: Dialect,
    /// How many columns a file has.
    pub width: usize,
    /// The names that every file's header must have.
    pub names: Vec<String>,
    /// The columns that are wanted: their place in the file, type and form.
    pub wanted: Vec<(usize, DataType, Written)>,
    /// The schema of the wanted columns.
    pub schema: SchemaRef,
    /// Rules for single values, each with the place of its column among the wanted ones.
    pub rules: Vec<(usize, ValueRule)>,
    pub on_bad: OnBad,
    /// Whether somebody will ask for places when the chunk is decoded.
    pub keep_text: bool,
    /// So much is decoded at once.
    pub chunk_bytes: usize,
    /// Bytes taken from the disk so far.
    pub read: Arc<AtomicU64>,
}

/// A chunk's way from the thread that reads to the one that takes it.
struct Cut {
    at: Mark,
    after: u64,
    decoded: Decoded,
    /// What is wrong with the file behind the chunk.
    end: Option<&'static str>,
}

/// What became of a chunk; places are counted from its beginning.
struct Decoded {
    batch: Result<RecordBatch>,
    bad: Vec<Found>,
    records: u64,
    lines: u64,
    text: Option<Text>,
}

/// A chunk's text, kept so that its rows can be found in it.
struct Text {
    bytes: Vec<u8>,
    converted: bool,
    table: Table,
    /// The rows of the table that are left, where some are not.
    left: Option<Vec<usize>>,
}

/// Tells the places of a chunk's rows after it was decoded.
pub(crate) struct Places {
    reading: Arc<Reading>,
    text: Text,
    at: Mark,
}

impl Places {
    /// Takes note that these of the batch's `count` rows are left out.
    pub fn leave_out(&mut self, count: usize, rows: impl Iterator<Item = usize>) {
        let gone: HashSet<usize> = rows.collect();
        let left = self.text.left.take().unwrap_or_else(|| (0..count).collect());
        let left = left.into_iter().enumerate().filter(|(row, _)| !gone.contains(row));
        self.text.left = Some(left.map(|(_, row)| row).collect());
    }

    /// The bad rows that these faults make; rows are counted as in the chunk's batch.
    pub fn bad(&self, faults: impl Iterator<Item = Fault>) -> Vec<Bad> {
        let Text { bytes, converted, table, left } = &self.text;
        let row = |row: usize| left.as_ref().map_or(row, |left| left[row]);
        let mut faults: Vec<Fault> = faults.map(|fault| Fault { row: row(fault.row), ..fault }).collect();
        let found = self.reading.bad(bytes, *converted, table, &mut faults, &[]);
        found.into_iter().map(|found| found.place(&self.reading.files[self.at.file], self.at)).collect()
    }
}

/// A bad row, with its place counted from the beginning of the chunk.
struct Found {
    record: u64,
    line: u64,
    offset: u64,
    /// Where the fault's field begins.
    field: usize,
    reason: Reason,
    column: Option<usize>,
    text: Vec<u8>,
    row: Vec<u8>,
}

impl Found {
    /// The bad row, for a chunk that begins at this mark.
    fn place(self, file: &Arc<Path>, at: Mark) -> Bad {
        let place = Place {
            file: Arc::clone(file),
            line: at.line + self.line,
            record: at.record + self.record,
            offset: at.offset + self.offset,
        };
        Bad { place, reason: self.reason, column: self.column, text: self.text, row: self.row }
    }
}

/// The rows of some CSV files, in order.
pub(crate) struct CsvChunks {
    reading: Arc<Reading>,
    outcomes: Option<Outcomes<Result<Cut>>>,
    reader: Option<JoinHandle<()>>,
    /// The file of the last chunk, and the line and record that come next in it.
    file: usize,
    line: u64,
    record: u64,
    late: Option<Error>,
}

impl CsvChunks {
    /// Begins to read at `opened`, or at `mark` where there is one.
    pub fn begin(
        reading: Reading,
        opened: Option<Opened>,
        mark: Option<Mark>,
        pool: Arc<ThreadPool>,
        ahead: usize,
    ) -> Result<Self> {
        let reading = Arc::new(reading);
        let start = match (mark, opened) {
            (Some(mark), _) => Start::Mark(mark),
            (None, Some(opened)) => Start::Opened(opened),
            (None, None) => Start::Mark(Mark { file: 0, offset: 0, line: 1, record: 1 }),
        };
        let (file, line, record) = match &start {
            Start::Opened(opened) => (opened.mark.file, opened.mark.line, opened.mark.record),
            Start::Mark(mark) => (mark.file, mark.line, mark.record),
        };
        let (jobs, outcomes) = ordered::channel(pool, ahead);
        let context = Arc::clone(&reading);
        let reader = thread::Builder::new()
            .name("csv-reader".to_string())
            .spawn(move || {
                if let Err(error) = (Reader { reading: context, jobs: &jobs }).read(start) {
                    jobs.give(move || Err(error));
                }
            })
            .map_err(|error| Error::new(ErrorKind::Source, "can't start a thread").because(error))?;
        Ok(Self { reading, outcomes: Some(outcomes), reader: Some(reader), file, line, record, late: None })
    }

    /// The next rows; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Chunk>> {
        if let Some(error) = self.late.take() {
            return Err(error);
        }
        let Some(outcome) = self.outcomes.as_ref().and_then(Outcomes::next) else { return Ok(None) };
        let cut = outcome.unwrap_or_else(|| Err(Error::panicked("decoding CSV")))?;
        if cut.at.file != self.file {
            (self.file, self.line, self.record) = (cut.at.file, cut.at.line, cut.at.record);
        }
        let file = &self.reading.files[self.file];
        let Decoded { batch, bad, records, lines, text } = cut.decoded;
        let at = Mark { file: self.file, offset: cut.at.offset, line: self.line, record: self.record };
        let bad = bad.into_iter().map(|found| found.place(file, at)).collect();
        if let Some(what) = cut.end {
            let (line, record) = (at.line + lines, at.record + records);
            self.late = Some(
                Error::new(
                    ErrorKind::Malformed { line, record, column: None },
                    format!("a quote opened in record {record} is never closed: {what}"),
                )
                .in_file(file)
                .help("close the quote, or write a quote inside a text as two"),
            );
        }
        let places = text.map(|text| Places { reading: Arc::clone(&self.reading), text, at });
        self.line += lines;
        self.record += records;
        let after = Mark { file: self.file, offset: cut.at.offset + cut.after, line: self.line, record: self.record };
        let bytes = self.reading.read.load(Ordering::Relaxed);
        Ok(Some(Chunk { batch: batch?, bad, places, file: self.file, first_record: at.record, after, bytes }))
    }
}

impl Drop for CsvChunks {
    fn drop(&mut self) {
        // Without anybody to take its chunks the reader ends.  A read from a file that is under way is waited for; one from
        // standard input may take for ever.
        self.outcomes = None;
        if let Some(reader) = self.reader.take()
            && self.reading.files.iter().all(|file| file.as_os_str() != STANDARD)
        {
            let _ = reader.join();
        }
    }
}

enum Start {
    Opened(Opened),
    Mark(Mark),
}

struct Reader<'a> {
    reading: Arc<Reading>,
    jobs: &'a Jobs<Result<Cut>>,
}

impl Reader<'_> {
    fn read(&self, start: Start) -> Result<()> {
        let Reading { files, dialect, read, .. } = &*self.reading;
        let (spare, spares) = channel();
        let first = match start {
            Start::Mark(mark) => {
                let input = Bytes::open(&files[mark.file], mark.offset, read)?;
                Opened { input, buffer: Vec::new(), ended: false, mark, names: vec![] }
            }
            Start::Opened(opened) => opened,
        };
        let next = first.mark.file + 1;
        if !self.read_file(first, &spare, &spares)? {
            return Ok(());
        }
        for file in next..files.len() {
            let mut dialect = dialect.clone();
            let Some(opened) = open::open(&files[file], file, &mut dialect, read)? else { continue };
            self.check_header(&files[file], &opened.names)?;
            if !self.read_file(opened, &spare, &spares)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Every file must have the columns of the first.
    fn check_header(&self, file: &Path, names: &[String]) -> Result<()> {
        let expected = &self.reading.names;
        if names == expected {
            return Ok(());
        }
        let quoted = crate::source::quoted;
        let message =
            format!("its columns are {}, but those of the first file are {}", quoted(names), quoted(expected));
        Err(Error::new(ErrorKind::Source, message)
            .in_file(file)
            .help("files that are read together have the same columns in the same order"))
    }

    /// Cuts a file into chunks and gives them out; whether anybody still takes them.
    fn read_file(&self, opened: Opened, spare: &Sender<Vec<u8>>, spares: &Receiver<Vec<u8>>) -> Result<bool> {
        let dialect = &self.reading.dialect;
        let Opened { mut input, mut buffer, mut ended, mut mark, .. } = opened;
        loop {
            if !ended {
                ended = self.fill(&mut input, &mut buffer, self.reading.chunk_bytes)?;
            }
            if buffer.is_empty() {
                return Ok(true);
            }
            let mut size = self.reading.chunk_bytes.min(buffer.len());
            let (cut, whole) = loop {
                let whole = ended && size == buffer.len();
                let cut = last_record(&buffer[..size], dialect);
                if cut.end.is_some() || whole || size >= RECORD_BYTES {
                    break (cut, whole);
                }
                size = (size * 2).min(RECORD_BYTES);
                if !ended {
                    ended = self.fill(&mut input, &mut buffer, size)?;
                }
                size = size.min(buffer.len());
            };
            let end = cut.end.unwrap_or(0);
            let what = match cut.end {
                _ if whole && end < size => Some("the file ends inside a quoted field"),
                None => Some("the record is longer than 64 MiB"),
                Some(_) => None,
            };
            let mut rest = spares.try_recv().unwrap_or_default();
            rest.clear();
            rest.extend_from_slice(&buffer[end..]);
            buffer.truncate(end);
            if !self.give(buffer, mark, what, spare.clone()) {
                return Ok(false);
            }
            if what.is_some() {
                // The complaint ends the run.
                return Ok(false);
            }
            mark.offset += end as u64;
            buffer = rest;
            if ended && buffer.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Reads until the buffer holds so much; whether the file has ended, its last line closed then.
    fn fill(&self, input: &mut Bytes, buffer: &mut Vec<u8>, size: usize) -> Result<bool> {
        let ended = input.fill(buffer, size)?;
        if ended {
            close_last_line(buffer, &self.reading.dialect);
        }
        Ok(ended)
    }

    fn give(&self, bytes: Vec<u8>, at: Mark, end: Option<&'static str>, spare: Sender<Vec<u8>>) -> bool {
        let reading = Arc::clone(&self.reading);
        self.jobs.give(move || {
            let after = bytes.len() as u64;
            let decoded = reading.decode(bytes, &spare);
            Ok(Cut { at, after, decoded, end })
        })
    }
}

impl Reading {
    /// Decodes a chunk of whole records; its memory goes back to `spare` if it isn't wanted any more.
    fn decode(&self, bytes: Vec<u8>, spare: &Sender<Vec<u8>>) -> Decoded {
        let convert = self.dialect.encoding == Encoding::Latin1 && !bytes.is_ascii();
        let bytes = if convert { latin1(&bytes) } else { bytes };
        let mut table = Table::default();
        table.scan(&bytes, &self.dialect, self.width);
        let utf8 = simdutf8::basic::from_utf8(&bytes).is_ok();
        let fields = Fields { bytes: &bytes, table: &table, dialect: &self.dialect, utf8 };
        let mut faults = Vec::new();
        let columns = self
            .wanted
            .iter()
            .map(|(column, data_type, written)| decode::column(fields, *column, data_type, written, &mut faults));
        let mut columns: Vec<ArrayRef> = columns.collect();
        let judged = self.judge(&mut columns, &mut faults);
        let bad = if faults.is_empty() && table.odd.is_empty() {
            Vec::new()
        } else {
            self.bad(&bytes, convert, &table, &mut faults, &table.odd)
        };
        let left_out = matches!(self.on_bad, OnBad::Skip | OnBad::Reject) && !faults.is_empty();
        let options = RecordBatchOptions::new().with_row_count(Some(table.rows()));
        let batch = judged
            .and_then(|()| RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options))
            .and_then(|batch| if left_out { without(&batch, faults.iter().map(|fault| fault.row)) } else { Ok(batch) })
            .map_err(|error| Error::new(ErrorKind::Internal, "the decoded columns don't fit together").because(error));
        let records = table.rows() + table.odd.iter().filter(|odd| !odd.fitted).count();
        let lines = lines(&bytes, &self.dialect);
        let text = if self.keep_text {
            let left = left_out.then(|| {
                let faulty: HashSet<usize> = faults.iter().map(|fault| fault.row).collect();
                (0..table.rows()).filter(|row| !faulty.contains(row)).collect()
            });
            Some(Text { bytes, converted: convert, table, left })
        } else {
            let _ = spare.send(bytes);
            None
        };
        Decoded { batch, bad, records: records as u64, lines, text }
    }

    /// Asks the rules about the values that could be read.  Where bad values become null, those that break a rule do.
    fn judge(&self, columns: &mut [ArrayRef], faults: &mut Vec<Fault>) -> std::result::Result<(), ArrowError> {
        let unreadable: HashSet<(usize, usize)> = match self.rules.is_empty() {
            true => HashSet::new(),
            false => faults.iter().map(|fault| (fault.row, fault.column)).collect(),
        };
        for (place, rule) in &self.rules {
            let broken = rule.broken(&columns[*place])?;
            if broken.is_empty() {
                continue;
            }
            if self.on_bad == OnBad::Null {
                columns[*place] = nulled(&columns[*place], broken.iter().map(|broken| broken.row))?;
            }
            let broken = broken.iter().map(|broken| Fault::from(*broken));
            faults.extend(broken.filter(|fault| !unreadable.contains(&(fault.row, fault.column))));
        }
        Ok(())
    }

    /// The bad rows of a chunk in order, each with its first fault; with all of them where they become nulls.  (Rows that were
    /// fitted on demand are no bad rows.)
    fn bad(&self, text: &[u8], converted: bool, table: &Table, faults: &mut Vec<Fault>, odd: &[Odd]) -> Vec<Found> {
        faults.sort_by_key(|fault| (fault.row, fault.column));
        let every = self.on_bad == OnBad::Null;
        if !every {
            faults.dedup_by_key(|fault| fault.row);
        }
        // Records that are no rows count as records all the same: so many stand before each odd one.
        let mut others = vec![0];
        others.extend(table.odd.iter().scan(0, |count, odd| {
            *count += usize::from(!odd.fitted);
            Some(*count)
        }));
        let found = |record: usize, row: Range<usize>, field: usize, reason| Found {
            record: record as u64,
            line: 0,
            offset: row.start as u64,
            field,
            reason,
            column: None,
            text: Vec::new(),
            row: if self.on_bad == OnBad::Reject { text[row].to_vec() } else { Vec::new() },
        };
        let fields = faults.iter().map(|fault| {
            let (start, end) = table.field(fault.row, fault.column);
            let before = table.odd.partition_point(|odd| odd.before <= fault.row);
            let row = table.start(fault.row)..table.end(fault.row);
            Found {
                column: Some(fault.column),
                text: self.dialect.text(&text[start..end]).into_owned(),
                ..found(fault.row + others[before], row, start, fault.reason)
            }
        });
        let rows = odd.iter().enumerate().filter(|(_, odd)| every || !odd.fitted).map(|(index, odd)| {
            let (start, end) = (odd.start as usize, odd.end as usize);
            found(odd.before + others[index], start..end, start, Reason::Fields(odd.fields))
        });
        let mut all: Vec<Found> = fields.chain(rows).collect();
        all.sort_by_key(|found| (found.record, found.field));
        self.locate(text, converted, &mut all);
        all
    }

    /// Counts lines, and the bytes of what was Latin-1, once through the text.
    fn locate(&self, text: &[u8], converted: bool, all: &mut [Found]) {
        let (mut line, mut counted) = (0, 0);
        let (mut offset, mut measured) = (0, 0);
        for found in all {
            line += lines(&text[counted..found.field], &self.dialect);
            (found.line, counted) = (line, found.field);
            if converted {
                let start = found.offset as usize;
                offset += chars(&text[measured..start]) as u64;
                (found.offset, measured) = (offset, start);
            }
        }
    }
}

/// How many bytes of Latin-1 this text was.
fn chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

/// Latin-1 as UTF-8.
pub(crate) fn latin1(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
}

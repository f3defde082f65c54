//! The rows of CSV files: a thread reads and cuts, a pool decodes, whoever calls [`CsvChunks::next`] gets the chunks in order
//! with every bad row's place.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use rayon::ThreadPool;

use super::chunk::{Decoded, Places, Reading, Spare};
use super::cut::last_record;
use super::dialect::Dialect;
use super::open::{self, Opened, fill};
use crate::error::{Error, ErrorKind, Result};
use crate::ordered::{self, Jobs, Outcomes};
use crate::source::bytes::{Buffer, Bytes};
use crate::source::files::InputFile;
use crate::source::filter::LeftOut;
use crate::source::{Chunk, Mark};

/// So much is decoded at once: large enough for a thread to be worth its while, small enough for its cache.
pub(crate) const CHUNK_BYTES: usize = 2 << 20;
/// What may be asked for: places in a chunk are counted in 32 bits, also where Latin-1 becomes twice as long.
pub(crate) const MOST_CHUNK_BYTES: usize = 1 << 30;
/// No record is longer than this; what is, is taken for an unclosed quote.
const RECORD_BYTES: usize = 64 << 20;

/// A chunk's way from the thread that reads to the one that takes it.
struct Cut {
    at: Mark,
    after: u64,
    decoded: Decoded,
    /// What is wrong with the file behind the chunk.
    end: Option<&'static str>,
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
        opened: Opened,
        mark: Option<Mark>,
        pool: Arc<ThreadPool>,
        ahead: usize,
    ) -> Result<Self> {
        let reading = Arc::new(reading);
        let Mark { file, line, record, .. } = mark.unwrap_or(opened.mark);
        let (jobs, outcomes) = ordered::channel(pool, ahead);
        let context = Arc::clone(&reading);
        let reader = thread::Builder::new()
            .name("csv-reader".to_string())
            .spawn(move || {
                if let Err(error) = (Reader { reading: context, jobs: &jobs }).read(opened, mark) {
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
        let cut = outcome
            .unwrap_or_else(|| Err(Error::panicked("decoding CSV").in_file(&self.reading.files[self.file].path)))?;
        if cut.at.file != self.file {
            (self.file, self.line, self.record) = (cut.at.file, cut.at.line, cut.at.record);
        }
        let file = &self.reading.files[self.file].path;
        let Decoded { batch, bad, left_out, records, lines, text } = cut.decoded;
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
        let places = text.map(|text| Places::new(&self.reading, text, at));
        self.line += lines;
        self.record += records;
        let after = Mark { file: self.file, offset: cut.at.offset + cut.after, line: self.line, record: self.record };
        let bytes = self.reading.read.load(Ordering::Relaxed);
        let left_out = LeftOut { rows: left_out, ..LeftOut::default() };
        let batch = batch.map_err(|error| error.in_file(file))?;
        Ok(Some(Chunk { batch, bad, places, file: self.file, first_record: at.record, after, bytes, left_out }))
    }
}

impl Drop for CsvChunks {
    fn drop(&mut self) {
        // Without anybody to take its chunks the reader ends.  A read from a file that is under way is waited for; one from
        // standard input may take for ever.
        self.outcomes = None;
        if let Some(reader) = self.reader.take()
            && !self.reading.files.iter().any(InputFile::is_standard)
        {
            let _ = reader.join();
        }
    }
}

struct Reader<'a> {
    reading: Arc<Reading>,
    jobs: &'a Jobs<Result<Cut>>,
}

impl Reader<'_> {
    fn read(&self, first: Opened, mark: Option<Mark>) -> Result<()> {
        let Reading { files, read, .. } = &*self.reading;
        let (spare, spares) = channel();
        let begin = mark.map_or(first.mark.file, |mark| mark.file);
        let mut first = Some(first).filter(|first| first.mark.file == begin);
        if first.is_none() {
            read.store(files[..begin].iter().map(|file| file.bytes).sum(), Ordering::Relaxed);
        }
        for (file, about) in files.iter().enumerate().skip(begin) {
            let opened = match first.take() {
                Some(first) => Some(first),
                None => self.open(file)?,
            };
            let Some(mut opened) = opened else { continue };
            if let Some(mark) = mark.filter(|mark| mark.file == file) {
                let input = Bytes::open(about, mark.offset, read)?;
                opened = Opened { input, buffer: Buffer::default(), ended: false, mark, ..opened };
            }
            if !self.read_file(opened, &spare, &spares)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn open(&self, file: usize) -> Result<Option<Opened>> {
        let Reading { files, dialect, read, .. } = &*self.reading;
        let opened = open::open(&files[file], file, dialect, read)?;
        opened.iter().try_for_each(|opened| self.check_header(&files[file].path, &opened.names))?;
        Ok(opened)
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
    fn read_file(&self, opened: Opened, spare: &Sender<Spare>, spares: &Receiver<Spare>) -> Result<bool> {
        let Opened { mut input, dialect, mut buffer, mut ended, mut mark, .. } = opened;
        loop {
            if !ended {
                ended = fill(&mut input, &mut buffer, self.reading.chunk_bytes, &dialect)?;
            }
            if buffer.is_empty() {
                return Ok(true);
            }
            let mut size = self.reading.chunk_bytes.min(buffer.len());
            let (cut, whole) = loop {
                let whole = ended && size == buffer.len();
                let cut = last_record(&buffer[..size], &dialect);
                if cut.end.is_some() || whole || size >= RECORD_BYTES {
                    break (cut, whole);
                }
                size = (size * 2).min(RECORD_BYTES);
                if !ended {
                    ended = fill(&mut input, &mut buffer, size, &dialect)?;
                }
                size = size.min(buffer.len());
            };
            let end = cut.end.unwrap_or(0);
            let what = match cut.end {
                _ if whole && end < size => Some("the file ends inside a quoted field"),
                None => Some("the record is longer than 64 MiB"),
                Some(_) => None,
            };
            let Spare { bytes, table } = spares.try_recv().unwrap_or_default();
            let rest = Buffer::reusing(bytes, &buffer[end..]);
            let mut bytes = buffer.into_vec();
            bytes.truncate(end);
            if !self.give(Spare { bytes, table }, &dialect, mark, what, spare.clone()) {
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

    fn give(
        &self,
        chunk: Spare,
        dialect: &Arc<Dialect>,
        at: Mark,
        end: Option<&'static str>,
        spare: Sender<Spare>,
    ) -> bool {
        let (reading, dialect) = (Arc::clone(&self.reading), Arc::clone(dialect));
        self.jobs.give(move || {
            let after = chunk.bytes.len() as u64;
            let decoded = reading.decode(chunk, dialect, &spare);
            Ok(Cut { at, after, decoded, end })
        })
    }
}

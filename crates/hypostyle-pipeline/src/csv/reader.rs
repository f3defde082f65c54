//! The rows of CSV files: a thread reads and splits, a pool decodes, and [`CsvChunks::next`] returns the chunks in order, with the
//! position of every bad row.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use rayon::ThreadPool;

use super::annotated::Block;
use super::chunk::{ChunkPositions, Decoded, Layout, Reading, Spare};
use super::dialect::Dialect;
use super::header::{self, Opened, UNCLOSED_QUOTE, fill};
use super::split::last_record;
use crate::error::{Error, ErrorKind, Result};
use crate::files::bytes::{Buffer, Bytes};
use crate::files::input::InputFile;
use crate::model::chunk::{Chunk, FilterCounts, InputPosition, RowPositions};
use crate::ordered::{self, Jobs, Outcomes};

/// The default number of bytes decoded at once: large enough to be worth a thread, small enough for its cache.
pub(crate) const CHUNK_BYTES: usize = 2 << 20;
/// The largest number of them: offsets in a chunk have 32 bits, even if another encoding becomes three times as long.
pub(crate) const MOST_CHUNK_BYTES: usize = 1 << 30;
/// The longest record.  A longer one is treated as an unclosed quote.
const RECORD_BYTES: usize = 64 << 20;

/// A chunk's way from the thread that reads to the one that takes it.
struct Cut {
    at: InputPosition,
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
        mark: Option<InputPosition>,
        pool: Arc<ThreadPool>,
        ahead: usize,
    ) -> Result<Self> {
        let reading = Arc::new(reading);
        let InputPosition { file, line, record, .. } = mark.unwrap_or(opened.mark);
        let (jobs, outcomes) = ordered::channel(pool, ahead);
        let context = Arc::clone(&reading);
        let reader = thread::Builder::new()
            .name("csv-reader".to_string())
            .spawn(move || {
                if let Err(error) = (Reader { reading: context, jobs: &jobs }).read(opened, mark) {
                    jobs.give(move || Err(error));
                }
            })
            .map_err(|error| Error::new(ErrorKind::Source, "cannot start a thread").because(error))?;
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
        // Lines between blocks are in no chunk.
        self.line = self.line.max(cut.at.line);
        let file = &self.reading.files[self.file].path;
        let Decoded { batch, bad, filtered, fitted, records, lines, text } = cut.decoded;
        let at = InputPosition { file: self.file, offset: cut.at.offset, line: self.line, record: self.record };
        let bad = bad.into_iter().map(|found| found.place(file, at)).collect();
        if let Some(what) = cut.end {
            let (line, record) = (at.line + lines, at.record + records);
            self.late = Some(
                Error::new(
                    ErrorKind::Malformed { line, record, column: None },
                    format!("record {record}: unclosed quote: {what}"),
                )
                .in_file(file)
                .help(UNCLOSED_QUOTE),
            );
        }
        let positions =
            text.map(|text| Box::new(ChunkPositions::new(&self.reading, text, at)) as Box<dyn RowPositions>);
        self.line += lines;
        self.record += records;
        let after =
            InputPosition { file: self.file, offset: cut.at.offset + cut.after, line: self.line, record: self.record };
        let bytes = self.reading.read.load(Ordering::Relaxed);
        let [filled, cut_off] = fitted;
        let filtered = FilterCounts { rows: filtered, filled, cut_off, ..FilterCounts::default() };
        let batch = batch.map_err(|error| error.in_file(file))?;
        let misfits = Vec::new();
        Ok(Some(Chunk {
            batch,
            bad,
            misfits,
            positions,
            file: self.file,
            first_record: at.record,
            deleted: Vec::new(),
            after,
            bytes,
            filtered,
        }))
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

/// What is left of a file.
struct Left {
    input: Bytes,
    buffer: Buffer,
    ended: bool,
    mark: InputPosition,
}

impl Left {
    /// Goes to the first row of a block.
    fn skip_to(&mut self, block: &Block, dialect: &Dialect) -> Result<()> {
        let gap = usize::try_from(block.start - self.mark.offset).unwrap_or(usize::MAX);
        if !self.ended && self.buffer.len() < gap {
            self.ended = fill(&mut self.input, &mut self.buffer, gap, dialect)?;
        }
        self.buffer.skip(gap.min(self.buffer.len()));
        (self.mark.offset, self.mark.line) = (block.start, block.line);
        Ok(())
    }
}

struct Reader<'a> {
    reading: Arc<Reading>,
    jobs: &'a Jobs<Result<Cut>>,
}

impl Reader<'_> {
    fn read(&self, first: Opened, mark: Option<InputPosition>) -> Result<()> {
        let Reading { files, dialect, read, .. } = &*self.reading;
        let (spare, spares) = channel();
        let begin = mark.map_or(first.mark.file, |mark| mark.file);
        let mut first = Some(first).filter(|first| first.mark.file == begin);
        if first.is_none() {
            read.store(files[..begin].iter().map(|file| file.bytes).sum(), Ordering::Relaxed);
        }
        for (file, about) in files.iter().enumerate().skip(begin) {
            let opened = match first.take() {
                Some(first) => Some(first),
                None if dialect.annotated => {
                    header::open_annotated(about, file, &self.reading.blocks[file], dialect, read)?
                }
                None => header::open(about, file, dialect, read)?,
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

    /// Cuts a file into chunks and gives them out; whether anybody still takes them.
    fn read_file(&self, opened: Opened, spare: &Sender<Spare>, spares: &Receiver<Spare>) -> Result<bool> {
        let Opened { input, dialect, buffer, ended, mark, names, .. } = opened;
        let Reading { files, table, wanted, blocks, .. } = &*self.reading;
        let alone = [Block::rest(names, mark.offset, mark.line)];
        let blocks = blocks.get(mark.file).map_or(&alone[..], |blocks| blocks);
        let mut left = Left { input, buffer, ended, mark };
        for block in blocks.iter().filter(|block| block.end > mark.offset) {
            let layout = Arc::new(Layout::of(block, &files[mark.file].path, table, wanted)?);
            if left.mark.offset < block.start {
                left.skip_to(block, &dialect)?;
            }
            if !self.read_block(block.end, &mut left, &dialect, &layout, spare, spares)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives out the rows before `block_end`; whether anybody still takes them.
    fn read_block(
        &self,
        block_end: u64,
        left: &mut Left,
        dialect: &Arc<Dialect>,
        layout: &Arc<Layout>,
        spare: &Sender<Spare>,
        spares: &Receiver<Spare>,
    ) -> Result<bool> {
        let Left { input, buffer, ended, mark } = left;
        loop {
            if !*ended {
                *ended = fill(input, buffer, self.reading.chunk_bytes, dialect)?;
            }
            let most = usize::try_from(block_end - mark.offset).unwrap_or(usize::MAX);
            if buffer.is_empty() || most == 0 {
                return Ok(true);
            }
            let mut size = self.reading.chunk_bytes.min(buffer.len()).min(most);
            let (cut, whole) = loop {
                let whole = *ended && size == buffer.len() || size == most;
                let cut = last_record(&buffer[..size], dialect);
                if cut.end.is_some() || whole || size >= RECORD_BYTES {
                    break (cut, whole);
                }
                size = (size * 2).min(RECORD_BYTES);
                if !*ended {
                    *ended = fill(input, buffer, size, dialect)?;
                }
                size = size.min(buffer.len()).min(most);
            };
            let end = cut.end.unwrap_or(0);
            let what = match cut.end {
                _ if whole && end < size => Some("the file ends inside a quoted field"),
                None => Some("the record is longer than 64 MiB"),
                Some(_) => None,
            };
            let Spare { bytes, table } = spares.try_recv().unwrap_or_default();
            let rest = Buffer::reusing(bytes, &buffer[end..]);
            let mut bytes = std::mem::replace(buffer, rest).into_vec();
            bytes.truncate(end);
            if !self.give(Spare { bytes, table }, dialect, layout, *mark, what, spare.clone()) {
                return Ok(false);
            }
            if what.is_some() {
                // The error ends the run.
                return Ok(false);
            }
            mark.offset += end as u64;
        }
    }

    fn give(
        &self,
        chunk: Spare,
        dialect: &Arc<Dialect>,
        layout: &Arc<Layout>,
        at: InputPosition,
        end: Option<&'static str>,
        spare: Sender<Spare>,
    ) -> bool {
        let (reading, dialect, layout) = (Arc::clone(&self.reading), Arc::clone(dialect), Arc::clone(layout));
        self.jobs.give(move || {
            let after = chunk.bytes.len() as u64;
            let decoded = reading.decode(chunk, dialect, layout, &spare);
            Ok(Cut { at, after, decoded, end })
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;
    use crate::csv::decode::Wanted;
    use crate::model::bad_row::OnBadRow;
    use crate::model::matching::{Matching, Table};
    use crate::model::time_format::TimeFormat;
    use crate::model::timestamp::Zone;

    /// A column that cannot be built ends the run, with its name and its file, whatever is done about bad rows.
    #[test]
    fn a_column_that_cannot_be_decoded_is_an_internal_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.csv");
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let (input, read) = (InputFile::local(&path), Arc::default());
        let opened = header::open(&input, 0, &Dialect::default(), &read).unwrap().unwrap();
        // No pipeline file has this type.
        let schema = Schema::new(vec![Field::new("b", DataType::Float16, true)]);
        let reading = Reading {
            files: vec![input],
            dialect: Dialect::default(),
            table: Table {
                names: opened.names.clone(),
                read: vec![1],
                schema: Arc::new(schema),
                matching: Matching::default(),
            },
            blocks: Vec::new(),
            wanted: vec![Wanted {
                column: 1,
                joins: None,
                data_type: DataType::Float16,
                format: TimeFormat::Iso,
                zone: Zone::None,
                inferred: false,
            }],
            rules: Vec::new(),
            row_filter: None,
            on_bad: OnBadRow::Null,
            fitted_are_bad: true,
            keep_text: false,
            chunk_bytes: CHUNK_BYTES,
            read,
        };
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
        let mut chunks = CsvChunks::begin(reading, opened, None, pool, 1).unwrap();
        let error = chunks.next().map(drop).unwrap_err();
        let text = error.to_string();
        assert_eq!((error.kind(), error.file()), (&ErrorKind::Internal, Some(path.as_path())));
        assert!(text.contains("in.csv: internal error: column 'b' cannot be decoded\nhelp: this is a bug"), "{text}");
    }
}

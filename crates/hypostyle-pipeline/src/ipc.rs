//! Arrow IPC files and streams as a source.  Batches come as they were written, cut where they are long.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};

use crate::error::{Error, ErrorKind, Result};
use crate::files::bytes::{Buffer, Bytes, Codec};
use crate::files::input::InputFile;
use crate::files::list::Files;
use crate::model::chunk::{BATCH_ROWS, Chunk, FilterCounts, InputPosition};
use crate::model::column::Column;
use crate::model::fault::{Fault, Misfit};
use crate::model::matching::Table;
use crate::model::widen::widen;
use crate::remote::Stream;

/// A file, rather than a stream, begins with this.
const MAGIC: [u8; 6] = *b"ARROW1";

/// An IPC file or stream whose schema has been read.
pub(crate) struct IpcFile {
    file: InputFile,
    batches: Batches,
    schema: SchemaRef,
}

type Batches = Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>;

/// The first version of Feather begins with this.
const FEATHER_1: [u8; 4] = *b"FEA1";

/// The batches of a file; `None` if it isn't one.
fn file_reader<R: Read + Seek + Send + 'static>(
    mut input: R,
) -> std::result::Result<Option<(Batches, SchemaRef)>, ArrowError> {
    let mut start = [0; MAGIC.len()];
    let known = input.read_exact(&mut start).is_ok() && start == MAGIC;
    if !known {
        return Ok(None);
    }
    input.seek(SeekFrom::Start(0))?;
    let reader = FileReader::try_new(input, None)?;
    let schema = reader.schema();
    Ok(Some((Box::new(reader), schema)))
}

impl IpcFile {
    /// Opens the file, compressed or not; `read` counts the bytes taken from the disk.
    pub fn open(file: &InputFile, read: &Arc<AtomicU64>) -> Result<Self> {
        let wrong = |error: ArrowError| file.blame(Error::not_a_file_of("Arrow IPC", error).in_file(&file.path));
        let opened = |batches: Batches, schema| Ok(Self { file: file.clone(), batches, schema });
        let compressed = Codec::of(&file.path) != Codec::None;
        let seekable = match file.remote() {
            Some(object) if object.ranges && !compressed => file_reader(Stream::open(object, 0)),
            None if !file.is_standard() && !compressed => File::open(&file.path)
                .map_err(ArrowError::from)
                .and_then(|input| file_reader(BufReader::with_capacity(1 << 20, input))),
            _ => Ok(None),
        };
        if let Some((batches, schema)) = seekable.map_err(wrong)? {
            read.fetch_add(file.bytes, Ordering::Relaxed);
            return opened(batches, schema);
        }
        // Compressed or piped data is a stream, or a file that is buffered in memory.
        let mut input = Bytes::open(file, 0, read)?;
        let mut start = Buffer::default();
        input.fill(&mut start, MAGIC.len())?;
        if *start == MAGIC {
            input.fill(&mut start, usize::MAX)?;
            let reader = FileReader::try_new(Cursor::new(start.into_vec()), None).map_err(wrong)?;
            let schema = reader.schema();
            return opened(Box::new(reader), schema);
        }
        if start.starts_with(&FEATHER_1) {
            let error =
                Error::new(ErrorKind::Source, "the input is a Feather file of version 1, which is not Arrow IPC");
            return Err(error
                .in_file(&file.path)
                .help("write it again with version 2, such as pyarrow.feather.write_feather(table, path)"));
        }
        let reader = StreamReader::try_new(Cursor::new(start.into_vec()).chain(input), None).map_err(wrong)?;
        let schema = reader.schema();
        opened(Box::new(reader), schema)
    }

    /// The names of what the file notes about itself.
    pub fn notes(&self) -> Vec<String> {
        self.schema.metadata().keys().cloned().collect()
    }

    pub fn columns(&self) -> Vec<Column> {
        self.schema.fields().iter().map(|field| Column::of_field(field)).collect()
    }
}

/// The columns at these places under the schema, whatever the file notes about them.
/// Those that the file lacks are null.  Values that the types do not hold are returned too.
fn project(
    batch: &RecordBatch,
    places: &[Option<usize>],
    table: &Table,
) -> std::result::Result<(RecordBatch, Vec<Misfit>), ArrowError> {
    let (rows, mut misfits) = (batch.num_rows(), Vec::new());
    let columns = places.iter().zip(table.schema.fields()).zip(&table.read).map(|((place, field), column)| {
        let Some(place) = place else { return Ok(new_null_array(field.data_type(), rows)) };
        let (array, unheld) = widen(Arc::clone(batch.column(*place)), field.data_type())?;
        let misfit = |(row, reason, text)| Misfit { fault: Fault { row, column: *column, reason }, text };
        misfits.extend(unheld.into_iter().map(misfit));
        Ok::<_, ArrowError>(array)
    });
    let columns = columns.collect::<std::result::Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    misfits.sort_by_key(|misfit| misfit.fault.row);
    Ok((RecordBatch::try_new_with_options(Arc::clone(&table.schema), columns, &options)?, misfits))
}

/// The rows of some IPC files, in order.
pub(crate) struct IpcChunks {
    files: Files,
    table: Table,
    /// Where the open file has the columns.
    places: Vec<Option<usize>>,
    batch_rows: usize,
    open: Option<IpcFile>,
    /// What is left of a batch, as the file has it.
    rest: Option<RecordBatch>,
    next: InputPosition,
    /// Rows to pass over in the open file.
    skip: u64,
    read: Arc<AtomicU64>,
}

impl IpcChunks {
    pub fn begin(
        first: IpcFile,
        files: Files,
        table: Table,
        batch_rows: Option<usize>,
        read: Arc<AtomicU64>,
        mark: Option<InputPosition>,
    ) -> Result<Self> {
        let next = mark.unwrap_or(InputPosition::first_row(0));
        let open = Some(first).filter(|_| next.file == 0);
        if open.is_none() {
            read.store(files.list[..next.file].iter().map(|file| file.bytes).sum(), Ordering::Relaxed);
        }
        let (batch_rows, skip) = (batch_rows.unwrap_or(BATCH_ROWS), next.offset);
        let places = open.as_ref().map_or(Ok(Vec::new()), |first| table.places(&first.file.path, &first.columns()))?;
        Ok(Self { files, table, places, batch_rows, open, rest: None, next, skip, read })
    }

    pub fn next(&mut self) -> Result<Option<Chunk>> {
        loop {
            if let Some(batch) = self.rest.take() {
                let rows = batch.num_rows().min(self.batch_rows);
                if rows < batch.num_rows() {
                    self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
                }
                return self.chunk(&batch.slice(0, rows)).map(Some);
            }
            let file = match &mut self.open {
                Some(file) => file,
                none => {
                    let Some(file) = self.files.list.get(self.next.file) else { return Ok(None) };
                    let opened = IpcFile::open(file, &self.read)?;
                    self.places = self.table.places(&opened.file.path, &opened.columns())?;
                    none.insert(opened)
                }
            };
            match file.batches.next() {
                None => {
                    self.open = None;
                    self.skip = 0;
                    self.next = InputPosition::first_row(self.next.file + 1);
                }
                Some(batch) => {
                    let batch = batch.map_err(|error| damaged(&file.file, error))?;
                    let rows = batch.num_rows();
                    let skipped = usize::try_from(self.skip).map_or(rows, |skip| skip.min(rows));
                    self.skip -= skipped as u64;
                    self.rest = Some(batch.slice(skipped, rows - skipped)).filter(|batch| batch.num_rows() > 0);
                }
            }
        }
    }

    fn chunk(&mut self, batch: &RecordBatch) -> Result<Chunk> {
        let projected = project(batch, &self.places, &self.table);
        let (batch, misfits) = projected.map_err(|error| damaged(&self.files.list[self.next.file], error))?;
        let (file, first_record, rows) = (self.next.file, self.next.record, batch.num_rows() as u64);
        self.next.offset += rows;
        self.next.record += rows;
        let bytes = self.read.load(Ordering::Relaxed);
        let (after, filtered) = (self.next, FilterCounts::default());
        Ok(Chunk {
            batch,
            bad: Vec::new(),
            misfits,
            positions: None,
            file,
            first_record,
            deleted: Vec::new(),
            after,
            bytes,
            filtered,
        })
    }
}

fn damaged(file: &InputFile, error: ArrowError) -> Error {
    let damaged = Error::new(ErrorKind::Source, "cannot read the Arrow IPC file")
        .in_file(&file.path)
        .help("the file may be damaged or truncated: write or fetch it again")
        .because(error);
    file.blame(damaged)
}

//! Rows on their way to many files: kept in memory, and where that is full sorted by file and put aside on the disk, so that in
//! the end each file is written in one go, with all of its rows in their order.
//!
//! What is put aside is a *run*: for each partition an Arrow IPC stream of its rows, one behind the other, then a list of where
//! they begin, in JSON, and the length of the list.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array, make_array};
use arrow::compute::{cast, interleave, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use rayon::ThreadPool;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The bytes of the length behind a run.
const LENGTH: u64 = 8;

/// The rows that are not in their files yet.
pub(super) struct Spool {
    schema: SchemaRef,
    pool: Arc<ThreadPool>,
    folder: PathBuf,
    runs: Vec<Run>,
    /// Rows in memory, the partition of each, and their bytes.
    batches: Vec<RecordBatch>,
    numbers: Vec<u32>,
    bytes: usize,
    most_bytes: usize,
}

/// Rows on the disk.
struct Run {
    path: PathBuf,
    /// Where the rows of each partition are, by its number.
    parts: Vec<Option<Range<u64>>>,
}

/// How a run's list says where the rows of a partition are.
#[derive(Serialize, Deserialize)]
struct Listed {
    place: PathBuf,
    start: u64,
    end: u64,
}

/// Rows in memory in the order of their partitions, and where those of each are, by its number.
#[derive(Default)]
pub(super) struct Sorted {
    rows: Option<RecordBatch>,
    parts: Vec<Range<usize>>,
}

impl Spool {
    /// A spool of rows of this schema, with at most this number of bytes in memory.
    pub fn new(schema: &SchemaRef, pool: &Arc<ThreadPool>, folder: PathBuf, most_bytes: usize) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(Error::unwritable)?;
        let (schema, pool) = (Arc::clone(schema), Arc::clone(pool));
        let (batches, numbers) = (Vec::new(), Vec::new());
        Ok(Self { schema, pool, folder, runs: Vec::new(), batches, numbers, bytes: 0, most_bytes })
    }

    /// Takes up this number of runs of an earlier time, of whose partitions `number` gives the numbers; others are removed.
    pub fn resume(&mut self, runs: usize, mut number: impl FnMut(PathBuf) -> u32) -> Result<()> {
        let known: Vec<PathBuf> = (0..runs).map(|run| self.path(run)).collect();
        for path in &known {
            let mut parts = Vec::new();
            for Listed { place, start, end } in listed(path).map_err(|error| Error::unwritable(error).in_file(path))? {
                let number = number(place) as usize;
                parts.resize(parts.len().max(number + 1), None);
                parts[number] = Some(start..end);
            }
            self.runs.push(Run { path: path.clone(), parts });
        }
        for entry in fs::read_dir(&self.folder).map_err(Error::unwritable)? {
            let path = entry.map_err(Error::unwritable)?.path();
            if !known.contains(&path) {
                fs::remove_file(path).map_err(Error::unwritable)?;
            }
        }
        Ok(())
    }

    fn path(&self, run: usize) -> PathBuf {
        self.folder.join(format!("run-{run:06}"))
    }

    /// Adds rows, whose partitions `number` adds to a list.
    pub fn push(
        &mut self,
        batch: RecordBatch,
        number: impl FnOnce(&mut Vec<u32>) -> std::result::Result<(), ArrowError>,
    ) -> Result<()> {
        number(&mut self.numbers).map_err(Error::unwritable)?;
        self.bytes += bytes_of(&batch);
        self.batches.push(batch);
        Ok(())
    }

    /// Whether there are as many rows in memory as there may be.
    pub fn is_full(&self) -> bool {
        self.bytes >= self.most_bytes
    }

    /// The rows in memory, which are no longer there.
    pub fn take(&mut self, partitions: usize) -> Result<Sorted> {
        let (batches, numbers) = (std::mem::take(&mut self.batches), std::mem::take(&mut self.numbers));
        self.bytes = 0;
        self.pool.install(|| Sorted::of(&batches, &numbers, partitions, &self.schema)).map_err(Error::unwritable)
    }

    /// Puts the rows in memory aside, those of each partition together.  The number of runs.
    pub fn put_aside(&mut self, places: &[PathBuf]) -> Result<usize> {
        if !self.batches.is_empty() {
            let sorted = self.take(places.len())?;
            let path = self.path(self.runs.len());
            let run = sorted.write(&path, places, &self.schema);
            self.runs.push(run.map_err(|error| Error::unwritable(error).in_file(&path))?);
        }
        Ok(self.runs.len())
    }

    /// Brings the runs to the disk.
    pub fn sync(&self) -> Result<()> {
        let runs = self.runs.iter().map(|run| File::open(&run.path)?.sync_all());
        runs.collect::<io::Result<()>>().and_then(|()| sync_directory(&self.folder)).map_err(Error::unwritable)
    }

    /// The rows of a partition in their order: those put aside, then those in memory.
    pub fn rows<'a>(&'a self, number: usize, last: &'a Sorted) -> impl Iterator<Item = Result<RecordBatch>> + use<'a> {
        let aside = self.runs.iter().filter_map(move |run| {
            let part = run.parts.get(number)?.clone()?;
            Some(read(&run.path, part).map_err(|error| Error::unwritable(error).in_file(&run.path)))
        });
        aside
            .flat_map(|rows| match rows {
                Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            })
            .chain(last.part(number).map(Ok))
    }
}

impl Sorted {
    fn of(
        batches: &[RecordBatch],
        numbers: &[u32],
        partitions: usize,
        schema: &SchemaRef,
    ) -> std::result::Result<Self, ArrowError> {
        if batches.is_empty() {
            return Ok(Self::default());
        }
        let mut ends = vec![0; partitions];
        numbers.iter().for_each(|number| ends[*number as usize] += 1);
        let mut parts = Vec::with_capacity(partitions);
        let mut start = 0;
        for end in &mut ends {
            let count = std::mem::replace(end, start);
            parts.push(start..start + count);
            start += count;
        }
        let mut order = vec![(0, 0); numbers.len()];
        let rows =
            batches.iter().enumerate().flat_map(|(batch, rows)| (0..rows.num_rows()).map(move |row| (batch, row)));
        for (number, row) in numbers.iter().zip(rows) {
            let next = &mut ends[*number as usize];
            order[*next] = row;
            *next += 1;
        }
        let column = |index: usize| {
            let arrays: Vec<&dyn Array> = batches.iter().map(|batch| &**batch.column(index) as &dyn Array).collect();
            interleave(&arrays, &order)
        };
        let columns: Vec<_> = (0..schema.fields().len()).into_par_iter().map(column).collect();
        let columns = columns.into_iter().collect::<std::result::Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?;
        Ok(Self { rows: Some(rows), parts })
    }

    fn part(&self, number: usize) -> Option<RecordBatch> {
        let part = self.parts.get(number).filter(|part| !part.is_empty())?;
        self.rows.as_ref().map(|rows| rows.slice(part.start, part.len()))
    }

    fn write(&self, path: &Path, places: &[PathBuf], schema: &SchemaRef) -> std::result::Result<Run, ArrowError> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut parts = Vec::with_capacity(places.len());
        let mut list = Vec::new();
        let mut start = 0;
        for (number, place) in places.iter().enumerate() {
            let Some(rows) = self.part(number) else {
                parts.push(None);
                continue;
            };
            let mut stream = StreamWriter::try_new(Vec::new(), schema)?;
            stream.write(&compact(&rows)?)?;
            stream.finish()?;
            let bytes = stream.into_inner()?;
            out.write_all(&bytes)?;
            let end = start + bytes.len() as u64;
            parts.push(Some(start..end));
            list.push(Listed { place: place.clone(), start, end });
            start = end;
        }
        let list = serde_json::to_vec(&list).map_err(io::Error::from)?;
        out.write_all(&list)?;
        out.write_all(&(list.len() as u64).to_le_bytes())?;
        out.flush()?;
        Ok(Run { path: path.to_path_buf(), parts })
    }
}

/// The rows without what belongs to others of the columns that they are slices of.
fn compact(rows: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(rows.schema(), rows.columns().iter().map(own).collect(), &options)
}

fn own(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        _ => Arc::clone(column),
    }
}

/// The rows in the one form that formats which write memory as it is give the same bytes for: only their own texts and
/// categories, no bits behind the last row, and no list of nulls where there are none.
pub(super) fn settled(rows: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    let all = UInt32Array::from_iter_values(0..rows.num_rows() as u32);
    let columns = rows.columns().iter().zip(schema.fields()).map(|(column, field)| {
        let column = match column.data_type() {
            // Those with an order have all of their categories, used or not.
            DataType::Dictionary(_, values) if field.dict_is_ordered() != Some(true) => {
                cast(&cast(column, values)?, column.data_type())?
            }
            _ => own(column),
        };
        let column = take(&column, &all, None)?;
        match column.nulls() {
            Some(nulls) if nulls.null_count() == 0 => {
                column.to_data().into_builder().nulls(None).build().map(make_array)
            }
            _ => Ok(column),
        }
    });
    let columns = columns.collect::<std::result::Result<Vec<_>, ArrowError>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
}

fn listed(path: &Path) -> io::Result<Vec<Listed>> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let end = bytes.checked_sub(LENGTH).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(end))?;
    let mut length = [0; LENGTH as usize];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    file.seek(SeekFrom::Start(end.checked_sub(length).ok_or_else(damaged)?))?;
    let mut list = Vec::new();
    file.take(length).read_to_end(&mut list)?;
    Ok(serde_json::from_slice(&list)?)
}

fn read(path: &Path, part: Range<u64>) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(part.start))?;
    let mut bytes = Vec::new();
    file.take(part.end - part.start).read_to_end(&mut bytes)?;
    StreamReader::try_new(&bytes[..], None)?.collect()
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = directory;
    Ok(())
}

/// What the rows take in memory.
pub(super) fn bytes_of(batch: &RecordBatch) -> usize {
    let bytes =
        |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size());
    batch.columns().iter().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringViewArray};
    use arrow::compute::concat_batches;
    use arrow::datatypes::{Field, Int64Type, Schema};
    use rayon::ThreadPoolBuilder;

    use super::*;

    #[test]
    fn rows_come_back_by_partition_and_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let fields = vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8View, true)];
        let schema = Arc::new(Schema::new(fields));
        let pool = Arc::new(ThreadPoolBuilder::new().num_threads(2).build().unwrap());
        let places: Vec<PathBuf> = (0..3).map(|place| format!("p={place}").into()).collect();
        let rows = |from: i64| {
            let texts = (from..from + 10).map(|row| format!("a text of more than twelve bytes, {row}"));
            let columns: [ArrayRef; 2] = [
                Arc::new(Int64Array::from_iter_values(from..from + 10)),
                Arc::new(StringViewArray::from_iter_values(texts)),
            ];
            RecordBatch::try_new(Arc::clone(&schema), columns.to_vec()).unwrap()
        };
        let mut spool = Spool::new(&schema, &pool, folder.path().to_path_buf(), 1).unwrap();
        let push = |spool: &mut Spool, from: i64| {
            let number = |numbers: &mut Vec<u32>| {
                numbers.extend((from..from + 10).map(|row| (row % 3) as u32));
                Ok(())
            };
            spool.push(rows(from), number).unwrap();
        };
        for from in [0, 10, 20] {
            push(&mut spool, from);
            assert!(spool.is_full());
            if from > 0 {
                spool.put_aside(&places).unwrap();
            }
        }
        // What is on the disk is known to who comes later, and what it does not know of is removed.
        std::fs::write(folder.path().join("run-000002"), "half a run").unwrap();
        let mut later = Spool::new(&schema, &pool, folder.path().to_path_buf(), 1).unwrap();
        later.resume(2, |place| places.iter().position(|known| *known == place).unwrap() as u32).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        push(&mut later, 30);
        let last = later.take(3).unwrap();
        for number in 0..3 {
            let batches: Vec<RecordBatch> = later.rows(number, &last).map(|rows| rows.unwrap()).collect();
            let all = concat_batches(&schema, &batches).unwrap();
            let numbers = all.column(0).as_primitive::<Int64Type>();
            let expected: Vec<i64> = (0..40).filter(|row| row % 3 == number as i64).collect();
            assert_eq!(numbers.values()[..], expected);
            for (row, text) in expected.iter().zip(all.column(1).as_string_view()) {
                assert_eq!(text.unwrap(), format!("a text of more than twelve bytes, {row}"));
            }
        }
    }
}

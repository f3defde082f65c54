//! Parquet as a sink: the columns of a batch are encoded side by side, each into a chunk of the open row group that stays
//! in memory until the row group ends.
//!
//! Who calls says when that is, so that the file's bytes follow from the calls alone: a column's pages depend on its own
//! values only, and chunks go into the file in the order of the columns, whichever thread made them and when.

use std::cmp::Reverse;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{FieldRef, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::Compression as Codec;
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rayon::ThreadPool;

use super::encodings;
use crate::error::{Error, ErrorKind, Result};

/// A Parquet file that grows by row groups.
pub(crate) struct ParquetWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    schema: SchemaRef,
    properties: WriterProperties,
    /// How many leaves each column has: more than one where it is nested.
    leaves: Vec<usize>,
    group: Option<Group>,
    groups: usize,
    pool: Pool,
}

/// The open row group.
struct Group {
    leaves: Vec<Leaf>,
    rows: usize,
}

/// The chunk of a leaf column.
struct Leaf {
    writer: ArrowColumnWriter,
    /// What is to be written next.
    levels: Option<ArrowLeafColumn>,
    /// How long writing took the last time, by which the slowest column is begun first.
    took: Duration,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// A file of these columns, encoded by these threads.
    pub fn new(file: W, schema: &SchemaRef, compression: Codec, pool: &Arc<ThreadPool>) -> Result<Self> {
        let properties = encodings::properties(compression);
        let (file, _) = open(file, schema, properties.clone())?;
        let mut leaves = vec![0; schema.fields().len()];
        for leaf in 0..file.schema_descr().num_columns() {
            leaves[file.schema_descr().get_column_root_idx(leaf)] += 1;
        }
        let schema = Arc::clone(schema);
        let pool = Pool(Some(pool).filter(|pool| pool.current_num_threads() > 1).map(Arc::clone));
        Ok(Self { file, schema, properties, leaves, group: None, groups: 0, pool })
    }

    /// Encodes a batch into the open row group.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if batch.num_columns() != self.leaves.len() {
            let message = format!("a batch has {} columns, the file {}", batch.num_columns(), self.leaves.len());
            return Err(
                Error::new(ErrorKind::Internal, message).help("this is a mistake in Hypostyle: please report it")
            );
        }
        let group = match &mut self.group {
            Some(group) => group,
            none => {
                let descriptor = self.file.schema_descr();
                let properties =
                    encodings::for_group(&self.properties, descriptor, batch).map_err(Error::unwritable)?;
                none.insert(Group::new(&self.schema, properties, self.groups)?)
            }
        };
        group.rows += batch.num_rows();
        let mut rest = group.leaves.as_mut_slice();
        let mut columns: Vec<(&FieldRef, &ArrayRef, &mut [Leaf])> = Vec::with_capacity(self.leaves.len());
        for ((field, array), count) in self.schema.fields().iter().zip(batch.columns()).zip(&self.leaves) {
            let (leaves, others) = rest.split_at_mut(*count);
            columns.push((field, array, leaves));
            rest = others;
        }
        self.pool.each(columns, |(field, array, leaves)| {
            for (leaf, levels) in leaves.iter_mut().zip(compute_leaves(field, array)?) {
                leaf.levels = Some(levels);
            }
            Ok(())
        })?;
        let mut leaves: Vec<&mut Leaf> = group.leaves.iter_mut().collect();
        leaves.sort_by_key(|leaf| Reverse(leaf.took));
        self.pool.each(leaves, Leaf::write)
    }

    /// Ends the row group if it has rows, and writes it out.
    pub fn end_group(&mut self) -> Result<()> {
        let Some(group) = self.group.take() else { return Ok(()) };
        let mut chunks: Vec<Option<ArrowColumnChunk>> = group.leaves.iter().map(|_| None).collect();
        let jobs: Vec<_> = group.leaves.into_iter().zip(&mut chunks).collect();
        self.pool.each(jobs, |(leaf, chunk)| {
            *chunk = Some(leaf.writer.close()?);
            Ok(())
        })?;
        self.groups += 1;
        self.append(chunks.into_iter().flatten()).map_err(Error::unwritable)
    }

    fn append(&mut self, chunks: impl Iterator<Item = ArrowColumnChunk>) -> ParquetResult<()> {
        let mut group = self.file.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close().map(drop)
    }

    /// Ends the last row group, writes the footer, and gives the flushed file back.
    pub fn finish(mut self) -> Result<W> {
        self.end_group()?;
        let mut file = self.file.into_inner().map_err(Error::unwritable)?;
        file.flush().map_err(Error::unwritable)?;
        Ok(file)
    }
}

impl Group {
    fn new(schema: &SchemaRef, properties: WriterProperties, index: usize) -> Result<Self> {
        // The file's own writer has one set of properties for all row groups, so that a stand-in lays out the columns.
        let (_, factory) = open(std::io::sink(), schema, properties)?;
        let writers = factory.create_column_writers(index).map_err(Error::unwritable)?;
        let leaf = |writer| Leaf { writer, levels: None, took: Duration::ZERO };
        Ok(Self { leaves: writers.into_iter().map(leaf).collect(), rows: 0 })
    }
}

impl Leaf {
    fn write(&mut self) -> ParquetResult<()> {
        let start = Instant::now();
        if let Some(levels) = self.levels.take() {
            self.writer.write(&levels)?;
        }
        self.took = start.elapsed();
        Ok(())
    }
}

/// Threads for jobs side by side; where there is but one, the caller's own does them.
struct Pool(Option<Arc<ThreadPool>>);

impl Pool {
    /// Runs all jobs, begun in their order.  The failure is that of the earliest job that failed.
    fn each<J: Send>(&self, jobs: Vec<J>, run: impl Fn(J) -> ParquetResult<()> + Sync) -> Result<()> {
        let Some(pool) = &self.0 else { return jobs.into_iter().try_for_each(run).map_err(Error::unwritable) };
        let mut results: Vec<ParquetResult<()>> = jobs.iter().map(|_| Ok(())).collect();
        let run = &run;
        pool.in_place_scope_fifo(|scope| {
            for (job, result) in jobs.into_iter().zip(&mut results) {
                scope.spawn_fifo(move |_| *result = run(job));
            }
        });
        results.into_iter().collect::<ParquetResult<()>>().map_err(Error::unwritable)
    }
}

/// Begins a file, with the Arrow schema noted in it, and what lays out columns for it.
pub(super) fn open<W: Write + Send>(
    file: W,
    schema: &SchemaRef,
    properties: WriterProperties,
) -> Result<(SerializedFileWriter<W>, ArrowRowGroupWriterFactory)> {
    ArrowWriter::try_new(file, Arc::clone(schema), Some(properties))
        .and_then(ArrowWriter::into_serialized_writer)
        .map_err(|error| Error::new(ErrorKind::Sink, "Parquet can't hold these columns").because(error))
}

//! Parquet as a sink: the columns are encoded side by side, each into a chunk of the open row group that stays in memory
//! until the row group ends.  While one row group is closed and written to the file, the next one is begun.
//!
//! Who calls says when that is, so that the file's bytes follow from the calls alone: a column's pages depend on its own
//! values only, and chunks go into the file in the order of the columns, whichever thread made them and when.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, ArrowWriterOptions};
use parquet::basic::Compression as Codec;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rayon::ThreadPool;

use super::column::Column;
use super::{encodings, layout};
use crate::error::{Error, ErrorKind, Result};

/// A Parquet file that grows by row groups.
pub(crate) struct ParquetWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    schema: SchemaRef,
    /// The columns as the file holds them.
    stored: SchemaRef,
    properties: WriterProperties,
    /// How many leaves each column has: more than one where it is nested.
    leaves: Vec<usize>,
    /// The open row group.
    group: Option<Group>,
    /// The one before, until its chunks are closed and in the file.
    closing: Option<Group>,
    groups: usize,
    /// `None`: the caller's own thread encodes.
    pool: Option<Arc<ThreadPool>>,
}

/// A row group's columns.
struct Group(Vec<Arc<Column>>);

impl<W: Write + Send> ParquetWriter<W> {
    /// A file of these columns, encoded by these threads.
    pub fn new(file: W, schema: &SchemaRef, compression: Codec, pool: &Arc<ThreadPool>) -> Result<Self> {
        let properties = encodings::properties(compression);
        let (file, _) = open(file, schema, properties.clone())?;
        let stored = layout::stored(schema);
        let mut leaves = vec![0; schema.fields().len()];
        for leaf in 0..file.schema_descr().num_columns() {
            leaves[file.schema_descr().get_column_root_idx(leaf)] += 1;
        }
        let pool = Some(pool).filter(|pool| pool.current_num_threads() > 1).map(Arc::clone);
        Ok(Self {
            file,
            schema: Arc::clone(schema),
            stored,
            properties,
            leaves,
            group: None,
            closing: None,
            groups: 0,
            pool,
        })
    }

    /// Encodes a batch into the open row group.  What goes wrong on the way may be said later.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if batch.num_columns() != self.leaves.len() {
            let message = format!("a batch has {} columns, the file {}", batch.num_columns(), self.leaves.len());
            return Err(Error::internal(message));
        }
        let batch = &self.store(batch)?;
        let group = match self.group.take() {
            Some(group) => group,
            None => self.begin_group(batch)?,
        };
        for (column, array) in group.0.iter().zip(batch.columns()) {
            column.write(array, self.pool.as_deref());
        }
        let failed = group.0.iter().any(|column| column.is_done());
        self.group = Some(group);
        if failed {
            return self.end_group().and_then(|()| self.append());
        }
        match &self.closing {
            Some(closing) if closing.0.iter().all(|column| column.is_done()) => self.append(),
            _ => Ok(()),
        }
    }

    /// The columns as the file holds them.
    fn store(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = batch.columns().iter().zip(self.stored.fields()).map(|(column, field)| {
            layout::store(column, field.data_type()).map_err(|error| {
                let message = format!("column '{}' does not fit into Parquet: {error}", field.name());
                Error::new(ErrorKind::Sink, message)
                    .help("write Arrow IPC, or leave the column out of columns in [sink]")
                    .because(error)
            })
        });
        RecordBatch::try_new(Arc::clone(&self.stored), columns.collect::<Result<_>>()?).map_err(Error::unwritable)
    }

    fn begin_group(&mut self, first: &RecordBatch) -> Result<Group> {
        let descriptor = self.file.schema_descr();
        let properties = encodings::for_group(&self.properties, descriptor, first).map_err(Error::unwritable)?;
        // The file's own writer has one set of properties for all row groups, so that a stand-in lays out the columns.
        let (_, factory) = open(std::io::sink(), &self.schema, properties)?;
        let mut writers = factory.create_column_writers(self.groups).map_err(Error::unwritable)?.into_iter();
        let columns = self.stored.fields().iter().zip(&self.leaves);
        let columns = columns.map(|(field, leaves)| Column::new(field, writers.by_ref().take(*leaves).collect()));
        Ok(Group(columns.collect()))
    }

    /// Ends the row group if it has rows.
    pub fn end_group(&mut self) -> Result<()> {
        let Some(group) = self.group.take() else { return Ok(()) };
        for column in &group.0 {
            column.close(self.pool.as_deref());
        }
        self.groups += 1;
        self.append()?;
        self.closing = Some(group);
        Ok(())
    }

    /// Writes the ended row group to the file, when all of it is encoded.
    fn append(&mut self) -> Result<()> {
        let Some(closing) = self.closing.take() else { return Ok(()) };
        let chunks = closing.0.iter().map(|column| column.outcome()).collect::<Result<Vec<_>>>()?;
        let file = &mut self.file;
        let append = || {
            let mut group = file.next_row_group()?;
            chunks.into_iter().flatten().try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
            group.close().map(drop)
        };
        append().map_err(Error::unwritable)
    }

    /// Ends the last row group, writes the footer, and gives the flushed file back.
    pub fn finish(mut self) -> Result<W> {
        self.end_group()?;
        self.append()?;
        let mut file = self.file.into_inner().map_err(Error::unwritable)?;
        file.flush().map_err(Error::unwritable)?;
        Ok(file)
    }
}

/// Begins a file, with the Arrow schema noted in it, and what lays out columns for it.
pub(super) fn open<W: Write + Send>(
    file: W,
    schema: &SchemaRef,
    properties: WriterProperties,
) -> Result<(SerializedFileWriter<W>, ArrowRowGroupWriterFactory)> {
    let writer = layout::descriptor(schema).and_then(|descriptor| {
        let options = ArrowWriterOptions::new().with_properties(properties).with_parquet_schema(descriptor);
        ArrowWriter::try_new_with_options(file, layout::stored(schema), options)
    });
    writer
        .and_then(ArrowWriter::into_serialized_writer)
        .map_err(|error| Error::new(ErrorKind::Sink, "Parquet cannot store these columns").because(error))
}

//! Writing the output under a temporary name beside its place, synced, and renamed when it is whole: a run that fails
//! leaves no part of a file, and the old file as it was.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, make_array};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;

use super::{Sink, Style, folder};
use crate::config::Compression;
use crate::error::{Error, ErrorKind, Result};

/// Rows and bytes that a row group of Parquet is closed at, whichever comes first: the writer holds one in memory.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 64 << 20;

/// An output that grows under its temporary name; dropped unfinished, it is removed.
pub(crate) struct Writing {
    encoder: Encoder,
    schema: SchemaRef,
    file: NamedTempFile,
    path: PathBuf,
}

enum Encoder {
    Csv { writer: Box<arrow::csv::Writer<BufWriter<File>>>, schema: SchemaRef },
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
}

impl Encoder {
    fn new(file: File, style: Style, schema: &SchemaRef) -> Result<Self> {
        let file = BufWriter::with_capacity(1 << 20, file);
        match style {
            Style::Csv { delimiter } => Ok(Self::Csv {
                writer: Box::new(WriterBuilder::new().with_delimiter(delimiter).build(file)),
                schema: in_utc(schema),
            }),
            Style::Parquet { compression } => {
                let codec = match compression {
                    Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
                    Compression::Snappy => Codec::SNAPPY,
                    Compression::None => Codec::UNCOMPRESSED,
                };
                let properties =
                    WriterProperties::builder().set_compression(codec).set_max_row_group_row_count(Some(GROUP_ROWS));
                ArrowWriter::try_new(file, Arc::clone(schema), Some(properties.build()))
                    .map(|writer| Self::Parquet(Box::new(writer)))
                    .map_err(|error| Error::new(ErrorKind::Sink, "Parquet can't hold these columns").because(error))
            }
        }
    }
}

impl Writing {
    /// Creates the output under its temporary name, with its columns and no rows yet.
    pub fn create(sink: Sink, schema: &SchemaRef) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{}.", sink.path.file_name().unwrap_or_default().to_string_lossy());
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            // As any new file: what the user's umask leaves of it.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let fault = |error: std::io::Error| {
            Error::new(ErrorKind::Sink, format!("can't create the output: {error}")).in_file(&sink.path)
        };
        let file = builder.tempfile_in(folder(&sink.path)).map_err(fault)?;
        let handle = file.as_file().try_clone().map_err(fault)?;
        let mut writing = Self {
            encoder: Encoder::new(handle, sink.style, schema)?,
            schema: Arc::clone(schema),
            file,
            path: sink.path,
        };
        // So that an input without rows gives an output with columns.
        writing.write(&RecordBatch::new_empty(Arc::clone(schema)))?;
        Ok(writing)
    }

    fn fault<E: std::error::Error + Send + Sync + 'static>(path: &Path) -> impl Fn(E) -> Error {
        move |error| Error::new(ErrorKind::Sink, "can't write the output").in_file(path).because(error)
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.encoder {
            Encoder::Csv { writer, schema } => {
                let batch = relabel(batch, schema).map_err(Self::fault(&self.path))?;
                writer.write(&batch).map_err(Self::fault(&self.path))
            }
            Encoder::Parquet(writer) => {
                let batch = relabel(batch, &self.schema).map_err(Self::fault(&self.path))?;
                writer.write(&batch).map_err(Self::fault(&self.path))?;
                if writer.in_progress_size() > GROUP_BYTES {
                    writer.flush().map_err(Self::fault(&self.path))?;
                }
                Ok(())
            }
        }
    }

    /// Brings everything to the disk, then puts the file in its place.  The number of its bytes.
    pub fn finish(self) -> Result<u64> {
        let Self { encoder, file, path, .. } = self;
        let mut inner = match encoder {
            Encoder::Csv { writer, .. } => writer.into_inner(),
            Encoder::Parquet(writer) => writer.into_inner().map_err(Self::fault(&path))?,
        };
        inner.flush().map_err(Self::fault(&path))?;
        file.as_file().sync_all().map_err(Self::fault(&path))?;
        let bytes = file.as_file().metadata().map_err(Self::fault(&path))?.len();
        file.persist(&path).map_err(|error| Self::fault(&path)(error.error))?;
        #[cfg(unix)]
        File::open(folder(&path)).and_then(|folder| folder.sync_all()).map_err(Self::fault(&path))?;
        Ok(bytes)
    }
}

/// The batch under a schema that differs in labels only: names of zones, what may be null, metadata.
fn relabel(batch: &RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        match (column.data_type(), field.data_type()) {
            (DataType::Timestamp(from, from_zone), DataType::Timestamp(to, to_zone))
                if from == to && from_zone != to_zone =>
            {
                Ok(make_array(column.to_data().into_builder().data_type(field.data_type().clone()).build()?))
            }
            _ => Ok(Arc::clone(column)),
        }
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<std::result::Result<_, arrow::error::ArrowError>>()?)
}

/// Moments with a zone as CSV shows them: in UTC, which needs no table of the world's summer times.
fn in_utc(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            Field::new(field.name(), DataType::Timestamp(*unit, Some("+00:00".into())), true)
        }
        _ => Field::new(field.name(), field.data_type().clone(), true),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

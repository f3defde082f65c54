//! Rows into the bytes of a format.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, make_array, new_null_array};
use arrow::csv::{QuoteStyle, WriterBuilder};
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use parquet::basic::{Compression as Codec, ZstdLevel};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::dictionaries::DictionaryFile;
use super::{Out, Style, empty_texts, text};
use crate::config::{Compression, Empty};
use crate::error::{Error, ErrorKind, Result};
use crate::model::types;
use crate::parquet::ParquetWriter;

/// Fewer rows than these are not worth a thread of their own.
const ROWS_OF_A_THREAD: usize = 4096;

/// Writes rows in a format.
pub(crate) enum Encoder {
    Csv {
        out: Out,
        delimiter: u8,
        empty: Empty,
        schema: SchemaRef,
        pool: Arc<ThreadPool>,
    },
    Parquet {
        writer: Box<ParquetWriter<Out>>,
        schema: SchemaRef,
    },
    IpcFile {
        writer: Box<FileWriter<Out>>,
        schema: SchemaRef,
    },
    /// With dictionaries, which are whole at the end only.
    IpcDictionaries {
        writer: Box<DictionaryFile>,
        schema: SchemaRef,
    },
    IpcStream {
        writer: Box<StreamWriter<Out>>,
        schema: SchemaRef,
    },
    None,
}

impl Encoder {
    /// Begins to write; `streamed` where the bytes go through a pipe, `header` where CSV is to begin with the names.
    pub fn begin(
        mut out: Out,
        style: Style,
        schema: &SchemaRef,
        pool: &Arc<ThreadPool>,
        header: bool,
        streamed: bool,
    ) -> Result<Self> {
        match style {
            Style::None => Ok(Self::None),
            Style::Csv { delimiter, empty } => {
                if header {
                    let names = RecordBatch::new_empty(text::shown(schema));
                    out.write_all(&csv(&names, delimiter, QuoteStyle::Necessary, true).map_err(Error::unwritable)?)
                        .map_err(Error::unwritable)?;
                }
                Ok(Self::Csv { out, delimiter, empty, schema: Arc::clone(schema), pool: Arc::clone(pool) })
            }
            Style::Parquet { compression } => {
                let writer = ParquetWriter::new(out, schema, codec(compression), pool)?;
                Ok(Self::Parquet { writer: Box::new(writer), schema: Arc::clone(schema) })
            }
            Style::Ipc { compression } => {
                let compression = match compression {
                    Compression::Zstd => Some(CompressionType::ZSTD),
                    Compression::Lz4 => Some(CompressionType::LZ4_FRAME),
                    Compression::Snappy | Compression::None => None,
                };
                let options =
                    IpcWriteOptions::default().try_with_compression(compression).map_err(Error::unwritable)?;
                let schema = Arc::clone(schema);
                if streamed {
                    let writer =
                        StreamWriter::try_new_with_options(out, &schema, options).map_err(Error::unwritable)?;
                    return Ok(Self::IpcStream { writer: Box::new(writer), schema });
                }
                if DictionaryFile::is_for(&schema) {
                    let writer = Box::new(DictionaryFile::begin(out, &schema, options)?);
                    return Ok(Self::IpcDictionaries { writer, schema });
                }
                let writer = FileWriter::try_new_with_options(out, &schema, options).map_err(Error::unwritable)?;
                Ok(Self::IpcFile { writer: Box::new(writer), schema })
            }
        }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Csv { out, delimiter, empty, schema, pool } => {
                if *empty == Empty::Text
                    && let Some(name) = empty_texts::blank_line(batch)
                {
                    let message = format!("the only column '{name}' is null in a row, which is a blank line in CSV");
                    return Err(Error::new(ErrorKind::Sink, message).help(
                        "set empty = \"null\" in [sink] to write null as \"\", like the empty string, or write another column too",
                    ));
                }
                let batch = text::show(batch, schema).map_err(Error::unwritable)?;
                let rows = batch.num_rows().div_ceil(pool.current_num_threads()).max(ROWS_OF_A_THREAD);
                let parts: Vec<RecordBatch> = (0..batch.num_rows())
                    .step_by(rows)
                    .map(|from| batch.slice(from, rows.min(batch.num_rows() - from)))
                    .collect();
                let texts: Vec<_> =
                    pool.install(|| parts.par_iter().map(|part| rows_of_csv(part, *delimiter, *empty)).collect());
                for text in texts {
                    out.write_all(&text.map_err(Error::unwritable)?).map_err(Error::unwritable)?;
                }
                Ok(())
            }
            Self::Parquet { writer, schema } => writer.write(&relabel(batch, schema).map_err(Error::unwritable)?),
            Self::IpcFile { writer, schema } => {
                relabel(batch, schema).and_then(|batch| writer.write(&batch)).map_err(Error::unwritable)
            }
            Self::IpcDictionaries { writer, schema } => {
                writer.write(&relabel(batch, schema).map_err(Error::unwritable)?)
            }
            Self::IpcStream { writer, schema } => {
                relabel(batch, schema).and_then(|batch| writer.write(&batch)).map_err(Error::unwritable)?;
                writer.flush().map_err(Error::unwritable)
            }
        }
    }

    /// Ends what the format keeps open in memory.
    pub fn end_group(&mut self) -> Result<()> {
        match self {
            Self::Parquet { writer, .. } => writer.end_group(),
            _ => Ok(()),
        }
    }

    /// Writes what is left to write.
    pub fn finish(self) -> Result<()> {
        let mut out = match self {
            Self::None => return Ok(()),
            Self::Csv { out, .. } => out,
            Self::Parquet { writer, .. } => writer.finish()?,
            Self::IpcDictionaries { writer, .. } => writer.finish()?,
            Self::IpcFile { mut writer, .. } => {
                writer.finish().map_err(Error::unwritable)?;
                writer.into_inner().map_err(Error::unwritable)?
            }
            Self::IpcStream { mut writer, .. } => {
                writer.finish().map_err(Error::unwritable)?;
                writer.into_inner().map_err(Error::unwritable)?
            }
        };
        out.flush().map_err(Error::unwritable)
    }
}

/// Fails if the format has no place for one of the columns, of which a row is written nowhere.
pub(crate) fn check(style: Style, schema: &Schema) -> Result<()> {
    if schema.fields().is_empty() {
        return Ok(());
    }
    let pool = one_thread()?;
    let Err(whole) = write_nulls(style, schema.fields(), &pool) else { return Ok(()) };
    for field in schema.fields() {
        write_nulls(style, std::slice::from_ref(field), &pool).map_err(|error| {
            let (name, data_type) = (field.name(), types::name(field.data_type()));
            Error::new(ErrorKind::Sink, format!("column '{name}': the output has no place for type {data_type}"))
                .help("leave the column out of columns in [sink], or write another format")
                .because(error)
        })?;
    }
    Err(whole)
}

/// A pool for a file of hardly any rows.
pub(super) fn one_thread() -> Result<Arc<ThreadPool>> {
    let pool = ThreadPoolBuilder::new().num_threads(1).build();
    pool.map(Arc::new).map_err(|error| Error::internal("cannot start a thread").because(error))
}

/// Writes a row of nulls nowhere.
fn write_nulls(style: Style, fields: &[FieldRef], pool: &Arc<ThreadPool>) -> Result<()> {
    let fields = fields.iter().map(|field| field.as_ref().clone().with_nullable(true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::clone(&schema), nulls, &options).map_err(Error::unwritable)?;
    let style = match style {
        // Of a column alone, null has no place; but perhaps there is none.
        Style::Csv { delimiter, .. } => Style::Csv { delimiter, empty: Empty::Null },
        other => other,
    };
    let mut encoder = Encoder::begin(Box::new(std::io::sink()), style, &schema, pool, true, false)?;
    encoder.write(&row)?;
    encoder.finish()
}

pub(crate) fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::None => Codec::UNCOMPRESSED,
    }
}

fn rows_of_csv(batch: &RecordBatch, delimiter: u8, empty: Empty) -> std::result::Result<Vec<u8>, ArrowError> {
    let quoted = if empty == Empty::Text { empty_texts::quoted(batch, delimiter)? } else { None };
    match quoted {
        Some(quoted) => csv(&quoted, delimiter, QuoteStyle::Never, false),
        None => csv(batch, delimiter, QuoteStyle::Necessary, false),
    }
}

fn csv(
    batch: &RecordBatch,
    delimiter: u8,
    quotes: QuoteStyle,
    header: bool,
) -> std::result::Result<Vec<u8>, ArrowError> {
    let mut text = Vec::new();
    let writer = WriterBuilder::new().with_delimiter(delimiter).with_quote_style(quotes).with_header(header);
    writer.build(&mut text).write(batch)?;
    Ok(text)
}

/// The batch under a schema that differs in labels only: names of zones, what may be null, metadata.
pub(super) fn relabel(batch: &RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, ArrowError> {
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
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<std::result::Result<_, ArrowError>>()?)
}

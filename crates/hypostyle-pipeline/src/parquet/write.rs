//! Shim.
use crate::error::{Error, ErrorKind, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression as Codec;
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;
pub(crate) struct ParquetWriter<W: Write + Send>(ArrowWriter<W>);
fn fault<E: std::error::Error + Send + Sync + 'static>(error: E) -> Error {
    Error::new(ErrorKind::Sink, "can't write the output").because(error)
}
impl<W: Write + Send> ParquetWriter<W> {
    pub fn new(file: W, schema: &SchemaRef, compression: Codec, _threads: usize) -> Result<Self> {
        let p = WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(None).build();
        ArrowWriter::try_new(file, Arc::clone(schema), Some(p)).map(Self).map_err(fault)
    }
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).map_err(fault)
    }
    pub fn end_group(&mut self) -> Result<()> {
        self.0.flush().map_err(fault)
    }
    pub fn finish(self) -> Result<W> {
        self.0.into_inner().map_err(fault)
    }
}

pub(crate) fn concat<W: Write + Send>(
    parts: &[std::path::PathBuf],
    schema: &SchemaRef,
    compression: Codec,
    out: W,
) -> Result<W> {
    let mut w = ParquetWriter::new(out, schema, compression, 1)?;
    for part in parts {
        for b in parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
            std::fs::File::open(part).map_err(fault)?,
        )
        .map_err(fault)?
        .with_batch_size(1 << 30)
        .build()
        .map_err(fault)?
        {
            w.write(&b.map_err(fault)?)?;
        }
        w.end_group()?;
    }
    w.finish()
}

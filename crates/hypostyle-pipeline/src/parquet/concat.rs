//! Whole Parquet files put one after the other into one, without decoding: the bytes of their column chunks are copied as
//! they are, and only the footer is made anew.
//!
//! What the footer and the indexes say of a chunk is carried over whole, so that parts which were cut where row groups end
//! give the very file that writing in one go gives.

use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use parquet::basic::Compression as Codec;
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;

use super::encodings::properties;
use super::file::SharedFile;
use super::write::open;
use crate::error::{Error, ErrorKind, Result};

/// Joins the files in their order.  All of them have this schema.
pub(crate) fn concat<W: Write + Send>(parts: &[PathBuf], schema: &SchemaRef, compression: Codec, out: W) -> Result<W> {
    let (mut file, _) = open(out, schema, properties(compression))?;
    for part in parts {
        append(part, &mut file).map_err(|error| {
            Error::new(ErrorKind::Sink, "cannot append this part to the output").in_file(part).because(error)
        })?;
    }
    let mut out = file.into_inner().map_err(Error::unwritable)?;
    out.flush().map_err(Error::unwritable)?;
    Ok(out)
}

fn append<W: Write + Send>(part: &Path, file: &mut SerializedFileWriter<W>) -> ParquetResult<()> {
    let part = SharedFile::open(part)?;
    let footer = footer(&part)?;
    for (group, about) in footer.row_groups().iter().enumerate() {
        let mut out = file.next_row_group()?;
        let index = footer.page_index_for_row_group(group);
        for (column, chunk) in about.columns().iter().enumerate() {
            let close = ColumnCloseResult {
                bytes_written: chunk.compressed_size() as u64,
                rows_written: about.num_rows() as u64,
                metadata: with_old_bounds(chunk)?,
                bloom_filter: Sbbf::read_from_column_chunk(chunk, &part)?,
                column_index: index.column_index(column).cloned(),
                offset_index: index.offset_index(column).cloned(),
            };
            out.append_column(&part, close)?;
        }
        out.close()?;
    }
    Ok(())
}

/// The chunk with its least and greatest value noted in the old way as well where the writer did so: that is read over.
fn with_old_bounds(chunk: &ColumnChunkMetaData) -> ParquetResult<ColumnChunkMetaData> {
    let Some(statistics) = chunk.statistics() else { return Ok(chunk.clone()) };
    let signed = chunk.column_descr().sort_order().is_signed();
    let statistics = match statistics.clone() {
        Statistics::Boolean(values) => Statistics::Boolean(values.with_backwards_compatible_min_max(signed)),
        Statistics::Int32(values) => Statistics::Int32(values.with_backwards_compatible_min_max(signed)),
        Statistics::Int64(values) => Statistics::Int64(values.with_backwards_compatible_min_max(signed)),
        Statistics::Int96(values) => Statistics::Int96(values.with_backwards_compatible_min_max(signed)),
        Statistics::Float(values) => Statistics::Float(values.with_backwards_compatible_min_max(signed)),
        Statistics::Double(values) => Statistics::Double(values.with_backwards_compatible_min_max(signed)),
        Statistics::ByteArray(values) => Statistics::ByteArray(values.with_backwards_compatible_min_max(signed)),
        Statistics::FixedLenByteArray(values) => {
            Statistics::FixedLenByteArray(values.with_backwards_compatible_min_max(signed))
        }
    };
    chunk.clone().into_builder().set_statistics(statistics).build()
}

/// The footer with all that it says, which readers mostly do without.
fn footer(part: &SharedFile) -> ParquetResult<ParquetMetaData> {
    let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Optional)
        .with_metadata_options(Some(options))
        .parse_and_finish(part)
}

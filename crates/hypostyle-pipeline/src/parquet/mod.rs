//! Parquet in and out, in parallel and within a bounded memory.
//!
//! A Parquet file is row groups of columns of pages, and nothing but the columns may be decoded or encoded apart: a file
//! may well be one row group.  So both ways work a column at a time.  [`read`] says which rows of which row groups are
//! wanted, [`prune`] in which no row can be; [`lanes`] has threads decode a batch of one column at a time, always of the one
//! that is furthest behind; [`columns`] says what they are read as, [`twice`] reads what one pass would lose; [`file`] lets them read at places of their own.  [`write`] has every [`column`] encoded side by
//! side, as [`layout`] says what stands in the file and [`encodings`] finds best, each into the chunk that it keeps in memory until the row group ends.  [`concat`]
//! joins whole files without decoding them, so that parts of the output may be written apart as well.
//!
//! No result depends on the number of threads: not the rows, not an error's place among them, not a byte of a file.

mod chunks;
mod column;
mod columns;
mod concat;
mod encodings;
mod file;
mod footer;
mod lanes;
mod layout;
mod prune;
mod read;
mod twice;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use chunks::{ParquetChunks, Wanted};
pub(crate) use columns::Known;
pub(crate) use concat::concat;
pub(crate) use read::ParquetFile;
pub(crate) use write::ParquetWriter;

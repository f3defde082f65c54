//! The parts of a file that a run with checkpoints leaves, put together.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write, copy};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::FileReader;
use rayon::ThreadPool;

use super::encode::{Encoder, codec};
use super::{Out, Style};
use crate::error::{Error, Result};
use crate::parquet::concat;

/// The directory that a run with checkpoints keeps its output in until it is complete.
#[derive(Debug, Clone)]
pub(crate) struct PartPaths(PathBuf);

impl PartPaths {
    pub fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// A part of an output of one file.
    pub fn part(&self, index: usize) -> PathBuf {
        self.0.join(format!("part-{index:06}"))
    }

    /// The directory of the parts of an output of several files.
    pub fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    pub fn rejects(&self) -> PathBuf {
        self.0.join("rejects.csv")
    }
}

/// Writes the parts one after the other as one file.
pub(super) fn join(
    parts: &[PathBuf],
    style: Style,
    schema: &SchemaRef,
    pool: &Arc<ThreadPool>,
    file: File,
) -> Result<()> {
    let mut out: Out = Box::new(BufWriter::with_capacity(1 << 20, file));
    match style {
        Style::None => Ok(()),
        Style::Csv { .. } => {
            for part in parts {
                let copied = File::open(part).and_then(|mut part| copy(&mut part, &mut out));
                copied.map_err(Error::unwritable)?;
            }
            out.flush().map_err(Error::unwritable)
        }
        Style::Parquet { compression } => {
            concat(parts, schema, codec(compression), out)?.flush().map_err(Error::unwritable)
        }
        Style::Ipc { .. } => {
            let mut encoder = Encoder::begin(out, style, schema, pool, true, false)?;
            for part in parts {
                let file = BufReader::new(File::open(part).map_err(Error::unwritable)?);
                for batch in FileReader::try_new(file, None).map_err(Error::unwritable)? {
                    encoder.write(&batch.map_err(Error::unwritable)?)?;
                }
            }
            encoder.finish()
        }
    }
}

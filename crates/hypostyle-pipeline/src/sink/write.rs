//! Writing the output atomically: to a temporary file beside it, or, with checkpoints, as parts in the directory of the checkpoints.
//! A run that fails leaves no part of a file, and an existing file unchanged.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arrow::array::RecordBatch;
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};

use super::atomic::{Pending, Settling};
use super::directory::{DirectoryWriting, WholeFiles, WrittenDirectory};
use super::encode::{self, Encoder};
use super::partitioned::{PartitionSettings, PartitionedWriting};
use super::parts::{PartPaths, join};
use super::{Out, Sink, Style, Target};
use crate::error::{Error, Result};

impl Sink {
    /// Fails if the format has no place for one of the columns.
    pub fn check_types(&self) -> Result<()> {
        encode::check(self.style, &self.schema)
    }
}

/// An output that grows.
pub(crate) struct Writing {
    sink: Sink,
    pool: Arc<ThreadPool>,
    encoder: Option<Encoder>,
    place: Place,
    written: Arc<AtomicU64>,
}

enum Place {
    Pending(Pending),
    /// Parts in the directory of the checkpoints, and how many of them are complete.
    Parts {
        paths: PartPaths,
        whole: usize,
        open: Option<File>,
    },
    Directory(Box<DirectoryWriting>),
    Partitioned(Box<PartitionedWriting>),
    StandardOutput,
    Nowhere,
}

/// The complete part of an output, as a checkpoint records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Whole {
    /// A number of parts of one file.
    Parts(usize),
    /// The files of a folder.
    Files(WholeFiles),
    /// A number of runs of rows that go to partitions.
    Runs(usize),
}

impl Whole {
    /// How many parts of one file.
    pub fn parts(&self) -> usize {
        match self {
            Self::Parts(parts) => *parts,
            Self::Files(_) | Self::Runs(_) => 0,
        }
    }
}

/// A complete output that is not in its place yet.
pub(crate) struct Written {
    pending: Option<Pending>,
    folder: Option<WrittenDirectory>,
    bytes: u64,
}

impl Writing {
    /// Begins the output, or resumes it behind the complete parts.
    pub fn begin(
        sink: Sink,
        pool: &Arc<ThreadPool>,
        memory_limit: Option<u64>,
        parts: Option<(PartPaths, Option<Whole>)>,
    ) -> Result<Self> {
        let misfit = || Error::internal("the checkpoint is of another kind of output").in_file(&sink.name());
        let place = match (&sink.target, parts) {
            (Target::File(_), Some((paths, whole))) => {
                let whole = match whole {
                    None => 0,
                    Some(Whole::Parts(parts)) => parts,
                    Some(_) => return Err(misfit()),
                };
                Place::Parts { paths, whole, open: None }
            }
            (Target::File(path), None) => Place::Pending(Pending::create(path)?),
            (Target::Object(object), _) => Place::Pending(Pending::create_object(object)?),
            (Target::Directory(path, folder), parts) if !folder.partition_by.is_empty() => {
                let parts = match parts {
                    None => None,
                    Some((paths, None)) => Some((paths.files(), 0)),
                    Some((paths, Some(Whole::Runs(runs)))) => Some((paths.files(), runs)),
                    Some(_) => return Err(misfit()),
                };
                let settings = PartitionSettings {
                    directory: folder,
                    row_group_size: sink.row_group_size,
                    style: sink.style,
                    memory_limit,
                };
                let writing = PartitionedWriting::begin(path, settings, &sink.schema, pool, parts);
                Place::Partitioned(Box::new(writing.map_err(|error| error.in_file(path))?))
            }
            (Target::Directory(path, folder), parts) => {
                let parts = match parts {
                    None => None,
                    Some((paths, None)) => Some((paths.files(), WholeFiles::default())),
                    Some((paths, Some(Whole::Files(files)))) => Some((paths.files(), files)),
                    Some(_) => return Err(misfit()),
                };
                let writing = DirectoryWriting::begin(path, folder, sink.style, &sink.schema, pool, parts);
                Place::Directory(Box::new(writing.map_err(|error| error.in_file(path))?))
            }
            (Target::StandardOutput, _) => Place::StandardOutput,
            (Target::Nowhere, _) => Place::Nowhere,
        };
        let pool = Arc::clone(pool);
        let mut writing = Self { sink, pool, encoder: None, place, written: Arc::default() };
        if !matches!(writing.place, Place::Parts { .. } | Place::Directory(_) | Place::Partitioned(_)) {
            writing.encoder = Some(writing.begin_encoder()?);
        }
        Ok(writing)
    }

    fn begin_encoder(&mut self) -> Result<Encoder> {
        let (mut header, mut streamed) = (true, false);
        let out: Out = match &mut self.place {
            Place::Pending(pending) => Box::new(BufWriter::with_capacity(1 << 20, pending.writer()?)),
            Place::Parts { paths, whole, open } => {
                header = *whole == 0;
                let path = paths.part(*whole);
                let file = File::create(&path).and_then(|file| Ok((file.try_clone()?, file)));
                let (handle, file) = file.map_err(|error| Error::unwritable(error).in_file(&path))?;
                *open = Some(handle);
                Box::new(BufWriter::with_capacity(1 << 20, Settling::new(file)))
            }
            Place::StandardOutput => {
                streamed = true;
                Box::new(BufWriter::with_capacity(1 << 16, stdout()))
            }
            Place::Directory(_) | Place::Partitioned(_) | Place::Nowhere => Box::new(std::io::sink()),
        };
        let out = Box::new(Counted { inner: out, written: Arc::clone(&self.written) });
        let Sink { style, schema, .. } = &self.sink;
        let encoder = Encoder::begin(out, *style, schema, &self.pool, header, streamed);
        encoder.map_err(|error| error.in_file(&self.sink.name()))
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if matches!(self.sink.style, Style::None) {
            return Ok(());
        }
        let lacking = |error| Error::internal("a column of the output is missing").because(error);
        let batch = batch.project(&self.sink.columns).map_err(lacking)?;
        if let Place::Directory(folder) = &mut self.place {
            return folder.write(&batch).map_err(|error| error.in_file(&self.sink.name()));
        }
        if let Place::Partitioned(folder) = &mut self.place {
            return folder.write(&batch).map_err(|error| error.in_file(&self.sink.name()));
        }
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => self.begin_encoder()?,
        };
        self.encoder.insert(encoder).write(&batch).map_err(|error| error.in_file(&self.sink.name()))
    }

    pub fn end_group(&mut self) -> Result<()> {
        if let Place::Directory(folder) = &mut self.place {
            return folder.end_group().map_err(|error| error.in_file(&self.sink.name()));
        }
        match &mut self.encoder {
            Some(encoder) => encoder.end_group().map_err(|error| error.in_file(&self.sink.name())),
            None => Ok(()),
        }
    }

    /// Completes the current part and syncs it.
    pub fn end_part(&mut self) -> Result<Whole> {
        if let Some(encoder) = self.encoder.take() {
            encoder.finish().map_err(|error| error.in_file(&self.sink.name()))?;
        }
        match &mut self.place {
            Place::Parts { whole, open, .. } => {
                if let Some(file) = open.take() {
                    file.sync_all().map_err(|error| Error::unwritable(error).in_file(&self.sink.name()))?;
                    *whole += 1;
                }
                Ok(Whole::Parts(*whole))
            }
            Place::Directory(folder) => {
                folder.end_parts().map(Whole::Files).map_err(|error| error.in_file(&self.sink.name()))
            }
            Place::Partitioned(folder) => {
                folder.end_parts().map(Whole::Runs).map_err(|error| error.in_file(&self.sink.name()))
            }
            _ => Ok(Whole::Parts(0)),
        }
    }

    /// Writes the rest, until `stop` is set, if ever, and joins the parts.
    pub fn finish(mut self, stop: &AtomicBool) -> Result<Written> {
        if self.encoder.is_none() && matches!(self.place, Place::Parts { whole: 0, .. }) {
            self.encoder = Some(self.begin_encoder()?);
        }
        if !matches!(self.place, Place::Partitioned(_)) {
            // What waits for partitions goes to their files as it is.
            self.end_part()?;
        }
        let mut folder = None;
        let pending = match self.place {
            Place::Pending(pending) => Some(pending),
            Place::Directory(writing) => {
                let name = self.sink.name();
                folder = Some(writing.finish().map_err(|error| error.in_file(&name))?);
                None
            }
            Place::Partitioned(writing) => {
                let name = self.sink.name();
                folder = Some(writing.finish(stop).map_err(|error| error.in_file(&name))?);
                None
            }
            Place::Parts { paths, whole, .. } => {
                let parts: Vec<PathBuf> = (0..whole).map(|index| paths.part(index)).collect();
                let name = self.sink.name();
                let pending = Pending::create(&name)?;
                let Sink { style, schema, .. } = &self.sink;
                join(&parts, *style, schema, &self.pool, pending.handle()?).map_err(|error| error.in_file(&name))?;
                Some(pending)
            }
            Place::StandardOutput | Place::Nowhere => None,
        };
        Ok(Written { pending, folder, bytes: self.written.load(Ordering::Relaxed) })
    }
}

impl Written {
    /// Puts the output in its place, until `stop` is set, if ever.  Returns the number of its bytes.
    pub fn place(self, stop: &AtomicBool) -> Result<u64> {
        match (self.pending, self.folder) {
            (Some(pending), _) => pending.persist_unless(stop),
            (None, Some(folder)) => folder.place(),
            (None, None) => Ok(self.bytes),
        }
    }
}

struct Counted {
    inner: Out,
    written: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let done = self.inner.write(bytes)?;
        self.written.fetch_add(done as u64, Ordering::Relaxed);
        Ok(done)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

//! Writing the output where nobody sees it, until it is whole: under a temporary name beside its place, or, where the run makes
//! checkpoints, as parts in the checkpoints' folder.  A run that fails leaves no part of a file, and the old file as it was.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arrow::array::RecordBatch;
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};

use super::encode::{Encoder, Out};
use super::folder::{FolderWriting, WholeFiles, WrittenFolder};
use super::parts::join;
use super::place::{Pending, Settling};
use super::{Sink, Style, Target};
use crate::checkpoint::Checkpoints;
use crate::error::{Error, Result};

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
    /// Parts in the checkpoints' folder, of which so many are whole.
    Parts {
        checkpoints: Checkpoints,
        whole: usize,
        open: Option<File>,
    },
    Folder(Box<FolderWriting>),
    StandardOutput,
    Nowhere,
}

/// What of an output is whole, as a checkpoint knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Whole {
    /// So many parts of one file.
    Parts(usize),
    /// The files of a folder.
    Files(WholeFiles),
}

impl Whole {
    /// How many parts of one file.
    pub fn parts(&self) -> usize {
        match self {
            Self::Parts(parts) => *parts,
            Self::Files(_) => 0,
        }
    }
}

/// An output that is whole, but not in its place yet.
pub(crate) struct Written {
    pending: Option<Pending>,
    folder: Option<WrittenFolder>,
    bytes: u64,
}

impl Writing {
    /// Begins the output, with its columns and no rows yet; or goes on behind what is whole.
    pub fn begin(
        sink: Sink,
        pool: &Arc<ThreadPool>,
        checkpoints: Option<(Checkpoints, Option<Whole>)>,
    ) -> Result<Self> {
        let misfit = || Error::internal("the checkpoint is of another kind of output").in_file(&sink.name());
        let place = match (&sink.target, checkpoints) {
            (Target::File(_), Some((checkpoints, whole))) => {
                let whole = match whole {
                    None => 0,
                    Some(Whole::Parts(parts)) => parts,
                    Some(Whole::Files(_)) => return Err(misfit()),
                };
                Place::Parts { checkpoints, whole, open: None }
            }
            (Target::File(path), None) => Place::Pending(Pending::create(path)?),
            (Target::Object(object), _) => Place::Pending(Pending::create_object(object)?),
            (Target::Folder(path, folder), checkpoints) => {
                let parts = match checkpoints {
                    None => None,
                    Some((checkpoints, None)) => Some((checkpoints.files(), WholeFiles::default())),
                    Some((checkpoints, Some(Whole::Files(files)))) => Some((checkpoints.files(), files)),
                    Some((_, Some(Whole::Parts(_)))) => return Err(misfit()),
                };
                let writing = FolderWriting::begin(path, folder.clone(), sink.style, &sink.schema, pool, parts);
                Place::Folder(Box::new(writing.map_err(|error| error.in_file(path))?))
            }
            (Target::StandardOutput, _) => Place::StandardOutput,
            (Target::Nowhere, _) => Place::Nowhere,
        };
        let pool = Arc::clone(pool);
        let mut writing = Self { sink, pool, encoder: None, place, written: Arc::default() };
        if !matches!(writing.place, Place::Parts { .. } | Place::Folder(_)) {
            writing.encoder = Some(writing.begin_encoder()?);
        }
        Ok(writing)
    }

    fn begin_encoder(&mut self) -> Result<Encoder> {
        let (mut header, mut streamed) = (true, false);
        let out: Out = match &mut self.place {
            Place::Pending(pending) => Box::new(BufWriter::with_capacity(1 << 20, pending.writer()?)),
            Place::Parts { checkpoints, whole, open } => {
                header = *whole == 0;
                let path = checkpoints.part(*whole);
                let file = File::create(&path).and_then(|file| Ok((file.try_clone()?, file)));
                let (handle, file) = file.map_err(|error| Error::unwritable(error).in_file(&path))?;
                *open = Some(handle);
                Box::new(BufWriter::with_capacity(1 << 20, Settling::new(file)))
            }
            Place::StandardOutput => {
                streamed = true;
                Box::new(BufWriter::with_capacity(1 << 16, stdout()))
            }
            Place::Folder(_) | Place::Nowhere => Box::new(std::io::sink()),
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
        if let Place::Folder(folder) = &mut self.place {
            return folder.write(&batch).map_err(|error| error.in_file(&self.sink.name()));
        }
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => self.begin_encoder()?,
        };
        self.encoder.insert(encoder).write(&batch).map_err(|error| error.in_file(&self.sink.name()))
    }

    pub fn end_group(&mut self) -> Result<()> {
        if let Place::Folder(folder) = &mut self.place {
            return folder.end_group().map_err(|error| error.in_file(&self.sink.name()));
        }
        match &mut self.encoder {
            Some(encoder) => encoder.end_group().map_err(|error| error.in_file(&self.sink.name())),
            None => Ok(()),
        }
    }

    /// Brings what was begun to the disk; what is whole then.
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
            Place::Folder(folder) => {
                folder.end_parts().map(Whole::Files).map_err(|error| error.in_file(&self.sink.name()))
            }
            _ => Ok(Whole::Parts(0)),
        }
    }

    /// Writes what is left to write, and puts parts together.
    pub fn finish(mut self) -> Result<Written> {
        if self.encoder.is_none() && matches!(self.place, Place::Parts { whole: 0, .. }) {
            self.encoder = Some(self.begin_encoder()?);
        }
        self.end_part()?;
        let mut folder = None;
        let pending = match self.place {
            Place::Pending(pending) => Some(pending),
            Place::Folder(writing) => {
                let name = self.sink.name();
                folder = Some(writing.finish().map_err(|error| error.in_file(&name))?);
                None
            }
            Place::Parts { checkpoints, whole, .. } => {
                let parts: Vec<PathBuf> = (0..whole).map(|index| checkpoints.part(index)).collect();
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
    /// Puts the output in its place, unless and until `stop` is set.  The number of its bytes.
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

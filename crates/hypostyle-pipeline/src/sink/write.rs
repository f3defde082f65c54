//! Writing the output under a temporary name beside its place, synced, and renamed when it is whole: a run that fails
//! leaves no part of a file, and the old file as it was.

use std::io::{BufWriter, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use rayon::ThreadPool;

use super::encode::{Encoder, Out};
use super::place::Pending;
use super::{Sink, Style, Target};
use crate::error::Result;

/// An output that grows.
pub(crate) struct Writing {
    encoder: Encoder,
    sink: Sink,
    pending: Option<Pending>,
    written: Arc<AtomicU64>,
}

/// An output that is whole, but not in its place yet.
pub(crate) struct Written {
    pending: Option<Pending>,
    bytes: u64,
}

impl Writing {
    /// Begins the output, with its columns and no rows yet.
    pub fn begin(sink: Sink, pool: &Arc<ThreadPool>) -> Result<Self> {
        let written = Arc::<AtomicU64>::default();
        let count = |inner: Out| -> Out { Box::new(Counted { inner, written: Arc::clone(&written) }) };
        let (out, pending): (Out, _) = match &sink.target {
            Target::File(path) => {
                let pending = Pending::create(path)?;
                (count(Box::new(BufWriter::with_capacity(1 << 20, pending.handle()?))), Some(pending))
            }
            Target::StandardOutput => (count(Box::new(BufWriter::with_capacity(1 << 16, stdout()))), None),
            Target::Nowhere => (Box::new(std::io::sink()), None),
        };
        let streamed = matches!(sink.target, Target::StandardOutput);
        let encoder = Encoder::begin(out, sink.style, &sink.schema, pool, streamed)
            .map_err(|error| error.in_file(&sink.name()))?;
        Ok(Self { encoder, sink, pending, written })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let Self { encoder, sink, .. } = self;
        if matches!(sink.style, Style::None) {
            return Ok(());
        }
        let done = batch.project(&sink.columns).map_err(|error| {
            crate::error::Error::new(crate::error::ErrorKind::Internal, "the output lacks a column").because(error)
        });
        done.and_then(|batch| encoder.write(&batch)).map_err(|error| error.in_file(&sink.name()))
    }

    pub fn end_group(&mut self) -> Result<()> {
        self.encoder.end_group().map_err(|error| error.in_file(&self.sink.name()))
    }

    /// Writes what is left to write.
    pub fn finish(self) -> Result<Written> {
        self.encoder.finish().map_err(|error| error.in_file(&self.sink.name()))?;
        Ok(Written { pending: self.pending, bytes: self.written.load(Ordering::Relaxed) })
    }
}

impl Written {
    /// Puts the output in its place.  The number of its bytes.
    pub fn place(self) -> Result<u64> {
        match self.pending {
            Some(pending) => pending.persist(),
            None => Ok(self.bytes),
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

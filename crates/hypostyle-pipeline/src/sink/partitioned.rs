//! An output of a directory for each value of some columns (Hive partitioning), with one file each, or more where they have a
//! maximum of rows.
//!
//! Rows of all partitions come in turns, and there may be far more of them than files can be open.  So rows are gathered
//! ([`Spool`]), and each file is written in one go at the end, in a memory that does not grow with the number of rows or of
//! files.  What is in a file, and where its row groups end, follows from its own rows alone: not from chunks, threads,
//! checkpoints or other files.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tempfile::TempDir;

use super::atomic::folder;
use super::directory::{WHOLE, WrittenDirectory, file_name, hidden, remove_unfinished};
use super::encode::Encoder;
use super::partitions::Partitions;
use super::run_name::RunName;
use super::spool::{Spool, bytes_of, settled};
use super::syncing::Syncing;
use super::{Directory, Out, Style};
use crate::error::{Error, Result};

/// Where rows wait, in the directory that is made.
const SPOOL: &str = ".spool";
/// The rows that are encoded at a time.
const BLOCK: usize = 65_536;
/// The rows and bytes of a row group, if nothing else is said.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 64 << 20;
/// The bytes of rows that wait in memory.
const WAITING: usize = 128 << 20;

/// Where rows of partitions go.
pub(crate) struct PartitionedWriting {
    place: PathBuf,
    append: Option<RunName>,
    files: FileSettings,
    /// The columns that the files have: the directories' names say the others.
    kept: Vec<usize>,
    partitions: Partitions,
    spool: Spool,
    pool: Arc<ThreadPool>,
    root: Root,
}

/// Where the directory is made.
enum Root {
    /// Beside its place.
    Hidden(TempDir),
    /// In the directory of the checkpoints.
    Parts(PathBuf),
}

/// How the files of a partition are written.
#[derive(Clone)]
struct FileSettings {
    style: Style,
    schema: SchemaRef,
    max_rows: usize,
    group_rows: usize,
    group_bytes: usize,
}

/// What the sink says of the files.
pub(crate) struct PartitionSettings<'a> {
    pub directory: &'a Directory,
    pub row_group_size: Option<usize>,
    pub style: Style,
    pub memory_limit: Option<u64>,
}

impl PartitionedWriting {
    /// Begins the directory; or, with checkpoints, resumes behind this number of runs in the given directory.
    pub fn begin(
        place: &Path,
        settings: PartitionSettings,
        schema: &Schema,
        pool: &Arc<ThreadPool>,
        parts: Option<(PathBuf, usize)>,
    ) -> Result<Self> {
        let PartitionSettings { directory, row_group_size, style, memory_limit } = settings;
        let Directory { partition_by, max_rows, append } = directory.clone();
        let kept = directory.kept(schema.fields().len());
        let mut partitions = Partitions::new(&partition_by, schema).map_err(Error::unwritable)?;
        let schema = Arc::new(schema.project(&kept).map_err(Error::unwritable)?);
        let most = |bytes: usize, part: u64| {
            memory_limit.map_or(bytes, |limit| usize::try_from(limit / part).map_or(bytes, |limit| limit.min(bytes)))
        };
        let (root, spool, runs) = match parts {
            Some((root, runs)) => (Root::Parts(root.clone()), root, runs),
            None => {
                let hidden = hidden(place)?;
                let spool = hidden.path().join(SPOOL);
                (Root::Hidden(hidden), spool, 0)
            }
        };
        let mut spool = Spool::new(&schema, pool, spool, most(WAITING, 8))?;
        spool.resume(runs, |place| partitions.at(place))?;
        let files = FileSettings {
            style,
            schema,
            max_rows: max_rows.unwrap_or(usize::MAX),
            group_rows: row_group_size.unwrap_or(GROUP_ROWS),
            group_bytes: most(GROUP_BYTES, 16),
        };
        let (place, pool) = (place.to_path_buf(), Arc::clone(pool));
        Ok(Self { place, append, files, kept, partitions, spool, pool, root })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = batch.project(&self.kept).map_err(Error::unwritable)?;
        self.spool.push(rows, |numbers| self.partitions.number(batch, numbers))?;
        if self.spool.is_full() {
            self.spool.put_aside(&self.partitions.places)?;
        }
        Ok(())
    }

    /// Brings everything to the disk, as a checkpoint will know it: the number of runs.
    pub fn end_parts(&mut self) -> Result<usize> {
        let runs = self.spool.put_aside(&self.partitions.places)?;
        self.spool.sync()?;
        Ok(runs)
    }

    /// Writes the files, until `stop` is set, if ever.
    pub fn finish(mut self, stop: &AtomicBool) -> Result<WrittenDirectory> {
        let (hidden, holds_spool) = match self.root {
            Root::Hidden(hidden) => (hidden, true),
            Root::Parts(root) => {
                remove_unfinished(folder(&root))?;
                let hidden = tempfile::Builder::new().prefix(WHOLE).tempdir_in(folder(&root));
                (hidden.map_err(Error::unwritable)?, false)
            }
        };
        let places = &self.partitions.places;
        let last = self.spool.take(places.len())?;
        let (files, spool, root) = (&self.files, &self.spool, hidden.path());
        let syncing = Syncing::begin()?;
        let write = |number: usize, pool: &Arc<ThreadPool>| match stop.load(Ordering::Relaxed) {
            true => Err(Error::interrupted()),
            false => files.write(&root.join(&places[number]), spool.rows(number, &last), pool, &syncing),
        };
        // A file a thread where there are enough of them, else a column a thread.
        if places.len() >= 2 * self.pool.current_num_threads() {
            let one = Arc::new(ThreadPoolBuilder::new().num_threads(1).build().map_err(Error::unwritable)?);
            self.pool.install(|| (0..places.len()).into_par_iter().try_for_each(|number| write(number, &one)))?;
        } else {
            (0..places.len()).try_for_each(|number| write(number, &self.pool))?;
        }
        syncing.finish()?;
        if holds_spool {
            fs::remove_dir_all(hidden.path().join(SPOOL)).map_err(Error::unwritable)?;
        }
        Ok(WrittenDirectory { hidden, place: self.place, append: self.append })
    }
}

impl FileSettings {
    /// Writes the files of a partition into its directory.
    fn write(
        &self,
        directory: &Path,
        batches: impl Iterator<Item = Result<RecordBatch>>,
        pool: &Arc<ThreadPool>,
        syncing: &Syncing,
    ) -> Result<()> {
        fs::create_dir_all(directory).map_err(Error::unwritable)?;
        let mut files =
            Files { settings: self, directory, pool, syncing, open: None, number: 0, rows: 0, group: (0, 0) };
        let mut waiting: Vec<RecordBatch> = Vec::new();
        let mut count = 0;
        for rows in batches {
            let rows = rows?;
            count += rows.num_rows();
            waiting.push(rows);
            while count >= files.room() {
                count -= files.write(&mut waiting)?;
            }
        }
        while count > 0 {
            count -= files.write(&mut waiting)?;
        }
        files.close()
    }
}

/// The files of a partition while they are written.
struct Files<'a> {
    settings: &'a FileSettings,
    directory: &'a Path,
    pool: &'a Arc<ThreadPool>,
    syncing: &'a Syncing,
    open: Option<(Encoder, PathBuf)>,
    /// Of the last file that was begun, from 1.
    number: usize,
    /// Rows in the open file.
    rows: usize,
    /// Rows and bytes in its open row group.
    group: (usize, usize),
}

impl Files<'_> {
    /// How many rows the next block has.
    fn room(&self) -> usize {
        let FileSettings { max_rows, group_rows, .. } = self.settings;
        BLOCK.min(max_rows - self.rows).min(group_rows - self.group.0)
    }

    /// Writes the next block of the waiting rows; how many those are.
    fn write(&mut self, waiting: &mut Vec<RecordBatch>) -> Result<usize> {
        let mut block = first_rows(waiting, self.room(), &self.settings.schema)?;
        if matches!(self.settings.style, Style::Ipc { .. }) {
            block = settled(&block).map_err(Error::unwritable)?;
        }
        let (mut encoder, path) = match self.open.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        encoder.write(&block)?;
        self.rows += block.num_rows();
        self.group = (self.group.0 + block.num_rows(), self.group.1 + bytes_of(&block));
        if self.group.0 >= self.settings.group_rows || self.group.1 >= self.settings.group_bytes {
            encoder.end_group()?;
            self.group = (0, 0);
        }
        self.open = Some((encoder, path));
        if self.rows >= self.settings.max_rows {
            self.close()?;
        }
        Ok(block.num_rows())
    }

    fn begin(&mut self) -> Result<(Encoder, PathBuf)> {
        let FileSettings { style, schema, .. } = self.settings;
        self.number += 1;
        let path = self.directory.join(file_name(self.number, *style));
        let file = File::create(&path).map_err(|error| Error::unwritable(error).in_file(&path))?;
        let out: Out = Box::new(BufWriter::with_capacity(1 << 16, file));
        Ok((Encoder::begin(out, *style, schema, self.pool, true, false)?, path))
    }

    fn close(&mut self) -> Result<()> {
        (self.rows, self.group) = (0, (0, 0));
        let Some((encoder, path)) = self.open.take() else { return Ok(()) };
        encoder.finish()?;
        self.syncing.add(path);
        Ok(())
    }
}

/// The first rows, which no longer wait, in arrays of their own.
fn first_rows(waiting: &mut Vec<RecordBatch>, most: usize, schema: &SchemaRef) -> Result<RecordBatch> {
    let (mut taken, mut left) = (Vec::new(), most);
    let mut whole = 0;
    for rows in &mut *waiting {
        let count = rows.num_rows().min(left);
        taken.push(rows.slice(0, count));
        left -= count;
        if count < rows.num_rows() {
            *rows = rows.slice(count, rows.num_rows() - count);
            break;
        }
        whole += 1;
        if left == 0 {
            break;
        }
    }
    waiting.drain(..whole);
    concat_batches(schema, &taken).map_err(Error::unwritable)
}

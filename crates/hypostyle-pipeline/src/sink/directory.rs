//! An output of several files with a maximum number of rows each.  It is written to a hidden directory, which is renamed when it
//! is complete; with checkpoints, as parts in their directory, which are joined at the end.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::append;
use super::atomic::{folder, sync_folder};
use super::below::files_below;
use super::encode::Encoder;
use super::parts::join;
use super::run_name::RunName;
use super::syncing::Syncing;
use super::{Directory, Out, Style, is_there};
use crate::error::{Error, ErrorKind, Result};

/// How the folder begins in which parts are put together.
pub(super) const WHOLE: &str = "whole.";
/// A directory of files that is being written.
pub(crate) struct DirectoryWriting {
    place: PathBuf,
    append: Option<RunName>,
    max_rows: usize,
    style: Style,
    schema: SchemaRef,
    pool: Arc<ThreadPool>,
    root: Root,
    files: WholeFiles,
    /// The part of the last file that was begun.
    open: Option<(Encoder, File)>,
}

/// Where the files grow.
enum Root {
    /// Whole, in a folder that is renamed at the end.
    Hidden(TempDir, Syncing),
    /// In parts between two checkpoints.
    Parts(PathBuf),
}

/// The files so far, as a checkpoint knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WholeFiles(Vec<WholeFile>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct WholeFile {
    rows: usize,
    /// How many parts of it are on the disk.
    parts: usize,
}

impl DirectoryWriting {
    /// Begins the directory; or, with checkpoints, resumes with the parts in the given directory.
    pub fn begin(
        place: &Path,
        directory: &Directory,
        style: Style,
        schema: &SchemaRef,
        pool: &Arc<ThreadPool>,
        parts: Option<(PathBuf, WholeFiles)>,
    ) -> Result<Self> {
        let (root, files) = match parts {
            Some((root, files)) => (Root::Parts(root), files),
            None => (Root::Hidden(hidden(place)?, Syncing::begin()?), WholeFiles::default()),
        };
        let (pool, place, schema) = (Arc::clone(pool), place.to_path_buf(), Arc::clone(schema));
        let (append, max_rows) = (directory.append.clone(), directory.max_rows.unwrap_or(usize::MAX));
        let writing = Self { place, append, max_rows, style, schema, pool, root, files, open: None };
        writing.go_on()?;
        Ok(writing)
    }

    /// Takes up what a checkpoint knows, and removes the parts that it doesn't.
    fn go_on(&self) -> Result<()> {
        let Root::Parts(root) = &self.root else { return Ok(()) };
        fs::create_dir_all(root).map_err(Error::unwritable)?;
        let files = self.files.0.iter().enumerate();
        let known: HashSet<PathBuf> =
            files.flat_map(|(file, about)| (0..about.parts).map(move |part| self.part(file, part))).collect();
        if let Some(part) = known.iter().find(|part| !part.exists()) {
            return Err(Error::new(ErrorKind::State, "a part of the checkpoint is missing")
                .in_file(part)
                .help("pass --restart to start over"));
        }
        remove_unfinished(folder(root))?;
        for path in files_below(root).map_err(Error::unwritable)? {
            if !known.contains(&path) {
                fs::remove_file(path).map_err(Error::unwritable)?;
            }
        }
        Ok(())
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut from = 0;
        while from < batch.num_rows() {
            from += self.write_some(&batch.slice(from, batch.num_rows() - from))?;
        }
        Ok(())
    }

    /// Writes as many rows as the last file has room for; how many those are.
    fn write_some(&mut self, batch: &RecordBatch) -> Result<usize> {
        if self.files.0.last().is_none_or(|last| last.rows >= self.max_rows) {
            self.end_part()?;
            self.files.0.push(WholeFile::default());
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin_part()?,
        };
        let Some(last) = self.files.0.last_mut() else { return Err(Error::internal("the file is missing")) };
        let rows = batch.num_rows().min(self.max_rows - last.rows);
        last.rows += rows;
        open.0.write(&batch.slice(0, rows))?;
        self.open = Some(open);
        Ok(rows)
    }

    fn begin_part(&self) -> Result<(Encoder, File)> {
        let file = self.files.0.len() - 1;
        let part = self.files.0[file].parts;
        let path = self.part(file, part);
        fs::create_dir_all(folder(&path)).map_err(Error::unwritable)?;
        let file = File::create(&path).map_err(Error::unwritable)?;
        let out: Out = Box::new(BufWriter::with_capacity(1 << 16, file.try_clone().map_err(Error::unwritable)?));
        Ok((Encoder::begin(out, self.style, &self.schema, &self.pool, part == 0, false)?, file))
    }

    /// The path of a part of a file; where there are no checkpoints it has but one.
    fn part(&self, file: usize, part: usize) -> PathBuf {
        let name = file_name(file + 1, self.style);
        match &self.root {
            Root::Hidden(hidden, _) => hidden.path().join(name),
            Root::Parts(root) => root.join(format!("{name}.{part:06}")),
        }
    }

    /// Ends what the formats keep open in memory.
    pub fn end_group(&mut self) -> Result<()> {
        self.open.as_mut().map_or(Ok(()), |(encoder, _)| encoder.end_group())
    }

    /// Ends the part that was begun, and brings it to the disk: a whole file while the next ones are written.
    fn end_part(&mut self) -> Result<()> {
        let Some((encoder, file)) = self.open.take() else { return Ok(()) };
        encoder.finish()?;
        let part = self.files.0.last().map_or(0, |last| last.parts);
        match &self.root {
            Root::Hidden(_, syncing) => syncing.add(self.part(self.files.0.len() - 1, part)),
            Root::Parts(_) => file.sync_all().map_err(Error::unwritable)?,
        }
        if let Some(last) = self.files.0.last_mut() {
            last.parts += 1;
        }
        Ok(())
    }

    /// Brings everything to the disk, as a checkpoint will know it.
    pub fn end_parts(&mut self) -> Result<WholeFiles> {
        self.end_part()?;
        if let Root::Parts(root) = &self.root {
            sync_folder(&root.join("part"))?;
        }
        Ok(self.files.clone())
    }

    /// Writes what is left to write, and puts parts together.
    pub fn finish(mut self) -> Result<WrittenDirectory> {
        if self.files.0.is_empty() {
            // Without rows there is one file all the same, for its columns.
            self.files.0.push(WholeFile::default());
            self.open = Some(self.begin_part()?);
        }
        self.end_part()?;
        let hidden = match &self.root {
            Root::Hidden(..) => None,
            Root::Parts(root) => {
                let syncing = Syncing::begin()?;
                let hidden = tempfile::Builder::new().prefix(WHOLE).tempdir_in(folder(root));
                let hidden = hidden.map_err(Error::unwritable)?;
                for (file, about) in self.files.0.iter().enumerate() {
                    let parts: Vec<PathBuf> = (0..about.parts).map(|part| self.part(file, part)).collect();
                    let whole = hidden.path().join(file_name(file + 1, self.style));
                    let out = File::create(&whole).map_err(Error::unwritable)?;
                    join(&parts, self.style, &self.schema, &self.pool, out)?;
                    syncing.add(whole);
                }
                syncing.finish()?;
                Some(hidden)
            }
        };
        let hidden = match (hidden, self.root) {
            (Some(hidden), _) => hidden,
            (None, Root::Hidden(hidden, syncing)) => {
                syncing.finish()?;
                hidden
            }
            (None, Root::Parts(_)) => return Err(Error::internal("the parts were not put together")),
        };
        Ok(WrittenDirectory { hidden, place: self.place, append: self.append })
    }
}

/// The name of a file of a directory, by its number from 1.
pub(super) fn file_name(number: usize, style: Style) -> String {
    format!("part-{number:06}.{}", style.extension())
}

/// Removes what a run that was killed had put together.
pub(super) fn remove_unfinished(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(Error::unwritable)? {
        let entry = entry.map_err(Error::unwritable)?;
        if entry.file_name().to_string_lossy().starts_with(WHOLE) {
            fs::remove_dir_all(entry.path()).map_err(Error::unwritable)?;
        }
    }
    Ok(())
}

/// A folder beside the place, which is removed unless it is kept.
pub(super) fn hidden(place: &Path) -> Result<TempDir> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let hidden = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempdir_in(folder(place));
    hidden.map_err(|error| {
        Error::new(ErrorKind::Sink, format!("cannot create the output: {error}")).in_file(place).because(error)
    })
}

/// A folder that is whole, but not in its place yet.
pub(crate) struct WrittenDirectory {
    pub(super) hidden: TempDir,
    pub(super) place: PathBuf,
    /// The run, if its files are added to those in the place.
    pub(super) append: Option<RunName>,
}

impl WrittenDirectory {
    /// Puts the folder in its place, where there is nothing, or an empty folder, or the same files; or its files where others
    /// are.  The number of its files' bytes.
    pub fn place(self) -> Result<u64> {
        let fault = |error: io::Error| Error::unwritable(error).in_file(&self.place);
        let files = files_below(self.hidden.path()).map_err(fault)?;
        let sizes = files.iter().map(|path| Ok(fs::metadata(path)?.len()));
        let bytes = sizes.sum::<io::Result<u64>>().map_err(fault)?;
        if let Some(run) = &self.append {
            append::place(self.hidden.path(), &files, &self.place, run)?;
            return Ok(bytes);
        }
        #[cfg(unix)]
        {
            // As any new folder: what the user's umask leaves of it.
            use std::os::unix::fs::PermissionsExt;
            let like =
                tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o777)).tempdir_in(folder(&self.place));
            let permissions = like.and_then(|like| fs::metadata(like.path())).map_err(fault)?.permissions();
            fs::set_permissions(self.hidden.path(), permissions).map_err(fault)?;
        }
        if self.place.is_dir() && fs::remove_dir(&self.place).is_err() {
            // A run that was killed right after may have put it there.
            return match same_files(self.hidden.path(), &files, &self.place).map_err(fault)? {
                true => Ok(bytes),
                false => Err(is_there(&self.place)),
            };
        }
        fs::rename(self.hidden.path(), &self.place).map_err(fault)?;
        // It is no longer where it could be removed.
        let _ = self.hidden.keep();
        sync_folder(&self.place)?;
        Ok(bytes)
    }
}

/// Whether the files of one folder are those of another, to the byte.
fn same_files(root: &Path, files: &[PathBuf], other: &Path) -> io::Result<bool> {
    let names = |root: &Path, files: &[PathBuf]| -> Vec<PathBuf> {
        files.iter().map(|path| path.strip_prefix(root).unwrap_or(path).to_path_buf()).collect()
    };
    let others = files_below(other)?;
    if names(root, files) != names(other, &others) {
        return Ok(false);
    }
    for (one, other) in files.iter().zip(&others) {
        if !same_bytes(one, other)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (BufReader::new(File::open(one)?), BufReader::new(File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if left[..length] != right[..length] || (length == 0 && left.len() != right.len()) {
            return Ok(false);
        }
        if length == 0 {
            return Ok(true);
        }
        one.consume(length);
        other.consume(length);
    }
}

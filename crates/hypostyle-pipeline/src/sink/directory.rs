//! An output of several files: Hive partitioning (`column=value`), or a maximum number of rows per file.  It is written to a hidden
//! directory, which is renamed when it is complete; with checkpoints, as parts in their directory, which are joined at the end.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{Field, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::atomic::{folder, sync_folder};
use super::encode::{Encoder, Out};
use super::parts::join;
use super::{Directory, Style, is_there};
use crate::error::{Error, ErrorKind, Result};
use crate::files::list::HIVE_NULL;
use crate::model::types::in_utc;

/// The maximum number of open files.  With more, the least recently used one is closed, and its directory gets another file if it is
/// needed again.
const OPEN: usize = 64;
/// How the folder begins in which parts are put together.
const WHOLE: &str = "whole.";
/// The characters that are escaped in the names of directories.
const SPECIAL: &AsciiSet = &CONTROLS
    .add(b'/')
    .add(b'\\')
    .add(b'=')
    .add(b'%')
    .add(b':')
    .add(b'*')
    .add(b'?')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'|');

/// A directory of files that is being written.
pub(crate) struct DirectoryWriting {
    place: PathBuf,
    settings: Directory,
    style: Style,
    /// Of the columns that are written: the folders' names say the others.
    schema: SchemaRef,
    kept: Vec<usize>,
    rows: Option<RowConverter>,
    pool: Arc<ThreadPool>,
    root: Root,
    files: WholeFiles,
    /// The files that more rows may come into, by their folders.
    open: HashMap<PathBuf, Open>,
    /// How many files each folder has.
    counts: HashMap<PathBuf, usize>,
    /// The parts that were begun since the last checkpoint.
    begun: Vec<PathBuf>,
}

/// Where the files grow.
enum Root {
    /// Whole, in a folder that is renamed at the end.
    Hidden(TempDir),
    /// In parts between two checkpoints.
    Parts(PathBuf),
}

/// The files of a folder, and what a checkpoint knows of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WholeFiles {
    list: Vec<WholeFile>,
    /// Counts the writes, so that the file left alone longest is known.
    clock: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WholeFile {
    /// Its folder.
    place: PathBuf,
    /// Which one of its folder it is, from 1.
    number: usize,
    rows: usize,
    /// How many parts of it are on the disk.
    parts: usize,
    /// When it was written last.
    used: u64,
    open: bool,
}

struct Open {
    /// Its place in the list.
    index: usize,
    /// Of the part that was begun.
    encoder: Option<(Encoder, File)>,
}

impl DirectoryWriting {
    /// Begins the directory; or, with checkpoints, resumes with the parts in the given directory.
    pub fn begin(
        place: &Path,
        settings: Directory,
        style: Style,
        schema: &SchemaRef,
        pool: &Arc<ThreadPool>,
        parts: Option<(PathBuf, WholeFiles)>,
    ) -> Result<Self> {
        let kept: Vec<usize> =
            (0..schema.fields().len()).filter(|column| !settings.partition_by.contains(column)).collect();
        let fields =
            settings.partition_by.iter().map(|column| SortField::new(schema.field(*column).data_type().clone()));
        let fields: Vec<SortField> = fields.collect();
        let rows = if fields.is_empty() { None } else { Some(RowConverter::new(fields).map_err(Error::unwritable)?) };
        let schema = Arc::new(schema.project(&kept).map_err(Error::unwritable)?);
        let (root, files) = match parts {
            Some((root, files)) => (Root::Parts(root), files),
            None => (Root::Hidden(hidden(place)?), WholeFiles::default()),
        };
        let (pool, place) = (Arc::clone(pool), place.to_path_buf());
        let (open, counts, begun) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut writing = Self { place, settings, style, schema, kept, rows, pool, root, files, open, counts, begun };
        writing.go_on()?;
        Ok(writing)
    }

    /// Takes up what a checkpoint knows, and removes the parts that it doesn't.
    fn go_on(&mut self) -> Result<()> {
        let Root::Parts(root) = &self.root else { return Ok(()) };
        fs::create_dir_all(root).map_err(Error::unwritable)?;
        let mut known = HashSet::new();
        for (index, file) in self.files.list.iter().enumerate() {
            known.extend((0..file.parts).map(|part| self.part(file, part)));
            *self.counts.entry(file.place.clone()).or_default() += 1;
            if file.open {
                self.open.insert(file.place.clone(), Open { index, encoder: None });
            }
        }
        if let Some(part) = known.iter().find(|part| !part.exists()) {
            return Err(Error::new(ErrorKind::State, "a part of the checkpoint is missing")
                .in_file(part)
                .help("pass --restart to start over"));
        }
        for entry in fs::read_dir(folder(root)).map_err(Error::unwritable)? {
            let entry = entry.map_err(Error::unwritable)?;
            if entry.file_name().to_string_lossy().starts_with(WHOLE) {
                fs::remove_dir_all(entry.path()).map_err(Error::unwritable)?;
            }
        }
        for path in files_below(root).map_err(Error::unwritable)? {
            if !known.contains(&path) {
                fs::remove_file(path).map_err(Error::unwritable)?;
            }
        }
        Ok(())
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for (place, part) in self.split(batch).map_err(Error::unwritable)? {
            let part = part.project(&self.kept).map_err(Error::unwritable)?;
            let mut from = 0;
            while from < part.num_rows() {
                from += self.write_some(&place, &part.slice(from, part.num_rows() - from))?;
            }
        }
        Ok(())
    }

    /// Writes as many rows as the folder's file has room for; how many those are.
    fn write_some(&mut self, place: &Path, part: &RecordBatch) -> Result<usize> {
        self.files.clock += 1;
        let mut open = match self.open.remove(place) {
            Some(open) => open,
            None => {
                self.make_room()?;
                self.create(place)
            }
        };
        let (encoder, file) = match open.encoder.take() {
            Some(encoder) => encoder,
            None => self.begin_part(open.index)?,
        };
        let (encoder, _) = open.encoder.insert((encoder, file));
        let about = &mut self.files.list[open.index];
        let most = self.settings.max_rows.unwrap_or(usize::MAX);
        let rows = part.num_rows().min(most - about.rows);
        encoder.write(&part.slice(0, rows))?;
        about.rows += rows;
        about.used = self.files.clock;
        match about.rows < most {
            true => drop(self.open.insert(place.to_path_buf(), open)),
            false => self.close(open)?,
        }
        Ok(rows)
    }

    /// The rows of each folder, in their order; the folders in the order of their first rows.
    fn split(&mut self, batch: &RecordBatch) -> std::result::Result<Vec<(PathBuf, RecordBatch)>, ArrowError> {
        let Some(converter) = &self.rows else { return Ok(vec![(PathBuf::new(), batch.clone())]) };
        let columns: Vec<ArrayRef> =
            self.settings.partition_by.iter().map(|column| Arc::clone(batch.column(*column))).collect();
        let rows = converter.convert_columns(&columns)?;
        let mut numbers = HashMap::new();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let number = *numbers.entry(row).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[number].push(index as u32);
        }
        let schema = batch.schema();
        let parts = groups.into_iter().map(|group| {
            let first = group[0] as usize;
            let mut place = PathBuf::new();
            for (column, values) in self.settings.partition_by.iter().zip(&columns) {
                place.push(named(schema.field(*column), values, first)?);
            }
            Ok((place, take_record_batch(batch, &UInt32Array::from(group))?))
        });
        parts.collect()
    }

    /// A new file of a folder, without rows yet.
    fn create(&mut self, place: &Path) -> Open {
        let number = self.counts.entry(place.to_path_buf()).or_default();
        *number += 1;
        let index = self.files.list.len();
        let (place, used) = (place.to_path_buf(), self.files.clock);
        self.files.list.push(WholeFile { place, number: *number, rows: 0, parts: 0, used, open: true });
        Open { index, encoder: None }
    }

    fn begin_part(&mut self, index: usize) -> Result<(Encoder, File)> {
        let about = &self.files.list[index];
        let path = self.part(about, about.parts);
        fs::create_dir_all(folder(&path)).map_err(Error::unwritable)?;
        let file = File::create(&path).map_err(Error::unwritable)?;
        self.begun.push(path);
        let out: Out = Box::new(BufWriter::with_capacity(1 << 16, file.try_clone().map_err(Error::unwritable)?));
        let encoder = Encoder::begin(out, self.style, &self.schema, &self.pool, about.parts == 0, false)?;
        Ok((encoder, file))
    }

    /// The file's path below the folder.
    fn name(&self, file: &WholeFile) -> PathBuf {
        file.place.join(format!("part-{:06}.{}", file.number, self.style.extension()))
    }

    /// The path of a part of it; where there are no checkpoints it has but one.
    fn part(&self, file: &WholeFile, part: usize) -> PathBuf {
        let name = self.name(file);
        match &self.root {
            Root::Hidden(hidden) => hidden.path().join(name),
            Root::Parts(root) => {
                let mut path = root.join(name).into_os_string();
                path.push(format!(".{part:06}"));
                path.into()
            }
        }
    }

    /// Closes the file that was left alone longest where too many are open.
    fn make_room(&mut self) -> Result<()> {
        if self.open.len() < OPEN {
            return Ok(());
        }
        let oldest = self.open.values().min_by_key(|open| self.files.list[open.index].used);
        let oldest = oldest.map(|open| self.files.list[open.index].place.clone());
        oldest.and_then(|place| self.open.remove(&place)).map_or(Ok(()), |open| self.close(open))
    }

    fn close(&mut self, mut open: Open) -> Result<()> {
        self.files.list[open.index].open = false;
        self.files.end_part(&mut open)
    }

    /// Ends what the formats keep open in memory.
    pub fn end_group(&mut self) -> Result<()> {
        self.open.values_mut().filter_map(|open| open.encoder.as_mut()).try_for_each(|(encoder, _)| encoder.end_group())
    }

    /// Brings everything to the disk, as a checkpoint will know it.
    pub fn end_parts(&mut self) -> Result<WholeFiles> {
        self.open.values_mut().try_for_each(|open| self.files.end_part(open))?;
        if let Root::Parts(root) = &self.root {
            let folders = self.begun.iter().flat_map(|part| part.ancestors().skip(1));
            let folders: BTreeSet<&Path> = folders.filter(|folder| folder.starts_with(root)).collect();
            folders.into_iter().try_for_each(|folder| sync_folder(&folder.join("part")))?;
        }
        self.begun.clear();
        Ok(self.files.clone())
    }

    /// Writes what is left to write, and puts parts together.
    pub fn finish(mut self) -> Result<WrittenDirectory> {
        if self.files.list.is_empty() && self.rows.is_none() {
            // Without rows there is one file all the same, for its columns.
            let mut open = self.create(Path::new(""));
            open.encoder = Some(self.begin_part(open.index)?);
            self.close(open)?;
        }
        self.end_parts()?;
        let parts = |file: &WholeFile| (0..file.parts).map(|part| self.part(file, part)).collect::<Vec<_>>();
        let parts: Vec<(PathBuf, Vec<PathBuf>)> =
            self.files.list.iter().map(|file| (self.name(file), parts(file))).collect();
        let hidden = match self.root {
            Root::Hidden(hidden) => hidden,
            Root::Parts(root) => {
                let hidden = tempfile::Builder::new().prefix(WHOLE).tempdir_in(folder(&root));
                let hidden = hidden.map_err(Error::unwritable)?;
                for (name, parts) in parts {
                    let path = hidden.path().join(name);
                    fs::create_dir_all(folder(&path)).map_err(Error::unwritable)?;
                    let file = File::create(path).map_err(Error::unwritable)?;
                    join(&parts, self.style, &self.schema, &self.pool, file.try_clone().map_err(Error::unwritable)?)?;
                    file.sync_all().map_err(Error::unwritable)?;
                }
                hidden
            }
        };
        Ok(WrittenDirectory { hidden, place: self.place })
    }
}

impl WholeFiles {
    /// Brings the part that was begun to the disk.
    fn end_part(&mut self, open: &mut Open) -> Result<()> {
        let Some((encoder, file)) = open.encoder.take() else { return Ok(()) };
        encoder.finish()?;
        file.sync_all().map_err(Error::unwritable)?;
        self.list[open.index].parts += 1;
        Ok(())
    }
}

/// A folder beside the place, which is removed unless it is kept.
fn hidden(place: &Path) -> Result<TempDir> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let hidden = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempdir_in(folder(place));
    hidden.map_err(|error| {
        Error::new(ErrorKind::Sink, format!("cannot create the output: {error}")).in_file(place).because(error)
    })
}

/// All files in the folder and those in it.
fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

/// A folder that is whole, but not in its place yet.
pub(crate) struct WrittenDirectory {
    hidden: TempDir,
    place: PathBuf,
}

impl WrittenDirectory {
    /// Puts the folder in its place, where there is nothing, or an empty folder, or the same files.  The number of its files'
    /// bytes.
    pub fn place(self) -> Result<u64> {
        let fault = |error: io::Error| Error::unwritable(error).in_file(&self.place);
        let files = files_below(self.hidden.path()).map_err(fault)?;
        let sizes = files.iter().map(|path| Ok(fs::metadata(path)?.len()));
        let bytes = sizes.sum::<io::Result<u64>>().map_err(fault)?;
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

/// `column=value`.
fn named(field: &Field, values: &ArrayRef, row: usize) -> std::result::Result<String, ArrowError> {
    let encode = |text: &str| utf8_percent_encode(text, SPECIAL).to_string();
    let value = match values.is_null(row) {
        true => HIVE_NULL.to_string(),
        false => encode(&array_value_to_string(&cast(&values.slice(row, 1), &in_utc(values.data_type()))?, 0)?),
    };
    Ok(format!("{}={value}", encode(field.name())))
}

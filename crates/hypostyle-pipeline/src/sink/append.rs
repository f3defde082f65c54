//! Runs that add their files to an output directory.
//!
//! Their names say which run it is and how many there are ([`RunName`]).  So a run that is done twice finds that all its files are
//! there; and one that was killed while it put them there, which has some of them, puts the same files there when it is done again.

use std::fs::{self, File};
use std::io::{BufReader, Seek};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::FileReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::atomic::sync_folder;
use super::below::files_below;
use super::encode::{Encoder, one_thread};
use super::run_name::RunName;
use super::{PartitionKey, Sink, Style, Target, is_there};
use crate::error::{Error, ErrorKind, Result};
use crate::model::column::quoted;
use crate::model::types;

impl Sink {
    /// Fails if the output directory is not empty; or, where files are added to it, if those of this run are there, or others
    /// that are not like its own.  `has_state`: the state says which runs were done, and one that it does not know is done again.
    pub fn check_empty(&self, has_state: bool) -> Result<()> {
        let Target::Directory(path, directory) = &self.target else { return Ok(()) };
        if let Some(run) = &directory.append {
            let schema = self.schema.project(&directory.kept(self.schema.fields().len())).map_err(Error::unwritable)?;
            let layout = Layout { partition_by: &directory.partition_by, schema: Arc::new(schema), style: self.style };
            return check(path, run, &layout, has_state);
        }
        let empty = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !path.exists(),
        };
        if empty { Ok(()) } else { Err(is_there(path)) }
    }
}

/// What the files of a directory are to be like.
struct Layout<'a> {
    partition_by: &'a [PartitionKey],
    /// The columns in the files.
    schema: SchemaRef,
    style: Style,
}

/// Fails if the files of this run are in the directory, unless they may be replaced, or other files that are not like its own.
fn check(place: &Path, run: &RunName, layout: &Layout, replaces: bool) -> Result<()> {
    if !place.exists() {
        return Ok(());
    }
    let fault = |error| Error::new(ErrorKind::Sink, format!("cannot list the output: {error}")).in_file(place);
    if !place.is_dir() {
        return Err(Error::new(ErrorKind::Sink, "the output exists and is not a directory")
            .in_file(place)
            .help("append to a directory"));
    }
    let files = files_below(place).map_err(fault)?;
    let own: Vec<usize> = files.iter().filter_map(|path| run.count(path)).collect();
    if !replaces && own.first().is_some_and(|count| *count == own.len()) {
        return Err(Error::new(ErrorKind::Processed, "this input was already appended to the output by this pipeline")
            .in_file(place)
            .help("pass the next file; to append it anew, delete its files first"));
    }
    let is_data = |path: &&PathBuf| {
        path.strip_prefix(place)
            .is_ok_and(|path| path.components().all(|part| !part.as_os_str().to_string_lossy().starts_with(['_', '.'])))
    };
    let Some(other) = files.iter().filter(is_data).find(|path| run.count(path).is_none()) else { return Ok(()) };
    layout.check(place, other)
}

impl Layout<'_> {
    fn check(&self, place: &Path, other: &Path) -> Result<()> {
        let unlike = |message: String| {
            Error::new(ErrorKind::Sink, format!("the output has other files: {message}"))
                .in_file(other)
                .help("append to another directory, or write what its files hold")
        };
        let extension = self.style.extension();
        if other.extension().is_none_or(|found| found != extension) {
            return Err(unlike(format!("this one does not end in .{extension}")));
        }
        let below = other.strip_prefix(place).ok().and_then(Path::parent).unwrap_or(Path::new(""));
        let found: Vec<String> = below.components().map(key_of).collect();
        let wanted: Vec<String> = self.partition_by.iter().map(|key| key.name.clone()).collect();
        if found != wanted {
            let shown = |names: &[String]| if names.is_empty() { "no column".to_string() } else { quoted(names) };
            return Err(unlike(format!("partitioned by {}, not by {}", shown(&found), shown(&wanted))));
        }
        let columns = |file| columns_of(file, self.style);
        let there = File::open(other).map_err(Error::unwritable).and_then(columns);
        let there = there.map_err(|error| error.in_file(other))?;
        let own = columns(self.sample()?)?;
        if there == own {
            return Ok(());
        }
        let names = |columns: &[(String, String)]| columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if names(&there) != names(&own) {
            return Err(unlike(format!("their columns are {}, not {}", quoted(&names(&there)), quoted(&names(&own)))));
        }
        match there.iter().zip(&own).find(|(there, own)| there != own) {
            Some(((name, there), (_, own))) => Err(unlike(format!("column '{name}' has type {there}, not {own}"))),
            None => Ok(()),
        }
    }

    /// A file of no rows, as the run would write it.
    fn sample(&self) -> Result<File> {
        let fault = |error| Error::internal("cannot write a temporary file").because(error);
        let mut file = tempfile::tempfile().map_err(fault)?;
        let out = Box::new(file.try_clone().map_err(fault)?);
        Encoder::begin(out, self.style, &self.schema, &one_thread()?, true, false)?.finish()?;
        file.rewind().map_err(fault)?;
        Ok(file)
    }
}

/// The column that a directory is of: `column=value`.
fn key_of(part: Component) -> String {
    let name = part.as_os_str().to_string_lossy();
    name.split_once('=').map_or_else(|| name.to_string(), |(key, _)| key.to_string())
}

/// The names of a file's columns and their types, of which CSV says nothing.
fn columns_of(file: File, style: Style) -> Result<Vec<(String, String)>> {
    fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::new(ErrorKind::Sink, "a file of the output cannot be read").because(error)
    }
    let of = |schema: &Schema| {
        schema.fields().iter().map(|field| (field.name().clone(), types::name(field.data_type()).to_string())).collect()
    };
    match style {
        Style::Parquet { .. } => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(fault)?;
            Ok(of(reader.schema()))
        }
        Style::Ipc { .. } => {
            let reader = FileReader::try_new(BufReader::new(file), None).map_err(fault)?;
            Ok(of(&reader.schema()))
        }
        Style::Csv { delimiter, .. } => {
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(BufReader::new(file));
            let names = reader.headers().map_err(fault)?;
            Ok(names.iter().map(|name| (name.to_string(), String::new())).collect())
        }
        Style::None => Ok(Vec::new()),
    }
}

/// Moves the files of a run to the directory, instead of those that it has there; `files` are all below `root`.
pub(super) fn place(root: &Path, files: &[PathBuf], place: &Path, run: &RunName) -> Result<()> {
    let fault = |error| Error::unwritable(error).in_file(place);
    fs::create_dir_all(place).map_err(fault)?;
    let mut before = files_below(place).map_err(fault)?;
    before.retain(|path| run.count(path).is_some());
    let mut folders: Vec<PathBuf> = Vec::new();
    for (number, path) in (1..).zip(files) {
        let below = path.strip_prefix(root).ok().and_then(Path::parent).unwrap_or(Path::new(""));
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let target = place.join(below).join(run.file(number, files.len(), &extension));
        let folder = place.join(below);
        if folders.last() != Some(&folder) {
            fs::create_dir_all(&folder).map_err(fault)?;
            folders.push(folder);
        }
        fs::rename(path, &target).map_err(fault)?;
        before.retain(|path| *path != target);
    }
    before.iter().try_for_each(fs::remove_file).map_err(fault)?;
    for folder in &folders {
        sync_folder(&folder.join("part")).map_err(|error| error.in_file(place))?;
    }
    sync_folder(&place.join("part"))?;
    sync_folder(place)
}

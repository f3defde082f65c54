//! An output of many files: one for each value of some columns, in folders named `column=value` as Hive does, or a new one after
//! so many rows.  All of it grows in a hidden folder beside its place, which is renamed when it is whole.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Field, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rayon::ThreadPool;
use tempfile::TempDir;

use super::encode::{Encoder, Out};
use super::place::{folder, sync_folder};
use super::{Folder, Style};
use crate::error::{Error, ErrorKind, Result};
use crate::source::files::HIVE_NULL;

/// So many files are written at the same time; with more, the one that was left alone longest is closed, and its folder gets
/// another file if it is needed again.
const OPEN: usize = 64;
/// What may stand in the name of a folder nowhere, or mean something there.
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

/// A folder of files that grows.
pub(crate) struct FolderWriting {
    place: PathBuf,
    settings: Folder,
    style: Style,
    /// Of the columns that are written: the folders' names say the others.
    schema: SchemaRef,
    kept: Vec<usize>,
    rows: Option<RowConverter>,
    pool: Arc<ThreadPool>,
    hidden: TempDir,
    bytes: u64,
    open: HashMap<PathBuf, Open>,
    /// How many files each folder has.
    files: HashMap<PathBuf, usize>,
    /// Counts the writes, so that the file left alone longest is known.
    clock: u64,
}

struct Open {
    encoder: Encoder,
    file: File,
    rows: usize,
    used: u64,
}

impl FolderWriting {
    pub fn begin(
        place: &Path,
        settings: Folder,
        style: Style,
        schema: &SchemaRef,
        pool: &Arc<ThreadPool>,
    ) -> Result<Self> {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let hidden = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempdir_in(folder(place));
        let hidden = hidden.map_err(|error| {
            Error::new(ErrorKind::Sink, format!("can't create the output: {error}")).in_file(place).because(error)
        })?;
        let kept: Vec<usize> =
            (0..schema.fields().len()).filter(|column| !settings.partition_by.contains(column)).collect();
        let fields =
            settings.partition_by.iter().map(|column| SortField::new(schema.field(*column).data_type().clone()));
        let fields: Vec<SortField> = fields.collect();
        let rows = if fields.is_empty() { None } else { Some(RowConverter::new(fields).map_err(Error::unwritable)?) };
        let kept_schema = Arc::new(schema.project(&kept).map_err(Error::unwritable)?);
        let (pool, place) = (Arc::clone(pool), place.to_path_buf());
        let (open, files) = (HashMap::new(), HashMap::new());
        Ok(Self {
            place,
            settings,
            style,
            schema: kept_schema,
            kept,
            rows,
            pool,
            hidden,
            bytes: 0,
            open,
            files,
            clock: 0,
        })
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
        self.clock += 1;
        if !self.open.contains_key(place) {
            self.make_room()?;
            let open = self.create(place)?;
            self.open.insert(place.to_path_buf(), open);
        }
        let most = self.settings.max_rows.unwrap_or(usize::MAX);
        let Some(open) = self.open.get_mut(place) else { return Ok(part.num_rows()) };
        let rows = part.num_rows().min(most - open.rows);
        open.encoder.write(&part.slice(0, rows))?;
        open.rows += rows;
        open.used = self.clock;
        if open.rows >= most {
            self.close(place)?;
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

    fn create(&mut self, place: &Path) -> Result<Open> {
        let number = self.files.entry(place.to_path_buf()).or_default();
        *number += 1;
        let within = self.hidden.path().join(place);
        fs::create_dir_all(&within).map_err(Error::unwritable)?;
        let path = within.join(format!("part-{number:06}.{}", self.style.extension()));
        let file = File::create(path).map_err(Error::unwritable)?;
        let out: Out = Box::new(BufWriter::with_capacity(1 << 16, file.try_clone().map_err(Error::unwritable)?));
        let encoder = Encoder::begin(out, self.style, &self.schema, &self.pool, true, false)?;
        Ok(Open { encoder, file, rows: 0, used: self.clock })
    }

    /// Closes the file that was left alone longest where too many are open.
    fn make_room(&mut self) -> Result<()> {
        if self.open.len() < OPEN {
            return Ok(());
        }
        let oldest = self.open.iter().min_by_key(|(_, open)| open.used).map(|(place, _)| place.clone());
        oldest.map_or(Ok(()), |place| self.close(&place))
    }

    fn close(&mut self, place: &Path) -> Result<()> {
        let Some(Open { encoder, file, .. }) = self.open.remove(place) else { return Ok(()) };
        encoder.finish()?;
        file.sync_all().map_err(Error::unwritable)?;
        self.bytes += file.metadata().map_err(Error::unwritable)?.len();
        Ok(())
    }

    /// Ends what the formats keep open in memory.
    pub fn end_group(&mut self) -> Result<()> {
        self.open.values_mut().try_for_each(|open| open.encoder.end_group())
    }

    /// Writes what is left to write.
    pub fn finish(mut self) -> Result<WrittenFolder> {
        let mut open: Vec<PathBuf> = self.open.keys().cloned().collect();
        open.sort();
        for place in open {
            self.close(&place)?;
        }
        if self.files.is_empty() && self.rows.is_none() {
            // Without rows there is one file all the same, for its columns.
            let open = self.create(Path::new(""))?;
            self.open.insert(PathBuf::new(), open);
            self.close(Path::new(""))?;
        }
        Ok(WrittenFolder { hidden: self.hidden, place: self.place, bytes: self.bytes })
    }
}

/// A folder that is whole, but not in its place yet.
pub(crate) struct WrittenFolder {
    hidden: TempDir,
    place: PathBuf,
    bytes: u64,
}

impl WrittenFolder {
    /// Puts the folder in its place, where there is nothing, or an empty folder.  The number of its files' bytes.
    pub fn place(self) -> Result<u64> {
        let fault = |error: std::io::Error| Error::unwritable(error).in_file(&self.place);
        #[cfg(unix)]
        {
            // As any new folder: what the user's umask leaves of it.
            use std::os::unix::fs::PermissionsExt;
            let like =
                tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o777)).tempdir_in(folder(&self.place));
            let permissions = like.and_then(|like| fs::metadata(like.path())).map_err(fault)?.permissions();
            fs::set_permissions(self.hidden.path(), permissions).map_err(fault)?;
        }
        if self.place.is_dir() {
            fs::remove_dir(&self.place).map_err(fault)?;
        }
        fs::rename(self.hidden.path(), &self.place).map_err(fault)?;
        // It is no longer where it could be removed.
        let _ = self.hidden.keep();
        sync_folder(&self.place)?;
        Ok(self.bytes)
    }
}

/// `column=value`.
fn named(field: &Field, values: &ArrayRef, row: usize) -> std::result::Result<String, ArrowError> {
    let encode = |text: &str| utf8_percent_encode(text, SPECIAL).to_string();
    let value = match values.is_null(row) {
        true => HIVE_NULL.to_string(),
        false => encode(&array_value_to_string(values, row)?),
    };
    Ok(format!("{}={value}", encode(field.name())))
}

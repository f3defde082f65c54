//! Saved states: an Arrow IPC file with one row per key, its key columns and each kernel's state, readable with any Arrow tool.
//! The schema's metadata hold the format version, the specification and a checksum of the whole file, so that a damaged file is
//! detected before it is used.

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, LargeListBuilder, RecordBatch, RecordBatchOptions, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::advance::Stage;
use super::stage_plan::StagePlan;
use super::watermark::{Order, UNKNOWN, Watermark};
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::run::Running;
use crate::spec::KernelSpec;
use crate::values::{StateReader, StateWriter, saved_integers};

/// The version of the format.
const FORMAT: u32 = 1;
const MARK: &str = "hypostyle-xxh3:";
const NO_CHECKSUM: &str = "0000000000000000";

/// About how many nanoseconds the state of a key takes to read or write.
const COST_OF_STATE: usize = 100;

/// The metadata of a stage.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    library: String,
    kernels: Vec<KernelSpec>,
    /// The names and types of the columns that the stage reads; none before its first batch.
    columns: Option<Vec<(String, String)>>,
    rows: u64,
    /// The column that says when a key was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    /// The column that rows must be sorted by within each key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<String>,
}

impl Catalog {
    /// As [`Stage::load`], with the kernels of this catalog.
    ///
    /// # Errors
    /// As [`Stage::load`].
    pub fn load_stage(&self, path: impl AsRef<Path>) -> Result<Stage> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::io("read the state", path, e))?;
        self.stage_from_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// As [`Stage::load_for`], with the kernels of this catalog.
    ///
    /// # Errors
    /// As [`Stage::load_for`].
    pub fn load_stage_for(&self, path: impl AsRef<Path>, kernels: &[KernelSpec]) -> Result<Stage> {
        let path = path.as_ref();
        let stage = self.load_stage(path)?;
        let wanted = StagePlan::new(self, kernels)?;
        match difference(stage.kernels(), wanted.specs()) {
            None => Ok(stage),
            Some(difference) => {
                let help = "load it with the kernels that wrote it, or start over";
                Err(Error::state(difference).in_file(path).with_help(help))
            }
        }
    }

    /// As [`Stage::from_bytes`], with the kernels of this catalog.
    ///
    /// # Errors
    /// As [`Stage::from_bytes`].
    pub fn stage_from_bytes(&self, bytes: &[u8]) -> Result<Stage> {
        from_bytes(self, bytes)
    }
}

impl Stage {
    /// Saves the state to a file: an Arrow IPC table with one row per key, written atomically.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_file(path.as_ref(), &self.to_bytes()?)
    }

    /// Loads a stage that [`Stage::save`] wrote; it resumes with bit-identical results.
    ///
    /// # Errors
    /// A file that is missing, damaged, or of another version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Catalog::builtin().load_stage(path)
    }

    /// As [`Stage::load`], only if the file is the state of these kernels.
    ///
    /// # Errors
    /// As [`Stage::load`], and if the kernels differ; the message names the first difference.
    pub fn load_for(path: impl AsRef<Path>, kernels: &[KernelSpec]) -> Result<Self> {
        Catalog::builtin().load_stage_for(path, kernels)
    }

    /// The state as a table: one row per key, with its key columns, last times and each kernel's state, as [`Stage::save`]
    /// writes it.
    ///
    /// # Errors
    /// If Arrow refuses.
    pub fn state(&self) -> Result<RecordBatch> {
        let (fields, columns, rows) = table(self)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    /// The state as bytes.
    ///
    /// # Errors
    /// If Arrow refuses.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_bytes(self)
    }

    /// A stage from the bytes of [`Stage::to_bytes`].
    ///
    /// # Errors
    /// Bytes that are damaged, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Catalog::builtin().stage_from_bytes(bytes)
    }
}

fn to_bytes(stage: &Stage) -> Result<Vec<u8>> {
    let header = Header {
        format: FORMAT,
        library: env!("CARGO_PKG_VERSION").to_string(),
        kernels: stage.kernels().to_vec(),
        columns: stage.bound.as_ref().map(|bound| {
            bound.fields.iter().map(|field| (field.name().clone(), field.data_type().to_string())).collect()
        }),
        rows: stage.n_rows(),
        time: stage.time_column.clone(),
        order: stage.order_by.clone(),
    };
    let metadata = HashMap::from([
        ("hypostyle".to_string(), serde_json::to_string(&header).map_err(Error::state)?),
        ("checksum".to_string(), format!("{MARK}{NO_CHECKSUM}")),
    ]);
    let (fields, columns, rows) = table(stage)?;
    if fields.iter().map(Field::name).chain(stage.output_names()).any(|name| name.contains(MARK)) {
        return Err(Error::state(format!("a column name contains '{MARK}', which marks the checksum"))
            .with_help("rename the column"));
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options)?;
    let mut writer = FileWriter::try_new(Vec::new(), &schema)?;
    writer.write(&batch)?;
    let mut bytes = writer.into_inner()?;
    let sum = format!("{:016x}", xxh3_64(&bytes));
    for place in checksum_places(&bytes) {
        bytes[place..place + sum.len()].copy_from_slice(sum.as_bytes());
    }
    Ok(bytes)
}

/// The keys, the last times and the states as columns.
fn table(stage: &Stage) -> Result<(Vec<Field>, Vec<ArrayRef>, usize)> {
    let Some(bound) = &stage.bound else {
        return Ok((Vec::new(), Vec::new(), 0));
    };
    let keys = bound.key_count();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut add = |name: String, column: ArrayRef| {
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    };
    if let Some(known) = &bound.keys {
        for (name, column) in stage.over().iter().zip(known.columns()?) {
            add(name.clone(), column);
        }
    }
    for Watermark { order, last, .. } in &bound.watermarks {
        add(order.saved_name(&bound.fields), Arc::new(Int64Array::from(last.clone())));
    }
    if let Some(seen) = &bound.seen {
        add("seen:rows".to_string(), Arc::new(Int64Array::from(seen.clone())));
    }
    let write = |kernel: &dyn Running| {
        let mut writer = StateWriter::default();
        for key in 0..keys {
            writer.begin_row();
            kernel.write(&mut writer, key);
        }
        writer.finish()
    };
    let states: Vec<Vec<(String, ArrayRef)>> = stage.on_threads(keys * COST_OF_STATE, |threads| match threads {
        1 => bound.kernels.iter().map(|kernel| write(&**kernel)).collect::<Result<_>>(),
        _ => bound.kernels.par_iter().map(|kernel| write(&**kernel)).collect(),
    })?;
    if bound.codes_texts() {
        let mut texts = LargeListBuilder::new(StringBuilder::new());
        for key in 0..keys {
            let columns = states.iter().flatten();
            let numbers = columns.flat_map(|(_, column)| saved_integers(column, key..key + 1)).copied();
            texts.append_value(bound.codes.texts.among(numbers).iter().map(Some));
        }
        add("seen:texts".to_string(), Arc::new(texts.finish()));
    }
    for (name, columns) in stage.output_names().iter().zip(states) {
        columns.into_iter().for_each(|(field, column)| add(format!("{name}:{field}"), column));
    }
    Ok((fields, columns, keys))
}

/// The positions of the checksum's digits: the schema is written twice.
fn checksum_places(bytes: &[u8]) -> Vec<usize> {
    let mark = MARK.as_bytes();
    let mut places = Vec::new();
    let mut from = 0;
    // The schema is at the beginning and at the end of the file, so the first and the last mark are those of the checksum; marks
    // in between are values of keys.
    while let Some(at) = find(&bytes[from..], mark) {
        let place = from + at + mark.len();
        if bytes.len() >= place + NO_CHECKSUM.len() {
            places.push(place);
        }
        from = place;
    }
    match places.as_slice() {
        [first, .., last] => vec![*first, *last],
        _ => places,
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    let first = mark[0];
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| *b == first) {
        if bytes[from + at..].starts_with(mark) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn verify(bytes: &[u8]) -> Result<()> {
    let damaged = || {
        Error::state("it is damaged, or not a state of hypostyle").with_help("restore it from a copy, or start over")
    };
    let places = checksum_places(bytes);
    let [first, last] = places[..] else { return Err(damaged()) };
    let mut sum = Xxh3::new();
    let mut from = 0;
    for place in [first, last] {
        sum.update(&bytes[from..place]);
        sum.update(NO_CHECKSUM.as_bytes());
        from = place + NO_CHECKSUM.len();
    }
    sum.update(&bytes[from..]);
    let sum = format!("{:016x}", sum.digest());
    if [first, last].iter().all(|place| bytes[*place..].starts_with(sum.as_bytes())) { Ok(()) } else { Err(damaged()) }
}

fn from_bytes(catalog: &Catalog, bytes: &[u8]) -> Result<Stage> {
    verify(bytes)?;
    let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(Error::state)?;
    let schema = reader.schema();
    let text = schema.metadata().get("hypostyle").ok_or_else(|| Error::state("its metadata have no specification"))?;
    let header: Header = serde_json::from_str(text).map_err(Error::state)?;
    if header.format != FORMAT {
        let problem = format!("got format {} of hypostyle {}, expected format {FORMAT}", header.format, header.library);
        let help = format!("use that version, or start over with hypostyle {}", env!("CARGO_PKG_VERSION"));
        return Err(Error::state(problem).with_help(help));
    }
    let mut stage = Stage::of(StagePlan::new(catalog, &header.kernels)?)?;
    stage.time_column = header.time;
    stage.order_by = header.order;
    let Some(columns) = header.columns else {
        return Ok(stage);
    };
    let fields = columns
        .into_iter()
        .map(|(name, text)| {
            let data_type: DataType = text.parse().map_err(Error::state)?;
            Ok(Field::new(name, data_type, true))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut bound = stage.bind(&Schema::new(fields))?;
    bound.rows = header.rows;
    bound.resize(0);
    let batches = reader.collect::<std::result::Result<Vec<_>, _>>().map_err(Error::state)?;
    let table = arrow::compute::concat_batches(&schema, &batches)?;
    let mut columns: Vec<(Field, ArrayRef)> =
        schema.fields().iter().map(|f| f.as_ref().clone()).zip(table.columns().iter().cloned()).collect();

    let keys = match &mut bound.keys {
        None => 1,
        Some(keys) => {
            let names: Vec<ArrayRef> =
                take(&mut columns, stage.over().len())?.into_iter().map(|(_, column)| column).collect();
            let numbers = keys.number(&names, 1)?;
            if !numbers.iter().enumerate().all(|(row, number)| *number as usize == row) {
                return Err(Error::state("a key occurs twice"));
            }
            keys.len()
        }
    };
    if keys != table.num_rows() {
        return Err(Error::state(format!("got {} rows for {keys} keys", table.num_rows())));
    }
    for Watermark { order, last, .. } in &mut bound.watermarks {
        let name = order.saved_name(&bound.fields);
        let is_missing =
            matches!(order, Order::First(_)) && columns.first().is_none_or(|(field, _)| *field.name() != name);
        *last = if is_missing { vec![UNKNOWN; keys] } else { take_integers(&mut columns, "the last times")? };
    }
    if let Some(seen) = &mut bound.seen {
        *seen = take_integers(&mut columns, "the rows seen")?;
    }
    if bound.codes_texts() {
        for text in take_texts(&mut columns)?.as_string::<i32>().iter().flatten() {
            bound.codes.texts.learn(text)?;
        }
    }
    let read = |(kernel, name): (&mut Box<dyn Running>, &String)| read_states(&mut **kernel, name, &columns, keys);
    let (kernels, names) = (&mut bound.kernels, stage.output_names());
    stage.on_threads(keys * COST_OF_STATE, |threads| match threads {
        1 => kernels.iter_mut().zip(names).try_for_each(read),
        _ => kernels.par_iter_mut().zip(names).try_for_each(read),
    })?;
    stage.bound = Some(bound);
    Ok(stage)
}

/// The next columns of a state.
fn take(columns: &mut Vec<(Field, ArrayRef)>, count: usize) -> Result<Vec<(Field, ArrayRef)>> {
    if columns.len() < count {
        return Err(Error::state("columns are missing"));
    }
    Ok(columns.drain(..count).collect())
}

fn take_integers(columns: &mut Vec<(Field, ArrayRef)>, what: &str) -> Result<Vec<i64>> {
    let (_, column) = take(columns, 1)?.remove(0);
    let integers = column.as_primitive_opt::<Int64Type>();
    Ok(integers.ok_or_else(|| Error::state(format!("{what} are not integers")))?.values().to_vec())
}

/// The texts that the states of all keys hold.
fn take_texts(columns: &mut Vec<(Field, ArrayRef)>) -> Result<ArrayRef> {
    let (_, column) = take(columns, 1)?.remove(0);
    let lists = column.as_list_opt::<i64>().filter(|lists| lists.value_type() == DataType::Utf8);
    Ok(lists.ok_or_else(|| Error::state("the texts are not texts"))?.values().clone())
}

fn read_states(kernel: &mut dyn Running, name: &str, columns: &[(Field, ArrayRef)], keys: usize) -> Result<()> {
    let prefix = format!("{name}:");
    let own: Vec<(Field, ArrayRef)> = columns
        .iter()
        .filter(|(field, _)| field.name().strip_prefix(&prefix).is_some_and(|rest| !rest.contains(':')))
        .cloned()
        .collect();
    let mut reader = StateReader::new(&own);
    for key in 0..keys {
        reader.begin_row(key);
        kernel.read(&mut reader)?;
    }
    if keys > 0 && !reader.exhausted() {
        return Err(Error::state(format!("the state of '{name}' has columns that its kernel does not have")));
    }
    Ok(())
}

/// How the kernels of one stage differ from those of another; both in their normal form.
pub(super) fn difference(one: &[KernelSpec], other: &[KernelSpec]) -> Option<String> {
    if one.len() != other.len() {
        return Some(format!("got {} kernels, expected {}", one.len(), other.len()));
    }
    let pairs = one.iter().zip(other).enumerate();
    let (place, (one, other)) = pairs.into_iter().find(|(_, (one, other))| one != other)?;
    Some(format!("kernel {}: got {one}, expected {other}", place + 1))
}

/// Writes a file under a temporary name, syncs it and renames it.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let fail = |e| Error::io("write the state", path, e);
    let mut named = tempfile::Builder::new();
    // As any new file: temporary files are readable by the owner only.
    #[cfg(unix)]
    named.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = named.tempfile_in(folder).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}

//! Kernels that share their input and keys, with all their state: batches in, batches out, stop and go on at any row.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::arguments::find_column;
use crate::bound::{Bound, Order};
use crate::error::{Error, ErrorKind, Result};
use crate::keys::Keys;
use crate::spec::KernelSpec;
use crate::state;

/// Batches shorter than this run on the calling thread.
const ROWS_FOR_THREADS: usize = 1 << 13;

/// Kernels over the same keys, and everything they know about the rows so far.
///
/// ```
/// use arrow::{array::{ArrayRef, AsArray, Float64Array, RecordBatch, StringArray}, datatypes::Float64Type};
/// use hypostyle::{Stage, cumsum_clip, rolling_mean};
/// use std::sync::Arc;
///
/// let batch = |keys: Vec<&str>, values: Vec<f64>| {
///     RecordBatch::try_from_iter([
///         ("key", Arc::new(StringArray::from(keys)) as ArrayRef),
///         ("x", Arc::new(Float64Array::from(values)) as ArrayRef),
///     ])
/// };
/// let mut stage = Stage::new(vec![
///     rolling_mean("x", 2).over(["key"]).alias("mean"),
///     cumsum_clip("x", 0, 10).over(["key"]).alias("level"),
/// ])?;
/// stage.advance(&batch(vec!["a", "b"], vec![1.0, 8.0])?)?;
/// let out = stage.advance(&batch(vec!["b", "a"], vec![6.0, 3.0])?)?;
/// let column = |name| out.column_by_name(name).unwrap().as_primitive::<Float64Type>().values().to_vec();
/// assert_eq!(column("mean"), [7.0, 2.0]);
/// assert_eq!(column("level"), [10.0, 4.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Stage {
    pub(crate) specs: Vec<KernelSpec>,
    names: Vec<String>,
    threads: usize,
    pool: Option<Arc<ThreadPool>>,
    /// Whether all rows come in one batch.
    in_memory: bool,
    pub(crate) bound: Option<Bound>,
}

impl Stage {
    /// A stage of these kernels, before its first row.
    ///
    /// # Errors
    /// A wrong specification; kernels with different keys; two outputs of the same name; a centred window.
    pub fn new(specs: Vec<KernelSpec>) -> Result<Self> {
        let stage = Self { in_memory: false, ..Self::in_memory(specs)? };
        for spec in &stage.specs {
            let arguments = crate::arguments::Arguments::new(spec.kernel()?, spec)?;
            if !spec.build(&arguments.assumed_schema())?.streams() {
                return Err(Error::parameter(
                    &spec.name,
                    "center",
                    "a centred window needs later rows, so it can't run in a stage; set center=false, \
                     or run it over a whole frame in memory",
                ));
            }
        }
        Ok(stage)
    }

    /// A stage that is given all rows in one batch, so that centred windows work.
    fn in_memory(specs: Vec<KernelSpec>) -> Result<Self> {
        let Some(first) = specs.first() else {
            return Err(Error::new(ErrorKind::Stage, "a stage needs at least one kernel"));
        };
        let mut names: Vec<String> = Vec::new();
        for spec in &specs {
            spec.validate()?;
            if spec.over != first.over {
                return Err(Error::new(
                    ErrorKind::Stage,
                    format!(
                        "the kernels of a stage share their keys, but {} runs over {:?} and {} over {:?}; make two stages",
                        first.name, first.over, spec.name, spec.over
                    ),
                ));
            }
            let name = spec.output_name()?;
            if names.contains(&name) {
                return Err(Error::new(
                    ErrorKind::Stage,
                    format!("two kernels of the stage write the column '{name}'; give {} another alias", spec.name),
                ));
            }
            names.push(name);
        }
        for (i, key) in first.over.iter().enumerate() {
            if first.over[..i].contains(key) {
                return Err(Error::parameter(&first.name, "over", format!("names the column '{key}' twice")));
            }
        }
        Ok(Self { specs, names, threads: 0, pool: None, in_memory: true, bound: None })
    }

    /// Uses this many threads; without it, or with 0, as many as rayon's global pool has.
    ///
    /// # Errors
    /// Where the threads can't be started.
    pub fn with_threads(mut self, threads: usize) -> Result<Self> {
        self.threads = threads;
        self.pool = match threads {
            0 | 1 => None,
            _ if threads == rayon::current_num_threads() => None,
            _ => Some(Arc::new(
                ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .map_err(|e| Error::new(ErrorKind::Io, format!("can't start {threads} threads: {e}")))?,
            )),
        };
        Ok(self)
    }

    /// The kernels.
    pub fn specs(&self) -> &[KernelSpec] {
        &self.specs
    }

    /// The names of the outputs.
    pub fn output_names(&self) -> &[String] {
        &self.names
    }

    /// How many rows the stage has seen.
    pub fn rows(&self) -> u64 {
        self.bound.as_ref().map_or(0, |bound| bound.rows)
    }

    /// How many keys the stage has seen; 1 without keys, once there was a batch.
    pub fn keys(&self) -> usize {
        self.bound.as_ref().map_or(0, Bound::key_count)
    }

    /// The bytes that the states and keys take in memory.
    pub fn state_bytes(&self) -> usize {
        self.bound.as_ref().map_or(0, |bound| {
            bound.kernels.iter().map(|kernel| kernel.state_bytes()).sum::<usize>()
                + bound.keys.as_ref().map_or(0, Keys::bytes)
                + bound.orders.iter().map(|(_, last)| last.capacity() * size_of::<i64>()).sum::<usize>()
                + bound.seen.as_ref().map_or(0, |seen| seen.capacity() * size_of::<i64>())
        })
    }

    /// The schema of [`Stage::advance`]'s batches for inputs of this schema.
    ///
    /// # Errors
    /// A column that is missing or has a type that its kernel can't use.
    pub fn output_schema(&self, input: &Schema) -> Result<SchemaRef> {
        let bound = self.bind(input)?;
        let mut fields: Vec<Arc<Field>> = input.fields().iter().cloned().collect();
        for (name, kernel) in self.names.iter().zip(&bound.kernels) {
            let field = Arc::new(Field::new(name, kernel.answer_type().clone(), true));
            match fields.iter().position(|f| f.name() == name) {
                Some(place) => fields[place] = field,
                None => fields.push(field),
            }
        }
        Ok(Arc::new(Schema::new_with_metadata(fields, input.metadata().clone())))
    }

    /// Reads a batch and gives it back with the kernels' columns; one of the same name is replaced.
    ///
    /// # Errors
    /// A column that is missing or of a wrong type; a time that is null or decreases within its key.  The stage is then as
    /// it was before.
    pub fn advance(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let answers = self.advance_columns(batch)?;
        with_columns(batch, &answers)
    }

    /// As [`Stage::advance`], with the kernels' columns only.
    ///
    /// # Errors
    /// As [`Stage::advance`].
    pub fn advance_columns(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut bound = match self.bound.take() {
            Some(bound) => bound,
            None => self.bind(batch.schema_ref())?,
        };
        let fresh = bound.rows == 0 && bound.key_count() == usize::from(bound.keys.is_none());
        let result = self.run(&mut bound, batch);
        if result.is_ok() || !fresh {
            self.bound = Some(bound);
        }
        result
    }

    /// What [`Stage::advance`] would give, without keeping the rows.
    ///
    /// # Errors
    /// As [`Stage::advance`].
    pub fn peek(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let answers = self.peek_columns(batch)?;
        with_columns(batch, &answers)
    }

    /// As [`Stage::peek`], with the kernels' columns only.
    ///
    /// # Errors
    /// As [`Stage::advance`].
    pub fn peek_columns(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        match &mut self.bound {
            None => {
                let mut bound = self.bind(batch.schema_ref())?;
                self.run(&mut bound, batch)
            }
            Some(bound) => {
                let mut part = bound.part_for(batch, &self.specs)?;
                self.run(&mut part, batch)
            }
        }
    }

    /// Writes the state to a file: an Arrow IPC table with one row a key.  The file appears whole or not at all.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        state::write_file(path.as_ref(), &self.to_bytes()?)
    }

    /// Goes on where the stage that wrote the file was.
    ///
    /// # Errors
    /// A file that is missing, damaged, or of another version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::io("read the state", path, e))?;
        Self::from_bytes(&bytes).map_err(|e| Error::new(e.kind(), format!("{e} (state file '{}')", path.display())))
    }

    /// Goes on from a file only if it is the state of exactly these kernels.
    ///
    /// # Errors
    /// As [`Stage::load`], and where the kernels differ; the message names the first difference.
    pub fn load_for(path: impl AsRef<Path>, specs: &[KernelSpec]) -> Result<Self> {
        let path = path.as_ref();
        let stage = Self::load(path)?;
        state::check_same(&stage.specs, specs)
            .map_err(|e| Error::new(e.kind(), format!("{e} (state file '{}')", path.display())))?;
        Ok(stage)
    }

    /// The state as a table for people: one row a key, with its key columns, last times and each kernel's state, as
    /// [`Stage::save`] writes it.
    ///
    /// # Errors
    /// Where Arrow refuses.
    pub fn state(&self) -> Result<RecordBatch> {
        let (fields, columns, rows) = state::table(self)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    /// The state as bytes, to be sent or stored.
    ///
    /// # Errors
    /// Where Arrow refuses.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        state::to_bytes(self)
    }

    /// A stage from the bytes of [`Stage::to_bytes`].
    ///
    /// # Errors
    /// Bytes that are damaged, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        state::from_bytes(bytes)
    }

    /// Looks all columns up and builds the kernels over them.
    pub(crate) fn bind(&self, schema: &Schema) -> Result<Bound> {
        let mut fields: Vec<Field> = Vec::new();
        for spec in &self.specs {
            for name in spec.input_columns()? {
                if fields.iter().all(|field| *field.name() != name) {
                    let (_, data_type) = find_column(schema, &spec.name, &name)?;
                    fields.push(Field::new(name, data_type.clone(), true));
                }
            }
        }
        let own = Schema::new(fields.clone());
        let mut kernels = self.specs.iter().map(|spec| spec.build(&own)).collect::<Result<Vec<_>>>()?;
        if self.in_memory {
            kernels.iter_mut().for_each(|kernel| kernel.keep_all());
        }
        let over = &self.specs[0].over;
        let keys = if over.is_empty() {
            None
        } else {
            let types = over
                .iter()
                .map(|key| find_column(&own, &self.specs[0].name, key).map(|(_, data_type)| data_type.clone()))
                .collect::<Result<Vec<_>>>()?;
            Some(Keys::new(types)?)
        };
        let mut orders: Vec<(Order, Vec<i64>)> = Vec::new();
        let times = kernels.iter().filter_map(|kernel| kernel.time()).map(Order::Time);
        let windows = kernels.iter().filter_map(|kernel| kernel.bounds()).map(Order::of_window);
        for order in times.chain(windows.filter(|_| !self.in_memory)) {
            if orders.iter().all(|(known, _)| *known != order) {
                orders.push((order, Vec::new()));
            }
        }
        let seen = kernels.iter().any(|kernel| kernel.numbers_rows()).then(Vec::new);
        let mut bound = Bound { fields, kernels, keys, orders, seen, rows: 0 };
        bound.resize(usize::from(bound.keys.is_none()));
        Ok(bound)
    }

    fn run(&self, bound: &mut Bound, batch: &RecordBatch) -> Result<RecordBatch> {
        let threads = match self.threads {
            _ if batch.num_rows() < ROWS_FOR_THREADS => 1,
            0 => rayon::current_num_threads(),
            threads => threads,
        };
        let columns = match &self.pool {
            Some(pool) if threads > 1 => pool.install(|| bound.run(batch, &self.specs, threads)),
            _ => bound.run(batch, &self.specs, threads),
        }?;
        let fields: Vec<Field> = self
            .names
            .iter()
            .zip(&columns)
            .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }
}

fn with_columns(batch: &RecordBatch, answers: &RecordBatch) -> Result<RecordBatch> {
    let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
    let mut columns = batch.columns().to_vec();
    for (field, column) in answers.schema().fields().iter().zip(answers.columns()) {
        match fields.iter().position(|f| f.name() == field.name()) {
            Some(place) => {
                fields[place] = field.clone();
                columns[place] = column.clone();
            }
            None => {
                fields.push(field.clone());
                columns.push(column.clone());
            }
        }
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, batch.schema().metadata().clone()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

/// Runs kernels over all rows at once and gives their columns, one for each specification; keys may differ between them.
///
/// # Errors
/// As [`Stage::new`] and [`Stage::advance`], save that centred windows work.
pub fn evaluate(batch: &RecordBatch, specs: &[KernelSpec], threads: Option<usize>) -> Result<RecordBatch> {
    let mut columns: Vec<Option<(Field, ArrayRef)>> = vec![None; specs.len()];
    while let Some(first) = columns.iter().position(Option::is_none) {
        let group: Vec<usize> =
            (first..specs.len()).filter(|i| columns[*i].is_none() && specs[*i].over == specs[first].over).collect();
        // Outputs are named apart within the stage, as it is the caller who names them.
        let numbered = group.iter().map(|i| KernelSpec { alias: Some(i.to_string()), ..specs[*i].clone() }).collect();
        let stage = Stage::in_memory(numbered)?;
        let mut stage = match threads {
            Some(threads) => stage.with_threads(threads)?,
            None => stage,
        };
        let answers = stage.advance_columns(batch)?;
        for (i, column) in group.into_iter().zip(answers.columns()) {
            let field = Field::new(specs[i].output_name()?, column.data_type().clone(), true);
            columns[i] = Some((field, column.clone()));
        }
    }
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().flatten().unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
}

/// The fields that [`evaluate`] gives for inputs of this schema.
///
/// # Errors
/// As [`evaluate`], as far as types tell.
pub fn output_fields(schema: &Schema, specs: &[KernelSpec]) -> Result<Vec<Field>> {
    specs
        .iter()
        .map(|spec| {
            for key in &spec.over {
                find_column(schema, &spec.name, key)?;
            }
            let data_type: DataType = spec.build(schema)?.answer_type().clone();
            Ok(Field::new(spec.output_name()?, data_type, true))
        })
        .collect()
}

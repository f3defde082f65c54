//! Kernels that share their input and keys, with all their state: batches in, batches out, stop and go on at any row.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::arguments::find_column;
use crate::bound::Bound;
use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::keys::Keys;
use crate::orders::{Order, Progress};
use crate::pool;
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
    /// The column that tells when a key was last seen, if there is one.
    pub(crate) time: Option<String>,
    threads: usize,
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
        Ok(Self { specs, names, time: None, threads: 0, in_memory: true, bound: None })
    }

    /// Uses this many threads; without it, or with 0, those of rayon's global pool, or of
    /// [`set_default_threads`](crate::set_default_threads).
    ///
    /// # Errors
    /// Where the threads can't be started.
    pub fn with_threads(mut self, threads: usize) -> Result<Self> {
        pool::start(threads)?;
        self.threads = threads;
        Ok(self)
    }

    /// Lets this column of dates, timestamps or integers tell when a key was last seen, for [`Stage::forget`].  Unlike the
    /// time column `by` of a kernel it may go back and hold nulls.
    ///
    /// # Errors
    /// Where the stage has seen rows already.
    pub fn with_time(mut self, column: impl Into<String>) -> Result<Self> {
        if self.bound.is_some() {
            return Err(Error::new(ErrorKind::Stage, "the time column of a stage must be given before its first row"));
        }
        self.time = Some(column.into());
        Ok(self)
    }

    /// The same kernels with other states.
    pub(crate) fn with_bound(&self, bound: Option<Bound>) -> Self {
        Self { specs: self.specs.clone(), names: self.names.clone(), time: self.time.clone(), bound, ..*self }
    }

    /// The kernels.
    pub fn specs(&self) -> &[KernelSpec] {
        &self.specs
    }

    /// The names of the outputs.
    pub fn output_names(&self) -> &[String] {
        &self.names
    }

    /// The column that tells when a key was last seen: that of [`Stage::with_time`].
    pub fn time(&self) -> Option<&str> {
        self.time.as_deref()
    }

    /// The column by whose times [`Stage::forget`] goes, as soon as its type is known.
    pub fn time_field(&self) -> Option<&Field> {
        self.bound.as_ref().and_then(|bound| bound.clock(self.time()).map(|clock| &bound.fields[clock.order.column()]))
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
        self.bound.as_ref().map_or(0, Bound::bytes)
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
        // Types that a first batch brings are kept if it is taken; others stay in any case.
        let known = self.bound.is_some();
        let mut bound = match self.bound.take() {
            Some(bound) => bound,
            None => self.bind(batch.schema_ref())?,
        };
        let result = self.run(batch, |threads| bound.run(batch, &self.specs, threads));
        if result.is_ok() || known {
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
        match self.bound.take() {
            None => {
                let mut bound = self.bind(batch.schema_ref())?;
                self.run(batch, |threads| bound.run(batch, &self.specs, threads))
            }
            Some(mut bound) => {
                let answers = self.run(batch, |threads| bound.peek(batch, &self.specs, threads));
                self.bound = Some(bound);
                answers
            }
        }
    }

    /// Fixes the types of the columns before the first row, for rows that come alone.
    ///
    /// # Errors
    /// A column that is missing or of a wrong type, or of another than the stage knows already.
    pub fn begin(&mut self, schema: &Schema) -> Result<()> {
        match &self.bound {
            None => self.bound = Some(self.bind(schema)?),
            Some(bound) => bound.check_types(&RecordBatch::new_empty(Arc::new(schema.clone())), &self.specs)?,
        }
        Ok(())
    }

    /// The columns of a row that comes alone: those that the kernels read, keys and time; none before the first batch or
    /// [`Stage::begin`].
    pub fn row_fields(&self) -> &[Field] {
        self.bound.as_ref().map_or(&[], |bound| &bound.fields)
    }

    /// The kernels' columns, as soon as the types of the inputs are known.
    pub fn answer_fields(&self) -> Vec<Field> {
        let kernels = self.bound.iter().flat_map(|bound| &bound.kernels);
        self.names
            .iter()
            .zip(kernels)
            .map(|(name, kernel)| Field::new(name, kernel.answer_type().clone(), true))
            .collect()
    }

    /// Reads one row, given as the values of [`Stage::row_fields`], and puts the kernels' answers in the place of what is in
    /// `answers`: one value for each of [`Stage::answer_fields`], or one for each field of a struct.  The answers are those of
    /// [`Stage::advance`]; nothing is allocated once the keys are known.
    ///
    /// ```
    /// use arrow::datatypes::{DataType, Field, Schema};
    /// use hypostyle::{Cell, Stage, rolling_mean};
    ///
    /// let mut stage = Stage::new(vec![rolling_mean("price", 2).over(["symbol"])])?;
    /// let field = |name, data_type| Field::new(name, data_type, true);
    /// stage.begin(&Schema::new(vec![field("symbol", DataType::Utf8), field("price", DataType::Float64)]))?;
    /// assert_eq!(stage.row_fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["price", "symbol"]);
    /// let mut answers = Vec::new();
    /// stage.advance_row(&[Cell::Float(1.0), Cell::Text("a")], &mut answers)?;
    /// assert_eq!(answers, [Cell::Null]);
    /// stage.advance_row(&[Cell::Float(3.0), Cell::Text("a")], &mut answers)?;
    /// assert_eq!(answers, [Cell::Float(2.0)]);
    /// # Ok::<(), hypostyle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Stage::advance`]; a value that its column can't hold; types that aren't known yet.
    pub fn advance_row(&mut self, row: &[Cell], answers: &mut Vec<Cell<'static>>) -> Result<()> {
        answers.clear();
        match &mut self.bound {
            Some(bound) => bound.run_row(row, &self.specs, answers),
            None => Err(types_unknown()),
        }
    }

    /// What [`Stage::advance_row`] would give, without keeping the row.
    ///
    /// # Errors
    /// As [`Stage::advance_row`].
    pub fn peek_row(&mut self, row: &[Cell], answers: &mut Vec<Cell<'static>>) -> Result<()> {
        answers.clear();
        match &mut self.bound {
            Some(bound) => bound.peek_row(row, &self.specs, answers),
            None => Err(types_unknown()),
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
        if let Some(time) = self.time.as_ref().filter(|time| fields.iter().all(|field| field.name() != *time)) {
            let (_, data_type) = find_column(schema, "time", time)?;
            fields.push(Field::new(time, data_type.clone(), true));
        }
        let own = Schema::new(fields.clone());
        let mut kernels = self.specs.iter().map(|spec| spec.build(&own)).collect::<Result<Vec<_>>>()?;
        if self.in_memory {
            kernels.iter_mut().for_each(|kernel| kernel.keep_all());
        }
        let place = |name: &String| find_column(&own, &self.specs[0].name, name).map(|(place, _)| place);
        let key_columns = self.specs[0].over.iter().map(place).collect::<Result<Vec<usize>>>()?;
        let key_types = key_columns.iter().map(|place| fields[*place].data_type().clone()).collect::<Vec<_>>();
        let keys = if key_columns.is_empty() { None } else { Some(Keys::new(key_types)?) };
        let times = kernels.iter().filter_map(|kernel| kernel.time()).map(Order::Time);
        let windows = kernels.iter().filter_map(|kernel| kernel.bounds()).map(Order::of_window);
        let mut orders: Vec<Order> = times.chain(windows.filter(|_| !self.in_memory)).collect();
        if let Some(time) = &self.time {
            let (column, data_type) = find_column(&own, "time", time)?;
            let is_time = matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..));
            if !is_time && !data_type.is_integer() {
                return Err(Error::column_type("time", time, "a date, a timestamp or an integer", data_type));
            }
            if !orders.iter().any(|order| order.tells_time(column)) {
                orders.push(Order::Clock(column));
            }
        }
        let mut progress: Vec<Progress> = Vec::new();
        for order in orders {
            if progress.iter().all(|known| known.order != order) {
                progress.push(Progress { order, last: Vec::new() });
            }
        }
        let seen = kernels.iter().any(|kernel| kernel.numbers_rows()).then(Vec::new);
        let mut bound = Bound { fields, kernels, keys, key_columns, progress, seen, rows: 0 };
        bound.resize(usize::from(bound.keys.is_none()));
        Ok(bound)
    }

    /// Runs `action` on as many threads as so many rows or keys are worth.
    pub(crate) fn on_threads<R: Send>(&self, rows: usize, action: impl FnOnce(usize) -> R + Send) -> R {
        pool::run(if rows < ROWS_FOR_THREADS { 1 } else { self.threads }, action)
    }

    fn run(
        &self,
        batch: &RecordBatch,
        answer: impl FnOnce(usize) -> Result<Vec<ArrayRef>> + Send,
    ) -> Result<RecordBatch> {
        let columns = self.on_threads(batch.num_rows(), answer)?;
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

fn types_unknown() -> Error {
    Error::new(
        ErrorKind::Stage,
        "the stage has seen no rows yet, so the types of its columns aren't known; tell them with `begin`, or advance a batch",
    )
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

//! The stage: kernels bound to columns at the first batch, then batches in and batches out, or single rows.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::bound_kernels::{BoundKernels, StageColumns};
use super::stage_plan::StagePlan;
use super::threads::on_threads;
use crate::catalog::{Catalog, PlannedKernel};
use crate::error::{Error, ErrorKind, Result};
use crate::run::pool;
use crate::spec::KernelSpec;
use crate::values::ScalarValue;

/// Kernels over the same keys, with their state after the rows so far.
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
    pub(super) plan: Arc<StagePlan>,
    /// The column of the times when keys were last seen, if there is one.
    pub(super) time_column: Option<String>,
    /// The column that rows must be sorted by within each key, if there is one.
    pub(super) order_by: Option<String>,
    threads: usize,
    pub(super) bound: Option<BoundKernels>,
}

impl Catalog {
    /// As [`Stage::new`], with the kernels of this catalog.
    ///
    /// # Errors
    /// As [`Stage::new`].
    pub fn stage(&self, kernels: &[KernelSpec]) -> Result<Stage> {
        Stage::of(StagePlan::new(self, kernels)?)
    }
}

/// A kernel that cannot run in a stage.
fn needs_later_rows(kernel: &PlannedKernel) -> Error {
    let error = Error::new(ErrorKind::Parameter, "it needs later rows, so it cannot run in a stage");
    let (error, remedy) = match kernel.late_by() {
        Some(parameter) => (error.at_parameter(parameter), format!("change {parameter}, or ")),
        None => (error, String::new()),
    };
    error.in_kernel(&kernel.spec().name).with_help(remedy + "run it over a whole frame in memory")
}

impl Stage {
    /// A stage of these kernels, before its first row.
    ///
    /// # Errors
    /// An invalid specification; kernels with different keys; two outputs of the same name; one that needs later rows.
    pub fn new(kernels: Vec<KernelSpec>) -> Result<Self> {
        Catalog::builtin().stage(&kernels)
    }

    /// A stage of kernels that return a row's result with the row.
    pub(super) fn of(plan: StagePlan) -> Result<Self> {
        if let Some(late) = plan.kernels().iter().find(|kernel| kernel.latency() > 0) {
            return Err(needs_later_rows(late));
        }
        Ok(Self { plan: Arc::new(plan), time_column: None, order_by: None, threads: 0, bound: None })
    }

    /// Uses this many threads; without it, or with 0, those of rayon's global pool, or of
    /// [`set_default_threads`](crate::set_default_threads).
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn with_threads(mut self, threads: usize) -> Result<Self> {
        pool::start(threads)?;
        self.threads = threads;
        Ok(self)
    }

    /// Sets the column of dates, timestamps or integers that says when a key was last seen, for [`Stage::evict`].  Unlike the
    /// time column `by` of a kernel it may decrease and hold nulls.
    ///
    /// # Errors
    /// If the stage has seen rows already.
    pub fn with_time_column(mut self, column: impl Into<String>) -> Result<Self> {
        if self.bound.is_some() {
            return Err(Error::new(ErrorKind::Stage, "the time column of a stage must be set before its first row"));
        }
        self.time_column = Some(column.into());
        Ok(self)
    }

    /// Sets a column of dates, timestamps or integers that must not decrease within a key nor hold nulls, as the time column
    /// `by` of a kernel must not: a check of the order of rows for kernels that have no time column.
    ///
    /// # Errors
    /// If the stage has seen rows already.
    pub fn with_order_by(mut self, column: impl Into<String>) -> Result<Self> {
        if self.bound.is_some() {
            return Err(Error::new(ErrorKind::Stage, "the order of a stage must be set before its first row"));
        }
        self.order_by = Some(column.into());
        Ok(self)
    }

    /// The same kernels with other states.
    pub(super) fn with_bound(&self, bound: Option<BoundKernels>) -> Self {
        let (time_column, order_by) = (self.time_column.clone(), self.order_by.clone());
        Self { plan: self.plan.clone(), time_column, order_by, bound, ..*self }
    }

    /// The kernels, in their normal form: see [`PlannedKernel::spec`](crate::PlannedKernel::spec).
    pub fn kernels(&self) -> &[KernelSpec] {
        self.plan.specs()
    }

    /// The key columns, which all kernels share.
    pub fn over(&self) -> &[String] {
        self.plan.over()
    }

    /// The time column that rows must be sorted by within each key: that of the first kernel that has one.
    pub fn by(&self) -> Option<&str> {
        self.plan.by()
    }

    /// How many later rows of its key the result of a row needs: 0, as long as a stage returns each row with its results.
    pub fn latency(&self) -> usize {
        self.plan.kernels().iter().map(|kernel| kernel.latency()).max().unwrap_or(0)
    }

    /// The names of the output columns.
    pub fn output_names(&self) -> &[String] {
        self.plan.names()
    }

    /// The column that says when a key was last seen: that of [`Stage::with_time_column`].
    pub fn time_column(&self) -> Option<&str> {
        self.time_column.as_deref()
    }

    /// The column that rows must be sorted by within each key: that of [`Stage::with_order_by`].
    pub fn order_by(&self) -> Option<&str> {
        self.order_by.as_deref()
    }

    /// The column whose times [`Stage::evict`] uses, as soon as its type is known.
    pub fn time_field(&self) -> Option<&Field> {
        let clock = |bound: &BoundKernels| bound.clock(self.time_column()).map(|clock| clock.order.column());
        self.bound.as_ref().and_then(|bound| clock(bound).map(|column| &bound.fields[column]))
    }

    /// How many rows the stage has seen.
    pub fn n_rows(&self) -> u64 {
        self.bound.as_ref().map_or(0, |bound| bound.rows)
    }

    /// How many keys the stage has seen; 1 without keys, once there was a batch.
    pub fn n_keys(&self) -> usize {
        self.bound.as_ref().map_or(0, BoundKernels::key_count)
    }

    /// The bytes that the states and keys take in memory.
    pub fn state_bytes(&self) -> usize {
        self.bound.as_ref().map_or(0, BoundKernels::bytes)
    }

    /// How long each kernel ran, in the order of [`Stage::kernels`], and how long finding the keys of rows took: over all batches
    /// since this stage was made or loaded, and not for single rows.  Kernels that run at the same time on several threads count
    /// in full.
    pub fn times(&self) -> (Vec<Duration>, Duration) {
        let unused = || (vec![Duration::ZERO; self.kernels().len()], Duration::ZERO);
        self.bound.as_ref().map_or_else(unused, |bound| (bound.times.kernels.clone(), bound.times.keys))
    }

    /// The columns that the stage reads with their types, once they are known: after the first batch or
    /// [`Stage::set_schema`].
    pub fn input_schema(&self) -> Option<SchemaRef> {
        self.bound.as_ref().map(|bound| Arc::new(Schema::new(bound.fields.clone())))
    }

    /// The schema of [`Stage::advance`]'s batches for inputs of this schema.
    ///
    /// # Errors
    /// A column that is missing or has a type that its kernel cannot use.
    pub fn output_schema(&self, input: &Schema) -> Result<SchemaRef> {
        let bound = self.bind(input)?;
        let mut fields: Vec<Arc<Field>> = input.fields().iter().cloned().collect();
        for field in bound.output_fields(self.output_names()) {
            let field = Arc::new(field);
            match fields.iter().position(|known| known.name() == field.name()) {
                Some(place) => fields[place] = field,
                None => fields.push(field),
            }
        }
        Ok(Arc::new(Schema::new_with_metadata(fields, input.metadata().clone())))
    }

    /// Reads a batch and returns it with the kernels' columns; one of the same name is replaced.
    ///
    /// # Errors
    /// A column that is missing or of a wrong type; a time that is null or decreases within its key.  The stage is then as
    /// it was before.
    pub fn advance(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let results = self.advance_columns(batch)?;
        with_columns(batch, &results)
    }

    /// As [`Stage::advance`], with the kernels' columns only.
    ///
    /// # Errors
    /// As [`Stage::advance`].
    pub fn advance_columns(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        // The types of a first batch are kept if it succeeds; known types are always kept.
        let known = self.bound.is_some();
        let mut bound = match self.bound.take() {
            Some(bound) => bound,
            None => self.bind(batch.schema_ref())?,
        };
        let result = self.run(batch, bound.shareable(batch.num_rows()), |threads| bound.run(batch, threads));
        if result.is_ok() || known {
            self.bound = Some(bound);
        }
        result
    }

    /// The rows that are still held back because their results need later rows, with these results; the stage is then as
    /// before its first row.  Kernels that hold rows back are not built yet, so there are none.
    ///
    /// # Errors
    /// None yet.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let fields = self.output_fields();
        self.bound = None;
        Ok(RecordBatch::new_empty(Arc::new(Schema::new(fields))))
    }

    /// What [`Stage::advance`] would return, without keeping the rows.
    ///
    /// # Errors
    /// As [`Stage::advance`].
    pub fn peek(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let results = self.peek_columns(batch)?;
        with_columns(batch, &results)
    }

    /// As [`Stage::peek`], with the kernels' columns only.
    ///
    /// # Errors
    /// As [`Stage::advance`].
    pub fn peek_columns(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        match self.bound.take() {
            None => {
                let mut bound = self.bind(batch.schema_ref())?;
                self.run(batch, bound.shareable(batch.num_rows()), |threads| bound.run(batch, threads))
            }
            Some(mut bound) => {
                let results = self.run(batch, bound.shareable(batch.num_rows()), |threads| bound.peek(batch, threads));
                self.bound = Some(bound);
                results
            }
        }
    }

    /// Which rows of a batch [`Stage::advance`] would refuse as late: an earlier row of their key, in this batch or before, has
    /// a later value in the column of [`Stage::with_order_by`].  Nulls are not late.  No row is kept.
    ///
    /// # Errors
    /// A stage without such a column; a column that is missing or of a wrong type.
    pub fn late(&mut self, batch: &RecordBatch) -> Result<BooleanArray> {
        let Some(order_by) = self.order_by.clone() else {
            let problem = "the stage has no column that orders its rows, so no row is late";
            return Err(Error::new(ErrorKind::Stage, problem).with_help("set `order_by` (`with_order_by` in Rust)"));
        };
        match &mut self.bound {
            Some(bound) => bound.late(batch, &order_by),
            None => self.bind(batch.schema_ref())?.late(batch, &order_by),
        }
    }

    /// Sets the types of the columns before the first row, for single rows.
    ///
    /// # Errors
    /// A column that is missing or of a wrong type, or of another type than the stage knows already.
    pub fn set_schema(&mut self, schema: &Schema) -> Result<()> {
        match &self.bound {
            None => self.bound = Some(self.bind(schema)?),
            Some(bound) => bound.check_types(&RecordBatch::new_empty(Arc::new(schema.clone())))?,
        }
        Ok(())
    }

    /// The columns of a single row: those that the kernels read, keys and time; none before the first batch or
    /// [`Stage::set_schema`].
    pub fn row_fields(&self) -> &[Field] {
        self.bound.as_ref().map_or(&[], |bound| &bound.fields)
    }

    /// The kernels' columns, as soon as the types of the inputs are known.
    pub fn output_fields(&self) -> Vec<Field> {
        self.bound.as_ref().map_or_else(Vec::new, |bound| bound.output_fields(self.output_names()))
    }

    /// Reads one row, given as the values of [`Stage::row_fields`], and replaces `results` by the kernels' results: one value
    /// per field of [`Stage::output_fields`], or one per field of a struct.  The results are those of [`Stage::advance`];
    /// nothing is allocated once the keys are known.
    ///
    /// ```
    /// use arrow::datatypes::{DataType, Field, Schema};
    /// use hypostyle::{ScalarValue, Stage, rolling_mean};
    ///
    /// let mut stage = Stage::new(vec![rolling_mean("price", 2).over(["symbol"])])?;
    /// let field = |name, data_type| Field::new(name, data_type, true);
    /// stage.set_schema(&Schema::new(vec![field("symbol", DataType::Utf8), field("price", DataType::Float64)]))?;
    /// assert_eq!(stage.row_fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["price", "symbol"]);
    /// let mut results = Vec::new();
    /// stage.advance_row(&[ScalarValue::Float(1.0), ScalarValue::Text("a")], &mut results)?;
    /// assert_eq!(results, [ScalarValue::Null]);
    /// stage.advance_row(&[ScalarValue::Float(3.0), ScalarValue::Text("a")], &mut results)?;
    /// assert_eq!(results, [ScalarValue::Float(2.0)]);
    /// # Ok::<(), hypostyle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Stage::advance`]; a value that its column cannot hold; types that are not known yet.
    pub fn advance_row(&mut self, row: &[ScalarValue], results: &mut Vec<ScalarValue<'static>>) -> Result<()> {
        results.clear();
        match &mut self.bound {
            Some(bound) => bound.run_row(row, results),
            None => Err(types_unknown()),
        }
    }

    /// The text of a [`ScalarValue::Code`] among the results of the last row.
    pub fn text(&self, code: i64) -> Option<Arc<str>> {
        self.bound.as_ref().and_then(|bound| bound.codes.texts.text(code))
    }

    /// What [`Stage::advance_row`] would return, without keeping the row.
    ///
    /// # Errors
    /// As [`Stage::advance_row`].
    pub fn peek_row(&mut self, row: &[ScalarValue], results: &mut Vec<ScalarValue<'static>>) -> Result<()> {
        results.clear();
        match &mut self.bound {
            Some(bound) => bound.peek_row(row, results),
            None => Err(types_unknown()),
        }
    }

    pub(super) fn bind(&self, schema: &Schema) -> Result<BoundKernels> {
        let own = StageColumns { time: self.time_column(), order: self.order_by() };
        BoundKernels::bind(self.plan.kernels(), own, schema, false)
    }

    /// Runs `action` on several threads if they have enough nanoseconds of work to share.
    pub(super) fn on_threads<R: Send>(&self, nanos: usize, action: impl FnOnce(usize) -> R + Send) -> R {
        on_threads(self.threads, nanos, action)
    }

    fn run(
        &self,
        batch: &RecordBatch,
        nanos: usize,
        results: impl FnOnce(usize) -> Result<Vec<ArrayRef>> + Send,
    ) -> Result<RecordBatch> {
        let columns = self.on_threads(nanos, results)?;
        let named = self.output_names().iter().zip(&columns);
        let fields: Vec<Field> =
            named.map(|(name, column)| Field::new(name, column.data_type().clone(), true)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }
}

fn types_unknown() -> Error {
    Error::new(ErrorKind::Stage, "the types of the columns are not known yet, because the stage has seen no rows")
        .with_help("call `set_schema` first, or advance a batch")
}

fn with_columns(batch: &RecordBatch, results: &RecordBatch) -> Result<RecordBatch> {
    let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
    let mut columns = batch.columns().to_vec();
    for (field, column) in results.schema().fields().iter().zip(results.columns()) {
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
